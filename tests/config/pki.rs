//! Certificates and keys of every right and wrong kind, made afresh in a folder of their own.

use std::{fs, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PKCS_ECDSA_P384_SHA384,
    PKCS_RSA_SHA256, RsaKeySize, date_time_ymd,
};
use x509_parser::der_parser::parse_der;

/// The time at which the tests read configurations.
pub fn now() -> DateTime<Utc> {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

type Day = (i32, u8, u8);
const LONG: (Day, Day) = ((2026, 1, 1), (2027, 12, 31));
const OVER: (Day, Day) = ((2024, 1, 1), (2025, 12, 31));
const TO_COME: (Day, Day) = ((2027, 1, 1), (2027, 12, 31));
const SHORT: (Day, Day) = ((2026, 1, 1), (2026, 12, 11));

fn params(name: &str, (from, to): (Day, Day), ca: bool) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(from.0, from.1, from.2);
    params.not_after = date_time_ymd(to.0, to.1, to.2);
    params.is_ca = if ca { IsCa::Ca(BasicConstraints::Unconstrained) } else { IsCa::ExplicitNoCa };
    params
}

pub fn pem(label: &str, der: &[u8]) -> String {
    let encoded = STANDARD.encode(der);
    let lines: Vec<&str> =
        encoded.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// The key inside PKCS#8: PKCS#1 for RSA, SEC1 for elliptic curves.
fn inner_key(key: &KeyPair) -> Vec<u8> {
    let (_, sequence) = parse_der(key.serialized_der()).unwrap();
    sequence.as_sequence().unwrap()[2].as_slice().unwrap().to_vec()
}

/// Writes them all into `folder`.
pub fn write(folder: &Path) {
    let file = |name: &str, content: &[u8]| fs::write(folder.join(name), content).unwrap();
    let ca_key = KeyPair::generate().unwrap();
    let ca_params = params("Test Root", LONG, true);
    let ca = ca_params.self_signed(&ca_key).unwrap();
    let issuer = Issuer::new(ca_params, ca_key);
    let key = KeyPair::generate().unwrap();
    let leaf = |name: &str, days, key: &KeyPair| params(name, days, false).signed_by(key, &issuer).unwrap();
    let client = leaf("product.example.nhs.uk", LONG, &key);

    file("ca.pem", ca.pem().as_bytes());
    file("client.pem", client.pem().as_bytes());
    file("client-key.pem", key.serialize_pem().as_bytes());
    file("both.pem", format!("{}{}", key.serialize_pem(), client.pem()).as_bytes());
    file("chain.pem", format!("{}{}", client.pem(), ca.pem()).as_bytes());
    file("chain-backwards.pem", format!("{}{}", ca.pem(), client.pem()).as_bytes());
    file("key-sec1.pem", pem("EC PRIVATE KEY", &inner_key(&key)).as_bytes());
    file("other-key.pem", KeyPair::generate().unwrap().serialize_pem().as_bytes());
    file("two-keys.pem", key.serialize_pem().repeat(2).as_bytes());
    for (name, days) in [("expired", OVER), ("to-come", TO_COME), ("short", SHORT)] {
        file(&format!("{name}.pem"), leaf(&format!("{name}.example.nhs.uk"), days, &key).pem().as_bytes());
        let key = KeyPair::generate().unwrap();
        let ca = params(&format!("{name} root"), days, true).self_signed(&key).unwrap();
        file(&format!("ca-{name}.pem"), ca.pem().as_bytes());
        file(&format!("ca-and-{name}.pem"), format!("{}{}", issuer_pem(folder), ca.pem()).as_bytes());
    }
    other_kinds(folder, &issuer);
    other_wrappings(folder, &key, client.der(), &client.pem());
}

fn issuer_pem(folder: &Path) -> String {
    fs::read_to_string(folder.join("ca.pem")).unwrap()
}

fn other_kinds(folder: &Path, issuer: &Issuer<'_, KeyPair>) {
    let rsa = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    let p384 = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
    for (name, label, key) in [("rsa", "RSA PRIVATE KEY", rsa), ("p384", "EC PRIVATE KEY", p384)] {
        let certificate = params(name, LONG, false).signed_by(&key, issuer).unwrap();
        fs::write(folder.join(format!("{name}.pem")), certificate.pem()).unwrap();
        fs::write(folder.join(format!("{name}-pkcs8.pem")), key.serialize_pem()).unwrap();
        fs::write(folder.join(format!("{name}-inner.pem")), pem(label, &inner_key(&key))).unwrap();
    }
}

fn other_wrappings(folder: &Path, key: &KeyPair, der: &[u8], client: &str) {
    let file = |name: &str, content: &[u8]| fs::write(folder.join(name), content).unwrap();
    let request = params("request", LONG, false).serialize_request(key).unwrap();
    file("request.pem", request.pem().unwrap().as_bytes());
    file("public.pem", key.public_key_pem().as_bytes());
    file("bom.pem", format!("\u{feff}{client}").as_bytes());
    let wide = client.encode_utf16().flat_map(u16::to_le_bytes);
    file("wide.pem", &[0xFF, 0xFE].into_iter().chain(wide).collect::<Vec<u8>>());
    file("client.p7b", pem("PKCS7", b"certificates").as_bytes());
    file("client.der", der);
    file("client-key.der", key.serialized_der());
    file("client.p12", &[0x30, 0x82, 0x01, 0x00, 0x02, 0x01, 0x03, 0x30]);
    file("sealed.pem", pem("ENCRYPTED PRIVATE KEY", b"sealed").as_bytes());
    let headers = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n";
    file("sealed-old.pem", format!("{headers}c2VhbGVk\n-----END RSA PRIVATE KEY-----\n").as_bytes());
    file("bad-key.pem", pem("PRIVATE KEY", b"no key at all").as_bytes());
    file("bad-certificate.pem", pem("CERTIFICATE", b"no certificate at all").as_bytes());
    file("cut-off.pem", &client.as_bytes()[..client.len() / 2]);
    file("note.txt", b"the certificate is on the share\n");
    file("empty.pem", b"");
    file("large.pem", &vec![b'\n'; 1024 * 1024 + 1]);
}

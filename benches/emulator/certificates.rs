//! Certificates for the servers that bring none of their own.

use std::{fs, path::Path};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

/// Writes an authority, `ca.pem`, and `server.pem` and `X26ABC1.pem` with their keys: the names under
/// which the emulator writes its own.
pub fn write(folder: &Path) {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.distinguished_name.push(DnType::CommonName, "bench CA");
    let authority = params.self_signed(&key).expect("a certificate");
    let issuer = Issuer::new(params, key);
    let put = |name: &str, text: &str| fs::write(folder.join(name), text).expect("a file");
    put("ca.pem", &authority.pem());
    for name in ["server", "X26ABC1"] {
        let key = KeyPair::generate().expect("a key");
        let names = ["localhost", "127.0.0.1"].map(str::to_owned).to_vec();
        let mut params = CertificateParams::new(names).expect("good names");
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.signed_by(&key, &issuer).expect("a certificate");
        put(&format!("{name}.pem"), &certificate.pem());
        put(&format!("{name}-key.pem"), &key.serialize_pem());
    }
}

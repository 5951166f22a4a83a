//! `mesh-witness csr`, as a supplier's engineer calls it.

use std::{fs, path::Path};

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::{Engine, engine::general_purpose::STANDARD};
use rustls::pki_types::{CertificateSigningRequestDer, PrivateKeyDer, pem::PemObject};
use tempfile::TempDir;
use x509_parser::{certification_request::X509CertificationRequest, prelude::FromDer};

use crate::{
    golden,
    support::{Outcome, program},
};

const NAME: &str = "X26HC005.X26.api.mesh-client.nhs.uk";

fn csr(folder: &Path, arguments: &[&str]) -> Outcome {
    program().current_dir(folder).arg("csr").args(arguments).output().unwrap().into()
}

fn made(arguments: &[&str]) -> (TempDir, Outcome) {
    let folder = TempDir::new().unwrap();
    let outcome = csr(folder.path(), arguments);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    (folder, outcome)
}

/// The subject of a request, once its own signature was checked, and the bits of its key.
fn subject(request: &Path) -> (String, usize) {
    let der = CertificateSigningRequestDer::from_pem_file(request).unwrap();
    let (_, request) = X509CertificationRequest::from_der(&der).unwrap();
    let info = &request.certification_request_info;
    let key = &info.subject_pki.subject_public_key.data;
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key)
        .verify(info.raw, &request.signature_value.data)
        .unwrap();
    assert_eq!(info.iter_attributes().count(), 0);
    let bits = info.subject_pki.parsed().unwrap().key_size();
    (info.subject.to_string(), bits)
}

fn files(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

/// Nothing of a private key is in what was said.
fn assert_secret(outcome: &Outcome, key: &Path) {
    let pem = fs::read_to_string(key).unwrap();
    for line in pem.lines().filter(|line| !line.starts_with("-----")) {
        assert!(!outcome.stdout.contains(line) && !outcome.stderr.contains(line), "{outcome:?}");
    }
}

#[test]
fn a_key_and_a_request_for_a_mailbox_are_made_and_the_next_steps_told() {
    let (folder, outcome) = made(&["--mailbox", "X26HC005", "--ods", "X26"]);
    assert_eq!(files(folder.path()), ["X26HC005-key.pem", "X26HC005.csr"]);
    let (key, request) = (folder.path().join("X26HC005-key.pem"), folder.path().join("X26HC005.csr"));
    assert_eq!(subject(&request), (format!("CN={NAME}"), 2048));
    assert!(matches!(PrivateKeyDer::from_pem_file(&key).unwrap(), PrivateKeyDer::Pkcs8(_)));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&key), mode(&request)), (0o600, 0o644));
    }
    assert_eq!(outcome.stderr, "");
    assert_secret(&outcome, &key);
    golden!("csr", outcome.stdout);
}

#[test]
fn files_folder_length_and_name_can_be_chosen() {
    let (folder, outcome) =
        made(&["--local-id", "SERVER001", "--ods", "X26", "--out", "of integration/keys", "--bits", "3072"]);
    let out = folder.path().join("of integration/keys");
    assert_eq!(files(&out), ["SERVER001-key.pem", "SERVER001.csr"]);
    let name = "CN=SERVER001.X26.api.mesh-client.nhs.uk".to_owned();
    assert_eq!(subject(&out.join("SERVER001.csr")), (name, 3072));
    // What is to be copied to a shell is quoted.
    let command = "  openssl req -in 'of integration/keys/SERVER001.csr' -verify -noout -text\n";
    assert!(outcome.stdout.contains(command), "{outcome:?}");

    let (folder, _) = made(&["--common-name", NAME, "--key", "a.pem", "--csr", "b.csr"]);
    assert_eq!(files(folder.path()), ["a.pem", "b.csr"]);
    assert_eq!(subject(&folder.path().join("b.csr")).0, format!("CN={NAME}"));
}

#[test]
fn nothing_is_ever_overwritten_and_nothing_else_is_written_then() {
    let wanted = ["--mailbox", "X26HC005", "--ods", "X26"];
    for taken in ["X26HC005-key.pem", "X26HC005.csr"] {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join(taken), "mine").unwrap();
        let outcome = csr(folder.path(), &wanted);
        assert_eq!(outcome.code, Some(2), "{outcome:?}");
        let said = format!(
            "error: {taken}: is there already, and nothing is overwritten: name another file or folder, or move it away\n"
        );
        assert_eq!((outcome.stdout.as_str(), outcome.stderr), ("", said));
        assert_eq!(files(folder.path()), [taken]);
        assert_eq!(fs::read_to_string(folder.path().join(taken)).unwrap(), "mine");
    }
    #[cfg(unix)]
    {
        let folder = TempDir::new().unwrap();
        std::os::unix::fs::symlink("nowhere", folder.path().join("X26HC005-key.pem")).unwrap();
        assert_eq!(csr(folder.path(), &wanted).code, Some(2));
        assert_eq!(files(folder.path()), ["X26HC005-key.pem"]);
    }
}

#[test]
fn a_request_that_cannot_be_written_leaves_no_key_behind() {
    let folder = TempDir::new().unwrap();
    let outcome = csr(folder.path(), &["--mailbox", "A", "--ods", "X26", "--csr", "nowhere/a.csr"]);
    assert_eq!(outcome.code, Some(3), "{outcome:?}");
    assert!(outcome.stderr.contains("nowhere/a.csr: cannot be written: "), "{outcome:?}");
    assert_eq!(files(folder.path()), [""; 0]);
    // A file where the folder should be.
    fs::write(folder.path().join("taken"), "").unwrap();
    let outcome = csr(folder.path(), &["--mailbox", "A", "--ods", "X26", "--out", "taken"]);
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert!(outcome.stderr.contains("--out: taken is no folder"), "{outcome:?}");
    let outcome = csr(folder.path(), &["--mailbox", "A", "--ods", "X26", "--key", "x", "--csr", "x"]);
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert!(outcome.stderr.contains("--csr: is the key's file too"), "{outcome:?}");
}

#[test]
fn a_wrong_name_is_told_by_where_it_was_given() {
    let folder = TempDir::new().unwrap();
    for (arguments, said) in [
        (vec!["--mailbox", "X26_HC005", "--ods", "X26"], "--mailbox: has the character '_' in it: "),
        (vec!["--mailbox", "X26HC005", "--ods", "X 26"], "--ods: has the character ' ' in it: "),
        (vec!["--mailbox", "X26HC005", "--ods", ""], "--ods: is empty: "),
        (vec!["--local-id", "-s", "--ods", "X26"], "--local-id"),
        (vec!["--local-id=s.1", "--ods", "X26"], "--local-id: has the character '.' in it: "),
        (
            vec!["--local-id", "a-name-that-is-much-longer-than-it-may-be", "--ods", "X26"],
            "--local-id: makes a name of 68 characters, and a common name has at most 64: choose a shorter",
        ),
        (
            vec!["--common-name", "x26hc005.thirdparty.nhs.uk"],
            "--common-name: does not end in .api.mesh-client.nhs.uk: ",
        ),
        (vec!["--common-name", "X26.api.mesh-client.nhs.uk"], "--common-name: has 1 label(s) before "),
        (
            vec!["--common-name", "a.X_26.api.mesh-client.nhs.uk"],
            "--common-name: the ODS code in it has the character '_' in it: ",
        ),
        (
            vec!["--mailbox", "X26HC005\u{1b}[2J", "--ods", "X26"],
            "--mailbox: has the character '\\u{1b}' in it: ",
        ),
        (vec![], "required"),
        (vec!["--mailbox", "X26HC005"], "--ods"),
        (vec!["--mailbox", "X26HC005", "--local-id", "a", "--ods", "X26"], "cannot be used with"),
        (vec!["--mailbox", "X26HC005", "--ods", "X26", "--bits", "1024"], "2048, 3072, 4096"),
    ] {
        let outcome = csr(folder.path(), &arguments);
        assert_eq!(outcome.code, Some(2), "{arguments:?}: {outcome:?}");
        assert!(outcome.stderr.contains(said), "{arguments:?}: {outcome:?}");
        assert!(!outcome.stderr.contains('\u{1b}'), "{outcome:?}");
        assert_eq!((outcome.stdout.as_str(), files(folder.path()).len()), ("", 0));
    }
}

#[test]
fn a_key_that_is_there_already_is_used_and_left_alone() {
    let (folder, _) = made(&["--mailbox", "X26HC005", "--ods", "X26"]);
    let key = folder.path().join("X26HC005-key.pem");
    let before = fs::read(&key).unwrap();
    let again = ["--local-id", "again", "--ods", "X26", "--existing-key", "X26HC005-key.pem"];
    let outcome = csr(folder.path(), &again);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(
        outcome.stdout.starts_with("used X26HC005-key.pem: private key, RSA, 2048 bits\n"),
        "{outcome:?}"
    );
    assert_eq!(files(folder.path()), ["X26HC005-key.pem", "X26HC005.csr", "again.csr"]);
    assert_eq!(fs::read(&key).unwrap(), before);
    assert_secret(&outcome, &key);
    let public = |name: &str| {
        let der = CertificateSigningRequestDer::from_pem_file(folder.path().join(name)).unwrap();
        let (_, request) = X509CertificationRequest::from_der(&der).unwrap();
        request.certification_request_info.subject_pki.raw.to_vec()
    };
    assert_eq!(public("again.csr"), public("X26HC005.csr"));

    // As older programs of openssl write it: PKCS#1, which is inside PKCS#8 behind 26 bytes.
    let der = PrivateKeyDer::from_pem_slice(&before).unwrap();
    let inner = STANDARD.encode(&der.secret_der()[26..]);
    let pem = format!("-----BEGIN RSA PRIVATE KEY-----\n{inner}\n-----END RSA PRIVATE KEY-----\n");
    fs::write(folder.path().join("old.pem"), pem).unwrap();
    let old = ["--local-id", "old", "--ods", "X26", "--existing-key", "old.pem"];
    let outcome = csr(folder.path(), &old);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(public("old.csr"), public("X26HC005.csr"));
}

#[test]
fn what_is_no_rsa_key_is_told_as_what_it_is() {
    let folder = TempDir::new().unwrap();
    let pki = mesh_witness::emulator::Pki::new().unwrap();
    let mailbox = mesh_witness::protocol::MailboxId::parse("CURVE").unwrap();
    pki.write_to(folder.path(), &[mailbox]).unwrap();
    let sealed = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n";
    fs::write(folder.path().join("sealed.pem"), sealed).unwrap();
    fs::write(folder.path().join("none.pem"), "x").unwrap();
    let garbage =
        format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode("no key"));
    fs::write(folder.path().join("garbage.pem"), garbage).unwrap();
    let there = files(folder.path());
    for (file, said) in [
        ("CURVE-key.pem", "CURVE-key.pem holds a key that is not RSA: NHS England's examples have RSA keys"),
        ("CURVE.pem", "CURVE.pem holds a certificate, not a private key"),
        ("sealed.pem", "sealed.pem holds an encrypted private key: decrypt it: openssl pkey -in sealed.pem"),
        ("none.pem", "none.pem is no PEM file"),
        ("garbage.pem", "garbage.pem holds no RSA key of 2048 to 8192 bits"),
        ("gone.pem", "gone.pem does not exist: correct the path"),
    ] {
        let outcome = csr(folder.path(), &["--mailbox", "A", "--ods", "X26", "--existing-key", file]);
        assert_eq!(outcome.code, Some(2), "{outcome:?}");
        assert!(outcome.stderr.contains(&format!("error: --existing-key: {said}")), "{outcome:?}");
        assert_eq!(files(folder.path()), there);
    }
}

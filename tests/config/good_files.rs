//! Configurations that are right.

use std::{fs, time::Duration};

use mesh_witness::{
    client::Timeouts,
    config::{Config, Driver, Recording, Rehearsal, Setup, TEMPLATE},
};
use rustls::{crypto::aws_lc_rs::default_provider, pki_types::ServerName, sign::CertifiedKey};

use crate::{GOOD, changed, env, load, pki, pki_folder};

fn good(content: &str) -> Config {
    load(content.as_bytes(), &env).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn everything_is_where_it_belongs() {
    let config = good(GOOD);
    assert_eq!(config.environment, "INT");
    assert_eq!(config.endpoint.url.to_string(), "https://msg.intspineservices.nhs.uk");
    assert_eq!(config.endpoint.shared_key.expose(), "the shared key");
    assert_eq!((config.endpoint.ca.len(), config.endpoint.roots.len()), (1, 1));
    assert_eq!(config.mailboxes.product.id.as_str(), "X26HC005");
    assert_eq!(config.mailboxes.product.password.expose(), "password one");
    assert_eq!(config.mailboxes.counterpart.id.as_str(), "X26HC006");
    assert_eq!(config.mailboxes.counterpart.password.expose(), "password two");
    assert_eq!(config.workflow_id.as_str(), "TEST_WORKFLOW");
    assert_eq!((config.product.name.as_str(), config.product.version.as_str()), ("Example Product", "1.2.3"));
    assert_eq!((&config.driver, config.supplier.as_str()), (&Driver::Reference, "Example Supplier Ltd"));
    assert_eq!(config.timeouts, Timeouts::default());
    assert_eq!(config.warnings, Vec::<String>::new());
    let names: Vec<String> = config.secrets().into_iter().map(|secret| secret.name).collect();
    let expected = [
        "endpoint.shared_key",
        "mailboxes.product.password",
        "mailboxes.counterpart.password",
        "endpoint.client_key_file",
    ];
    assert_eq!(names, expected);
}

#[test]
fn where_a_driven_product_is_recorded_can_be_said() {
    let driven = |more: &str| changed("version: 1.2.3", &format!("version: 1.2.3\n  driver: manual{more}"));
    assert_eq!(good(&driven("")).recording, Recording::default());
    assert_eq!(Recording::default().listen.to_string(), "127.0.0.1:0");
    let said = good(&driven("\nrecording: {listen: '[::1]:8443', folder: made, ca_file: ca.pem}")).recording;
    assert_eq!((said.listen.port(), said.folder, said.ca.len()), (8443, Some(pki_folder().join("made")), 1));
}

#[test]
fn a_byte_order_mark_before_a_certificate_is_passed_over() {
    let config = good(&changed("client.pem", "bom.pem"));
    assert_eq!(config.endpoint.identity.map(|identity| identity.certificates().len()), Some(1));
}

#[test]
fn the_template_loads() {
    let folder = tempfile::tempdir().unwrap();
    for (from, to) in
        [("ca.pem", "int-ca.pem"), ("client.pem", "client.pem"), ("client-key.pem", "client-key.pem")]
    {
        fs::copy(pki_folder().join(from), folder.path().join(to)).unwrap();
    }
    let file = folder.path().join("mesh-witness.yaml");
    fs::write(&file, TEMPLATE).unwrap();
    let config = Config::load_at(&file, &env, pki::now()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(config.timeouts, Timeouts::default(), "the template shows the defaults");
    assert_eq!(config.warnings, Vec::<String>::new());
}

#[test]
fn flow_style_aliases_a_byte_order_mark_and_windows_line_ends_are_fine() {
    let flow = "{environment: INT, endpoint: {url: 'http://localhost:8700', shared_key: \"${MESH_SHARED_KEY}\"}, \
                mailboxes: {product: {id: X26ABC1, password: &p \"${MESH_PRODUCT_PASSWORD}\"}, \
                counterpart: {id: X26ABC2, password: *p}}, workflow_id: W, \
                product: {name: P, version: '1'}, supplier: {name: S}}";
    let config = good(flow);
    assert_eq!(config.mailboxes.counterpart.password.expose(), "password one");
    assert_eq!(config.endpoint.url.port(), 8700);
    good(&format!("\u{feff}{GOOD}"));
    good(&GOOD.replace('\n', "\r\n"));
    good(&format!("%YAML 1.2\n---\n{GOOD}...\n"));
}

#[test]
fn a_mailbox_speaks_with_its_own_certificate_or_else_the_endpoints() {
    let own = "    id: X26HC005\n    client_certificate_file: rsa.pem\n    client_key_file: rsa-pkcs8.pem\n";
    let config = good(&changed("    id: X26HC005\n", own));
    let product = config.mailboxes.product.identity.as_ref().unwrap();
    let counterpart = config.mailboxes.counterpart.identity.as_ref().unwrap();
    assert_eq!((product.place(), product.certificates()[0].subject()), ("mailboxes.product", "rsa"));
    assert_eq!((counterpart.place(), counterpart.chain().len()), ("endpoint", 1));
}

#[test]
fn every_kind_of_key_is_read() {
    for (certificate, key) in [
        ("client.pem", "key-sec1.pem"),
        ("chain.pem", "client-key.pem"),
        ("both.pem", "both.pem"),
        ("rsa.pem", "rsa-pkcs8.pem"),
        ("rsa.pem", "rsa-inner.pem"),
        ("p384.pem", "p384-pkcs8.pem"),
        ("p384.pem", "p384-inner.pem"),
    ] {
        let config = good(&changed("client.pem", certificate).replace("client-key.pem", key));
        let identity = config.endpoint.identity.unwrap();
        CertifiedKey::from_der(identity.chain(), identity.key().clone_key(), &default_provider())
            .unwrap_or_else(|error| panic!("{certificate} {key}: {error}"));
    }
}

#[test]
fn values_come_from_the_environment_where_they_say_so() {
    let config = good(&changed("environment: INT", "environment: INT ${FORTY_TWO} $${NOT} $5"));
    assert_eq!(config.environment, "INT 42 ${NOT} $5");
    let timeouts = "workflow_id: W\ntimeouts: {connect_seconds: '${FORTY_TWO}', delivery_seconds: 86400}";
    let config = good(&changed("workflow_id: TEST_WORKFLOW", timeouts));
    assert_eq!(config.timeouts.connect, Duration::from_secs(42));
    assert_eq!(config.timeouts.delivery, Duration::from_secs(86400));
    assert_eq!(config.timeouts.response, Duration::from_secs(30));
}

#[test]
fn what_weakens_the_evidence_is_a_warning() {
    let identity = "  client_certificate_file: client.pem\n  client_key_file: client-key.pem\n";
    for (old, new, expected) in [
        (
            "https://msg.intspineservices.nhs.uk",
            "http://127.0.0.1:8700/",
            vec![
                "plain HTTP: traffic was not encrypted and no certificate was checked: http://127.0.0.1:8700",
            ],
        ),
        (
            identity,
            "",
            vec![
                "mailboxes.product: no client certificate is configured, which MESH asks every client for",
                "mailboxes.counterpart: no client certificate is configured, which MESH asks every client for",
            ],
        ),
        (
            "client.pem",
            "short.pem",
            vec![
                "endpoint.client_certificate_file: holds the certificate of short.example.nhs.uk, which expires on \
                 2026-12-11 00:00:00 UTC, 19 days left",
            ],
        ),
        (
            "ca.pem",
            "ca-and-short.pem",
            vec![
                "endpoint.ca_file: holds the certificate of short root, which expires on 2026-12-11 00:00:00 UTC, \
                 19 days left",
            ],
        ),
        (
            "ca.pem",
            "ca-and-expired.pem",
            vec![
                "endpoint.ca_file: holds the certificate of expired root, which expired on 2025-12-31 \
                 00:00:00 UTC (now it is 2026-11-21 12:00:00 UTC)",
            ],
        ),
        (
            "${MESH_PRODUCT_PASSWORD}",
            "'${MESH_PRODUCT_PASSWORD} '",
            vec!["mailboxes.product.password: begins or ends with a blank, which is sent as part of it"],
        ),
    ] {
        assert_eq!(good(&changed(old, new)).warnings, expected, "{new}");
    }
}

#[test]
fn certificates_are_described() {
    let own =
        "    id: X26HC005\n    client_certificate_file: short.pem\n    client_key_file: client-key.pem\n";
    let config = good(&changed("    id: X26HC005\n", own).replace("ca.pem", "ca-and-to-come.pem"));
    assert_eq!(
        config.describe(pki::now()),
        [
            "endpoint.ca_file: Test Root, issued by Test Root, valid until 2027-12-31 00:00:00 UTC, 404 days left",
            "endpoint.ca_file: to-come root, issued by to-come root, not valid before 2027-01-01 00:00:00 UTC",
            "endpoint.client_certificate_file: product.example.nhs.uk, issued by Test Root, valid until 2027-12-31 00:00:00 UTC, 404 days left",
            "mailboxes.product.client_certificate_file: short.example.nhs.uk, issued by Test Root, valid until 2026-12-11 00:00:00 UTC, 19 days left",
        ]
    );
}

#[test]
fn the_host_is_fit_for_tls() {
    let config = good(GOOD);
    let expected = ServerName::try_from("msg.intspineservices.nhs.uk").unwrap();
    assert_eq!(*config.endpoint.url.server_name(), expected);
}

/// A configuration without an endpoint.
fn rehearsal(content: &str) -> Result<Rehearsal, String> {
    let file = tempfile::Builder::new().suffix(".yaml").tempfile_in(pki_folder()).unwrap();
    fs::write(file.path(), content).unwrap();
    match Setup::load(file.path(), &env).map_err(|error| error.to_string())?.0 {
        Setup::Rehearsal(rehearsal) => Ok(*rehearsal),
        Setup::Endpoint(_) => panic!("it names no endpoint"),
    }
}

#[test]
fn a_driven_product_needs_no_endpoint() {
    let least =
        rehearsal("product: {name: P, version: v1, driver: {command: [./drive.sh, -x], timeout: 5m}}")
            .unwrap();
    let command = vec!["./drive.sh".to_owned(), "-x".to_owned()];
    assert_eq!(
        least.driver,
        Driver::Command { command, folder: pki_folder(), timeout: Duration::from_secs(300) }
    );
    assert_eq!(
        (least.listen.to_string(), least.folder, least.shared_key.is_none()),
        ("127.0.0.1:0".to_owned(), None, true)
    );
    let most = "environment: office\nproduct: {name: P, version: v1, driver: {webhook: {url: 'http://localhost:9000/x', timeout: 7}}}\n\
                emulator: {listen: '[::1]:8700', folder: made, shared_key: '${MESH_SHARED_KEY}'}\n\
                mailboxes: {product: {id: P1, password: pass one}, counterpart: {id: C1, password: pass two}, dormant: {id: D1}}\nworkflow_id: W\n";
    let most = rehearsal(most).unwrap();
    assert!(matches!(&most.driver, Driver::Webhook { timeout, .. } if *timeout == Duration::from_secs(7)));
    assert_eq!(most.shared_key.unwrap().expose(), "the shared key");
    assert_eq!((most.listen.port(), most.folder), (8700, Some(pki_folder().join("made"))));
    assert_eq!(most.mailboxes.unwrap().counterpart.id.as_str(), "C1");
    let manual = rehearsal("product: {name: P, version: v1, driver: manual}").unwrap();
    assert_eq!(manual.driver, Driver::Manual { timeout: Duration::from_secs(900) });
}

#[test]
fn what_is_wrong_without_an_endpoint_is_told() {
    for (more, what) in [
        ("emulator: {listen: 0.0.0.0:8700}", "emulator.listen: is not an address of this machine alone"),
        ("emulator: {listen: here}", "emulator.listen: is no address with a port"),
        ("emulator: {shared_key: ''}", "emulator.shared_key: is empty"),
        (
            "mailboxes: {product: {id: P, password: pass one, client_certificate_file: client.pem, client_key_file: client-key.pem}, counterpart: {id: C, password: pass two}}",
            "mailboxes: names a client certificate",
        ),
        (
            "mailboxes: {product: {id: P1XY, password: P1XY}, counterpart: {id: C, password: pass two}}",
            "mailboxes.product.password: occurs in mailboxes.product.id, which",
        ),
        (
            "workflow_id: MY_TRIAL\nemulator: {shared_key: TRIAL}",
            "emulator.shared_key: occurs in workflow_id, which",
        ),
        ("emulator: {shared_key: '127.0.0.1'}", "emulator.shared_key: occurs in emulator.listen, which"),
        ("colour: blue", "colour: is not a key that is known here"),
        ("recording: {folder: made}", "recording: is of no use without an endpoint"),
    ] {
        let text = format!("product: {{name: P, version: v1, driver: manual}}\n{more}\n");
        let error = rehearsal(&text).unwrap_err();
        assert!(error.contains(what), "{more}: {error}");
    }
    let reference = rehearsal("product: {name: P, version: v1, driver: reference}\n").unwrap_err();
    assert!(reference.contains("endpoint: is missing"), "{reference}");
}

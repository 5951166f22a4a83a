//! Configurations that are wrong, and every word that is said about them.
use crate::{GOOD, changed, env, load, pki_folder};

struct Case(&'static str, &'static str, &'static str);

const CASES: &[Case] = &[
    // YAML itself
    Case("", "", ""),
    Case("", "# nothing yet\n", ""),
    Case("", "just text\n", ""),
    Case("", "- a\n- b\n", ""),
    Case("  url: h", "\turl: h", ""),
    Case("environment: INT", "environment: \"INT", ""),
    Case("environment: INT", "environment: INT: 2", ""),
    Case("environment: INT", "environment: [INT", ""),
    Case("password: ${MESH_PRODUCT_PASSWORD}", "password: *star", ""),
    Case("password: ${MESH_PRODUCT_PASSWORD}", "password: @at", ""),
    Case("password: ${MESH_PRODUCT_PASSWORD}", "password: !bang", ""),
    Case("password: ${MESH_PRODUCT_PASSWORD}", "password: !!int bang", ""),
    Case("password: ${MESH_PRODUCT_PASSWORD}", "password: #hash", ""),
    Case("workflow_id: TEST_WORKFLOW", "workflow_id TEST_WORKFLOW", ""),
    Case("supplier:\n", "---\nsupplier:\n", ""),
    Case("environment: INT", "environment: INT\u{1}", ""),
    Case("environment: INT", "environment: &a [*a, *a]", ""),
    // keys
    Case("    password: ${MESH_PRODUCT_PASSWORD}", "    pasword: ${MESH_PRODUCT_PASSWORD}", ""),
    Case("  shared_key:", "  sharedKey:", ""),
    Case("workflow_id: TEST_WORKFLOW", "workflow_id: TEST_WORKFLOW\nshared_key: x", ""),
    Case("workflow_id: TEST_WORKFLOW", "workflow_id: TEST_WORKFLOW\npassword: x", ""),
    Case("workflow_id: TEST_WORKFLOW", "workflow_id: TEST_WORKFLOW\ncolour: blue", ""),
    Case("environment: INT", "environment: INT\n1: x\n\"a b\": y\n? [z]\n: z", ""),
    Case("workflow_id: TEST_WORKFLOW", "workflow_id: TEST_WORKFLOW\nenvironment: LIVE", ""),
    Case(
        "    id: X26HC005\n    password: ${MESH_PRODUCT_PASSWORD}\n",
        "    {id: X26ABC1,\n     pasword: x,\n     id: X26ABC2}\n",
        "",
    ),
    Case("    password: ${MESH_PRODUCT_PASSWORD}\n", "", ""),
    Case("environment: INT\n", "", ""),
    Case("supplier:\n  name: Example Supplier Ltd\n", "", ""),
    Case("  counterpart:\n    id: X26HC006\n    password: ${MESH_COUNTERPART_PASSWORD}\n", "", ""),
    Case("  name: Example Supplier Ltd\n", "", ""),
    Case("  ca_file: ca.pem\n", "", ""),
    // types
    Case("password: ${MESH_PRODUCT_PASSWORD}", "password: 12345678", ""),
    Case("password: ${MESH_PRODUCT_PASSWORD}", "password: null", ""),
    Case("password: ${MESH_PRODUCT_PASSWORD}", "password: \"\"", ""),
    Case("password: ${MESH_PRODUCT_PASSWORD}", "password: {a: b}", ""),
    Case("password: ${MESH_PRODUCT_PASSWORD}", "password: [a]", ""),
    Case("version: 1.2.3", "version: 1.10", ""),
    Case("version: 1.2.3", "version:\n\n    2", ""),
    Case("version: 1.2.3", "version: 0x10", ""),
    Case("version: 1.2.3", "version: true", ""),
    Case("version: 1.2.3", "version: 1.2.3\n  driver: {command: [./drive.sh]}", ""),
    Case("version: 1.2.3", "version: 1.2.3\n  driver: mine", ""),
    Case("supplier:\n  name: Example Supplier Ltd\n", "supplier: Example Supplier Ltd\n", ""),
    // values
    Case("environment: INT", "environment: '  '", ""),
    Case("environment: INT", "environment: \"INT\\nLIVE\"", ""),
    Case(
        "Example Product",
        "An Example Product whose name is so long that nobody could bear to see it on every single page of a report",
        "",
    ),
    Case("id: X26HC005", "id: x26hc005", ""),
    Case("id: X26HC005", "id: X26/HC005", ""),
    Case("id: X26HC005", "id: ${LOWER}", ""),
    Case("id: X26HC005", "id: ${STARS}", ""),
    Case("id: X26HC005", "id: X26HC006", ""),
    Case("workflow_id: TEST_WORKFLOW", "workflow_id: ' W'", ""),
    Case("https://msg.intspineservices.nhs.uk", "ftp://msg.intspineservices.nhs.uk", ""),
    Case("https://msg.intspineservices.nhs.uk", "msg.intspineservices.nhs.uk", ""),
    Case("https://msg.intspineservices.nhs.uk", "http://msg.intspineservices.nhs.uk", ""),
    Case("https://msg.intspineservices.nhs.uk", "https://msg.intspineservices.nhs.uk/messageexchange/", ""),
    Case("https://msg.intspineservices.nhs.uk", "https://me:secret@msg.intspineservices.nhs.uk", ""),
    Case("https://msg.intspineservices.nhs.uk", "https://msg.intspineservices.nhs.uk:70000", ""),
    Case(
        "supplier:",
        "timeouts: {connect_seconds: 0, response_seconds: 1.5, delivery_seconds: '10', transfer_seconds: 86401}\nsupplier:",
        "",
    ),
    Case(
        "supplier:",
        "timeouts:\n  connect_seconds: -1\n  response_seconds:\n  delivery_seconds: 10s\n  wait: 3\nsupplier:",
        "",
    ),
    // the environment
    Case("${MESH_SHARED_KEY}", "${MESH_SHARED_KEYS}", ""),
    Case("${MESH_SHARED_KEY}", "${EMPTY}", ""),
    Case("${MESH_SHARED_KEY}", "${MESH_SHARED_KEY", ""),
    Case("${MESH_SHARED_KEY}", "${MESH_SHARED_KEY:-default}", ""),
    Case("${MESH_SHARED_KEY}", "${TWO_LINES}", ""),
    Case("ca.pem", "${LOWER}/ca.pem", ""),
    // files
    Case("ca.pem", "certs/ca.pem", ""),
    Case("ca.pem", "~/ca.pem", ""),
    Case("ca.pem", ".", ""),
    Case("ca.pem", "empty.pem", ""),
    Case("ca.pem", "note.txt", ""),
    Case("ca.pem", "large.pem", ""),
    Case("ca.pem", "client.der", ""),
    Case("ca.pem", "client.pem", ""),
    Case("ca.pem", "client-key.pem", ""),
    Case("ca.pem", "cut-off.pem", ""),
    Case("ca.pem", "bad-certificate.pem", ""),
    Case("ca.pem", "ca-expired.pem", ""),
    Case("ca.pem", "ca-to-come.pem", ""),
    Case("client.pem", "request.pem", ""),
    Case("client.pem", "public.pem", ""),
    Case("client.pem", "client.p12", ""),
    Case("client.pem", "expired.pem", ""),
    Case("client.pem", "to-come.pem", ""),
    Case("client.pem", "chain-backwards.pem", ""),
    Case("client-key.pem", "other-key.pem", ""),
    Case("client-key.pem", "client.pem", ""),
    Case("client-key.pem", "client-key.der", ""),
    Case("client-key.pem", "sealed.pem", ""),
    Case("client-key.pem", "sealed-old.pem", ""),
    Case("client-key.pem", "public.pem", ""),
    Case("client-key.pem", "two-keys.pem", ""),
    Case("client-key.pem", "bad-key.pem", ""),
    Case("client-key.pem", "note.txt", ""),
    Case("client-key.pem", "ca-expired.pem\n  # x", ""),
    Case(
        "client.pem\n  client_key_file: client-key.pem",
        "client-key.pem\n  client_key_file: client.pem",
        "",
    ),
    Case("  client_key_file: client-key.pem\n", "", ""),
    Case("  client_certificate_file: client.pem\n", "", ""),
    Case("    id: X26HC006\n", "    id: X26HC006\n    client_key_file: client-key.pem\n", ""),
];

#[test]
fn table() {
    let mut out = String::new();
    for Case(old, new, _) in CASES {
        let content = if old.is_empty() { (*new).to_owned() } else { changed(old, new) };
        let shown = match load(content.as_bytes(), &env) {
            Ok(_) => "LOADED".to_owned(),
            Err(error) => error
                .to_string()
                .replace(&error.file().display().to_string(), "F")
                .replace(&pki_folder().display().to_string(), "DIR"),
        };
        out.push_str(&format!("{old:?} => {new:?}\n{shown}\n\n"));
    }
    let _ = GOOD;
    std::fs::write("/tmp/cfg-out.txt", out).unwrap();
}

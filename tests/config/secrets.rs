//! No secret gets into an error or into `Debug`, whatever is wrong and wherever it stands.

use std::fs;

use mesh_witness::config::Config;
use proptest::prelude::*;

use crate::{GOOD, changed, env, load, pki_folder};

/// Looks like nothing that a message has by itself.
const SENTINEL: &str = "Zq7-Wx9-Hunter2";

fn with_sentinel(name: &str) -> Option<String> {
    if name == "SENTINEL" { Some(SENTINEL.to_owned()) } else { env(name) }
}

fn shown(content: &str) -> String {
    match load(content.as_bytes(), &with_sentinel) {
        Ok(Config { endpoint, mailboxes, .. }) => format!("{endpoint:?} {mailboxes:?}"),
        Err(error) => format!("{error} {error:?} {error:#?}"),
    }
}

fn values() -> Vec<&'static str> {
    GOOD.lines().filter_map(|line| line.split_once(": ")).map(|(_, value)| value).collect()
}

#[test]
fn a_secret_from_the_environment_is_not_shown_in_any_field() {
    for value in values() {
        for form in [
            "${SENTINEL}",
            "'${SENTINEL}\n\n  x'",
            "${SENTINEL}/x:y@z",
            "https://a:${SENTINEL}@b",
            "{${SENTINEL}: 1}",
        ] {
            let shown = shown(&changed(value, form));
            assert!(!shown.contains(SENTINEL), "{value} as {form}: {shown}");
        }
    }
}

#[test]
fn a_secret_in_the_file_is_not_shown_but_as_the_name_of_a_file() {
    for value in values().into_iter().filter(|value| !value.contains(".pem")) {
        for form in [
            SENTINEL.to_owned(),
            format!("\"{SENTINEL}\\n\""),
            format!("!!int {SENTINEL}"),
            format!("!{SENTINEL}"),
            format!("!!bool {SENTINEL}"),
            format!("!x {SENTINEL}"),
            format!("*{SENTINEL}"),
            format!("&{SENTINEL}"),
            format!("@{SENTINEL}"),
            format!("x: {SENTINEL}"),
            format!("[{SENTINEL}]"),
            format!("{{a: {SENTINEL}}}"),
            format!("{{a: x, b:{SENTINEL}}}"),
            format!("https://u:{SENTINEL}@msg.intspineservices.nhs.uk"),
            format!("{SENTINEL}://x"),
            format!("\"{SENTINEL}"),
            format!("${{X:-{SENTINEL}}}"),
        ] {
            let shown = shown(&changed(value, &form));
            assert!(!shown.contains(SENTINEL), "{value} as {form}: {shown}");
        }
    }
}

#[test]
fn a_piece_of_a_secret_is_not_shown_as_a_key() {
    for mailbox in [
        format!("{{id: X26HC005, password: one,{SENTINEL}}}"),
        format!("{{id: X26HC005, password:{SENTINEL}}}"),
        format!("{{id: X26HC005, \"{SENTINEL}:\": 1, password: x}}"),
        format!("{{id: X26HC005, ? [{SENTINEL}] : 1, password: x}}"),
    ] {
        let block = "\n    id: X26HC005\n    password: ${MESH_PRODUCT_PASSWORD}\n";
        let shown = shown(&changed(block, &format!(" {mailbox}\n")));
        assert!(shown.contains("mailboxes.product") && !shown.contains(SENTINEL), "{mailbox}: {shown}");
    }
}

#[test]
fn debug_of_a_configuration_shows_no_secret() {
    let config = load(GOOD.as_bytes(), &env).unwrap();
    let key = config.endpoint.identity.as_ref().unwrap().key().secret_der().to_vec();
    let numbers: Vec<String> = key[40..50].iter().map(u8::to_string).collect();
    let text = fs::read_to_string(pki_folder().join("client-key.pem")).unwrap();
    for shown in [format!("{config:?}"), format!("{config:#?}")] {
        let on_one_line = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        for secret in ["the shared key", "password one", "password two", &numbers.join(", "), &text[100..116]]
        {
            assert!(!on_one_line.contains(secret), "{shown}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_bytes_stop_the_loader(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = load(&bytes, &env);
    }

    #[test]
    fn no_damage_to_a_good_file_stops_the_loader_or_shows_a_secret(
        from in 0..GOOD.len(), length in 0..30usize, instead in "[ -~\n\t:{}\\[\\],&*!'\"$#-]{0,20}",
    ) {
        let to = (from + length).min(GOOD.len());
        let damaged = [&GOOD.as_bytes()[..from], instead.as_bytes(), &GOOD.as_bytes()[to..]].concat();
        if let Err(error) = load(&damaged, &env) {
            let shown = error.to_string();
            for secret in ["the shared key", "password one", "password two"] {
                prop_assert!(!shown.contains(secret), "{}", shown);
            }
            prop_assert!(!error.problems().is_empty());
            for line in shown.lines() {
                prop_assert!(line.contains("; "), "no mending: {}", line);
            }
        }
    }
}

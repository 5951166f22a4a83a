//! Configurations that are wrong, and what is said about them.

use std::{fs, path::Path};

use mesh_witness::config::{Config, ConfigError};

use crate::{
    GOOD,
    cases::{Case, FILES, KEYS, TYPES, VALUES, VARIABLES, YAML},
    changed, env, load, pki, pki_folder,
};

fn said(error: &ConfigError) -> Vec<String> {
    let file = error.file().display().to_string();
    let text = error.to_string().replace(&file, "F").replace(&pki_folder().display().to_string(), "DIR");
    text.lines().map(ToOwned::to_owned).collect()
}

fn check(cases: &[Case]) {
    for Case { old, new, said: expected } in cases {
        let content = if old.is_empty() { (*new).to_owned() } else { changed(old, new) };
        match load(content.as_bytes(), &env) {
            Ok(_) => panic!("{new:?} is taken for right"),
            Err(error) => assert_eq!(said(&error), *expected, "{old:?} → {new:?}"),
        }
    }
}

#[test]
fn what_is_no_yaml() {
    check(YAML);
}

#[test]
fn wrong_keys() {
    check(KEYS);
}

#[test]
fn wrong_types() {
    check(TYPES);
}

#[test]
fn wrong_values() {
    check(VALUES);
}

#[test]
fn wrong_variables() {
    check(VARIABLES);
}

#[test]
fn wrong_files() {
    check(FILES);
}

#[test]
fn everything_that_is_wrong_is_said_at_once_and_by_line() {
    let bad = GOOD
        .replace("environment: INT\n", "environment:\n")
        .replace("https://", "http://")
        .replace("ca.pem", "none.pem")
        .replace("client-key.pem", "sealed.pem")
        .replace("${MESH_SHARED_KEY}", "${NONE}")
        .replace("    id: X26HC005\n", "")
        .replace("X26HC006", "x26hc006")
        .replace("TEST_WORKFLOW", "7")
        .replace("1.2.3", "2.0")
        .replace("supplier:", "suplier:");
    let error = load(bad.as_bytes(), &env).unwrap_err();
    let places: Vec<(Option<usize>, &str)> =
        error.problems().iter().map(|problem| (problem.line, problem.path.as_str())).collect();
    let expected = [
        (Some(1), "environment"),
        (Some(3), "endpoint.url"),
        (Some(4), "endpoint.ca_file"),
        (Some(6), "endpoint.client_key_file"),
        (Some(7), "endpoint.shared_key"),
        (Some(9), "mailboxes.product.id"),
        (Some(12), "mailboxes.counterpart.id"),
        (Some(14), "workflow_id"),
        (Some(17), "product.version"),
        (Some(18), "suplier"),
    ];
    assert_eq!(places, expected);
}

#[test]
fn no_more_problems_are_listed_than_are_worth_reading() {
    let unknown: String = (0..1000).map(|number| format!("colour-{number}: x\n")).collect();
    let error = load(format!("{GOOD}{unknown}").as_bytes(), &env).unwrap_err();
    let said = said(&error);
    assert_eq!((error.problems().len(), said.len()), (50, 51));
    assert_eq!(said[50], "F: and 950 more like these");
}

#[test]
fn keys_levels_and_aliases_without_end_are_given_up() {
    let unknown: String = (0..20_000).map(|number| format!("k{number}: x\n")).collect();
    let ten = |item: &str| [item; 10].join(", ");
    let (x, a, b, c) = (ten("x"), ten("*a"), ten("*b"), ten("*c"));
    let laughs = format!("a: &a [{x}]\nb: &b [{a}]\nc: &c [{b}]\nd: &d [{c}]\n");
    let brackets = format!("a: {}{}", "[".repeat(900), "]".repeat(900));
    let braces = "{a: ".repeat(250_000);
    for content in [unknown, laughs, brackets, braces] {
        let error = load(content.as_bytes(), &env).unwrap_err();
        assert!(error.to_string().contains("has more keys, values or levels"), "{error}");
    }
}

#[test]
fn files_that_are_no_text() {
    let latin: Vec<u8> = GOOD.chars().map(|c| if c == 'S' { 0xE9 } else { c as u8 }).collect();
    let wide: Vec<u8> = "\u{feff}environment: INT".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (content, expected) in [
        (latin, "F:7: is not in UTF-8; save it as UTF-8"),
        (wide, "F: is in UTF-16; save it as UTF-8"),
        (vec![b' '; 1024 * 1024 + 1], "F: is larger than 1 MiB; check that it is the right file"),
    ] {
        assert_eq!(said(&load(&content, &env).unwrap_err()), [expected]);
    }
}

#[test]
fn files_that_cannot_be_read() {
    for (path, expected) in [
        (
            pki_folder().join("none.yaml"),
            "F: does not exist; correct the path, or write one: mesh-witness init",
        ),
        (
            pki_folder(),
            "F: cannot be read: Is a directory (os error 21); name a file that this user may read",
        ),
    ] {
        let error = Config::load_at(&path, &env, pki::now()).unwrap_err();
        assert_eq!(said(&error), [expected]);
        assert!(error.to_string().starts_with(&path.display().to_string()), "as it was given");
    }
}

#[test]
fn paths_start_from_the_folder_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mesh-witness.yaml");
    fs::write(&file, GOOD).unwrap();
    let error = Config::load_at(&file, &env, pki::now()).unwrap_err();
    let expected = format!("{} does not exist", folder.path().join("ca.pem").display());
    assert_eq!(error.problems()[0].what, expected);

    let absolute = GOOD
        .replace(" ca.pem", &format!(" {}", pki_folder().join("ca.pem").display()))
        .replace(" client.pem", &format!(" {}", pki_folder().join("client.pem").display()))
        .replace(" client-key.pem", " ${FOLDER}/client-key.pem");
    fs::write(&file, absolute).unwrap();
    let env = |name: &str| match name {
        "FOLDER" => Some(pki_folder().display().to_string()),
        other => env(other),
    };
    assert!(Config::load_at(&file, &env, pki::now()).is_ok());
    assert!(Config::load(Path::new("none.yaml"), &env).is_err());
}

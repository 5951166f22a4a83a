use super::{
    super::patients::{Trace, traces},
    *,
};

const RULE: &str = "patient-in-headers";

fn sent(headers: &[(&str, &str)]) -> Log {
    let mut log = Log::new();
    log.send(headers, b"x");
    log
}

#[test]
fn an_nhs_number_in_a_local_id_is_found_and_not_shown() {
    for value in [
        "NHS9434765919",
        "nhs no: 943 476 5919",
        "943-476-5919",
        "ref patient_9434765919",
        "GPPROVIDER_9434765919_30041957_SMITH",
    ] {
        let log = sent(&[("Mex-LocalID", value)]);
        let finding = broken(RULE, &log);
        let shown = format!("{finding:?}");
        assert!(
            !shown.contains("9434765919") && !shown.contains("5919") && !shown.contains("SMITH"),
            "{shown}"
        );
    }
}

#[test]
fn in_doubt_it_is_a_warning() {
    // Alone it may be a reference: one in eleven has a right check digit.
    warned(RULE, &sent(&[("Mex-LocalID", "9434765919")]));
    // The OpenAPI speaks of the local ID only.
    warned(RULE, &sent(&[("Mex-Subject", "NHS 943 476 5919")]));
    warned(RULE, &sent(&[("Mex-FileName", "discharge_9434765919.pdf")]));
    // GP Connect has them there by convention.
    let mut log = Log::new();
    let headers = [("Mex-WorkflowID", "GPCONNECT_SEND_DOCUMENT"), ("Mex-LocalID", "NHS 9434765919")];
    warned(RULE, log.call("POST /outbox", &headers, b"x"));
    warned(RULE, &sent(&[("Mex-LocalID", "dob 30/04/1957")]));
}

#[test]
fn references_are_no_patients() {
    // Within a word, three letters mean nothing.
    warned(RULE, &sent(&[("Mex-LocalID", "archive 9434765919")]));
    for value in [
        "1795262584",  // seconds since 1970
        "9434765918",  // wrong check digit
        "94347659191", // eleven digits
        "2fd91a86-5e2c-4f5a-9b0e-1d5b8c0a9e42",
        "20261121120000",
        "invoice 12/2026",
        "report 2026-11-21",
        "0000000000",
        "born to run",
        "",
    ] {
        let log = sent(&[("Mex-LocalID", value), ("Mex-Subject", "plain")]);
        held(RULE, &log);
    }
    not_applicable(RULE, &sent(&[]));
}

#[test]
fn many_numbers_tell_references_from_patients() {
    let with = |values: &[&str]| {
        let mut log = Log::new();
        values.iter().for_each(|value| {
            log.send(&[("Mex-LocalID", value)], value.as_bytes());
        });
        log
    };
    // Serial numbers, of which one is valid by chance.
    held(RULE, &with(&["9434765917", "9434765918", "9434765919", "9434765910"]));
    // All valid: no chance.
    broken(RULE, &with(&["9434765919", "9434765870", "9990000018"]));
    warned(RULE, &with(&["9434765919", "9434765870"]));
}

#[test]
fn places_are_counted_in_characters() {
    assert_eq!(traces("é NHS 9434765919"), [(Trace::Number, 7)]);
    assert_eq!(traces("943 476 5919"), [(Trace::Number, 1)]);
    assert_eq!(traces("9434765919 and 943 476 5919"), [(Trace::Digits, 1), (Trace::Number, 16)]);
}

#[test]
fn an_address_of_a_patient_is_whole() {
    let to = |to: &str| {
        let mut log = Log::new();
        log.call("POST /outbox", &[("Mex-To", to)], b"x");
        log
    };
    for right in ["GPPROVIDER_9434765919_30041957_SMITH", "GPPROVIDER_9434765919_19570430_SMITH"] {
        held("patient-address", &to(right));
    }
    for wrong in [
        "gpprovider_9434765919_30041957_SMITH",
        "GPPROVIDER_9434765918_30041957_SMITH",
        "GPPROVIDER_9434765919",
        "GPPROVIDER_9434765919_30041957_",
        "GPPROVIDER 9434765919",
    ] {
        let finding = broken("patient-address", &to(wrong));
        assert!(
            !format!("{finding:?}").contains("943476591") && !format!("{finding:?}").contains("SMITH"),
            "{finding:?}"
        );
    }
    not_applicable("patient-address", &to("X26ABC2"));
}

proptest::proptest! {
    #[test]
    fn no_text_stops_the_search(text in "\\PC{0,60}") {
        let _ = traces(&text);
    }
}

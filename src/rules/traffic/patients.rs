//! No patient in headers that everyone on the way logs.

use std::collections::BTreeMap;

use super::{Call, Examined, Finding, Grade, Traffic};
use crate::protocol::{DateOrder, NhsNumber, PatientAddress};

/// Headers that are free text. `Mex-LocalID` must not identify a person; of the others the OpenAPI
/// says nothing, and GP Connect's conventions put patients into them.
const FREE: [(&str, bool); 3] = [("Mex-LocalID", true), ("Mex-Subject", false), ("Mex-FileName", false)];

/// What in a text may identify a patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trace {
    /// Ten digits with a right check digit, and nothing else that speaks for an NHS number: one in
    /// eleven references of ten digits looks like that.
    Digits,
    /// A date that is called a date of birth.
    Birth,
    /// An NHS number beyond doubt: called so, written 3-3-4, or within a patient's address.
    Number,
}

/// Ten digits as they stand in a text.
struct Digits {
    place: usize,
    is_valid: bool,
    is_grouped: bool,
}

/// Every run of exactly ten digits, with blanks or dashes between 3, 3 and 4 of them or without.
fn ten_digits(text: &str) -> Vec<Digits> {
    let characters: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let mut place = 0;
    while let Some(first) = characters.get(place) {
        let before = place.checked_sub(1).and_then(|before| characters.get(before));
        if !first.is_ascii_digit() || before.is_some_and(char::is_ascii_digit) {
            place += 1;
            continue;
        }
        let rest = characters.get(place..).unwrap_or_default();
        let ends = |length: usize| !rest.get(length).is_some_and(char::is_ascii_digit);
        let grouped: String = match rest {
            [a, b, c, s, d, e, f, t, g, h, i, j, ..] if matches!(s, ' ' | '-') && s == t => {
                [a, b, c, d, e, f, g, h, i, j].into_iter().collect()
            }
            _ => String::new(),
        };
        let plain: String = rest.iter().take(10).collect();
        let is_ten = |digits: &str| digits.len() == 10 && digits.bytes().all(|byte| byte.is_ascii_digit());
        if is_ten(&grouped) && ends(12) {
            found.push(Digits { place, is_valid: is_issued(&grouped), is_grouped: true });
        } else if is_ten(&plain) && ends(10) {
            found.push(Digits { place, is_valid: is_issued(&plain), is_grouped: false });
        }
        place += 1;
    }
    found
}

/// Whether it is an NHS number by its check digit, and begins as numbers do that are issued: 3, 4, 6
/// or 7, 9 for tests, or a date for Scotland. That keeps most seconds since 1970 and serial numbers out.
fn is_issued(digits: &str) -> bool {
    let number =
        |from: usize, to: usize| digits.get(from..to).and_then(|text| text.parse::<u32>().ok()).unwrap_or(0);
    let is_date = (1..=31).contains(&number(0, 2)) && (1..=12).contains(&number(2, 4));
    NhsNumber::parse(digits).is_ok() && (digits.starts_with(['3', '4', '6', '7', '9']) || is_date)
}

/// Whether the words before the place speak of an NHS number, or of a patient.
fn is_called_so(text: &str, place: usize) -> bool {
    let from = place.saturating_sub(24);
    let near: String = text.chars().skip(from).take(place - from).collect::<String>().to_lowercase();
    near.split(|character: char| !character.is_alphanumeric())
        .any(|word| word.starts_with("nhs") || word.starts_with("patient") || word == "chi")
}

/// Whether a text speaks of a birth.
fn speaks_of_birth(text: &str) -> bool {
    let lower = text.to_lowercase();
    ["dob", "d.o.b", "date of birth", "dateofbirth", "born", "birth"].iter().any(|word| lower.contains(word))
}

/// Eight digits, or day, month and year with strokes, dots or dashes.
fn has_date(text: &str) -> bool {
    let parts: Vec<&str> =
        text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty()).collect();
    let number = |part: &str| part.parse::<u32>().unwrap_or(0);
    let is_year = |part: &str| part.len() == 4 && (1890..=2100).contains(&number(part));
    parts.iter().any(|part| part.len() == 8 && (part.get(4..).is_some_and(is_year) || part.get(..4).is_some_and(is_year)))
        || parts.windows(3).any(|three| matches!(three, [a, b, c]
            if (is_year(c) && number(a) <= 31 && number(b) <= 12) || (is_year(a) && number(b) <= 12 && number(c) <= 31)))
}

/// What a value shows, and where, counted in characters from 1.
pub(super) fn traces(text: &str) -> Vec<(Trace, usize)> {
    let mut found = Vec::new();
    if let Some(at) = text.to_ascii_uppercase().find("GPPROVIDER_") {
        found.push((Trace::Number, text.get(..at).unwrap_or_default().chars().count() + 1));
    }
    let born = speaks_of_birth(text) && has_date(text);
    for digits in ten_digits(text).into_iter().filter(|digits| digits.is_valid) {
        let named = is_called_so(text, digits.place);
        let trace = if named || digits.is_grouped || born { Trace::Number } else { Trace::Digits };
        found.push((trace, digits.place + 1));
    }
    if born {
        found.push((Trace::Birth, 1));
    }
    found
}

/// What in one header could be NHS numbers or references.
#[derive(Default)]
struct Doubtful<'a> {
    /// How many groups of ten digits there were, valid or not.
    all: usize,
    /// Where there was a valid one.
    valid: Vec<(&'a Call, usize)>,
}

/// Local ID, subject and file name identify nobody.
pub(super) fn headers(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    let mut doubtful: BTreeMap<(&str, bool), Doubtful<'_>> = BTreeMap::new();
    for call in traffic.calls.iter().filter(|call| call.is_send()) {
        for (name, strict) in FREE {
            let Some(text) = call.header(name).filter(|text| !text.trim().is_empty()) else { continue };
            examined.look();
            let doubt = doubtful.entry((name, strict)).or_default();
            doubt.all += ten_digits(text).len();
            let grade = if strict && !is_gp_connect(call) { Grade::Broken } else { Grade::Warning };
            for (trace, place) in traces(text) {
                match trace {
                    Trace::Digits => doubt.valid.push((call, place)),
                    Trace::Number => examined.find(found(
                        call,
                        name,
                        place,
                        grade,
                        "an NHS number, or a patient's address",
                    )),
                    Trace::Birth => examined.find(found(
                        call,
                        name,
                        place,
                        Grade::Warning,
                        "what is called a date of birth",
                    )),
                }
            }
        }
    }
    for ((name, strict), Doubtful { all, valid }) in doubtful {
        // Of references with ten digits one in eleven has a right check digit: when most have not, they
        // are references; when several have, and none has not, they are NHS numbers.
        let likely = valid.len() * 3 > all;
        let sure = valid.len() >= 3 && valid.len() == all;
        for (call, place) in valid.into_iter().filter(|_| likely) {
            let grade = if sure && strict && !is_gp_connect(call) { Grade::Broken } else { Grade::Warning };
            examined.find(found(call, name, place, grade, "ten digits that are a valid NHS number"));
        }
    }
    examined
}

/// The value itself is not shown: a finding must not carry what it complains of.
fn found(call: &Call, name: &str, place: usize, grade: Grade, seen: &str) -> Finding {
    Finding::about(&[call], grade, format!("{name} may identify a patient"))
        .expected("nothing that identifies a person")
        .seen(format!("{seen}, from character {place} on (not shown here)"))
}

/// Workflows whose conventions put the patient into headers.
fn is_gp_connect(call: &Call) -> bool {
    let workflow = call.header("mex-workflowid").unwrap_or_default().to_ascii_uppercase();
    ["GPFED_", "GPCONNECT_", "TOC_"].iter().any(|prefix| workflow.starts_with(prefix))
}

/// A patient's address is whole: tag, NHS number, date of birth, surname.
pub(super) fn address(traffic: &Traffic) -> Examined {
    let mut examined = Examined::default();
    for call in traffic.calls.iter().filter(|call| call.is_send()) {
        let to = call.header("mex-to").unwrap_or_default().trim();
        if !to.to_ascii_uppercase().starts_with("GPPROVIDER") {
            continue;
        }
        examined.look();
        // Sources disagree about the order of the date, so either will do.
        let read = PatientAddress::parse(to, DateOrder::DayFirst);
        if let (Err(why), Err(_)) = (read, PatientAddress::parse(to, DateOrder::YearFirst)) {
            examined.find(
                Finding::about(&[call], Grade::Broken, "Mex-To begins like a patient's address and is none")
                    .expected("GPPROVIDER_NHSNUMBER_DATEOFBIRTH_SURNAME")
                    .seen(format!("an address that {why} (not shown here)")),
            );
        }
    }
    examined
}

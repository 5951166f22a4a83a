//! The files that say who is on the emulator: mesh-sandbox's own, with a few fields more.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs::File,
    hash::Hash,
    io::Read,
    path::Path,
};

use chrono::NaiveDate;
use mesh_witness::{
    emulator::{Mailbox, Patient, Receiver, Workflow},
    protocol::{MailboxId, NhsNumber, Password, WorkflowId},
};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error, IgnoredAny},
};
use serde_json::Value;

/// How long such a file may be, in bytes.
const LONGEST: u64 = 16 << 20;
/// How much a field that nobody knows must be like one that is known, to be taken for it.
const LIKE: f64 = 0.6;

/// A line of `mailboxes.jsonl`. mesh-sandbox's fields, `receiver` and `takes_chunks`; others are
/// passed over with a warning. As there, null is the same as nothing.
#[derive(Deserialize)]
struct MailboxLine {
    mailbox_id: String,
    mailbox_name: Option<String>,
    ods_code: Option<String>,
    org_code: Option<String>,
    org_name: Option<String>,
    billing_entity: Option<String>,
    #[serde(default, deserialize_with = "password")]
    password: Option<String>,
    active: Option<bool>,
    takes_chunks: Option<bool>,
    receiver: Option<ReceiverWord>,
    #[serde(flatten)]
    others: Others,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum ReceiverWord {
    #[default]
    Dormant,
    Collects,
    Accepts,
    Rejects,
}

/// A line of `workflows.jsonl`. mesh-sandbox's fields, `restricted` and `takes_chunks`.
#[derive(Deserialize)]
struct WorkflowLine {
    workflow_id: String,
    senders: Option<Vec<Option<String>>>,
    receivers: Option<Vec<Option<String>>>,
    restricted: Option<bool>,
    takes_chunks: Option<bool>,
    #[serde(flatten)]
    others: Others,
}

/// Fields that nobody knows, but not what is in them.
type Others = BTreeMap<String, IgnoredAny>;

/// What a line of a file may say.
trait Line: DeserializeOwned {
    const FIELDS: &[&str];

    fn others(&self) -> &Others;
}

impl Line for MailboxLine {
    const FIELDS: &[&str] = &[
        "mailbox_id",
        "mailbox_name",
        "ods_code",
        "org_code",
        "org_name",
        "billing_entity",
        "password",
        "active",
        "takes_chunks",
        "receiver",
    ];

    fn others(&self) -> &Others {
        &self.others
    }
}

impl Line for WorkflowLine {
    const FIELDS: &[&str] = &["workflow_id", "senders", "receivers", "restricted", "takes_chunks"];

    fn others(&self) -> &Others {
        &self.others
    }
}

/// What was read of a file, and what is in it that nobody knows, as warnings.
pub struct Known<T> {
    pub all: Vec<T>,
    pub warnings: Vec<String>,
}

/// What is there in its place is not shown in the message: it may be a password in another form.
fn password<'de, D: Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(value)? {
        Value::Null => Ok(None),
        Value::String(password) => Ok(Some(password)),
        _ => Err(D::Error::custom("password must be a string")),
    }
}

/// Reads mailboxes, one JSON object a line. Of several about one mailbox the last counts, as in mesh-sandbox.
pub fn mailboxes(path: &Path) -> Result<Known<Mailbox>, String> {
    let Known { all, warnings } = mailbox_lines(path)?;
    let all = joined(all, |one| one.id.clone(), |known, later| *known = later);
    if all.is_empty() {
        let line = r#"{"mailbox_id": "X26ABC1", "password": "password"}"#;
        return Err(format!(
            "{}: there is no mailbox in it; write one a line, such as {line}",
            path.display()
        ));
    }
    Ok(Known { all, warnings })
}

fn mailbox_lines(path: &Path) -> Result<Known<Mailbox>, String> {
    lines(path, |line: MailboxLine| {
        let id = mailbox_id(&line.mailbox_id)?;
        let plain = Mailbox::new(id, Password::new(line.password.unwrap_or_default()));
        Ok(Mailbox {
            name: line.mailbox_name.unwrap_or(plain.name),
            ods_code: line.ods_code.unwrap_or(plain.ods_code),
            org_code: line.org_code.unwrap_or(plain.org_code),
            // As mesh-sandbox has it for its own file, which names none.
            org_name: line.org_name.unwrap_or_default(),
            billing_entity: line.billing_entity,
            active: line.active.unwrap_or(true),
            takes_chunks: line.takes_chunks.unwrap_or(true),
            receiver: match line.receiver.unwrap_or_default() {
                ReceiverWord::Dormant => Receiver::Dormant,
                ReceiverWord::Collects => Receiver::Collects,
                ReceiverWord::Accepts => Receiver::Accepts,
                ReceiverWord::Rejects => Receiver::Rejects,
            },
            ..plain
        })
    })
}

/// Reads workflows, one JSON object a line. A line about a workflow that another line is about adds to it,
/// as in mesh-sandbox.
pub fn workflows(path: &Path) -> Result<Known<Workflow>, String> {
    let add = |known: &mut Workflow, mut later: Workflow| {
        later.senders.append(&mut known.senders);
        later.receivers.append(&mut known.receivers);
        *known = later;
    };
    let Known { all, warnings } = workflow_lines(path)?;
    Ok(Known { all: joined(all, |one| one.id.clone(), add), warnings })
}

/// One for each ID, in the order in which they first come.
fn joined<T, I: Hash + Eq>(all: Vec<T>, id: impl Fn(&T) -> I, join: impl Fn(&mut T, T)) -> Vec<T> {
    let (mut joined, mut places) = (Vec::<T>::new(), HashMap::new());
    for one in all {
        let place = *places.entry(id(&one)).or_insert(joined.len());
        match joined.get_mut(place) {
            Some(known) => join(known, one),
            None => joined.push(one),
        }
    }
    joined
}

fn workflow_lines(path: &Path) -> Result<Known<Workflow>, String> {
    lines(path, |line: WorkflowLine| {
        let id =
            WorkflowId::parse(line.workflow_id.trim()).map_err(|error| format!("workflow_id {error}"))?;
        Ok(Workflow {
            id,
            senders: mailbox_ids(line.senders)?,
            receivers: mailbox_ids(line.receivers)?,
            restricted: line.restricted.unwrap_or(true),
            takes_chunks: line.takes_chunks.unwrap_or(true),
        })
    })
}

/// The password of mailboxes that nobody has named, mesh-sandbox's.
pub const DEFAULT_PASSWORD: &str = "password";

/// The mailboxes that mesh-sandbox has, so that whoever comes from there finds what they know.
pub fn default_mailboxes() -> Vec<Mailbox> {
    let mailbox = |(id, name, ods_code, payer): (&str, &str, &str, &str)| {
        let plain = Mailbox::new(MailboxId::parse(id).ok()?, Password::new(DEFAULT_PASSWORD));
        Some(Mailbox {
            name: name.to_owned(),
            ods_code: ods_code.to_owned(),
            org_code: ods_code.to_owned(),
            org_name: String::new(),
            billing_entity: Some(payer.to_owned()),
            ..plain
        })
    };
    let known = [
        ("X26ABC1", "TESTMB1", "X26", "England"),
        ("X26ABC2", "TESTMB2", "X26", "Wales"),
        ("X26ABC3", "TESTMB3", "X27", "England"),
    ];
    known.into_iter().filter_map(mailbox).collect()
}

/// The workflows that mesh-sandbox has: here for the lookups only, so that any of its mailboxes may
/// send them to any other, as there.
pub fn default_workflows() -> Vec<Workflow> {
    let workflow = |id: &str, receivers: &[&str]| {
        let receivers = receivers.iter().filter_map(|id| MailboxId::parse(id).ok()).collect();
        let id = WorkflowId::parse(id).ok()?;
        Some(Workflow { id, senders: BTreeSet::new(), receivers, restricted: false, takes_chunks: true })
    };
    [
        workflow("TEST_WORKFLOW", &["X26ABC2"]),
        workflow("TEST_WORKFLOW_ACK", &["X26ABC1", "X26ABC3"]),
        workflow("TEST_WORKFLOW2", &["X26ABC1", "X26ABC2", "X26ABC3"]),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Synthetic patients, whose numbers begin with 999 and so are nobody's: the first has a practice, the
/// others fail in the lookup as EPL-150 and EPL-151 say.
pub fn patients(mailboxes: &[MailboxId]) -> Vec<Patient> {
    let patient = |nhs_number: &str, day: (i32, u32, u32), surname: &str, mailboxes: &[MailboxId]| {
        Some(Patient {
            nhs_number: NhsNumber::parse(nhs_number).ok()?,
            born: NaiveDate::from_ymd_opt(day.0, day.1, day.2)?,
            surname: surname.to_owned(),
            mailboxes: mailboxes.to_vec(),
        })
    };
    let practice = mailboxes.get(1).or(mailboxes.first()).cloned();
    let practice: Vec<MailboxId> = practice.into_iter().collect();
    [
        patient("9990000018", (1957, 4, 30), "SMITH", &practice),
        patient("9990000026", (1984, 12, 2), "JONES", mailboxes),
        patient("9990000034", (2001, 1, 31), "TAYLOR", &[]),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What is blank is nobody, as in mesh-sandbox.
fn mailbox_ids(texts: Option<Vec<Option<String>>>) -> Result<BTreeSet<MailboxId>, String> {
    let texts = texts.into_iter().flatten().flatten();
    texts.filter(|text| !text.trim().is_empty()).map(|text| mailbox_id(&text)).collect()
}

/// mesh-sandbox writes IDs in either case and means upper.
fn mailbox_id(text: &str) -> Result<MailboxId, String> {
    MailboxId::parse(&text.trim().to_ascii_uppercase())
        .map_err(|error| format!("{text:?}: a mailbox ID {error}"))
}

/// Every object of the file, with file and line in front of what is wrong. An object may have several
/// lines, too.
fn lines<T: Line, R>(path: &Path, read: impl Fn(T) -> Result<R, String>) -> Result<Known<R>, String> {
    let name = path.display();
    let text = text(path)?;
    // Programs of Windows put a mark of the encoding in front.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut objects = serde_json::Deserializer::from_str(text).into_iter::<T>();
    let mut known = Known { all: Vec::new(), warnings: Vec::new() };
    loop {
        let start = objects.byte_offset();
        let line = || line_at(text, start);
        if let Some(why) = no_object(text.get(start..).unwrap_or_default()) {
            return Err(format!("{name}:{}: {why}; write one JSON object a line", line()));
        }
        let object = match objects.next() {
            None => return Ok(known),
            Some(Ok(object)) => object,
            Some(Err(error)) => return Err(format!("{name}:{}: {error}", error.line())),
        };
        let others = object.others().keys().map(|other| passed_over(other, T::FIELDS));
        known.warnings.extend(others.map(|warning| format!("{name}:{}: {warning}", line())));
        known.all.push(read(object).map_err(|why| format!("{name}:{}: {why}", line()))?);
    }
}

/// The text of a file.
fn text(path: &Path) -> Result<String, String> {
    let name = path.display();
    let unreadable = |error: std::io::Error| format!("{name}: cannot be read: {error}");
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > LONGEST {
        return Err(format!("{name}: is longer than 16 MiB"));
    }
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(format!("{name}: is in UTF-16; save it as UTF-8"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let read = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes().iter().take(read).filter(|byte| **byte == b'\n').count();
        format!("{name}:{line}: is not in UTF-8; save it as UTF-8")
    })
}

/// What people write where an object is to begin, as in a file that is one JSON value. An array would be read like an
/// object, field by field.
fn no_object(rest: &str) -> Option<&'static str> {
    match rest.trim_start().chars().next()? {
        '[' => Some("begins a JSON array"),
        ',' => Some("a comma is between two objects"),
        _ => None,
    }
}

fn passed_over(name: &str, known: &[&str]) -> String {
    let alike = known.iter().map(|known| (strsim::normalized_damerau_levenshtein(known, name), known));
    match alike.filter(|(like, _)| *like >= LIKE).max_by(|(a, _), (b, _)| a.total_cmp(b)) {
        Some((_, meant)) => format!("{name:?} is passed over; did you mean {meant}?"),
        None => format!("{name:?} is passed over; known are {}", known.join(", ")),
    }
}

/// The line of the first thing at or after a place.
fn line_at(text: &str, place: usize) -> usize {
    let after = text.get(place..).unwrap_or_default();
    let start = place + after.len() - after.trim_start().len();
    1 + text.bytes().take(start).filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f.jsonl");
        fs::write(&path, text).unwrap();
        (folder, path)
    }

    #[test]
    fn mailboxes_of_mesh_sandbox_are_read_and_may_say_more() {
        let (_folder, path) = file(concat!(
            r#"{"mailbox_id": "x26abc1", "mailbox_name": "TESTMB1", "billing_entity": "England", "ods_code": "X27", "org_code": "X28", "password": "password"}"#,
            "\n\n",
            r#"{"mailbox_id": "X26ABC2", "receiver": "rejects", "active": false, "takes_chunks": false}"#,
        ));
        let read = mailboxes(&path).unwrap().all;
        let [one, two] = read.as_slice() else { panic!("two mailboxes") };
        assert_eq!(
            (one.id.as_str(), one.name.as_str(), one.ods_code.as_str()),
            ("X26ABC1", "TESTMB1", "X27")
        );
        assert!(one.active && one.takes_chunks && one.receiver == Receiver::Dormant);
        assert!(!two.active && !two.takes_chunks && two.receiver == Receiver::Rejects);
        assert_eq!((two.name.as_str(), two.ods_code.as_str()), ("X26ABC2", "X26"));
    }

    #[test]
    fn null_is_nothing_and_an_organisation_without_a_name_has_none() {
        let (_folder, path) = file(
            r#"{"mailbox_id": "A", "mailbox_name": "a", "ods_code": null, "password": null, "active": null, "receiver": null}"#,
        );
        let read = mailboxes(&path).unwrap().all;
        assert!(read[0].active && read[0].receiver == Receiver::Dormant);
        assert_eq!((read[0].org_name.as_str(), read[0].password.expose()), ("", ""));
        let (_folder, path) = file(
            r#"{"workflow_id": "W", "senders": null, "receivers": ["", " ", null, "a"], "restricted": null}"#,
        );
        let read = workflows(&path).unwrap().all;
        assert!(read[0].restricted && read[0].senders.is_empty());
        assert_eq!(read[0].receivers, BTreeSet::from([MailboxId::parse("A").unwrap()]));
    }

    #[test]
    fn workflows_of_mesh_sandbox_are_restricted_unless_they_say_otherwise() {
        let (_folder, path) = file(concat!(
            r#"{"workflow_id": "W1", "senders": ["x26abc1"], "receivers": ["X26ABC2"]}"#,
            "\n",
            r#"{"workflow_id": "W2", "restricted": false}"#,
        ));
        let read = workflows(&path).unwrap().all;
        assert!(read[0].restricted && read[0].senders.contains(&MailboxId::parse("X26ABC1").unwrap()));
        assert!(!read[1].restricted);
    }

    #[test]
    fn of_several_lines_about_a_mailbox_the_last_counts() {
        let (_folder, path) = file(concat!(
            r#"{"mailbox_id": "A", "mailbox_name": "first"}"#,
            r#"{"mailbox_id": "B"}"#,
            r#"{"mailbox_id": "A", "mailbox_name": "second"}"#,
        ));
        let read = mailboxes(&path).unwrap().all;
        let names: Vec<_> = read.iter().map(|one| (one.id.as_str(), one.name.as_str())).collect();
        assert_eq!(names, [("A", "second"), ("B", "B")]);
    }

    #[test]
    fn a_workflow_may_have_several_lines() {
        let (_folder, path) = file(concat!(
            r#"{"workflow_id": "W", "senders": ["A"], "receivers": ["B"]}"#,
            r#"{"workflow_id": "W", "receivers": ["C"], "restricted": false}"#,
        ));
        let read = workflows(&path).unwrap().all;
        let [one] = read.as_slice() else { panic!("one workflow") };
        assert_eq!((one.senders.len(), one.receivers.len(), one.restricted), (1, 2, false));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, why) in [
            ("{\"mailbox_id\": \"A\"}\n{\"mailbox_id\": \"A B\"}", "f.jsonl:2: \"A B\": a mailbox ID"),
            ("{\"mailbox_id\": \"A\"}\n{}", "f.jsonl:2: missing field `mailbox_id`"),
            ("nonsense", "f.jsonl:1: "),
        ] {
            let (_folder, path) = file(text);
            let error = mailboxes(&path).err().unwrap();
            assert!(error.contains(why), "{error}");
        }
        let (_folder, path) = file("{\"mailbox_id\": \"A\", \"password\": 12345678}");
        let error = mailboxes(&path).err().unwrap();
        assert!(error.contains("f.jsonl:1: password must be a string"), "{error}");
        assert!(!error.contains("12345678"), "a password is shown: {error}");
        assert!(mailboxes(Path::new("/nonesuch")).err().unwrap().contains("cannot be read"));
    }

    #[test]
    fn files_of_another_kind_are_told_what_is_wanted() {
        let utf_16 = |text: &str| {
            let units = std::iter::once(0xfeff).chain(text.encode_utf16());
            units.flat_map(u16::to_le_bytes).collect::<Vec<u8>>()
        };
        let object = r#"{"mailbox_id": "A"}"#;
        for (bytes, why) in [
            (format!("[{object},\n{object}]").into_bytes(), "f.jsonl:1: begins a JSON array"),
            (format!("{object}\n[\"A\", \"n\"]").into_bytes(), "f.jsonl:2: begins a JSON array"),
            (format!("{object},\n{object}").into_bytes(), "f.jsonl:1: a comma"),
            (utf_16(object), "f.jsonl: is in UTF-16; save it as UTF-8"),
            (b"{\"mailbox_id\": \"A\"}\n{\"mailbox_id\": \"\xe9\"}".to_vec(), "f.jsonl:2: is not in UTF-8"),
        ] {
            let (_folder, path) = file("");
            fs::write(&path, &bytes).unwrap();
            let error = mailboxes(&path).err().unwrap();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn a_file_without_a_mailbox_is_refused_with_what_would_be_one() {
        for text in ["", "\u{feff}\r\n\n"] {
            let (_folder, path) = file(text);
            let error = mailboxes(&path).err().unwrap();
            assert!(error.contains("f.jsonl: there is no mailbox in it"), "{error}");
            let (_, line) = error.split_once("such as ").unwrap();
            let (_folder, path) = file(line);
            assert_eq!(mailboxes(&path).unwrap().all.len(), 1);
        }
    }

    #[test]
    fn a_file_of_windows_is_read() {
        let (_folder, path) = file("\u{feff}{\"mailbox_id\": \"A\"}\r\n{\"mailbox_id\": \"B\"}\r\n{}\r\n");
        let error = mailboxes(&path).err().unwrap();
        assert!(error.contains("f.jsonl:3: missing field"), "{error}");
    }

    #[test]
    fn every_synthetic_patient_is_there() {
        assert_eq!(patients(&[]).len(), 3);
        assert_eq!((default_workflows().len(), default_mailboxes().len()), (3, 3));
    }
}

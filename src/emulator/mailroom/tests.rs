use std::{collections::BTreeSet, sync::atomic::Ordering};

use chrono::TimeDelta;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::*;
use crate::{
    emulator::{
        Profile,
        switches::{Expiry, Past},
    },
    protocol::{ErrorCode, Failure, MeshError, Password, SendHeaders, SendRules, TrackingStatus},
};

pub fn mailbox(id: &str) -> MailboxId {
    MailboxId::parse(id).unwrap()
}

pub fn mailroom() -> (Mailroom, Clock) {
    mailroom_with(Switches::default())
}

fn mailroom_with(switches: Switches) -> (Mailroom, Clock) {
    let clock = Clock::new();
    let limits = Limits { remembered: 3, ..Limits::default() };
    let mailroom = Mailroom::with_switches(clock.clone(), limits, switches);
    mailroom.register(mailbox("ALICE"), Password::new("a"));
    mailroom.register(mailbox("BOB"), Password::new("b"));
    (mailroom, clock)
}

pub fn send(
    mailroom: &Mailroom,
    to: &str,
    workflow: &str,
    body: &'static [u8],
) -> Result<MessageId, MeshError> {
    send_with(mailroom, &[("mex-to", to), ("mex-workflowid", workflow)], body)
}

pub fn send_with(
    mailroom: &Mailroom,
    given: &[(&'static str, &str)],
    body: &'static [u8],
) -> Result<MessageId, MeshError> {
    send_stored(mailroom, given, stored(mailroom, body))
}

pub fn send_stored(
    mailroom: &Mailroom,
    given: &[(&'static str, &str)],
    body: StoredBody,
) -> Result<MessageId, MeshError> {
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        headers.insert(HeaderName::from_static(name), HeaderValue::try_from(*value).unwrap());
    }
    let headers = SendHeaders::parse(&headers, &mailbox("ALICE"), SendRules::default()).unwrap();
    mailroom.send(&mailbox("ALICE"), headers, body)
}

fn stored(mailroom: &Mailroom, body: &'static [u8]) -> StoredBody {
    let mut writer = mailroom.body_writer(ContentEncoding::Identity);
    writer.write(vec![body.into()]).unwrap();
    writer.finish().unwrap()
}

/// Without bodies to speak of, too: a million messages take a gigabyte.
#[test]
fn messages_that_wait_take_room_beside_their_bodies_until_they_are_done_with() {
    let limits = Limits { held_bytes: 3000, ..Limits::default() };
    let mailroom = Mailroom::with_switches(Clock::new(), limits, Switches::default());
    for id in ["ALICE", "BOB"] {
        mailroom.register(mailbox(id), Password::new("a"));
    }
    let taken = || {
        let mut writer = mailroom.body_writer(ContentEncoding::Identity);
        writer.write(vec![b"x".as_slice().into()]).and_then(|()| writer.finish())
    };
    let send = |more: &[(&'static str, &str)]| {
        let labels = [&[("mex-to", "BOB"), ("mex-workflowid", "W1")], more].concat();
        send_stored(&mailroom, &labels, taken().unwrap()).unwrap()
    };
    let first = send(&[("mex-subject", "s".repeat(400).as_str())]);
    let begun = send(&[("mex-chunk-range", "1:2")]);
    let full = |is_full: bool| assert_eq!(taken().err(), is_full.then_some(BodyError::Full));
    full(false);
    send(&[]);
    full(true);
    mailroom.acknowledge(&mailbox("BOB"), &first).unwrap();
    full(false);
    chunk(&mailroom, &begun, 2, "2:2").unwrap();
    send(&[]);
    full(true);
    mailroom.reset();
    full(false);
    (0..2).for_each(|_| drop(send(&[])));
    full(false);
}

#[test]
fn a_message_is_as_long_as_what_was_sent() {
    let (mailroom, _) = mailroom();
    let id = send(&mailroom, "BOB", "W1", b"seven b").unwrap();
    assert_eq!(mailroom.track(&mailbox("ALICE"), &id).unwrap().size, 7);
}

/// Chrono writes such a year with a sign, which no message ID has: no ID was ever found.
#[test]
fn a_message_has_an_id_whatever_the_clock_shows() {
    let (mailroom, clock) = mailroom();
    clock.move_by(TimeDelta::days(3_000_000)).unwrap();
    let id = send(&mailroom, "BOB", "W1", b"x").unwrap();
    assert_eq!(waiting(&mailroom, "BOB"), [id]);
}

fn chunk(mailroom: &Mailroom, id: &MessageId, number: u32, range: &str) -> Result<(), ChunkRefusal> {
    chunk_with(mailroom, id, number, range, b"chunk")
}

pub fn chunk_with(
    mailroom: &Mailroom,
    id: &MessageId,
    number: u32,
    range: &str,
    body: &'static [u8],
) -> Result<(), ChunkRefusal> {
    let said = ChunkHeaders { number, range: Some(range.parse().unwrap()), encoding: None };
    mailroom.send_chunk(&mailbox("ALICE"), id, said, stored(mailroom, body))
}

pub fn waiting(mailroom: &Mailroom, id: &str) -> Vec<MessageId> {
    mailroom.inbox(&mailbox(id), &crate::protocol::InboxQuery::parse("").unwrap()).unwrap().messages
}

fn status(mailroom: &Mailroom, id: &MessageId) -> Option<TrackingStatus> {
    mailroom.track(&mailbox("ALICE"), id).map(|tracked| tracked.status)
}

#[test]
fn a_message_waits_until_it_is_acknowledged_and_is_gone_then() {
    let (mailroom, _) = mailroom();
    let id = send(&mailroom, "BOB", "W1", b"hello").unwrap();
    assert_eq!(mailroom.message(&mailbox("BOB"), &id).unwrap().chunk(1).unwrap().size(), 5);
    assert_eq!(status(&mailroom, &id), Some(TrackingStatus::Accepted));
    assert_eq!(mailroom.acknowledge(&mailbox("BOB"), &id), Ok(()));
    assert_eq!(mailroom.message(&mailbox("BOB"), &id).unwrap_err(), Unavailable::Gone);
    assert_eq!(mailroom.acknowledge(&mailbox("BOB"), &id), Ok(()));
    assert_eq!(status(&mailroom, &id), Some(TrackingStatus::Acknowledged));
}

#[test]
fn nobody_sees_tracks_or_acknowledges_anothers_message() {
    let (mailroom, _) = mailroom();
    let id = send(&mailroom, "BOB", "W1", b"hello").unwrap();
    assert_eq!(mailroom.message(&mailbox("ALICE"), &id).unwrap_err(), Unavailable::Missing);
    assert_eq!(mailroom.acknowledge(&mailbox("ALICE"), &id), Err(Unavailable::Missing));
    assert!(mailroom.message(&mailbox("BOB"), &id).is_ok());
    assert_eq!(mailroom.track(&mailbox("BOB"), &id), None);
}

#[test]
fn an_unknown_recipient_is_refused_with_an_id_and_reported() {
    let (mailroom, _) = mailroom();
    let error = send(&mailroom, "NOBODY", "W1", b"hello").unwrap_err();
    assert_eq!(error.code, ErrorCode::UnregisteredTo);
    let id = error.message_id.unwrap();
    assert_eq!(status(&mailroom, &id), Some(TrackingStatus::Error));
    assert_eq!(mailroom.track(&mailbox("ALICE"), &id).unwrap().size, 5);
    let reports = waiting(&mailroom, "ALICE");
    let report = mailroom.message(&mailbox("ALICE"), &reports[0]).unwrap();
    let said = report.message.report.as_ref().unwrap();
    assert_eq!((&said.linked, said.failure.code.as_str()), (&Some(id), "12"));
    assert!(report.chunk(1).is_none());
}

#[test]
fn in_the_sandbox_an_unknown_recipient_is_a_code_and_nothing_else() {
    let (mailroom, _) = mailroom_with(Switches::of(Profile::Sandbox));
    assert_eq!(send(&mailroom, "NOBODY", "W1", b"hello").unwrap_err().message_id, None);
    assert!(waiting(&mailroom, "ALICE").is_empty());
}

#[test]
fn what_is_not_collected_in_five_days_is_reported_and_gone() {
    let (mailroom, clock) = mailroom();
    let labels = [("mex-to", "BOB"), ("mex-workflowid", "W1"), ("mex-localid", "mine"), ("mex-subject", "S")];
    let id = send_with(&mailroom, &labels, b"x").unwrap();
    clock.move_by(TimeDelta::days(5) - TimeDelta::minutes(1)).unwrap();
    assert_eq!(waiting(&mailroom, "BOB"), std::slice::from_ref(&id));
    clock.move_by(TimeDelta::minutes(2)).unwrap();
    assert!(waiting(&mailroom, "BOB").is_empty());
    assert_eq!(mailroom.message(&mailbox("BOB"), &id).unwrap_err(), Unavailable::Gone);
    assert_eq!(status(&mailroom, &id), Some(TrackingStatus::Undeliverable));
    let report = mailroom.message(&mailbox("ALICE"), &waiting(&mailroom, "ALICE")[0]).unwrap().message;
    let said = report.report.as_ref().unwrap();
    assert_eq!((said.failure.event.as_str(), said.failure.code.as_str()), ("SEND", "14"));
    assert_eq!(said.failure.description, "Message not collected by recipient after 5 days");
    assert_eq!((report.workflow().as_str(), &said.linked), ("W1", &Some(id)));
    let labels: BTreeSet<&str> =
        report.headers.passed_through.iter().map(|(_, value)| value.as_str()).collect();
    assert_eq!(labels, BTreeSet::from(["S", "mine"]));
}

#[test]
fn after_thirty_days_there_is_no_trace_and_no_report_about_a_report() {
    let (mailroom, clock) = mailroom();
    let id = send(&mailroom, "BOB", "W1", b"x").unwrap();
    clock.move_by(TimeDelta::days(31)).unwrap();
    assert_eq!(mailroom.message(&mailbox("BOB"), &id).unwrap_err(), Unavailable::Missing);
    assert_eq!(mailroom.track(&mailbox("ALICE"), &id), None);
    assert!(waiting(&mailroom, "ALICE").is_empty());
    clock.move_by(TimeDelta::days(31)).unwrap();
    let rooms = mailroom.rooms();
    assert!(rooms.messages.is_empty() && rooms.due.is_empty() && rooms.local_ids.is_empty());
}

/// Uncollected messages are deleted 30 days after the delivery (OpenAPI, "Message expiration").
#[test]
fn what_time_brings_about_is_counted_from_the_delivery_not_from_the_first_chunk() {
    let (mailroom, clock) = mailroom();
    let id = first_of_three(&mailroom);
    clock.move_by(TimeDelta::days(28)).unwrap();
    chunk(&mailroom, &id, 2, "2:3").unwrap();
    chunk(&mailroom, &id, 3, "3:3").unwrap();
    clock.move_by(TimeDelta::days(6)).unwrap();
    assert_eq!(mailroom.message(&mailbox("BOB"), &id).unwrap_err(), Unavailable::Gone);
    assert_eq!(status(&mailroom, &id), Some(TrackingStatus::Undeliverable));
    clock.move_by(TimeDelta::days(25)).unwrap();
    assert_eq!(mailroom.message(&mailbox("BOB"), &id).unwrap_err(), Unavailable::Missing);
}

#[test]
fn when_a_message_expires_is_told_the_same_after_it_was_acknowledged() {
    let (mailroom, clock) = mailroom();
    let id = first_of_three(&mailroom);
    clock.move_by(TimeDelta::days(1)).unwrap();
    chunk(&mailroom, &id, 2, "2:3").unwrap();
    chunk(&mailroom, &id, 3, "3:3").unwrap();
    let expires_at = || mailroom.track(&mailbox("ALICE"), &id).unwrap().expires_at;
    let before = expires_at();
    mailroom.acknowledge(&mailbox("BOB"), &id).unwrap();
    assert_eq!(expires_at(), before);
}

#[test]
fn nothing_waits_longer_than_it_is_remembered() {
    let expiry = Expiry { inbox: TimeDelta::days(5), message: TimeDelta::days(2) };
    let (mailroom, clock) = mailroom_with(Switches { expiry, ..Switches::default() });
    let id = send(&mailroom, "BOB", "W1", b"x").unwrap();
    let told = mailroom.track(&mailbox("ALICE"), &id).unwrap();
    assert_eq!(told.expires_at - told.sent_at, TimeDelta::days(2));
    clock.move_by(TimeDelta::days(2)).unwrap();
    assert!(waiting(&mailroom, "BOB").is_empty());
    assert_eq!(mailroom.track(&mailbox("ALICE"), &id), None);
    assert_eq!(waiting(&mailroom, "ALICE").len(), 1, "and is reported");
}

#[test]
fn past_messages_are_served_or_missing_where_a_switch_says_so() {
    for (past, answer) in [(Past::Missing, Err(Unavailable::Missing)), (Past::Served, Ok(()))] {
        let (mailroom, clock) =
            mailroom_with(Switches { acknowledged: past, expired: past, ..Switches::default() });
        let expired = send(&mailroom, "BOB", "W1", b"x").unwrap();
        clock.move_by(TimeDelta::days(6)).unwrap();
        let acknowledged = send(&mailroom, "BOB", "W1", b"x").unwrap();
        mailroom.acknowledge(&mailbox("BOB"), &acknowledged).unwrap();
        for id in [expired, acknowledged] {
            assert_eq!(mailroom.message(&mailbox("BOB"), &id).map(drop), answer, "{past:?}");
        }
    }
}

#[test]
fn no_more_finished_messages_are_remembered_than_the_limit_says() {
    let (mailroom, _) = mailroom();
    let sent: Vec<_> = (0..5).map(|_| send(&mailroom, "BOB", "W1", b"x").unwrap()).collect();
    sent.iter().for_each(|id| mailroom.acknowledge(&mailbox("BOB"), id).unwrap());
    let known = sent.iter().filter(|id| status(&mailroom, id).is_some()).count();
    assert_eq!((known, mailroom.rooms().messages.len()), (3, 3));
}

/// A million that say as much as headers may would take gigabytes.
#[test]
fn finished_messages_that_say_much_are_forgotten_sooner() {
    let limits = Limits { remembered_bytes: 1000, ..Limits::default() };
    let mailroom = Mailroom::with_switches(Clock::new(), limits, Switches::default());
    ["ALICE", "BOB"].iter().for_each(|id| mailroom.register(mailbox(id), Password::new("a")));
    let subject = "s".repeat(400);
    let finish = || {
        let labels = [("mex-to", "BOB"), ("mex-workflowid", "W1"), ("mex-subject", subject.as_str())];
        let id = send_with(&mailroom, &labels, b"x").unwrap();
        mailroom.acknowledge(&mailbox("BOB"), &id).unwrap();
        id
    };
    let known = |ids: &[MessageId]| ids.iter().map(|id| status(&mailroom, id).is_some()).collect::<Vec<_>>();
    let ids: Vec<_> = (0..4).map(|_| finish()).collect();
    assert_eq!(known(&ids), [false, false, true, true]);
    mailroom.reset();
    let ids: Vec<_> = (0..2).map(|_| finish()).collect();
    assert_eq!(known(&ids), [true, true], "what a reset forgot does not count");
    let why = Failure { description: "d".repeat(1001), ..ErrorCode::NoMailbox.into() };
    assert!(mailroom.mark_failed(&ids[1], why));
    assert_eq!(known(&ids), [false, false], "what a test says counts as well");
}

/// Nobody limits it but the longest head, of which a message that is gone needs nothing.
#[test]
fn a_message_that_is_done_with_keeps_no_long_content_type() {
    for (served, length, kept) in [(false, 100, true), (false, 101, false), (true, 101, true)] {
        let acknowledged = if served { Past::Served } else { Past::Gone };
        let (mailroom, _) = mailroom_with(Switches { acknowledged, ..Switches::default() });
        let content_type = "t".repeat(length);
        let labels = [("mex-to", "BOB"), ("mex-workflowid", "W1"), ("content-type", content_type.as_str())];
        let id = send_with(&mailroom, &labels, b"x").unwrap();
        let is_there = || mailroom.rooms().messages[&id].message.headers.content_type.is_some();
        assert!(is_there());
        mailroom.acknowledge(&mailbox("BOB"), &id).unwrap();
        assert_eq!(is_there(), kept, "{served} {length}");
    }
}

#[test]
fn message_ids_have_the_shape_of_mesh() {
    let (mailroom, _) = mailroom();
    let id = send(&mailroom, "BOB", "W1", b"hello").unwrap();
    let (time, random) = id.as_str().split_once('_').unwrap();
    assert!(time.len() == 20 && time.bytes().all(|b| b.is_ascii_digit()), "{id}");
    assert!(random.len() == 6 && random.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
}

fn first_of_three(mailroom: &Mailroom) -> MessageId {
    let labels = [("mex-to", "BOB"), ("mex-workflowid", "W1"), ("mex-chunk-range", "1:3")];
    send_with(mailroom, &labels, b"first").unwrap()
}

#[test]
fn a_chunked_message_is_delivered_when_it_is_whole_and_closed_then() {
    let (mailroom, _) = mailroom();
    let id = first_of_three(&mailroom);
    assert_eq!(chunk(&mailroom, &id, 2, "2:3"), Ok(()));
    assert_eq!(status(&mailroom, &id), Some(TrackingStatus::Uploading));
    assert!(waiting(&mailroom, "BOB").is_empty());
    assert_eq!(mailroom.message(&mailbox("BOB"), &id).unwrap_err(), Unavailable::Missing);
    assert_eq!(chunk(&mailroom, &id, 3, "3:3"), Ok(()));
    assert_eq!(waiting(&mailroom, "BOB"), std::slice::from_ref(&id));
    assert_eq!(mailroom.track(&mailbox("ALICE"), &id).unwrap().size, 15);
    assert_eq!(chunk(&mailroom, &id, 3, "3:3"), Err(ChunkRefusal::Finalised));
}

#[test]
fn a_chunk_out_of_order_again_of_another_total_or_beyond_it_is_refused() {
    let (mailroom, _) = mailroom();
    let id = first_of_three(&mailroom);
    let refused = Err(ChunkRefusal::Code(ErrorCode::InvalidChunkRange));
    for (number, range) in [(3, "3:3"), (1, "1:3"), (2, "2:4"), (2, "3:3"), (4, "4:4")] {
        assert_eq!(chunk(&mailroom, &id, number, range), refused, "{number} {range}");
    }
    assert_eq!(chunk(&mailroom, &id, 2, "2:3"), Ok(()));
    assert_eq!(chunk(&mailroom, &id, 2, "2:3"), refused);
    let missing = MessageId::parse("NONE").unwrap();
    assert_eq!(chunk(&mailroom, &missing, 2, "2:3"), Err(ChunkRefusal::Missing));
}

#[test]
fn in_the_sandbox_chunks_come_in_any_order_and_the_last_completes() {
    let (mailroom, _) = mailroom_with(Switches::of(Profile::Sandbox));
    let id = first_of_three(&mailroom);
    for (number, range) in [(1, "1:3"), (3, "3:9")] {
        assert_eq!(chunk(&mailroom, &id, number, range), Ok(()));
    }
    let found = mailroom.message(&mailbox("BOB"), &id).unwrap();
    assert!(found.chunk(1).is_some() && found.chunk(2).is_none());
}

#[test]
fn a_chunk_must_be_encoded_like_the_first() {
    for (profile, omitted) in [(Profile::Int, true), (Profile::Sandbox, false)] {
        let (mailroom, _) = mailroom_with(Switches::of(profile));
        let mut labels = vec![("mex-to", "BOB"), ("mex-workflowid", "W1"), ("mex-chunk-range", "1:3")];
        labels.push(("content-encoding", "gzip"));
        let id = send_with(&mailroom, &labels, b"first").unwrap();
        let range = Some("2:3".parse().unwrap());
        let expect = |encoding| {
            mailroom.expect_chunk(&mailbox("ALICE"), &id, ChunkHeaders { number: 2, range, encoding })
        };
        assert_eq!(expect(None).is_ok(), omitted, "{profile:?}");
        assert_eq!(expect(Some(ContentEncoding::Gzip)), Ok(ContentEncoding::Gzip));
        assert_eq!(
            expect(Some(ContentEncoding::Identity)),
            Err(ChunkRefusal::Code(ErrorCode::EncodingChanged))
        );
    }
}

fn workflow(senders: &[&str], receivers: &[&str]) -> Workflow {
    let ids = |ids: &[&str]| ids.iter().map(|id| mailbox(id)).collect();
    Workflow {
        id: WorkflowId::parse("W1").unwrap(),
        senders: ids(senders),
        receivers: ids(receivers),
        restricted: true,
        takes_chunks: true,
    }
}

#[test]
fn a_restricted_workflow_names_its_senders_and_receivers() {
    let (mailroom, _) = mailroom();
    mailroom.install_workflow(workflow(&["BOB"], &["BOB"]));
    assert_eq!(send(&mailroom, "BOB", "W1", b"x").unwrap_err().code, ErrorCode::SenderNotAllowed);
    mailroom.install_workflow(workflow(&["ALICE"], &["ALICE"]));
    assert_eq!(send(&mailroom, "BOB", "W1", b"x").unwrap_err().code, ErrorCode::WorkflowNotRegistered);
    mailroom.install_workflow(workflow(&["ALICE"], &["BOB"]));
    assert!(send(&mailroom, "BOB", "W1", b"x").is_ok());
    assert!(send(&mailroom, "BOB", "W2", b"x").is_ok(), "what is not registered is free");
}

#[test]
fn a_recipient_or_workflow_without_chunks_refuses_them_with_code_19() {
    let (mailroom, _) = mailroom();
    let labels = [("mex-to", "BOB"), ("mex-workflowid", "W1"), ("mex-chunk-range", "1:2")];
    mailroom.install_workflow(Workflow { takes_chunks: false, ..workflow(&["ALICE"], &["BOB"]) });
    assert_eq!(send_with(&mailroom, &labels, b"x").unwrap_err().code, ErrorCode::ChunkingNotSupported);
    mailroom.install_workflow(workflow(&["ALICE"], &["BOB"]));
    mailroom.install(Mailbox { takes_chunks: false, ..Mailbox::new(mailbox("BOB"), Password::new("b")) });
    assert_eq!(send_with(&mailroom, &labels, b"x").unwrap_err().code, ErrorCode::ChunkingNotSupported);
    assert!(send(&mailroom, "BOB", "W1", b"x").is_ok());
}

#[test]
fn a_synthetic_receiver_collects_and_answers() {
    for (receiver, answer) in [
        (Receiver::Collects, None),
        (Receiver::Accepts, Some(r#""accepted":true"#)),
        (Receiver::Rejects, Some(r#""accepted":false"#)),
    ] {
        let (mailroom, _) = mailroom();
        mailroom.install(Mailbox { receiver, ..Mailbox::new(mailbox("BOB"), Password::new("b")) });
        let id = send(&mailroom, "BOB", "W1", b"x").unwrap();
        assert_eq!(status(&mailroom, &id), Some(TrackingStatus::Acknowledged));
        let answers = waiting(&mailroom, "ALICE");
        assert_eq!(answers.len(), usize::from(answer.is_some()), "{receiver:?}");
        if let Some(answer) = answer {
            let found = mailroom.message(&mailbox("ALICE"), &answers[0]).unwrap();
            assert_eq!(found.message.workflow().as_str(), "W1_ACK");
            let body = found.chunk(1).unwrap().whole().unwrap();
            assert!(String::from_utf8_lossy(&body).contains(answer));
        }
    }
}

#[test]
fn a_patients_practice_is_found_or_a_report_says_why_not() {
    let (mailroom, _) = mailroom();
    let patient = |nhs_number: &str, mailboxes: &[&str]| Patient {
        nhs_number: NhsNumber::parse(nhs_number).unwrap(),
        born: chrono::NaiveDate::from_ymd_opt(1957, 4, 30).unwrap(),
        surname: "Smith".to_owned(),
        mailboxes: mailboxes.iter().map(|id| mailbox(id)).collect(),
    };
    for (nhs_number, mailboxes) in
        [("9434765919", &["BOB"] as &[&str]), ("9000000009", &["ALICE", "BOB"]), ("9000000017", &["CAROL"])]
    {
        mailroom.install_patient(patient(nhs_number, mailboxes));
    }
    let workflow = "GPCONNECT_SEND_DOCUMENT";
    assert!(send(&mailroom, "GPPROVIDER_9434765919_30041957_SMITH", workflow, b"x").is_ok());
    assert_eq!(waiting(&mailroom, "BOB").len(), 1);
    for (rest, code) in [
        ("9000000009_30041957_SMITH", "EPL-150"),
        ("9000000017_30041957_SMITH", "EPL-151"),
        ("9434765918_30041957_SMITH", "EPL-152"),
        ("9000000025_30041957_SMITH", "EPL-153"),
        ("9434765919_30041957_JONES", "EPL-154"),
    ] {
        let before = waiting(&mailroom, "ALICE").len();
        send(&mailroom, &format!("GPPROVIDER_{rest}"), workflow, b"x").unwrap();
        let reports = waiting(&mailroom, "ALICE");
        assert_eq!(reports.len(), before + 1, "{rest}");
        let report = mailroom.message(&mailbox("ALICE"), &reports[before]).unwrap().message;
        assert_eq!(report.report.as_ref().unwrap().failure.code, code, "{rest}");
    }
    let elsewhere = send(&mailroom, "GPPROVIDER_9434765919_30041957_SMITH", "W1", b"x");
    assert_eq!(elsewhere.unwrap_err().code, ErrorCode::UnregisteredTo);
}

/// What the thread that commits does not do by itself.
impl Mailroom {
    /// Waits until all that was changed is durable.
    pub fn flush(&self) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(self.durably(|mailroom| drop(mailroom.access()))).unwrap();
    }

    /// Makes calls, and lets what they change fail to reach the disk.
    pub fn lose(&self, act: impl FnOnce(&Self)) {
        self.flush();
        let committer = self.committer.as_ref().unwrap();
        let before = self.committer.as_ref().unwrap().counts.failures();
        let fault = &committer.folder.database.faults.all;
        fault.store(true, Ordering::SeqCst);
        act(self);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let told = runtime.block_on(self.durably(|mailroom| drop(mailroom.access())));
        // Where nothing was changed, nothing fails.
        fault.store(false, Ordering::SeqCst);
        assert!(told.is_ok() || self.committer.as_ref().unwrap().counts.failures() > before);
    }
}

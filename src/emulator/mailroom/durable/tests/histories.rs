//! Whatever is done to a durable mailroom, and wherever it is closed or killed, it answers as one in memory does.

use super::*;

/// Something that is done to a mailroom.
#[derive(Debug, Clone)]
enum Act {
    Send {
        to: &'static str,
        long: bool,
        local_id: Option<u8>,
    },
    Begin {
        total: u32,
    },
    Chunk {
        message: usize,
        number: u32,
        long: bool,
    },
    Acknowledge(usize),
    Fail(usize),
    Report,
    Move {
        days: i64,
    },
    ResetBob,
    Reset,
    Reopen,
    /// The same, after a kill.
    Kill,
    /// The logs take nothing from now on, or what they are given.
    Logs {
        fail: bool,
    },
    /// Everything since the last commit is undone, as if the disk were full.
    Lose(Box<Act>),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        8 => (prop::sample::select(vec!["BOB", "ALICE", "CAROL", "NOBODY"]), any::<bool>(),
            prop::option::of(0..3_u8)).prop_map(|(to, long, local_id)| Act::Send { to, long, local_id }),
        3 => (2..4_u32).prop_map(|total| Act::Begin { total }),
        6 => (0..20_usize, 1..4_u32, any::<bool>())
            .prop_map(|(message, number, long)| Act::Chunk { message, number, long }),
        5 => (0..20_usize).prop_map(Act::Acknowledge),
        1 => (0..20_usize).prop_map(Act::Fail),
        1 => Just(Act::Report),
        2 => prop::sample::select(vec![1_i64, 5, 31]).prop_map(|days| Act::Move { days }),
        1 => Just(Act::ResetBob),
        1 => Just(Act::Reset),
        3 => Just(Act::Reopen),
        4 => Just(Act::Kill),
        2 => any::<bool>().prop_map(|fail| Act::Logs { fail }),
    ];
    let act = act.prop_flat_map(|act| {
        let lost = Act::Lose(Box::new(act.clone()));
        prop_oneof![5 => Just(act), 1 => Just(lost)]
    });
    prop::collection::vec(act, 0..40)
}

fn labels(to: &str, local_id: Option<u8>, range: &str) -> Vec<(&'static str, String)> {
    let mut labels = vec![("mex-to", to.to_owned()), ("mex-workflowid", "W1".to_owned())];
    labels.push(("mex-chunk-range", range.to_owned()));
    labels.extend(local_id.map(|id| ("mex-localid", format!("local {id}"))));
    labels
}

/// Does it. Gives the message that it made, for `sent`.
fn act(mailroom: &Mailroom, sent: &[MessageId], act: &Act) -> Option<MessageId> {
    let pick = |index: &usize| sent.get(*index).cloned().unwrap_or(MessageId::parse("NONE").unwrap());
    let content = |long: &bool| if *long { LONG } else { b"short" as &[u8] };
    let send = |labels: Vec<(&'static str, String)>, body| {
        let labels: Vec<_> = labels.iter().map(|(name, value)| (*name, value.as_str())).collect();
        send_with(mailroom, &labels, body).map_or_else(|error| error.message_id, Some)
    };
    match act {
        Act::Send { to, long, local_id } => return send(labels(to, *local_id, "1:1"), content(long)),
        Act::Begin { total } => return send(labels("BOB", None, &format!("1:{total}")), b"first"),
        Act::Chunk { message, number, long } => {
            let range = format!("{number}:3");
            let _ = chunk_with(mailroom, &pick(message), *number, &range, content(long));
        }
        Act::Acknowledge(message) => drop(mailroom.acknowledge(&mailbox("BOB"), &pick(message))),
        Act::Fail(message) => {
            mailroom.mark_failed(&pick(message), crate::protocol::ErrorCode::NoMailbox.into());
        }
        Act::Report => {
            let failure = crate::protocol::ErrorCode::Undelivered.into();
            let request = crate::emulator::ReportRequest {
                mailbox: mailbox("BOB"),
                workflow: crate::protocol::WorkflowId::parse("W2").unwrap(),
                failure,
                subject: Some("S".to_owned()),
                local_id: None,
                file_name: None,
                linked: Some(pick(&0)),
            };
            return mailroom.put_report(request);
        }
        Act::ResetBob => drop(mailroom.reset_mailbox(&mailbox("BOB"))),
        Act::Reset => mailroom.reset(),
        Act::Move { .. } | Act::Reopen | Act::Kill | Act::Logs { .. } | Act::Lose(_) => {}
    }
    None
}

/// All that a caller can find out, with IDs as their places among what was sent.
fn view(mailroom: &Mailroom, sent: &[MessageId]) -> Vec<String> {
    let place = |id: &MessageId| sent.iter().position(|sent| sent == id);
    let mut view = Vec::new();
    for at in ["ALICE", "BOB", "CAROL"] {
        let page = mailroom.inbox(&mailbox(at), &InboxQuery::parse("").unwrap()).unwrap();
        view.push(format!("{at} has {} of {}", page.messages.len(), page.approx_inbox_count));
        for id in &page.messages {
            let delivered = mailroom.message(&mailbox(at), id).unwrap();
            let message = &delivered.message;
            let report = message.report.as_ref().map(|report| {
                (report.linked.as_ref().and_then(place), report.failure.clone(), report.to.clone())
            });
            let bodies: Vec<_> = (1..4).filter_map(|n| delivered.chunk(n)).map(StoredBody::whole).collect();
            // What a synthetic receiver answers names a message.
            let bodies = if message.workflow().as_str() == "W1_ACK" { Vec::new() } else { bodies };
            let headers = &message.headers;
            view.push(format!("{at} {:?} {headers:?} {report:?} {bodies:?}", place(id)));
        }
    }
    for id in sent {
        let tracked = mailroom.track(&mailbox("ALICE"), id).map(|tracked| Tracked {
            message_id: MessageId::parse("NONE").unwrap(),
            sent_at: Default::default(),
            expires_at: Default::default(),
            status_at: Default::default(),
            ..tracked
        });
        view.push(format!("{:?} {tracked:?}", place(id)));
        // Also what was taken, where it is served again.
        let had = ["ALICE", "BOB"].map(|at| {
            let delivered = mailroom.message(&mailbox(at), id)?;
            Ok::<Vec<_>, Unavailable>(
                (1..4).filter_map(|n| delivered.chunk(n)).map(|body| body.whole().unwrap()).collect(),
            )
        });
        view.push(format!("{:?} {had:?}", place(id)));
    }
    for local_id in 0..3 {
        let local_id = crate::protocol::LocalId::parse(&format!("local {local_id}")).unwrap();
        let found = mailroom.track_local_id(&mailbox("ALICE"), &local_id);
        view.push(format!("{:?}", found.map(|found| found.map(|found| (found.status, found.size)))));
    }
    view
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn it_answers_as_one_in_memory_does_wherever_it_is_closed(
        acts in acts(), sandbox in any::<bool>()
    ) {
        let switches = if sandbox { Switches::of(Profile::Sandbox) } else { Switches::default() };
        let (clock, folder) = (Clock::new(), TempDir::new().unwrap());
        let passing = arranged(Mailroom::with_switches(clock.clone(), limits(), switches.clone()));
        let mut durable = open(&clock, &switches, folder.path());
        let [mut sent, mut sent_durably] = [Vec::new(), Vec::new()];
        for one in acts {
            match &one {
                Act::Reopen | Act::Kill => {
                    if matches!(one, Act::Kill) {
                        durable.flush();
                        leave(&durable);
                    }
                    drop(durable);
                    durable = open(&clock, &switches, folder.path());
                }
                Act::Logs { fail } => faults(&durable).logs.store(*fail, Ordering::SeqCst),
                Act::Move { days } => clock.move_by(TimeDelta::days(*days)).unwrap(),
                Act::Lose(lost) => {
                    // What is due is done in both, and kept.
                    view(&passing, &sent);
                    view(&durable, &sent_durably);
                    durable.lose(|durable| drop(act(durable, &sent_durably, lost)));
                }
                _ => {
                    sent.extend(act(&passing, &sent, &one));
                    sent_durably.extend(act(&durable, &sent_durably, &one));
                }
            }
            prop_assert_eq!(view(&passing, &sent), view(&durable, &sent_durably), "{:?}", one);
        }
        drop(durable);
        let durable = open(&clock, &switches, folder.path());
        prop_assert_eq!(view(&passing, &sent), view(&durable, &sent_durably));
        prop_assert!(durable.set_aside().is_empty());
    }
}

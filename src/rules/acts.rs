//! What a product did when it was asked, as the tape has it: which of its calls is the one to be judged.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Fault, FaultKind, chunks::is_complete, inbox_listed};
use crate::{
    protocol::{InboxQuery, MailboxId, MessageId, Operation, WorkflowId},
    tape::Exchange,
};

/// A poll cycle.
#[derive(Debug, Clone, Default)]
pub struct Poll {
    /// Each look at the inbox.
    pub pages: Vec<Arc<Exchange>>,
    /// The downloads of the message: one call, or one for each chunk.
    pub downloads: Vec<Arc<Exchange>>,
    /// Its acknowledgement.
    pub acknowledge: Option<Arc<Exchange>>,
}

impl Poll {
    /// What these calls did about this message.
    #[must_use]
    pub fn of(message: &MessageId, acts: &[Arc<Exchange>]) -> Self {
        let mut poll = Self { pages: inbox_checks(acts), ..Self::default() };
        for act in acts {
            match &act.operation {
                Some(Operation::GetMessage(_, id) | Operation::GetChunk(_, id, _)) if id == message => {
                    poll.downloads.push(Arc::clone(act));
                }
                Some(Operation::Acknowledge(_, id)) if id == message => {
                    poll.acknowledge = Some(Arc::clone(act));
                }
                _ => {}
            }
        }
        poll
    }

    /// The first of these calls that was refused this message: its download, or a look at its headers, which a product
    /// may take first. Where none was refused, the first of them.
    #[must_use]
    pub fn refused(message: &MessageId, acts: &[Arc<Exchange>]) -> Option<Arc<Exchange>> {
        let looks = || acts.iter().filter(|act| looked_at(act) == Some(message));
        let refused = looks().find(|act| act.status().is_some_and(|status| status >= 400));
        refused.or_else(|| looks().next()).cloned()
    }

    /// The message was not acknowledged before it was downloaded.
    ///
    /// # Errors
    /// A fault of the product, which has lost the message.
    pub fn downloaded_first(&self) -> Result<(), Fault> {
        let Some(acknowledge) = &self.acknowledge else { return Ok(()) };
        let is_first = |download: &Arc<Exchange>| acknowledge.started_at < download.started_at;
        if !self.downloads.iter().all(is_first) {
            return Ok(());
        }
        let what = "the message was acknowledged before it was downloaded";
        let remedy =
            "Download a message, keep it, and acknowledge it then: what is acknowledged is gone from MESH.";
        let seen = if self.downloads.is_empty() { "no download" } else { "the acknowledgement first" };
        let fault = Fault::new(FaultKind::Product, what, remedy);
        Err(fault
            .comparing("download message, then acknowledge message", seen)
            .from_source("Pack case 401; OpenAPI: Inbox poll cycle"))
    }

    /// Whether the last look came to the inbox's end: it was answered, and names no further page.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.pages
            .last()
            .is_some_and(|page| inbox_listed(page, &[]).is_ok_and(|listed| listed.links.next.is_none()))
    }
}

/// The looks at an inbox among these calls.
#[must_use]
pub fn inbox_checks(acts: &[Arc<Exchange>]) -> Vec<Arc<Exchange>> {
    let is_check = |act: &&Arc<Exchange>| matches!(&act.operation, Some(Operation::CheckInbox(_)));
    acts.iter().filter(is_check).cloned().collect()
}

/// The handshake among these calls: the first that was accepted, or else the last.
///
/// # Errors
/// A fault of the product that made none.
pub fn handshake_of(acts: &[Arc<Exchange>]) -> Result<Arc<Exchange>, Fault> {
    let is_handshake = |act: &&Arc<Exchange>| matches!(&act.operation, Some(Operation::Handshake(_)));
    let handshakes: Vec<&Arc<Exchange>> = acts.iter().filter(is_handshake).collect();
    let chosen = handshakes.iter().find(|act| act.status() == Some(200)).or(handshakes.last());
    chosen.map(|act| Arc::clone(act)).ok_or_else(|| {
        let what = "the product did not validate its mailbox";
        let remedy = "Validate the mailbox (handshake) when the product starts, and once in 24 hours after that: assessors look for it in the server's log.";
        instead(what, remedy, "a handshake", acts).from_source("OpenAPI: Validate a mailbox (Handshake)")
    })
}

/// The inbox check among these calls: the first.
///
/// # Errors
/// A fault of the product that made none.
pub fn inbox_check_of(acts: &[Arc<Exchange>]) -> Result<Arc<Exchange>, Fault> {
    inbox_checks(acts).into_iter().next().ok_or_else(|| {
        let what = "the product did not check its inbox";
        let remedy = "Check the inbox when the product is asked for a poll cycle, and directly after a send.";
        instead(what, remedy, "an inbox check", acts).from_source("OpenAPI: Check an inbox")
    })
}

/// The send among these calls that was to go to `to`: the one that was accepted, whole where it is in chunks, or else
/// the last.
///
/// # Errors
/// A fault of the product that sent nothing, to somebody else, or more than once. To begin a message in chunks anew of
/// which one was not accepted is to send once: what is not complete is delivered to nobody.
pub fn send_of(acts: &[Arc<Exchange>], to: &MailboxId) -> Result<Arc<Exchange>, Fault> {
    const SOURCE: &str = "OpenAPI: Send message";
    const NOBODY: &str = "none";
    let is_send = |act: &&Arc<Exchange>| matches!(&act.operation, Some(Operation::SendMessage(_)));
    let sends: Vec<&Arc<Exchange>> = acts.iter().filter(is_send).collect();
    let Some(any) = sends.last() else {
        let remedy = "Send the message with one request when the product is asked to send it.";
        return Err(instead("the product sent no message", remedy, "a send", acts).from_source(SOURCE));
    };
    let recipient = |send: &Exchange| send.request.head.header("mex-to").unwrap_or(NOBODY).trim().to_owned();
    let addressed: Vec<&&Arc<Exchange>> =
        sends.iter().filter(|send| recipient(send) == to.as_str()).collect();
    let Some(last) = addressed.last() else {
        let what = if recipient(any) == NOBODY {
            "the product did not say whom the message is for"
        } else {
            "the product sent the message to somebody else than it was asked to"
        };
        let remedy = "Put the mailbox ID that the product is given into Mex-To, as it is.";
        let fault = Fault::new(FaultKind::Product, what, remedy);
        return Err(fault
            .comparing(format!("Mex-To: {to}"), format!("Mex-To: {}", recipient(any)))
            .from_source(SOURCE));
    };
    let content = |send: &Exchange| send.request.body.sha256_to_compare();
    let copy = sends.iter().find(|send| recipient(send) != to.as_str() && content(send) == content(last));
    if let Some(copy) = copy {
        let what = "the product sent the message to somebody else as well";
        let remedy = "Send to the mailbox ID that the product is given, and to no other.";
        let fault = Fault::new(FaultKind::Product, what, remedy);
        return Err(fault
            .comparing(format!("Mex-To: {to}"), format!("Mex-To: {}", recipient(copy)))
            .from_source(SOURCE));
    }
    let accepted: Vec<_> = addressed.iter().filter(|send| send.status() == Some(202)).collect();
    let whole: Vec<_> = accepted.iter().filter(|send| is_complete(send, acts)).collect();
    if whole.len() > 1 {
        let what = "the product sent the message more than once, and each was accepted";
        let remedy = "Send once. A send that was answered 202 is done; only one that was not answered may be repeated, and then with the same Mex-LocalID.";
        let seen = format!("{} accepted sends", whole.len());
        return Err(Fault::new(FaultKind::Product, what, remedy).comparing("one", seen).from_source(SOURCE));
    }
    let chosen = whole.first().map(|send| **send).or(accepted.last().copied());
    Ok(Arc::clone(chosen.unwrap_or(last)))
}

/// The send has the workflow ID that the product was asked to send with. Whether it has one at all is
/// another step's to judge.
///
/// # Errors
/// A fault of the product that sent with another: its recipient files the message wrongly, or never sees it.
pub fn of_workflow(send: &Exchange, asked: &WorkflowId) -> Result<(), Fault> {
    let seen = send.request.head.header("mex-workflowid").unwrap_or_default().trim();
    if seen.is_empty() || seen == asked.as_str() {
        return Ok(());
    }
    let what = "the product sent the message with another workflow ID than it was asked to";
    let remedy = "Put the workflow ID that the product is given into Mex-WorkflowID, as it is: recipients tell by it what a message is for.";
    let fault = Fault::new(FaultKind::Product, what, remedy);
    Err(fault
        .comparing(format!("Mex-WorkflowID: {asked}"), format!("Mex-WorkflowID: {seen}"))
        .from_source("OpenAPI: Send message, mex-workflowid"))
}

/// The labels of the send are not mixed up: none stands in the header of another that has yet another's. A
/// product may leave them off, have its own, or write one into two headers.
///
/// # Errors
/// A fault of the product: its recipient files the message wrongly, and reports come back under the wrong
/// reference.
pub fn labels_in_place(send: &Exchange, asked: &[(&str, &str)]) -> Result<(), Fault> {
    let seen = |name: &str| send.request.head.header(name).unwrap_or_default().trim();
    // Whose label stands in this header, where it is not its own.
    let stranger = |name: &str| {
        let of = |(other, given): &&(&str, &str)| *other != name && *given == seen(name) && !given.is_empty();
        asked.iter().find(of).map(|(other, _)| *other)
    };
    let mixed_up =
        asked.iter().find(|(name, _)| stranger(name).is_some_and(|other| stranger(other).is_some()));
    let Some((name, given)) = mixed_up else { return Ok(()) };
    let other = stranger(name).unwrap_or_default();
    let what =
        format!("the product sent the message with the label of {other} in {name}, and another in its place");
    let remedy = "Put each label that the product is given into the header of its name: the recipient files the message by them, and a report comes back under them.";
    let fault = Fault::new(FaultKind::Product, what, remedy);
    Err(fault
        .comparing(format!("{name}: {given}"), format!("{name}: {}", seen(name)))
        .from_source("OpenAPI: Send message, mex-localid, mex-subject, mex-filename"))
}

/// The send has no Mex-LocalID that the run made for another message: a product may leave it off, or have its own, and that
/// is neither.
///
/// # Errors
/// A fault of the product: what is told of the one message, a report or a tracking, is taken for the other.
pub fn not_labelled_as_another(
    send: &Exchange,
    asked: &str,
    is_made: impl Fn(&str) -> bool,
) -> Result<(), Fault> {
    let seen = send.request.head.header("mex-localid").unwrap_or_default().trim();
    if seen == asked || !is_made(seen) {
        return Ok(());
    }
    let what = "the product sent the message with the local ID of another message";
    let remedy = "Put the local ID that the product is given into Mex-LocalID of this message alone: a report comes back under it, and tracking finds the message by it.";
    let fault = Fault::new(FaultKind::Product, what, remedy);
    Err(fault
        .comparing(format!("Mex-LocalID: {asked}"), format!("Mex-LocalID: {seen}"))
        .from_source("OpenAPI: Send message, mex-localid"))
}

/// A look at the inbox can list messages of this workflow.
///
/// # Errors
/// A fault of the product of which each look asks for other workflows only.
pub fn looks_for_workflow(pages: &[Arc<Exchange>], workflow: &WorkflowId) -> Result<(), Fault> {
    let filter = |page: &Arc<Exchange>| {
        let query = page.request.head.target.split_once('?')?.1;
        InboxQuery::parse(query).ok()?.workflow_filter
    };
    let leaves_out = |page: &Arc<Exchange>| filter(page).is_some_and(|filter| !filter.admits(workflow));
    let Some(last) = pages.last().filter(|_| pages.iter().all(leaves_out)) else { return Ok(()) };
    let what = "the product's inbox check leaves the message out by its workflow_filter";
    let remedy = "Leave workflow_filter off, or let it admit the workflow ID of the run, workflow_id in the configuration.";
    let fault = Fault::new(FaultKind::Product, what, remedy);
    let seen = last.request.head.target.split_once('?').map_or("", |(_, query)| query);
    let seen = seen.chars().take(80).collect::<String>();
    Err(fault
        .comparing(format!("a look that lists messages of {workflow}"), seen)
        .from_source("OpenAPI: Check an inbox, workflow_filter"))
}

/// The product looked into its inbox, and was shown it each time.
///
/// # Errors
/// A fault of the product that did not look, or why its inbox was not listed.
pub fn was_shown_inbox(acts: &[Arc<Exchange>], tape: &[Arc<Exchange>]) -> Result<(), Fault> {
    inbox_check_of(acts)?;
    inbox_checks(acts).iter().try_for_each(|page| inbox_listed(page, tape).map(drop))
}

/// The product has tried to download all that its inbox listed, and acknowledged nothing before.
///
/// # Errors
/// A fault of the product that left something, or let go of it.
pub fn left_nothing(acts: &[Arc<Exchange>]) -> Result<(), Fault> {
    let pages = || inbox_checks(acts).into_iter().filter_map(|page| inbox_listed(&page, &[]).ok());
    let mut listed = pages().flat_map(|page| page.messages).filter_map(|id| MessageId::parse(&id).ok());
    listed.try_for_each(|id| Poll::of(&id, acts).downloaded_first())?;
    let tried: BTreeSet<&str> = acts.iter().filter_map(|act| looked_at(act)).map(MessageId::as_str).collect();
    let Some(left) = pages().flat_map(|page| page.messages).find(|id| !tried.contains(id.as_str())) else {
        return Ok(());
    };
    let what =
        format!("the product's inbox listed message {left}, and the product did not download it by its ID");
    let remedy = "Download every message that the inbox lists, and look at its Mex-MessageType then: only that tells a report.";
    let fault = Fault::new(FaultKind::Product, what, remedy).comparing("download message", "none of it");
    Err(fault.from_source("OpenAPI: Inbox poll cycle; Asynchronous error reporting"))
}

/// Messages are named by the IDs that the inbox lists, letter for letter.
///
/// # Errors
/// A fault of the product that was refused a message which it named in another letter case.
pub fn named_as_listed(acts: &[Arc<Exchange>]) -> Result<(), Fault> {
    let pages = inbox_checks(acts).into_iter().filter_map(|page| inbox_listed(&page, &[]).ok());
    let listed: BTreeMap<String, String> =
        pages.flat_map(|page| page.messages).map(|id| (id.to_ascii_uppercase(), id)).collect();
    for act in acts {
        let Some(status) = act.status().filter(|status| *status >= 400) else { continue };
        let Some(
            Operation::GetMessage(_, id)
            | Operation::HeadMessage(_, id)
            | Operation::GetChunk(_, id, _)
            | Operation::Acknowledge(_, id),
        ) = &act.operation
        else {
            continue;
        };
        let Some(listed) = listed.get(&id.as_str().to_ascii_uppercase()) else { continue };
        if listed != id.as_str() {
            let what = "the product named a message in another letter case than its inbox lists it";
            let remedy = "Keep a message ID as the inbox lists it, letter for letter: in another case it names no message.";
            let fault = Fault::new(FaultKind::Product, what, remedy);
            let seen = format!("{} {id}, answered {status}", called(act));
            return Err(fault.comparing(listed, seen).from_source("OpenAPI: Check an inbox; Get Message"));
        }
    }
    Ok(())
}

/// The message that was downloaded, or its headers alone.
pub(super) fn looked_at(act: &Exchange) -> Option<&MessageId> {
    match &act.operation {
        Some(Operation::GetMessage(_, id) | Operation::HeadMessage(_, id)) => Some(id),
        _ => None,
    }
}

/// The report on a message among what these calls read, its own ID and the call that read it: its download, or a look
/// at its headers where that was all. A report has no content (OpenAPI, "Head Message").
#[must_use]
pub fn report_of(about: &MessageId, acts: &[Arc<Exchange>]) -> Option<(MessageId, Arc<Exchange>)> {
    let tells = |act: &&Arc<Exchange>| super::is_report_on(act, about);
    let looks = || acts.iter().filter(tells);
    let id = looks().find_map(|act| looked_at(act))?.clone();
    let downloads = |act: &&Arc<Exchange>| matches!(&act.operation, Some(Operation::GetMessage(_, other)) if *other == id);
    let read = acts.iter().find(downloads).or_else(|| looks().rfind(|act| looked_at(act) == Some(&id)))?;
    Some((id, Arc::clone(read)))
}

/// The product made no call at all. `asked` is what it was asked to do, `how` how its driver ended, `connection`
/// what became of a connection that it made.
#[must_use]
pub fn idle(asked: &str, how: &str, connection: Option<&str>) -> Fault {
    let what = format!("the product was asked to {asked}, and made no call");
    let remedy = "Look at what its driver put out, in data/product: whether it calls MESH_URL, trusts MESH_CA_FILE, and presents MESH_CLIENT_CERT with MESH_CLIENT_KEY. A TLS handshake that fails is no call. A webhook answers when the action is over, or 202 at once: what comes after any other answer is not seen.";
    Fault::new(FaultKind::Product, what, remedy).comparing(
        "at least one call",
        connection
            .map_or_else(|| how.to_owned(), |why| format!("{how}; a connection came to nothing: {why}")),
    )
}

/// The product says that it failed, and on the wire all went well.
#[must_use]
pub fn needless_failure(how: &str) -> Fault {
    let what = "the product believes that it failed, and by the wire it succeeded";
    let remedy = "Look at what its driver put out, in data/product: whoever relies on the product would send again, or raise an alarm.";
    Fault::new(FaultKind::Product, what, remedy).comparing("success, such as exit code 0", how)
}

/// The product was ended, or crashed, and on the wire all went well. `how` says which.
#[must_use]
pub fn no_end_of_its_own(how: &str) -> Fault {
    let what = "the product came to no end of its own, and by the wire it succeeded";
    let remedy = "Look at what its driver put out, in data/product: it must end, and say how it went. If it works on, give product.driver.timeout more seconds.";
    Fault::new(FaultKind::Product, what, remedy).comparing("an end, such as exit code 0", how)
}

/// The product says that it succeeded, and MESH said no.
#[must_use]
pub fn overlooked_refusal(refusal: &Exchange, how: &str) -> Fault {
    let operation = refusal.operation.as_ref().map_or("the call", Operation::name);
    let status = refusal.status().unwrap_or_default();
    let what = format!("the product believes that it succeeded, and {operation} was answered {status}");
    let remedy = "Take a refusal for a failure, and say so: here with an exit code other than 0, in the field to a person.";
    let fault = Fault::new(FaultKind::Product, what, remedy).comparing("a failure that is told", how);
    fault.from_source("Pack, set 7")
}

/// What was called; of what is no operation of the API, how.
pub(super) fn called(act: &Exchange) -> String {
    let head = &act.request.head;
    act.operation.as_ref().map_or_else(
        || {
            let line = format!("{} {}", head.method, head.target);
            format!("another call ({})", line.chars().take(80).collect::<String>())
        },
        |operation| operation.name().to_owned(),
    )
}

fn instead(what: &str, remedy: &str, expected: &str, acts: &[Arc<Exchange>]) -> Fault {
    let mut seen: Vec<String> = acts.iter().take(10).map(|act| called(act)).collect();
    if acts.len() > seen.len() {
        seen.push("and more".to_owned());
    }
    let seen = if seen.is_empty() { "nothing".to_owned() } else { seen.join(", ") };
    Fault::new(FaultKind::Product, what, remedy).comparing(expected, seen)
}

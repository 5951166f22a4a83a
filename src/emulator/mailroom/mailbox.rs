//! Mailboxes and workflows: who there is, and who may send what to whom.

use std::collections::BTreeSet;

use super::Mailroom;
use crate::{
    emulator::switches::Workflows,
    protocol::{Correspondent, ErrorCode, MailboxId, OdsCode, Password, WorkflowId},
};

/// A mailbox and the organisation that it belongs to.
#[derive(Debug, Clone)]
pub struct Mailbox {
    /// Its ID.
    pub id: MailboxId,
    /// Its password.
    pub password: Password,
    /// A name for people.
    pub name: String,
    /// The organisation's ODS code.
    pub ods_code: String,
    /// The organisation's code.
    pub org_code: String,
    /// The organisation's name.
    pub org_name: String,
    /// Who is billed for it.
    pub billing_entity: Option<String>,
    /// Whether calls are let in. A disabled mailbox is answered 403 (pack case 701).
    pub active: bool,
    /// Whether chunked messages are delivered to it; if not, a send is code 19. The MESH UI and
    /// older clients take none (OpenAPI, "Outbox workflow").
    pub takes_chunks: bool,
    /// What happens to messages that are delivered to it.
    pub receiver: Receiver,
}

/// What happens to a message when it is delivered. Everything but the first is for rehearsing the
/// other side alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Receiver {
    /// It waits for a client; without one the mailbox is dormant, and the message expires.
    #[default]
    Dormant,
    /// It is acknowledged at once.
    Collects,
    /// It is acknowledged and answered with a positive business acknowledgement on the workflow
    /// `<workflow>_ACK` (OpenAPI, "Track outbox": the convention).
    Accepts,
    /// The same with a negative one.
    Rejects,
}

/// A workflow that is registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workflow {
    /// Its ID.
    pub id: WorkflowId,
    /// Who may send it.
    pub senders: BTreeSet<MailboxId>,
    /// Who may receive it, and is found by the lookups.
    pub receivers: BTreeSet<MailboxId>,
    /// Whether others are refused: as sender with code 16, as receiver with code 17.
    pub restricted: bool,
    /// Whether it may be sent in chunks; if not, a send is code 19.
    pub takes_chunks: bool,
}

impl Mailbox {
    /// An active mailbox; the ODS code is the ID's first three characters, as in `X26HC005`.
    #[must_use]
    pub fn new(id: MailboxId, password: Password) -> Self {
        let ods_code: String = id.as_str().chars().take(3).collect();
        Self {
            password,
            name: id.to_string(),
            org_code: ods_code.clone(),
            org_name: format!("Organisation {ods_code}"),
            ods_code,
            id,
            billing_entity: None,
            active: true,
            takes_chunks: true,
            receiver: Receiver::Dormant,
        }
    }

    /// What tracking and lookups show of it.
    #[must_use]
    pub fn correspondent(&self) -> Correspondent {
        Correspondent {
            mailbox: self.id.to_string(),
            name: self.name.clone(),
            ods_code: self.ods_code.clone(),
            org_code: self.org_code.clone(),
            org_name: self.org_name.clone(),
        }
    }
}

impl Mailroom {
    /// Registers a mailbox, or gives an existing one another password.
    pub fn register(&self, id: MailboxId, password: Password) {
        let mut rooms = self.lock();
        match rooms.mailboxes.get_mut(&id) {
            Some(mailbox) => mailbox.password = password,
            None => drop(rooms.mailboxes.insert(id.clone(), Mailbox::new(id, password))),
        }
    }

    /// Registers a mailbox with all that is known of it. What waits in an existing one stays.
    pub fn install(&self, mailbox: Mailbox) {
        self.lock().mailboxes.insert(mailbox.id.clone(), mailbox);
    }

    /// Registers a workflow, in the place of one with the same ID.
    pub fn install_workflow(&self, workflow: Workflow) {
        self.lock().workflows.insert(workflow.id.clone(), workflow);
    }

    /// Lets calls on a mailbox in, or answers them 403 from now on. `false` when there is none.
    pub fn set_active(&self, id: &MailboxId, active: bool) -> bool {
        match self.lock().mailboxes.get_mut(id) {
            Some(mailbox) => {
                mailbox.active = active;
                true
            }
            None => false,
        }
    }

    /// A mailbox as it is registered.
    #[must_use]
    pub fn mailbox(&self, id: &MailboxId) -> Option<Mailbox> {
        self.lock().mailboxes.get(id).cloned()
    }

    /// The password of a mailbox, and whether it is active; `None` when it is not registered.
    pub(in crate::emulator) fn door(&self, id: &MailboxId) -> Option<(Password, bool)> {
        self.lock().mailboxes.get(id).map(|mailbox| (mailbox.password.clone(), mailbox.active))
    }

    /// The mailboxes that receive a workflow, of one organisation or of all, by their IDs.
    pub(in crate::emulator) fn look_up(
        &self,
        ods_code: Option<&OdsCode>,
        workflow: &WorkflowId,
    ) -> Vec<Correspondent> {
        let rooms = self.lock();
        let receivers = rooms.workflows.get(workflow).map(|workflow| &workflow.receivers);
        let mailboxes = receivers.into_iter().flatten().filter_map(|id| rooms.mailboxes.get(id));
        // ODS codes have capitals, however they are registered (mesh-sandbox 1.0.137).
        let of = |code: &OdsCode, mailbox: &Mailbox| code.as_str() == mailbox.ods_code.trim().to_uppercase();
        mailboxes
            .filter(|mailbox| ods_code.is_none_or(|code| of(code, mailbox)))
            .map(Mailbox::correspondent)
            .collect()
    }
}

impl super::Rooms {
    /// Whether this workflow may go this way; if not, why.
    pub(super) fn permits(
        &self,
        enforced: Workflows,
        sender: &MailboxId,
        recipient: &MailboxId,
        workflow: &WorkflowId,
        chunked: bool,
    ) -> Result<(), ErrorCode> {
        let registered = self.workflows.get(workflow);
        match (enforced, registered) {
            (Workflows::Ignored, _) | (Workflows::Registered, None) => {}
            (Workflows::All, None) => return Err(ErrorCode::WorkflowNotRegistered),
            (_, Some(workflow)) if workflow.restricted && !workflow.senders.contains(sender) => {
                return Err(ErrorCode::SenderNotAllowed);
            }
            (_, Some(workflow)) if workflow.restricted && !workflow.receivers.contains(recipient) => {
                return Err(ErrorCode::WorkflowNotRegistered);
            }
            _ => {}
        }
        let recipient_takes = || self.mailboxes.get(recipient).is_none_or(|mailbox| mailbox.takes_chunks);
        let workflow_takes = || registered.is_none_or(|workflow| workflow.takes_chunks);
        if chunked && !(recipient_takes() && workflow_takes()) {
            return Err(ErrorCode::ChunkingNotSupported);
        }
        Ok(())
    }
}

//! What a scenario arranges behind the endpoint, which only our own emulator lets it do.

use std::{collections::BTreeSet, sync::Arc};

use chrono::NaiveDate;

use super::{Caller, Side, misplaced};
use crate::{
    emulator::{Mailroom, Patient, Workflow},
    protocol::{MailboxId, MessageId, NhsNumber, WorkflowId},
    runner::{Fault, Role},
};

/// The patient's date of birth and surname, as addresses in the feature files have them.
const BORN: (i32, u32, u32) = (1957, 4, 30);
const SURNAME: &str = "SMITH";

impl Caller {
    /// Registers the scenario's own workflow, restricted to some mailboxes or not.
    ///
    /// # Errors
    /// When the endpoint is not our own; so for everything here.
    pub fn register_workflow(
        &self,
        senders: &[Role],
        receivers: &[Role],
        restricted: bool,
        takes_chunks: bool,
    ) -> Result<(), Fault> {
        let of = |roles: &[Role]| -> BTreeSet<MailboxId> {
            roles.iter().filter_map(|role| MailboxId::parse(&self.mailbox(Side::from(*role))).ok()).collect()
        };
        let id = WorkflowId::parse(&self.own_workflow).map_err(|error| misplaced(error.to_string()))?;
        let (senders, receivers) = (of(senders), of(receivers));
        self.mailroom()?.install_workflow(Workflow { id, senders, receivers, restricted, takes_chunks });
        Ok(())
    }

    /// Disables a mailbox (pack case 701).
    ///
    /// # Errors
    /// See [`Caller::register_workflow`].
    pub fn disable(&self, role: Role) -> Result<(), Fault> {
        let id = self.mailbox(role.into());
        let id = MailboxId::parse(&id).map_err(|error| misplaced(error.to_string()))?;
        self.mailroom()?.set_active(&id, false);
        Ok(())
    }

    /// Lets a mailbox take no chunked messages.
    ///
    /// # Errors
    /// See [`Caller::register_workflow`].
    pub fn take_no_chunks(&self, role: Role) -> Result<(), Fault> {
        let id = self.mailbox(role.into());
        let id = MailboxId::parse(&id).map_err(|error| misplaced(error.to_string()))?;
        let mailroom = self.mailroom()?;
        if let Some(mailbox) = mailroom.mailbox(&id) {
            mailroom.install(crate::emulator::Mailbox { takes_chunks: false, ..mailbox });
        }
        Ok(())
    }

    /// Makes a patient known whose practice has these mailboxes. Synthetic.
    ///
    /// # Errors
    /// See [`Caller::register_workflow`].
    pub fn register_patient(&self, practice: &[Role]) -> Result<(), Fault> {
        let number =
            NhsNumber::parse(&self.patient_number()).map_err(|error| misplaced(error.to_string()))?;
        let mailboxes =
            practice.iter().filter_map(|role| MailboxId::parse(&self.mailbox(Side::from(*role))).ok());
        let (year, month, day) = BORN;
        let born = NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default();
        let mailboxes = mailboxes.collect();
        let patient = Patient { nhs_number: number, born, surname: SURNAME.to_owned(), mailboxes };
        self.mailroom()?.install_patient(patient);
        Ok(())
    }

    /// The message is not collected in time.
    ///
    /// # Errors
    /// See [`Caller::register_workflow`].
    pub fn let_expire(&self) -> Result<(), Fault> {
        let id = MessageId::parse(&self.fill("{message}")?).map_err(|error| misplaced(error.to_string()))?;
        self.mailroom()?.mark_undeliverable(&id);
        Ok(())
    }

    /// An NHS number of the test range that begins with 999, valid, and no other scenario's.
    pub(super) fn patient_number(&self) -> String {
        let candidates = (0..).map(|step| 9_990_000_000_u64 + (self.scenario.0 as u64) * 100 + step);
        let mut valid = candidates.map(|number| number.to_string()).take(100);
        valid.find(|number| NhsNumber::parse(number).is_ok()).unwrap_or_default()
    }

    fn mailroom(&self) -> Result<&Arc<Mailroom>, Fault> {
        let missing =
            || misplaced("only our own emulator can be arranged: tag the scenario @emulator-only".to_owned());
        self.mailroom.as_ref().ok_or_else(missing)
    }
}

//! Addresses that name a patient instead of a mailbox: `GPPROVIDER_<NHS number>_<date of birth>_<surname>`.

use chrono::NaiveDate;

use super::Rooms;
use crate::{
    emulator::switches::PatientRouting,
    protocol::{DateOrder, ErrorCode, MailboxId, NhsNumber, PatientAddress, PatientAddressError, WorkflowId},
};

/// A patient, as demographics know one. Synthetic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patient {
    /// NHS number.
    pub nhs_number: NhsNumber,
    /// Date of birth.
    pub born: NaiveDate,
    /// Surname.
    pub surname: String,
    /// The mailboxes of the practice: one, or the lookup fails.
    pub mailboxes: Vec<MailboxId>,
}

/// Workflows that may be addressed to a patient (NHS guide to the MESH endpoint lookup).
const ROUTED: [&str; 10] = [
    "TOC_FHIR_IP_DISCH",
    "TOC_FHIR_MH_DISCH",
    "TOC_FHIR_EC_DISCH",
    "TOC_FHIR_OP_ATTEN",
    "TOC_OUTP_ATT_DMS",
    "GPFED_CONSULT_REPORT",
    "GPFED_CONSULT_REPORT_ACK",
    "GPCONNECT_UPDATE_RECORD",
    "GPCONNECT_UPDATE_RECORD_ACK",
    "GPCONNECT_SEND_DOCUMENT",
];

impl super::Mailroom {
    /// Makes a patient known to the routing, in the place of one with the same NHS number.
    pub fn install_patient(&self, patient: Patient) {
        self.lock().patients.insert(patient.nhs_number, patient);
    }
}

impl Rooms {
    /// Where the practice of the patient is; `None` when the address names no patient, or may not.
    pub(super) fn route_patient(
        &self,
        address: &str,
        workflow: &WorkflowId,
    ) -> Option<Result<MailboxId, ErrorCode>> {
        let order = match self.switches.patient_routing {
            PatientRouting::DayFirst => DateOrder::DayFirst,
            PatientRouting::YearFirst => DateOrder::YearFirst,
            PatientRouting::Off => return None,
        };
        if !ROUTED.contains(&workflow.as_str()) {
            return None;
        }
        match PatientAddress::parse(address, order) {
            Err(PatientAddressError::NotOfAPatient) => None,
            Err(PatientAddressError::NhsNumber) => Some(Err(ErrorCode::InvalidNhsNumber)),
            // A date or a name that cannot be anybody's is not this patient's.
            Err(PatientAddressError::Demographics) => Some(Err(ErrorCode::DemographicsMismatch)),
            Ok(address) => Some(self.find_practice(&address)),
        }
    }

    fn find_practice(&self, address: &PatientAddress) -> Result<MailboxId, ErrorCode> {
        let patient = self.patients.get(&address.nhs_number).ok_or(ErrorCode::NhsNumberNotFound)?;
        if patient.born != address.born || !patient.surname.eq_ignore_ascii_case(&address.surname) {
            return Err(ErrorCode::DemographicsMismatch);
        }
        let mut registered = patient.mailboxes.iter().filter(|id| self.mailboxes.contains_key(id));
        match (registered.next(), registered.next()) {
            (Some(one), None) => Ok(one.clone()),
            (None, _) => Err(ErrorCode::NoMailbox),
            (Some(_), Some(_)) => Err(ErrorCode::SeveralMailboxes),
        }
    }
}

//! Cases that a person attests (pack cases 801 to 803).

use super::{Fault, Stage};
use crate::runner::setting::Remark;

impl Stage {
    /// A named person said so for this scenario's case. Never a pass: without a person it is not run.
    ///
    /// # Errors
    /// The scenario is not run when nobody has said so.
    pub fn attested(&mut self) -> Result<(), Fault> {
        let said = self.setting.terms.attestations.iter().find(|said| said.case == self.label).cloned();
        let Some(said) = said else {
            let asked = if self.setting.terms.practice {
                "nobody was asked, since this is practice: give --attestations FILE to rehearse it"
            } else {
                "nobody has attested it: answer on the terminal, or give --attestations FILE"
            };
            return Err(self.not_run(asked));
        };
        self.setting.ledger.remark(self.scenario, Remark::Attested(said));
        Ok(())
    }
}

//! Somebody else in MESH's place, or elsewhere, and what the product does about it.

use std::{collections::BTreeMap, sync::Arc};

use super::{Fault, FaultKind, Stage, out_of_order};
use crate::{
    emulator::{Calls, Deed, Impostor, Recorder, RedirectStatus, Stranger, Untrusted},
    product::Product,
    rules,
    tape::{Attempt, Exchange},
};

/// Another host, and who records what comes to it.
pub(super) struct Elsewhere {
    stranger: Stranger,
    recorder: Recorder,
}

impl Elsewhere {
    /// Waits until what a product saw the end of is on the tape.
    pub async fn settled(&self) {
        self.recorder.settled().await;
    }

    /// Whether a call was made to it.
    pub fn was_called(&self, act: &Exchange) -> bool {
        [true, false].iter().any(|encrypted| act.origin == self.stranger.place(*encrypted).to_string())
    }
}

impl Stage {
    /// From now on somebody answers at the endpoint's address whose certificate is wrong in this way. Connections
    /// that are open are ended, and no session of TLS is resumed.
    ///
    /// # Errors
    /// The scenario is not run at an endpoint that is not ours, or where there is no TLS.
    pub async fn present(&mut self, wrong: Untrusted) -> Result<(), Fault> {
        let endpoint = self.demand_own_endpoint()?;
        let (pki, url) = (endpoint.pki().cloned(), endpoint.url());
        let Some(pki) = pki else {
            return Err(self.not_run("the endpoint is called without TLS, and has no certificate"));
        };
        let (tape, scenario) = (self.setting.tape.clone(), self.scenario);
        let keep = move |attempt| tape.witness(Attempt { scenario, ..attempt });
        let impostor = Impostor::new(&pki, wrong, url, keep).map_err(|error| ours(&error))?;
        self.hang_up();
        self.demand_own_endpoint()?.provocations().clone().present(Some(impostor)).await;
        self.trial.impostor = Some(wrong);
        self.note(format!(
            "On purpose, by this scenario: whoever answers at the endpoint's address has a certificate {wrong}"
        ));
        self.setting.ledger.provoked(self.scenario);
        Ok(())
    }

    /// Each call of the product's of this kind is redirected to another host, until MESH is well again.
    ///
    /// # Errors
    /// As [`Stage::provoke`]; and a fault of the feature file for a status that is no redirect.
    pub async fn redirect(&mut self, calls: Calls, status: u16, encrypted: bool) -> Result<(), Fault> {
        let status = RedirectStatus::of(status).ok_or_else(|| {
            let numbers = RedirectStatus::ALL.map(|status| status.number().to_string()).join(", ");
            let what = format!("a call cannot be redirected with {status}");
            Fault::new(FaultKind::Configuration, what, format!("Name one of {numbers}."))
        })?;
        let pki = self.demand_own_endpoint()?.pki().cloned();
        let Some(pki) = pki else {
            return Err(self.not_run("the endpoint is called without TLS, and so would be another host"));
        };
        if self.trial.elsewhere.is_none() {
            let (tape, scenario) = (self.setting.tape.clone(), self.scenario);
            let keep = move |exchange| drop(tape.append(Exchange { scenario, ..exchange }));
            let redactor = self.setting.redactor.clone();
            let recorder = Recorder::new(redactor, Some(&pki.server_certificate()), keep);
            let stranger = Stranger::start(&pki, recorder.clone()).await.map_err(|error| ours(&error))?;
            self.trial.elsewhere = Some(Elsewhere { stranger, recorder });
        }
        let place = self.trial.elsewhere.as_ref().map(|elsewhere| elsewhere.stranger.place(encrypted));
        let to = place.ok_or_else(|| out_of_order("another host"))?;
        self.provoke(calls, Deed::Redirected { status, to }, None)
    }

    /// The endpoint is itself again. What came to an impostor meanwhile is judged once more.
    pub(super) async fn unmask(&mut self) -> Result<(), Fault> {
        if self.trial.impostor.take().is_none() {
            return Ok(());
        }
        self.hang_up();
        self.demand_own_endpoint()?.provocations().clone().present(None).await;
        self.trial.attempts.clear();
        self.judge_impostor()
    }

    /// The product sent nothing to whoever had a certificate that nobody should trust.
    ///
    /// # Errors
    /// When it did; and when no such certificate was presented.
    pub fn sent_nothing_to_impostor(&self) -> Result<(), Fault> {
        if self.setting.tape.attempts_of(self.scenario).is_empty() {
            return Err(out_of_order("a certificate that nobody should trust, and the product asked to act"));
        }
        self.judge_impostor()
    }

    fn judge_impostor(&self) -> Result<(), Fault> {
        let own: Vec<Arc<Exchange>> = rules::of_product(&self.own_exchanges()).into_iter().cloned().collect();
        rules::sends_nothing_to_impostor(&self.setting.tape.attempts_of(self.scenario), &own)
    }

    /// The product went to no other host: not with its token, and with nothing in the clear. To go there without
    /// is a warning.
    ///
    /// # Errors
    /// When it did; and when nothing was redirected.
    pub fn stayed_with_mesh(&self) -> Result<(), Fault> {
        let elsewhere = self.trial.elsewhere.as_ref().ok_or_else(|| out_of_order("a redirect"))?;
        let own = self.own_exchanges();
        let gone: Vec<Arc<Exchange>> = own.iter().filter(|act| elsewhere.was_called(act)).cloned().collect();
        if let Some(fault) = rules::stays_with_mesh(&gone)? {
            self.warn(fault);
        }
        Ok(())
    }

    /// The product has seen the certificate: a scenario in which it did not connect shows nothing.
    pub(super) fn take_note_of_attempts(
        &mut self,
        asked: &str,
        acts: Vec<Arc<Exchange>>,
    ) -> Result<(), Fault> {
        let all = self.setting.tape.attempts_of(self.scenario);
        let attempts: Vec<Arc<Attempt>> = all.iter().skip(self.trial.attempts_before).cloned().collect();
        self.trial.attempts_before = all.len();
        acts.iter().for_each(|act| self.look(act));
        for (what, count) in told(&attempts) {
            let times = if count == 1 { "A connection".to_owned() } else { format!("{count} connections") };
            self.note(format!("{times} to whoever has {what}"));
        }
        let how = self.how().unwrap_or_else(|| "nothing".to_owned());
        let met = rules::met_impostor(&attempts, &acts, asked, &how);
        (self.trial.attempts, self.trial.acts) = (attempts, acts);
        met
    }

    /// Connections of our own clients end: they would be kept for the next call.
    fn hang_up(&mut self) {
        self.counterpart.hang_up();
        if let Product::Reference(client) = &mut self.product {
            client.hang_up();
        }
    }
}

/// What became of connections, each kind once and in the order in which they first came.
fn told(attempts: &[Arc<Attempt>]) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (place, attempt) in attempts.iter().enumerate() {
        counts.entry(format!("{}: {attempt}", attempt.wrong)).or_insert((place, 0)).1 += 1;
    }
    let mut told: Vec<(usize, String, usize)> =
        counts.into_iter().map(|(what, (place, count))| (place, what, count)).collect();
    told.sort_unstable();
    told.into_iter().map(|(_, what, count)| (what, count)).collect()
}

fn ours(error: &dyn std::error::Error) -> Fault {
    let remedy = "This is a fault of mesh-witness: please report it.";
    Fault::new(FaultKind::Harness, error.to_string(), remedy)
}

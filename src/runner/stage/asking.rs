//! Asking the product to act, and reading from the tape what it did.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::Utc;
use tokio::time::sleep;

use super::{Fault, FaultKind, Role, Stage, pace, patience::Patience};
use crate::{
    product::{Ask, AskError, Product, Said},
    rules,
    runner::{
        relayed::Relay,
        setting::{EvidenceFile, Lease},
    },
    tape::{Exchange, Sha256},
};

impl Stage {
    /// Asks the product to act, and gives the calls that it has made since, in the order in which they
    /// ended.
    pub(super) async fn ask(&mut self, ask: Ask<'_>) -> Result<Vec<Arc<Exchange>>, Fault> {
        let (setting, scenario) = (Arc::clone(&self.setting), self.scenario);
        let tape = setting.tape.clone();
        let of_product = move || -> Vec<Arc<Exchange>> {
            rules::of_product(&tape.of_scenario(scenario)).into_iter().cloned().collect()
        };
        let mark = of_product().len();
        let since = || of_product().split_off(mark);
        let tape = setting.tape.clone();
        let passed = move || passed_over(&tape.exchanges());
        let mut patience = Patience::new(self.is_driven(), self.relayed_delivery());
        loop {
            self.keep_pace(&ask).await;
            let connections = self.unopened();
            let asked = setting.ledger.asks(&self.mailbox(Role::Product), &ask, self.is_driven());
            let said = self.product.ask(&ask, &since, &passed).await.map_err(|error| unasked(&error))?;
            self.settled().await;
            setting.ledger.acted(asked, &said);
            let acts = since();
            // Who does not trust an impostor makes no call: that is told by its connections.
            if acts.is_empty() && self.is_driven() && self.trial.impostor.is_none() {
                let nothing = self.came_to_nothing(connections).await;
                let fault = rules::idle(ask.words(), &said.how, nothing.as_deref());
                self.keep(&ask, said);
                return Err(fault);
            }
            self.keep(&ask, said);
            match patience.again(&ask, &acts) {
                Some(wait) => sleep(wait).await,
                // What it did not get by that is told by this reason, whatever step would find it.
                None => return rules::named_as_listed(&acts).map(|()| acts),
            }
        }
    }

    /// Waits until all that the product has seen the end of is on the tape.
    async fn settled(&mut self) {
        if let Some(relay) = &self.setting.relay {
            relay.settled().await;
        }
        if let Some(endpoint) = self.own_endpoint() {
            endpoint.provocations().clone().settled().await;
        }
        if let Some(elsewhere) = &self.trial.elsewhere {
            elsewhere.settled().await;
        }
        if let Some(staging) = self.staging() {
            staging.settled().await;
        }
    }

    /// How many connections of the product's ended, or came to no call, so far.
    fn unopened(&mut self) -> usize {
        let relay = self.setting.relay.as_ref().map(Relay::connections);
        relay.or_else(|| self.staging().map(|staging| staging.unopened())).unwrap_or(0)
    }

    /// Why the last of them since then came to no call.
    async fn came_to_nothing(&mut self, since: usize) -> Option<String> {
        if let Some(relay) = &self.setting.relay {
            return relay.came_to_nothing(since);
        }
        self.staging()?.came_to_nothing(since).await
    }

    /// How the driver ended that was asked last.
    pub(super) fn how(&self) -> Option<String> {
        self.said.as_ref().map(|said| said.how.clone())
    }

    /// How long a message may be on its way; `None` where a product is driven at an endpoint of our own, where
    /// it is there at once.
    fn relayed_delivery(&self) -> Option<Duration> {
        self.setting.relay.as_ref().map(|_| self.counterpart.delivery_timeout())
    }

    /// Asks a driven product for a look at its inbox no sooner than MESH does.
    async fn keep_pace(&self, ask: &Ask<'_>) {
        if self.setting.relay.is_none() || !pace::concerns(ask) {
            return;
        }
        let mailbox = self.mailbox(Role::Product);
        if let Some(ago) = pace::since_last_look(&self.setting.tape.exchanges(), Utc::now()) {
            self.setting.was_listed(mailbox.as_str(), ago);
        }
        self.setting.may_list(mailbox.as_str()).await;
    }

    /// What the driver brought back, as evidence.
    fn keep(&mut self, ask: &Ask<'_>, said: Said) {
        if !self.is_driven() {
            return;
        }
        self.asked += 1;
        let place = format!("{:03}-{}-{:02}", self.scenario.0 + 1, self.label, self.asked);
        let action = ask.action().word();
        let mut note = format!("The product was asked to {}: {}", ask.words(), said.how);
        if let Some(output) = &said.output {
            let path = format!("product/{place}-{action}.txt");
            note.push_str(&format!("; what it put out is in data/{path}"));
            let content = output.clone().into_bytes();
            self.setting.ledger.keep(EvidenceFile { path, content });
        }
        self.note(note);
        for attachment in &said.attachments {
            let path = format!("attachments/{place}-{}", attachment.name);
            let at = attachment.at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
            self.note(format!(
                "Attached by the operator at {at}: data/{path}, {} bytes, SHA-256 {}: {}",
                attachment.content.len(),
                Sha256::of(&attachment.content),
                attachment.statement
            ));
            self.setting.ledger.keep(EvidenceFile { path, content: attachment.content.clone() });
        }
        self.brought.clear();
        if let Some(received) = &said.received {
            let held = self.received.get_or_insert_default();
            for (id, digest) in received {
                if held.insert(id.clone(), *digest) != Some(*digest) {
                    self.brought.insert(id.clone(), *digest);
                }
            }
        }
        self.said = Some(said);
    }

    /// The product does not believe that it failed, where by the wire it has succeeded.
    pub(super) fn stands_by_it(&self) -> Result<(), Fault> {
        match &self.said {
            Some(said) if said.was_ended || said.has_crashed => Err(rules::no_end_of_its_own(&said.how)),
            Some(said) if said.succeeded == Some(false) => Err(rules::needless_failure(&said.how)),
            _ => Ok(()),
        }
    }

    /// The product does not take a refusal for a success.
    pub(super) fn has_noticed(&self, refusal: &Exchange) -> Result<(), Fault> {
        use crate::protocol::Operation::{CheckInbox, Handshake, SendMessage};
        // One message of a poll cycle that cannot be had is no failure of the cycle.
        let told = matches!(&refusal.operation, Some(CheckInbox(_) | Handshake(_) | SendMessage(_)));
        match &self.said {
            Some(said) if told && said.succeeded == Some(true) => {
                Err(rules::overlooked_refusal(refusal, &said.how))
            }
            _ => Ok(()),
        }
    }

    /// What the product says it holds of a message is what was sent.
    pub(super) fn holds(&self, message: &str, asked: Sha256) -> Result<(), Fault> {
        self.holds_all(&BTreeMap::from([(message.to_owned(), asked)]))
    }

    /// What the product says it holds of these messages is what was sent. One that never says is only told of: the
    /// wire has shown what it was given. One that shows some of what it holds, in whichever scenario, shows all of it.
    pub(super) fn holds_all(&self, sent: &BTreeMap<String, Sha256>) -> Result<(), Fault> {
        let Some(received) = &self.received else { return Ok(()) };
        for (message, asked) in sent {
            let Some(held) = received.get(&filed(message)) else { continue };
            self.setting.ledger.has_shown();
            if held != asked {
                let what = format!("what the product wrote of message {message} is not what was sent");
                let remedy = "The download was right: look at what the product does with it: text conversion and decompression are the usual causes.";
                let fault = Fault::new(FaultKind::Product, what, remedy);
                let fault = fault.comparing(format!("SHA-256 {asked}"), format!("SHA-256 {held}"));
                return Err(fault.from_source("Pack cases 401, 402, 501: payload unaltered"));
            }
        }
        let missing =
            sent.keys().map(String::as_str).filter(|message| !received.contains_key(&filed(message)));
        let missing: Vec<&str> = missing.collect();
        if self.setting.ledger.shows() {
            rules::holds_what_it_acknowledged(&missing, sent.len(), &self.own_exchanges())?;
        }
        let which = match missing.as_slice() {
            [] => return Ok(()),
            [message] => format!("no file {message}"),
            several => format!("no file for {} of {} messages", several.len(), sent.len()),
        };
        let what = format!("the product wrote {which} into MESH_OUTPUT_DIR");
        let remedy = "Write what was received into that folder, one file a message, named by its ID: only then can what the product holds be compared.";
        self.warn(Fault::new(FaultKind::Product, what, remedy));
        Ok(())
    }

    pub(in crate::runner) fn is_driven(&self) -> bool {
        matches!(self.product, Product::Driven(_))
    }

    /// Calls of the product after this one.
    pub(super) fn after(&self, exchange: &Arc<Exchange>) -> Vec<Arc<Exchange>> {
        let own = self.own_exchanges();
        let after = own.iter().skip_while(|other| !Arc::ptr_eq(other, exchange)).skip(1);
        after.filter(|other| other.actor == Role::Product).cloned().collect()
    }

    pub(super) fn staging(&mut self) -> Option<&mut crate::runner::staged::Staging> {
        match &mut self.lease {
            Lease::Alone(_, endpoint) => endpoint.staging(),
            Lease::Own(_) | Lease::Shared(_) => None,
        }
    }
}

/// Under which name the product's own word on a message is kept: whatever case either is written in.
pub(super) fn filed(message: &str) -> String {
    message.to_ascii_uppercase()
}

/// How many bytes of content these exchanges had in all. No message in them is longer.
fn passed_over(exchanges: &[Arc<Exchange>]) -> u64 {
    let bodies = exchanges.iter().flat_map(|exchange| {
        [Some(&exchange.request.body), exchange.response.as_ref().map(|response| &response.body)]
    });
    let sizes = bodies.flatten().map(|body| body.content_size().unwrap_or(body.size));
    sizes.fold(0, u64::saturating_add)
}

fn unasked(error: &AskError) -> Fault {
    match error {
        AskError::Configuration(what) => {
            Fault::new(FaultKind::Configuration, what, "Correct product.driver in the configuration.")
        }
        AskError::Ours(what) => {
            Fault::new(FaultKind::Harness, what, "Make room for temporary files; otherwise report this.")
        }
    }
}

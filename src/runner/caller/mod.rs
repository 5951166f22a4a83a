//! Calls an endpoint in any way, right or wrong, so that the endpoint can be judged. What a step says of
//! the next call is kept until that call is made, and then forgotten.

mod arrange;
mod judge;
mod mistake;
mod request;
mod tls;

use std::{collections::BTreeMap, sync::Arc};

use http::{HeaderName, HeaderValue, Method};

use super::{Fault, FaultKind, Role, Seat, Setting};
use crate::{
    client::{AnyBody, AnyClient, AnyRequest, TapeScope, Target},
    emulator::Mailroom,
    protocol::Credentials,
    tape::{Exchange, ScenarioNumber, Sha256},
};

pub use mistake::{Mistake, MistakeError};
pub use request::Body;
pub use tls::TlsVariant;

use mistake::Tokens;

/// Makes calls for the two mailboxes of a scenario and judges what comes back. The product's mailbox is
/// the sender's, the counterpart's the receiver's.
pub struct Caller {
    setting: Arc<Setting>,
    scenario: ScenarioNumber,
    /// What lies behind the endpoint, when that is our own emulator.
    mailroom: Option<Arc<Mailroom>>,
    sides: BTreeMap<Side, Calling>,
    accept: Option<String>,
    next: Next,
    answer: Option<Arc<Exchange>>,
    listings: Vec<Arc<Exchange>>,
    messages: Vec<Known>,
    message: Option<String>,
    /// The ID that a refused send was given.
    refused: Option<String>,
    own_workflow: String,
    sends: usize,
    chunks: usize,
}

/// Which of the two mailboxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Sender,
    Receiver,
}

struct Calling {
    credentials: Credentials,
    target: Target,
    client: AnyClient,
    tokens: Tokens,
}

/// What a step has said of the next call.
#[derive(Default)]
struct Next {
    /// In place of the header that would be there, or beside it; `None` leaves it out.
    headers: Vec<(HeaderName, Option<HeaderValue>)>,
    token: Option<Mistake>,
    body: Option<Body>,
    query: Option<String>,
}

/// A message that this scenario sent and that was accepted.
#[derive(Debug, Clone)]
struct Known {
    id: String,
    to: Side,
    /// Digest of the content of each chunk, the first at 0.
    content: Vec<Sha256>,
    local_id: Option<String>,
    workflow: String,
    acknowledged: bool,
}

impl From<Role> for Side {
    fn from(role: Role) -> Self {
        match role {
            Role::Product => Self::Sender,
            Role::Counterpart => Self::Receiver,
        }
    }
}

impl Side {
    fn other(self) -> Self {
        match self {
            Self::Sender => Self::Receiver,
            Self::Receiver => Self::Sender,
        }
    }

    fn role(self) -> Role {
        match self {
            Self::Sender => Role::Product,
            Self::Receiver => Role::Counterpart,
        }
    }
}

impl Caller {
    pub(super) fn new(
        setting: Arc<Setting>,
        scenario: ScenarioNumber,
        [sender, receiver]: [&Seat; 2],
        mailroom: Option<Arc<Mailroom>>,
    ) -> Self {
        let shared = || setting.emulated_by().map(|emulated| Arc::clone(emulated.emulator.mailroom()));
        let mailroom = mailroom.or_else(shared);
        let calling = |side: Side, seat: &Seat| {
            let scope = scope(&setting, scenario, side);
            let client = AnyClient::new(seat.target.clone(), scope);
            let (credentials, target) = (seat.credentials.clone(), seat.target.clone());
            (side, Calling { credentials, target, client, tokens: Tokens::default() })
        };
        let sides = BTreeMap::from([calling(Side::Sender, sender), calling(Side::Receiver, receiver)]);
        let own_workflow = format!("ENDPOINT_TEST_{}", scenario.0 + 1);
        Self {
            setting,
            scenario,
            mailroom,
            sides,
            accept: Some("application/vnd.mesh.v2+json".to_owned()),
            next: Next::default(),
            answer: None,
            listings: Vec::new(),
            messages: Vec::new(),
            message: None,
            refused: None,
            own_workflow,
            sends: 0,
            chunks: 0,
        }
    }

    /// Whether what sources disagree about is known: on our own emulator, which answers as its switches say.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.setting.emulated
    }

    /// Answers are asked for in this version from now on: `v1`, `v2`, `no version`, or what else there
    /// is to say in an `Accept` header.
    pub fn ask_for_version(&mut self, version: &str) {
        self.accept = match version {
            "no version" => None,
            "v1" => Some("application/vnd.mesh.v1+json".to_owned()),
            "v2" => Some("application/vnd.mesh.v2+json".to_owned()),
            other => Some(other.to_owned()),
        };
    }

    /// The next token differs from the ordinary.
    pub fn next_token(&mut self, mistake: Mistake) {
        self.next.token = Some(mistake);
    }

    /// The next call has this header, `None` for not at all. Placeholders are filled in.
    ///
    /// # Errors
    /// When name or value can stand in no header.
    pub fn next_header(&mut self, name: &str, value: Option<&str>) -> Result<(), Fault> {
        let impossible = |what: &str| misplaced(format!("{what} can stand in no header"));
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| impossible(name))?;
        let value = match value {
            Some(value) => {
                let filled = self.fill(value)?;
                Some(HeaderValue::from_bytes(filled.as_bytes()).map_err(|_| impossible(&filled))?)
            }
            None => {
                // Also one that an earlier step has given it, such as that of a compressed body.
                self.next.headers.retain(|(given, _)| *given != header);
                None
            }
        };
        self.next.headers.push((header, value));
        Ok(())
    }

    /// The next call has this body.
    pub fn next_body(&mut self, body: Body) {
        self.next.body = Some(body);
    }

    /// The next call has this query. Placeholders are filled in.
    ///
    /// # Errors
    /// When a placeholder cannot be filled in.
    pub fn next_query(&mut self, query: &str) -> Result<(), Fault> {
        self.next.query = Some(self.fill(query)?);
        Ok(())
    }

    /// From here on "the message" is this one, whatever was sent.
    ///
    /// # Errors
    /// When a placeholder cannot be filled in.
    pub fn talk_of(&mut self, message: &str) -> Result<(), Fault> {
        self.message = Some(self.fill(message)?);
        Ok(())
    }

    async fn send_off(
        &mut self,
        side: Side,
        method: Method,
        path: &str,
        next: Next,
        usual: Vec<(HeaderName, HeaderValue)>,
        body: AnyBody,
    ) -> Result<Arc<Exchange>, Fault> {
        let path = self.fill_for(side, path)?;
        let query = next.query.as_deref().map(|query| format!("?{query}")).unwrap_or_default();
        let target = format!("{path}{query}");
        let target = target.parse().map_err(|_| misplaced(format!("{target} is no path with a query")))?;
        let headers = self.headers(side, &next, usual);
        let lists = method == Method::GET && path == format!("/messageexchange/{}/inbox", self.mailbox(side));
        if lists {
            self.setting.may_list(&self.mailbox(side)).await;
        }
        let request = AnyRequest { method, target, headers, body };
        let calling = self.side(side)?;
        let exchange = calling.client.call(request).await.exchange;
        self.answered(exchange)
    }

    fn answered(&mut self, exchange: Arc<Exchange>) -> Result<Arc<Exchange>, Fault> {
        self.answer = Some(Arc::clone(&exchange));
        // Without an answer there is nothing to judge: that is the environment's fault, not a finding.
        match &exchange.failure {
            Some(_) => Err(crate::rules::diagnose(&exchange, "an answer", "HTTP", &[])),
            None => Ok(exchange),
        }
    }

    /// The usual headers with what the step said in their place.
    fn headers(
        &mut self,
        side: Side,
        next: &Next,
        usual: Vec<(HeaderName, HeaderValue)>,
    ) -> Vec<(HeaderName, HeaderValue)> {
        let other = self.sides.get(&side.other()).map(|other| other.credentials.clone());
        let mut headers = Vec::new();
        if let (Some(calling), Some(other)) = (self.sides.get_mut(&side), other) {
            let now = calling.target.now();
            for value in calling.tokens.next(&calling.credentials, &other, next.token, now) {
                headers
                    .extend(HeaderValue::from_str(&value).map(|value| (http::header::AUTHORIZATION, value)));
            }
        }
        let accept = self.accept.as_deref().and_then(|accept| HeaderValue::from_str(accept).ok());
        headers.extend(accept.map(|accept| (http::header::ACCEPT, accept)));
        headers.extend(usual);
        for (name, _) in &next.headers {
            headers.retain(|(given, _)| given != name);
        }
        let said = next.headers.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?)));
        headers.extend(said);
        headers
    }

    /// Acknowledges what this scenario sent and nobody has acknowledged: mailboxes that are shared are
    /// left as they were.
    pub(super) async fn tidy_up(mut self) {
        let left: Vec<Known> =
            self.messages.iter().filter(|message| !message.acknowledged).cloned().collect();
        self.accept = None;
        self.next = Next::default();
        for message in left {
            let path = format!("/messageexchange/{{mailbox}}/inbox/{}/status/acknowledged", message.id);
            // Nothing depends on it: what cannot be acknowledged expires by itself.
            let _ = self.ask(message.to.role(), Method::PUT, &path, &[]).await;
        }
    }

    fn side(&mut self, side: Side) -> Result<&mut Calling, Fault> {
        self.sides.get_mut(&side).ok_or_else(|| misplaced("there is no such mailbox".to_owned()))
    }

    fn mailbox(&self, side: Side) -> String {
        self.sides.get(&side).map(|calling| calling.credentials.mailbox.to_string()).unwrap_or_default()
    }

    /// The last answer, as it stands on the tape.
    fn answer(&self) -> Result<&Arc<Exchange>, Fault> {
        self.answer.as_ref().ok_or_else(|| misplaced("this step needs a call before it".to_owned()))
    }

    fn known(&self) -> Result<&Known, Fault> {
        let named = self.message.as_deref();
        let found = self.messages.iter().rev().find(|known| named.is_none_or(|id| known.id == id));
        found.ok_or_else(|| misplaced("this step needs a message before it".to_owned()))
    }
}

fn scope(setting: &Setting, scenario: ScenarioNumber, side: Side) -> TapeScope {
    TapeScope { tape: setting.tape.clone(), redactor: setting.redactor.clone(), scenario, actor: side.role() }
}

/// A step that cannot be played as it is written.
fn misplaced(what: String) -> Fault {
    Fault::new(
        FaultKind::Configuration,
        what,
        "Change the scenario: the steps before this one, or its words.",
    )
}

impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Caller").field("scenario", &self.scenario).finish_non_exhaustive()
    }
}

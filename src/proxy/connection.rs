//! One connection of the product's, from its handshake to its end.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use tokio::{io::AsyncReadExt, net::TcpStream, time::timeout};

use super::{
    activity::Busy,
    endpoint::Endpoint,
    front::Front,
    host::HostEditor,
    leg::Leg,
    recording::{Break, Scope},
    reel::{Entry, Reel},
    relay::{End, Relay, Side, Stop, Take, is_true},
};
use crate::{
    client::{failure, of_io},
    tape::{ConnectionFacts, Exchange, FailureKind, HostRule, LegFacts, Party, Redactor, TransportFailure},
    wire::conversation::{Conversation, Direction, Draft, Moment, Verdict},
};

/// How long the product's TLS handshake may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the product has to say what it wants of an endpoint that is not there.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What all connections share.
pub struct Shared {
    pub front: Front,
    pub endpoint: Endpoint,
    pub host: HostRule,
    pub redactor: Redactor,
    pub origin: Arc<str>,
    pub reel: Reel,
}

impl Take for (&Scope, &Reel) {
    async fn take(&self, draft: Draft) -> bool {
        let (scope, reel) = self;
        reel.send(Entry::Exchange(Box::new(scope.exchange(draft, None)))).await
    }
}

/// A connection that the product opened.
pub struct Connection {
    pub shared: Arc<Shared>,
    /// Counted from 1.
    pub number: u64,
    pub peer: SocketAddr,
    pub stop: Stop,
    pub busy: Busy,
}

impl Connection {
    /// Serves it to its end, and puts it on the tape.
    pub async fn serve(self, stream: TcpStream) {
        let began = Utc::now();
        let received = tokio::select! {
            received = timeout(PATIENCE, self.shared.front.receive(stream, self.peer)) => received,
            () = is_true(self.stop.when_idle.clone()) => return,
        };
        let (leg, product) = match received {
            Ok(Ok(received)) => received,
            Ok(Err(failure)) => return self.not_received(began, failure).await,
            Err(_) => {
                let detail =
                    format!("the product did not finish its TLS handshake within {} s", PATIENCE.as_secs());
                return self.not_received(began, failure(FailureKind::TimedOut, detail)).await;
            }
        };
        let mut conversation = Conversation::default();
        let opened = tokio::select! {
            opened = self.shared.endpoint.open() => opened,
            () = is_true(self.stop.at_once.clone()) => return,
        };
        let (endpoint, broken) = match opened {
            Ok((to, endpoint)) => {
                let relayed = self.relay(&leg, &to, conversation, &product, endpoint).await;
                conversation = relayed.0;
                (Some(relayed.1), relayed.2)
            }
            Err(failure) => {
                leg.reset();
                (None, Break { by: Party::Endpoint, failure })
            }
        };
        if broken.by == Party::Endpoint && conversation.begun() == 0 && is_unkind(&broken.failure) {
            last_words(leg.clone(), &mut conversation).await;
        }
        // Only now: the product must not learn it before it was heard.
        drop(leg);
        self.conclude(began, conversation, product, endpoint, broken).await;
    }

    async fn relay(
        &self,
        product: &Leg,
        endpoint: &Leg,
        conversation: Conversation,
        product_facts: &LegFacts,
        endpoint_facts: LegFacts,
    ) -> (Conversation, LegFacts, Break) {
        let shared = &self.shared;
        let scope = self.scope(product_facts.clone(), Some(endpoint_facts.clone()));
        let editor = match &shared.host {
            HostRule::AsSent => None,
            HostRule::ReplacedBy(host) => Some(HostEditor::new(host)),
        };
        let conversation = Mutex::new(conversation);
        let take = (&scope, &shared.reel);
        let busy = &self.busy;
        let relay = Relay { product, endpoint, conversation: &conversation, take: &take, busy };
        let end = relay.run(editor, self.stop.clone()).await;
        // What is left of it is still to be kept.
        busy.set(true);
        let conversation = conversation.into_inner().unwrap_or_else(PoisonError::into_inner);
        (conversation, endpoint_facts, self.broken(end))
    }

    fn scope(&self, product: LegFacts, endpoint: Option<LegFacts>) -> Scope {
        let shared = &self.shared;
        Scope {
            redactor: shared.redactor.clone(),
            origin: Arc::clone(&shared.origin),
            host_replaced_by: match &shared.host {
                HostRule::AsSent => None,
                HostRule::ReplacedBy(host) => Some(host.clone()),
            },
            connection: self.number,
            product,
            endpoint,
        }
    }

    /// What an end of the connection means to an exchange that was under way.
    fn broken(&self, end: End) -> Break {
        let (by, failure) = match end {
            End::Closed(side) => (side.into(), closed(side, "closed the connection")),
            End::Truncated(side) => (side.into(), closed(side, "went away without close_notify")),
            End::Failed(Side::Endpoint, error) => {
                (Party::Endpoint, of_io(&error, self.shared.endpoint.presents_certificate()))
            }
            End::Failed(Side::Product, error) => (
                Party::Product,
                failure(FailureKind::Closed, format!("the product's connection failed: {error}")),
            ),
            End::Refused(why) => {
                (Party::Proxy, failure(FailureKind::NotHttp, format!("not passed on: {why}")))
            }
            End::Stopped => (Party::Proxy, failure(FailureKind::Closed, "the recording was ended")),
            End::TapeFailed => (Party::Proxy, failure(FailureKind::Closed, "the tape could not be written")),
        };
        Break { by, failure }
    }

    async fn not_received(&self, began: DateTime<Utc>, failure: TransportFailure) {
        let product = LegFacts {
            peer: self.peer,
            tls: None,
            chain: Vec::new(),
            server_name: None,
            connect_us: None,
            handshake_us: None,
        };
        let broken = Break { by: Party::Product, failure };
        self.conclude(began, Conversation::default(), product, None, broken).await;
    }

    async fn conclude(
        &self,
        began: DateTime<Utc>,
        mut conversation: Conversation,
        product: LegFacts,
        endpoint: Option<LegFacts>,
        broken: Break,
    ) {
        let reel = &self.shared.reel;
        let exchanges = conversation.begun();
        let scope = self.scope(product, endpoint);
        let mut is_whole = true;
        for draft in conversation.over() {
            // One that waited only for an earlier one is whole.
            let is_broken = !draft.is_finished();
            is_whole &= !is_broken;
            let exchange: Exchange = scope.exchange(draft, is_broken.then_some(&broken));
            if !reel.send(Entry::Exchange(Box::new(exchange))).await {
                return;
            }
        }
        let in_order = is_whole && !is_unkind(&broken.failure);
        let failure = (!in_order).then(|| TransportFailure {
            detail: scope.redactor.text(&broken.failure.detail),
            ..broken.failure
        });
        let facts = ConnectionFacts {
            number: self.number,
            began,
            ended: Utc::now(),
            product: scope.product,
            endpoint: scope.endpoint,
            exchanges,
            ended_by: broken.by,
            failure,
        };
        reel.send(Entry::Connection(Box::new(facts))).await;
    }
}

impl From<Side> for Party {
    fn from(side: Side) -> Self {
        match side {
            Side::Product => Self::Product,
            Side::Endpoint => Self::Endpoint,
        }
    }
}

/// Whether this is worth saying of a connection on which nothing was under way: many a client leaves
/// without close_notify.
fn is_unkind(failure: &TransportFailure) -> bool {
    failure.kind != FailureKind::Closed
}

fn closed(side: Side, what: &str) -> TransportFailure {
    let who = match side {
        Side::Product => "product",
        Side::Endpoint => "endpoint",
    };
    failure(FailureKind::Closed, format!("the {who} {what}"))
}

/// Hears what the product wants although there is nobody to pass it on to, so that the tape can say
/// what it was that failed. Nothing is answered.
async fn last_words(mut leg: Leg, conversation: &mut Conversation) {
    let listen = async {
        let mut piece = vec![0; 16 * 1024];
        while !conversation.has_request_head() {
            match leg.read(&mut piece).await {
                Ok(count @ 1..) => {
                    let came = piece.get(..count).unwrap_or_default();
                    if conversation.came(Direction::Up, came, Moment::now()) != Verdict::Relay {
                        return;
                    }
                }
                _ => return,
            }
        }
    };
    // Whether it said something or not, there is nothing more to do.
    let _ = timeout(LAST_WORDS, listen).await;
}

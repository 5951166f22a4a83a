//! A product that a driver asks, at an endpoint that is not ours: it calls through the recording proxy, and
//! what passes there goes on the run's tape.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use tokio::time::sleep;

use super::{
    quota::{Quota, RecordingLimits},
    setting::EvidenceFile,
};
use crate::{
    proxy::{Entry, Gauge, Proxy, Settings, StartError},
    tape::{ConnectionFacts, Exchange, Mark, ScenarioNumber, Tape},
};

/// How long calls that are under way may go on once the run has ended.
const LAST: Duration = Duration::from_secs(2);
/// How much longer than a connection takes to be made it may take until what a product saw is on the tape.
const SETTLING: Duration = Duration::from_secs(5);
/// Connections of which the bundle tells. Further ones are only counted.
const MOST_CONNECTIONS: usize = 10_000;
/// Where the bundle has what is known of connections, relative to `data/`.
const CONNECTIONS_FILE: &str = "relay/connections.ndjson";

/// The proxy of a run. What passes through it goes on the tape, with the number of the scenario that was
/// played when it began.
pub struct Relay {
    url: String,
    gauge: Gauge,
    patience: Duration,
    proxy: Mutex<Option<Proxy>>,
    log: Arc<Log>,
}

struct Log {
    tape: Tape,
    quota: Quota,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// When which scenario began.
    turns: Vec<(DateTime<Utc>, ScenarioNumber)>,
    connections: Vec<ConnectionFacts>,
}

impl Relay {
    /// Starts listening, over TLS. What a product does there goes on `tape`.
    ///
    /// # Errors
    /// When the address is taken.
    pub async fn start(settings: Settings, tape: Tape, limits: RecordingLimits) -> Result<Self, StartError> {
        let patience = settings.target.timeouts().connect.saturating_add(SETTLING);
        let log = Arc::new(Log { tape, quota: Quota::new(limits), kept: Mutex::default() });
        let keeper = Arc::clone(&log);
        let proxy = Proxy::start(settings, move |entry| keeper.keep(entry)).await?;
        let (url, gauge) = (format!("https://{}", proxy.address()), proxy.gauge());
        Ok(Self { url, gauge, patience, proxy: Mutex::new(Some(proxy)), log })
    }

    /// Where the product calls: scheme, host and port.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A scenario begins: what the product begins from now on is part of it.
    pub(super) fn begins(&self, scenario: ScenarioNumber) {
        self.log.lock().turns.push((Utc::now(), scenario));
    }

    /// Waits until all that the product has seen the end of is on the tape.
    pub(super) async fn settled(&self) {
        self.gauge.settled(self.patience).await;
    }

    /// How many connections have ended.
    pub(super) fn connections(&self) -> usize {
        self.log.lock().connections.len()
    }

    /// Why the last connection since then, counted by [`Relay::connections`], came to no call, if one did not.
    pub(super) fn came_to_nothing(&self, since: usize) -> Option<String> {
        let kept = self.log.lock();
        let connections = kept.connections.iter().skip(since);
        let mut failures =
            connections.filter(|facts| facts.exchanges == 0).filter_map(|facts| facts.failure.as_ref());
        failures.next_back().map(|failure| failure.detail.clone())
    }

    /// Waits until nothing more can be recorded, and says why.
    pub(super) async fn failed(&self) -> String {
        self.gauge.failed().await;
        self.log.why_full()
    }

    /// Ends it: calls that are under way have two seconds. Gives what is known of its connections as a file of
    /// the bundle.
    ///
    /// # Errors
    /// When not everything could be recorded, and why.
    pub(super) async fn end(&self) -> Result<Option<EvidenceFile>, String> {
        let proxy = self.proxy.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(proxy) = proxy else { return Ok(None) };
        let (_, kept) = proxy.stop(sleep(LAST)).await;
        kept.map_err(|_| self.log.why_full())?;
        Ok(self.log.connections_file())
    }
}

impl Log {
    fn keep(&self, entry: &Entry) -> io::Result<()> {
        match entry {
            Entry::Exchange(exchange) => {
                self.quota.take(exchange).map_err(io::Error::other)?;
                let scenario = self.lock().scenario_of(exchange);
                self.tape.append(Exchange { scenario, ..(**exchange).clone() });
            }
            Entry::Connection(facts) => {
                let mut kept = self.lock();
                if kept.connections.len() < MOST_CONNECTIONS {
                    kept.connections.push((**facts).clone());
                }
            }
        }
        Ok(())
    }

    fn why_full(&self) -> String {
        self.quota
            .why()
            .unwrap_or_else(|| "what the product did could not be recorded any further".to_owned())
    }

    /// One line for each connection, in the form of a tape's lines.
    fn connections_file(&self) -> Option<EvidenceFile> {
        let kept = self.lock();
        let mut content = Vec::new();
        for facts in &kept.connections {
            let mark = serde_json::json!({ "mesh_witness_mark": Mark::Connection(Box::new(facts.clone())) });
            content.extend_from_slice(mark.to_string().as_bytes());
            content.push(b'\n');
        }
        (!content.is_empty()).then(|| EvidenceFile { path: CONNECTIONS_FILE.to_owned(), content })
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// The scenario that an exchange belongs to.
    fn scenario_of(&self, exchange: &Exchange) -> ScenarioNumber {
        let begun = self.turns.iter().rev().find(|(at, _)| *at <= exchange.started_at);
        begun.or(self.turns.first()).map_or(ScenarioNumber(0), |(_, scenario)| *scenario)
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use cucumber::{codegen::Regex, step::Collection};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
        time::timeout,
    };

    use super::*;
    use crate::{
        client::{Origin, Target, Timeouts},
        proxy::Front,
        runner::{MeshWorld, Outcome, Plan, load, play, setting::tests::a_setting},
        tape::{HostRule, Redactor},
    };

    const REQUEST: &[u8] = b"GET /messageexchange/A/inbox HTTP/1.1\r\nHost: a\r\n\r\n";
    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

    /// A proxy in front of an endpoint that gives every request the same answer, and a connection through it.
    async fn rig(limits: RecordingLimits) -> (Relay, Tape, TcpStream) {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = Origin::parse(&format!("http://{}", server.local_addr().unwrap())).unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = server.accept().await {
                tokio::spawn(async move {
                    let mut request = vec![0; REQUEST.len()];
                    while stream.read_exact(&mut request).await.is_ok() {
                        let _ = stream.write_all(ANSWER).await;
                    }
                });
            }
        });
        let settings = Settings {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            front: Front::Plain,
            target: Target::new(origin, &[], None, Timeouts::default()).unwrap(),
            connect_to: None,
            host: HostRule::AsSent,
            redactor: Redactor::default(),
        };
        let tape = Tape::new();
        let relay = Relay::start(settings, tape.clone(), limits).await.unwrap();
        let address = relay.url().strip_prefix("https://").unwrap().to_owned();
        (relay, tape, TcpStream::connect(address).await.unwrap())
    }

    /// Whether there was an answer.
    async fn call(stream: &mut TcpStream) -> bool {
        let mut answer = vec![0; ANSWER.len()];
        stream.write_all(REQUEST).await.is_ok() && stream.read_exact(&mut answer).await.is_ok()
    }

    #[tokio::test]
    async fn a_call_is_of_the_scenario_in_which_it_began_and_is_there_once_it_was_seen_to_end() {
        let (relay, tape, mut stream) = rig(RecordingLimits::default()).await;
        for number in [0, 0, 3, 7] {
            relay.begins(ScenarioNumber(number));
            assert!(call(&mut stream).await);
            relay.settled().await;
            assert_eq!(tape.exchanges().last().unwrap().scenario, ScenarioNumber(number));
        }
        // Begun in one scenario and answered in the next.
        let (first, second) = REQUEST.split_at(9);
        stream.write_all(first).await.unwrap();
        let mut looks = 0..500;
        while relay.is_at_rest().await {
            assert!(looks.next().is_some(), "half a request is under way");
            sleep(Duration::from_millis(20)).await;
        }
        relay.begins(ScenarioNumber(8));
        stream.write_all(second).await.unwrap();
        stream.read_exact(&mut vec![0; ANSWER.len()]).await.unwrap();
        relay.settled().await;
        assert_eq!(tape.exchanges().last().unwrap().scenario, ScenarioNumber(7));
        drop(stream);
        let file = relay.end().await.unwrap().unwrap();
        assert_eq!(file.content.iter().filter(|byte| **byte == b'\n').count(), 1);
        assert_eq!(tape.exchanges().len(), 5);
    }

    #[tokio::test]
    async fn a_product_that_calls_without_end_ends_the_run() {
        for limits in [
            RecordingLimits { exchanges: 3, ..RecordingLimits::default() },
            RecordingLimits { bytes: 250, ..RecordingLimits::default() },
        ] {
            let (relay, tape, mut stream) = rig(limits).await;
            relay.begins(ScenarioNumber(0));
            let mut answered = 0;
            while answered < 100 && call(&mut stream).await {
                answered += 1;
                relay.settled().await;
            }
            assert!((2..=4).contains(&answered), "{answered} calls were answered");
            let why = timeout(Duration::from_secs(60), relay.failed()).await.unwrap();
            assert!(why.contains("more calls than a run records"), "{why}");
            assert_eq!(relay.end().await, Err(why));
            assert!(tape.exchanges().len() <= 3);
        }
    }

    #[tokio::test]
    async fn whatever_is_played_then_ends() {
        let folder = tempfile::tempdir().unwrap();
        let feature = "Feature: endless\n  Scenario: one\n    Given it never ends\n";
        std::fs::write(folder.path().join("endless.feature"), feature).unwrap();
        let never: cucumber::Step<MeshWorld> = |_, _| Box::pin(std::future::pending());
        let steps = Collection::new().given(None, Regex::new("^it never ends$").unwrap(), never);
        let pack = load(&[folder.path().display().to_string()]).unwrap();
        let plan = Plan::new(pack, None, &steps).unwrap();
        let (relay, tape, mut stream) =
            rig(RecordingLimits { exchanges: 1, ..RecordingLimits::default() }).await;
        let mut setting = a_setting();
        (setting.relay, setting.tape) = (Some(relay), tape);
        let calls = tokio::spawn(async move { while call(&mut stream).await {} });
        let run = play(plan, Arc::new(setting), steps, 1, Box::new(|_| {}), std::future::pending());
        let record = timeout(Duration::from_secs(60), run).await.unwrap();
        assert!(record.cut_short.unwrap().contains("more calls than a run records"));
        assert!(matches!(&record.scenarios[0].outcome, Outcome::NotRun(why) if why.contains("cut short")));
        assert_eq!(record.exchanges.len(), 1);
        calls.await.unwrap();
    }

    impl Relay {
        async fn is_at_rest(&self) -> bool {
            timeout(Duration::from_millis(20), self.settled()).await.is_ok()
        }
    }
}

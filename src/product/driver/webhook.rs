//! A product that is asked by an HTTP call to its test hook. The hook is sent no secret: whoever
//! stands behind it has been given mailbox password and shared key beforehand.

use std::{
    fmt,
    time::{Duration, Instant},
};

use reqwest::{Client, Response, StatusCode, Url, header::CONTENT_TYPE, redirect::Policy};
use serde_json::{Map, Value};
use thiserror::Error;
use tokio::{
    sync::Mutex,
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::{
    Said, Watch,
    order::{Desk, Order, removed},
};
use crate::{
    product::{Ask, AskError},
    tape::Redactor,
};

/// How much of an answer is kept, in bytes.
const KEPT: usize = 64 * 1024;
/// Between one look at the tape and the next, after an answer that says that the product has only begun.
const GLANCE: Duration = Duration::from_millis(100);
/// How long such a product makes no further call until it is taken to have ended: an inbox check may follow a send.
const QUIET: Duration = Duration::from_secs(1);

/// Where a hook is: https, or http on this machine. Shown, it is scheme, host and port: what follows may be a secret,
/// for some hooks the only one.
#[derive(Clone, PartialEq, Eq)]
pub struct HookUrl(Url);

/// Why a text is no place for a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum HookUrlError {
    /// Not a URL.
    #[error("is no URL")]
    NoUrl,
    /// Another scheme, or http beyond this machine.
    #[error("is neither https nor http on this machine")]
    Scheme,
    /// A secret would stand in the report.
    #[error("has a user name or password in it")]
    UserInfo,
}

impl HookUrl {
    /// Reads it.
    ///
    /// # Errors
    /// [`HookUrlError`].
    pub fn parse(text: &str) -> Result<Self, HookUrlError> {
        let url = Url::parse(text).map_err(|_| HookUrlError::NoUrl)?;
        let host = url.host_str().unwrap_or_default();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
        let here = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
        match url.scheme() {
            _ if !url.username().is_empty() || url.password().is_some() => Err(HookUrlError::UserInfo),
            "https" => Ok(Self(url)),
            "http" if here => Ok(Self(url)),
            _ => Err(HookUrlError::Scheme),
        }
    }
}

impl fmt::Display for HookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(url) = self;
        let is_all = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        f.write_str(&url.origin().ascii_serialization())?;
        f.write_str(if is_all { "" } else { "/[not shown]" })
    }
}

impl fmt::Debug for HookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HookUrl({self})")
    }
}

/// The hooks of one product, which is asked one thing at a time.
pub struct Hook {
    client: Client,
    /// What was not answered within its time limit, and may be worked on still.
    late: Mutex<Option<Call>>,
}

type Answer = Result<(StatusCode, Vec<u8>), reqwest::Error>;

/// A call that was made, and the files that it was told of.
struct Call {
    answer: JoinHandle<Answer>,
    desk: Desk,
}

impl Drop for Call {
    fn drop(&mut self) {
        self.answer.abort();
    }
}

impl Hook {
    pub fn new() -> Result<Self, reqwest::Error> {
        Ok(Self { client: client()?, late: Mutex::default() })
    }

    /// Calls the hook for one action. The next call waits for an answer that comes late: to ask anew, or to take the
    /// files away, while a product is at work would make it fail for what it does right.
    pub async fn ask(
        &self,
        (url, limit): (&HookUrl, Duration),
        ask: &Ask<'_>,
        desk: Desk,
        order: &Order,
        watch: Watch<'_>,
        redactor: &Redactor,
    ) -> Result<Said, AskError> {
        let mut late = self.late.lock().await;
        answered_earlier(&mut late, url, limit).await?;
        let body = body(order);
        let began = Instant::now();
        let request = self.client.post(url.0.clone()).header(CONTENT_TYPE, "application/json");
        let request = request.body(body.to_string());
        let answer = tokio::spawn(async move { read(request.send().await?).await });
        let mut call = Call { answer, desk };
        let answered = timeout(limit, &mut call.answer).await;
        let seconds = began.elapsed().as_secs_f64();
        let (succeeded, mut how, answer) = match answered {
            Ok(Ok(answer)) => told(answer, url, seconds, redactor)?,
            // Nothing in it panics, and nobody else ends it.
            Ok(Err(ended)) => return Err(AskError::Ours(format!("the call of the hook was ended: {ended}"))),
            Err(_) => {
                *late = Some(call);
                let how = format!(
                    "the hook did not answer within its time limit of {} s (product.driver.webhook.timeout)",
                    limit.as_secs()
                );
                (Some(false), how, Vec::new())
            }
        };
        if succeeded.is_none() {
            how.push_str(&acted(ask, watch, began, limit).await);
        }
        let answer = super::lines(&redactor.output(&answer, answer.len() == KEPT));
        let sent = redactor.text(&format!("{body:#}"));
        let output = Some(format!("POST {url}\n{how}\n--- sent\n{sent}\n--- answer\n{answer}\n"));
        Ok(Said { succeeded, how, output, ..Said::default() })
    }

    /// Waits as long for what was not answered in time, and takes its files away.
    ///
    /// # Errors
    /// Where they could not be taken away, since the product works on: what is left, and where.
    pub async fn end(&self, patience: Duration) -> Result<(), String> {
        let Some(mut call) = self.late.lock().await.take() else { return Ok(()) };
        let _ = timeout(patience, &mut call.answer).await;
        call.answer.abort();
        let folder = call.desk.path();
        removed(folder).await.map_err(|error| {
            let path = folder.display();
            format!(
                "The product was still at work when the run ended, and what it had received could not be removed: delete {path} ({error})"
            )
        })
    }
}

/// A client for hooks. It trusts whom this machine trusts.
fn client() -> Result<Client, reqwest::Error> {
    // Whoever has installed one before is welcome.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    Client::builder().redirect(Policy::none()).no_proxy().build()
}

/// Waits for what was not answered in time.
async fn answered_earlier(late: &mut Option<Call>, url: &HookUrl, limit: Duration) -> Result<(), AskError> {
    let Some(earlier) = late.as_mut() else { return Ok(()) };
    if timeout(limit, &mut earlier.answer).await.is_err() {
        return Err(AskError::Configuration(format!(
            "product.driver.webhook.timeout: {url} has not answered an earlier call, which it was given twice its {} s \
             for; a longer timeout lets the product end what it has begun",
            limit.as_secs()
        )));
    }
    *late = None;
    Ok(())
}

/// Waits until a product that has only begun has done what it was asked for, or its time is over; says which.
async fn acted(ask: &Ask<'_>, watch: Watch<'_>, began: Instant, limit: Duration) -> String {
    let (mut known, mut since) = (0, Instant::now());
    loop {
        let calls = watch();
        if calls.len() != known {
            (known, since) = (calls.len(), Instant::now());
        }
        let seconds = began.elapsed().as_secs_f64();
        if ask.is_done(&calls) && since.elapsed() >= QUIET {
            return format!(", and the product has made the call that was expected, after {seconds:.1} s");
        }
        let Some(left) = limit.checked_sub(began.elapsed()) else {
            return format!(
                ", and the product had not done what was expected within the time limit of {} s",
                limit.as_secs()
            );
        };
        sleep(GLANCE.min(left)).await;
    }
}

/// Whether it succeeded, how it ended, and what was answered. 202 says that it has begun, and no more.
fn told(
    answer: Answer,
    url: &HookUrl,
    seconds: f64,
    redactor: &Redactor,
) -> Result<(Option<bool>, String, Vec<u8>), AskError> {
    // It would tell the whole of it.
    match answer.map_err(reqwest::Error::without_url) {
        Ok((status, answer)) => {
            let how = format!("the hook answered {} after {seconds:.2} s", status.as_u16());
            Ok(((status != StatusCode::ACCEPTED).then(|| status.is_success()), how, answer))
        }
        Err(error) if error.is_connect() || error.is_builder() => Err(AskError::Configuration(format!(
            "product.driver.webhook: {url} cannot be reached: {}",
            redactor.text(&chain(&error))
        ))),
        Err(error) => {
            let how = format!("the hook did not answer: {}", redactor.text(&chain(&error)));
            Ok((Some(false), how, Vec::new()))
        }
    }
}

/// `{"action": "send", "url": …, "recipient_id": …}`: the names of the variables without `MESH_`, in
/// lower case, and no secret.
fn body(order: &Order) -> Value {
    let mut fields = Map::new();
    fields.insert("action".to_owned(), order.action.word().into());
    for (name, value) in order.open() {
        let name = name.trim_start_matches("MESH_").to_ascii_lowercase();
        fields.insert(name, value.into());
    }
    Value::Object(fields)
}

async fn read(mut response: Response) -> Answer {
    let mut kept = Vec::new();
    while kept.len() < KEPT {
        let Some(piece) = response.chunk().await? else { break };
        let room = KEPT.saturating_sub(kept.len()).min(piece.len());
        kept.extend_from_slice(piece.get(..room).unwrap_or_default());
    }
    Ok((response.status(), kept))
}

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
        sync::Semaphore,
    };

    use super::*;
    use crate::{protocol::Operation, tape::Exchange};

    #[test]
    fn what_may_be_a_secret_is_not_shown() {
        for (url, shown) in [
            ("https://product.example", "https://product.example"),
            ("https://product.example:8443/T0/hunter2", "https://product.example:8443/[not shown]"),
            ("http://127.0.0.1:9000/?key=hunter2", "http://127.0.0.1:9000/[not shown]"),
            ("https://product.example/#hunter2", "https://product.example/[not shown]"),
        ] {
            let hook = HookUrl::parse(url).unwrap();
            assert_eq!(
                (hook.to_string(), format!("{hook:?}")),
                (shown.to_owned(), format!("HookUrl({shown})"))
            );
        }
    }

    /// Answers each call after one more word of `may`, and counts calls.
    async fn slow(listener: TcpListener, calls: Arc<AtomicUsize>, may: Arc<Semaphore>) {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            calls.fetch_add(1, Ordering::SeqCst);
            may.acquire().await.unwrap().forget();
            let _ =
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await;
        }
    }

    #[tokio::test]
    async fn a_product_that_is_late_keeps_its_files_and_is_asked_nothing_else_meanwhile() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = HookUrl::parse(&format!("http://{}/hook", listener.local_addr().unwrap())).unwrap();
        let (calls, may) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
        tokio::spawn(slow(listener, Arc::clone(&calls), Arc::clone(&may)));
        let hook = Hook::new().unwrap();
        let settings = tempfile::tempdir().unwrap();
        let access = super::super::tests::access(settings.path());
        let ask = async |limit| {
            let desk = Desk::lay_out(&Ask::Handshake).await.unwrap();
            let (folder, order) = (desk.path().to_owned(), Order::new(&Ask::Handshake, &access, &desk));
            let place = (&url, limit);
            let said = hook.ask(place, &Ask::Handshake, desk, &order, &Vec::new, &Redactor::default()).await;
            (folder, said)
        };
        let (short, long) = (Duration::from_millis(200), Duration::from_secs(60));

        let (first, said) = ask(short).await;
        let said = said.unwrap();
        assert!(said.how.contains("did not answer within its time limit"), "{}", said.how);
        assert_eq!((said.succeeded, first.exists()), (Some(false), true));

        let (second, refused) = ask(short).await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("has not answered an earlier call"), "{refused}");
        assert_eq!((first.exists(), second.exists(), calls.load(Ordering::SeqCst)), (true, false, 1));

        may.add_permits(2);
        let (_, said) = ask(long).await;
        assert_eq!((said.unwrap().succeeded, first.exists()), (Some(true), false));

        let (last, _) = ask(short).await;
        assert!(last.exists());
        hook.end(Duration::ZERO).await.unwrap();
        assert!(!last.exists(), "nothing of it is left when the run ends");
    }

    /// Such a hook was judged at once, and the product was said to make no call.
    #[tokio::test]
    async fn a_product_that_has_only_begun_is_waited_for_until_it_has_acted_or_its_time_is_over() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = HookUrl::parse(&format!("http://{}/hook", listener.local_addr().unwrap())).unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 4096]).await;
                let answer = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                let _ = stream.write_all(answer).await;
            }
        });
        let hook = Hook::new().unwrap();
        let settings = tempfile::tempdir().unwrap();
        let access = super::super::tests::access(settings.path());
        let handshake = Arc::new(crate::rules::tests::exchange("POST /messageexchange/A", 200, ""));
        assert!(matches!(handshake.operation, Some(Operation::Handshake(_))));
        let ask = async |limit, acts_after| {
            let desk = Desk::lay_out(&Ask::Handshake).await.unwrap();
            let (folder, order) = (desk.path().to_owned(), Order::new(&Ask::Handshake, &access, &desk));
            let (began, handshake) = (Instant::now(), Arc::clone(&handshake));
            let watch = move || -> Vec<Arc<Exchange>> {
                assert!(folder.exists(), "its files are there as long as it is at work");
                (began.elapsed() >= acts_after).then(|| Arc::clone(&handshake)).into_iter().collect()
            };
            let place = (&url, limit);
            let said = hook.ask(place, &Ask::Handshake, desk, &order, &watch, &Redactor::default()).await;
            (said.unwrap(), began.elapsed())
        };
        let (said, took) = ask(Duration::from_secs(60), Duration::from_millis(300)).await;
        assert!(said.how.contains("202") && said.how.contains("the call that was expected"), "{said:?}");
        assert_eq!(said.succeeded, None, "it has not said how it went");
        assert!(took >= Duration::from_millis(300) + QUIET, "a further call would have been seen: {took:?}");
        let (said, _) = ask(Duration::from_millis(200), Duration::from_secs(60)).await;
        assert!(said.how.contains("had not done what was expected"), "{said:?}");
    }

    #[tokio::test]
    async fn nor_is_it_where_nobody_answers() {
        let hook = HookUrl::parse("http://127.0.0.1:1/hunter2?x=hunter2").unwrap();
        let error = client().unwrap().post(hook.0).send().await.unwrap_err().without_url();
        assert!(!chain(&error).contains("hunter2"), "{}", chain(&error));
    }

    #[test]
    fn a_hook_is_on_https_or_on_this_machine() {
        for good in [
            "https://product.example/test/hook?x=1",
            "http://127.0.0.1:9000/hook",
            "http://localhost/h",
            "http://[::1]:1/",
        ] {
            assert!(HookUrl::parse(good).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("product.example/hook", HookUrlError::NoUrl),
            ("http://product.example/hook", HookUrlError::Scheme),
            ("http://localhost.example/hook", HookUrlError::Scheme),
            ("ftp://localhost/hook", HookUrlError::Scheme),
            ("https://me:secret@product.example/hook", HookUrlError::UserInfo),
        ] {
            assert_eq!(HookUrl::parse(bad), Err(why), "{bad}");
        }
    }
}

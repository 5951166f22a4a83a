//! Somebody else in the endpoint's place, as clients that are not ours see it, and what is witnessed of them.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use mesh_witness::{
    emulator::{Arrangement, Impostor, Provocations, Recorder, Stranger, Untrusted},
    tape::{Attempt, AttemptEnd, Exchange, Redactor},
};
use reqwest::{Method, redirect::Policy};
use rustls::{
    ClientConfig, HandshakeKind, RootCertStore,
    client::{WebPkiServerVerifier, danger},
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
    version::{TLS12, TLS13},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::caller::{Caller, token};

const PROVOKED: &str = "x-mesh-witness-provoked";
const HEAD: &[u8] = b"GET /messageexchange/_ping HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

struct Scene {
    caller: Caller,
    provocations: Provocations,
    witnessed: Arc<Mutex<Vec<Attempt>>>,
}

impl Scene {
    fn new() -> Self {
        let provocations = Provocations::default();
        let arrangement = Arrangement { provocations: Some(provocations.clone()), ..Arrangement::default() };
        Self { caller: Caller::arranged(arrangement), provocations, witnessed: Arc::default() }
    }

    async fn present(&self, wrong: Untrusted) {
        let (pki, url) = (self.caller.endpoint.pki.as_ref().unwrap(), self.caller.endpoint.url.clone());
        let witnessed = Arc::clone(&self.witnessed);
        let keep = move |attempt| witnessed.lock().unwrap().push(attempt);
        self.provocations.present(Some(Impostor::new(pki, wrong, url, keep).unwrap())).await;
    }

    /// What was witnessed since the last time.
    async fn attempts(&self) -> Vec<Attempt> {
        self.provocations.settled().await;
        std::mem::take(&mut *self.witnessed.lock().unwrap())
    }

    async fn lists(&self) -> Result<u16, reqwest::Error> {
        Ok(self.caller.call(Method::GET, "COUNTERPART/inbox").send().await?.status().as_u16())
    }

    /// A TLS client that trusts anybody, and keeps its sessions for another time.
    fn careless(&self, with_certificate: bool) -> TlsConnector {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&TLS12, &TLS13])
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anybody(provider)));
        let file = |name: &str| self.caller.endpoint.folder.path().join(name);
        let config = if with_certificate {
            let chain = vec![CertificateDer::from_pem_file(file("PRODUCT.pem")).unwrap()];
            let key = PrivateKeyDer::from_pem_file(file("PRODUCT-key.pem")).unwrap();
            builder.with_client_auth_cert(chain, key).unwrap()
        } else {
            builder.with_no_client_auth()
        };
        TlsConnector::from(Arc::new(config))
    }

    async fn tcp(&self) -> TcpStream {
        TcpStream::connect(self.caller.endpoint.url.trim_start_matches("https://")).await.unwrap()
    }

    async fn connect(&self, connector: &TlsConnector) -> TlsStream<TcpStream> {
        let name = ServerName::try_from("localhost").unwrap();
        connector.connect(name, self.tcp().await).await.unwrap()
    }
}

#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl danger::ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<danger::ServerCertVerified, rustls::Error> {
        Ok(danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &rustls::DigitallySignedStruct,
    ) -> Result<danger::HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, leaf, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &rustls::DigitallySignedStruct,
    ) -> Result<danger::HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, leaf, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// A client that keeps its connection, and would not look at a certificate again by itself.
#[tokio::test(flavor = "multi_thread")]
async fn each_certificate_is_refused_for_its_own_reason_also_by_who_keeps_a_connection() {
    let scene = Scene::new();
    assert_eq!(scene.lists().await.unwrap(), 200);
    for wrong in Untrusted::ALL {
        scene.present(wrong).await;
        assert!(scene.lists().await.is_err(), "{wrong}");
        let attempts = scene.attempts().await;
        let [attempt] = attempts.as_slice() else { panic!("{wrong}: {attempts:?}") };
        let alert = match wrong {
            Untrusted::OtherAuthority | Untrusted::SelfSigned => "unknown_ca",
            Untrusted::OtherHost => "bad_certificate",
            Untrusted::Expired | Untrusted::NotYetValid => "certificate_expired",
            Untrusted::NotForServers => "unsupported_certificate",
        };
        let told = match &attempt.end {
            AttemptEnd::Alert(name) => name.as_str(),
            other => panic!("{wrong}: {other:?}"),
        };
        // Not each library tells times and purposes apart from other faults.
        assert!(told == alert || told == "bad_certificate", "{wrong}: {told}");
        assert_eq!((attempt.received, &attempt.tls), (0, &None), "{wrong}");
        assert_eq!(attempt.wrong, format!("a certificate {wrong}"));
        let issuer = attempt.certificate.as_ref().unwrap().issuer.clone();
        assert_eq!(issuer == "CN=somebody else's CA", wrong == Untrusted::OtherAuthority, "{issuer}");
    }
    scene.provocations.present(None).await;
    assert_eq!(scene.lists().await.unwrap(), 200, "the endpoint has its own certificate again");
    assert!(scene.attempts().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_session_is_resumed() {
    let scene = Scene::new();
    let careless = scene.careless(true);
    let kind = async || {
        let mut stream = scene.connect(&careless).await;
        // Tickets of TLS 1.3 come after the handshake.
        stream.write_all(HEAD).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        stream.get_ref().1.handshake_kind()
    };
    assert_eq!(kind().await, Some(HandshakeKind::Full));
    assert_eq!(kind().await, Some(HandshakeKind::Resumed), "as it is without an impostor");
    scene.present(Untrusted::OtherHost).await;
    for _ in 0..2 {
        let kind = kind().await;
        assert!(
            matches!(kind, Some(HandshakeKind::Full | HandshakeKind::FullWithHelloRetryRequest)),
            "{kind:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_trusts_anybody_is_answered_and_told_and_all_that_came_is_counted() {
    let scene = Scene::new();
    scene.present(Untrusted::SelfSigned).await;
    for with_certificate in [true, false] {
        let mut stream = scene.connect(&scene.careless(with_certificate)).await;
        stream.write_all(HEAD).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains(&format!("{PROVOKED}: over a certificate signed by itself\r\n")), "{answer}");
        drop(stream);
        let attempts = scene.attempts().await;
        let [attempt] = attempts.as_slice() else { panic!("{attempts:?}") };
        assert_eq!(attempt.received, HEAD.len() as u64);
        let tls = attempt.tls.as_ref().unwrap();
        assert_eq!((tls.version.as_str(), attempt.server_name.as_deref()), ("TLSv1.3", Some("localhost")));
        assert_eq!(tls.client_certificate.is_some(), with_certificate);
        assert_eq!(tls.server_certificate, attempt.certificate);
    }
}

/// As libraries do that look at the name when the handshake is over.
#[tokio::test(flavor = "multi_thread")]
async fn who_refuses_directly_after_the_handshake_has_sent_nothing() {
    let scene = Scene::new();
    scene.present(Untrusted::OtherHost).await;
    drop(scene.connect(&scene.careless(true)).await);
    let attempts = scene.attempts().await;
    let [attempt] = attempts.as_slice() else { panic!("{attempts:?}") };
    assert!(attempt.tls.is_some() && attempt.received == 0, "{attempt:?}");
    assert_eq!(attempt.end, AttemptEnd::Closed);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_a_connection_open_is_not_waited_for_for_ever() {
    let scene = Scene::new();
    scene.present(Untrusted::OtherHost).await;
    let mut kept = scene.connect(&scene.careless(true)).await;
    let attempts = tokio::time::timeout(Duration::from_secs(20), scene.attempts()).await.unwrap();
    let [attempt] = attempts.as_slice() else { panic!("{attempts:?}") };
    assert_eq!(attempt.end, AttemptEnd::ByEndpoint);
    assert!(matches!(kept.read(&mut [0; 16]).await, Ok(0) | Err(_)), "the endpoint has closed it");
    // One that was left open before anything was wrong is closed as well, whatever it has sent.
    scene.provocations.present(None).await;
    let mut silent = scene.connect(&scene.careless(true)).await;
    scene.present(Untrusted::Expired).await;
    assert!(matches!(silent.read(&mut [0; 16]).await, Ok(0) | Err(_)));
    assert!(scene.attempts().await.is_empty(), "it was never shown the certificate");
}

/// Whoever is refused by TLS and goes on without.
#[tokio::test(flavor = "multi_thread")]
async fn plain_http_is_taken_while_somebody_else_answers_and_not_otherwise() {
    let scene = Scene::new();
    let said = async || {
        let (mut stream, mut answer) = (scene.tcp().await, Vec::new());
        stream.write_all(HEAD).await.unwrap();
        // The connection may be reset.
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    };
    assert!(!said().await.starts_with("HTTP/"));
    scene.present(Untrusted::OtherAuthority).await;
    let answer = said().await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("without TLS"), "{answer}");
    let attempts = scene.attempts().await;
    let [attempt] = attempts.as_slice() else { panic!("{attempts:?}") };
    assert!(attempt.is_plain() && attempt.received == HEAD.len() as u64, "{attempt:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_records_what_comes_with_tls_and_without_and_refuses_it() {
    let scene = Scene::new();
    let pki = scene.caller.endpoint.pki.as_ref().unwrap();
    let exchanges: Arc<Mutex<Vec<Exchange>>> = Arc::default();
    let kept = Arc::clone(&exchanges);
    let keep = move |exchange| kept.lock().unwrap().push(exchange);
    let recorder = Recorder::new(Redactor::default(), Some(&pki.server_certificate()), keep);
    let stranger = Stranger::start(pki, recorder.clone()).await.unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(pki.authority()).unwrap();
    // Whoever verifies finds nothing wrong.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_webpki_verifier(verifier.build().unwrap())
        .with_no_client_auth();
    let client = reqwest::Client::builder().tls_backend_preconfigured(tls).redirect(Policy::none());
    let client = client.no_proxy().build().unwrap();
    for encrypted in [true, false] {
        let url = format!("{}/moved/messageexchange/PRODUCT/outbox", stranger.place(encrypted));
        let call = client.post(url).header("authorization", token("PRODUCT")).body("content");
        assert_eq!(call.send().await.unwrap().status(), 403);
        recorder.settled().await;
        let exchange = exchanges.lock().unwrap().pop().unwrap();
        assert_eq!(exchange.origin, stranger.place(encrypted).to_string());
        assert_eq!((exchange.operation.is_none(), exchange.request.body.size), (true, 7));
        assert_eq!((exchange.token.is_some(), exchange.tls.is_some()), (true, encrypted));
    }
    // One that announces content and sends none is answered all the same.
    let mut stream = TcpStream::connect(("127.0.0.1", stranger.place(false).port)).await.unwrap();
    stream.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n").await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 403");
}

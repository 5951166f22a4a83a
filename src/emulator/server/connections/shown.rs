//! Connections to an endpoint that may present, on purpose, a certificate that nobody should trust.

use std::sync::Arc;

use http::HeaderValue;
use rustls::server::Acceptor;
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{LazyConfigAcceptor, TlsAcceptor, server::StartHandshake};

use super::{Door, Line, PATIENCE, Patient, UNREAD, common_name, ends::Ends};
use crate::emulator::{
    provocations::{Impostor, Provocations, Witness, Witnessed},
    recording::tls_facts,
    routes::Peer,
};

impl Door {
    /// Shows what is to be presented when the client has begun to speak.
    pub(super) async fn shown(
        &self,
        stream: TcpStream,
        acceptor: &TlsAcceptor,
        provocations: &Provocations,
        line: Line,
        ends: Ends,
    ) {
        if provocations.presented().0.is_some()
            && speaks_in_the_clear(&stream).await
            && let (Some(impostor), term) = provocations.presented()
        {
            return self.in_the_clear(stream, impostor, line, ends.until(term)).await;
        }
        let hello = LazyConfigAcceptor::new(Acceptor::default(), Patient::new(stream, UNREAD));
        let Some(start) = self.opened(timeout(PATIENCE, hello).await) else { return };
        let (impostor, term) = provocations.presented();
        let ends = ends.until(term);
        match impostor {
            Some(impostor) => self.impostor(start, impostor, line, ends).await,
            None => {
                let accepted = timeout(PATIENCE, start.into_stream(Arc::clone(acceptor.config()))).await;
                if let Some(stream) = self.opened(accepted) {
                    let (recorder, on_loopback) = (self.recorder.as_ref(), line.peer.on_loopback);
                    let line = Line::own(&stream, recorder, line.address, on_loopback);
                    self.serve(stream, line, ends).await;
                }
            }
        }
    }

    async fn impostor(
        &self,
        start: StartHandshake<Patient<TcpStream>>,
        impostor: Arc<Impostor>,
        line: Line,
        mut ends: Ends,
    ) {
        let mut witness = Arc::clone(&impostor).meets(start.client_hello().server_name());
        let accepted = timeout(PATIENCE, start.into_stream(impostor.config()));
        let accepted = tokio::select! {
            accepted = accepted => accepted,
            () = ends.come() => return,
        };
        let stream = match accepted {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return witness.ended(&error),
            Err(_) => return witness.gave_up(),
        };
        let session = stream.get_ref().1;
        let facts = tls_facts(session, impostor.presented());
        witness.agreed(Arc::clone(&facts));
        let leaf = session.peer_certificates().unwrap_or_default().first();
        let name = leaf.and_then(|leaf| common_name(leaf)).map(Into::into);
        let line = Line {
            tls: Some(facts),
            peer: Peer { common_name: name, ..line.peer },
            words: HeaderValue::try_from(impostor.words()).ok(),
            ..line
        };
        self.serve(Witnessed::new(stream, witness), line, ends).await;
    }

    /// The client has fallen back to plain HTTP: whoever stands in MESH's place takes that as well.
    async fn in_the_clear(&self, stream: TcpStream, impostor: Arc<Impostor>, line: Line, ends: Ends) {
        let words = HeaderValue::from_static("without TLS");
        let line = Line { in_the_clear: true, words: Some(words), ..line };
        let witness: Witness = impostor.meets_in_the_clear();
        self.serve(Witnessed::new(Patient::new(stream, UNREAD), witness), line, ends).await;
    }
}

/// Whether the first byte begins a method of HTTP. A handshake of TLS begins with another.
async fn speaks_in_the_clear(stream: &TcpStream) -> bool {
    let mut first = [0];
    let peeked = timeout(PATIENCE, stream.peek(&mut first)).await;
    matches!(peeked, Ok(Ok(1))) && first[0].is_ascii_uppercase()
}

//! Who may call: the token in full and, by policy, the client certificate.

use std::{
    io,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use http::{HeaderMap, header::AUTHORIZATION};
use thiserror::Error;

use super::{
    Clock, Mailroom, Switches,
    replay::ReplayStore,
    routes::Peer,
    switches::{HashCase, TokenReplay, TokenWindow},
};
use crate::protocol::{Credentials, MailboxId, SharedKey, Token, TokenError, TokenRefusal, check_token};

/// What an endpoint demands beyond a good token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Policy {
    /// The first label of the client certificate's common name must be the token's mailbox, as in
    /// `x26hc005.x26.api.mesh-client.nhs.uk` (OpenAPI, onboarding step 1). Off by default: the same
    /// page also shows a free label there.
    pub certificate_names_mailbox: bool,
}

/// The guard at the door. Holds the shared key and which tokens were used.
pub struct Guard {
    shared_key: SharedKey,
    policy: Policy,
    switches: Switches,
    clock: Clock,
    used: Mutex<ReplayStore>,
}

/// Why a call is answered 403. A real endpoint does not say; ours says so in its own log.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// No `Authorization` header, or more than one.
    #[error("there is not exactly one Authorization header")]
    NotOneHeader,
    /// The header is no token.
    #[error("the Authorization header is malformed: it {0}")]
    Malformed(#[from] TokenError),
    /// The mailbox of the path is not registered.
    #[error("the mailbox is not registered")]
    UnknownMailbox,
    /// The mailbox is disabled (pack case 701).
    #[error("the mailbox is disabled")]
    Disabled,
    /// The token is not good.
    #[error("{0}")]
    Token(#[from] TokenRefusal),
    /// The token was used before.
    #[error("the token was used before")]
    Replayed,
    /// The certificate names another mailbox.
    #[error("the client certificate does not name the token's mailbox")]
    OtherCertificate,
}

/// Tokens remembered at most: at 40 bytes each some 160 MB, and more than a client can make in
/// four hours at 250 a second.
const REPLAY_CAPACITY: usize = 4_000_000;

impl Guard {
    pub fn new(shared_key: SharedKey, policy: Policy, switches: Switches, clock: Clock) -> Self {
        let used = Mutex::new(ReplayStore::with_capacity(REPLAY_CAPACITY));
        Self { shared_key, policy, switches, clock, used }
    }

    /// The same, with used tokens in a folder, so that a restart forgets none.
    ///
    /// # Errors
    /// When the folder cannot be read or written.
    pub fn remembering(self, folder: PathBuf) -> io::Result<Self> {
        Ok(Self { used: Mutex::new(ReplayStore::open(REPLAY_CAPACITY, folder)?), ..self })
    }

    /// Lets a call on no mailbox in when its token is good for the mailbox that the token names.
    pub fn admit_anybody(
        &self,
        headers: &HeaderMap,
        peer: &Peer,
        mailroom: &Mailroom,
    ) -> Result<(), Refusal> {
        let mailbox = token(headers)?.mailbox().clone();
        self.admit(&mailbox, headers, peer, mailroom)
    }

    /// Lets a call on `mailbox` in, or says why not.
    pub fn admit(
        &self,
        mailbox: &MailboxId,
        headers: &HeaderMap,
        peer: &Peer,
        mailroom: &Mailroom,
    ) -> Result<(), Refusal> {
        let mut token = token(headers)?;
        if self.switches.hash_case == HashCase::Any {
            token = token.with_lower_case_hash();
        }
        let (password, active) = mailroom.door(mailbox).ok_or(Refusal::UnknownMailbox)?;
        let credentials =
            Credentials { mailbox: mailbox.clone(), password, shared_key: self.shared_key.clone() };
        let now = self.clock.now();
        match check_token(&token, &credentials, now) {
            // The window is the last thing that is checked.
            Err(TokenRefusal::OutsideWindow) if self.switches.token_window == TokenWindow::Unlimited => {}
            checked => checked?,
        }
        if self.policy.certificate_names_mailbox && !names(peer.common_name.as_deref(), mailbox) {
            return Err(Refusal::OtherCertificate);
        }
        if self.switches.token_replay == TokenReplay::Refused
            && !self.used.lock().unwrap_or_else(PoisonError::into_inner).spend(&token, now)
        {
            return Err(Refusal::Replayed);
        }
        if active { Ok(()) } else { Err(Refusal::Disabled) }
    }
}

fn token(headers: &HeaderMap) -> Result<Token, Refusal> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(Refusal::NotOneHeader);
    };
    Ok(Token::parse(value.to_str().unwrap_or_default())?)
}

fn names(common_name: Option<&str>, mailbox: &MailboxId) -> bool {
    let label = common_name.and_then(|name| name.split('.').next());
    label.is_some_and(|label| label.eq_ignore_ascii_case(mailbox.as_str()))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use uuid::Uuid;

    use super::*;
    use crate::protocol::{NonceCount, Password};

    fn admit(
        policy: Policy,
        common_name: Option<&str>,
        edit: fn(HeaderMap) -> HeaderMap,
    ) -> Result<(), Refusal> {
        let mailbox = MailboxId::parse("X26ABC1").unwrap();
        let clock = Clock::new();
        let mailroom = Mailroom::new(clock.clone(), super::super::Limits::default());
        mailroom.register(mailbox.clone(), Password::new("p"));
        let guard = Guard::new(SharedKey::new("k"), policy, Switches::default(), clock.clone());
        let credentials = Credentials {
            mailbox: mailbox.clone(),
            password: Password::new("p"),
            shared_key: SharedKey::new("k"),
        };
        let token = Token::build(&credentials, Uuid::new_v4(), NonceCount::new(0), clock.now());
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::try_from(token.to_string()).unwrap());
        let peer = Peer { common_name: common_name.map(Into::into), on_loopback: true };
        guard.admit(&mailbox, &edit(headers), &peer, &mailroom)
    }

    #[test]
    fn one_good_token_is_let_in() {
        assert_eq!(admit(Policy::default(), None, |headers| headers), Ok(()));
    }

    #[test]
    fn no_token_and_two_tokens_are_refused() {
        assert_eq!(admit(Policy::default(), None, |_| HeaderMap::new()), Err(Refusal::NotOneHeader));
        let two = |mut headers: HeaderMap| {
            let first = headers[AUTHORIZATION].clone();
            headers.append(AUTHORIZATION, first);
            headers
        };
        assert_eq!(admit(Policy::default(), None, two), Err(Refusal::NotOneHeader));
    }

    #[test]
    fn the_certificate_must_name_the_mailbox_only_when_asked() {
        let strict = Policy { certificate_names_mailbox: true };
        let keep = |headers| headers;
        assert_eq!(admit(strict, Some("x26abc1.x26.api.mesh-client.nhs.uk"), keep), Ok(()));
        assert_eq!(
            admit(strict, Some("server001.x26.api.mesh-client.nhs.uk"), keep),
            Err(Refusal::OtherCertificate)
        );
        assert_eq!(admit(strict, None, keep), Err(Refusal::OtherCertificate));
        assert_eq!(admit(Policy::default(), Some("server001.x26"), keep), Ok(()));
    }
}

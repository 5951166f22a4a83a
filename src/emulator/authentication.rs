//! Who may call: the token in full and, by policy, the client certificate.

mod lenient;

use std::{
    io,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use http::{HeaderMap, header::AUTHORIZATION};
use thiserror::Error;

use lenient::Fields;

use super::{
    Clock, Mailroom, Switches,
    replay::ReplayStore,
    routes::Peer,
    switches::{HashCase, TokenForm, TokenReplay, TokenWindow},
};
use crate::protocol::{Credentials, MailboxId, Password, SharedKey, Token, TokenError, TokenRefusal};

/// What an endpoint demands beyond a good token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Policy {
    /// The first label of the client certificate's common name must be the token's mailbox, as in
    /// `x26hc005.x26.api.mesh-client.nhs.uk` (OpenAPI, "Get a TLS certificate"). Off by default: the same
    /// page also shows a free label there.
    pub certificate_names_mailbox: bool,
    /// How a caller shows who it is.
    pub authentication: Authentication,
}

/// How a caller shows who it is. All but the first are for tests on one machine (mesh-sandbox 1.0.137,
/// `AUTH_MODE`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Authentication {
    /// By a good token.
    #[default]
    Full,
    /// By a token for the mailbox with `valid` as its nonce; nothing else in it matters.
    Canned,
    /// Not at all: whoever calls on a mailbox is let in.
    None,
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
    /// The header is no token even for an endpoint that takes many forms.
    #[error("the Authorization header has no mailbox, nonce, count, timestamp and hash")]
    NoToken,
    /// The header is no token.
    #[error("the Authorization header is malformed: {0}")]
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
        let mailbox = match (self.mode(peer), self.switches.token_form) {
            (Authentication::None, _) => return Ok(()),
            (Authentication::Full, TokenForm::Exact) => token(headers)?.mailbox().clone(),
            _ => MailboxId::parse(Fields::of(headers)?.mailbox()).map_err(|_| Refusal::UnknownMailbox)?,
        };
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
        let active = match (self.mode(peer), self.switches.token_form) {
            (Authentication::None, _) => mailroom.door(mailbox).ok_or(Refusal::UnknownMailbox)?.1,
            (Authentication::Full, TokenForm::Exact) => self.check(mailbox, headers, peer, mailroom)?,
            (mode, _) => self.check_leniently(mode, mailbox, headers, peer, mailroom)?,
        };
        if active { Ok(()) } else { Err(Refusal::Disabled) }
    }

    /// Whether the mailbox is active, when the token is good.
    fn check(
        &self,
        mailbox: &MailboxId,
        headers: &HeaderMap,
        peer: &Peer,
        mailroom: &Mailroom,
    ) -> Result<bool, Refusal> {
        let mut token = token(headers)?;
        if self.switches.hash_case == HashCase::Any {
            token = token.with_lower_case_hash();
        }
        let (password, active) = mailroom.door(mailbox).ok_or(Refusal::UnknownMailbox)?;
        let now = self.clock.now();
        match token.check(mailbox, &password, &self.shared_key, now) {
            // The window is the last thing that is checked.
            Err(TokenRefusal::OutsideWindow) if self.switches.token_window == TokenWindow::Unlimited => {}
            checked => checked?,
        }
        self.check_certificate(mailbox, peer)?;
        if self.switches.token_replay == TokenReplay::Refused && !self.spend(&token, now) {
            return Err(Refusal::Replayed);
        }
        Ok(active)
    }

    /// Uses a token up; `false` when it was used before.
    fn spend(&self, token: &Token, now: DateTime<Utc>) -> bool {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.clock.moved_by().is_zero() {
            used.note_moved_clock();
        }
        used.spend(token, now)
    }

    /// The same in the order in which mesh-sandbox looks, for which neither time nor repetition matters.
    fn check_leniently(
        &self,
        mode: Authentication,
        mailbox: &MailboxId,
        headers: &HeaderMap,
        peer: &Peer,
        mailroom: &Mailroom,
    ) -> Result<bool, Refusal> {
        let fields = Fields::of(headers)?;
        if fields.mailbox() != mailbox.as_str() {
            return Err(TokenRefusal::OtherMailbox.into());
        }
        if mode == Authentication::Canned && !fields.is_canned() {
            return Err(TokenRefusal::WrongHash.into());
        }
        if mode == Authentication::Full {
            fields.check_form()?;
        }
        let (password, active) = mailroom.door(mailbox).ok_or(Refusal::UnknownMailbox)?;
        if mode == Authentication::Full {
            fields.check_hash(&self.credentials(mailbox, password))?;
        }
        self.check_certificate(mailbox, peer)?;
        Ok(active)
    }

    /// Whoever is not on this machine needs a token in every case.
    fn mode(&self, peer: &Peer) -> Authentication {
        if peer.on_loopback { self.policy.authentication } else { Authentication::Full }
    }

    fn credentials(&self, mailbox: &MailboxId, password: Password) -> Credentials {
        Credentials { mailbox: mailbox.clone(), password, shared_key: self.shared_key.clone() }
    }

    fn check_certificate(&self, mailbox: &MailboxId, peer: &Peer) -> Result<(), Refusal> {
        match self.policy.certificate_names_mailbox && !names(peer.common_name.as_deref(), mailbox) {
            true => Err(Refusal::OtherCertificate),
            false => Ok(()),
        }
    }
}

fn token(headers: &HeaderMap) -> Result<Token, Refusal> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(Refusal::NotOneHeader);
    };
    Ok(Token::parse(value.to_str().unwrap_or_default())?)
}

/// Whether a certificate's common name is that of a mailbox, by its first label. Case makes no difference.
pub(super) fn names(common_name: Option<&str>, mailbox: &MailboxId) -> bool {
    let label = common_name.and_then(|name| name.split('.').next());
    label.is_some_and(|label| label.eq_ignore_ascii_case(mailbox.as_str()))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use uuid::Uuid;

    use super::*;
    use crate::protocol::NonceCount;

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
    fn without_full_authentication_only_this_machine_is_let_in_on_less() {
        let try_as = |authentication, token: Option<&str>, on_loopback| {
            let clock = Clock::new();
            let mailroom = Mailroom::new(clock.clone(), super::super::Limits::default());
            let mailbox = MailboxId::parse("X26ABC1").unwrap();
            mailroom.register(mailbox.clone(), Password::new("p"));
            let policy = Policy { authentication, ..Policy::default() };
            let guard = Guard::new(SharedKey::new("k"), policy, Switches::default(), clock);
            let mut headers = HeaderMap::new();
            if let Some(token) = token {
                headers.insert(AUTHORIZATION, HeaderValue::try_from(token).unwrap());
            }
            guard.admit(&mailbox, &headers, &Peer { common_name: None, on_loopback }, &mailroom)
        };
        let canned = Some("NHSMESH X26ABC1:VALID:::");
        assert_eq!(try_as(Authentication::None, None, true), Ok(()));
        assert_eq!(try_as(Authentication::None, None, false), Err(Refusal::NotOneHeader));
        assert_eq!(try_as(Authentication::Canned, canned, true), Ok(()));
        assert!(try_as(Authentication::Canned, canned, false).is_err());
        assert!(try_as(Authentication::Full, canned, true).is_err());
        let wrong = TokenRefusal::WrongHash;
        assert_eq!(try_as(Authentication::Canned, Some("X26ABC1:no"), true), Err(wrong.into()));
        let other = TokenRefusal::OtherMailbox;
        assert_eq!(try_as(Authentication::Canned, Some("X26ABC2:valid"), true), Err(other.into()));
    }

    #[test]
    fn the_certificate_must_name_the_mailbox_only_when_asked() {
        let strict = Policy { certificate_names_mailbox: true, ..Policy::default() };
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

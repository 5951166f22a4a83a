//! The two secrets of MESH authentication, in types that cannot be printed.

use std::{fmt, sync::Arc};

use aws_lc_rs::hmac;
use secrecy::{ExposeSecret, SecretString};

use super::{MailboxId, hexadecimal};

/// A mailbox password. `Debug` shows nothing of it. A clone is the same text, not a copy of it: an
/// endpoint needs one for every request.
#[derive(Debug, Clone)]
pub struct Password(Arc<SecretString>);

/// The shared secret of a MESH environment, key of every token's HMAC. `Debug` shows nothing of it.
/// Cheap to clone.
#[derive(Clone)]
pub struct SharedKey(Arc<Key>);

/// The text, and the same made ready for the HMAC, which takes two rounds of SHA-256.
struct Key {
    text: SecretString,
    hmac: hmac::Key,
}

/// What it takes to make a token for one mailbox.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The mailbox that speaks.
    pub mailbox: MailboxId,
    /// Its password.
    pub password: Password,
    /// The environment's shared key.
    pub shared_key: SharedKey,
}

impl Password {
    /// Takes the secret in.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Arc::new(SecretString::from(text.into())))
    }

    /// The secret itself: for the HMAC, for redaction, for nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl SharedKey {
    /// Takes the secret in.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        let text = SecretString::from(text.into());
        let hmac = hmac::Key::new(hmac::HMAC_SHA256, text.expose_secret().as_bytes());
        Self(Arc::new(Key { text, hmac }))
    }

    /// The secret itself: for redaction, for nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.text.expose_secret()
    }

    /// The HMAC-SHA256 of a text in lower-case hexadecimal: for tokens that are wrong on purpose.
    #[must_use]
    pub fn sign(&self, text: &str) -> String {
        hexadecimal(hmac::sign(self.hmac(), text.as_bytes()).as_ref())
    }

    /// The secret as the HMAC wants it.
    pub(super) fn hmac(&self) -> &hmac::Key {
        &self.0.hmac
    }
}

impl fmt::Debug for SharedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedKey([REDACTED])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let credentials = Credentials {
            mailbox: MailboxId::parse("X26ABC1").unwrap(),
            password: Password::new("hunter2"),
            shared_key: SharedKey::new("BackBone"),
        };
        let shown = format!("{credentials:?}");
        assert!(!shown.contains("hunter2") && !shown.contains("BackBone"), "{shown}");
    }
}

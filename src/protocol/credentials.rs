//! The two secrets of MESH authentication, in types that cannot be printed.

use secrecy::{ExposeSecret, SecretString};

use super::MailboxId;

/// A mailbox password. `Debug` shows nothing of it.
#[derive(Debug, Clone)]
pub struct Password(SecretString);

/// The shared secret of a MESH environment, key of every token's HMAC. `Debug` shows nothing of it.
#[derive(Debug, Clone)]
pub struct SharedKey(SecretString);

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

macro_rules! secret {
    ($name:ident) => {
        impl $name {
            /// Takes the secret in.
            #[must_use]
            pub fn new(text: impl Into<String>) -> Self {
                Self(SecretString::from(text.into()))
            }

            /// The secret itself: for the HMAC, for redaction, for nothing else.
            #[must_use]
            pub fn expose(&self) -> &str {
                self.0.expose_secret()
            }
        }
    };
}
secret!(Password);
secret!(SharedKey);

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

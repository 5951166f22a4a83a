//! A product of somebody else's, and how it is asked to act: by a program, by an HTTP call, or by a
//! person at a terminal. What it did is read from the tape; what the driver brings back is evidence.

mod command;
mod manual;
mod order;
mod webhook;

use std::{collections::BTreeMap, fmt, path::PathBuf, sync::Arc, time::Duration};

use tempfile::TempDir;

use super::{Ask, AskError};
use crate::{
    protocol::{MailboxId, Password, SharedKey, WorkflowId},
    tape::{Exchange, Redactor, Sha256},
};

pub use command::{CommandError, ProgramFile};
pub use manual::{ATTACHMENT_BYTES, Console};
pub use webhook::{HookUrl, HookUrlError};

/// How a product is asked to act.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Driver {
    /// There is none: the reference client of mesh-witness stands in.
    Reference,
    /// A program, called once for each action.
    Command {
        /// Program and arguments; the action follows them.
        command: Vec<String>,
        /// Where it is started, and what the program's path is relative to.
        folder: PathBuf,
        /// How long an action may take.
        timeout: Duration,
    },
    /// An HTTP call to a test hook of the product's.
    Webhook {
        /// Where.
        url: HookUrl,
        /// How long an action may take.
        timeout: Duration,
    },
    /// A person at the terminal.
    Manual {
        /// How long an action may take.
        timeout: Duration,
    },
}

/// What a product can be asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Validate its mailbox.
    Handshake,
    /// Send a message.
    Send,
    /// One poll cycle: list, download and acknowledge what waits.
    Receive,
    /// Ask what became of a message.
    Track,
}

/// Where the product finds its endpoint, and as whom it calls.
pub struct Access {
    /// Scheme, host and port.
    pub url: String,
    /// PEM: whom to trust.
    pub ca_file: PathBuf,
    /// PEM: the client certificate.
    pub certificate_file: PathBuf,
    /// PEM: its key, for its owner only.
    pub key_file: PathBuf,
    /// The environment's shared key.
    pub shared_key: SharedKey,
    /// The product's mailbox.
    pub mailbox: MailboxId,
    /// Its password.
    pub password: Password,
    /// The workflow ID that messages carry.
    pub workflow: WorkflowId,
    /// Whom the product sends to, for a person to look up.
    pub counterpart: MailboxId,
    /// The folder of the files, when it is to vanish with this.
    pub folder: Option<TempDir>,
}

/// A product that is asked through a driver. Cheap to clone.
#[derive(Clone)]
pub struct Driven(Arc<Inner>);

struct Inner {
    driver: Driver,
    access: Access,
    redactor: Redactor,
    console: Option<tokio::sync::Mutex<Console>>,
    hook: Option<webhook::Hook>,
}

/// What the driver brought back from one ask. Holds no secret.
#[derive(Debug, Clone, Default)]
pub struct Said {
    /// Whether the product believes that it succeeded; `None` when it does not say.
    pub succeeded: Option<bool>,
    /// Whether nothing more can come of it, as when a program has ended by itself.
    pub is_over: bool,
    /// Whether it was ended by us, since its time was over.
    pub was_ended: bool,
    /// Whether something else ended it, such as a signal: it has not said how it went.
    pub has_crashed: bool,
    /// How it ended, such as `exit code 0 after 0.31 s`.
    pub how: String,
    /// What it put out, for the bundle.
    pub output: Option<String>,
    /// What it says it has received, by message ID; `None` when it cannot say.
    pub received: Option<BTreeMap<String, Sha256>>,
    /// Files that a person attached.
    pub attachments: Vec<Attachment>,
}

/// A file that a person attached, with what they say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its name, fit for any file system.
    pub name: String,
    /// Its content, as it was.
    pub content: Vec<u8>,
    /// When it was attached.
    pub at: chrono::DateTime<chrono::Utc>,
    /// What it shows, in the person's words.
    pub statement: String,
}

/// What the driver looks at while it waits: the product's calls since it was asked.
pub type Watch<'a> = &'a (dyn Fn() -> Vec<Arc<Exchange>> + Sync);

/// How many bytes have passed in the run so far, at least.
pub type Passed<'a> = &'a (dyn Fn() -> u64 + Sync);

/// Why a driver cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// The program cannot be started.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// The client for the hook could not be set up.
    #[error("cannot set up HTTP for product.driver.webhook: {0}")]
    Webhook(reqwest::Error),
    /// A person is needed and there is none.
    #[error(
        "product.driver: manual needs a terminal, on which a person can be asked; use command or webhook where there is none"
    )]
    NoTerminal,
}

impl Driven {
    /// A product with its driver. `console` is the terminal, for the manual driver.
    ///
    /// # Errors
    /// When the driver cannot work: the program is not there, there is no terminal.
    pub fn new(
        driver: Driver,
        access: Access,
        redactor: Redactor,
        console: Option<Console>,
    ) -> Result<Self, DriverError> {
        if let Driver::Command { command, folder, .. } = &driver {
            ProgramFile::find(command, folder)?;
        }
        if matches!(driver, Driver::Manual { .. }) && console.is_none() {
            return Err(DriverError::NoTerminal);
        }
        let hook = match &driver {
            Driver::Webhook { .. } => Some(webhook::Hook::new().map_err(DriverError::Webhook)?),
            _ => None,
        };
        let console = console.map(tokio::sync::Mutex::new);
        Ok(Self(Arc::new(Inner { driver, access, redactor, console, hook })))
    }

    /// Asks the product to act, and waits until it has, or its time is over.
    ///
    /// # Errors
    /// When it cannot be asked: a fault of the configuration, or of ours.
    pub async fn ask(&self, ask: &Ask<'_>, watch: Watch<'_>, passed: Passed<'_>) -> Result<Said, AskError> {
        let inner = &*self.0;
        let desk = order::Desk::lay_out(ask).await.map_err(|error| {
            AskError::Ours(format!("the product's files for this step could not be written: {error}"))
        })?;
        let order = order::Order::new(ask, &inner.access, &desk);
        match &inner.driver {
            Driver::Command { command, folder, timeout } => {
                let mut said = command::run(command, folder, *timeout, &order, &inner.redactor).await?;
                if order.action == Action::Receive {
                    said.received = Some(desk.received(passed()).await);
                }
                Ok(said)
            }
            Driver::Webhook { url, timeout } => {
                let Some(hook) = &inner.hook else { return Err(unset()) };
                hook.ask((url, *timeout), ask, desk, &order, watch, &inner.redactor).await
            }
            Driver::Manual { timeout } => {
                let Some(console) = &inner.console else { return Err(unset()) };
                let mut console = console.lock().await;
                Ok(manual::ask(&mut console, *timeout, ask, &order, watch, &inner.redactor).await)
            }
            Driver::Reference => Err(unset()),
        }
    }

    /// Lets the product end what it was asked for and has not told the end of, and takes away the files that it was
    /// given for that. Nothing is waited for where the run was `cut_short`.
    ///
    /// # Errors
    /// What could not be taken away, for a person.
    pub async fn end(&self, cut_short: bool) -> Result<(), String> {
        match (&self.0.driver, &self.0.hook) {
            (Driver::Webhook { timeout, .. }, Some(hook)) => {
                hook.end(if cut_short { Duration::ZERO } else { *timeout }).await
            }
            _ => Ok(()),
        }
    }

    /// The word for its driver.
    #[must_use]
    pub fn word(&self) -> &'static str {
        self.0.driver.word()
    }

    /// Whether a person operates it.
    #[must_use]
    pub fn is_manual(&self) -> bool {
        matches!(self.0.driver, Driver::Manual { .. })
    }

    /// Where the product finds its endpoint.
    #[must_use]
    pub fn access(&self) -> &Access {
        &self.0.access
    }
}

impl Action {
    /// The word for it: the program's argument.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Handshake => "handshake",
            Self::Send => "send",
            Self::Receive => "receive",
            Self::Track => "track",
        }
    }
}

impl Driver {
    /// The word for it, in the configuration.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Reference => "reference",
            Self::Command { .. } => "command",
            Self::Webhook { .. } => "webhook",
            Self::Manual { .. } => "manual",
        }
    }
}

fn unset() -> AskError {
    AskError::Ours("the product's driver was not set up".to_owned())
}

/// Output of a program as text that a terminal or a report may show, line by line.
fn lines(bytes: &[u8]) -> String {
    bytes.split(|byte| *byte == b'\n').map(crate::tape::printable).collect::<Vec<_>>().join("\n")
}

impl fmt::Debug for Driven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driven").field("driver", &self.0.driver).finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::path::Path;

    use super::*;

    pub fn access(folder: &Path) -> Access {
        let mailbox = |id| MailboxId::parse(id).unwrap();
        Access {
            url: "https://127.0.0.1:1".to_owned(),
            ca_file: folder.join("ca.pem"),
            certificate_file: folder.join("product.pem"),
            key_file: folder.join("product-key.pem"),
            shared_key: SharedKey::new("the-shared-k3y"),
            mailbox: mailbox("PRODUCT"),
            password: Password::new("pass-w0rd"),
            workflow: WorkflowId::parse("W").unwrap(),
            counterpart: mailbox("COUNTERPART"),
            folder: None,
        }
    }
}

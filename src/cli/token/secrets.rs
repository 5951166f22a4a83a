//! Whose secrets, and where they come from. Never from the command line, which everybody on the machine can read.

use std::path::{Path, PathBuf};

use mesh_witness::{
    config::Setup,
    protocol::{Credentials, MailboxId, Password, SharedKey},
};

use super::{
    super::{Exit, Failure, args::TokenArguments, screen},
    input,
};

/// What is known of the mailbox in question, and of others.
pub struct Secrets {
    pub mailbox: Option<MailboxId>,
    pub password: Option<Password>,
    pub shared_key: Option<SharedKey>,
    /// Passwords of the configuration's other mailboxes, by the names that they have there.
    pub others: Vec<(String, Password)>,
}

const MAILBOX: &str = "MESH_MAILBOX_ID";
const PASSWORD: &str = "MESH_MAILBOX_PASSWORD";
const SHARED_KEY: &str = "MESH_SHARED_KEY";

impl Secrets {
    /// Those of the mailbox that is asked for; where none is, of the configuration's that `token` names, or else of the
    /// product's.
    pub fn of(arguments: &TokenArguments, token: &str) -> Result<Self, Failure> {
        match &arguments.config {
            Some(file) => Self::of_config(file, arguments.mailbox.as_deref(), token),
            None => Self::of_environment(arguments),
        }
    }

    fn of_config(file: &Path, asked: Option<&str>, token: &str) -> Result<Self, Failure> {
        let (setup, _) = Setup::load(file, &|name| std::env::var(name).ok())
            .map_err(|error| Failure::new(Exit::Usage, error))?;
        let known = match setup {
            Setup::Endpoint(config) => Some((config.mailboxes, config.endpoint.shared_key)),
            Setup::Rehearsal(rehearsal) => rehearsal.mailboxes.zip(rehearsal.shared_key),
        };
        let (mailboxes, shared_key) = known.ok_or_else(|| {
            let what = "names no endpoint, and not both mailboxes and emulator.shared_key, so each run makes its own";
            let mend = "add both, or leave --config off";
            Failure::new(Exit::Usage, format!("{}: {what}: {mend}", file.display()))
        })?;
        let mut mailboxes = vec![("product", mailboxes.product), ("counterpart", mailboxes.counterpart)];
        let place = match asked {
            Some(asked) => {
                let is_asked =
                    |name: &str, id: &MailboxId| name == asked || id.as_str().eq_ignore_ascii_case(asked);
                let place = mailboxes.iter().position(|(name, mailbox)| is_asked(name, &mailbox.id));
                place.ok_or_else(|| {
                    let mend = "say product or counterpart, or give the ID of one of them";
                    Failure::new(Exit::Usage, format!("--mailbox: is none of the configuration's: {mend}"))
                })?
            }
            None => {
                let is_named = |id: &MailboxId| {
                    token.split([':', ' ']).any(|word| word.eq_ignore_ascii_case(id.as_str()))
                };
                mailboxes.iter().position(|(_, mailbox)| is_named(&mailbox.id)).unwrap_or(0)
            }
        };
        let (_, chosen) = mailboxes.remove(place);
        let others = mailboxes.into_iter().map(|(name, other)| (format!("mailboxes.{name}"), other.password));
        Ok(Self {
            mailbox: Some(chosen.id),
            password: Some(chosen.password),
            shared_key: Some(shared_key),
            others: others.collect(),
        })
    }

    fn of_environment(arguments: &TokenArguments) -> Result<Self, Failure> {
        let (password_file, key_file) = (&arguments.password_file, &arguments.shared_key_file);
        let is_input = |file: &Option<PathBuf>| file.as_deref() == Some(Path::new("-"));
        let readers =
            [is_input(password_file), is_input(key_file), arguments.explain.as_deref() == Some("-")];
        if readers.into_iter().filter(|reads| *reads).count() > 1 {
            let what = "standard input cannot be read twice: name a file for one of them";
            return Err(Failure::new(Exit::Usage, what));
        }
        let secret = |flag, file: &Option<PathBuf>, variable| {
            let (place, secret) = match file {
                Some(path) => (flag, Some(input::secret(flag, path)?)),
                None => (variable, variable_of(variable)),
            };
            if secret.as_ref().is_some_and(|secret| secret.trim() != secret) {
                screen::warning(&format!(
                    "{place}: begins or ends with a blank, which is used as part of it"
                ));
            }
            Ok::<_, Failure>(secret)
        };
        Ok(Self {
            mailbox: mailbox_id(arguments.mailbox.as_deref())?,
            password: secret("--password-file", password_file, PASSWORD)?.map(Password::new),
            shared_key: secret("--shared-key-file", key_file, SHARED_KEY)?.map(SharedKey::new),
            others: Vec::new(),
        })
    }

    /// All that a token is made of, or what is missing.
    pub fn credentials(self) -> Result<Credentials, Failure> {
        let missing = |what: &str, ways: &str| {
            let mend = format!("{ways}, or name a configuration with --config FILE");
            Failure::new(Exit::Usage, format!("{what} is not known: {mend}"))
        };
        // In this order: whoever explains a token needs no mailbox.
        let password = self.password.ok_or_else(|| {
            missing("the mailbox's password", "set MESH_MAILBOX_PASSWORD or give --password-file FILE")
        })?;
        let shared_key = self
            .shared_key
            .ok_or_else(|| missing("the shared key", "set MESH_SHARED_KEY or give --shared-key-file FILE"))?;
        let mailbox =
            self.mailbox.ok_or_else(|| missing("the mailbox", "give --mailbox ID or set MESH_MAILBOX_ID"))?;
        Ok(Credentials { mailbox, password, shared_key })
    }
}

/// An empty variable is one that nobody has set.
fn variable_of(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn mailbox_id(given: Option<&str>) -> Result<Option<MailboxId>, Failure> {
    let from_environment = || variable_of(MAILBOX).map(|id| (MAILBOX, id));
    let Some((place, id)) = given.map(|id| ("--mailbox", id.to_owned())).or_else(from_environment) else {
        return Ok(None);
    };
    MailboxId::parse(&id.to_ascii_uppercase()).map(Some).map_err(|error| {
        Failure::new(Exit::Usage, format!("{place}: a mailbox ID {error}: give one such as X26HC005"))
    })
}

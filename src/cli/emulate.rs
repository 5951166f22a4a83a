//! `emulate`: our endpoint, alone.

use std::{
    collections::BTreeSet,
    io::{self, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
    sync::Arc,
    time::Duration,
};

use chrono::TimeDelta;
use http::StatusCode;
use mesh_witness::{
    emulator::{
        Arrangement, Authentication, Call, Clock, Emulator, Limits, Mailbox, Pki, PkiError, PkiFolder,
        Policy, Profile, Settings, StartError, StoreError, Switches, Transport, raise_open_files,
        switches::Expiry,
    },
    protocol::{MailboxId, Password, SharedKey},
    report::quoted_for_shell,
    tape::{SecretSet, push_printable},
};

use super::{
    Exit, Failure,
    access_log::AccessLog,
    args::{AuthMode, DEFAULT_SHARED_KEY, EmulateArguments, ProfileName},
    emulated::{self, Known},
    interruption::Interruption,
    lines::Lines,
    screen,
    taping::{self, Taping},
};

/// How long calls wait for whoever reads what is shown.
const PATIENCE: Duration = Duration::from_secs(1);

impl EmulateArguments {
    /// Threads that answer calls. A processor that whoever calls has to share with them is lost to both: with one
    /// thread for two processors a call costs a fifth less, and more are answered (docs/measurements.md).
    pub fn threads(&self) -> usize {
        self.threads.map_or_else(|| super::processors().div_ceil(2), usize::from)
    }
}

pub async fn emulate(arguments: EmulateArguments) -> Result<Exit, Failure> {
    raise_open_files();
    let arrangement = arrangement(&arguments)?;
    if arguments.plain_http && !arguments.listen.ip().is_loopback() {
        let message = format!(
            "--plain-http: {} is not a loopback address; listen on 127.0.0.1, or leave out --plain-http",
            arguments.listen
        );
        return Err(Failure::new(Exit::Usage, message));
    }
    if arguments.auth_mode != AuthMode::Full {
        check_auth_mode(&arguments)?;
    }
    let ids: Vec<MailboxId> = arrangement.mailboxes.iter().map(|mailbox| mailbox.id.clone()).collect();
    let clock = Clock::new();
    let telling = Arc::new(Telling::new(&arguments, &clock, unsaid(&arguments, &arrangement.mailboxes))?);
    let told = Arc::clone(&telling);
    let pki = pki(&arguments)?;
    let transport = pki.clone().map_or(Transport::Plain, Transport::MutualTls);
    let taping = arguments.tape.as_deref().map(Taping::open).transpose()?;
    let recorder = taping.as_ref().map(|taping| {
        let certificate = match &transport {
            Transport::MutualTls(pki) => Some(pki.server_certificate()),
            Transport::Plain => None,
        };
        let key = SharedKey::new(arguments.shared_key.clone());
        taping.recorder(&arrangement.mailboxes, &key, certificate.as_ref())
    });
    let token_clock = clock.clone();
    let settings = Settings {
        listen: arguments.listen,
        transport,
        shared_key: SharedKey::new(arguments.shared_key.clone()),
        mailboxes: Vec::new(),
        policy: Policy {
            certificate_names_mailbox: arguments.certificate_names_mailbox,
            authentication: match arguments.auth_mode {
                AuthMode::Full => Authentication::Full,
                AuthMode::Canned => Authentication::Canned,
                AuthMode::None => Authentication::None,
            },
        },
        limits: Limits::default().of_messages(arguments.max_message_size),
        clock,
        watcher: Some(Arc::new(move |call: &Call| told.tell(call))),
    };
    let started = match recorder {
        Some(recorder) => Emulator::start_recorded(settings, arrangement, recorder, token_clock).await,
        None => Emulator::start_arranged(settings, arrangement).await,
    };
    let emulator = started.map_err(|error| match error {
        StartError::Store(error) => {
            let exit = match &error {
                StoreError::Folder { source, .. } => Exit::of_unwritable(source),
                _ => Exit::Usage,
            };
            Failure::new(exit, format!("--store: {error}"))
        }
        other => Failure::new(Exit::Environment, other),
    })?;
    let _folder = match (&pki, &arguments.pki) {
        (Some(pki), Some(folder)) => Some(hand_out(pki, folder, &ids).map_err(unhanded)?),
        _ => None,
    };
    for message in emulator.mailroom().set_aside() {
        screen::warning(&format!(
            "--store: message {} is kept and cannot be served: {}",
            message.message, message.why
        ));
    }
    if let Err(error) = emulator.mailroom().check_disk() {
        screen::warning(&format!("messages longer than 1 MiB will be answered 507: {error}"));
    }
    let mut interruption = Interruption::listen().map_err(|error| Failure::new(Exit::Environment, error))?;
    if let Some(taping) = &taping {
        taping.begin(&emulator.url(), emulator.address(), !arguments.plain_http);
    }
    screen::say(&format!("listening on {}", emulator.url()));
    screen::say(guide(&arguments, emulator.address(), &ids).trim_end());
    // A reader that waits for the line must get it now.
    let _ = std::io::stdout().flush();
    interruption.comes().await;
    // Whoever asks again does not wait for calls that have begun.
    tokio::select! {
        () = emulator.stop() => {}
        _ = interruption.comes() => {}
    }
    if let Some(taping) = &taping {
        taping.end();
    }
    telling.finish();
    Ok(Exit::Good)
}

/// Without tokens there is nothing between a mailbox and whoever can reach it.
fn check_auth_mode(arguments: &EmulateArguments) -> Result<(), Failure> {
    if !arguments.listen.ip().is_loopback() {
        let message = format!(
            "--auth-mode: {} is not a loopback address; listen on 127.0.0.1, or leave out --auth-mode",
            arguments.listen
        );
        return Err(Failure::new(Exit::Usage, message));
    }
    screen::warning(match arguments.auth_mode {
        AuthMode::None => "--auth-mode none: whoever calls on a mailbox is let in",
        _ => "--auth-mode canned: any token for a mailbox is let in whose nonce is `valid`",
    });
    Ok(())
}

/// Who is there, and how to answer them.
fn arrangement(arguments: &EmulateArguments) -> Result<Arrangement, Failure> {
    let in_folder = |name: &str| {
        let file = arguments.data_dir.as_ref().map(|folder| folder.join(name));
        // A link that leads nowhere, say, is there and cannot be read.
        let missing = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
        file.filter(|file| !file.symlink_metadata().is_err_and(|error| missing(&error)))
    };
    let mailboxes = match (&arguments.mailboxes, in_folder("mailboxes.jsonl")) {
        (Some(file), _) => known("--mailboxes", emulated::mailboxes(file))?,
        (None, Some(file)) => known("--data-dir", emulated::mailboxes(&file))?,
        (None, None) if arguments.mailbox.is_empty() => emulated::default_mailboxes(),
        (None, None) => mailboxes(&arguments.mailbox)?,
    };
    let workflows = match (&arguments.workflows, in_folder("workflows.jsonl")) {
        (Some(file), _) => known("--workflows", emulated::workflows(file))?,
        (None, Some(file)) => known("--data-dir", emulated::workflows(&file))?,
        (None, None) => emulated::default_workflows(),
    };
    if let Some(folder) = arguments.data_dir.as_ref().filter(|folder| !folder.is_dir()) {
        return Err(Failure::new(Exit::Usage, format!("--data-dir: {}: is no folder", folder.display())));
    }
    let profile = match arguments.profile {
        ProfileName::Int => Profile::Int,
        ProfileName::Spec => Profile::Spec,
        ProfileName::Sandbox => Profile::Sandbox,
    };
    let ids: Vec<MailboxId> = mailboxes.iter().map(|mailbox| mailbox.id.clone()).collect();
    let patients = emulated::patients(&ids);
    let days = |days: u16| TimeDelta::days(days.into());
    let expiry =
        Expiry { inbox: days(arguments.inbox_expiry_days), message: days(arguments.message_expiry_days) };
    let mut switches = Switches { expiry, ..Switches::of(profile) };
    turn(&mut switches, &arguments.switches)?;
    let store = arguments.store.clone();
    Ok(Arrangement { switches, mailboxes, workflows, patients, admin: true, store, ..Arrangement::default() })
}

/// What a file says, with warnings of what in it nobody knows.
fn known<T>(flag: &str, read: Result<Known<T>, String>) -> Result<Vec<T>, Failure> {
    let Known { all, warnings } = read.map_err(|why| Failure::new(Exit::Usage, format!("{flag}: {why}")))?;
    warnings.iter().for_each(|warning| screen::warning(&format!("{flag}: {warning}")));
    Ok(all)
}

fn turn(switches: &mut Switches, given: &[String]) -> Result<(), Failure> {
    let unusable =
        |why: String| Failure::new(Exit::Usage, format!("--switch: {why}; `emulate --help` lists them"));
    let mut turned = BTreeSet::new();
    for text in given {
        let (name, choice) =
            text.split_once('=').ok_or_else(|| unusable(format!("{text}: must be NAME=CHOICE")))?;
        switches.turn(name, choice).map_err(|error| unusable(error.to_string()))?;
        if !turned.insert(name) {
            return Err(unusable(format!("`{name}` is given twice")));
        }
    }
    Ok(())
}

/// An authority of this start's own. What is in the folder is replaced only by an endpoint that has started: it
/// may belong to one that runs, which is why this one cannot.
fn pki(arguments: &EmulateArguments) -> Result<Option<Arc<Pki>>, Failure> {
    if arguments.plain_http {
        return Ok(None);
    }
    if arguments.pki.is_none() {
        screen::warning(
            "without --pki DIR nobody can hold a client certificate, so nobody can call; --plain-http needs none",
        );
    }
    let pki =
        Pki::listening_on(arguments.listen.ip()).map_err(|error| Failure::new(Exit::Environment, error))?;
    Ok(Some(Arc::new(pki)))
}

/// Certificates for the mailboxes. The folder is this process's until what is returned is dropped: another authority
/// there would make strangers of this one's clients.
fn hand_out(pki: &Pki, folder: &Path, mailboxes: &[MailboxId]) -> Result<PkiFolder, PkiError> {
    let taken = PkiFolder::take(folder)?;
    pki.write_to(folder, mailboxes)?;
    Ok(taken)
}

fn unhanded(error: PkiError) -> Failure {
    match error {
        PkiError::Write { path, source } => Failure::unwritable("--pki", &path, &source),
        PkiError::InUse { .. } => Failure::new(Exit::Usage, format!("--pki: {error}")),
        other => Failure::new(Exit::Environment, format!("--pki: {other}")),
    }
}

fn mailboxes(given: &[String]) -> Result<Vec<Mailbox>, Failure> {
    let read = |text: &String| {
        let (id, password) = text.split_once(':').ok_or("must be ID:PASSWORD".to_owned())?;
        let id = MailboxId::parse(id).map_err(|error| format!("{id}: a mailbox ID {error}"))?;
        Ok(Mailbox::new(id, Password::new(password)))
    };
    let unusable = |why: String| Failure::new(Exit::Usage, format!("--mailbox: {why}"));
    let mut mailboxes = Vec::<Mailbox>::with_capacity(given.len());
    for text in given {
        let mailbox = read(text).map_err(unusable)?;
        if mailboxes.iter().any(|other| other.id == mailbox.id) {
            return Err(unusable(format!("{} is given twice; name it once", mailbox.id)));
        }
        mailboxes.push(mailbox);
    }
    Ok(mailboxes)
}

fn guide(arguments: &EmulateArguments, address: SocketAddr, mailboxes: &[MailboxId]) -> String {
    let names: Vec<&str> = mailboxes.iter().map(MailboxId::as_str).collect();
    let mut text = format!("mailboxes {}\n", names.join(", "));
    if !arguments.switches.is_empty() {
        text.push_str(&format!("switched to {}\n", arguments.switches.join(", ")));
    }
    if let (Some(folder), Some(first)) = (&arguments.pki, names.first()) {
        let file = |name: String| quoted_for_shell(&folder.join(name).display().to_string());
        text.push_str(&format!(
            "try it: curl --cacert {} --cert {} --key {} https://{}/messageexchange/_ping\n",
            file("ca.pem".to_owned()),
            file(format!("{first}.pem")),
            file(format!("{first}-key.pem")),
            callable(address),
        ));
    } else if arguments.plain_http {
        text.push_str(&format!("try it: curl http://{address}/messageexchange/_ping\n"));
    }
    text.push_str("Every call is shown here, with the reason when it is refused. Ctrl-C stops.\n");
    text
}

/// Where a caller on this machine reaches it: nobody has the address that stands for all, and no certificate is for it.
fn callable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// What a caller may have put into a path or a query and nobody is to read. A password or key that this program
/// publishes, as mesh-sandbox does, is no secret, and a word that calls are told in.
fn unsaid(arguments: &EmulateArguments, mailboxes: &[Mailbox]) -> SecretSet {
    let is_own = |password: &Password| password.expose() != emulated::DEFAULT_PASSWORD;
    let own: Vec<Mailbox> = mailboxes.iter().filter(|mailbox| is_own(&mailbox.password)).cloned().collect();
    let key = Some(&arguments.shared_key).filter(|key| *key != DEFAULT_SHARED_KEY);
    SecretSet::new(&taping::secrets(&own, key.map(|key| SharedKey::new(key.clone())).as_ref()))
}

/// Shows every call, and writes it to the access log where one is asked for.
struct Telling {
    shown: Lines,
    log: Option<AccessLog>,
    clock: Clock,
}

impl Telling {
    fn new(arguments: &EmulateArguments, clock: &Clock, secrets: SecretSet) -> Result<Self, Failure> {
        let open = |path: &std::path::PathBuf| {
            AccessLog::open(path, secrets.clone())
                .map_err(|error| Failure::unwritable("--access-log", path, &error))
        };
        let log = arguments.access_log.as_ref().map(open).transpose()?;
        // Nobody may be reading any more, or nobody after the first lines; that is no reason to stop.
        let unread = |error: io::Error| match error.kind() {
            io::ErrorKind::BrokenPipe => {}
            io::ErrorKind::TimedOut => screen::warning("calls are not shown: nobody reads them"),
            _ => screen::warning(&format!("calls are not shown: standard output cannot be written: {error}")),
        };
        let is_public = secrets.is_empty();
        let clean = move |lines: Vec<u8>| {
            let clean = lines.split_inclusive(|byte| *byte == b'\n').map(|line| secrets.masked(line));
            clean.collect::<Vec<_>>().concat()
        };
        let shown = match is_public {
            true => Lines::to(io::stdout(), PATIENCE, unread),
            false => Lines::cleaned(io::stdout(), PATIENCE, clean, unread),
        };
        Ok(Self { shown, log, clock: clock.clone() })
    }

    fn tell(&self, call: &Call) {
        self.shown.push(&shown_as(call));
        if let Some(log) = &self.log {
            log.write(call, self.clock.told_moved_by());
        }
    }

    /// Returns when everything is written.
    fn finish(&self) {
        self.shown.finish();
        self.log.iter().for_each(AccessLog::finish);
    }
}

fn shown_as(call: &Call) -> String {
    let time = call.time();
    let mut line = String::with_capacity(time.len() + call.request.len() + 8);
    line.extend([time.as_str(), " ", call.status.as_ref().map_or("---", StatusCode::as_str), " "]);
    push_printable(&mut line, call.request.as_bytes());
    if let Some(note) = &call.note {
        line.push_str("  ");
        push_printable(&mut line, note.as_bytes());
    }
    line
}

//! `emulate`: our endpoint, alone.

use std::{io::Write, sync::Arc};

use mesh_witness::{
    emulator::{
        Arrangement, Call, Clock, Emulator, Limits, Mailbox, Pki, Policy, Profile, Settings, Switches,
        Transport, Watcher,
    },
    protocol::{MailboxId, Password, SharedKey},
};

use super::{
    Exit, Failure,
    access_log::AccessLog,
    args::{EmulateArguments, ProfileName},
    emulated, screen,
};

pub async fn emulate(arguments: EmulateArguments) -> Result<Exit, Failure> {
    let arrangement = arrangement(&arguments)?;
    if arguments.plain_http && !arguments.listen.ip().is_loopback() {
        let message = format!(
            "--plain-http: {} is not a loopback address; listen on 127.0.0.1, or leave out --plain-http",
            arguments.listen
        );
        return Err(Failure::new(Exit::Usage, message));
    }
    let ids: Vec<MailboxId> = arrangement.mailboxes.iter().map(|mailbox| mailbox.id.clone()).collect();
    let clock = Clock::new();
    let watcher = watcher(&arguments, &clock)?;
    let transport = transport(&arguments, &ids)?;
    let settings = Settings {
        listen: arguments.listen,
        transport,
        shared_key: SharedKey::new(arguments.shared_key.clone()),
        mailboxes: Vec::new(),
        policy: Policy { certificate_names_mailbox: arguments.certificate_names_mailbox },
        limits: Limits::default(),
        clock,
        watcher: Some(watcher),
    };
    let started = Emulator::start_arranged(settings, arrangement).await;
    let emulator = started.map_err(|error| Failure::new(Exit::Environment, error))?;
    screen::say(&format!("listening on {}", emulator.url()));
    screen::say(guide(&arguments, &emulator.url(), &ids).trim_end());
    // A reader that waits for the line must get it now.
    let _ = std::io::stdout().flush();
    tokio::signal::ctrl_c().await.map_err(|error| Failure::new(Exit::Environment, error))?;
    emulator.stop().await;
    Ok(Exit::Good)
}

/// Who is there, and how to answer them.
fn arrangement(arguments: &EmulateArguments) -> Result<Arrangement, Failure> {
    let unusable =
        |flag: &'static str| move |why: String| Failure::new(Exit::Usage, format!("{flag}: {why}"));
    let mailboxes = match &arguments.mailboxes {
        Some(file) => emulated::mailboxes(file).map_err(unusable("--mailboxes"))?,
        None => mailboxes(&arguments.mailbox)?,
    };
    let workflows = match &arguments.workflows {
        Some(file) => emulated::workflows(file).map_err(unusable("--workflows"))?,
        None => emulated::default_workflows(),
    };
    let profile = match arguments.profile {
        ProfileName::Int => Profile::Int,
        ProfileName::Spec => Profile::Spec,
        ProfileName::Sandbox => Profile::Sandbox,
    };
    let ids: Vec<MailboxId> = mailboxes.iter().map(|mailbox| mailbox.id.clone()).collect();
    let patients = emulated::patients(&ids);
    let switches = Switches::of(profile);
    Ok(Arrangement { switches, mailboxes, workflows, patients, admin: true, ..Arrangement::default() })
}

fn transport(arguments: &EmulateArguments, mailboxes: &[MailboxId]) -> Result<Transport, Failure> {
    if arguments.plain_http {
        return Ok(Transport::Plain);
    }
    let pki = Pki::new().map_err(|error| Failure::new(Exit::Environment, error))?;
    match &arguments.pki {
        Some(folder) => pki.write_to(folder, mailboxes).map_err(|error| Failure::new(Exit::Usage, error))?,
        None => screen::warning(
            "without --pki DIR nobody can hold a client certificate, so nobody can call; --plain-http needs none",
        ),
    }
    Ok(Transport::MutualTls(Arc::new(pki)))
}

/// The published defaults of mesh-sandbox, so that whoever comes from there finds what they know.
fn mailboxes(given: &[String]) -> Result<Vec<Mailbox>, Failure> {
    let defaults = ["X26ABC1:password", "X26ABC2:password", "X26ABC3:password"].map(str::to_owned);
    let given = if given.is_empty() { &defaults } else { given };
    let read = |text: &String| {
        let (id, password) = text.split_once(':').ok_or("must be ID:PASSWORD".to_owned())?;
        let id = MailboxId::parse(id).map_err(|error| format!("{id}: a mailbox ID {error}"))?;
        Ok(Mailbox::new(id, Password::new(password)))
    };
    given
        .iter()
        .map(|text| read(text).map_err(|why: String| Failure::new(Exit::Usage, format!("--mailbox: {why}"))))
        .collect()
}

fn guide(arguments: &EmulateArguments, url: &str, mailboxes: &[MailboxId]) -> String {
    let names: Vec<&str> = mailboxes.iter().map(MailboxId::as_str).collect();
    let mut text = format!("mailboxes {}\n", names.join(", "));
    if let (Some(folder), Some(first)) = (&arguments.pki, names.first()) {
        let folder = folder.display();
        text.push_str(&format!(
            "try it: curl --cacert {folder}/ca.pem --cert {folder}/{first}.pem --key {folder}/{first}-key.pem {url}/messageexchange/_ping\n"
        ));
    } else if arguments.plain_http {
        text.push_str(&format!("try it: curl {url}/messageexchange/_ping\n"));
    }
    text.push_str("Every call is shown here, with the reason when it is refused. Ctrl-C stops.\n");
    text
}

/// Shows every call, and writes it to the access log where one is asked for.
fn watcher(arguments: &EmulateArguments, clock: &Clock) -> Result<Watcher, Failure> {
    let open = |path: &std::path::PathBuf| {
        AccessLog::open(path).map_err(|error| {
            let message = format!("--access-log: {}: cannot be written: {error}", path.display());
            Failure::new(Exit::Usage, message)
        })
    };
    let log = arguments.access_log.as_ref().map(open).transpose()?;
    let clock = clock.clone();
    Ok(Arc::new(move |call: &Call| {
        show(call);
        if let Some(log) = &log
            && let Err(error) = log.write(call, clock.moved_by().num_seconds())
        {
            screen::warning(&format!("--access-log: a call is missing in it: {error}"));
        }
    }))
}

fn show(call: &Call) {
    let at = call.at.format("%Y-%m-%dT%H:%M:%S%.3fZ");
    let request = mesh_witness::tape::printable(call.request.as_bytes());
    let note = call.note.as_ref().map(|note| format!("  {}", mesh_witness::tape::printable(note.as_bytes())));
    // Nobody may be reading any more; that is no reason to stop.
    let status = call.status.as_u16();
    let _ = writeln!(std::io::stdout(), "{at} {status} {request}{}", note.unwrap_or_default());
}

//! From the tree of a file to a configuration.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use crate::{
    client::{Origin, Timeouts},
    protocol::{MailboxId, Password, SharedKey},
    runner::{self, Chunking, Party},
};

use secrecy::SecretString;

use super::{
    Config, Driver, Endpoint,
    apart::{Told, beside},
    driver::driver,
    error::Complaint,
    identity::ClientIdentity,
    mailbox::{Mailbox, Mailboxes},
    recording::recording,
    section::{
        At,
        Kind::{Choice, Open, Private},
        Need::{Optional, Required},
        Reader, Section, Text,
    },
    trust::{authorities, identity},
    values,
};

/// The configuration, or `None` when something is wrong with it, which the reader has noted.
pub(super) fn config(reader: &mut Reader<'_>) -> Option<Config> {
    let top = reader.top()?;
    of_top(reader, &top)
}

/// The same, once the file was opened.
pub(super) fn of_top<'a>(reader: &mut Reader<'a>, top: &Section<'a>) -> Option<Config> {
    if let Some(at) = reader.place(top, "emulator") {
        let mend = "take it out, or leave out endpoint and name a driver: product: {driver: {command: [./drive.sh]}}";
        reader.fault(&at, Complaint::new("is of no use to a run against an endpoint", mend));
    }
    let environment = name(reader, top, "environment");
    let endpoint = reader.section(top, "endpoint", Required).map(|section| endpoint(reader, &section));
    let mailboxes = mailboxes(reader, top);
    let workflow = reader.text(top, "workflow_id", Required, Open);
    let workflow_id = workflow.and_then(|text| reader.checked(&text.at, values::workflow_id(&text.value)));
    let product = product_of(reader, top);
    let recording = recording(reader, top, product.as_ref().map(|(_, driver, _)| driver));
    let supplier =
        reader.section(top, "supplier", Required).and_then(|section| name(reader, &section, "name"));
    let timeouts = timeouts(reader, top);
    let chunking = chunking(reader, top, CHUNKING);
    let endpoint = endpoint.flatten()?;
    let mut mailboxes = mailboxes?;
    let (product, driver, without) = product?;
    for mailbox in [&mut mailboxes.product, &mut mailboxes.counterpart] {
        mailbox.identity = mailbox.identity.take().or_else(|| endpoint.identity.clone());
    }
    warn(reader, &endpoint, &mailboxes);
    let mut shown = vec![("endpoint.url", endpoint.url.to_string())];
    shown.extend(ids(&mailboxes));
    shown.extend(workflow_id.iter().map(|id| ("workflow_id", id.to_string())));
    apart(reader, &shown);
    Some(Config {
        environment: environment?,
        endpoint,
        mailboxes,
        workflow_id: workflow_id?,
        product,
        driver,
        recording: recording?,
        without,
        chunking,
        supplier: supplier?,
        timeouts,
        warnings: std::mem::take(&mut reader.warnings),
    })
}

fn endpoint(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<Endpoint> {
    let url = reader.text(section, "url", Required, Open);
    let url = url.and_then(|text| reader.checked(&text.at, origin(&text.value)));
    // Whether a CA is needed is known only once the URL is.
    let need = if url.as_ref().is_some_and(Origin::is_encrypted) { Required } else { Optional };
    let ca = authorities(reader, section, need);
    let identity = identity(reader, section);
    let shared_key = secret(reader, section, "shared_key");
    let (ca, roots) = ca?;
    Some(Endpoint { url: url?, ca, roots, identity: identity?, shared_key: SharedKey::new(shared_key?) })
}

pub(super) fn mailboxes<'a>(reader: &mut Reader<'a>, top: &Section<'a>) -> Option<Mailboxes> {
    let section = reader.section(top, "mailboxes", Required)?;
    let product = reader.section(&section, "mailboxes.product", Required);
    let product = product.map(|section| mailbox(reader, &section));
    let counterpart = reader.section(&section, "mailboxes.counterpart", Required);
    let counterpart = counterpart.map(|section| mailbox(reader, &section));
    let dormant = reader.section(&section, "mailboxes.dormant", Optional);
    let dormant = dormant.map(|section| {
        let text = reader.text(&section, "id", Required, Open)?;
        let id = reader.checked(&text.at, values::mailbox_id(&text.value, text.from_environment))?;
        Some((text, id))
    });
    let (product_id, product) = product?;
    let (counterpart_id, counterpart) = counterpart?;
    if let (Some((_, first)), Some((text, second))) = (&product_id, &counterpart_id)
        && first == second
    {
        let complaint = Complaint::new(
            "is the ID of mailboxes.product too",
            "name another mailbox: messages go from one to the other",
        );
        reader.fault(&text.at, complaint);
    }
    let (product, counterpart) = (product?, counterpart?);
    let dormant = match dormant {
        None => None,
        Some(None) => return None,
        Some(Some((text, id))) => {
            if id == product.id || id == counterpart.id {
                let mend = "name one that nobody polls: a message has to lie in it for five days";
                reader.fault(&text.at, Complaint::new("is the ID of another mailbox of this run", mend));
            }
            Some(id)
        }
    };
    Some(Mailboxes { product, counterpart, dormant })
}

type IdAndMailbox = (Option<(Text, MailboxId)>, Option<Mailbox>);

/// A mailbox, and its ID apart: that can be right when the rest is not.
fn mailbox(reader: &mut Reader<'_>, section: &Section<'_>) -> IdAndMailbox {
    let id = reader.text(section, "id", Required, Open).and_then(|text| {
        let parsed = values::mailbox_id(&text.value, text.from_environment);
        let parsed = reader.checked(&text.at, parsed)?;
        Some((text, parsed))
    });
    let password = secret(reader, section, "password");
    let identity = identity(reader, section);
    let mailbox = match (&id, password, identity) {
        (Some((_, id)), Some(password), Some(identity)) => {
            Some(Mailbox { id: id.clone(), password: Password::new(password), identity })
        }
        _ => None,
    };
    (id, mailbox)
}

/// The product and its driver, from the section of that name.
pub(super) fn product_of<'a>(
    reader: &mut Reader<'a>,
    top: &Section<'a>,
) -> Option<(Party, Driver, BTreeSet<runner::Optional>)> {
    let section = reader.section(top, "product", Required)?;
    product(reader, &section)
}

fn product<'a>(
    reader: &mut Reader<'a>,
    section: &Section<'a>,
) -> Option<(Party, Driver, BTreeSet<runner::Optional>)> {
    let name = name(reader, section, "name");
    let version = self::name(reader, section, "version");
    let driver = driver(reader, section);
    let without = match reader.text(section, "without", Optional, Choice(values::WITHOUT)) {
        Some(text) => reader.checked(&text.at, values::without(&text.value))?,
        None => BTreeSet::new(),
    };
    Some((Party { name: name?, version: version? }, driver?, without))
}

/// As large as the pack asks for, in chunks that one request may carry.
const CHUNKING: Chunking = Chunking { message_bytes: 210_000_000, chunk_bytes: 70_000_000 };

pub(super) fn chunking<'a>(reader: &mut Reader<'a>, top: &Section<'a>, own: Chunking) -> Chunking {
    let Some(section) = reader.section(top, "chunking", Optional) else { return own };
    let message = number(reader, &section, "message_bytes", values::message_bytes);
    let chunk = number(reader, &section, "chunk_bytes", values::chunk_bytes);
    let of = |set: &Option<(At, u64)>, own: u64| set.as_ref().map_or(own, |(_, bytes)| *bytes);
    let chunking =
        Chunking { message_bytes: of(&message, own.message_bytes), chunk_bytes: of(&chunk, own.chunk_bytes) };
    // Of one chunk it would be no message in chunks, and that no fault of the product.
    if let Some((at, _)) = message.or(chunk)
        && chunking.message_bytes <= chunking.chunk_bytes
    {
        let Chunking { message_bytes, chunk_bytes } = chunking;
        let what = format!("makes one chunk: message_bytes is {message_bytes}, chunk_bytes {chunk_bytes}");
        let mend =
            "make message_bytes larger than chunk_bytes: cases 501 and 502 are about two chunks and more";
        reader.fault(&at, Complaint::new(what, mend));
    }
    chunking
}

fn number<'a>(
    reader: &mut Reader<'a>,
    section: &Section<'a>,
    key: &'static str,
    read: fn(Option<u64>) -> Result<u64, Complaint>,
) -> Option<(At, u64)> {
    let (at, number) = reader.number(section, key)?;
    let number = reader.checked(&at, read(number))?;
    Some((at, number))
}

fn origin(text: &str) -> Result<Origin, Complaint> {
    Origin::parse(text).map_err(|error| Complaint::new(error.to_string(), error.remedy()))
}

pub(super) fn timeouts<'a>(reader: &mut Reader<'a>, top: &Section<'a>) -> Timeouts {
    let own = Timeouts::default();
    let Some(section) = reader.section(top, "timeouts", Optional) else { return own };
    let mut seconds = |key, own: Duration| {
        let (at, number) = reader.number(&section, key)?;
        reader.checked(&at, values::seconds(number)).or(Some(own))
    };
    Timeouts {
        connect: seconds("connect_seconds", own.connect).unwrap_or(own.connect),
        response: seconds("response_seconds", own.response).unwrap_or(own.response),
        delivery: seconds("delivery_seconds", own.delivery).unwrap_or(own.delivery),
        transfer: seconds("transfer_seconds", own.transfer).unwrap_or(own.transfer),
    }
}

pub(super) fn name(reader: &mut Reader<'_>, section: &Section<'_>, key: &'static str) -> Option<String> {
    let text = reader.text(section, key, Required, Open)?;
    reader.checked(&text.at, values::name(&text.value))
}

pub(super) fn secret(reader: &mut Reader<'_>, section: &Section<'_>, key: &'static str) -> Option<String> {
    let text = reader.text(section, key, Required, Private)?;
    let secret = reader.checked(&text.at, values::secret(&text.value))?;
    if secret.trim() != secret {
        reader
            .warnings
            .push(format!("{}: begins or ends with a blank, which is sent as part of it", text.at.path));
    }
    let value = SecretString::from(secret.clone());
    reader.secrets.push(Told { at: text.at, value });
    Some(secret)
}

/// Notes each secret that occurs in something that is shown.
pub(super) fn apart(reader: &mut Reader<'_>, shown: &[(&str, String)]) {
    let clashes = reader.secrets.iter().filter_map(|told| Some((told.at.clone(), beside(told, shown)?)));
    for (at, complaint) in clashes.collect::<Vec<_>>() {
        reader.fault(&at, complaint);
    }
}

/// The IDs of mailboxes, for [`apart`].
pub(super) fn ids(mailboxes: &Mailboxes) -> Vec<(&'static str, String)> {
    let Mailboxes { product, counterpart, dormant } = mailboxes;
    let mut ids = vec![
        ("mailboxes.product.id", product.id.to_string()),
        ("mailboxes.counterpart.id", counterpart.id.to_string()),
    ];
    ids.extend(dormant.iter().map(|id| ("mailboxes.dormant.id", id.to_string())));
    ids
}

fn warn(reader: &mut Reader<'_>, endpoint: &Endpoint, mailboxes: &Mailboxes) {
    if !endpoint.url.is_encrypted() {
        let url = &endpoint.url;
        reader
            .warnings
            .push(format!("plain HTTP: traffic was not encrypted and no certificate was checked: {url}"));
    }
    let mut seen: Vec<&Arc<ClientIdentity>> = Vec::new();
    for (role, mailbox) in [("product", &mailboxes.product), ("counterpart", &mailboxes.counterpart)] {
        match &mailbox.identity {
            Some(identity) if !seen.iter().any(|other| Arc::ptr_eq(other, identity)) => seen.push(identity),
            None if endpoint.url.is_encrypted() => reader.warnings.push(format!(
                "mailboxes.{role}: no client certificate is configured, which MESH asks every client for"
            )),
            _ => {}
        }
    }
    for identity in seen {
        let soon = identity.certificates().iter().filter_map(|certificate| certificate.soon_over(reader.now));
        let place = format!("{}.client_certificate_file", identity.place());
        reader.warnings.extend(soon.map(|what| format!("{place}: {what}")));
    }
}

//! How the product under test is asked to act.

use std::{path::Path, time::Duration};

use super::{
    ConfigError,
    document::Document,
    error::{Complaint, Problem},
    pem::bytes_of,
    section::{
        Kind::{Choice, Open},
        Need::{Optional, Required},
        Reader, Section,
    },
    values,
};
use crate::product::{Driver, driver::ProgramFile};

/// How long an action may take unless the file says so: a program's or a hook's, and a person's.
const PROGRAM: Duration = Duration::from_secs(60);
const PERSON: Duration = Duration::from_secs(15 * 60);

/// The driver; the reference client when none is named. `None` when it is wrong, which was noted.
pub(super) fn driver<'a>(reader: &mut Reader<'a>, product: &Section<'a>) -> Option<Driver> {
    if !reader.has(product, "driver") {
        return Some(Driver::Reference);
    }
    if reader.holds_section(product, "driver") {
        return mapped(reader, product);
    }
    let text = reader.text(product, "driver", Optional, Choice(values::DRIVERS))?;
    let word = match text.value.as_str() {
        "reference" => Ok(Driver::Reference),
        "manual" => Ok(Driver::Manual { timeout: PERSON }),
        _ => Err(Complaint::new("is no driver that is known", values::DRIVERS)),
    };
    reader.checked(&text.at, word)
}

fn mapped<'a>(reader: &mut Reader<'a>, product: &Section<'a>) -> Option<Driver> {
    let section = reader.section(product, "product.driver", Required)?;
    let kinds = ["command", "webhook", "manual"].into_iter().filter(|kind| reader.has(&section, kind));
    match kinds.collect::<Vec<_>>().as_slice() {
        ["command"] => {
            let command = reader.texts(&section, "command");
            let timeout = limit(reader, &section, PROGRAM);
            let folder = reader.folder().to_owned();
            Some(Driver::Command { command: command?, folder, timeout: timeout? })
        }
        ["webhook"] => {
            not_beside(reader, &section, "webhook");
            let section = reader.section(&section, "product.driver.webhook", Required)?;
            let url = reader.text(&section, "url", Required, Open);
            let url = url.and_then(|text| reader.checked(&text.at, values::hook(&text.value)));
            let timeout = limit(reader, &section, PROGRAM);
            Some(Driver::Webhook { url: url?, timeout: timeout? })
        }
        ["manual"] => {
            not_beside(reader, &section, "manual");
            let section = reader.section(&section, "product.driver.manual", Required)?;
            Some(Driver::Manual { timeout: limit(reader, &section, PERSON)? })
        }
        _ => {
            let at = reader.place(product, "driver")?;
            reader
                .fault(&at, Complaint::new("must have one of command, webhook and manual", values::DRIVERS));
            None
        }
    }
}

/// Whether the driver's program is there and may be executed: it would end a run before anything is played. Whoever
/// only records asks nothing of it, and need not have it.
///
/// # Errors
/// Why not, on its line in the configuration file at `path`.
pub fn can_be_asked(path: &Path, driver: &Driver) -> Result<(), ConfigError> {
    let Driver::Command { command, folder, .. } = driver else { return Ok(()) };
    ProgramFile::find(command, folder).map(drop).map_err(|error| {
        // The file was read before: that it cannot be any more costs no more than the line.
        let bytes = bytes_of(path).unwrap_or_default();
        let line = Document::read(&bytes).ok().and_then(|document| {
            let place = document.place_of(&["product", "driver", "command"])?;
            Some(document.line(place))
        });
        let path_of_key = "product.driver.command".to_owned();
        let complaint = Complaint::new(error.what(), error.remedy());
        let problem = Problem { line, path: path_of_key, ..complaint.of_file() };
        ConfigError::new(path, problem, Vec::new(), 0)
    })
}

/// A time limit beside a driver that has its own would be passed over silently.
fn not_beside(reader: &mut Reader<'_>, section: &Section<'_>, kind: &str) {
    if let Some(at) = reader.place(section, "timeout") {
        reader.fault(&at, Complaint::new("stands in the wrong place", format!("write it under {kind}")));
    }
}

fn limit(reader: &mut Reader<'_>, section: &Section<'_>, own: Duration) -> Option<Duration> {
    match reader.span(section, "timeout") {
        Some((at, seconds)) => reader.checked(&at, values::time_limit(seconds)),
        None => Some(own),
    }
}

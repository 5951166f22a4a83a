//! What was recorded, whatever form it has.

use std::{
    fs::File,
    io::{ErrorKind, Read},
    path::Path,
    sync::Arc,
};

use chrono::{DateTime, Utc};
use mesh_witness::{
    evidence::{self, WIRE_FILE},
    protocol::path_of,
    report::COURSE_FILE,
    rules::traffic::Course,
    tape::{
        Exchange, Har, HarError, HarLimits, HostRule, Mark, RecordingFacts, Redactor, TAPE_FILE, TapeLimits,
        TapeRecording, read_har, read_har_bytes, read_tape,
    },
};

/// Exchanges and where they come from.
pub struct Recording {
    /// `tape`, `har` or `bundle`.
    pub kind: &'static str,
    /// Its path, as given.
    pub path: String,
    /// Which program recorded it.
    pub by: String,
    /// The exchanges with their numbers.
    pub exchanges: Vec<(usize, Arc<Exchange>)>,
    /// What a number is the number of.
    pub numbers: &'static str,
    /// What a reader must know, such as lines that could not be read.
    pub notes: Vec<String>,
    /// Whether nothing happened in these mailboxes before.
    pub from_start: bool,
    /// How a run drove the product; `None` for one that acted by itself.
    pub course: Option<Course>,
    /// Numbers from which on it goes on after it had been ended.
    pub resumed: Vec<usize>,
}

impl Recording {
    /// Whether it is of a run that asked nothing of a product and made its calls to test an endpoint.
    pub fn judges_an_endpoint(&self) -> bool {
        self.course.as_ref().is_some_and(|course| course.asks.is_empty() && !course.by_hand.is_empty())
    }

    /// When the first exchange began and the last ended.
    pub fn span(&self) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let from = self.exchanges.iter().map(|(_, exchange)| exchange.started_at).min()?;
        let to = self.exchanges.iter().map(|(_, exchange)| exchange.ended_at()).max()?;
        Some((from, to))
    }
}

/// Largest account of a run's course that is read, in bytes.
const LARGEST_COURSE: u64 = 64 << 20;

const HINT: &str = "give a tape (the folder that was recorded to), a HAR 1.2 file, or a bundle";

/// Reads a recording.
pub fn read(path: &Path, redactor: &Redactor) -> Result<Recording, String> {
    let mut recording = of_any_form(path, redactor)?;
    recording.notes.extend(astray(&recording));
    Ok(recording)
}

/// That no rule sees calls which have the API's path, and not at its beginning.
fn astray(of: &Recording) -> Option<String> {
    const API: &str = "/messageexchange/";
    let is_astray = |(_, exchange): &&(usize, Arc<Exchange>)| {
        let path = path_of(&exchange.request.head.target);
        !path.starts_with(API) && path.contains(API)
    };
    let (first, _) = of.exchanges.iter().find(is_astray)?;
    let count = of.exchanges.iter().filter(is_astray).count();
    Some(format!(
        "{count} calls, the first of them {} {first}, have {API} not at the beginning of their path, as with two strokes there or behind a gateway: the API has no such path, so they are not judged",
        of.numbers
    ))
}

fn of_any_form(path: &Path, redactor: &Redactor) -> Result<Recording, String> {
    let name = path.display().to_string();
    let at = |why: String| format!("{name}: {why}");
    let metadata = path.metadata().map_err(|error| at(format!("cannot be read: {error}: {HINT}")))?;
    if metadata.is_dir() {
        return if path.join(TAPE_FILE).is_file() {
            tape(path, name.clone()).map_err(at)
        } else if path.join("bagit.txt").is_file() {
            bundle(path, name.clone(), redactor).map_err(at)
        } else {
            Err(at(format!("this folder has neither a {TAPE_FILE} nor a bagit.txt: {HINT}")))
        };
    }
    // Opening a pipe would wait forever.
    if !metadata.is_file() {
        return Err(at(format!("is neither a file nor a folder: {HINT}")));
    }
    let mut beginning = Vec::new();
    let opened = File::open(path).and_then(|file| file.take(256).read_to_end(&mut beginning));
    opened.map_err(|error| at(format!("cannot be read: {error}")))?;
    let is = |word: &[u8]| beginning.windows(word.len()).any(|window| window == word);
    if let Some(error) = HarError::of_beginning(&beginning) {
        return Err(at(error.to_string()));
    }
    let text = beginning.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&beginning).trim_ascii_start();
    if beginning.starts_with(b"PK") {
        bundle(path, name.clone(), redactor).map_err(at)
    } else if is(b"mesh_witness_tape") {
        tape(path, name.clone()).map_err(at)
    } else if text.starts_with(b"{") {
        let har = read_har(path, redactor, &HarLimits::default()).map_err(|error| at(error.to_string()))?;
        Ok(from_har(har, "har", name))
    } else {
        Err(at(format!("line 1: this is none of the forms that can be judged: {HINT}")))
    }
}

fn tape(path: &Path, name: String) -> Result<Recording, String> {
    let TapeRecording { exchanges, torn, marks, cut_short } =
        read_tape(path, &TapeLimits::default()).map_err(|error| error.to_string())?;
    let torn = torn.iter().map(|line| {
        format!("line {line} was torn when a recording was cut off: an exchange is missing there, so what should have followed may seem missing too")
    });
    let cut_short = cut_short.iter().map(|line| {
        format!("the recording that begins on line {line} was cut short, so what should have followed may seem missing")
    });
    let edited = marks.iter().filter_map(|(line, mark)| match mark {
        Mark::Recording(RecordingFacts { host: HostRule::ReplacedBy(name), .. }) => {
            Some(format!("from line {line} on the proxy wrote {name} into every Host header"))
        }
        _ => None,
    });
    let begun = exchanges.first().map_or(0, |(line, _)| *line);
    let resumed = marks.iter().filter(|(line, mark)| *line > begun && matches!(mark, Mark::Recording(_)));
    let resumed: Vec<usize> = resumed.map(|(line, _)| *line).collect();
    let apart = resumed.iter().map(|line| {
        format!("the recording was ended and goes on from line {line}: what came about between is not known, so each part is judged by itself where something is due within a time")
    });
    let notes = torn.chain(cut_short).chain(edited).chain(apart).collect();
    Ok(Recording {
        kind: "tape",
        path: name,
        by: "mesh-witness".to_owned(),
        notes,
        exchanges,
        numbers: "line",
        from_start: false,
        course: None,
        resumed,
    })
}

fn from_har(har: Har, kind: &'static str, name: String) -> Recording {
    let Har { creator, entries, left_out, mended, .. } = har;
    let left_out = left_out.iter().map(|(place, why)| format!("entry {place} was left out: {why}"));
    let mended = (mended > 0).then(|| {
        format!("{mended} halves of characters, which no text has, were read as U+FFFD: bodies with them count as missing")
    });
    let notes = left_out.chain(mended).collect();
    let exchanges = entries.into_iter().map(|entry| (entry.number, Arc::new(entry.exchange))).collect();
    let (numbers, from_start, course) = ("exchange", false, None);
    Recording {
        kind,
        path: name,
        by: creator,
        exchanges,
        numbers,
        notes,
        from_start,
        course,
        resumed: vec![],
    }
}

/// How the run went, for a bundle that says so. Those of earlier versions do not.
fn course(path: &Path) -> Result<Option<Course>, String> {
    let name = format!("data/{COURSE_FILE}");
    let bytes = match evidence::read_file(path, &name, LARGEST_COURSE) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("{name} cannot be read: {error}")),
    };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| format!("{name}: {error}"))
}

/// Verifies first: traffic that was changed since is not judged.
fn bundle(path: &Path, name: String, redactor: &Redactor) -> Result<Recording, String> {
    let verified = evidence::verify(path).map_err(|error| error.to_string())?;
    if !verified.is_whole() {
        let lines = verified.lines().join("\n");
        return Err(format!("the bundle is not whole, so what it holds is not judged:\n{lines}"));
    }
    let limits = HarLimits::default();
    let bytes = evidence::read_file(path, WIRE_FILE, limits.bytes)
        .map_err(|error| format!("{WIRE_FILE} cannot be read: {error}"))?;
    let har = read_har_bytes(&bytes, redactor, &limits).map_err(|error| format!("{WIRE_FILE}: {error}"))?;
    let mut recording = from_har(har, "bundle", name);
    recording.course = course(path)?;
    if let Some(summary) = &verified.summary {
        // The embedded endpoint was started for the run, so its mailboxes have no past.
        recording.from_start = summary.emulated;
        if summary.cut_short {
            recording
                .notes
                .push("the run was cut short, so what should have followed may seem missing".to_owned());
        }
    }
    Ok(recording)
}

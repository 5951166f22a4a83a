//! A product that a person operates: the terminal says what to do, shows what the product does on the
//! wire, and goes on when it has done it, when the person says so, or when the time is over.

use std::{
    fs::File,
    io::{BufRead, Read},
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use chrono::{SecondsFormat, Utc};
use tokio::{sync::mpsc, time::sleep};

use super::{Action, Ask, Attachment, Said, Watch, order::Order};
use crate::tape::{Exchange, Redactor, printable};

/// Largest file that may be attached, in bytes.
pub const ATTACHMENT_BYTES: u64 = 10 << 20;
/// Files that may be attached in one step.
const MOST_ATTACHMENTS: usize = 20;
/// Longest line that is taken from the terminal, in bytes.
const LONGEST_LINE: u64 = 4096;
/// Between one look at the tape and the next.
const GLANCE: Duration = Duration::from_millis(200);

/// A terminal, or what stands in for one: lines come in, lines go out.
pub struct Console {
    /// Read from when a person is first asked, so that nothing is taken from others who ask before.
    reader: Option<Box<dyn BufRead + Send>>,
    lines: Option<mpsc::Receiver<String>>,
    say: Box<dyn Fn(&str) + Send + Sync>,
    introduced: bool,
}

impl Console {
    /// A console. `say` shows a line.
    pub fn new(reader: impl BufRead + Send + 'static, say: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { reader: Some(Box::new(reader)), lines: None, say: Box::new(say), introduced: false }
    }

    /// The next line; waits for ever once there are no more.
    async fn line(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            self.lines = Some(listen(reader));
        }
        match &mut self.lines {
            Some(lines) => match lines.recv().await {
                Some(line) => line,
                None => std::future::pending().await,
            },
            None => std::future::pending().await,
        }
    }

    fn say(&self, line: &str) {
        (self.say)(line);
    }
}

fn listen(mut reader: Box<dyn BufRead + Send>) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel(16);
    // Reading a terminal cannot be given up, so it is left to a thread that nobody waits for.
    thread::spawn(move || {
        loop {
            let mut line = Vec::new();
            match (&mut reader).take(LONGEST_LINE).read_until(b'\n', &mut line) {
                Ok(1..) => {}
                _ => return,
            }
            if sender.blocking_send(printable(line.trim_ascii())).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Asks the person to have the product act, and waits.
pub async fn ask(
    console: &mut Console,
    limit: Duration,
    ask: &Ask<'_>,
    order: &Order,
    watch: Watch<'_>,
    redactor: &Redactor,
) -> Said {
    introduce(console, order);
    console.say("");
    instructions(ask, order).iter().for_each(|line| console.say(line));
    console.say("  Enter when it has done it, or: attach PATH (a screenshot, a log)");
    let began = Instant::now();
    let (mut shown, mut attachments) = (0, Vec::new());
    let how = loop {
        let calls = watch();
        for call in calls.iter().skip(shown) {
            console.say(&format!("  > {}", told(call)));
        }
        shown = calls.len();
        if ask.is_done(&calls) {
            break "the product has made the call that was expected".to_owned();
        }
        let Some(left) = limit.checked_sub(began.elapsed()) else {
            console.say(&format!("  the time limit of {} s is over", limit.as_secs()));
            break format!("nothing more within the time limit of {} s", limit.as_secs());
        };
        let line = tokio::select! {
            line = console.line() => line,
            () = sleep(GLANCE.min(left)) => continue,
        };
        match line.strip_prefix("attach ") {
            Some(path) => {
                if let Some(attachment) = attach(console, path.trim(), attachments.len(), redactor).await {
                    attachments.push(attachment);
                }
            }
            None if line.is_empty() => break "the operator says that it has acted".to_owned(),
            None => console.say("  press Enter, or write: attach PATH"),
        }
    };
    let how = format!("{how}, after {:.1} s", began.elapsed().as_secs_f64());
    let told = instructions(ask, order).join("\n");
    let output = Some(format!("{}\n{how}\n--- the operator was told\n{told}\n", order.action.word()));
    Said { how, output, attachments, ..Said::default() }
}

/// Says once where the product finds its endpoint. Password and shared key stand in a file, not here.
fn introduce(console: &mut Console, order: &Order) {
    if console.introduced {
        return;
    }
    console.introduced = true;
    console.say("");
    console.say("  Set the product up like this; mailbox password and shared key are in product.env beside the certificates:");
    let access = ["MESH_URL", "MESH_CA_FILE", "MESH_CLIENT_CERT", "MESH_CLIENT_KEY", "MESH_MAILBOX_ID"];
    for (name, value) in order.open().filter(|(name, _)| access.contains(name)) {
        console.say(&format!("    {name}={value}"));
    }
}

/// What to do, with the values to type.
fn instructions(ask: &Ask<'_>, order: &Order) -> Vec<String> {
    let value = |name: &str| {
        order.open().find(|(other, _)| *other == name).map(|(_, value)| value.to_owned()).unwrap_or_default()
    };
    let what = match ask {
        Ask::Handshake => "validate its mailbox (handshake)".to_owned(),
        Ask::Send { chunk_bytes: None, .. } => {
            "send a message, and check its inbox directly after".to_owned()
        }
        Ask::Send { chunk_bytes: Some(bytes), .. } => {
            format!("send a message in chunks of {bytes} bytes, and check its inbox directly after")
        }
        Ask::CheckInbox | Ask::List => "check its inbox".to_owned(),
        Ask::Receive { takes_gzip: false, .. } => {
            "collect the message that waits: list, download, acknowledge".to_owned()
        }
        Ask::Receive { takes_gzip: true, .. } => {
            "collect the message that waits, offering to take gzip: list, download, acknowledge".to_owned()
        }
        Ask::Drain { expected } => {
            format!("work off its inbox, in which {} messages wait, to its end", expected.len())
        }
        Ask::Cycle { expected, .. } => format!(
            "make one poll cycle: list, download and acknowledge the {} messages that wait, then press Enter here, whatever came of it",
            expected.len()
        ),
        Ask::Download { message } => {
            format!("collect message {message}: it may be listed, and cannot be had")
        }
        Ask::TakeReport { about, .. } => format!("collect the report on message {about}"),
        Ask::Track { message } => format!("ask what became of message {message}"),
    };
    let mut lines = vec![format!("  NOW have the product {what}.")];
    if order.action == Action::Send {
        for (label, name) in [
            ("to", "MESH_RECIPIENT_ID"),
            ("workflow ID", "MESH_WORKFLOW_ID"),
            ("local ID", "MESH_LOCAL_ID"),
            ("subject", "MESH_SUBJECT"),
            ("file name", "MESH_FILE_NAME"),
            ("content, this file", "MESH_PAYLOAD_FILE"),
            ("compressed", "MESH_COMPRESS"),
        ] {
            lines.push(format!("    {label:<20}{}", value(name)));
        }
    }
    lines
}

/// A call as a line.
fn told(call: &Arc<Exchange>) -> String {
    let at = call.started_at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let status = call.status().map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    printable(format!("{at} {} {}: {status}", call.request.head.method, call.request.head.target).as_bytes())
}

async fn attach(
    console: &mut Console,
    path: &str,
    attached: usize,
    redactor: &Redactor,
) -> Option<Attachment> {
    if attached >= MOST_ATTACHMENTS {
        console.say(&format!("  {MOST_ATTACHMENTS} files are attached already"));
        return None;
    }
    let content = match read(Path::new(path)) {
        Ok(content) => content,
        Err(why) => {
            console.say(&format!("  {path}: {why}"));
            return None;
        }
    };
    if redactor.bytes(&content) != content {
        console.say(&format!(
            "  {path}: holds a password, a shared key or a token, so it is not taken: take that out first"
        ));
        return None;
    }
    console.say("  What does it show? One line:");
    let statement = redactor.text(&console.line().await);
    let name = safe_name(path);
    console.say(&format!("  attached {name}, {} bytes", content.len()));
    Some(Attachment { name, content, at: Utc::now(), statement })
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let facts = std::fs::metadata(path).map_err(|error| format!("cannot be read: {error}"))?;
    if !facts.is_file() {
        return Err("is no file".to_owned());
    }
    let mut content = Vec::new();
    let file = File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    file.take(ATTACHMENT_BYTES + 1)
        .read_to_end(&mut content)
        .map_err(|error| format!("cannot be read: {error}"))?;
    if content.len() as u64 > ATTACHMENT_BYTES {
        return Err(format!("is larger than {ATTACHMENT_BYTES} bytes"));
    }
    Ok(content)
}

/// The last part of a path, of characters that every file system takes; 100 of them at most.
fn safe_name(path: &str) -> String {
    let last = path.rsplit(['/', '\\']).next().unwrap_or_default();
    let fit = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' };
    let name: String = last.chars().map(fit).take(100).collect();
    let name = name.trim_start_matches('.');
    if name.is_empty() { "attachment".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Cursor, Write},
        sync::Mutex,
    };

    use super::*;
    use crate::product::driver::order::Desk;

    async fn asked(typed: &str, limit: Duration) -> (Said, Vec<String>) {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&heard);
        let mut console = Console::new(Cursor::new(typed.to_owned()), move |line| {
            sink.lock().unwrap().push(line.to_owned())
        });
        let desk = Desk::lay_out(&Ask::Handshake).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let access = crate::product::driver::tests::access(folder.path());
        let order = Order::new(&Ask::Handshake, &access, &desk);
        let redactor = Redactor::new(&[crate::tape::Secret::new("s", "s3cret-thing")], &[]);
        let said = ask(&mut console, limit, &Ask::Handshake, &order, &Vec::new, &redactor).await;
        let heard = heard.lock().unwrap().clone();
        (said, heard)
    }

    #[tokio::test]
    async fn enter_goes_on_and_the_person_was_told_what_to_do() {
        let (said, heard) = asked("\n", Duration::from_secs(600)).await;
        assert!(said.how.starts_with("the operator says that it has acted"), "{said:?}");
        assert!(
            heard.iter().any(|line| line.contains("NOW have the product validate its mailbox")),
            "{heard:?}"
        );
        assert!(heard.iter().any(|line| line.contains("MESH_MAILBOX_ID=PRODUCT")), "{heard:?}");
        assert!(!heard.concat().contains("pass-w0rd"), "no secret on the terminal");
    }

    #[tokio::test]
    async fn a_file_is_attached_with_what_the_person_says_of_it() {
        let mut file = tempfile::Builder::new().prefix(".. sc reen").suffix(".png").tempfile().unwrap();
        file.write_all(b"picture").unwrap();
        let path = file.path().display().to_string();
        let mut leak = tempfile::NamedTempFile::new().unwrap();
        leak.write_all(b"log: s3cret-thing").unwrap();
        let leak = leak.path().display().to_string();
        let typed =
            format!("what?\nattach /no/such/file\nattach {leak}\nattach {path}\nThe s3cret-thing list\n\n");
        let (said, heard) = asked(&typed, Duration::from_secs(600)).await;
        let [attachment] = said.attachments.as_slice() else { panic!("{said:?}") };
        assert_eq!(attachment.content, b"picture");
        assert!(
            attachment.name.starts_with("_sc_reen") && attachment.name.ends_with(".png"),
            "{}",
            attachment.name
        );
        assert!(attachment.statement.starts_with("The ") && !attachment.statement.contains("s3cret-thing"));
        assert!(heard.iter().any(|line| line.contains("/no/such/file: cannot be read")), "{heard:?}");
        assert!(heard.iter().any(|line| line.contains("press Enter, or write")), "{heard:?}");
        assert!(heard.iter().any(|line| line.contains("so it is not taken")), "{heard:?}");
    }

    #[tokio::test]
    async fn nobody_waits_for_ever() {
        let (said, _) = asked("", Duration::ZERO).await;
        assert!(said.how.contains("time limit"), "{said:?}");
    }

    #[test]
    fn a_file_that_is_too_large_is_not_taken() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(ATTACHMENT_BYTES + 1).unwrap();
        assert!(read(file.path()).unwrap_err().contains("larger"));
        file.as_file().set_len(ATTACHMENT_BYTES).unwrap();
        assert_eq!(read(file.path()).unwrap().len() as u64, ATTACHMENT_BYTES);
        assert!(read(Path::new("/")).unwrap_err().contains("no file"));
    }

    #[test]
    fn names_are_fit_for_every_file_system() {
        for (path, name) in [
            ("/home/me/Screen shot.png", "Screen_shot.png"),
            ("C:\\x\\a:b", "a_b"),
            ("..", "attachment"),
            ("/", "attachment"),
            (".hidden", "hidden"),
        ] {
            assert_eq!(safe_name(path), name);
        }
        assert_eq!(safe_name(&"x".repeat(300)).len(), 100);
    }
}

//! What the product is told for one action, and the files that it is given for it.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use aws_lc_rs::digest;
use futures_util::StreamExt;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Access, Action, Ask};
use crate::{
    client::{Outgoing, Payload},
    protocol::MessageId,
    tape::Sha256,
};

/// Files of received messages that are looked at, at most.
const MOST_FILES: usize = 5000;

/// The files of one action. They vanish with this.
pub struct Desk {
    folder: TempDir,
    payload: Option<PathBuf>,
}

impl Desk {
    /// Writes what the action needs.
    pub async fn lay_out(ask: &Ask<'_>) -> io::Result<Self> {
        // Readable by its owner only, as tempfile makes it.
        let folder = tempfile::Builder::new().prefix("mesh-witness-product-").tempdir()?;
        tokio::fs::create_dir(folder.path().join("received")).await?;
        let payload = match ask.outgoing() {
            Some((message, _)) => {
                let path = folder.path().join("payload.bin");
                write(&path, &message.payload).await?;
                Some(path)
            }
            None => None,
        };
        Ok(Self { folder, payload })
    }

    fn output(&self) -> PathBuf {
        self.folder.path().join("received")
    }

    /// Where they are.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The digests of what the product says it has received, by message ID in upper case, as MESH writes it: a product may
    /// name its files otherwise, and some disks do. What is longer than all that has passed in
    /// the run is not read: no message was as long, and a file with holes in it would be read for days.
    pub async fn received(&self, passed: u64) -> BTreeMap<String, Sha256> {
        let mut received = BTreeMap::new();
        let Ok(mut files) = tokio::fs::read_dir(self.output()).await else { return received };
        while let Ok(Some(file)) = files.next_entry().await {
            let name = file.file_name().to_string_lossy().into_owned();
            let is_file = file.file_type().await.is_ok_and(|kind| kind.is_file());
            if received.len() >= MOST_FILES || !is_file || MessageId::parse(&name).is_err() {
                continue;
            }
            let digest = match file.metadata().await {
                Ok(metadata) if metadata.len() > passed => Ok(too_long(metadata.len())),
                Ok(_) => digest_of(&file.path(), passed).await,
                Err(error) => Err(error),
            };
            if let Ok(digest) = digest {
                received.insert(name.to_ascii_uppercase(), digest);
            }
        }
        received
    }
}

/// Takes a folder away. Who writes there still is waited for a moment, and may leave something after all.
pub async fn removed(folder: &Path) -> io::Result<()> {
    let mut removed = Ok(());
    for wait in [0, 100, 400, 1000] {
        tokio::time::sleep(Duration::from_millis(wait)).await;
        removed = match tokio::fs::remove_dir_all(folder).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => return Ok(()),
        };
    }
    removed
}

async fn write(path: &Path, payload: &Payload) -> io::Result<()> {
    let mut file = tokio::fs::File::create(path).await?;
    let mut pieces = std::pin::pin!(payload.pieces());
    while let Some(piece) = pieces.next().await {
        file.write_all(&piece).await?;
    }
    file.flush().await
}

/// A digest that no message has.
fn too_long(size: u64) -> Sha256 {
    Sha256::of(format!("a file of {size} bytes, longer than all that has passed in the run").as_bytes())
}

/// Of so many bytes and no more: the product may still be writing.
async fn digest_of(path: &Path, most: u64) -> io::Result<Sha256> {
    let mut file = tokio::fs::File::open(path).await?.take(most.saturating_add(1));
    let mut context = digest::Context::new(&digest::SHA256);
    let mut piece = vec![0; 64 * 1024];
    loop {
        let count = file.read(&mut piece).await?;
        match piece.get(..count) {
            Some(read) if count > 0 => context.update(read),
            _ => return Ok(Sha256::from_digest(context.finish())),
        }
    }
}

/// One thing that the product is told.
pub struct Told {
    /// As an environment variable.
    pub name: &'static str,
    pub value: String,
    /// Whether it is a secret.
    pub secret: bool,
}

/// What the product is told for one action.
pub struct Order {
    pub action: Action,
    pub told: Vec<Told>,
}

impl Order {
    pub fn new(ask: &Ask<'_>, access: &Access, desk: &Desk) -> Self {
        let action = ask.action();
        let mut order = Self { action, told: Vec::new() };
        let file = |path: &Path| path.display().to_string();
        order.tell("MESH_URL", access.url.clone());
        order.tell("MESH_CA_FILE", file(&access.ca_file));
        order.tell("MESH_CLIENT_CERT", file(&access.certificate_file));
        order.tell("MESH_CLIENT_KEY", file(&access.key_file));
        order.tell("MESH_MAILBOX_ID", access.mailbox.to_string());
        order.tell_secret("MESH_MAILBOX_PASSWORD", access.password.expose());
        order.tell_secret("MESH_SHARED_KEY", access.shared_key.expose());
        match action {
            Action::Handshake => {}
            Action::Send => {
                if let Some((message, chunk_bytes)) = ask.outgoing() {
                    order.tell_message(message, chunk_bytes, desk);
                }
            }
            Action::Receive => {
                order.tell("MESH_OUTPUT_DIR", file(&desk.output()));
                order.tell("MESH_COMPRESS", yes_or_no(ask.takes_gzip()));
            }
            Action::Track => {
                let message = ask.message().map(ToString::to_string);
                order.tell("MESH_MESSAGE_ID", message.unwrap_or_default());
            }
        }
        order
    }

    fn tell_message(&mut self, message: &Outgoing, chunk_bytes: Option<u64>, desk: &Desk) {
        let payload = desk.payload.as_ref().map(|path| path.display().to_string());
        self.tell("MESH_RECIPIENT_ID", message.to.to_string());
        self.tell("MESH_WORKFLOW_ID", message.workflow.to_string());
        self.tell("MESH_LOCAL_ID", message.local_id.clone());
        self.tell("MESH_SUBJECT", message.subject.clone());
        self.tell("MESH_FILE_NAME", message.file_name.clone());
        self.tell("MESH_PAYLOAD_FILE", payload.unwrap_or_default());
        self.tell("MESH_COMPRESS", yes_or_no(message.compress));
        self.tell("MESH_CHUNK_SIZE", chunk_bytes.map(|bytes| bytes.to_string()).unwrap_or_default());
    }

    /// What is no secret, by name.
    pub fn open(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.told.iter().filter(|told| !told.secret).map(|told| (told.name, told.value.as_str()))
    }

    fn tell(&mut self, name: &'static str, value: String) {
        self.told.push(Told { name, value, secret: false });
    }

    fn tell_secret(&mut self, name: &'static str, value: &str) {
        self.told.push(Told { name, value: value.to_owned(), secret: true });
    }
}

fn yes_or_no(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A terabyte of holes: it was read whole, for hours.
    #[tokio::test]
    async fn what_is_longer_than_all_that_has_passed_is_not_read_and_is_no_message() {
        let desk = Desk::lay_out(&Ask::Handshake).await.unwrap();
        let path = |id: &str| desk.output().join(id);
        let (right, long) = ("20260101000000000001_ABCDEF", "20260101000000000002_ABCDEF");
        std::fs::write(path(right), "1234567").unwrap();
        std::fs::File::create(path(long)).unwrap().set_len(1 << 40).unwrap();
        let received = desk.received(7).await;
        assert_eq!(received.get(right), Some(&Sha256::of(b"1234567")));
        assert_eq!(received.get(long), Some(&too_long(1 << 40)), "it is there, and wrong");
    }

    #[tokio::test]
    async fn a_file_is_its_messages_in_whatever_case_its_name_is() {
        let desk = Desk::lay_out(&Ask::Handshake).await.unwrap();
        std::fs::write(desk.output().join("20260101000000000001_abcdef"), "x").unwrap();
        let received = desk.received(1).await;
        assert_eq!(received.get("20260101000000000001_ABCDEF"), Some(&Sha256::of(b"x")));
    }
}

//! What may be said to `token`.

use std::path::PathBuf;

use clap::Args;
use uuid::Uuid;

use super::Format;

/// Make the token of the Authorization header, or find out what is wrong with one.
///
/// Make one for a request, with the secrets of a configuration:
///
///     curl -H "$(mesh-witness token --config mesh-witness.yaml --header)" ...
///
/// or with those of the environment, MESH_MAILBOX_PASSWORD and MESH_SHARED_KEY, or of files:
///
///     mesh-witness token --mailbox X26HC005
///     mesh-witness token --mailbox X26HC005 --password-file pw --shared-key-file key
///
/// A token is as good as the password, for one request within two hours: keep it out of logs and
/// tickets.
///
/// Find out what is wrong with one that a product has made, field by field. What its hash was made
/// of is found by making the known mistakes, alone and two at a time:
///
///     mesh-witness token --config mesh-witness.yaml --explain 'NHSMESH X26HC005:...'
///     mesh-witness token --mailbox X26HC005 --explain - < header.txt
///
/// There are no options for the password and the shared key themselves: every user of a machine can
/// read the command lines of the others. Neither is ever printed, nor the hash of a token that is
/// explained.
///
/// Exit codes: 0 made, or the token is good; 1 it is not; 2 the call is wrong, or password or shared
/// key are missing, so that nothing can be said of the hash.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct TokenArguments {
    /// Configuration with the mailboxes' passwords and the shared key
    #[arg(long, value_name = "FILE", conflicts_with_all = ["password_file", "shared_key_file"])]
    pub config: Option<PathBuf>,
    /// The mailbox: its ID, or with --config also `product` or `counterpart` [default: MESH_MAILBOX_ID; with
    /// --config the product's, or the one that an explained token names]
    #[arg(long, value_name = "ID")]
    pub mailbox: Option<String>,
    /// Read the mailbox's password from a file; `-` is standard input [default: MESH_MAILBOX_PASSWORD]
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Read the environment's shared key from a file; `-` is standard input [default: MESH_SHARED_KEY]
    #[arg(long, value_name = "FILE")]
    pub shared_key_file: Option<PathBuf>,
    /// Print, or explain, the whole header line: `Authorization: NHSMESH ...`
    #[arg(long)]
    pub header: bool,
    /// Make it with this nonce, to compare with what a product makes [default: a random one]
    #[arg(long, value_name = "GUID", conflicts_with = "explain")]
    pub nonce: Option<Uuid>,
    /// Make it with this nonce count
    #[arg(long, value_name = "N", default_value_t = 0, conflicts_with = "explain")]
    pub count: u32,
    /// When it is made, or was made, in UTC: 202611211430, or 2026-11-21T14:30:00Z [default: now]
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    /// Say what is right and wrong with this token; `-` reads it from standard input, where no other
    /// user of the machine sees it
    #[arg(long, value_name = "TOKEN")]
    pub explain: Option<String>,
    /// What to print of an explanation: for people or for programs
    #[arg(long, value_enum, default_value_t = Format::Text, requires = "explain")]
    pub format: Format,
}

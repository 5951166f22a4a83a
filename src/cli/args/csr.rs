//! What may be said to `csr`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};
use mesh_witness::csr::KeyLength;

/// Make a private key and the request for a MESH client certificate.
///
///     mesh-witness csr --mailbox X26HC005 --ods X26
///
/// makes X26HC005-key.pem, which stays with you, and X26HC005.csr, which you send to NHS England.
/// Says afterwards where to, for integration and for live, and how to look at it with openssl.
///
/// The request names MAILBOX.ODS_CODE.api.mesh-client.nhs.uk and has no other field, as NHS England
/// asks. The OpenAPI puts the mailbox ID first in one place, and a local identifier, such as a
/// server's name, in another: --local-id is for that.
///
/// No file that is there is overwritten. The key is readable by its owner alone, and never printed.
///
/// Exit codes: 0 made; 2 the call is wrong, or a file is there already; 3 a file cannot be written.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment, group = ArgGroup::new("name").required(true))]
pub struct CsrArguments {
    /// The mailbox that the certificate is for
    #[arg(long, value_name = "ID", group = "name", requires = "ods")]
    pub mailbox: Option<String>,
    /// Another identifier in the mailbox ID's place, such as SERVER001
    #[arg(long, value_name = "NAME", group = "name", requires = "ods")]
    pub local_id: Option<String>,
    /// The whole name at once, such as SERVER001.X26.api.mesh-client.nhs.uk
    #[arg(long, value_name = "FQDN", group = "name", conflicts_with = "ods")]
    pub common_name: Option<String>,
    /// The organisation's ODS code, such as X26
    #[arg(long, value_name = "CODE")]
    pub ods: Option<String>,
    /// The folder for both files; made where there is none [default: this folder]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Where to write the key instead
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Where to write the request instead
    #[arg(long, value_name = "FILE")]
    pub csr: Option<PathBuf>,
    /// How long the key is
    #[arg(long, value_enum, default_value_t = Bits::Bits2048)]
    pub bits: Bits,
    /// Make the request with this key, and no new one: PEM, RSA, not encrypted
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key", "bits"])]
    pub existing_key: Option<PathBuf>,
}

/// How long a new key is, in bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Bits {
    /// What NHS England's examples come to
    #[value(name = "2048")]
    Bits2048,
    /// Longer
    #[value(name = "3072")]
    Bits3072,
    /// Longer still; some seconds to make
    #[value(name = "4096")]
    Bits4096,
}

impl From<Bits> for KeyLength {
    fn from(bits: Bits) -> Self {
        match bits {
            Bits::Bits2048 => Self::Bits2048,
            Bits::Bits3072 => Self::Bits3072,
            Bits::Bits4096 => Self::Bits4096,
        }
    }
}

//! What may be said to `record`.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;

/// Record what a product says to a real endpoint, and what it is answered.
///
/// A proxy that the product calls in the endpoint's place. It passes every byte on as it comes, with
/// the client certificate of the configuration towards the endpoint, and records every exchange on a
/// tape, without secrets. Prints what to set in the product when it is ready, and stops on Ctrl-C;
/// calls that are under way then have 30 seconds, or until Ctrl-C is pressed again.
/// `mesh-witness judge DIR` judges the tape. docs/record.md shows how to set it up.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct RecordArguments {
    /// Configuration of the endpoint; `mesh-witness check` tells whether it is right
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Where to listen; port 0 for any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8443")]
    pub listen: SocketAddr,
    /// The folder to record to; a tape that is there already is continued [default: reports/tape-TIME]
    #[arg(long, value_name = "DIR")]
    pub tape: Option<PathBuf>,
    /// Where the local certificate authority lives; made when the folder is empty [default: pki, beside the tape]
    #[arg(long, value_name = "DIR")]
    pub pki: Option<PathBuf>,
    /// PEM: further authorities that the product's own certificate may be from; may be repeated
    #[arg(long, value_name = "FILE")]
    pub product_ca: Vec<PathBuf>,
    /// Replace the value of the Host header by the endpoint's name, for a product that cannot call the
    /// proxy under that name; the tape says so
    #[arg(long)]
    pub edit_host: bool,
    /// Connect there, whatever the endpoint's name stands for on this machine: needed where its hosts
    /// file leads the product to the proxy
    #[arg(long, value_name = "ADDRESS")]
    pub connect_to: Option<SocketAddr>,
    /// Receive the product without TLS: on loopback addresses only
    #[arg(long, conflicts_with_all = ["pki", "product_ca", "no_product_certificate"])]
    pub plain_http: bool,
    /// Receive a product that presents no certificate: on loopback addresses only
    #[arg(long)]
    pub no_product_certificate: bool,
    /// Listen on an address that other machines can reach
    #[arg(long)]
    pub open_to_network: bool,
    /// Record in front of this live endpoint, where messages are patients' own
    #[arg(long, value_name = "HOST")]
    pub live_host: Option<String>,
}

//! What test programs that act as a product have in common: how the command driver calls them, what they are
//! told, and what they call with.

use std::{env, fs};

use reqwest::{Certificate, Client, ClientBuilder, Identity};

/// The driver, in the configuration's words: the test program itself, called for its test `product::acts`.
pub fn driver(quirks: &[&str]) -> String {
    let program = env::current_exe().unwrap();
    let quirks: String = quirks.iter().map(|quirk| format!(", \"{quirk}\"")).collect();
    format!(
        "{{command: [\"{}\", \"--exact\", \"--ignored\", \"--nocapture\", \"product::acts\"{quirks}], timeout: 5m}}",
        program.display()
    )
}

/// What a handshake says of its client.
pub const ABOUT: [(&str, &str); 4] = [
    ("Mex-ClientVersion", "test==1"),
    ("Mex-OSName", "any"),
    ("Mex-OSVersion", "1"),
    ("Mex-OSArchitecture", "any"),
];

/// A variable of the driver's. An argument `NAME=VALUE` stands in for it.
pub fn told(name: &str) -> String {
    argument(name).unwrap_or_else(|| env::var(name).unwrap_or_else(|_| panic!("{name} is not told")))
}

/// The value of an argument `NAME=VALUE`.
pub fn argument(name: &str) -> Option<String> {
    env::args().find_map(|argument| Some(argument.strip_prefix(name)?.strip_prefix('=')?.to_owned()))
}

/// Whether an argument names this quirk.
pub fn has(quirk: &str) -> bool {
    env::args().any(|argument| argument == quirk)
}

/// A client with the certificate that it is told of.
pub fn client(more: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let pem = |name: &str| fs::read(told(name)).unwrap();
    let identity = [pem("MESH_CLIENT_CERT"), pem("MESH_CLIENT_KEY")].concat();
    let client = Client::builder()
        .tls_certs_only([Certificate::from_pem(&pem("MESH_CA_FILE")).unwrap()])
        .identity(Identity::from_pem(&identity).unwrap())
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy();
    more(client).build().unwrap()
}

pub fn gzip(part: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(part).unwrap();
    encoder.finish().unwrap()
}

pub fn gunzip(part: &[u8]) -> Vec<u8> {
    use std::io::Read;
    let mut content = Vec::new();
    flate2::read::MultiGzDecoder::new(part).read_to_end(&mut content).unwrap();
    content
}

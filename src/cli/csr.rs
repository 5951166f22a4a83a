//! `csr`: a private key and the request for a MESH client certificate.

use std::{
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use mesh_witness::{
    config,
    csr::{CsrError, RequestKey},
    protocol::{ClientName, ClientNameError},
    report::quoted_for_shell,
};
use secrecy::ExposeSecret;

use super::{
    Exit, Failure,
    args::CsrArguments,
    new_file::{Readers, is_taken, write_new},
    screen,
};

pub fn csr(arguments: &CsrArguments) -> Result<Exit, Failure> {
    let name = name(arguments)?;
    let files = Files::of(arguments, &name);
    // Before a key is made, which takes its time.
    files.are_free(arguments.out.as_deref())?;
    let key = match &arguments.existing_key {
        Some(path) => existing(path)?,
        None => RequestKey::generate(arguments.bits.into()).map_err(|error| not_made("the key", &error))?,
    };
    let request = key.request(&name).map_err(|error| not_made("the request", &error))?;
    files.write(arguments.out.as_deref(), &key, &request)?;
    files.told(&name, &key).iter().for_each(|line| screen::say(line));
    Ok(Exit::Good)
}

/// The two files. The key's is only read where there is a key already.
struct Files {
    key: PathBuf,
    key_is_new: bool,
    request: PathBuf,
}

impl Files {
    fn of(arguments: &CsrArguments, name: &ClientName) -> Self {
        let label = name.first_label();
        let at = |given: &Option<PathBuf>, file: String| {
            let in_folder =
                || arguments.out.as_ref().map_or_else(|| PathBuf::from(&file), |out| out.join(&file));
            given.clone().unwrap_or_else(in_folder)
        };
        let existing = arguments.existing_key.clone();
        Self {
            key_is_new: existing.is_none(),
            key: existing.unwrap_or_else(|| at(&arguments.key, format!("{label}-key.pem"))),
            request: at(&arguments.csr, format!("{label}.csr")),
        }
    }

    fn are_free(&self, folder: Option<&Path>) -> Result<(), Failure> {
        if let Some(folder) = folder.filter(|folder| is_taken(folder) && !folder.is_dir()) {
            let what = format!("--out: {} is no folder: name another", folder.display());
            return Err(Failure::new(Exit::Usage, what));
        }
        if self.key == self.request {
            let what = "--csr: is the key's file too: name another, since the request is sent away and the key is not";
            return Err(Failure::new(Exit::Usage, what));
        }
        let new_key = self.key_is_new.then_some(&self.key);
        new_key
            .into_iter()
            .chain([&self.request])
            .find(|path| is_taken(path))
            .map_or(Ok(()), |path| Err(taken(path)))
    }

    /// Both or neither: a request without its key is worth nothing.
    fn write(&self, folder: Option<&Path>, key: &RequestKey, request: &str) -> Result<(), Failure> {
        if let Some(folder) = folder {
            fs::create_dir_all(folder).map_err(|error| not_written(folder, &error))?;
        }
        if self.key_is_new {
            write_new(&self.key, key.pem().expose_secret().as_bytes(), Readers::Owner)
                .map_err(|error| not_written(&self.key, &error))?;
        }
        write_new(&self.request, request.as_bytes(), Readers::All).map_err(|error| {
            if self.key_is_new {
                // Nobody has seen anything of it yet.
                let _ = fs::remove_file(&self.key);
            }
            not_written(&self.request, &error)
        })
    }

    /// What was made, and what to do with it.
    fn told(&self, name: &ClientName, key: &RequestKey) -> Vec<String> {
        let shown = |path: &Path| quoted_for_shell(&path.display().to_string());
        let (key_file, request, bits) = (shown(&self.key), shown(&self.request), key.bits());
        let made = if self.key_is_new {
            format!("wrote {key_file}: private key, RSA, {bits} bits, for its owner's eyes alone")
        } else {
            format!("used {key_file}: private key, RSA, {bits} bits")
        };
        [
            made,
            format!("wrote {request}: certificate request for CN={name}"),
            String::new(),
            "Look at the request:".to_owned(),
            format!("  openssl req -in {request} -verify -noout -text"),
            String::new(),
            "E-mail the request, and write its common name into the e-mail:".to_owned(),
            format!("  {name}"),
            "  integration  to itoc.supportdesk@nhs.net".to_owned(),
            "  live         to ssd.nationalservicedesk@nhs.net, with your technical conformance certificate".to_owned(),
            "  (OpenAPI, onboarding, \"Get a TLS certificate\": five working days.) A certificate is good for one".to_owned(),
            "  environment: ask for each with a request of its own, and a key of its own.".to_owned(),
            String::new(),
            format!("Keep {key_file} secret: do not e-mail it, commit it, or put it into a ticket. Nobody at NHS"),
            "England needs it. Keep a copy: without the key the certificate is of no use.".to_owned(),
            String::new(),
            "When the certificate is there, save it as PEM, and name both in mesh-witness.yaml:".to_owned(),
            "  endpoint:".to_owned(),
            "    client_certificate_file: the certificate, then its intermediates".to_owned(),
            format!("    client_key_file: {}", self.key.display()),
            "`mesh-witness check --config mesh-witness.yaml` tells whether they belong together.".to_owned(),
        ]
        .into()
    }
}

fn name(arguments: &CsrArguments) -> Result<ClientName, Failure> {
    let CsrArguments { mailbox, local_id, common_name, ods, .. } = arguments;
    // One of the three is there, and the ODS code with the first two.
    let ods = ods.as_deref().unwrap_or_default();
    let (flag, named) = match (mailbox, local_id, common_name) {
        (Some(id), ..) => ("--mailbox", ClientName::of(id, ods)),
        (_, Some(id), _) => ("--local-id", ClientName::of(id, ods)),
        (.., whole) => ("--common-name", ClientName::parse(whole.as_deref().unwrap_or_default())),
    };
    named.map_err(|error| {
        let mend = match (&error, flag) {
            (ClientNameError::OdsCode(_), _) => "an ODS code is letters and digits, such as X26",
            (ClientNameError::LocalId(_), "--mailbox") => {
                "in a name there are letters, digits and hyphens; --local-id takes another identifier, such as SERVER001"
            }
            (ClientNameError::LocalId(_), _) => "it is letters, digits and hyphens, such as SERVER001",
            (ClientNameError::TooLong(_), _) => "choose a shorter identifier, such as --local-id SERVER001",
            (ClientNameError::Domain | ClientNameError::Labels(_), _) => {
                "certificates for the MESH API are named LOCAL_ID.ODS_CODE.api.mesh-client.nhs.uk; --mailbox and --ods make that of their parts"
            }
        };
        let flag = match (&error, flag) {
            (ClientNameError::OdsCode(_), "--mailbox" | "--local-id") => "--ods",
            _ => flag,
        };
        let part = match (&error, flag) {
            (ClientNameError::OdsCode(_), "--common-name") => "the ODS code in it ",
            (ClientNameError::LocalId(_), "--common-name") => "the local identifier in it ",
            _ => "",
        };
        Failure::new(Exit::Usage, format!("{flag}: {part}{error}: {mend}"))
    })
}

fn existing(path: &Path) -> Result<RequestKey, Failure> {
    let wrong = |what: String| Failure::new(Exit::Usage, format!("--existing-key: {what}"));
    let key =
        config::private_key(path).map_err(|problem| wrong(format!("{}: {}", problem.what, problem.mend)))?;
    RequestKey::existing(&key).map_err(|error| {
        let mend = "NHS England's examples have RSA keys; leave --existing-key off, and one is made";
        wrong(format!("{} {error}: {mend}", path.display()))
    })
}

fn taken(path: &Path) -> Failure {
    let what = format!("{}: is there already, and nothing is overwritten", path.display());
    Failure::new(Exit::Usage, format!("{what}: name another file or folder, or move it away"))
}

fn not_written(path: &Path, error: &io::Error) -> Failure {
    if error.kind() == ErrorKind::AlreadyExists {
        return taken(path);
    }
    let what = format!("{}: cannot be written: {error}", path.display());
    Failure::new(Exit::Environment, format!("{what}: name another folder"))
}

fn not_made(what: &str, error: &CsrError) -> Failure {
    Failure::new(Exit::Environment, format!("{what} {error}"))
}

//! Writes a bundle, and makes sure that no secret went along.

use std::{
    io::{self, BufReader, Read, Write},
    path::{Path, PathBuf},
};

use thiserror::Error;
use zip::{ZipArchive, result::ZipError};

use super::{Bag, Draft, WriteError, bag::BagFile, pack};
use crate::tape::{Secret, SecretSet};

/// The file of a bundle that is made of what passed on the wire: the one place where even a common
/// word is looked for.
pub const WIRE_FILE: &str = "data/run/exchanges.har";

/// Writes a bundle, reads it back from the disk, and puts it under its name only if every file is as
/// it was meant to be and no secret is in it, in whatever form.
///
/// `vocabulary` is every text that a bundle would have without any run: templates, the built-in pack,
/// documentation. It is asked for only when a secret turns up. A secret that occurs there, such as the password `password` that the sandbox
/// publishes, cannot be told from our own words. Such a secret is looked for in [`WIRE_FILE`] alone,
/// and listed in [`Sealed::unscannable`]. What is compressed within a file is not unpacked for the search:
/// files are to be bagged as they are read.
///
/// # Errors
/// When the bundle cannot be written or read back, or has a secret in it. There is no new file then. What was
/// there before is untouched in any case: the bundle goes under another name beside it.
pub fn seal(
    path: &Path,
    bag: &Bag,
    secrets: &[Secret],
    vocabulary: impl FnOnce() -> Vec<u8>,
) -> Result<Sealed, SealError> {
    let unscannable = search(secrets, bag, vocabulary)?;
    let bytes = pack(bag).map_err(|source| WriteError::Pack { path: path.to_owned(), source })?;
    let draft = Draft::new(path, |file| file.write_all(&bytes))?;
    drop(bytes);
    let mut archive = ZipArchive::new(BufReader::new(draft.reopen()?))?;
    if archive.len() != bag.files().len() {
        return Err(SealError::ReadBack { entry: path.display().to_string() });
    }
    for (index, file) in bag.files().iter().enumerate() {
        let mut content = Vec::with_capacity(file.content.len());
        let mut entry = archive.by_index(index)?;
        entry.read_to_end(&mut content)?;
        if *entry.name()? != *file.path || content != file.content {
            return Err(SealError::ReadBack { entry: file.path.clone() });
        }
    }
    Ok(Sealed { path: draft.publish()?, unscannable })
}

/// Looks for secrets in a file that is to go into a bundle as it is, before anything is played: [`seal`] would find
/// them when all has been. `shown` is what a person calls the file, `vocabulary` is as there.
///
/// # Errors
/// Which secret is in it, and where.
pub fn without_secrets(
    shown: &str,
    content: &[u8],
    secrets: &SecretSet,
    vocabulary: impl FnOnce() -> Vec<u8>,
) -> Result<(), SecretInFile> {
    let found = secrets.found_in(content);
    if found.is_empty() {
        return Ok(());
    }
    let vocabulary = vocabulary();
    let words = secrets.found_in(&vocabulary);
    let Some(secret) = found.into_iter().find(|name| !words.contains(name)) else { return Ok(()) };
    let holds = |line: &[u8]| secrets.found_in(line).contains(&secret);
    let line = content.split(|byte| *byte == b'\n').position(holds).map(|place| place + 1);
    let shown = String::from_utf8_lossy(&secrets.masked(shown.as_bytes())).into_owned();
    Err(SecretInFile { file: shown, line, secret: secret.to_owned() })
}

/// A secret in a file that is to go into a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{file}{}: the secret {secret} is in it, and no bundle may have it: take it out, and change it if that file has \
     been shared; if it merely coincides, give the mailbox another password",
    line.map(|line| format!(":{line}")).unwrap_or_default()
)]
pub struct SecretInFile {
    /// The file; what is secret in its name is blotted out.
    pub file: String,
    /// The line, from 1; `None` when it stands on several.
    pub line: Option<usize>,
    /// The name of the secret.
    pub secret: String,
}

/// A bundle that is on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Where: under another name than was asked for when there was something under that one.
    pub path: PathBuf,
    /// Names of the secrets that are also words of ours, and were looked for in [`WIRE_FILE`] alone.
    pub unscannable: Vec<String>,
}

/// Why there is no bundle.
#[derive(Debug, Error)]
pub enum SealError {
    /// It could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A secret was about to get out.
    #[error(
        "the secret {secret} is in {entry}: no bundle was written: take it out of the file that this was \
         made from, and change it if that file has been shared; if it merely coincides with something of ours, give the \
         mailbox another password"
    )]
    SecretFound {
        /// The name of the secret, such as `mailboxes.product.password`.
        secret: String,
        /// The file in the bundle; what is secret in its name is blotted out.
        entry: String,
    },
    /// A file on the disk is not what was written.
    #[error("{entry} did not come back from the disk as it was written: no bundle was made: check the disk")]
    ReadBack {
        /// The file in the bundle.
        entry: String,
    },
    /// The zip did not read back.
    #[error("the bundle did not read back: {0}: no bundle was made: check the disk")]
    Zip(#[from] ZipError),
    /// The content of an entry did not read back.
    #[error("the bundle did not read back: {0}: no bundle was made: check the disk")]
    Io(#[from] io::Error),
}

/// Looks for secrets in every file and its name. Those that are words of ours, which can be looked for in [`WIRE_FILE`]
/// alone.
fn search(
    secrets: &[Secret],
    bag: &Bag,
    vocabulary: impl FnOnce() -> Vec<u8>,
) -> Result<Vec<String>, SealError> {
    let all = SecretSet::new(secrets);
    let found_in = |bytes: fn(&BagFile) -> &[u8]| -> Vec<Vec<&str>> {
        bag.files().iter().map(|file| all.found_in(bytes(file))).collect()
    };
    let (in_names, in_content) = (found_in(|file| file.path.as_bytes()), found_in(|file| &file.content));
    let turns_up = in_names.iter().chain(&in_content).any(|found| !found.is_empty());
    let vocabulary = if turns_up { vocabulary() } else { Vec::new() };
    let words = all.found_in(&vocabulary);
    // Names first: the manifests repeat them, and would be blamed.
    let places = bag.files().iter().zip(&in_names).map(|(file, found)| (file, found, false));
    let places = places.chain(bag.files().iter().zip(&in_content).map(|(file, found)| (file, found, true)));
    for (file, found, is_content) in places {
        let is_wire = is_content && file.path == WIRE_FILE;
        if let Some(secret) = found.iter().find(|name| is_wire || !words.contains(name)) {
            let entry = String::from_utf8_lossy(&all.masked(file.path.as_bytes())).into_owned();
            return Err(SealError::SecretFound { secret: (*secret).to_owned(), entry });
        }
    }
    Ok(words.into_iter().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use base64::{Engine, engine::general_purpose::STANDARD};

    use super::*;
    use crate::evidence::{BagInfo, PayloadFile, verify};

    fn vocabulary() -> Vec<u8> {
        b"This is how to read it. Given the password is wrong".to_vec()
    }

    fn bag(files: &[(&str, &str)]) -> Bag {
        let payload = files
            .iter()
            .map(|(path, content)| PayloadFile { path: (*path).into(), content: (*content).into() })
            .collect();
        let info = BagInfo {
            run_id: "20261121T120304Z-3f9a".into(),
            started_at: "2026-11-21T23:59:59Z".parse().unwrap(),
            description: "the password is in here".into(),
            supplier: None,
            software_agent: "mesh-witness".into(),
        };
        Bag::new(payload, info).unwrap()
    }

    fn secrets() -> Vec<Secret> {
        vec![Secret::new("mailboxes.a.password", "password"), Secret::new("shared_key", "hunter2&Co!")]
    }

    fn sealed(files: &[(&str, &str)]) -> (Result<Sealed, SealError>, Vec<PathBuf>) {
        let folder = tempfile::tempdir().unwrap();
        let result = seal(&folder.path().join("x.zip"), &bag(files), &secrets(), vocabulary);
        let left = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        (result, left)
    }

    #[test]
    fn without_a_secret_there_is_a_bundle_that_verifies() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.zip");
        let summary = r#"{"run_id":"r","verdict":"passed","evidence":false,"cut_short":null}"#;
        let files = [("README.txt", "the password"), ("run/exchanges.har", "{}"), ("empty", "")];
        let bag = bag(&[&files[..], &[("summary.json", summary)]].concat());
        let sealed = seal(&path, &bag, &secrets(), vocabulary).unwrap();
        assert_eq!(sealed, Sealed { path: path.clone(), unscannable: vec!["mailboxes.a.password".into()] });
        assert!(verify(&path).unwrap().is_whole());
        let again = folder.path().join("y.zip");
        seal(&again, &bag, &[], Vec::new).unwrap();
        let third = seal(&again, &bag, &[], Vec::new).unwrap();
        assert_eq!(third.path, folder.path().join("y-2.zip"), "nothing is replaced");
        assert_eq!(fs::read(&path).unwrap(), fs::read(&again).unwrap());
    }

    #[test]
    fn a_secret_in_any_form_anywhere_means_no_bundle() {
        for (path, content, name) in [
            ("report.html", "<b>hunter2&amp;Co!</b>".to_owned(), "shared_key"),
            ("pack/mine/own.feature", "Given \"hunter2&Co!\"".to_owned(), "shared_key"),
            ("raw/0", STANDARD.encode("xhunter2&Co!x"), "shared_key"),
            ("config.redacted.yaml", "hunter2%26Co%21".to_owned(), "shared_key"),
            ("run/exchanges.har", "Authorization: password".to_owned(), "mailboxes.a.password"),
        ] {
            let (result, left) = sealed(&[("a", "a"), (path, &content)]);
            let error = result.unwrap_err();
            let text = error.to_string();
            assert!(!text.contains("hunter2") && text.contains(&format!("data/{path}")), "{text}");
            assert!(matches!(error, SealError::SecretFound { secret, .. } if secret == name), "{path}");
            assert_eq!(left, Vec::<PathBuf>::new());
        }
    }

    #[test]
    fn a_file_with_a_secret_is_told_with_its_line_and_a_word_of_ours_is_none() {
        let set = SecretSet::new(&secrets());
        let told = |content: &str| without_secrets("own.feature", content.as_bytes(), &set, vocabulary);
        assert_eq!(told("Feature: a\n  Given the password is wrong\n"), Ok(()));
        let error = told("Feature: a\n  # the password\n  # hunter2%26Co!\n").unwrap_err();
        assert_eq!((error.line, error.secret.as_str()), (Some(3), "shared_key"));
        assert!(error.to_string().starts_with("own.feature:3: the secret shared_key is in it"), "{error}");
    }

    #[test]
    fn a_secret_in_a_name_is_found_and_not_repeated() {
        let (result, left) = sealed(&[("pack/hunter2&Co!.feature", "")]);
        let text = result.unwrap_err().to_string();
        assert!(text.starts_with("the secret shared_key is in data/pack/[redacted].feature: "), "{text}");
        assert_eq!(left, Vec::<PathBuf>::new());
    }

    #[test]
    fn a_word_of_ours_does_not_hide_a_secret_that_overlaps_it() {
        let folder = tempfile::tempdir().unwrap();
        let secrets = [Secret::new("common", "password"), Secret::new("rare", "words and worse")];
        let bag = bag(&[("a", "passwords and worse")]);
        let result = seal(&folder.path().join("x.zip"), &bag, &secrets, || b"a password".to_vec());
        assert!(matches!(result, Err(SealError::SecretFound { secret, .. }) if secret == "rare"));
    }

    #[test]
    fn the_bundle_that_was_there_stays_when_the_new_one_would_tell_a_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.zip");
        fs::write(&path, "the last good one").unwrap();
        assert!(seal(&path, &bag(&[("a", "hunter2&Co!")]), &secrets(), vocabulary).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"the last good one");
    }
}

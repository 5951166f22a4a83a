//! The name that a MESH client certificate is issued for.

use std::fmt;

use thiserror::Error;

/// The common name of a MESH client certificate, such as `X26HC005.X26.api.mesh-client.nhs.uk`.
///
/// The first label is the mailbox ID in one sentence of the OpenAPI's onboarding steps and a local identifier,
/// such as a server's name, in the next. The second is the ODS code. Written as it is given: in names upper and
/// lower case are the same.
///
/// ```
/// use mesh_witness::protocol::ClientName;
/// let name = ClientName::of("X26HC005", "X26")?;
/// assert_eq!(name.as_str(), "X26HC005.X26.api.mesh-client.nhs.uk");
/// assert_eq!(ClientName::parse("SERVER001.X26.api.mesh-client.nhs.uk")?.first_label(), "SERVER001");
/// # Ok::<(), mesh_witness::protocol::ClientNameError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientName(String);

/// Why a text cannot be part of such a name, or the whole of it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ClientNameError {
    /// The local identifier cannot be a label.
    #[error("{0}")]
    LocalId(LabelError),
    /// The ODS code cannot be one.
    #[error("{0}")]
    OdsCode(LabelError),
    /// The whole is longer than X.509 allows a common name to be.
    #[error("makes a name of {0} characters, and a common name has at most {max}", max = ClientName::MAX)]
    TooLong(usize),
    /// Another domain.
    #[error("does not end in .{}", ClientName::DOMAIN)]
    Domain,
    /// Not two labels before the domain.
    #[error("has {0} label(s) before {domain}, where MESH's names have two: an identifier and an ODS code", domain = ClientName::DOMAIN)]
    Labels(usize),
}

/// Why a text cannot be a label of a name (RFC 1123, 2.1).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LabelError {
    /// Nothing there.
    #[error("is empty")]
    Empty,
    /// Longer than a label may be.
    #[error("has {0} characters, and a label of a name has at most 63")]
    TooLong(usize),
    /// A character that no label has, or no ODS code.
    #[error("has the character {0:?} in it")]
    Character(char),
    /// A hyphen at an end.
    #[error("begins or ends with a hyphen")]
    Hyphen,
}

impl ClientName {
    /// The domain of all of them.
    pub const DOMAIN: &str = "api.mesh-client.nhs.uk";
    /// Characters of a common name (X.509, `ub-common-name`).
    const MAX: usize = 64;

    /// The name for a mailbox ID, or another local identifier, and an ODS code.
    ///
    /// # Errors
    /// [`ClientNameError`] says what is wrong, and with which of the two.
    pub fn of(local_id: &str, ods_code: &str) -> Result<Self, ClientNameError> {
        label(local_id).map_err(ClientNameError::LocalId)?;
        self::ods_code(ods_code).map_err(ClientNameError::OdsCode)?;
        let name = format!("{local_id}.{ods_code}.{}", Self::DOMAIN);
        if name.len() > Self::MAX { Err(ClientNameError::TooLong(name.len())) } else { Ok(Self(name)) }
    }

    /// Reads a whole name.
    ///
    /// # Errors
    /// [`ClientNameError`] says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, ClientNameError> {
        let before = before_domain(text).ok_or(ClientNameError::Domain)?;
        let labels: Vec<&str> = before.split('.').collect();
        let [local, code] = labels.as_slice() else { return Err(ClientNameError::Labels(labels.len())) };
        // With the domain as it is written.
        Self::of(local, code).map(|_| Self(text.to_owned()))
    }

    /// Whether a certificate's name has the form of MESH's, whatever its labels are: for judging what was issued.
    #[must_use]
    pub fn is_form_of(name: &str) -> bool {
        let labels = before_domain(name).and_then(|before| before.split_once('.'));
        labels.is_some_and(|(local, ods)| !local.is_empty() && !ods.is_empty() && !ods.contains('.'))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the first dot.
    #[must_use]
    pub fn first_label(&self) -> &str {
        self.0.split('.').next().unwrap_or_default()
    }
}

impl fmt::Display for ClientName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What stands before the domain, without the dot.
fn before_domain(name: &str) -> Option<&str> {
    let (before, domain) = name.split_at_checked(name.len().checked_sub(ClientName::DOMAIN.len())?)?;
    domain.eq_ignore_ascii_case(ClientName::DOMAIN).then_some(before)?.strip_suffix('.')
}

fn label(text: &str) -> Result<(), LabelError> {
    of_characters(text, |c| c.is_ascii_alphanumeric() || c == '-')?;
    if text.starts_with('-') || text.ends_with('-') { Err(LabelError::Hyphen) } else { Ok(()) }
}

/// ODS codes are letters and digits.
fn ods_code(text: &str) -> Result<(), LabelError> {
    of_characters(text, |c| c.is_ascii_alphanumeric())
}

fn of_characters(text: &str, known: fn(char) -> bool) -> Result<(), LabelError> {
    if text.is_empty() {
        return Err(LabelError::Empty);
    }
    if let Some(other) = text.chars().find(|c| !known(*c)) {
        return Err(LabelError::Character(other));
    }
    if text.len() > 63 { Err(LabelError::TooLong(text.len())) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_read_as_every_source_writes_them() {
        for name in [
            "X26HC005.X26.api.mesh-client.nhs.uk",
            "SERVER001.X26.api.mesh-client.nhs.uk",
            "mailbox-1.n1g3b.api.mesh-client.nhs.uk",
            "a.VEC01.API.mesh-client.NHS.uk",
        ] {
            assert_eq!(ClientName::parse(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn what_is_wrong_is_said_of_the_part_that_it_is_in() {
        use ClientNameError as E;
        use LabelError as L;
        for (local, ods, error) in [
            ("", "X26", E::LocalId(L::Empty)),
            ("X26_HC005", "X26", E::LocalId(L::Character('_'))),
            ("a.b", "X26", E::LocalId(L::Character('.'))),
            ("é", "X26", E::LocalId(L::Character('é'))),
            ("-a", "X26", E::LocalId(L::Hyphen)),
            ("a", "", E::OdsCode(L::Empty)),
            ("a", "X-26", E::OdsCode(L::Character('-'))),
            (&"a".repeat(64), "X26", E::LocalId(L::TooLong(64))),
            (&"a".repeat(38), "X26", E::TooLong(65)),
        ] {
            assert_eq!(ClientName::of(local, ods), Err(error), "{local} {ods}");
        }
        assert_eq!(ClientName::of(&"a".repeat(37), "X26").unwrap().as_str().len(), 64);
        for (name, error) in [
            ("", E::Domain),
            ("X26HC005.X26", E::Domain),
            ("optout.thirdparty.nhs.uk", E::Domain),
            ("api.mesh-client.nhs.uk", E::Domain),
            ("X26api.mesh-client.nhs.uk", E::Domain),
            (".api.mesh-client.nhs.uk", E::Labels(1)),
            ("X26.api.mesh-client.nhs.uk", E::Labels(1)),
            ("a.b.X26.api.mesh-client.nhs.uk", E::Labels(3)),
            ("*.X26.api.mesh-client.nhs.uk", E::LocalId(L::Character('*'))),
            ("a..api.mesh-client.nhs.uk", E::OdsCode(L::Empty)),
            ("a.X26.api.mesh-client.nhs.uk\n", E::Domain),
        ] {
            assert_eq!(ClientName::parse(name), Err(error), "{name}");
        }
    }

    #[test]
    fn of_what_was_issued_only_the_form_is_looked_at() {
        for right in ["server_1.X26.api.mesh-client.nhs.uk", "a.X26.Api.mesh-client.nhs.uk"] {
            assert!(ClientName::is_form_of(right), "{right}");
        }
        for wrong in [
            "",
            "X26.api.mesh-client.nhs.uk",
            ".X26.api.mesh-client.nhs.uk",
            "a.b.c.api.mesh-client.nhs.uk",
            "a.X26.nhs.uk",
        ] {
            assert!(!ClientName::is_form_of(wrong), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_made_reads_back(local in "[A-Za-z0-9]{1,20}", ods in "[A-Za-z0-9]{1,12}") {
            let name = ClientName::of(&local, &ods).unwrap();
            prop_assert_eq!(ClientName::parse(name.as_str()), Ok(name.clone()));
            prop_assert_eq!(name.first_label(), local);
        }

        #[test]
        fn no_text_stops_the_reader(text in "\\PC{0,80}") {
            let _ = ClientName::parse(&text);
            let _ = ClientName::parse(&format!("{text}.api.mesh-client.nhs.uk"));
        }
    }
}

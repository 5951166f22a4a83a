//! Mailbox and message identifiers.

use std::{fmt, sync::Arc};

use thiserror::Error;

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IdError {
    /// Nothing there. The OpenAPI asks for at least one character in every path parameter.
    #[error("is empty")]
    Empty,
    /// Longer than any identifier MESH hands out.
    #[error("is longer than {max} characters")]
    TooLong {
        /// The limit, in characters.
        max: usize,
    },
    /// A character that no identifier has.
    #[error("has the character {0:?}, which no such identifier has")]
    Character(char),
    /// A mailbox ID in lower case: the Authorization header demands upper case.
    #[error("must be in upper case")]
    LowerCase,
}

/// A mailbox ID such as `X26HC005`: 1 to 100 upper-case letters, digits, `_` or `-`.
///
/// Upper case because the OpenAPI's table of the Authorization header says "must be uppercase";
/// 100 because that is the limit of `Mex-To`, which carries one. Cheap to clone.
///
/// ```
/// use mesh_witness::protocol::MailboxId;
/// assert_eq!(MailboxId::parse("X26HC005")?.as_str(), "X26HC005");
/// assert!(MailboxId::parse("x26hc005").is_err());
/// # Ok::<(), mesh_witness::protocol::IdError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MailboxId(Arc<str>);

impl MailboxId {
    const MAX: usize = 100;

    /// Reads a mailbox ID.
    ///
    /// # Errors
    /// [`IdError`] says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        if text.bytes().any(|byte| byte.is_ascii_lowercase()) {
            return Err(IdError::LowerCase);
        }
        parse(text, Self::MAX).map(Self)
    }

    /// The ID as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A message ID such as `20200529155357895317_3573F8`, as MESH answers it to a send.
///
/// The OpenAPI gives no pattern and shows two shapes (20 and 17 digits before the underscore), and
/// mesh-sandbox a third, so any token of 1 to 100 letters, digits, `_` or `-` will do. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(Arc<str>);

impl MessageId {
    const MAX: usize = 100;

    /// Reads a message ID.
    ///
    /// # Errors
    /// [`IdError`] says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        parse(text, Self::MAX).map(Self)
    }

    /// The ID as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A sender's own reference of a message (`Mex-LocalID`): 1 to 300 printable ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LocalId(String);

/// An organisation's ODS code, as the lookups take it: 1 to 100 printable ASCII characters, since the
/// OpenAPI gives neither pattern nor limit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OdsCode(String);

impl LocalId {
    /// Reads a local ID.
    ///
    /// # Errors
    /// [`IdError`] says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        printable(text, 300).map(Self)
    }

    /// The ID as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl OdsCode {
    /// Reads an ODS code.
    ///
    /// # Errors
    /// [`IdError`] says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        printable(text, 100).map(Self)
    }

    /// The code as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn printable(text: &str, max: usize) -> Result<String, IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    if text.len() > max {
        return Err(IdError::TooLong { max });
    }
    match text.chars().find(|c| !matches!(c, ' '..='~')) {
        Some(other) => Err(IdError::Character(other)),
        None => Ok(text.to_owned()),
    }
}

fn parse(text: &str, max: usize) -> Result<Arc<str>, IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    // Characters are counted only where bytes do not tell.
    if text.len() > max && text.chars().count() > max {
        return Err(IdError::TooLong { max });
    }
    // Byte by byte, since every request has several: a byte of any other character is none of these.
    let other = text.bytes().position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')));
    match other.and_then(|place| text.get(place..)?.chars().next()) {
        Some(other) => Err(IdError::Character(other)),
        None => Ok(text.into()),
    }
}

impl fmt::Display for MailboxId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_id_is_upper_case() {
        assert_eq!(MailboxId::parse("x26HC005"), Err(IdError::LowerCase));
        assert_eq!(MailboxId::parse("X26HC005").unwrap().to_string(), "X26HC005");
    }

    #[test]
    fn what_would_break_a_path_or_a_token_is_no_identifier() {
        for bad in ["", "A/B", "A:B", "A B", "A?B", "..", "A\n", "Ä", "A%2F"] {
            assert!(MailboxId::parse(bad).is_err(), "{bad:?}");
            assert!(MessageId::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(MailboxId::parse(&"A".repeat(101)), Err(IdError::TooLong { max: 100 }));
    }

    #[test]
    fn every_message_id_shape_in_the_sources_is_read() {
        for id in
            ["20200529155357895317_3573F8", "20220228174323222_ABCDEF", "0123456789ABCDEF0123456789ABCDEF"]
        {
            assert_eq!(MessageId::parse(id).unwrap().as_str(), id);
        }
    }
}

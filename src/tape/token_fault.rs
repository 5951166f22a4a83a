//! What is wrong with the form of a token, in words that hold nothing of the token.

use serde::{Deserialize, Serialize};

use crate::protocol::{IdError, Token, TokenError};

/// What is wrong with the form of an Authorization header. Worked out while it is recorded, since
/// afterwards the header is masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenFault {
    /// The scheme word is missing, misspelt, in another case, or not followed by one space.
    Scheme,
    /// Not five fields joined by colons.
    Fields,
    /// The mailbox ID is not in upper case.
    LowerCaseMailbox,
    /// The first field is no mailbox ID.
    Mailbox,
    /// The nonce is no GUID.
    Nonce,
    /// The nonce count is no number.
    Count,
    /// The timestamp is not a date and time as `yyyyMMddHHmm`.
    Timestamp,
    /// The hash is not 64 hexadecimal digits.
    Hash,
    /// The hash has upper-case digits, and is right when they are put in lower case.
    UpperCaseHash,
    /// Whoever recorded it took the token, or its hash, out.
    Withheld,
}

impl TokenFault {
    /// Finds the fault in a header's value. `is_right` recomputes the hash.
    #[must_use]
    pub fn of(value: &str, is_right: impl Fn(&Token) -> bool) -> Option<Self> {
        let token = match Token::parse(value) {
            Ok(token) => token,
            Err(error) => return Some(error.into()),
        };
        let lower = token.clone().with_lower_case_hash();
        (!is_right(&token) && is_right(&lower)).then_some(Self::UpperCaseHash)
    }

    /// What is demanded instead, as a sentence about the header.
    #[must_use]
    pub fn demand(self) -> &'static str {
        match self {
            Self::Scheme => "\"NHSMESH\" in upper case and one space come first",
            Self::Fields => "five fields joined by colons follow the scheme",
            Self::LowerCaseMailbox => "the mailbox ID is in upper case",
            Self::Mailbox => "the first field is a mailbox ID",
            Self::Nonce => "the nonce is a GUID",
            Self::Count => "the nonce count is a number of 1 to 10 digits",
            Self::Timestamp => "the timestamp is UTC as yyyyMMddHHmm",
            Self::Hash => "the hash has 64 hexadecimal digits",
            Self::UpperCaseHash => "the hash is written in lower case",
            Self::Withheld => "the token is there",
        }
    }

    /// What was seen instead.
    #[must_use]
    pub fn seen(self) -> &'static str {
        match self {
            Self::Scheme => "another scheme, another case, or not exactly one space",
            Self::Fields => "more or fewer fields",
            Self::LowerCaseMailbox => "a mailbox ID with lower-case letters",
            Self::Mailbox => "something that is no mailbox ID",
            Self::Nonce => "a nonce that is no GUID",
            Self::Count => "a nonce count that is no number",
            Self::Timestamp => "a timestamp in another form",
            Self::Hash => "a hash of another length or with other characters",
            Self::UpperCaseHash => "the right hash in upper case",
            Self::Withheld => "nothing: whoever recorded it took it out",
        }
    }
}

impl From<TokenError> for TokenFault {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Scheme => Self::Scheme,
            TokenError::Fields(_) => Self::Fields,
            TokenError::Mailbox(IdError::LowerCase) => Self::LowerCaseMailbox,
            TokenError::Mailbox(_) => Self::Mailbox,
            TokenError::Nonce => Self::Nonce,
            TokenError::Count => Self::Count,
            TokenError::Timestamp => Self::Timestamp,
            TokenError::Hash => Self::Hash,
        }
    }
}

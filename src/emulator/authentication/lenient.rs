//! A token as mesh-sandbox 1.0.137 reads it: nothing but the hash must be right.

use http::{HeaderMap, header::AUTHORIZATION};

use super::Refusal;
use crate::protocol::{Credentials, SCHEME, TokenRefusal, hash_matches};

/// The fields of a header that may be a token.
#[derive(Debug)]
pub struct Fields<'a> {
    parts: Vec<&'a str>,
}

impl<'a> Fields<'a> {
    /// Splits the header. The scheme may have any case, be followed by any character, or be missing.
    pub fn of(headers: &'a HeaderMap) -> Result<Self, Refusal> {
        let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let value = value.map(str::trim).filter(|value| !value.is_empty()).ok_or(Refusal::NotOneHeader)?;
        let scheme = value.get(..SCHEME.len()).is_some_and(|scheme| scheme.eq_ignore_ascii_case(SCHEME));
        let rest = if scheme { value.get(SCHEME.len() + 1..).unwrap_or_default() } else { value };
        Ok(Self { parts: rest.split(':').collect() })
    }

    /// The mailbox that it speaks for, as written.
    pub fn mailbox(&self) -> &'a str {
        self.part(0)
    }

    /// Whether it is the one nonce that is good where tokens are canned.
    pub fn is_canned(&self) -> bool {
        self.part(1).eq_ignore_ascii_case("valid")
    }

    /// Whether it has the form of a token at all.
    pub fn check_form(&self) -> Result<(), Refusal> {
        let count = self.part(2);
        let digits = !count.is_empty() && count.bytes().all(|b| b.is_ascii_digit());
        let right = self.parts.len() == 5 && digits && !self.mailbox().contains(' ');
        if right { Ok(()) } else { Err(Refusal::NoToken) }
    }

    /// Whether the hash is right, in either case.
    pub fn check_hash(&self, credentials: &Credentials) -> Result<(), Refusal> {
        let fields = [self.mailbox(), self.part(1), self.part(2), self.part(3)];
        let hash = self.part(4).to_ascii_lowercase();
        if hash_matches(credentials, fields, &hash) { Ok(()) } else { Err(TokenRefusal::WrongHash.into()) }
    }

    fn part(&self, place: usize) -> &'a str {
        self.parts.get(place).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, value.parse().unwrap());
        headers
    }

    #[test]
    fn the_scheme_is_any_or_none() {
        for value in ["NHSMESH A:n:0:t:h", "nhsmesh A:n:0:t:h", "NHSMESH:A:n:0:t:h", "A:n:0:t:h"] {
            let headers = headers(value);
            let fields = Fields::of(&headers).unwrap();
            assert_eq!(fields.mailbox(), "A", "{value}");
            assert_eq!(fields.check_form(), Ok(()), "{value}");
        }
        for value in ["NHSMESH  A:n:0:t:h", "A:n:x:t:h", "A:n::t:h", "A:n:0:t", "A:n:0:t:h:m", "NHSMESH"] {
            assert_eq!(Fields::of(&headers(value)).unwrap().check_form(), Err(Refusal::NoToken), "{value}");
        }
        assert_eq!(Fields::of(&headers(" ")).unwrap_err(), Refusal::NotOneHeader);
    }
}

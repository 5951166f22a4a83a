//! A hash as it was written down: what it may be in bytes.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use super::{
    HashMistake,
    recipe::{Function, Recipe},
};
use crate::protocol::hexadecimal;

/// One reading of what was given.
pub(super) struct Given {
    /// The bytes, or the first of them.
    target: Target,
    /// What makes as many bytes.
    pub function: Function,
    /// How it is written down otherwise than it should be, and what else is certain from its length.
    pub mistakes: Vec<HashMistake>,
}

enum Target {
    Whole(Vec<u8>),
    /// Hexadecimal digits, in lower case.
    Beginning(String),
}

/// What is longer is no hash.
const LONGEST: usize = 256;
/// Fewer digits than these are met by chance.
const SHORTEST: usize = 16;

impl Given {
    /// Everything that it may be.
    pub fn readings(text: &str) -> Vec<Self> {
        if text.len() > LONGEST {
            return Vec::new();
        }
        let mut readings = Vec::new();
        let mut add = |bytes: Vec<u8>, written: Option<HashMistake>| {
            let (function, other) = match bytes.len() {
                20 => (Function::HmacSha1, Some(HashMistake::OtherFunction("SHA-1"))),
                32 => (Function::HmacSha256, None),
                48 => (Function::HmacSha384, Some(HashMistake::OtherFunction("SHA-384"))),
                64 => (Function::HmacSha512, Some(HashMistake::OtherFunction("SHA-512"))),
                _ => return,
            };
            let mistakes = written.into_iter().chain(other).collect();
            readings.push(Self { target: Target::Whole(bytes), function, mistakes });
        };
        if let Some(bytes) = hex(text) {
            let is_lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
            add(bytes, (!is_lower).then_some(HashMistake::UpperCase));
        }
        if text.contains('-')
            && let Some(bytes) = hex(&text.replace('-', ""))
        {
            add(bytes, Some(HashMistake::Hyphens));
        }
        if let Some(bytes) = base64(text) {
            if let Some(inner) = std::str::from_utf8(&bytes).ok().and_then(hex) {
                add(inner, Some(HashMistake::Base64OfHex));
            }
            add(bytes, Some(HashMistake::Base64));
        }
        if (SHORTEST..64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            readings.push(Self {
                target: Target::Beginning(text.to_ascii_lowercase()),
                function: Function::HmacSha256,
                mistakes: vec![HashMistake::CutShort(text.len())],
            });
        }
        readings
    }

    /// Whether the recipe makes it.
    pub fn is_of(&self, recipe: &Recipe) -> bool {
        let made = recipe.make();
        match &self.target {
            Target::Whole(bytes) => made == *bytes,
            Target::Beginning(digits) => hexadecimal(&made).starts_with(digits),
        }
    }
}

/// The bytes that hexadecimal digits in either case stand for.
pub(super) fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    });
    pairs.collect::<Option<Vec<u8>>>().filter(|bytes| !bytes.is_empty())
}

/// The bytes that base64 stands for, in either alphabet, padded or not.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let engines = [&alphabet::STANDARD, &alphabet::URL_SAFE].map(|of| GeneralPurpose::new(of, config));
    let bytes = engines.iter().find_map(|engine| engine.decode(text).ok());
    bytes.filter(|bytes| !bytes.is_empty())
}

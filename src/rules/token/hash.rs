//! The hash: made again, and when it is another, made as others have made it.

use super::{Against, Standing, TokenPart, characters};
use crate::{
    protocol::{HashMistake, HashOf, hash_mistakes},
    tape::{TokenFault, is_blacked_out},
};

const MADE: &str = "HMAC-SHA256 over mailbox:nonce:count:password:timestamp, keyed with the shared key, as 64 hexadecimal digits in lower case";

/// Judges the hash by the fields as they are written.
pub(super) fn hash(fields: [&str; 4], given: &str, against: &Against<'_>) -> TokenPart {
    let name = "hash";
    let is_digits = given.bytes().all(|byte| byte.is_ascii_hexdigit());
    let looks =
        if is_digits { "hexadecimal digits" } else { "characters, not all of them hexadecimal digits" };
    let seen = format!("{} {looks}", given.chars().count());
    let is_formed = given.len() == 64 && is_digits;
    // One strange character among all the digits is a mistake, not a mark.
    let digits = given.bytes().filter(u8::is_ascii_hexdigit).count();
    if digits < 32 && is_blacked_out(given) {
        let unknown = "whoever wrote the token down took it out";
        return TokenPart::unknown(name, unknown).mend("Give the token as it is sent.");
    }
    let Some((password, shared_key)) = against.secrets else {
        let unknown = "it is not made again: password or shared key is not known";
        return if is_formed {
            TokenPart::unknown(name, unknown)
        } else {
            TokenPart::wrong(name, format!("it has {}", characters(given)), TokenFault::Hash.demand())
                .seen(seen)
        };
    };
    let of = HashOf {
        fields,
        password,
        shared_key,
        mailbox: against.mailbox,
        other_passwords: against.other_passwords,
    };
    let wrong = |what: String| TokenPart::wrong(name, what, MADE).seen(seen.clone());
    match hash_mistakes(&of, given).as_deref() {
        Some([]) => TokenPart::right(name, "the one that these fields, the password and the shared key give"),
        // NHS England's own validator refuses it, and some endpoints take it.
        Some([HashMistake::UpperCase]) => {
            let what = format!("it would be right, but {}", HashMistake::UpperCase.what());
            wrong(what).mend(HashMistake::UpperCase.remedy())
        }
        Some(mistakes) => {
            let what: Vec<String> = mistakes.iter().map(HashMistake::what).collect();
            let mut remedies: Vec<&str> = mistakes.iter().map(HashMistake::remedy).collect();
            remedies.dedup();
            wrong(what.join(", and ")).mend(remedies.join(" "))
        }
        None if is_formed => wrong("it is another, and none of the known mistakes gives it".to_owned()).mend(
            "Check password and shared key first, each by its place: a wrong one cannot be told from here. Then that nonce and time are made once, for the hash and the header. `mesh-witness token --nonce … --count … --at …` makes the right token for the same fields.",
        ),
        None => TokenPart { standing: Standing::Wrong, ..wrong(format!("it has {}", characters(given))) }
            .mend("Write the HMAC's 32 bytes as 64 hexadecimal digits in lower case."),
    }
}

//! What a mistake is called, and how it is mended.

use super::{HashMistake, Slip};

impl HashMistake {
    /// What was done, as a clause.
    #[must_use]
    pub fn what(&self) -> String {
        match self {
            Self::UpperCase => "it is written with upper-case digits".to_owned(),
            Self::Hyphens => "it is written with hyphens between the bytes".to_owned(),
            Self::Base64 => "it is written in base64, not in hexadecimal".to_owned(),
            Self::Base64OfHex => "its hexadecimal digits are put into base64".to_owned(),
            Self::CutShort(digits) => format!("only the first {digits} of its 64 digits are there"),
            Self::NotKeyed => "it is a plain SHA-256, not an HMAC".to_owned(),
            Self::KeyInFront => {
                "it is a plain SHA-256 of the shared key and the text, not an HMAC".to_owned()
            }
            Self::KeyBehind => "it is a plain SHA-256 of the text and the shared key, not an HMAC".to_owned(),
            Self::OtherFunction(name) => format!("it is an HMAC with {name}, not with SHA-256"),
            Self::HeaderOrder => {
                "the fields are hashed in the order of the header, the timestamp before the password"
                    .to_owned()
            }
            Self::OtherOrder(order) => format!("the fields are hashed in the order {order}"),
            Self::PasswordLeftOut => "the password is left out of what is hashed".to_owned(),
            Self::CountLeftOut => "the nonce count is left out of what is hashed".to_owned(),
            Self::NoColons => "the fields are hashed without colons between them".to_owned(),
            Self::OtherSeparator(other) => format!("the fields are hashed with {other:?} between them"),
            Self::Scheme => "the scheme word is hashed, too".to_owned(),
            Self::LineEnd => "a line end is hashed, too, behind the timestamp".to_owned(),
            Self::Swapped => "the password and the shared key are swapped".to_owned(),
            Self::KeyForPassword => "the shared key stands in the password's place, too".to_owned(),
            Self::PasswordForKey => "the password is used as the HMAC's key, too".to_owned(),
            Self::PasswordOf(name) => format!("the password is that of {name}"),
            Self::Password(slip) => format!("the password {}", slip.what()),
            Self::SharedKey(slip) => format!("the shared key {}", slip.what()),
            Self::MailboxCase => "the mailbox ID is hashed in another case than the header has".to_owned(),
            Self::OtherMailbox => "the hash is of the right mailbox, and the header has another".to_owned(),
            Self::NonceForm => "the nonce is hashed in another form than the header has".to_owned(),
            Self::Count(other) => format!("the nonce count is hashed as {other}, and the header has another"),
            Self::Time(minutes) => {
                let (hours, rest) = (minutes.abs() / 60, minutes.abs() % 60);
                let ahead = if *minutes > 0 { "later" } else { "earlier" };
                format!("the time that is hashed is {hours} h {rest} min {ahead} than the header's")
            }
            Self::TimeWithSeconds => "the time is hashed with seconds, and the header has none".to_owned(),
            Self::TimeWithoutSeconds => {
                "the time is hashed without the seconds that the header has".to_owned()
            }
        }
    }

    /// How it is mended, as a sentence.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::UpperCase | Self::Hyphens => {
                "Write the hash as 64 hexadecimal digits in lower case, with nothing between them: NHS England's own validator compares to the letter."
            }
            Self::Base64 | Self::Base64OfHex => {
                "Write the bytes of the HMAC as 64 hexadecimal digits in lower case."
            }
            Self::CutShort(_) => "Write all 64 digits.",
            Self::NotKeyed | Self::KeyInFront | Self::KeyBehind | Self::OtherFunction(_) => {
                "Use HMAC-SHA256 from your language's library, with the shared key as its key."
            }
            Self::HeaderOrder | Self::OtherOrder(_) | Self::PasswordLeftOut | Self::CountLeftOut => {
                "Hash mailbox:nonce:count:password:timestamp; the header has the same without the password, and then the hash."
            }
            Self::NoColons | Self::OtherSeparator(_) => "Join what is hashed with colons.",
            Self::Scheme => {
                "Hash nothing before the mailbox ID: NHSMESH and its blank are of the header only."
            }
            Self::LineEnd => "Hash the text without a line end: printf '%s', not echo.",
            Self::Swapped | Self::KeyForPassword | Self::PasswordForKey => {
                "The shared key, the same for the whole environment, is the HMAC's key; the mailbox's password is part of the text."
            }
            Self::PasswordOf(_) => "Use the password of the mailbox that the token is for.",
            Self::Password(slip) | Self::SharedKey(slip) => slip.remedy(),
            Self::MailboxCase | Self::OtherMailbox | Self::NonceForm | Self::Count(_) => {
                "Make each field once, and put the same text into the hash and into the header."
            }
            Self::Time(_) | Self::TimeWithSeconds | Self::TimeWithoutSeconds => {
                "Ask for the time once, in UTC, write it as yyyyMMddHHmm, and put the same text into the hash and into the header."
            }
        }
    }
}

impl Slip {
    fn what(self) -> &'static str {
        match self {
            Self::LineEnd => "has a line end behind it",
            Self::Blank => "has a blank in front or behind",
            Self::Trimmed => "has lost the blanks that it begins or ends with",
            Self::Quoted => "stands in quotation marks",
            Self::Unquoted => "has lost the quotation marks that are part of it",
            Self::UpperCase => "is put into upper case",
            Self::LowerCase => "is put into lower case",
            Self::Empty => "is empty",
            Self::Latin1 => "is in ISO 8859-1, not in UTF-8",
            Self::Base64 => "is put into base64",
            Self::FromBase64 => "is taken for base64 and decoded",
            Self::FromHex => "is taken for hexadecimal and decoded",
            Self::Hashed => "is hashed before it is used",
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            Self::LineEnd | Self::Blank => {
                "Take line ends and blanks off where it is read: files and secret stores like to add one."
            }
            Self::Trimmed => "Use it with its blanks, or check that they are part of it.",
            Self::Quoted => {
                "Take the quotation marks off where it is set: not every reader of settings does."
            }
            Self::Unquoted => "Use it with its quotation marks, or check that they are part of it.",
            Self::UpperCase | Self::LowerCase => "Use it to the letter.",
            Self::Empty => {
                "Check that the product is given it: a setting that is not there is often read as empty."
            }
            Self::Latin1 => "Turn text into bytes as UTF-8.",
            Self::Base64 | Self::FromBase64 | Self::FromHex | Self::Hashed => {
                "Use its characters as they are, as UTF-8: it is not encoded, and it is hashed as part of the text only."
            }
        }
    }
}

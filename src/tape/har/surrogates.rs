//! Halves of characters in JSON: what mitmproxy and others write for bytes that are no text.

/// How long an escape such as `\ud800` is.
const ESCAPE: usize = 6;

/// Puts U+FFFD in the place of each escaped half of a character that stands alone, and counts them. RFC 8259, 8.2
/// leaves open what becomes of such text; no Rust string can hold it.
pub(super) fn mend(json: &mut [u8]) -> usize {
    mend_up_to(json, true).0
}

/// The same for the beginning of a text, and up to where it is done. Where more is to come, an escape near the end may be
/// one half of a pair, or half an escape: that is left.
pub(super) fn mend_up_to(json: &mut [u8], is_last: bool) -> (usize, usize) {
    let (mut mended, mut at) = (0, 0);
    let next = |json: &[u8], at| json.get(at..)?.iter().position(|byte| *byte == b'\\');
    while let Some(further) = next(json, at) {
        at += further;
        if !is_last && json.len() - at < 2 * ESCAPE {
            return (mended, at);
        }
        match (unit(json, at), unit(json, at + ESCAPE)) {
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => at += 2 * ESCAPE,
            (Some(0xd800..0xe000), _) => {
                if let Some(escape) = json.get_mut(at..at + ESCAPE) {
                    escape.copy_from_slice(br"\ufffd");
                }
                mended += 1;
                at += ESCAPE;
            }
            (Some(_), _) => at += ESCAPE,
            // What follows a backslash belongs to it, another backslash too.
            (None, _) => at += 2,
        }
    }
    (mended, json.len())
}

/// The 16 bits that an escape at this place stands for.
fn unit(json: &[u8], at: usize) -> Option<u32> {
    let digits = json.get(at..at + ESCAPE)?.strip_prefix(br"\u")?;
    digits.iter().try_fold(0, |unit, digit| Some(unit * 16 + char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_halves_that_stand_alone_are_mended() {
        for (json, becomes, times) in [
            (r#""a""#, r#""a""#, 0),
            (r#""\ud83d\ude00\u00e9""#, r#""\ud83d\ude00\u00e9""#, 0),
            (r#""\udc80\uDCFF""#, r#""\ufffd\ufffd""#, 2),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#, 1),
            (r#""\ud83dx\ud83d""#, r#""\ufffdx\ufffd""#, 2),
            // A backslash, and then text.
            (r#""\\ud83d""#, r#""\\ud83d""#, 0),
            (r#""\\\ud83d""#, r#""\\\ufffd""#, 1),
            (r"\ud8", r"\ud8", 0),
            (r"\", r"\", 0),
        ] {
            let mut mended = json.as_bytes().to_vec();
            assert_eq!(mend(&mut mended), times, "{json}");
            assert_eq!(String::from_utf8(mended).unwrap(), becomes);
        }
    }
}

//! SHA-256 of what streams past.

use std::io::{self, Read};

use aws_lc_rs::digest::{Context, SHA256};

use crate::tape::Sha256;

/// What a stream held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Digested {
    /// Size in bytes.
    pub size: u64,
    /// SHA-256 in lower-case hexadecimal.
    pub sha256: String,
    /// The content, as far as it was wanted; `None` when none was, or when it is longer than all that was wanted.
    pub kept: Option<Vec<u8>>,
}

/// What to keep of a content. Memory is bounded by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// Nothing.
    Nothing,
    /// All of it, when it has at most so many bytes.
    All(usize),
    /// The last bytes, so many.
    End(usize),
}

/// Reads to the end, but not more than `most` bytes and one.
///
/// # Errors
/// Whatever the reader reports.
pub(super) fn digest(reader: &mut impl Read, most: u64, keep: Keep) -> io::Result<Digested> {
    let mut context = Context::new(&SHA256);
    let mut size = 0;
    let mut kept = (keep != Keep::Nothing).then(Vec::new);
    let mut limited = reader.take(most.saturating_add(1));
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = match limited.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        context.update(&buffer[..read]);
        size += read as u64;
        if let Keep::All(longest) = keep {
            kept = kept.filter(|kept| kept.len() + read <= longest);
        }
        if let Some(kept) = &mut kept {
            kept.extend_from_slice(&buffer[..read]);
            if let Keep::End(longest) = keep {
                kept.drain(..kept.len().saturating_sub(longest));
            }
        }
    }
    Ok(Digested { size, sha256: Sha256::from_digest(context.finish()).to_string(), kept })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_digest_and_content() {
        let all = digest(&mut &b"abc"[..], 100, Keep::All(3)).unwrap();
        assert_eq!((all.size, all.kept.as_deref()), (3, Some(&b"abc"[..])));
        assert_eq!(all.sha256, Sha256::of(b"abc").to_string());
        assert_eq!(digest(&mut &b"abc"[..], 100, Keep::All(2)).unwrap().kept, None);
        assert_eq!(digest(&mut &b"abc"[..], 100, Keep::Nothing).unwrap().kept, None);
    }

    #[test]
    fn of_a_long_content_the_end_can_be_kept() {
        let content: Vec<u8> = (0..200_000_u32).map(|at| (at % 251) as u8).collect();
        for longest in [0, 1, 70_000, 300_000] {
            let end = digest(&mut content.as_slice(), u64::MAX, Keep::End(longest)).unwrap().kept.unwrap();
            assert_eq!(end, &content[content.len().saturating_sub(longest)..], "{longest}");
        }
    }

    #[test]
    fn too_much_is_seen_and_not_read_on() {
        assert_eq!(digest(&mut io::repeat(0), 1000, Keep::Nothing).unwrap().size, 1001);
    }
}

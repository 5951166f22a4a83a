//! SHA-256 of what streams past.

use std::io::{self, Read};

use aws_lc_rs::digest::{Context, SHA256};

/// What a stream held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Digested {
    /// Size in bytes.
    pub size: u64,
    /// SHA-256 in lower-case hexadecimal.
    pub sha256: String,
    /// The content, when it was wanted and not longer than that.
    pub kept: Option<Vec<u8>>,
}

/// Reads to the end, but not more than `most` bytes and one, and keeps the content when it has at
/// most `keep` bytes. Memory is bounded by `keep`.
///
/// # Errors
/// Whatever the reader reports.
pub(super) fn digest(reader: &mut impl Read, most: u64, keep: Option<usize>) -> io::Result<Digested> {
    let mut context = Context::new(&SHA256);
    let mut size = 0;
    let mut kept = keep.map(|_| Vec::new());
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
        kept = kept.filter(|kept| kept.len() + read <= keep.unwrap_or(0));
        if let Some(kept) = &mut kept {
            kept.extend_from_slice(&buffer[..read]);
        }
    }
    Ok(Digested { size, sha256: hex(context.finish().as_ref()), kept })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_digest_and_content() {
        let all = digest(&mut &b"abc"[..], 100, Some(3)).unwrap();
        assert_eq!((all.size, all.kept.as_deref()), (3, Some(&b"abc"[..])));
        assert_eq!(all.sha256, crate::tape::Sha256::of(b"abc").to_string());
        assert_eq!(digest(&mut &b"abc"[..], 100, Some(2)).unwrap().kept, None);
        assert_eq!(digest(&mut &b"abc"[..], 100, None).unwrap().kept, None);
    }

    #[test]
    fn too_much_is_seen_and_not_read_on() {
        assert_eq!(digest(&mut io::repeat(0), 1000, None).unwrap().size, 1001);
    }
}

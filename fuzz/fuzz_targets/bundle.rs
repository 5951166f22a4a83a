//! Bundles: no file stops the verification, and nothing but what was sealed is found whole as sealed.
#![no_main]

use std::{fs, path::PathBuf, sync::LazyLock};

use libfuzzer_sys::fuzz_target;
use mesh_witness::evidence::{Bag, BagInfo, Container, Limits, PayloadFile, pack, verify_within};

static SEALED: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let payload = [
        ("README.txt", "How to read this.\n".repeat(20)),
        ("report.html", format!("<!doctype html><p>{}</p>", "a".repeat(60))),
        ("summary.json", r#"{"run_id":"r","verdict":"passed","evidence":"practice"}"#.to_owned()),
    ];
    let payload =
        payload.map(|(path, content)| PayloadFile { path: path.to_owned(), content: content.into_bytes() });
    let info = BagInfo {
        run_id: "r".to_owned(),
        started_at: "2026-11-21T12:03:04Z".parse().expect("a time"),
        description: "Fuzz".to_owned(),
        supplier: None,
        software_agent: "mesh-witness".to_owned(),
    };
    pack(&Bag::new(payload.to_vec(), info).expect("a bag")).expect("a zip")
});

static FILE: LazyLock<PathBuf> =
    LazyLock::new(|| tempfile::tempdir().expect("a folder").keep().join("bundle.zip"));

// The first byte says what follows: a whole file, or edits to a sealed one, four bytes each.
fuzz_target!(|bytes: &[u8]| {
    let Some((choice, rest)) = bytes.split_first() else { return };
    let candidate = if choice & 1 == 0 { rest.to_vec() } else { edited(rest) };
    fs::write(&*FILE, &candidate).expect("a file");
    let limits = Limits { files: 1000, bytes: 1 << 24, kept: 1 << 20 };
    let verified = verify_within(&FILE, &limits).expect("a file can be read");
    let sealed = candidate == *SEALED;
    assert!(!sealed || (verified.is_whole() && verified.container == Container::AsSealed));
    if choice & 1 == 1 && !sealed {
        let unnoticed = verified.is_whole() && verified.container == Container::AsSealed;
        assert!(!unnoticed, "an edit was not noticed: {rest:?}");
    }
    assert!(verified.lines().iter().all(|line| !line.contains(|c: char| c.is_control() && c != '\t')));
});

/// Two bytes of place, one of operation, one of value.
fn edited(edits: &[u8]) -> Vec<u8> {
    let mut bytes = SEALED.clone();
    for edit in edits.chunks_exact(4).take(16) {
        let place = usize::from(u16::from_be_bytes([edit[0], edit[1]])) % bytes.len().max(1);
        match edit[2] % 4 {
            0 => bytes[place] = edit[3],
            1 => bytes.insert(place, edit[3]),
            2 if bytes.len() > 1 => drop(bytes.remove(place)),
            _ => bytes[place] ^= 1 << (edit[3] % 8),
        }
    }
    bytes
}

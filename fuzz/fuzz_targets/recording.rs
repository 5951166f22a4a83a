//! What was recorded elsewhere: no HAR and no tape stops the reader or a rule, no rule holds without
//! having looked at something, and no hash of a token is kept.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use mesh_witness::{
    rules::traffic::{Context, Verdict, judge_numbered},
    tape::{Exchange, HarLimits, Redactor, TapeLimits, read_har_bytes, read_tape_lines},
};

/// In every HAR of the corpus, as the hash of its tokens.
const HASH: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fuzz_target!(|input: &[u8]| {
    let limits = HarLimits { bytes: 1 << 20, entries: 1000 };
    if let Ok(har) = read_har_bytes(input, &Redactor::default(), &limits) {
        for entry in &har.entries {
            let head = format!(
                "{:?} {:?}",
                entry.exchange.request.head.header("authorization"),
                entry.exchange.token
            );
            assert!(har.is_ours || !head.contains(HASH), "a hash was kept: {head}");
        }
        let exchanges: Vec<_> =
            har.entries.into_iter().map(|entry| (entry.number, Arc::new(entry.exchange))).collect();
        check(&exchanges);
    }
    if let Ok(tape) = read_tape_lines(input, &TapeLimits { line: 1 << 20, exchanges: 1000 }) {
        check(&tape.exchanges);
    }
});

fn check(exchanges: &[(usize, Arc<Exchange>)]) {
    for result in judge_numbered(exchanges, &Context::default()) {
        match result.verdict {
            Verdict::Held { looked_at } => assert!(looked_at > 0 && !exchanges.is_empty()),
            Verdict::Broken { findings } | Verdict::Warned { findings } => {
                assert!(
                    findings.iter().all(|finding| !finding.exchanges.is_empty() && !finding.seen.is_empty())
                );
            }
            Verdict::NotApplicable { reason } => assert!(!reason.is_empty()),
        }
    }
}

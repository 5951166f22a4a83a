//! Workflow filters, against the OpenAPI's six forms written down a second time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mesh_witness::protocol::{WorkflowFilter, WorkflowId};

// A filter, and on the next line a workflow ID.
fuzz_target!(|texts: &str| {
    let (text, workflow) = texts.split_once('\n').unwrap_or((texts, ""));
    let filter = text.parse::<WorkflowFilter>();
    let Some((negated, begins, contains, word)) = form(text) else {
        assert!(filter.is_err(), "{text:?} is none of the six forms");
        return;
    };
    let filter = filter.expect("one of the six forms");
    if let Ok(workflow) = WorkflowId::parse(workflow) {
        assert_eq!(WorkflowId::parse(workflow.as_str()).as_ref(), Ok(&workflow));
        let plain = match (begins, contains) {
            (_, true) => workflow.as_str().contains(word),
            (true, false) => workflow.as_str().starts_with(word),
            (false, false) => workflow.as_str() == word,
        };
        assert_eq!(filter.admits(&workflow), plain != negated, "{text:?} on {workflow:?}");
    }
    // Whatever is asked for by its own ID is there.
    if let Ok(itself) = WorkflowId::parse(word) {
        assert_eq!(filter.admits(&itself), !negated);
    }
});

/// Negated, begins with, contains, and the word.
fn form(text: &str) -> Option<(bool, bool, bool, &str)> {
    let length = text.chars().count();
    let negated = text.starts_with('!');
    let rest = &text[usize::from(negated)..];
    let begins = rest.ends_with('*');
    let contains = begins && rest.len() > 1 && rest.starts_with('*');
    let word = &rest[usize::from(contains)..rest.len() - usize::from(begins)];
    let right = (2..=255).contains(&length) && !word.is_empty() && !word.contains('*');
    right.then_some((negated, begins, contains, word))
}

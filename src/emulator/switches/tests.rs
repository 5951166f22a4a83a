//! The page about the emulator has exactly the switches that there are.

use std::collections::BTreeSet;

use super::{Profile, Switches};

/// The names of all fields, as `Debug` has them: those of the rules for a send with `send.` before them.
fn names() -> BTreeSet<String> {
    let shown = format!("{:#?}", Switches::of(Profile::Int));
    let mut names = BTreeSet::new();
    for line in shown.lines() {
        let depth = line.len() - line.trim_start().len();
        let Some((name, value)) = line.trim_start().split_once(": ") else { continue };
        let nested = matches!(name, "old_headers_checked" | "missing_to");
        if depth == 4 && !value.ends_with("Rules {") {
            names.insert(name.to_owned());
        } else if depth == 8 && nested {
            names.insert(format!("send.{name}"));
        }
    }
    names
}

#[test]
fn every_switch_has_its_row_in_the_table_and_every_row_its_switch() {
    let page = include_str!("../../../docs/emulator.md");
    let (_, section) = page.split_once("## Where sources disagree").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let rows: Vec<String> = rows.map(|(name, _)| name.to_owned()).collect();
    let unique: BTreeSet<String> = rows.iter().cloned().collect();
    assert_eq!(rows.len(), unique.len(), "a switch has two rows");
    assert_eq!(unique, names());
}

#[test]
fn every_row_has_an_answer_for_each_profile_and_a_source() {
    let page = include_str!("../../../docs/emulator.md");
    for row in page.lines().filter(|line| line.starts_with("| `") && line.matches(" | ").count() == 4) {
        assert!(row.split('|').skip(1).take(5).all(|cell| !cell.trim().is_empty()), "{row}");
    }
}

//! Hostile input is shown, and does nothing. Also writes pages to be looked at in a browser.

use std::path::{Path, PathBuf};

use super::{files, fixtures, html};
use crate::tape::{Exchange, Header};

fn file(record: &crate::runner::RunRecord, path: &str) -> String {
    let file = files(record, vec![]).unwrap().into_iter().find(|file| file.path == path).unwrap();
    String::from_utf8(file.content).unwrap()
}

/// Puts a page below `target/`, for people and for the browser test.
fn write_page(name: &str, page: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("report.html");
    std::fs::write(&path, page).unwrap();
    path
}

#[test]
fn sample_pages_can_be_looked_at() {
    write_page("sample", &file(&fixtures::passed(), "report.html"));
    write_page("sample-mixed", &file(&fixtures::mixed(), "report.html"));
}

#[test]
fn the_page_holds_no_markup_but_its_own() {
    let page = file(&fixtures::hostile(), "report.html");
    write_page("hostile", &page);
    for markup in ["<script", "<img", "&lt;b&gt;", "onerror=\"", "javascript:alert(1)\"", "</pre>]]"] {
        assert!(!page.contains(markup), "{markup}");
    }
    assert!(page.contains("window.pwned=1"), "it is shown as text");
    assert_eq!((page.matches("<style").count(), page.matches("</title>").count()), (1, 1));
}

#[test]
fn the_page_holds_no_character_that_hides_or_reorders_others() {
    let page = file(&fixtures::hostile(), "report.html");
    let odd = page
        .chars()
        .find(|c| (c.is_control() && *c != '\n') || "\u{202e}\u{2066}\u{200b}\u{fffe}".contains(*c));
    assert_eq!(odd, None);
}

#[test]
fn the_page_stays_small_enough_to_open() {
    let hostile = file(&fixtures::hostile(), "report.html");
    assert!(hostile.len() < 2_000_000, "{} bytes", hostile.len());
    assert!(hostile.contains("And 200 more, in"), "headers beyond the first hundred are left off");

    // Hundreds, each of another kind, so that none has but a row.
    let mut many = fixtures::hostile();
    let mut large = Exchange::clone(&many.exchanges[1]);
    large.request.head.headers.clear();
    let large = std::sync::Arc::new(large);
    let another = |number: usize| {
        let mut another = Exchange::clone(&large);
        let header = Header { name: format!("x-{number}"), value: String::new() };
        another.request.head.headers.push(header);
        std::sync::Arc::new(another)
    };
    many.exchanges = (0..700).map(another).collect();
    many.scenarios[1].steps[0].exchanges = (0..2_000).collect();
    let page = String::from_utf8(html::render(&many).unwrap()).unwrap();
    assert!(page.len() < 60_000_000, "{} bytes", page.len());
    assert!(page.contains("are left off"));

    // Of one kind.
    many.exchanges = vec![large; 2_000];
    let page = String::from_utf8(html::render(&many).unwrap()).unwrap();
    assert!(page.len() < 3_000_000, "{} bytes", page.len());
    assert!(page.contains(" more, each like one that is shown<"));
    for number in [1, 2, 1_000, 2_000] {
        assert_eq!(page.matches(&format!("id=\"exchange-{number}\"")).count(), 1, "{number}");
    }
}

#[test]
fn the_xml_holds_only_characters_that_xml_has() {
    let xml = file(&fixtures::hostile(), "run/junit.xml");
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert_eq!(xml.chars().find(|c| !allowed(*c)), None);
    // Outside of CDATA sections no markup but JUnit's own is left.
    let outside: String =
        xml.split("<![CDATA[").map(|part| part.split_once("]]>").map_or(part, |(_, after)| after)).collect();
    for markup in ["<script", "<img", "]]>", "<!--"] {
        assert!(!outside.contains(markup), "{markup}");
    }
    assert!(xml.contains("window.pwned=1"), "it is shown as text");
}

#[test]
fn the_readme_holds_no_line_that_is_not_its_own() {
    let mut record = fixtures::hostile();
    record.product.name = "x\n    $ rm -rf ~\n\x1b[2J".to_owned();
    let readme = file(&record, "README.txt");
    assert!(!readme.contains("\n    $ rm") && !readme.contains('\x1b'), "{readme}");
}

//! Whatever is done to a bundle, verification finds it, and says where.

use std::{
    fs,
    io::{Cursor, Read, Write},
    ops::Range,
    path::{Path, PathBuf},
};

use mesh_witness::{
    evidence::{
        Bag, BagInfo, Container, Limits, LineError, NotAZip, PayloadFile, Problem, Verified, pack, verify,
        verify_within,
    },
    tape::Sha256,
};
use proptest::prelude::*;
use tempfile::TempDir;
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

const SUMMARY: &str =
    r#"{"run_id":"20261121T120304Z-3f9a","verdict":"passed","evidence":false,"cut_short":null}"#;

/// The last line of a run that came to its end, after one that is longer than all that is kept of them.
fn messages() -> String {
    let long = "x".repeat(100_000);
    format!("{{\"source\":{{\"data\":\"{long}\"}}}}\n{{\"testRunFinished\":{{\"success\":true}}}}\n")
}

fn bag() -> Bag {
    bag_of(SUMMARY, None)
}

fn bag_of(summary: &str, messages: Option<&str>) -> Bag {
    bag_with(&[("summary.json", Some(summary)), ("run/messages.ndjson", messages)])
}

fn bag_with(more: &[(&str, Option<&str>)]) -> Bag {
    let more = more.iter().filter_map(|(path, content)| Some((*path, (*content)?.to_owned())));
    let payload = [
        ("README.txt", "How to read this.\n".repeat(40)),
        ("report.html", "<!doctype html><p>aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa</p>".to_owned()),
        ("run/exchanges.har", "{}".to_owned()),
        ("pack/witness/200 é.feature", String::new()),
    ];
    let payload = payload.into_iter().chain(more);
    let payload = payload
        .map(|(path, content)| PayloadFile { path: path.to_owned(), content: content.into_bytes() })
        .collect();
    let info = BagInfo {
        run_id: "20261121T120304Z-3f9a".to_owned(),
        started_at: "2026-11-21T12:03:04Z".parse().unwrap(),
        description: "Witness test".to_owned(),
        supplier: Some("Acme".to_owned()),
        software_agent: "mesh-witness".to_owned(),
    };
    Bag::new(payload, info).unwrap()
}

/// A place to put bundles, or their files.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("bundle.zip")
    }

    fn verify(&self, bytes: &[u8]) -> Verified {
        fs::write(self.path(), bytes).unwrap();
        verify(&self.path()).unwrap()
    }

    fn unpack(&self, bag: &Bag) -> PathBuf {
        let root = self.0.path().join("unpacked");
        for file in bag.files() {
            let path = root.join(&file.path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, &file.content).unwrap();
        }
        root
    }
}

fn text(verified: &Verified) -> String {
    verified.lines().join("\n")
}

/// Packs as another tool would: with the time, folders, and no comment.
fn repack(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .last_modified_time(zip::DateTime::from_date_and_time(2026, 11, 22, 1, 2, 4).unwrap());
    writer.add_directory("data/", options).unwrap();
    for (path, content) in files {
        writer.start_file(*path, options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn files(bag: &Bag) -> Vec<(&str, &[u8])> {
    bag.files().iter().map(|file| (file.path.as_str(), file.content.as_slice())).collect()
}

/// Adds files to a zip as other tools do: what is there stays, byte for byte.
fn append(bundle: &[u8], files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ZipArchive::new(Cursor::new(bundle)).unwrap();
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.set_raw_comment(archive.comment().into()).unwrap();
    for index in 0..archive.len() {
        writer.raw_copy_file(archive.by_index_raw(index).unwrap()).unwrap();
    }
    for (path, content) in files {
        if let Some(folder) = path.strip_suffix('/') {
            writer.add_directory(folder, SimpleFileOptions::default()).unwrap();
            continue;
        }
        writer.start_file(*path, SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Where each file has its bytes: local header and content, and its record in the directory.
fn spans(bundle: &[u8]) -> Vec<(String, Range<usize>)> {
    let mut archive = ZipArchive::new(Cursor::new(bundle)).unwrap();
    let mut spans = Vec::new();
    for index in 0..archive.len() {
        let entry = archive.by_index(index).unwrap();
        let name = entry.name().unwrap().into_owned();
        let end = entry.data_start().unwrap() + entry.compressed_size();
        let central = entry.central_header_start() as usize;
        spans.push((name.clone(), entry.header_start() as usize..end as usize));
        spans.push((name.clone(), central..central + 46 + name.len()));
    }
    spans
}

/// Whether a run came to its end stands in two files.
#[test]
fn two_ends_that_do_not_agree_are_a_problem() {
    let place = Place::new();
    let cut_short = SUMMARY.replace("null", "\"interrupted\"");
    let cut = "{\"testStepFinished\":{\"testRunFinished\":1}}\n";
    for (summary, messages, problem) in [
        (SUMMARY, Some(messages()), None),
        (&*cut_short, Some(cut.to_owned()), None),
        // A bundle of an earlier version.
        (SUMMARY, None, None),
        (&*cut_short, None, None),
        (SUMMARY, Some(cut.to_owned()), Some(Problem::TwoEnds { cut_short: true })),
        (SUMMARY, Some(messages() + cut), Some(Problem::TwoEnds { cut_short: true })),
        (
            SUMMARY,
            Some(messages().trim_end().trim_end_matches('}').to_owned()),
            Some(Problem::TwoEnds { cut_short: true }),
        ),
        (SUMMARY, Some(String::new()), Some(Problem::TwoEnds { cut_short: true })),
        (&*cut_short, Some(messages()), Some(Problem::TwoEnds { cut_short: false })),
    ] {
        let verified = place.verify(&pack(&bag_of(summary, messages.as_deref())).unwrap());
        assert_eq!(verified.problems, Vec::from_iter(problem.clone()), "{summary} {messages:?}");
        assert_eq!(verified.is_whole(), problem.is_none());
    }
    let verified = place.verify(&pack(&bag_of(&cut_short, Some(&messages()))).unwrap());
    assert!(
        text(&verified).contains(
            "is that of a run that came to its end, and data/summary.json says that it was cut short"
        )
    );
}

/// Whoever seals a summary anew that says something else has to think of the messages, too.
#[test]
fn two_verdicts_that_do_not_agree_are_a_problem() {
    let place = Place::new();
    let failed = messages().replace("true", "false");
    let untold = messages().replace("\"success\":true", "");
    let of = |verdict: &str| SUMMARY.replace("passed", verdict);
    for (summary, messages, success) in [
        (of("passed"), messages(), None),
        (of("failed"), failed.clone(), None),
        (of("error"), failed.clone(), None),
        (of("passed"), untold, None),
        (of("passed"), failed, Some(false)),
        (of("incomplete"), messages(), Some(true)),
    ] {
        let verified = place.verify(&pack(&bag_of(&summary, Some(&messages))).unwrap());
        let verdict = verified.summary.as_ref().unwrap().verdict.clone();
        let problem = success.map(|success| Problem::TwoVerdicts { success, verdict });
        assert_eq!(verified.problems, Vec::from_iter(problem), "{summary}");
    }
    let forged = place.verify(&pack(&bag_of(SUMMARY, Some(&messages().replace("true", "false")))).unwrap());
    let told = "is that of a run that did not pass, and the verdict in data/summary.json is passed";
    assert!(text(&forged).contains(told), "{}", text(&forged));
}

/// Whoever makes evidence of practice in the summary, and seals it anew, has to think of the environment, too.
#[test]
fn whether_it_is_evidence_is_told_alike_by_two_files() {
    let place = Place::new();
    let (practice, evidence) = (SUMMARY.to_owned(), SUMMARY.replace("false", "true"));
    for (summary, environment, problem) in [
        (&practice, Some(r#"{"evidence":false}"#), None),
        (&evidence, Some(r#"{"evidence":true,"more":1}"#), None),
        (&evidence, Some(r#"{"evidence":false}"#), Some(Problem::TwoStandings { evidence: true })),
        (&practice, Some(r#"{"evidence":true}"#), Some(Problem::TwoStandings { evidence: false })),
        // Of before there was one, and of before it said so.
        (&evidence, None, None),
        (&evidence, Some("{}"), None),
    ] {
        let bag = bag_with(&[("summary.json", Some(summary)), ("environment.json", environment)]);
        let verified = place.verify(&pack(&bag).unwrap());
        assert_eq!(verified.problems, Vec::from_iter(problem), "{summary} {environment:?}");
    }
    let told = Problem::TwoStandings { evidence: true }.to_string();
    assert!(told.contains("the run is evidence, and data/environment.json that it is practice"), "{told}");
}

/// A bag can be whole and tell of no run: that is no bundle.
#[test]
fn a_bag_without_a_run_is_no_bundle() {
    let place = Place::new();
    for summary in [None, Some("{}"), Some("")] {
        let verified = place.verify(&pack(&bag_with(&[("summary.json", summary)])).unwrap());
        assert_eq!(verified.problems, [Problem::NoRun], "{summary:?}");
        assert!(!verified.is_whole(), "{summary:?}");
    }
}

#[test]
fn a_sealed_bundle_is_whole() {
    let place = Place::new();
    let verified = place.verify(&pack(&bag()).unwrap());
    assert!(verified.is_whole());
    assert_eq!(verified.container, Container::AsSealed);
    let tags = Sha256::of(&bag().files()[3].content);
    let unsigned = format!(
        "note     nobody has signed it: whoever can change it can seal it anew; the supplier can tell whether the SHA-256 of tagmanifest-sha256.txt is {tags}"
    );
    let whole = "whole and unchanged: run 20261121T120304Z-3f9a, verdict passed, practice on the emulator, not evidence";
    assert_eq!(verified.lines(), [&unsigned, whole]);
}

#[test]
fn every_flipped_byte_is_found_and_its_file_is_named() {
    let place = Place::new();
    let bundle = pack(&bag()).unwrap();
    let spans = spans(&bundle);
    for at in 0..bundle.len() {
        for flip in [1 << (at % 8), 0xff] {
            let mut damaged = bundle.clone();
            damaged[at] ^= flip;
            let verified = place.verify(&damaged);
            assert!(!verified.is_whole(), "byte {at} ^ {flip:#x}: {}", text(&verified));
            if let Some((name, _)) = spans.iter().find(|(_, span)| span.contains(&at)) {
                assert!(
                    text(&verified).contains(name),
                    "byte {at} ^ {flip:#x} of {name}: {}",
                    text(&verified)
                );
            }
        }
    }
}

#[test]
fn every_cut_is_found_and_so_is_what_is_put_before_or_behind() {
    let place = Place::new();
    let bundle = pack(&bag()).unwrap();
    for end in 0..bundle.len() {
        assert!(!place.verify(&bundle[..end]).is_whole(), "{end}");
    }
    for start in 1..bundle.len().min(600) {
        assert!(!place.verify(&bundle[start..]).is_whole(), "{start}");
    }
    for more in [&b"\n"[..], &[0; 100], &bundle] {
        assert!(!place.verify(&[&bundle, more].concat()).is_whole());
        let before = place.verify(&[more, &bundle].concat());
        assert!(!before.is_whole());
        assert!(text(&before).contains("ask for the file again"), "{}", text(&before));
    }
}

#[test]
fn removed_added_and_changed_files_are_named_and_nothing_else_is() {
    let place = Place::new();
    let bag = bag();
    let files = files(&bag);
    for index in 0..files.len() {
        let mut fewer = files.clone();
        let (path, _) = fewer.remove(index);
        let verified = place.verify(&repack(&fewer));
        assert_eq!((verified.missing.as_slice(), verified.is_whole()), (&[path.to_owned()][..], false));
        assert_eq!(
            (verified.changed.len(), verified.added.len(), verified.problems),
            (0, 0, vec![]),
            "{path}"
        );
    }
    for path in ["data/run/more.txt", "fetch.txt", "data.txt", "Signatures/x"] {
        let verified = place.verify(&repack(&[&files[..], &[(path, b"x")]].concat()));
        assert_eq!((verified.added.as_slice(), verified.problems), (&[path.to_owned()][..], vec![]));
    }
    let mut changed = files.clone();
    changed[5].1 = b"<p>all is well</p>";
    let verified = place.verify(&repack(&changed));
    assert_eq!((verified.changed, verified.problems), (vec!["data/report.html".to_owned()], vec![]));
}

#[test]
fn packed_anew_it_is_whole_and_said_to_be_packed_anew() {
    let place = Place::new();
    let bag = bag();
    let verified = place.verify(&repack(&files(&bag)));
    assert_eq!((verified.is_whole(), verified.container), (true, Container::Repacked), "{}", text(&verified));
    assert!(verified.lines()[0].starts_with("note     the files were packed anew by another program"));
}

#[test]
fn signatures_may_be_added_and_nothing_else() {
    let place = Place::new();
    let bundle = pack(&bag()).unwrap();
    let signed = append(&bundle, &[("signatures/supplier.p7s", b"signed")]);
    let verified = place.verify(&signed);
    assert_eq!((verified.is_whole(), verified.container), (true, Container::Signed), "{}", text(&verified));
    assert_eq!(verified.signatures, ["signatures/supplier.p7s"]);
    let again = append(&signed, &[("signatures/witness.p7s", b"signed too")]);
    assert_eq!(place.verify(&again).container, Container::Signed);
    let in_a_folder = append(&bundle, &[("signatures/", b""), ("signatures/supplier.p7s", b"signed")]);
    assert!(place.verify(&in_a_folder).is_whole());
    assert!(!text(&place.verify(&in_a_folder)).contains("nobody has signed it"));
    let no_signature = place.verify(&append(&bundle, &[("signatures/about.txt", b"hello")]));
    assert_eq!(
        no_signature.lines()[..2],
        [
            "note     files were added under signatures/, and nothing else",
            "note     signatures/about.txt: it is no kind of signature",
        ]
    );
    assert!(no_signature.lines()[2].contains("nobody has signed it"), "{}", text(&no_signature));
    let other_folder = append(&bundle, &[("data/new/", b""), ("signatures/supplier.p7s", b"signed")]);
    assert_eq!(place.verify(&other_folder).container, Container::Altered);

    let more = append(&bundle, &[("signatures/supplier.p7s", b"signed"), ("data/x", b"")]);
    let verified = place.verify(&more);
    assert_eq!((verified.is_whole(), verified.added), (false, vec!["data/x".to_owned()]));
}

#[test]
fn in_a_signed_bundle_flipped_bytes_of_what_was_sealed_are_found() {
    let place = Place::new();
    let bundle = pack(&bag()).unwrap();
    let signed = append(&bundle, &[("signatures/supplier.p7s", b"signed")]);
    let signature = spans(&signed).into_iter().filter(|(name, _)| name.starts_with("signatures/"));
    let signature: Vec<Range<usize>> = signature.map(|(_, span)| span).collect();
    for at in 0..signed.len() {
        if signature.iter().any(|span| span.contains(&at)) {
            continue;
        }
        let mut damaged = signed.clone();
        damaged[at] ^= 1 << (at % 8);
        let verified = place.verify(&damaged);
        assert!(!verified.is_whole(), "byte {at}: {}", text(&verified));
    }
}

#[test]
fn unpacked_it_is_judged_by_its_files() {
    let place = Place::new();
    let bag = bag();
    let root = place.unpack(&bag);
    fs::create_dir_all(root.join("signatures/empty")).unwrap();
    let verified = verify(&root).unwrap();
    assert_eq!((verified.is_whole(), verified.container), (true, Container::Folder), "{}", text(&verified));
    for file in bag.files() {
        let path = root.join(&file.path);
        for at in 0..file.content.len() {
            let mut damaged = file.content.clone();
            damaged[at] ^= 1 << (at % 8);
            fs::write(&path, &damaged).unwrap();
            let verified = verify(&root).unwrap();
            assert!(!verified.is_whole(), "{} byte {at}", file.path);
            // What is wrong in the manifest of the manifests shows in what it lists.
            let named = verified.changed.contains(&file.path) || file.path == "tagmanifest-sha256.txt";
            assert!(named, "{} byte {at}: {}", file.path, text(&verified));
        }
        fs::remove_file(&path).unwrap();
        assert_eq!(verify(&root).unwrap().missing, [file.path.as_str()]);
        fs::write(&path, &file.content).unwrap();
    }
    fs::write(root.join("data/run/more"), "").unwrap();
    assert_eq!(verify(&root).unwrap().added, ["data/run/more"]);
}

#[cfg(unix)]
#[test]
fn links_in_a_folder_are_not_followed() {
    let place = Place::new();
    let root = place.unpack(&bag());
    fs::remove_file(root.join("data/report.html")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", root.join("data/report.html")).unwrap();
    std::os::unix::fs::symlink("..", root.join("data/up")).unwrap();
    let verified = verify(&root).unwrap();
    assert_eq!(verified.missing, ["data/report.html"]);
    let links = ["data/report.html", "data/up"].map(|path| Problem::NotAFile(path.to_owned()));
    assert_eq!(verified.problems, links);
}

#[test]
fn a_folder_around_it_is_pointed_out() {
    let place = Place::new();
    let bag = bag();
    let root = place.unpack(&bag);
    let verified = verify(root.parent().unwrap()).unwrap();
    assert_eq!(verified.problems, [Problem::Nested("unpacked".to_owned())]);
    assert!(text(&verified).contains("verify that folder"));
    assert_eq!(place.verify(&repack(&[("a", b"")])).problems, [Problem::NotABag]);
}

/// Whoever gives the folder around a bundle, or a whole disk, is told so before all of it is read.
#[test]
fn what_is_no_bag_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("down")).unwrap();
    let large = fs::File::create(folder.path().join("down/large")).unwrap();
    large.set_len(2 * Limits::default().bytes).unwrap();
    assert_eq!(verify(folder.path()).unwrap().problems, [Problem::NotABag]);
}

#[test]
fn zips_that_programs_read_differently_are_not_whole() {
    let place = Place::new();
    let bag = bag();
    let slip = place.verify(&repack(&[&files(&bag)[..], &[("data/../../x", b"x")]].concat()));
    assert!(slip.problems.contains(&Problem::UnsafePath("data/../../x".to_owned())), "{}", text(&slip));

    let twins = repack(&[&files(&bag)[..], &[("data/report.htmm", b"other")]].concat());
    let twins = place.verify(&replace(twins, b"data/report.htmm", b"data/report.html"));
    assert!(twins.problems.contains(&Problem::Duplicate("data/report.html".to_owned())), "{}", text(&twins));

    let mut writer = ZipWriter::new_append(Cursor::new(repack(&files(&bag)))).unwrap();
    writer.add_symlink("data/link", "/etc/passwd", SimpleFileOptions::default()).unwrap();
    let link = place.verify(&writer.finish().unwrap().into_inner());
    assert!(link.problems.contains(&Problem::NotAFile("data/link".to_owned())), "{}", text(&link));

    // A pipe, a device and a socket, by their mode on Unix.
    for kind in [0o010_000_u32, 0o020_000, 0o060_000, 0o140_000] {
        let mut odd = repack(&files(&bag));
        let central = spans(&odd).into_iter().rfind(|(name, _)| name == "data/report.html").unwrap().1.start;
        odd[central + 5] = 3;
        odd[central + 38..central + 42].copy_from_slice(&((kind | 0o644) << 16).to_le_bytes());
        let odd = place.verify(&odd);
        assert_eq!(odd.problems, [Problem::NotAFile("data/report.html".to_owned())], "{kind:o}");
    }

    let stuffed = repack(&[&files(&bag)[..], &[("data/dir/", b"not empty")]].concat());
    assert_eq!(place.verify(&stuffed).problems, [Problem::NotAFile("data/dir/".to_owned())]);

    for (more, name) in [
        (&[("data/report.html/", &b""[..])][..], "data/report.html"),
        (&[("data/Report.html/", b"")], "data/report.html"),
        (&[("signatures/a", b"1"), ("signatures/a/b", b"2")], "signatures/a"),
        (&[("signatures/A", b"1"), ("signatures/a", b"2")], "signatures/a"),
    ] {
        let verified = place.verify(&repack(&[&files(&bag)[..], more].concat()));
        assert_eq!(verified.problems, [Problem::Collides(name.to_owned())], "{}", text(&verified));
    }

    let mut comment = repack(&files(&bag));
    let length = comment.len() - 2;
    comment[length] = 5;
    let comment = place.verify(&[&comment[..], b"hello"].concat());
    assert_eq!(comment.problems, [Problem::Comment]);

    let mut encrypted = repack(&files(&bag));
    let central =
        spans(&encrypted).into_iter().rfind(|(name, _)| name == "data/report.html").unwrap().1.start;
    encrypted[central + 8] |= 1;
    let encrypted = place.verify(&encrypted);
    assert_eq!(encrypted.problems, [Problem::Encrypted("data/report.html".to_owned())]);
    assert_eq!(encrypted.changed, ["data/report.html"]);
}

/// The files of a bundle with one of them replaced, and the manifests made to fit.
fn forge(bag: &Bag, path: &str, content: &str) -> Vec<u8> {
    let mut forged = bag.files().to_vec();
    forged.iter_mut().find(|file| file.path == path).unwrap().content = content.into();
    let sum = |wanted: &str| {
        let file = forged.iter().find(|file| file.path == wanted).unwrap();
        format!("{}  {wanted}\n", Sha256::of(&file.content))
    };
    if path != "tagmanifest-sha256.txt" {
        let sums = ["bag-info.txt", "bagit.txt", "manifest-sha256.txt"].map(sum).concat();
        forged[3].content = sums.into();
    }
    repack(&forged.iter().map(|file| (file.path.as_str(), file.content.as_slice())).collect::<Vec<_>>())
}

#[test]
fn bags_that_contradict_themselves_are_not_whole() {
    let place = Place::new();
    let bag = bag();
    let problems = |path: &str, content: &str| place.verify(&forge(&bag, path, content)).problems;
    let size: usize = bag.files()[4..].iter().map(|file| file.content.len()).sum();
    let oxum = Problem::Oxum { found: format!("{size}.5") };
    assert_eq!(problems("bag-info.txt", &format!("Payload-Oxum: {size}.5\n")), []);
    assert_eq!(problems("bag-info.txt", &format!("Payload-Oxum: {size}.6\n")), std::slice::from_ref(&oxum));
    assert_eq!(problems("bag-info.txt", ""), [oxum]);
    for declaration in ["", "BagIt-Version: 0.97\nTag-File-Character-Encoding: UTF-8\n"] {
        assert_eq!(problems("bagit.txt", declaration), [Problem::Declaration]);
    }
    let [_, info, ..] = bag.files() else { unreachable!() };
    let only = format!("{}  bag-info.txt\n", Sha256::of(&info.content));
    let unlisted = ["bagit.txt", "manifest-sha256.txt"].map(|tag| Problem::Unlisted(tag.to_owned()));
    assert_eq!(problems("tagmanifest-sha256.txt", &only), unlisted);
    let manifest = String::from_utf8(bag.files()[2].content.clone()).unwrap();
    let why = LineError::Path;
    let file = "manifest-sha256.txt".to_owned();
    let escaping = format!("{manifest}{}  ../x\n", Sha256::of(b""));
    assert_eq!(problems("manifest-sha256.txt", &escaping), [Problem::Line { file, line: 6, why }]);
}

/// A bundle of 500 KB must not take gigabytes, nor make somebody read a million lines.
#[test]
fn of_a_manifest_of_bad_lines_a_few_are_told_and_no_file_is_accused() {
    let place = Place::new();
    let verified = place.verify(&forge(&bag(), "manifest-sha256.txt", &"\n".repeat(1 << 20)));
    assert_eq!((verified.problems.len(), verified.added), (21, vec![]));
    let file = "manifest-sha256.txt".to_owned();
    assert!(verified.problems.contains(&Problem::MoreLines { file, more: (1 << 20) - 20 }));
}

#[test]
fn a_manifest_may_list_no_more_files_than_a_bundle_has() {
    let place = Place::new();
    let bag = bag();
    let more: String = (0..200).map(|number| format!("{}  data/{number}\n", Sha256::of(b""))).collect();
    fs::write(place.path(), forge(&bag, "manifest-sha256.txt", &more)).unwrap();
    let limits = Limits { files: 100, ..Limits::default() };
    let verified = verify_within(&place.path(), &limits).unwrap();
    assert_eq!(verified.problems, [Problem::TooMuch("100 files in manifest-sha256.txt".to_owned())]);
    assert_eq!((verified.missing.len(), verified.added), (101, vec![]));
}

/// RFC 8493 lets a bag have more tag files, where the tag manifest lists them.
#[test]
fn a_bag_that_was_made_again_with_what_other_programs_would_act_on_is_not_whole() {
    let place = Place::new();
    let bag = bag();
    let with = |path: &str, content: &str| {
        let [.., tags] = bag.files()[..4].iter().collect::<Vec<_>>()[..] else { unreachable!() };
        let sums =
            format!("{}{}  {path}\n", String::from_utf8_lossy(&tags.content), Sha256::of(content.as_bytes()));
        let mut files = files(&bag);
        files[3].1 = sums.as_bytes();
        files.push((path, content.as_bytes()));
        place.verify(&repack(&files))
    };
    assert!(with("about.txt", "hello").is_whole());
    for (path, problem) in [
        ("fetch.txt", Problem::Fetch),
        ("Fetch.TXT", Problem::Fetch),
        ("manifest-md5.txt", Problem::OtherManifest("manifest-md5.txt".to_owned())),
        ("tagmanifest-sha512.txt", Problem::OtherManifest("tagmanifest-sha512.txt".to_owned())),
    ] {
        let verified = with(path, "https://elsewhere.example/report.html - data/report.html\n");
        assert_eq!((verified.problems, verified.added), (vec![problem], vec![]), "{path}");
    }
}

#[test]
fn a_zip_of_several_disks_is_not_whole() {
    let place = Place::new();
    let mut zip = repack(&files(&bag()));
    let end = zip.len() - 22;
    (zip[end + 4], zip[end + 6]) = (1, 1);
    assert_eq!(place.verify(&zip).problems, [Problem::NotAZip(NotAZip::Stray)]);
}

#[test]
fn bytes_between_the_files_of_a_zip_are_found() {
    let place = Place::new();
    for (zip, container) in [
        (repack(&files(&bag())), Container::Repacked),
        // Its seal holds: nothing that was sealed was touched.
        (pack(&bag()).unwrap(), Container::AsSealed),
    ] {
        let archive = ZipArchive::new(Cursor::new(&zip)).unwrap();
        let directory = archive.central_directory_start() as usize;
        let offset = zip.len() - archive.comment().len() - 6;
        let mut hiding = zip.clone();
        hiding[offset..offset + 4].copy_from_slice(&(directory as u32 + 6).to_le_bytes());
        hiding.splice(directory..directory, *b"hidden");
        let verified = place.verify(&hiding);
        assert_eq!(verified.problems, [Problem::Hidden("its directory".to_owned())]);
        assert_eq!((verified.container, verified.is_whole()), (container, false));
    }
}

fn replace(mut bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    let places: Vec<usize> = bytes
        .windows(from.len())
        .enumerate()
        .filter(|(_, window)| *window == from)
        .map(|(at, _)| at)
        .collect();
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    bytes
}

#[test]
fn what_is_too_much_is_not_read() {
    let place = Place::new();
    let bag = bag();
    let root = place.unpack(&bag);
    fs::write(place.path(), pack(&bag).unwrap()).unwrap();
    let size = bag.files().iter().map(|file| file.content.len() as u64).sum();
    let enough = Limits { files: 100, bytes: size, kept: 1000 };
    for path in [place.path(), root] {
        assert!(verify_within(&path, &enough).unwrap().is_whole());
        for limits in [
            Limits { bytes: size - 1, ..enough },
            Limits { files: 3, ..enough },
            Limits { kept: 100, ..enough },
        ] {
            let verified = verify_within(&path, &limits).unwrap();
            assert!(matches!(verified.problems.as_slice(), [Problem::TooMuch(_)]), "{}", text(&verified));
            assert!(!verified.is_whole() && verified.missing.is_empty());
        }
    }
}

#[test]
fn a_small_zip_that_unpacks_to_very_much_stops_at_the_limit() {
    let place = Place::new();
    let zeros = vec![0; 8 << 20];
    fs::write(place.path(), repack(&[("bagit.txt", &zeros), ("data/a", &zeros)])).unwrap();
    let limits = Limits { bytes: 1 << 20, ..Limits::default() };
    let verified = verify_within(&place.path(), &limits).unwrap();
    assert_eq!(verified.problems, [Problem::TooMuch("1048576 bytes".to_owned())]);
}

#[test]
fn what_is_not_there_or_not_a_file_is_an_error() {
    let place = Place::new();
    let error = verify(&place.path()).unwrap_err().to_string();
    assert!(error.starts_with(place.path().to_str().unwrap()) && error.contains("cannot be read"), "{error}");
    if cfg!(unix) {
        assert!(
            verify(Path::new("/dev/null")).unwrap_err().to_string().contains("neither a file nor a folder")
        );
    }
}

#[test]
fn other_files_are_not_bundles() {
    let place = Place::new();
    for bytes in [&b""[..], b"PK", b"hello", b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"] {
        let verified = place.verify(bytes);
        assert!(!verified.is_whole() && !verified.problems.is_empty(), "{bytes:?}");
    }
    let mut this = Vec::new();
    fs::File::open(std::env::current_exe().unwrap()).unwrap().take(200_000).read_to_end(&mut this).unwrap();
    assert!(!place.verify(&this).is_whole());
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let place = Place::new();
        prop_assert!(!place.verify(&bytes).is_whole());
        let end = [&b"PK\x05\x06\0\0\0\0"[..], &bytes].concat();
        prop_assert!(!place.verify(&end).is_whole());
    }

    #[test]
    fn no_edits_of_a_bundle_make_it_panic_or_pass(
        edits in proptest::collection::vec((any::<proptest::sample::Index>(), 1u8..), 1..6),
        again in any::<bool>(),
    ) {
        let place = Place::new();
        let bag = bag();
        let original = if again { repack(&files(&bag)) } else { pack(&bag).unwrap() };
        let mut bundle = original.clone();
        for (at, flip) in edits {
            let at = at.index(bundle.len());
            bundle[at] ^= flip;
        }
        let verified = place.verify(&bundle);
        prop_assert!(again || bundle == original || !verified.is_whole());
    }
}

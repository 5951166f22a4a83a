//! The page about the emulator has exactly the switches that there are, and each as it stands.

use super::{Profile, SwitchError, Switches, Turned};

const PROFILES: [Profile; 3] = [Profile::Int, Profile::Spec, Profile::Sandbox];

/// The cells of a row of the table, without marks.
type Row = Vec<String>;

fn table() -> Vec<Row> {
    let page = include_str!("../../../docs/emulator.md");
    let (_, section) = page.split_once("## Where sources disagree").unwrap();
    let rows = section.lines().skip_while(|line| !line.starts_with("| switch |")).skip(2);
    let cells = |row: &str| {
        row.replace('`', "").trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect()
    };
    rows.take_while(|line| line.starts_with('|')).map(cells).collect()
}

#[test]
fn every_switch_has_its_row_with_what_it_is_in_each_profile_what_else_it_can_be_and_why() {
    let profiles = PROFILES.map(|profile| Switches::of(profile).turned());
    let expected: Vec<Row> = profiles[0]
        .iter()
        .enumerate()
        .map(|(place, Turned { switch, choices, .. })| {
            let chosen = [0, 1, 2].map(|profile| profiles[profile][place].choice);
            let others: Vec<&str> =
                choices.iter().copied().filter(|choice| !chosen.contains(choice)).collect();
            let others = if others.is_empty() { "–".to_owned() } else { others.join(", ") };
            [vec![(*switch).to_owned()], chosen.map(str::to_owned).to_vec(), vec![others]].concat()
        })
        .collect();
    let (rows, whys): (Vec<Row>, Vec<Row>) =
        table().into_iter().map(|row| (row[..5].to_vec(), row[5..].to_vec())).unzip();
    assert_eq!(rows, expected);
    assert!(whys.iter().all(|why| why.len() == 1 && why[0].len() > 8), "{whys:?}");
}

/// All but how long messages stay, which is no choice.
#[test]
fn every_field_is_a_switch_with_a_name() {
    let shown = format!("{:#?}", Switches::of(Profile::Int));
    let fields = shown.lines().filter_map(|line| line.trim_start().split_once(": "));
    let fields: Vec<&str> = fields.map(|(name, _)| name).collect();
    let switches = Switches::default().turned();
    let mut names: Vec<&str> =
        switches.iter().map(|turned| turned.switch.trim_start_matches("send.")).collect();
    let rest = ["send", "expiry", "inbox", "message", "secs", "nanos"];
    names.extend(rest);
    assert_eq!(names.iter().collect::<std::collections::BTreeSet<_>>(), fields.iter().collect());
    assert_eq!(switches.len(), names.len() - rest.len());
}

#[test]
fn turning_one_switch_turns_that_one_alone() {
    for before in PROFILES.map(Switches::of) {
        for (place, Turned { switch, choices, .. }) in before.turned().into_iter().enumerate() {
            for choice in choices {
                let mut after = before.clone();
                after.turn(switch, choice).unwrap();
                let mut expected = before.turned();
                expected[place].choice = choice;
                assert_eq!(after.turned(), expected);
            }
        }
    }
}

#[test]
fn what_is_no_switch_or_no_choice_is_told_and_nothing_is_turned() {
    let mut switches = Switches::default();
    let told = |error: SwitchError| error.to_string();
    let error = switches.turn("chunk-order", "any").map_err(told);
    assert_eq!(error, Err("there is no switch `chunk-order`; did you mean `chunk_order`?".to_owned()));
    let error = switches.turn("acknowledged", "403").map_err(told);
    assert_eq!(error, Err("`acknowledged` is gone or missing or served, and not `403`".to_owned()));
    assert_eq!(switches, Switches::default());
}

//! What is right and wrong with a token, for people and for programs.

use chrono::{DateTime, SecondsFormat, Utc};
use mesh_witness::rules::{
    Against, Standing, TOKEN_SOURCE, TokenPart, explain_token, header_value, standing_of,
};
use serde_json::json;

use super::{
    super::{
        Exit, Failure,
        args::{Format, TokenArguments},
        screen,
    },
    input,
    secrets::Secrets,
};

pub fn explain(
    arguments: &TokenArguments,
    given: &str,
    made_at: Option<DateTime<Utc>>,
) -> Result<Exit, Failure> {
    let given = if given == "-" { input::token()? } else { given.to_owned() };
    let value = if arguments.header { of_line(&given)? } else { given.trim() };
    let secrets = Secrets::of(arguments, value)?;
    let now = Utc::now();
    let against = Against {
        mailbox: secrets.mailbox.as_ref(),
        secrets: secrets.password.as_ref().zip(secrets.shared_key.as_ref()),
        other_passwords: &secrets.others,
        now,
        made_at,
    };
    let parts = explain_token(value, &against);
    let standing = standing_of(&parts);
    match arguments.format {
        Format::Text => lines(&parts, standing).iter().for_each(|line| screen::say(line)),
        Format::Json => screen::say(&document(&parts, standing, now, made_at)),
    }
    match standing {
        Standing::Right | Standing::Doubtful => Ok(Exit::Good),
        Standing::Wrong => Ok(Exit::Failed),
        Standing::Unknown if against.secrets.is_some() => Err(unseen(&parts)),
        // Says which of them is missing.
        Standing::Unknown => Err(secrets.credentials().err().unwrap_or_else(|| unseen(&parts))),
    }
}

/// What could not be looked at although all secrets are known.
fn unseen(parts: &[TokenPart]) -> Failure {
    let unseen = parts.iter().find(|part| part.standing == Standing::Unknown);
    let told = unseen.map(|TokenPart { name, what, remedy, .. }| {
        format!("{name}: {what}: {}", remedy.as_deref().unwrap_or("give the token as it is sent"))
    });
    Failure::new(Exit::Usage, told.unwrap_or_default())
}

/// The value in a whole header line.
fn of_line(line: &str) -> Result<&str, Failure> {
    header_value(line.trim()).ok_or_else(|| {
        let what = "--header: the line does not begin with Authorization:";
        Failure::new(
            Exit::Usage,
            format!("{what}: give the whole line, or leave --header off and give the value"),
        )
    })
}

/// What can never be told here.
const ONCE: &str =
    "by this password and shared key. MESH takes a token once: whether this one was used cannot be seen here";

fn lines(parts: &[TokenPart], standing: Standing) -> Vec<String> {
    let mut lines: Vec<String> = parts.iter().flat_map(part_lines).collect();
    if standing != Standing::Right {
        lines.push(row("source", TOKEN_SOURCE));
    }
    lines.push(String::new());
    let wrong = parts.iter().filter(|part| part.standing == Standing::Wrong).count();
    lines.push(match standing {
        Standing::Right => format!("GOOD  {ONCE}"),
        Standing::Doubtful => format!("GOOD, with a doubt  {ONCE}"),
        Standing::Unknown => "UNKNOWN  nothing is wrong with what could be looked at".to_owned(),
        Standing::Wrong if wrong == 1 => "NOT GOOD  1 thing is wrong".to_owned(),
        Standing::Wrong => format!("NOT GOOD  {wrong} things are wrong"),
    });
    lines
}

fn part_lines(part: &TokenPart) -> Vec<String> {
    let TokenPart { name, standing, what, expected, seen, remedy } = part;
    let word = match standing {
        Standing::Right => "ok",
        Standing::Doubtful => "doubt",
        Standing::Unknown => "unknown",
        Standing::Wrong => "WRONG",
    };
    let mut lines = vec![format!("{name:<10} {word:<8} {what}")];
    let rows = [("expected", expected), ("seen", seen), ("to mend", remedy)];
    lines.extend(rows.into_iter().filter_map(|(name, text)| Some(row(name, text.as_deref()?))));
    lines
}

fn row(name: &str, text: &str) -> String {
    format!("{:<19} {name:<9} {text}", "")
}

fn document(
    parts: &[TokenPart],
    standing: Standing,
    now: DateTime<Utc>,
    made_at: Option<DateTime<Utc>>,
) -> String {
    let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let part = |part: &TokenPart| {
        let TokenPart { name, standing, what, expected, seen, remedy } = part;
        json!({
            "part": name,
            "standing": standing.word(),
            "what": what,
            "expected": expected,
            "seen": seen,
            "remedy": remedy,
        })
    };
    let document = json!({
        "tool": format!("mesh-witness {}", env!("CARGO_PKG_VERSION")),
        "verdict": standing.word(),
        "source": TOKEN_SOURCE,
        "now": time(now),
        "made_at": made_at.map(time),
        "parts": parts.iter().map(part).collect::<Vec<_>>(),
    });
    format!("{document:#}")
}

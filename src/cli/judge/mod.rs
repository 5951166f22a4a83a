//! `judge`: the rules, applied offline to what was recorded.

mod json;
mod source;
mod text;

use mesh_witness::{
    config::Config,
    protocol::MailboxId,
    rules::traffic::{Context, RuleResult, Verdict, judge_numbered},
    tape::Redactor,
};

use super::{
    Exit, Failure,
    args::{Format, JudgeArguments},
    screen,
};
use source::Recording;

/// What was judged and what came of it.
struct Judgement<'a> {
    recording: &'a Recording,
    mailbox: Option<&'a MailboxId>,
    results: &'a [RuleResult],
}

pub fn judge(arguments: &JudgeArguments) -> Result<Exit, Failure> {
    let redactor = redactor(arguments)?;
    let mailbox = mailbox(arguments)?;
    let recording =
        source::read(&arguments.recording, &redactor).map_err(|why| Failure::new(Exit::Usage, why))?;
    let context = Context {
        mailbox: mailbox.clone(),
        from_start: recording.from_start,
        actor: None,
        course: recording.course.clone(),
        resumed: recording.resumed.clone(),
    };
    let results = judge_numbered(&recording.exchanges, &context);
    if results.iter().all(|result| matches!(result.verdict, Verdict::NotApplicable { .. })) {
        let name = arguments.recording.display();
        if recording.judges_an_endpoint() {
            let why = "this bundle judges an endpoint: mesh-witness made its calls, and no product. Its report.html says what came of it; give the bundle of a run of a product, or a recording of one";
            return Err(Failure::new(Exit::Usage, format!("{name}: there is nothing to judge: {why}")));
        }
        let whose = mailbox.map_or_else(String::new, |mailbox| format!(" of {mailbox}"));
        return Err(Failure::new(
            Exit::Usage,
            format!(
                "{name}: there is nothing to judge: no call{whose} on a MESH mailbox among {} exchanges. Check that the right traffic was recorded, and --mailbox{}",
                recording.exchanges.len(),
                redactor.text(&first_notes(&recording.notes))
            ),
        ));
    }
    let judgement = Judgement { recording: &recording, mailbox: mailbox.as_ref(), results: &results };
    // Once more, whatever a rule may have quoted.
    match arguments.format {
        Format::Text => text::lines(&judgement).iter().for_each(|line| screen::say(&redactor.text(line))),
        Format::Json => screen::say(&redactor.text(&json::render(&judgement))),
    }
    let broken = results.iter().any(|result| matches!(result.verdict, Verdict::Broken { .. }));
    Ok(if broken { Exit::Failed } else { Exit::Good })
}

/// Notes of the recording that are told with an error; the rest is counted.
const NOTES: usize = 3;

fn first_notes(notes: &[String]) -> String {
    let mut told: String = notes.iter().take(NOTES).map(|note| format!("\n  {note}")).collect();
    if notes.len() > NOTES {
        told += &format!("\n  and {} more notes", notes.len() - NOTES);
    }
    told
}

/// Knows the secrets of the configuration, and with them recomputes tokens.
fn redactor(arguments: &JudgeArguments) -> Result<Redactor, Failure> {
    let Some(file) = &arguments.config else { return Ok(Redactor::default()) };
    let config = Config::load(file, &|name| std::env::var(name).ok())
        .map_err(|error| Failure::new(Exit::Usage, error))?;
    let key = &config.endpoint.shared_key;
    let mailboxes = [&config.mailboxes.product, &config.mailboxes.counterpart];
    Ok(Redactor::new(&config.secrets(), &mailboxes.map(|mailbox| mailbox.credentials(key))))
}

fn mailbox(arguments: &JudgeArguments) -> Result<Option<MailboxId>, Failure> {
    let read = |text: &String| {
        MailboxId::parse(&text.to_ascii_uppercase())
            .map_err(|error| Failure::new(Exit::Usage, format!("--mailbox: a mailbox ID {error}")))
    };
    arguments.mailbox.as_ref().map(read).transpose()
}

//! `token`: makes the token of an Authorization header, or explains one.

mod explain;
mod input;
mod secrets;

use chrono::{DateTime, Utc};
use mesh_witness::protocol::{Credentials, NonceCount, Token, TokenTimestamp};
use uuid::Uuid;

use super::{Exit, Failure, args::TokenArguments, screen};
use secrets::Secrets;

pub fn token(arguments: &TokenArguments) -> Result<Exit, Failure> {
    let at = arguments.at.as_deref().map(time).transpose()?;
    match &arguments.explain {
        None => make(arguments, at),
        Some(given) => explain::explain(arguments, given, at),
    }
}

fn make(arguments: &TokenArguments, at: Option<DateTime<Utc>>) -> Result<Exit, Failure> {
    let credentials = Secrets::of(arguments, "")?.credentials()?;
    let nonce = arguments.nonce.unwrap_or_else(Uuid::new_v4);
    let token =
        Token::build(&credentials, nonce, NonceCount::new(arguments.count), at.unwrap_or_else(Utc::now));
    screen::say(&if arguments.header { format!("Authorization: {token}") } else { token.to_string() });
    screen::tell(&notice(&credentials, &token));
    Ok(Exit::Good)
}

/// What is in the caller's hands now.
fn notice(credentials: &Credentials, token: &Token) -> String {
    let made = token.timestamp().time();
    let clock = |time: DateTime<Utc>| time.format("%Y-%m-%d %H:%M UTC");
    format!(
        "note: whoever has this token can speak for {} in one request, from {} to {}: keep it out of logs and tickets, and make a new one for the next request",
        credentials.mailbox,
        clock(made - TokenTimestamp::WINDOW),
        clock(made + TokenTimestamp::WINDOW),
    )
}

fn time(text: &str) -> Result<DateTime<Utc>, Failure> {
    let with_zone = || DateTime::parse_from_rfc3339(text).ok().map(|time| time.with_timezone(&Utc));
    TokenTimestamp::parse(text).ok().map(TokenTimestamp::time).or_else(with_zone).ok_or_else(|| {
        let mend = "write it in UTC, as 202611211430 or 2026-11-21T14:30:00Z";
        Failure::new(Exit::Usage, format!("--at: is no time: {mend}"))
    })
}

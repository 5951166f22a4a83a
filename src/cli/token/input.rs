//! What is read from files and from standard input.

use std::{
    fs::File,
    io::{self, IsTerminal, Read},
    path::Path,
};

use super::super::{Exit, Failure, screen};

/// More than any secret or header has, in bytes.
const LONGEST: u64 = 64 * 1024;

/// A secret: the file without the line end that editors put behind it.
pub fn secret(flag: &str, path: &Path) -> Result<String, Failure> {
    let wrong = |what: String| Failure::new(Exit::Usage, format!("{flag}: {what}"));
    let is_input = path == Path::new("-");
    let name = if is_input { "standard input".to_owned() } else { path.display().to_string() };
    if is_input && io::stdin().is_terminal() {
        let what = "standard input is a terminal, which would show what is typed";
        return Err(wrong(format!("{what}: name a file, or pipe the secret in")));
    }
    let read = if is_input { read(io::stdin()) } else { File::open(path).and_then(read) };
    let text = read.map_err(|error| {
        wrong(format!("{name} cannot be read: {error}: name a file that this user may read"))
    })?;
    let text = without_line_end(&text);
    if text.is_empty() {
        return Err(wrong(format!("{name} is empty: it is to hold the secret and nothing else")));
    }
    if text.contains(['\n', '\r']) {
        return Err(wrong(format!(
            "{name} has more than one line: it is to hold the secret and nothing else"
        )));
    }
    Ok(text.to_owned())
}

/// What is to be explained.
pub fn token() -> Result<String, Failure> {
    if io::stdin().is_terminal() {
        screen::notice("paste the token, and press Enter");
        let mut line = String::new();
        return io::stdin().read_line(&mut line).map(|_| line).map_err(|error| unread(&error));
    }
    read(io::stdin()).map_err(|error| unread(&error))
}

fn unread(error: &io::Error) -> Failure {
    Failure::new(
        Exit::Usage,
        format!("--explain: standard input cannot be read: {error}: give the token as text"),
    )
}

fn read(from: impl Read) -> io::Result<String> {
    let mut text = String::new();
    from.take(LONGEST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LONGEST {
        return Err(io::Error::other("it is longer than 64 KiB"));
    }
    Ok(text)
}

fn without_line_end(text: &str) -> &str {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let line = text.strip_suffix('\n').unwrap_or(text);
    line.strip_suffix('\r').unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_end_is_the_editors_and_blanks_are_the_secrets_own() {
        for (text, kept) in [
            ("secret", "secret"),
            ("secret\n", "secret"),
            ("secret\r\n", "secret"),
            ("\u{feff}secret", "secret"),
            (" secret \n", " secret "),
            ("secret\n\n", "secret\n"),
        ] {
            assert_eq!(without_line_end(text), kept);
        }
    }
}

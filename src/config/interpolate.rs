//! `${NAME}` in a value, from the environment.

use super::error::Complaint;

/// A text and what became of it.
pub(super) struct Filled {
    /// With every variable filled in. May be a secret.
    pub value: String,
    /// Whether anything came from the environment.
    pub from_environment: bool,
}

/// Fills in every `${NAME}`. `$${` stands for a plain `${`; any other `$` stands for itself, so that
/// a password with a `$` in it needs no care.
pub(super) fn fill(source: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<Filled, Complaint> {
    let mut filled = Filled { value: String::with_capacity(source.len()), from_environment: false };
    let mut rest = source;
    while let Some(dollar) = rest.find('$') {
        filled.value.push_str(&rest[..dollar]);
        rest = &rest[dollar..];
        if let Some(after) = rest.strip_prefix("$${") {
            filled.value.push_str("${");
            rest = after;
        } else if let Some(after) = rest.strip_prefix("${") {
            let (name, after) = after.split_once('}').ok_or_else(unclosed)?;
            filled.value.push_str(&lookup(name, env)?);
            filled.from_environment = true;
            rest = after;
        } else {
            filled.value.push('$');
            rest = &rest[1..];
        }
    }
    filled.value.push_str(rest);
    Ok(filled)
}

fn lookup(name: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<String, Complaint> {
    let first = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !(first && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')) {
        return Err(Complaint::new(
            "has between `${` and `}` something that is no name of an environment variable",
            "use letters, digits and _ only (there are no defaults such as ${NAME:-x}), or write `$${` for a plain `${`",
        ));
    }
    let value = env(name).ok_or_else(|| {
        Complaint::new(
            format!("needs the environment variable {name}, which is not set"),
            format!("set it before the call: {}", setting(name)),
        )
    })?;
    if value.is_empty() {
        return Err(Complaint::new(
            format!("needs the environment variable {name}, which is empty"),
            format!("give it a value before the call: {}", setting(name)),
        ));
    }
    Ok(value)
}

fn unclosed() -> Complaint {
    Complaint::new("has `${` without a `}`", "close it, or write `$${` for a plain `${`")
}

fn setting(name: &str) -> String {
    if cfg!(windows) { format!("$env:{name} = '…'") } else { format!("export {name}='…'") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn env(name: &str) -> Option<String> {
        match name {
            "A" => Some("1".to_owned()),
            "B_2" => Some("${A}".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        }
    }

    #[test]
    fn variables_are_filled_in_once() {
        for (source, value) in [
            ("${A}", "1"),
            ("x${A}y${A}", "x1y1"),
            ("${B_2}", "${A}"),
            ("$${A}", "${A}"),
            ("$A $$ $", "$A $$ $"),
            ("pa$$word", "pa$$word"),
            ("£${A}£", "£1£"),
        ] {
            assert_eq!(fill(source, &env).map(|filled| filled.value), Ok(value.to_owned()), "{source}");
        }
    }

    #[test]
    fn what_cannot_be_filled_in_is_an_error() {
        for (source, what) in [
            ("${C}", "needs the environment variable C, which is not set"),
            ("${EMPTY}", "needs the environment variable EMPTY, which is empty"),
            ("${A", "has `${` without a `}`"),
            ("${}", "has between `${` and `}` something that is no name of an environment variable"),
            ("${A:-x}", "has between `${` and `}` something that is no name of an environment variable"),
            ("${1}", "has between `${` and `}` something that is no name of an environment variable"),
        ] {
            let complaint = fill(source, &env).map(|filled| filled.value).unwrap_err();
            assert_eq!(complaint.what, what, "{source}");
        }
    }

    proptest! {
        #[test]
        fn text_without_an_opening_stays_as_it_is(text in "[^{]{0,50}") {
            prop_assert_eq!(fill(&text, &env).map(|filled| filled.value), Ok(text));
        }
    }
}

//! The keys of a configuration: which there are, where, and which one was meant.

/// Every section by its path, with its keys in the order of the template.
const SECTIONS: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "environment",
            "endpoint",
            "emulator",
            "recording",
            "mailboxes",
            "workflow_id",
            "product",
            "supplier",
            "timeouts",
            "chunking",
        ],
    ),
    ("endpoint", &["url", "ca_file", "client_certificate_file", "client_key_file", "shared_key"]),
    ("emulator", &["listen", "folder", "shared_key"]),
    ("recording", &["listen", "folder", "ca_file"]),
    ("mailboxes", &["product", "counterpart", "dormant"]),
    ("mailboxes.product", MAILBOX),
    ("mailboxes.counterpart", MAILBOX),
    ("mailboxes.dormant", &["id"]),
    ("product", &["name", "version", "driver", "without"]),
    ("product.driver", &["command", "timeout", "webhook", "manual"]),
    ("product.driver.webhook", &["url", "timeout"]),
    ("product.driver.manual", &["timeout"]),
    ("supplier", &["name"]),
    ("chunking", &["message_bytes", "chunk_bytes"]),
    ("timeouts", &["connect_seconds", "response_seconds", "delivery_seconds", "transfer_seconds"]),
];

const MAILBOX: &[&str] = &["id", "password", "client_certificate_file", "client_key_file"];

/// How a bundle shows the value of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// As it is written.
    AsWritten,
    /// Not at all: it is a secret.
    Never,
    /// A path, without the folders that say whose machine this is.
    File,
    /// A program, without its arguments.
    Command,
    /// A URL, without what follows host and port.
    Hook,
}

/// Keys whose values are shown as they are written, or nearly.
const SHOWN: &[(&str, Shown)] = &[
    ("environment", Shown::AsWritten),
    ("endpoint.url", Shown::AsWritten),
    ("endpoint.ca_file", Shown::File),
    ("endpoint.client_certificate_file", Shown::File),
    ("endpoint.client_key_file", Shown::File),
    ("emulator.listen", Shown::AsWritten),
    ("emulator.folder", Shown::File),
    ("recording.listen", Shown::AsWritten),
    ("recording.folder", Shown::File),
    ("recording.ca_file", Shown::File),
    ("mailboxes.product.id", Shown::AsWritten),
    ("mailboxes.product.client_certificate_file", Shown::File),
    ("mailboxes.product.client_key_file", Shown::File),
    ("mailboxes.counterpart.id", Shown::AsWritten),
    ("mailboxes.counterpart.client_certificate_file", Shown::File),
    ("mailboxes.counterpart.client_key_file", Shown::File),
    ("mailboxes.dormant.id", Shown::AsWritten),
    ("workflow_id", Shown::AsWritten),
    ("product.name", Shown::AsWritten),
    ("product.version", Shown::AsWritten),
    ("product.driver", Shown::AsWritten),
    ("product.without", Shown::AsWritten),
    ("product.driver.command", Shown::Command),
    ("product.driver.timeout", Shown::AsWritten),
    ("product.driver.webhook.url", Shown::Hook),
    ("product.driver.webhook.timeout", Shown::AsWritten),
    ("product.driver.manual.timeout", Shown::AsWritten),
    ("supplier.name", Shown::AsWritten),
    ("chunking.message_bytes", Shown::AsWritten),
    ("chunking.chunk_bytes", Shown::AsWritten),
    ("timeouts.connect_seconds", Shown::AsWritten),
    ("timeouts.response_seconds", Shown::AsWritten),
    ("timeouts.delivery_seconds", Shown::AsWritten),
    ("timeouts.transfer_seconds", Shown::AsWritten),
];

/// How a bundle shows a key by its path. What is not listed is a secret.
pub(super) fn shown(path: &str) -> Shown {
    SHOWN.iter().find(|(known, _)| *known == path).map_or(Shown::Never, |(_, shown)| *shown)
}

/// What to write for each required key.
const EXAMPLES: &[(&str, &str)] = &[
    ("environment", "`environment: INT`"),
    ("endpoint.url", "`url: https://msg.intspineservices.nhs.uk`"),
    ("endpoint.ca_file", "`ca_file: int-ca.pem`"),
    ("endpoint.shared_key", "`shared_key: ${MESH_SHARED_KEY}`"),
    ("mailboxes.product.id", "`id: X26HC005`"),
    ("mailboxes.product.password", "`password: ${MESH_PRODUCT_PASSWORD}`"),
    ("mailboxes.counterpart.id", "`id: X26HC006`"),
    ("mailboxes.counterpart.password", "`password: ${MESH_COUNTERPART_PASSWORD}`"),
    ("mailboxes.dormant.id", "`id: X26HC007`"),
    ("product.driver.webhook.url", "`url: https://product.example/test-hook`"),
    ("workflow_id", "`workflow_id: TEST_WORKFLOW`"),
    ("product.name", "`name: Example Product`"),
    ("product.version", "`version: \"1.2.3\"`"),
    ("supplier.name", "`name: Example Supplier Ltd`"),
];

/// The keys of a section.
pub(super) fn known(section: &str) -> &'static [&'static str] {
    SECTIONS.iter().find(|(path, _)| *path == section).map_or(&[], |(_, keys)| keys)
}

/// The path of a key.
pub(super) fn joined(section: &str, key: &str) -> String {
    if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") }
}

/// What to write for a key that is missing.
pub(super) fn example(section: &str, key: &str) -> String {
    let path = joined(section, key);
    match EXAMPLES.iter().find(|(known, _)| *known == path) {
        Some((_, example)) => (*example).to_owned(),
        None => format!("`{key}:` with {}", listed(&required(&path))),
    }
}

/// Sections that may be left off.
const OPTIONAL: &[&str] =
    &["emulator", "recording", "mailboxes.dormant", "product.driver", "timeouts", "chunking"];

/// The keys of a section without those that may be left off.
fn required(section: &str) -> Vec<&'static str> {
    let has_example = |key: &&str| EXAMPLES.iter().any(|(path, _)| *path == joined(section, key));
    let is_section = |key: &&str| {
        let path = joined(section, key);
        !known(&path).is_empty() && !OPTIONAL.contains(&path.as_str())
    };
    known(section).iter().filter(|key| has_example(key) || is_section(key)).copied().collect()
}

/// Keys as a person lists them.
pub(super) fn listed(keys: &[&str]) -> String {
    keys.join(", ")
}

/// The key that was probably meant: the nearest, if it is near.
pub(super) fn nearest(key: &str, known: &[&'static str]) -> Option<&'static str> {
    let plain = plain(key);
    known
        .iter()
        .map(|&known| (strsim::normalized_damerau_levenshtein(&plain, &self::plain(known)), known))
        .filter(|(likeness, _)| *likeness >= 0.6)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, known)| known)
}

/// The sections that have this key, as a person lists them; `None` when there is none.
pub(super) fn homes(key: &str) -> Option<String> {
    let named = |path: &&'static str| if path.is_empty() { "the top level" } else { *path };
    let homes = SECTIONS.iter().filter(|(_, keys)| keys.contains(&key)).map(|(path, _)| named(path));
    let homes: Vec<&str> = homes.collect();
    if homes.is_empty() { None } else { Some(homes.join(" or ")) }
}

/// Whether it looks like a key: nothing is stuck to it.
pub(super) fn is_name(key: &str) -> bool {
    (1..=40).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
}

/// `sharedKey`, `shared-key` and `shared_key` are one.
fn plain(key: &str) -> String {
    key.chars().filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key that is new is a secret until somebody says otherwise, here too.
    #[test]
    fn each_key_is_shown_or_is_known_to_be_a_secret() {
        let all = SECTIONS.iter().flat_map(|(section, keys)| keys.iter().map(|key| joined(section, key)));
        let (sections, values): (Vec<_>, Vec<_>) = all.partition(|path| !known(path).is_empty());
        let never: Vec<&String> = values.iter().filter(|path| shown(path) == Shown::Never).collect();
        assert_eq!(
            never,
            [
                "endpoint.shared_key",
                "emulator.shared_key",
                "mailboxes.product.password",
                "mailboxes.counterpart.password",
            ]
        );
        let there = |path: &str| values.iter().chain(&sections).any(|known| known == path);
        assert!(SHOWN.iter().all(|(path, _)| there(path)), "a key is listed that there is not");
    }
}

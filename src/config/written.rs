//! The configuration as a bundle has it: what was configured, without secrets.
//!
//! It is written anew from the tree of the file. There a secret is known by its key, in whatever way YAML has it:
//! quoted, over several lines, by an alias. Comments are left out, since nobody can tell what stands in them: a
//! password of last year, say. What is only a reference to the environment stays as it is written.

use serde_yaml::{Mapping, Number, Value};

use super::{
    document::{Entry, Node},
    keys::{self, Shown},
};
use crate::product::driver::HookUrl;

/// A configuration file without its secrets.
#[derive(Debug, Clone)]
pub struct Written(Value);

/// What stands in the place of a secret.
const REDACTED: &str = "[redacted]";
/// What stands in the place of what may be one, or may say whose machine this is.
const NOT_SHOWN: &str = "[not shown]";

const HEADER: &str = "\
# The configuration of this run, written anew from the file that was given: without secrets, comments, folders,
# arguments of the product's program and the path of its hook. ${NAME} was taken from the environment.
";

impl Written {
    pub(super) fn of(root: &Node) -> Self {
        Self(value(root, "", Shown::AsWritten))
    }

    /// As YAML. `clean` takes out of a text what is a secret elsewhere.
    ///
    /// # Errors
    /// When YAML has no way to write it, which no configuration brings about.
    pub fn to_yaml(&self, clean: &dyn Fn(&str) -> String) -> Result<String, serde_yaml::Error> {
        Ok(format!("{HEADER}{}", serde_yaml::to_string(&cleaned(&self.0, clean))?))
    }
}

fn value(node: &Node, path: &str, shown: Shown) -> Value {
    match node {
        Node::Map(entries) if !keys::known(path).is_empty() => Value::Mapping(mapping(entries, path)),
        Node::Text(text) => Value::String(text_of(text, shown)),
        Node::Number(Some(number)) if shown == Shown::AsWritten => Value::Number(Number::from(*number)),
        Node::List(items) if shown == Shown::Command => Value::Sequence(command(items)),
        // Of these no configuration that was taken has any.
        _ => Value::String(REDACTED.to_owned()),
    }
}

fn mapping(entries: &[Entry], section: &str) -> Mapping {
    let entries = entries.iter().filter_map(|entry| {
        let key = entry.key.as_deref().filter(|key| keys::known(section).contains(key))?;
        let path = keys::joined(section, key);
        Some((Value::String(key.to_owned()), value(&entry.value, &path, keys::shown(&path))))
    });
    entries.collect()
}

fn text_of(text: &str, shown: Shown) -> String {
    match shown {
        Shown::AsWritten => text.to_owned(),
        Shown::Never if is_reference(text) => text.to_owned(),
        Shown::Never => REDACTED.to_owned(),
        Shown::File => file(text),
        Shown::Command => NOT_SHOWN.to_owned(),
        Shown::Hook => hook(text),
    }
}

/// Whether all of it comes from the environment.
fn is_reference(text: &str) -> bool {
    let name = text.trim().strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    name.is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
}

/// Folders beyond that of the configuration say whose machine this is.
fn file(path: &str) -> String {
    let parts: Vec<&str> = path.split(['/', '\\']).collect();
    let leads_out = path.starts_with(['/', '\\', '~']) || path.contains(':') || parts.contains(&"..");
    match parts.last() {
        Some(name) if leads_out => format!("{NOT_SHOWN}/{name}"),
        _ => path.to_owned(),
    }
}

/// The program. Its arguments may be secrets of the product's own.
fn command(items: &[Node]) -> Vec<Value> {
    let shown = items.iter().enumerate().map(|(place, item)| match item {
        Node::Text(program) if place == 0 => file(program),
        _ => NOT_SHOWN.to_owned(),
    });
    shown.map(Value::String).collect()
}

/// Scheme, host and port. What follows may be a secret.
fn hook(url: &str) -> String {
    if is_reference(url) {
        return url.to_owned();
    }
    HookUrl::parse(url).map_or_else(|_| NOT_SHOWN.to_owned(), |url| url.to_string())
}

fn cleaned(value: &Value, clean: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(clean(text)),
        Value::Sequence(items) => items.iter().map(|item| cleaned(item, clean)).collect(),
        Value::Mapping(entries) => {
            let entries = entries.iter().map(|(key, value)| (key.clone(), cleaned(value, clean)));
            Value::Mapping(entries.collect())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::document::Document, *};

    fn written(text: &str) -> String {
        let document = Document::read(text.as_bytes()).unwrap_or_else(|_| panic!("it is YAML: {text}"));
        let yaml = Written::of(document.root()).to_yaml(&str::to_owned).unwrap();
        yaml.strip_prefix(HEADER).unwrap().to_owned()
    }

    #[test]
    fn secrets_go_and_the_rest_stays_in_its_order() {
        let text = "# the old one was hunter1\nenvironment: INT # really\nendpoint:\n  url: https://msg.example\n  shared_key: hunter2\n\
                    mailboxes: {product: {id: X26HC005, password: \"${PASSWORD}\"}, counterpart: {password: 'a${B}', id: \"X2\"}}\n\
                    timeouts: {connect_seconds: 3}\nproduct: {version: \"1.10\", without: 'chunking, compression'}\n";
        assert_eq!(
            written(text),
            "environment: INT\nendpoint:\n  url: https://msg.example\n  shared_key: '[redacted]'\nmailboxes:\n  product:\n    \
             id: X26HC005\n    password: ${PASSWORD}\n  counterpart:\n    password: '[redacted]'\n    id: X2\ntimeouts:\n  \
             connect_seconds: 3\nproduct:\n  version: '1.10'\n  without: chunking, compression\n"
        );
    }

    #[test]
    fn a_secret_goes_however_yaml_has_it() {
        for secret in [
            "hunter2",
            "'hunter2'",
            "\"\\x68unter2\"",
            "\"hunt\\\n      er2\"",
            "|\n      hunter2",
            ">-\n      hunter2",
            "&anchor hunter2",
            "!!str hunter2",
            "1234567",
            "{hunter2: hunter2}",
            "[hunter2, hunter2]",
            "hunter2 # hunter2",
            "${A}hunter2",
            "hunter2${A}",
            "${hunter2:-hunter2}",
            "$${hunter2}",
        ] {
            let text = format!("mailboxes:\n  product:\n    id: &id P\n    password: {secret}\n");
            let shown = written(&text);
            assert!(!shown.contains("hunter2") && !shown.contains("1234567"), "{secret}: {shown}");
            assert!(shown.contains("id: P"), "{shown}");
        }
        let shared = "endpoint: {shared_key: &key hunter2}\nemulator: {shared_key: *key}\n";
        assert!(!written(shared).contains("hunter2"));
    }

    #[test]
    fn nothing_tells_whose_machine_it_is_or_what_the_product_is_given() {
        for (key, value, shown) in [
            ("endpoint: {ca_file: ", "int-ca.pem", "int-ca.pem"),
            ("endpoint: {ca_file: ", "certificates/int-ca.pem", "certificates/int-ca.pem"),
            ("endpoint: {ca_file: ", "'${FOLDER}/int-ca.pem'", "${FOLDER}/int-ca.pem"),
            ("endpoint: {ca_file: ", "/home/alice/int-ca.pem", "'[not shown]/int-ca.pem'"),
            ("endpoint: {client_key_file: ", "../../alice/key.pem", "'[not shown]/key.pem'"),
            ("endpoint: {client_key_file: ", "'C:\\Users\\alice\\key.pem'", "'[not shown]/key.pem'"),
            ("emulator: {folder: ", "/home/alice", "'[not shown]/alice'"),
            ("product: {driver: {webhook: {url: ", "https://hook.example", "https://hook.example"),
            (
                "product: {driver: {webhook: {url: ",
                "'https://hook.example:8/T0/secret?x=y'",
                "https://hook.example:8/[not shown]",
            ),
            ("product: {driver: {webhook: {url: ", "'${HOOK}'", "${HOOK}"),
            ("product: {driver: {webhook: {url: ", "'${HOOK}/x'", "'[not shown]'"),
        ] {
            let open = key.matches('{').count();
            let found = written(&format!("{key}{value}{}", "}".repeat(open)));
            assert!(found.trim_end().ends_with(&format!(": {shown}")), "{value}: {found}");
        }
        let found =
            written("product: {driver: {command: [/home/alice/drive.sh, --token, hunter2], timeout: 60s}}\n");
        assert_eq!(
            found,
            "product:\n  driver:\n    command:\n    - '[not shown]/drive.sh'\n    - '[not shown]'\n    - '[not shown]'\n    timeout: 60s\n"
        );
    }

    /// A key that nobody thought of is not shown.
    #[test]
    fn what_is_not_known_is_not_shown() {
        assert_eq!(written("colour: blue\n"), "{}\n");
        assert_eq!(
            written("endpoint: {colour: {of: [blue]}, url: {of: [blue]}}\n"),
            "endpoint:\n  url: '[redacted]'\n"
        );
    }

    #[test]
    fn what_is_a_secret_elsewhere_is_taken_out_of_values_and_not_of_keys() {
        let document =
            Document::read(b"environment: the password\nproduct: {name: password}\n").ok().unwrap();
        let clean = |text: &str| text.replace("password", "***");
        let yaml = Written::of(document.root()).to_yaml(&clean).unwrap();
        assert!(yaml.ends_with("environment: the ***\nproduct:\n  name: '***'\n"), "{yaml}");
        let document = Document::read(b"mailboxes: {product: {password: password}}\n").ok().unwrap();
        assert!(Written::of(document.root()).to_yaml(&clean).unwrap().contains("password: '[redacted]'"));
    }

    proptest! {
        /// What was written reads as what was read, whatever characters there are.
        #[test]
        fn it_is_yaml_and_says_the_same(name in "\\PC{0,40}") {
            let quoted = serde_json::to_string(&name).unwrap();
            let text = format!("product: {{name: {quoted}}}\n");
            if let Ok(document) = Document::read(text.as_bytes()) {
                let yaml = Written::of(document.root()).to_yaml(&str::to_owned).unwrap();
                let read: Value = serde_yaml::from_str(&yaml).unwrap();
                prop_assert_eq!(read["product"]["name"].as_str(), Some(name.as_str()));
            }
        }
    }
}

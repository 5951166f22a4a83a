//! What a supplier's engineer needs before the first call: a certificate request, and a token.

mod csr;
#[path = "../support/mod.rs"]
mod support;
mod token;

/// What people read, as it is.
macro_rules! golden {
    ($name:literal, $text:expr) => {
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!($name, $text);
        })
    };
}
use golden;

#[test]
fn help_teaches_with_an_example() {
    for (command, example) in [
        ("csr", "    mesh-witness csr --mailbox X26HC005 --ods X26\n"),
        ("token", "    curl -H \"$(mesh-witness token --config mesh-witness.yaml --header)\" ...\n"),
    ] {
        let help = support::witness(&[command, "--help"]);
        assert_eq!(help.code, Some(0));
        assert!(help.stdout.contains(example), "{}", help.stdout);
        assert!(help.stdout.lines().all(|line| line.chars().count() <= 100), "{}", help.stdout);
    }
    golden!("csr_help", support::witness(&["csr", "--help"]).stdout);
    golden!("token_help", support::witness(&["token", "--help"]).stdout);
}

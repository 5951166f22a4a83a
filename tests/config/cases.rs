//! What is wrong with a configuration, and every word that is said about it.
//!
//! `F` stands for the configuration file, `DIR` for its folder.

/// The good configuration with `old` replaced by `new`, or `new` alone where `old` is empty.
pub struct Case {
    pub old: &'static str,
    pub new: &'static str,
    pub said: &'static [&'static str],
}

/// What is no YAML, or not one mapping of it.
pub const YAML: &[Case] = &[
    Case {
        old: "",
        new: "",
        said: &[
            "F:1: holds no configuration; it takes environment, endpoint, emulator, recording, mailboxes, workflow_id, product, supplier, timeouts, chunking",
        ],
    },
    Case {
        old: "",
        new: "# nothing yet\n",
        said: &[
            "F:1: holds no configuration; it takes environment, endpoint, emulator, recording, mailboxes, workflow_id, product, supplier, timeouts, chunking",
        ],
    },
    Case {
        old: "",
        new: "just text\n",
        said: &[
            "F:1: is not a mapping; write `key: value` lines; it takes environment, endpoint, emulator, recording, mailboxes, workflow_id, product, supplier, timeouts, chunking",
        ],
    },
    Case {
        old: "",
        new: "- a\n- b\n",
        said: &[
            "F:1: is not a mapping; write `key: value` lines; it takes environment, endpoint, emulator, recording, mailboxes, workflow_id, product, supplier, timeouts, chunking",
        ],
    },
    Case {
        old: "  url: h",
        new: "\turl: h",
        said: &[
            "F:3:1: is not YAML: found character that cannot start any token, while scanning for the next token; indent with spaces, not with tabs",
        ],
    },
    Case {
        old: "environment: INT",
        new: "environment: \"INT",
        said: &[
            "F:21:1: is not YAML: found unexpected end of stream, while scanning a quoted scalar at line 1 column 14; check indentation, quotes and brackets from the line before on",
        ],
    },
    // Paths as Windows has them.
    Case {
        old: "ca_file: ca.pem",
        new: r#"ca_file: "C:\users\ca.pem""#,
        said: &[
            r"F:4:17: is not YAML: did not find expected hexadecimal number, while parsing a quoted scalar at line 4 column 12; between double quotes a backslash begins an escape: use single quotes",
        ],
    },
    Case {
        old: "ca_file: ca.pem",
        new: r#"ca_file: "D:\certs\ca.pem""#,
        said: &[
            r"F:4:15: is not YAML: found unknown escape character, while parsing a quoted scalar at line 4 column 12; between double quotes a backslash begins an escape: use single quotes",
        ],
    },
    Case {
        old: "environment: INT",
        new: "environment: INT: 2",
        said: &[
            "F:1:17: is not YAML: mapping values are not allowed in this context; quote a value that holds `: `, and indent the keys of one mapping alike",
        ],
    },
    Case {
        old: "environment: INT",
        new: "environment: [INT",
        said: &[
            "F:2:9: is not YAML: did not find expected ',' or ']', while parsing a flow sequence at line 1 column 14; check indentation, quotes and brackets from the line before on",
        ],
    },
    Case {
        old: "password: ${MESH_PRODUCT_PASSWORD}",
        new: "password: *star",
        said: &[
            "F:11:15: is not YAML: unknown anchor; quote a value that begins with one of * & ! | > % @ `",
        ],
    },
    Case {
        old: "password: ${MESH_PRODUCT_PASSWORD}",
        new: "password: @at",
        said: &[
            "F:11:15: is not YAML: found character that cannot start any token, while scanning for the next token; quote a value that begins with one of * & ! | > % @ `",
        ],
    },
    Case {
        old: "password: ${MESH_PRODUCT_PASSWORD}",
        new: "password: !bang",
        said: &[
            "F:11: mailboxes.product.password: begins with !, which makes it a tag, not text; quote it: password: \"!…\"",
        ],
    },
    Case {
        old: "password: ${MESH_PRODUCT_PASSWORD}",
        new: "password: !!int bang",
        said: &[
            "F:11: mailboxes.product.password: has a tag such as !!int on something else, or too many aliases; write plain or quoted text",
        ],
    },
    Case {
        old: "password: ${MESH_PRODUCT_PASSWORD}",
        new: "password: #hash",
        said: &[
            "F:11: mailboxes.product.password: is empty; give it a value; one that begins with # or & or is null stands in quotes: password: \"…\"",
        ],
    },
    Case {
        old: "workflow_id: TEST_WORKFLOW",
        new: "workflow_id TEST_WORKFLOW",
        said: &[
            "F:16:1: is not YAML: could not find expected ':', while scanning a simple key at line 15 column 1; write `key: value` with a space after the colon, and quote a value of several lines",
        ],
    },
    Case {
        old: "supplier:\n",
        new: "---\nsupplier:\n",
        said: &[
            "F:20: begins a second YAML document; keep one document in the file: take out the line `---` or `...` above and what does not belong",
        ],
    },
    Case {
        old: "",
        new: "{environment: INT}\nworkflow_id: W\n",
        said: &[
            "F:2:1: is not YAML: did not find expected <document start>; check indentation, quotes and brackets from the line before on",
        ],
    },
    Case {
        old: "environment: INT",
        new: "environment: INT\u{1}",
        said: &[
            "F:1: has the character U+0001, which YAML does not allow; take it out, or write it in double quotes as \\u and four digits",
        ],
    },
    Case {
        old: "environment: INT",
        new: "environment: &a [*a, *a]",
        said: &[
            "F:1: environment: has more keys, values or levels than any configuration; check that it is the right file, and that no alias stands in what it is for",
        ],
    },
];

/// Keys that are unknown, there twice, or missing.
pub const KEYS: &[Case] = &[
    Case {
        old: "    password: ${MESH_PRODUCT_PASSWORD}",
        new: "    pasword: ${MESH_PRODUCT_PASSWORD}",
        said: &[
            "F:11: mailboxes.product.pasword: is not a key that is known here; did you mean password? Known here: id, password, client_certificate_file, client_key_file",
        ],
    },
    Case {
        old: "  shared_key:",
        new: "  sharedKey:",
        said: &[
            "F:7: endpoint.sharedKey: is not a key that is known here; did you mean shared_key? Known here: url, ca_file, client_certificate_file, client_key_file, shared_key",
        ],
    },
    Case {
        old: "workflow_id: TEST_WORKFLOW",
        new: "workflow_id: TEST_WORKFLOW\nshared_key: x",
        said: &[
            "F:16: shared_key: is not a key that is known here; it belongs under endpoint or emulator. Known here: environment, endpoint, emulator, recording, mailboxes, workflow_id, product, supplier, timeouts, chunking",
        ],
    },
    Case {
        old: "workflow_id: TEST_WORKFLOW",
        new: "workflow_id: TEST_WORKFLOW\npassword: x",
        said: &[
            "F:16: password: is not a key that is known here; it belongs under mailboxes.product or mailboxes.counterpart. Known here: environment, endpoint, emulator, recording, mailboxes, workflow_id, product, supplier, timeouts, chunking",
        ],
    },
    Case {
        old: "workflow_id: TEST_WORKFLOW",
        new: "workflow_id: TEST_WORKFLOW\ncolour: blue",
        said: &[
            "F:16: colour: is not a key that is known here; take it out. Known here: environment, endpoint, emulator, recording, mailboxes, workflow_id, product, supplier, timeouts, chunking",
        ],
    },
    Case {
        old: "environment: INT",
        new: "environment: INT\n1: x\n\"a b\": y\n? [z]\n: z",
        said: &[
            "F:2: has a key that is no name; quote a value that holds `,` or `:`, and put a space after the colon. Known here: environment, endpoint, emulator, recording, mailboxes, workflow_id, product, supplier, timeouts, chunking",
            "F:3: has a key that is no name; quote a value that holds `,` or `:`, and put a space after the colon. Known here: environment, endpoint, emulator, recording, mailboxes, workflow_id, product, supplier, timeouts, chunking",
            "F:4: has a key that is no name; quote a value that holds `,` or `:`, and put a space after the colon. Known here: environment, endpoint, emulator, recording, mailboxes, workflow_id, product, supplier, timeouts, chunking",
        ],
    },
    Case {
        old: "workflow_id: TEST_WORKFLOW",
        new: "workflow_id: TEST_WORKFLOW\nenvironment: LIVE",
        said: &["F:16: environment: is here twice, first on line 1; leave only one"],
    },
    Case {
        old: "    id: X26HC005\n    password: ${MESH_PRODUCT_PASSWORD}\n",
        new: "    {id: X26ABC1,\n     pasword: x,\n     id: X26ABC2}\n",
        said: &[
            "F:11: mailboxes.product.pasword: is not a key that is known here; did you mean password? Known here: id, password, client_certificate_file, client_key_file",
            "F:12: mailboxes.product.id: is here twice, first on line 10; leave only one",
        ],
    },
    Case {
        old: "    password: ${MESH_PRODUCT_PASSWORD}\n",
        new: "",
        said: &[
            "F:9: mailboxes.product.password: is missing; add `password: ${MESH_PRODUCT_PASSWORD}` under mailboxes.product",
        ],
    },
    Case {
        old: "environment: INT\n",
        new: "",
        said: &["F:1: environment: is missing; add `environment: INT` at the top level"],
    },
    Case {
        old: "supplier:\n  name: Example Supplier Ltd\n",
        new: "",
        said: &["F:1: supplier: is missing; add `supplier:` with name at the top level"],
    },
    Case {
        old: "  counterpart:\n    id: X26HC006\n    password: ${MESH_COUNTERPART_PASSWORD}\n",
        new: "",
        said: &[
            "F:8: mailboxes.counterpart: is missing; add `counterpart:` with id, password under mailboxes",
        ],
    },
    Case {
        old: "  name: Example Supplier Ltd\n",
        new: "",
        said: &["F:19: supplier: is empty; it takes name"],
    },
    Case {
        old: "  ca_file: ca.pem\n",
        new: "",
        said: &["F:2: endpoint.ca_file: is missing; add `ca_file: int-ca.pem` under endpoint"],
    },
];

/// Values of another type than text.
pub const TYPES: &[Case] = &[
    Case {
        old: "product:\n  name: Example Product\n  version: 1.2.3\n",
        new: "product: {name: P, version: 2, colour: blue}\n",
        said: &[
            "F:16: product.version: is a number, not text; quote it: version: \"2\"",
            "F:16: product.colour: is not a key that is known here; take it out. Known here: name, version, driver, without",
        ],
    },
    Case {
        old: "password: ${MESH_PRODUCT_PASSWORD}",
        new: "password: 12345678",
        said: &["F:11: mailboxes.product.password: is a number, not text; quote it: password: \"…\""],
    },
    Case {
        old: "password: ${MESH_PRODUCT_PASSWORD}",
        new: "password: null",
        said: &[
            "F:11: mailboxes.product.password: is empty; give it a value; one that begins with # or & or is null stands in quotes: password: \"…\"",
        ],
    },
    Case {
        old: "password: ${MESH_PRODUCT_PASSWORD}",
        new: "password: \"\"",
        said: &[
            "F:11: mailboxes.product.password: is empty; give it a value; one that begins with # or & or is null stands in quotes: password: \"…\"",
        ],
    },
    Case {
        old: "password: ${MESH_PRODUCT_PASSWORD}",
        new: "password: {a: b}",
        said: &[
            "F:11: mailboxes.product.password: is a mapping, not text; write one text; quote it when it begins with { or holds `: `",
        ],
    },
    Case {
        old: "password: ${MESH_PRODUCT_PASSWORD}",
        new: "password: [a]",
        said: &[
            "F:11: mailboxes.product.password: is a list, not text; write one text; quote it when it begins with [ or -",
        ],
    },
    Case {
        old: "version: 1.2.3",
        new: "version: 1.10",
        said: &[
            "F:18: product.version: is a number, not text; quote it: version: \"1.10\", or 1.10 becomes 1.1",
        ],
    },
    Case {
        old: "version: 1.2.3",
        new: "version:\n\n    2",
        said: &["F:18: product.version: is a number, not text; quote it: version: \"2\""],
    },
    Case {
        old: "version: 1.2.3",
        new: "version: 0x10",
        said: &["F:18: product.version: is a number, not text; quote it: version: \"0x10\""],
    },
    Case {
        old: "version: 1.2.3",
        new: "version: true",
        said: &["F:18: product.version: is true or false, not text; quote it: version: \"…\""],
    },
    Case {
        old: "version: 1.2.3",
        new: "version: 1.2.3\n  driver: {command: ./drive.sh}",
        said: &["F:19: product.driver.command: is not a list; write it in brackets: command: [./drive.sh]"],
    },
    Case {
        old: "version: 1.2.3",
        new: "version: 1.2.3\n  driver: {command: [], timeout: soon}",
        said: &[
            "F:19: product.driver.command: is empty; give it a value: command: [./drive.sh]",
            "F:19: product.driver.timeout: is no time from 1 s to 86400 s; write it like 60s or 5m, or leave it off",
        ],
    },
    Case {
        old: "version: 1.2.3",
        new: "version: 1.2.3\n  driver: {command: [./drive.sh, 7]}",
        said: &[
            "F:19: product.driver.command: holds something else than text; write each item as text; quote a number, or what begins with a special character",
        ],
    },
    Case {
        old: "version: 1.2.3",
        new: "version: 1.2.3\n  driver: {command: [./drive.sh], webhook: {url: https://a}}",
        said: &[
            "F:19: product.driver: must have one of command, webhook and manual; write `driver: reference`, `driver: manual`, `driver: {command: [./drive.sh]}` or `driver: {webhook: {url: …}}`, or leave it off",
        ],
    },
    Case {
        old: "version: 1.2.3",
        new: "version: 1.2.3\n  driver: {webhook: {url: http://product.example/hook}, timeout: 60s}",
        said: &[
            "F:19: product.driver.webhook.url: is neither https nor http on this machine; write an https URL, or http for this machine: http://127.0.0.1:9000/hook",
            "F:19: product.driver.timeout: stands in the wrong place; write it under webhook",
        ],
    },
    Case {
        old: "version: 1.2.3",
        new: "version: 1.2.3\n  driver: {webhook: {}}",
        said: &[
            "F:19: product.driver.webhook.url: is missing; add `url: https://product.example/test-hook` under product.driver.webhook",
        ],
    },
    Case {
        old: "environment: INT",
        new: "environment: INT\nemulator: {listen: 127.0.0.1:0}",
        said: &[
            "F:2: emulator: is of no use to a run against an endpoint; take it out, or leave out endpoint and name a driver: product: {driver: {command: [./drive.sh]}}",
        ],
    },
    Case {
        old: "environment: INT",
        new: "environment: INT\nrecording: {listen: 127.0.0.1:0}",
        said: &[
            "F:2: recording: is of no use to the reference client, which records itself; take it out, or name a driver: product: {driver: {command: [./drive.sh]}}",
        ],
    },
    Case {
        old: "version: 1.2.3",
        new: "version: 1.2.3\n  driver: manual\nrecording: {listen: 0.0.0.0:8443, ca_file: client.pem, folders: x}",
        said: &[
            "F:20: recording.listen: is not an address of this machine alone; write it like 127.0.0.1:8700; port 0 is any free one",
            "F:20: recording.ca_file: DIR/client.pem holds the certificate of product.example.nhs.uk, which is not one of a certificate authority; name a file that holds only certificates of authorities",
            "F:20: recording.folders: is not a key that is known here; did you mean folder? Known here: listen, folder, ca_file",
        ],
    },
    Case {
        old: "version: 1.2.3",
        new: "version: 1.2.3\n  driver: mine",
        said: &[
            "F:19: product.driver: is no driver that is known; write `driver: reference`, `driver: manual`, `driver: {command: [./drive.sh]}` or `driver: {webhook: {url: …}}`, or leave it off",
        ],
    },
    Case {
        old: "supplier:\n  name: Example Supplier Ltd\n",
        new: "supplier: Example Supplier Ltd\n",
        said: &["F:19: supplier: is not a mapping; write `key: value` lines; it takes name"],
    },
];

/// Texts that are not what they must be.
pub const VALUES: &[Case] = &[
    // Secrets that could not be told from what is no secret.
    Case {
        old: "password: ${MESH_PRODUCT_PASSWORD}",
        new: "password: inbox",
        said: &[
            "F:11: mailboxes.product.password: is a word that every request or recording has, or a part of one, so none could be read with it taken out; use another",
        ],
    },
    Case {
        old: "password: ${MESH_PRODUCT_PASSWORD}",
        new: "password: Mex-To",
        said: &[
            "F:11: mailboxes.product.password: is a word that every request or recording has, or a part of one, so none could be read with it taken out; use another",
        ],
    },
    Case {
        old: "password: ${MESH_PRODUCT_PASSWORD}",
        new: "password: '20261130'",
        said: &[
            "F:11: mailboxes.product.password: is so few digits that times, sizes and digests of the evidence have them by chance, and then there would be no bundle; use a longer one, or one with letters beyond f",
        ],
    },
    Case {
        old: "password: ${MESH_PRODUCT_PASSWORD}",
        new: "password: cafe",
        said: &[
            "F:11: mailboxes.product.password: is so few digits that times, sizes and digests of the evidence have them by chance, and then there would be no bundle; use a longer one, or one with letters beyond f",
        ],
    },
    Case {
        old: "password: ${MESH_PRODUCT_PASSWORD}",
        new: "password: abc",
        said: &[
            "F:11: mailboxes.product.password: is shorter than 4 bytes, so it would be neither taken out of what is recorded nor searched for; use a longer one",
        ],
    },
    Case {
        old: "password: ${MESH_PRODUCT_PASSWORD}",
        new: "password: X26HC006",
        said: &[
            "F:11: mailboxes.product.password: occurs in mailboxes.counterpart.id, which no request could be read without; use another",
        ],
    },
    Case {
        old: "password: ${MESH_PRODUCT_PASSWORD}",
        new: "password: TEST_WORK",
        said: &[
            "F:11: mailboxes.product.password: occurs in workflow_id, which no request could be read without; use another",
        ],
    },
    Case {
        old: "password: ${MESH_PRODUCT_PASSWORD}",
        new: "password: intspine",
        said: &[
            "F:11: mailboxes.product.password: occurs in endpoint.url, which no request could be read without; use another",
        ],
    },
    Case {
        old: "shared_key: ${MESH_SHARED_KEY}",
        new: "shared_key: message",
        said: &[
            "F:7: endpoint.shared_key: is a word that every request or recording has, or a part of one, so none could be read with it taken out; use another",
        ],
    },
    // Characters that hide or reorder text.
    Case {
        old: "name: Example Supplier Ltd",
        new: "name: \"Example\\u202e Ltd\"",
        said: &["F:20: supplier.name: has a character that hides or reorders text; take it out"],
    },
    Case {
        old: "name: Example Product",
        new: "name: \"Example\\u200bProduct\"",
        said: &["F:17: product.name: has a character that hides or reorders text; take it out"],
    },
    Case {
        old: "environment: INT",
        new: "environment: '  '",
        said: &["F:1: environment: is blank; give it a value"],
    },
    Case {
        old: "environment: INT",
        new: "environment: \"INT\\nLIVE\"",
        said: &["F:1: environment: has a line break or another control character; write it on one line"],
    },
    Case {
        old: "Example Product",
        new: "An Example Product whose name is so long that nobody could bear to see it on every single page of a report",
        said: &[
            "F:17: product.name: is longer than 100 characters; shorten it: it stands on every page of the report",
        ],
    },
    Case {
        old: "id: X26HC005",
        new: "id: x26hc005",
        said: &[
            "F:10: mailboxes.product.id: must be in upper case; write it in capitals, as the MESH API asks for",
        ],
    },
    Case {
        old: "id: X26HC005",
        new: "id: X26/HC005",
        said: &[
            "F:10: mailboxes.product.id: has the character '/', which no such identifier has; write it like X26HC005",
        ],
    },
    Case {
        old: "id: X26HC005",
        new: "id: ${LOWER}",
        said: &[
            "F:10: mailboxes.product.id: must be in upper case; write it in capitals, as the MESH API asks for",
        ],
    },
    Case {
        old: "id: X26HC005",
        new: "id: ${STARS}",
        said: &[
            "F:10: mailboxes.product.id: has a character that no mailbox ID has; use letters, digits, _ and - only",
        ],
    },
    Case {
        old: "id: X26HC005",
        new: "id: X26HC006",
        said: &[
            "F:13: mailboxes.counterpart.id: is the ID of mailboxes.product too; name another mailbox: messages go from one to the other",
        ],
    },
    Case {
        old: "workflow_id: TEST_WORKFLOW",
        new: "workflow_id: ' W'",
        said: &[
            "F:15: workflow_id: must be 1 to 300 printable ASCII characters; write it like TEST_WORKFLOW, without blanks around it",
        ],
    },
    Case {
        old: "https://msg.intspineservices.nhs.uk",
        new: "ftp://msg.intspineservices.nhs.uk",
        said: &[
            "F:3: endpoint.url: has a scheme other than https; write it like https://msg.intspineservices.nhs.uk",
        ],
    },
    Case {
        old: "https://msg.intspineservices.nhs.uk",
        new: "msg.intspineservices.nhs.uk",
        said: &[
            "F:3: endpoint.url: is no URL: it has no scheme; write it like https://msg.intspineservices.nhs.uk",
        ],
    },
    Case {
        old: "https://msg.intspineservices.nhs.uk",
        new: "http://msg.intspineservices.nhs.uk",
        said: &[
            "F:3: endpoint.url: would send passwords in the clear: http:// is accepted for loopback addresses only; use https://, or localhost",
        ],
    },
    Case {
        old: "https://msg.intspineservices.nhs.uk",
        new: "https://msg.intspineservices.nhs.uk/messageexchange/",
        said: &[
            "F:3: endpoint.url: has a path; leave off everything after the host: mesh-witness adds /messageexchange by itself",
        ],
    },
    Case {
        old: "https://msg.intspineservices.nhs.uk",
        new: "https://me:secret@msg.intspineservices.nhs.uk",
        said: &[
            "F:3: endpoint.url: has a user name or password in it; take out everything up to the @: MESH takes passwords from `mailboxes`",
        ],
    },
    Case {
        old: "https://msg.intspineservices.nhs.uk",
        new: "https://msg.intspineservices.nhs.uk:70000",
        said: &["F:3: endpoint.url: has a port that is not in 1 to 65535; correct it, or leave it off"],
    },
    Case {
        old: "supplier:",
        new: "timeouts: {connect_seconds: 0, response_seconds: 1.5, delivery_seconds: '10', transfer_seconds: 86401}\nsupplier:",
        said: &[
            "F:19: timeouts.connect_seconds: is not a whole number of seconds from 1 to 86400; write it without quotes and without a unit, or leave it off",
            "F:19: timeouts.response_seconds: is not a whole number of seconds from 1 to 86400; write it without quotes and without a unit, or leave it off",
            "F:19: timeouts.delivery_seconds: is not a whole number of seconds from 1 to 86400; write it without quotes and without a unit, or leave it off",
            "F:19: timeouts.transfer_seconds: is not a whole number of seconds from 1 to 86400; write it without quotes and without a unit, or leave it off",
        ],
    },
    Case {
        old: "supplier:",
        new: "timeouts:\n  connect_seconds: -1\n  response_seconds:\n  delivery_seconds: 10s\n  wait: 3\nsupplier:",
        said: &[
            "F:20: timeouts.connect_seconds: is not a whole number of seconds from 1 to 86400; write it without quotes and without a unit, or leave it off",
            "F:21: timeouts.response_seconds: is not a whole number of seconds from 1 to 86400; write it without quotes and without a unit, or leave it off",
            "F:22: timeouts.delivery_seconds: is not a whole number of seconds from 1 to 86400; write it without quotes and without a unit, or leave it off",
            "F:23: timeouts.wait: is not a key that is known here; take it out. Known here: connect_seconds, response_seconds, delivery_seconds, transfer_seconds",
        ],
    },
];

/// Variables.
pub const VARIABLES: &[Case] = &[
    Case {
        old: "${MESH_SHARED_KEY}",
        new: "${MESH_SHARED_KEYS}",
        said: &[
            "F:7: endpoint.shared_key: needs the environment variable MESH_SHARED_KEYS, which is not set; set it before the call: export MESH_SHARED_KEYS='…'",
        ],
    },
    Case {
        old: "${MESH_SHARED_KEY}",
        new: "${EMPTY}",
        said: &[
            "F:7: endpoint.shared_key: needs the environment variable EMPTY, which is empty; give it a value before the call: export EMPTY='…'",
        ],
    },
    Case {
        old: "${MESH_SHARED_KEY}",
        new: "${MESH_SHARED_KEY",
        said: &[
            "F:7: endpoint.shared_key: has `${` without a `}`; close it, or write `$${` for a plain `${`",
        ],
    },
    Case {
        old: "${MESH_SHARED_KEY}",
        new: "${MESH_SHARED_KEY:-default}",
        said: &[
            "F:7: endpoint.shared_key: has between `${` and `}` something that is no name of an environment variable; use letters, digits and _ only (there are no defaults such as ${NAME:-x}), or write `$${` for a plain `${`",
        ],
    },
    Case {
        old: "${MESH_SHARED_KEY}",
        new: "${TWO_LINES}",
        said: &[
            "F:7: endpoint.shared_key: has a line break or another control character; take it out; most often it is a line break at the end of the variable or the text",
        ],
    },
    Case {
        old: "ca.pem",
        new: "${LOWER}/ca.pem",
        said: &[
            "F:4: endpoint.ca_file: DIR/${LOWER}/ca.pem does not exist; correct the path; a relative one starts from the folder of the configuration file",
        ],
    },
];

/// PEM files.
pub const FILES: &[Case] = &[
    Case {
        old: "ca.pem",
        new: "certs/ca.pem",
        said: &[
            "F:4: endpoint.ca_file: DIR/certs/ca.pem does not exist; correct the path; a relative one starts from the folder of the configuration file",
        ],
    },
    Case {
        old: "ca.pem",
        new: "~/ca.pem",
        said: &[
            "F:4: endpoint.ca_file: DIR/~/ca.pem does not exist; write ${HOME} for ~, which only a shell understands",
        ],
    },
    Case {
        old: "ca.pem",
        new: ".",
        said: &[
            "F:4: endpoint.ca_file: DIR/. cannot be read: Is a directory (os error 21); name a PEM file that this user may read",
        ],
    },
    Case {
        old: "ca.pem",
        new: "empty.pem",
        said: &["F:4: endpoint.ca_file: DIR/empty.pem is empty; copy the file again"],
    },
    Case {
        old: "ca.pem",
        new: "note.txt",
        said: &[
            "F:4: endpoint.ca_file: DIR/note.txt is no PEM file; name a file with a -----BEGIN …----- in it",
        ],
    },
    Case {
        old: "ca.pem",
        new: "wide.pem",
        said: &[
            "F:4: endpoint.ca_file: DIR/wide.pem is text in UTF-16, as PowerShell writes it, not PEM; save it as UTF-8 or ASCII",
        ],
    },
    Case {
        old: "ca.pem",
        new: "large.pem",
        said: &[
            "F:4: endpoint.ca_file: DIR/large.pem cannot be read: the file is larger than 1 MiB; name a PEM file that this user may read",
        ],
    },
    Case {
        old: "ca.pem",
        new: "client.der",
        said: &[
            "F:4: endpoint.ca_file: DIR/client.der is a certificate in DER, not in PEM; convert it: openssl x509 -inform der -in DIR/client.der -out certificate.pem",
        ],
    },
    Case {
        old: "ca.pem",
        new: "client.pem",
        said: &[
            "F:4: endpoint.ca_file: DIR/client.pem holds the certificate of product.example.nhs.uk, which is not one of a certificate authority; name a file that holds only certificates of authorities",
        ],
    },
    Case {
        old: "ca.pem",
        new: "client-key.pem",
        said: &[
            "F:4: endpoint.ca_file: DIR/client-key.pem holds a private key, not a certificate; name the certificate's file here, and keep the key's to `client_key_file`",
        ],
    },
    Case {
        old: "ca.pem",
        new: "cut-off.pem",
        said: &[
            "F:4: endpoint.ca_file: DIR/cut-off.pem has a part that is damaged or cut off; copy the file again, whole and as plain text",
        ],
    },
    Case {
        old: "ca.pem",
        new: "bad-certificate.pem",
        said: &[
            "F:4: endpoint.ca_file: DIR/bad-certificate.pem holds as certificate 1 something that is none; copy the file again, whole and as plain text",
        ],
    },
    Case {
        old: "ca.pem",
        new: "ca-expired.pem",
        said: &[
            "F:4: endpoint.ca_file: DIR/ca-expired.pem holds the certificate of expired root, which expired on 2025-12-31 00:00:00 UTC (now it is 2026-11-21 12:00:00 UTC); ask its issuer for a new one",
        ],
    },
    Case {
        old: "ca.pem",
        new: "ca-to-come.pem",
        said: &[
            "F:4: endpoint.ca_file: DIR/ca-to-come.pem holds the certificate of to-come root, which is not valid before 2027-01-01 00:00:00 UTC (now it is 2026-11-21 12:00:00 UTC); check this machine's clock, or wait",
        ],
    },
    Case {
        old: "client.pem",
        new: "request.pem",
        said: &[
            "F:5: endpoint.client_certificate_file: DIR/request.pem holds a certificate request, not a certificate; name the file that came back for the request",
        ],
    },
    Case {
        old: "client.pem",
        new: "public.pem",
        said: &[
            "F:5: endpoint.client_certificate_file: DIR/public.pem holds no certificate; name a file with a -----BEGIN CERTIFICATE----- in it",
        ],
    },
    Case {
        old: "client.pem",
        new: "client.p7b",
        said: &[
            "F:5: endpoint.client_certificate_file: DIR/client.p7b holds certificates as PKCS#7, not as PEM certificates; convert it: openssl pkcs7 -in DIR/client.p7b -print_certs -out certificate.pem",
        ],
    },
    Case {
        old: "client.pem",
        new: "client.p12",
        said: &[
            "F:5: endpoint.client_certificate_file: DIR/client.p12 is a PKCS#12 store, not PEM; convert it: openssl pkcs12 -in DIR/client.p12 -nokeys -out certificate.pem, and openssl pkcs12 -in DIR/client.p12 -nocerts -nodes -out key.pem",
        ],
    },
    Case {
        old: "client.pem",
        new: "expired.pem",
        said: &[
            "F:5: endpoint.client_certificate_file: DIR/expired.pem holds the certificate of expired.example.nhs.uk, which expired on 2025-12-31 00:00:00 UTC (now it is 2026-11-21 12:00:00 UTC); ask its issuer for a new one",
        ],
    },
    Case {
        old: "client.pem",
        new: "to-come.pem",
        said: &[
            "F:5: endpoint.client_certificate_file: DIR/to-come.pem holds the certificate of to-come.example.nhs.uk, which is not valid before 2027-01-01 00:00:00 UTC (now it is 2026-11-21 12:00:00 UTC); check this machine's clock, or wait",
        ],
    },
    Case {
        old: "client.pem",
        new: "chain-backwards.pem",
        said: &[
            "F:5: endpoint.client_certificate_file: DIR/chain-backwards.pem begins with the certificate of Test Root, which the key does not belong to; put the client's own certificate first, then the intermediates",
        ],
    },
    Case {
        old: "client-key.pem",
        new: "other-key.pem",
        said: &[
            "F:6: endpoint.client_key_file: DIR/other-key.pem holds a key that does not belong to the certificate of product.example.nhs.uk; name the key that this certificate was requested with, or the certificate of this key",
        ],
    },
    Case {
        old: "client-key.pem",
        new: "client.pem",
        said: &[
            "F:6: endpoint.client_key_file: DIR/client.pem holds a certificate, not a private key; name the file of the key that the certificate was requested with",
        ],
    },
    Case {
        old: "client-key.pem",
        new: "client-key.der",
        said: &[
            "F:6: endpoint.client_key_file: DIR/client-key.der is a private key in DER, not in PEM; convert it: openssl pkey -inform der -in DIR/client-key.der -out key.pem",
        ],
    },
    Case {
        old: "client-key.pem",
        new: "sealed.pem",
        said: &[
            "F:6: endpoint.client_key_file: DIR/sealed.pem holds an encrypted private key; decrypt it: openssl pkey -in DIR/sealed.pem -out decrypted-key.pem",
        ],
    },
    Case {
        old: "client-key.pem",
        new: "sealed-old.pem",
        said: &[
            "F:6: endpoint.client_key_file: DIR/sealed-old.pem holds an encrypted private key; decrypt it: openssl pkey -in DIR/sealed-old.pem -out decrypted-key.pem",
        ],
    },
    Case {
        old: "client-key.pem",
        new: "public.pem",
        said: &[
            "F:6: endpoint.client_key_file: DIR/public.pem holds a public key, not a private key; name the file of the private key",
        ],
    },
    Case {
        old: "client-key.pem",
        new: "two-keys.pem",
        said: &[
            "F:6: endpoint.client_key_file: DIR/two-keys.pem holds 2 private keys; leave only the one of the client certificate",
        ],
    },
    Case {
        old: "client-key.pem",
        new: "bad-key.pem",
        said: &[
            "F:6: endpoint.client_key_file: DIR/bad-key.pem holds a private key that TLS cannot use; use RSA of 2048 to 8192 bits, ECDSA on P-256, P-384 or P-521, or Ed25519",
        ],
    },
    Case {
        old: "client-key.pem",
        new: "note.txt",
        said: &[
            "F:6: endpoint.client_key_file: DIR/note.txt is no PEM file; name a file with a -----BEGIN …----- in it",
        ],
    },
    Case {
        old: "client.pem\n  client_key_file: client-key.pem",
        new: "client-key.pem\n  client_key_file: client.pem",
        said: &[
            "F:5: endpoint.client_certificate_file: DIR/client-key.pem holds a private key, and client_key_file a certificate: they are swapped; exchange the values of client_certificate_file and client_key_file",
        ],
    },
    Case {
        old: "  client_key_file: client-key.pem\n",
        new: "",
        said: &[
            "F:5: endpoint.client_key_file: is missing, but client_certificate_file is there; add client_key_file, or take client_certificate_file out: a client certificate needs both",
        ],
    },
    Case {
        old: "  client_certificate_file: client.pem\n",
        new: "",
        said: &[
            "F:5: endpoint.client_certificate_file: is missing, but client_key_file is there; add client_certificate_file, or take client_key_file out: a client certificate needs both",
        ],
    },
    Case {
        old: "    id: X26HC006\n",
        new: "    id: X26HC006\n    client_key_file: client-key.pem\n",
        said: &[
            "F:14: mailboxes.counterpart.client_certificate_file: is missing, but client_key_file is there; add client_certificate_file, or take client_key_file out: a client certificate needs both",
        ],
    },
    Case {
        old: "workflow_id: TEST_WORKFLOW\n",
        new: "workflow_id: TEST_WORKFLOW\nchunking: {message_bytes: 5000, chunk_bytes: 5000}\n",
        said: &[
            "F:16: chunking.message_bytes: makes one chunk: message_bytes is 5000, chunk_bytes 5000; make message_bytes larger than chunk_bytes: cases 501 and 502 are about two chunks and more",
        ],
    },
    Case {
        old: "workflow_id: TEST_WORKFLOW\n",
        new: "workflow_id: TEST_WORKFLOW\nchunking:\n  message_bytes: 70000000\n",
        said: &[
            "F:17: chunking.message_bytes: makes one chunk: message_bytes is 70000000, chunk_bytes 70000000; make message_bytes larger than chunk_bytes: cases 501 and 502 are about two chunks and more",
        ],
    },
];

//! The emulator on the wire, called by a client that is not ours (reqwest), as the OpenAPI has it.

mod access_log;
mod admin;
mod caller;
mod chunks;
mod connections;
mod impostor;
mod messages;
mod profiles;
mod provocations;
mod reports;
mod sandbox;
mod store;
#[path = "../support/mod.rs"]
mod support;
mod switches;
mod tape;
mod tokens;
mod tracking;

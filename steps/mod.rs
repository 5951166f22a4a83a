//! Step definitions: what the sentences of the feature files do. One file a subject; each step acts
//! or judges through the [`Stage`](mesh_witness::runner::Stage), which reads the tape.

mod acknowledge;
mod attest;
mod chunks;
mod download;
mod endpoint;
mod endure;
mod handshake;
mod inbox;
mod provoke;
mod refusal;
mod report;
mod send;
mod time;
mod volume;

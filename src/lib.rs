//! Conformance and witness-test harness for NHS MESH, the Message Exchange for Social Care and Health.
//!
//! See `ARCHITECTURE.md` for the rooms; dependencies only point from the first to the last of them.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod client;
pub mod config;
pub mod csr;
pub mod disk;
pub mod emulator;
pub mod evidence;
pub mod product;
pub mod protocol;
pub mod proxy;
pub mod report;
pub mod rules;
pub mod runner;
pub mod tape;
mod wire;

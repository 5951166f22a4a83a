//! The recording proxy: in this process against peers made of bytes, and as a program in front of our
//! emulator.

mod bytes;
mod cuts;
mod large;
mod program;
mod refusals;
mod rig;
mod settling;
#[path = "../support/mod.rs"]
mod support;

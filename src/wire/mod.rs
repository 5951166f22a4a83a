//! HTTP/1.1 read passively, from the bytes that pass in both directions: the recording proxy and the
//! emulator see a product's traffic through this.

pub mod conversation;
pub mod http1;

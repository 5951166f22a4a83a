//! The one thing that is ever changed on the way, and only when asked for: the value of `Host`.

use crate::wire::http1::{Event, Lane, of_request};

/// Replaces the value of every `Host` header of a stream of requests, and leaves all other bytes as
/// they are.
#[derive(Debug)]
pub struct HostEditor {
    value: Vec<u8>,
    lane: Lane,
    line: Line,
    out: Vec<u8>,
}

/// Where in a line of a head.
#[derive(Debug)]
enum Line {
    /// In the request line.
    First,
    /// At the beginning of a header that may be `Host`: this many bytes of its name were seen.
    Name(Vec<u8>),
    /// In another header.
    Other,
    /// In the old value; `true` after a carriage return.
    Old(bool),
}

const NAME: &[u8] = b"host:";

impl HostEditor {
    /// An editor that puts `host` in the place of what was there.
    pub fn new(host: &str) -> Self {
        Self { value: host.as_bytes().to_vec(), lane: Lane::default(), line: Line::First, out: Vec::new() }
    }

    /// What to pass on of the next bytes, and of those that were held back: at most the beginning of a
    /// line that may be `Host`.
    pub fn edit(&mut self, mut bytes: &[u8]) -> &[u8] {
        self.out.clear();
        while !bytes.is_empty() {
            let step = self.lane.step(bytes);
            bytes = step.rest;
            match step.event {
                Event::Head | Event::Lost(..) => self.head(step.bytes),
                Event::HeadEnd(raw) => {
                    self.head(step.bytes);
                    self.lane.body(of_request(&crate::tape::RequestHead::read(&raw)));
                    self.line = Line::First;
                }
                Event::Blank | Event::Content(_) | Event::Framing(_) | Event::Opaque => {
                    self.let_go();
                    self.out.extend_from_slice(step.bytes);
                }
            }
        }
        &self.out
    }

    /// What was held back, when nothing more comes.
    pub fn finish(mut self) -> Vec<u8> {
        self.out.clear();
        self.let_go();
        self.out
    }

    fn let_go(&mut self) {
        if let Line::Name(held) = &mut self.line {
            self.out.append(held);
            self.line = Line::Other;
        }
    }

    fn head(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.byte(*byte);
        }
    }

    fn byte(&mut self, byte: u8) {
        match &mut self.line {
            Line::First | Line::Other => {
                self.out.push(byte);
                if byte == b'\n' {
                    self.line = Line::Name(Vec::new());
                }
            }
            Line::Name(held) => {
                held.push(byte);
                let so_far = NAME.get(..held.len()).unwrap_or_default();
                if !held.eq_ignore_ascii_case(so_far) {
                    self.out.append(held);
                    self.line = if byte == b'\n' { Line::Name(Vec::new()) } else { Line::Other };
                } else if held.len() == NAME.len() {
                    self.out.append(held);
                    self.out.push(b' ');
                    self.out.extend_from_slice(&self.value);
                    self.line = Line::Old(false);
                }
            }
            Line::Old(returned) => {
                if byte == b'\n' {
                    self.out.extend_from_slice(if *returned { b"\r\n" } else { b"\n" });
                    self.line = Line::Name(Vec::new());
                } else {
                    *returned = byte == b'\r';
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(wire: &[u8], cut: usize) -> Vec<u8> {
        let mut editor = HostEditor::new("mesh:1");
        let mut out: Vec<u8> = Vec::new();
        for piece in wire.chunks(cut) {
            out.extend_from_slice(editor.edit(piece));
        }
        out.extend(editor.finish());
        out
    }

    #[test]
    fn only_the_value_of_host_is_changed_however_it_is_cut() {
        let wire = b"POST /Host: HTTP/1.1\r\nhOsT:localhost:8443\r\nX-Host: a\r\nHosts: b\r\nHo: c\r\n\
                     Content-Length: 9\r\n\r\nHost: x\r\nGET / HTTP/1.1\nHost:  y\nA: b\n\n";
        let wanted = b"POST /Host: HTTP/1.1\r\nhOsT: mesh:1\r\nX-Host: a\r\nHosts: b\r\nHo: c\r\n\
                     Content-Length: 9\r\n\r\nHost: x\r\nGET / HTTP/1.1\nHost: mesh:1\nA: b\n\n";
        for cut in 1..=wire.len() {
            assert_eq!(
                String::from_utf8_lossy(&edited(wire, cut)),
                String::from_utf8_lossy(wanted),
                "cut {cut}"
            );
        }
    }

    #[test]
    fn what_is_no_http_or_breaks_off_passes_as_it_is() {
        for wire in [
            &b"\x16\x03\x01\x00host:"[..],
            b"GET / HTTP/1.1\r\nHo",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nHost: a\r\n",
        ] {
            for cut in 1..=wire.len() {
                assert_eq!(edited(wire, cut), wire, "cut {cut}");
            }
        }
    }
}

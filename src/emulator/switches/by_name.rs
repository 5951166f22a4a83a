//! Switches by their names, for those who turn one on a command line.

use thiserror::Error;

use super::{Choice, Switches};

/// Why a switch cannot be turned.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SwitchError {
    /// No switch has the name.
    #[error("there is no switch `{given}`; did you mean `{nearest}`?")]
    NoSwitch {
        /// What was to be turned.
        given: String,
        /// The switch whose name is most like it.
        nearest: &'static str,
    },
    /// The switch has no such choice.
    #[error("`{switch}` is {}, and not `{given}`", .choices.join(" or "))]
    NoChoice {
        /// The switch.
        switch: &'static str,
        /// What it was to be.
        given: String,
        /// What it can be.
        choices: Vec<&'static str>,
    },
}

/// A switch, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turned {
    /// Its name, as in `docs/emulator.md`.
    pub switch: &'static str,
    /// What is chosen.
    pub choice: &'static str,
    /// What can be.
    pub choices: Vec<&'static str>,
}

macro_rules! switches {
    ($($name:literal => $($field:ident).+,)*) => {
        impl Switches {
            /// Turns the switch of a name, which are those of the fields; the times of expiry are not among them.
            ///
            /// ```
            /// use mesh_witness::emulator::{Switches, switches::ChunkOrder};
            ///
            /// let mut switches = Switches::default();
            /// switches.turn("chunk_order", "any")?;
            /// assert_eq!(switches.chunk_order, ChunkOrder::Any);
            /// # Ok::<(), mesh_witness::emulator::switches::SwitchError>(())
            /// ```
            ///
            /// # Errors
            /// When there is no such switch, or no such choice.
            pub fn turn(&mut self, switch: &str, choice: &str) -> Result<(), SwitchError> {
                match switch {
                    $($name => self.$($field).+ = chosen($name, choice)?,)*
                    _ => return Err(no_switch(switch, &[$($name),*])),
                }
                Ok(())
            }

            /// How each stands, in the order of the fields.
            #[must_use]
            pub fn turned(&self) -> Vec<Turned> {
                vec![$(turned($name, self.$($field).+),)*]
            }
        }
    };
}

switches! {
    "handshake_methods" => handshake_methods,
    "handshake_body" => handshake_body,
    "token_replay" => token_replay,
    "token_window" => token_window,
    "hash_case" => hash_case,
    "lookup_token" => lookup_token,
    "send.old_headers_checked" => send.old_headers_checked,
    "send.missing_to" => send.missing_to,
    "unknown_recipient" => unknown_recipient,
    "workflows" => workflows,
    "acknowledged" => acknowledged,
    "expired" => expired,
    "foreign" => foreign,
    "acknowledge_body" => acknowledge_body,
    "unlisted" => unlisted,
    "other_encoding" => other_encoding,
    "chunk_encoding" => chunk_encoding,
    "chunk_header" => chunk_header,
    "chunk_order" => chunk_order,
    "chunk_reply" => chunk_reply,
    "report_to" => report_to,
    "report_subject" => report_subject,
    "tracking_nulls" => tracking_nulls,
    "tracking_times" => tracking_times,
    "patient_routing" => patient_routing,
    "token_form" => token_form,
    "reading" => reading,
    "refusals" => refusals,
    "message_ids" => message_ids,
    "media_types" => media_types,
    "download_headers" => download_headers,
    "compression" => compression,
    "head" => head,
    "uploading" => uploading,
    "tracking_body" => tracking_body,
    "extras" => extras,
    "event_reports" => event_reports,
}

fn no_switch(given: &str, known: &[&'static str]) -> SwitchError {
    let likeness = |name: &&&str| strsim::normalized_damerau_levenshtein(given, name);
    let nearest = known.iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    SwitchError::NoSwitch { given: given.to_owned(), nearest: nearest.copied().unwrap_or_default() }
}

fn chosen<C: Choice>(switch: &'static str, given: &str) -> Result<C, SwitchError> {
    let found = C::NAMED.iter().find(|(name, _)| *name == given).map(|(_, choice)| *choice);
    found.ok_or_else(|| SwitchError::NoChoice { switch, given: given.to_owned(), choices: names::<C>() })
}

fn turned<C: Choice>(switch: &'static str, choice: C) -> Turned {
    let name = C::NAMED.iter().find(|(_, named)| *named == choice).map_or("", |(name, _)| *name);
    Turned { switch, choice: name, choices: names::<C>() }
}

fn names<C: Choice>() -> Vec<&'static str> {
    C::NAMED.iter().map(|(name, _)| *name).collect()
}

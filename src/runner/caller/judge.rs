//! What a scenario says that the answer must be. Everything is read from the tape's exchange.

use std::sync::Arc;

use super::{Caller, Known, misplaced};
use crate::{
    rules::endpoint::{self, Named},
    runner::Fault,
    tape::Exchange,
};

impl Caller {
    /// The last answer, to be judged.
    ///
    /// # Errors
    /// When there was no call before.
    pub fn last_answer(&self) -> Result<&Exchange, Fault> {
        self.answer().map(Arc::as_ref)
    }

    /// An error with this status and code. `which` says what it names: `the message`, `a message ID`,
    /// `no message ID`; anything else leaves it open.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn is_error(&self, status: u16, code: &str, which: &str) -> Result<(), Fault> {
        let id = self.message.clone().unwrap_or_default();
        let named = match which {
            "the message" => Named::This(&id),
            "a message ID" => Named::Any,
            "no message ID" => Named::None,
            _ => Named::Either,
        };
        endpoint::error(self.answer()?, status, code, named)
    }

    /// A validation error of this part of the request. What an endpoint that is not our own calls the
    /// part, no document says.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn is_validation_error(&self, place: &str, name: &str) -> Result<(), Fault> {
        endpoint::validation(self.answer()?, self.is_exact().then_some((place, name)))
    }

    /// The answer has this status, a body of this shape, and the media type of the version. Other
    /// endpoints than ours may call v2 `application/json`, as mesh-sandbox does.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn is_shaped(&self, status: u16, shape: &str) -> Result<(), Fault> {
        let answer = self.answer()?;
        endpoint::status(answer, status)?;
        endpoint::shape(answer, shape)?;
        endpoint::media_type(answer, self.is_exact())
    }

    /// A header has this value; placeholders are filled in.
    ///
    /// # Errors
    /// When it has another.
    pub fn header_is(&self, name: &str, value: &str) -> Result<(), Fault> {
        endpoint::header_is(self.answer()?, name, Some(&self.fill(value)?))
    }

    /// A field of the body has this value; placeholders are filled in.
    ///
    /// # Errors
    /// When it has another.
    pub fn field_is(&self, pointer: &str, value: &str) -> Result<(), Fault> {
        endpoint::field_is(self.answer()?, pointer, &self.fill(value)?)
    }

    /// The content is that of the message, or of one of its chunks, from 1.
    ///
    /// # Errors
    /// When it is not.
    pub fn content_is_what_was_sent(&self, chunk: usize) -> Result<(), Fault> {
        let content = self.known()?.content.get(chunk.wrapping_sub(1)).copied();
        let content = content.ok_or_else(|| misplaced(format!("the message has no chunk {chunk}")))?;
        endpoint::content_is(self.answer()?, content)
    }

    /// The last page lists the message.
    ///
    /// # Errors
    /// When it does not.
    pub fn lists_the_message(&self, must: bool) -> Result<(), Fault> {
        let (answer, id) = (self.answer()?, self.fill("{message}")?);
        let count = endpoint::listed(answer)?.iter().filter(|listed| **listed == id).count();
        if count == usize::from(must) {
            return Ok(());
        }
        let times = |count| match count {
            0 => format!("{id} not listed"),
            1 => format!("{id} listed once"),
            more => format!("{id} listed {more} times"),
        };
        Err(endpoint::wrong(
            answer,
            "the inbox is not what it must be",
            times(usize::from(must)),
            times(count),
        ))
    }

    /// The pages that were listed, together, list what the scenario has sent and was not acknowledged, of
    /// one workflow or of all: nothing missing, nothing twice, oldest first.
    ///
    /// # Errors
    /// When they list anything else.
    pub fn lists_all_sent(&self, workflow: Option<&str>) -> Result<(), Fault> {
        let workflow = workflow.map(|workflow| self.fill(workflow)).transpose()?;
        let of_it =
            |known: &&Known| !known.acknowledged && workflow.as_ref().is_none_or(|id| known.workflow == *id);
        let mut expected: Vec<&str> =
            self.messages.iter().filter(of_it).map(|known| known.id.as_str()).collect();
        let mut seen = Vec::new();
        for page in &self.listings {
            seen.extend(endpoint::listed(page)?);
        }
        if !self.is_exact() {
            // Others may use the mailbox as well, and no document says in which order messages are listed.
            seen.retain(|id| self.messages.iter().any(|known| known.id == *id));
            seen.sort_unstable();
            expected.sort_unstable();
        }
        if seen == expected {
            return Ok(());
        }
        let shown = |ids: &[&str]| {
            format!("{}: {}", ids.len(), ids.iter().take(5).copied().collect::<Vec<_>>().join(", "))
        };
        let seen: Vec<&str> = seen.iter().map(String::as_str).collect();
        Err(endpoint::wrong(self.answer()?, "the inbox lists something else", shown(&expected), shown(&seen)))
    }

    /// The last page has so many messages.
    ///
    /// # Errors
    /// When it has more or fewer.
    pub fn page_has(&self, count: usize) -> Result<(), Fault> {
        let seen = endpoint::listed(self.answer()?)?.len();
        if seen == count {
            return Ok(());
        }
        let shown = |count| format!("{count} messages");
        Err(endpoint::wrong(self.answer()?, "the page has another length", shown(count), shown(seen)))
    }

    /// The page that was listed lists exactly one report, and from here on that is "the message".
    ///
    /// # Errors
    /// When nothing is listed, or more.
    pub fn talk_of_the_only_one_listed(&mut self) -> Result<(), Fault> {
        let listed = endpoint::listed(self.answer()?)?;
        let unknown = listed.iter().filter(|id| self.messages.iter().all(|known| known.id != **id));
        match unknown.cloned().collect::<Vec<_>>().as_slice() {
            [one] => {
                self.message = Some(one.clone());
                Ok(())
            }
            others => {
                let seen = format!("{} messages that this scenario has not sent", others.len());
                Err(endpoint::wrong(self.answer()?, "the inbox lists something else", "one report", seen))
            }
        }
    }

    /// A header names the first message that was sent, or a field of the body does.
    ///
    /// # Errors
    /// When it does not.
    pub fn first_sent(&self) -> Result<String, Fault> {
        let first = self.messages.first().map(|known| known.id.clone());
        first.ok_or_else(|| misplaced("this step needs a message before it".to_owned()))
    }
}

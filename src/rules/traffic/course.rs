//! What a run asked of the product, and when its endpoint started anew. What was asked for is not held
//! against the product, nor what it was not given the chance to do.

use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::view::path_mailbox;
use crate::tape::{Actor, Exchange};

/// How a run went, as far as rules must know it. A recording of a product that nobody drove has none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Course {
    /// What was asked for.
    pub asks: Vec<Asked>,
    /// When an endpoint started anew: what lay in the mailbox was gone, and so were connections.
    pub anew: Vec<Anew>,
    /// Numbers of exchanges in the product's mailbox that were made to test an endpoint: no product's.
    pub by_hand: BTreeSet<usize>,
    /// Whether the reference client stood in for the product: what it presents is the configuration's choice.
    pub stand_in: bool,
}

/// Something that the product was asked to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The product's mailbox.
    pub mailbox: String,
    /// What it was asked to do.
    pub act: Act,
    /// When it was asked, UTC.
    pub from: DateTime<Utc>,
    /// When it had acted, or was not waited for any longer; `None` when the run was cut short before.
    pub to: Option<DateTime<Utc>>,
    /// Whether the product believes that it succeeded; `None` when it does not say.
    pub succeeded: Option<bool>,
    /// Whether nothing more can come of it, as when a program has ended.
    pub is_over: bool,
    /// Whether it was to look into its inbox until a message has come.
    pub waits: bool,
    /// In chunks of how many bytes it was to send.
    pub chunk_bytes: Option<u64>,
    /// Numbers of the exchanges that began meanwhile, ascending. A HAR has times too coarse to tell.
    pub exchanges: Vec<usize>,
}

/// What a product can be asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Validate its mailbox.
    Handshake,
    /// Send a message.
    Send,
    /// One poll cycle.
    Receive,
    /// Ask what became of a message.
    Track,
}

/// An endpoint started anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anew {
    /// The product's mailbox there.
    pub mailbox: String,
    /// When, UTC.
    pub at: DateTime<Utc>,
    /// Number of the mailbox's first exchange there; `None` when there was none.
    pub first: Option<usize>,
}

/// Whether a product has had the chance to do what must follow a call of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chance {
    /// It ended by itself, and believes that all went well.
    Had,
    /// It had not, and why.
    Denied(&'static str),
    /// Only time can tell.
    Open,
}

impl Course {
    /// Takes note that a product is asked now.
    pub fn ask(&mut self, asked: Asked) -> usize {
        self.asks.push(asked);
        self.asks.len() - 1
    }

    /// Takes note that it has acted.
    pub fn acted(&mut self, place: usize, at: DateTime<Utc>, succeeded: Option<bool>, is_over: bool) {
        if let Some(asked) = self.asks.get_mut(place) {
            asked.to = Some(at);
            (asked.succeeded, asked.is_over) = (succeeded, is_over);
        }
    }

    /// Takes note that an endpoint starts anew.
    pub fn anew(&mut self, mailbox: &str, at: DateTime<Utc>) {
        self.anew.push(Anew { mailbox: mailbox.to_owned(), at, first: None });
    }

    /// Finds which exchanges were made within which ask, and at which endpoint. Asks of a mailbox follow each
    /// other, so that the last that had begun is the one.
    #[must_use]
    pub fn numbered(mut self, exchanges: &[(usize, Arc<Exchange>)]) -> Self {
        let mut sorted: Vec<&(usize, Arc<Exchange>)> = exchanges.iter().collect();
        sorted.sort_by_key(|(_, exchange)| exchange.started_at);
        for (number, exchange) in sorted {
            let Some(mailbox) = product_mailbox(exchange) else { continue };
            let at = exchange.started_at;
            let begun = |asked: &Asked| asked.is_of(mailbox) && asked.from <= at;
            let last = self.asks.iter().rposition(begun).and_then(|place| self.asks.get_mut(place));
            if let Some(asked) = last.filter(|asked| asked.to.is_none_or(|to| at <= to)) {
                asked.exchanges.push(*number);
            }
            let there = |anew: &&mut Anew| is_same(&anew.mailbox, mailbox) && anew.at <= at;
            for anew in self.anew.iter_mut().filter(there) {
                anew.first.get_or_insert(*number);
            }
        }
        self.asks.iter_mut().for_each(|asked| asked.exchanges.sort_unstable());
        self
    }
}

impl Asked {
    /// That it is asked now. What comes of it is told to [`Course::acted`].
    #[must_use]
    pub fn now(mailbox: &str, act: Act) -> Self {
        Self {
            mailbox: mailbox.to_owned(),
            act,
            from: Utc::now(),
            to: None,
            succeeded: None,
            is_over: false,
            waits: false,
            chunk_bytes: None,
            exchanges: Vec::new(),
        }
    }

    pub(super) fn is_of(&self, mailbox: &str) -> bool {
        is_same(&self.mailbox, mailbox)
    }

    pub(super) fn chance(&self) -> Chance {
        match (self.to, self.succeeded) {
            (None, _) => Chance::Denied("the run was cut short while the product acted"),
            (_, Some(false)) => Chance::Denied("the product failed by its own account, or was ended"),
            (_, Some(true)) if self.is_over => Chance::Had,
            _ => Chance::Open,
        }
    }
}

/// Whether two spellings name one mailbox.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// The mailbox that a call of the product's names.
fn product_mailbox(exchange: &Exchange) -> Option<&str> {
    path_mailbox(&exchange.request.head.target).filter(|_| exchange.actor == Actor::Product)
}

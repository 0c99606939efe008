//! Which line of which header made an edge. Kept for explanations only; arranging a tree does without.

use super::graph::Phase;
use crate::installed::{Head, Tier};
use crate::lsb::scan::Key;
use crate::symbols::{NONE, Symbol};

/// A word of a header.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cause {
    pub script: Symbol,
    /// The override directory that the header lies in; `None`: the script itself.
    pub tier: Option<Tier>,
    pub key: Key,
    pub line: u32,
    /// As it stands there, `$` and `+` included.
    pub word: Symbol,
}

/// An edge as it was made, between services.
#[derive(Debug, Clone, Copy)]
pub(super) struct Traced {
    pub later: u32,
    pub earlier: u32,
    pub phase: Phase,
    pub cause: Cause,
}

/// The record.
#[derive(Debug)]
pub(super) struct Log {
    pub edges: Vec<Traced>,
    /// The words `$all`, whose edges are made when everything has been read.
    all: Vec<(u32, Phase, Cause)>,
    now: Cause,
    head: Head,
    nested: u32,
}

/// The record, if one is kept.
#[derive(Debug)]
pub(super) enum Trace {
    Off,
    On(Box<Log>),
}

impl Trace {
    pub(super) fn on() -> Trace {
        let now = Cause { script: NONE, tier: None, key: Key::Provides, line: 0, word: NONE };
        Trace::On(Box::new(Log { edges: Vec::new(), all: Vec::new(), now, head: Head::default(), nested: 0 }))
    }

    fn log(&mut self) -> Option<&mut Log> {
        match self {
            Trace::Off => None,
            Trace::On(log) => Some(log),
        }
    }

    /// From now on words are those of this script's header.
    pub(super) fn source(&mut self, script: Symbol, head: &Head) {
        if let Some(log) = self.log() {
            (log.head, log.now.script, log.now.tier) = (*head, script, head.tier);
        }
    }

    /// From now on words are those of this key.
    pub(super) fn key(&mut self, key: Key) {
        if let Some(log) = self.log() {
            (log.now.key, log.now.line) = (key, log.head.line(key).unwrap_or_default());
        }
    }

    /// The next word; those that a facility stands for are none of the header's.
    pub(super) fn word(&mut self, word: Symbol) {
        if let Some(log) = self.log() {
            if log.nested == 0 {
                log.now.word = word;
            }
        }
    }

    /// What follows stands for the last word, until [`Trace::leave`].
    pub(super) fn enter(&mut self) {
        if let Some(log) = self.log() {
            log.nested += 1;
        }
    }

    pub(super) fn leave(&mut self) {
        if let Some(log) = self.log() {
            log.nested -= 1;
        }
    }

    /// An edge has been made for the last word.
    pub(super) fn edge(&mut self, later: u32, earlier: u32, phase: Phase) {
        if let Some(log) = self.log() {
            log.edges.push(Traced { later, earlier, phase, cause: log.now });
        }
    }

    /// The last word was `$all`.
    pub(super) fn all(&mut self, service: u32, phase: Phase) {
        if let Some(log) = self.log() {
            log.all.push((service, phase, log.now));
        }
    }

    /// What follows is for the `$all` of a service.
    pub(super) fn recall(&mut self, service: u32, phase: Phase) {
        if let Some(log) = self.log() {
            let found = log.all.iter().find(|(s, p, _)| (*s, *p) == (service, phase));
            log.nested = 1;
            if let Some(&(_, _, cause)) = found {
                log.now = cause;
            }
        }
    }
}

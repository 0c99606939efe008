//! What `$network` and its like stand for, and how the words of a header become edges.

use super::error::OrderError;
use super::graph::{Graph, Phase, flag};
use super::trace::Trace;
use crate::conf::{Conf, Directive};
use crate::symbols::{NONE, Symbol, Symbols};

/// How deep facilities may contain facilities.
const DEPTH: usize = 10;

/// The facilities of insserv.conf, expanded to names of services.
#[derive(Debug, Default)]
pub(super) struct Facilities {
    defined: Vec<(Symbol, Vec<Symbol>)>,
    /// For each symbol its place in `defined`.
    places: Vec<u32>,
    /// Names that insserv.conf declares interactive, in its order.
    pub interactive: Vec<Symbol>,
}

impl Facilities {
    /// # Errors
    /// When a facility contains itself.
    pub(super) fn new(conf: &Conf, names: &Symbols) -> Result<Facilities, OrderError> {
        let mut all = Facilities { places: vec![NONE; names.len()], ..Facilities::default() };
        for directive in conf.directives() {
            match directive {
                Directive::Interactive(words) => all.interactive.extend(words),
                Directive::Facility(name, words) => all.define(*name, words),
            }
        }
        for at in 0..all.defined.len() {
            let (name, words) = all.defined[at].clone();
            let (nested, mut plain): (Vec<_>, Vec<_>) =
                words.into_iter().partition(|&word| is_facility(names, word));
            let mut open = vec![name];
            for word in nested {
                all.expand(word, names, &mut open, &mut plain)?;
            }
            all.defined[at].1 = plain;
        }
        Ok(all)
    }

    /// The words of a facility; `None` when it is not defined.
    pub(super) fn words(&self, facility: Symbol) -> Option<&[Symbol]> {
        self.defined.get(self.places[facility as usize] as usize).map(|(_, words)| &words[..])
    }

    fn define(&mut self, name: Symbol, words: &[Symbol]) {
        let place = &mut self.places[name as usize];
        if *place == NONE {
            *place = self.defined.len() as u32;
            self.defined.push((name, Vec::new()));
        }
        self.defined[*place as usize].1.extend_from_slice(words);
    }

    fn expand(
        &self,
        facility: Symbol,
        names: &Symbols,
        open: &mut Vec<Symbol>,
        into: &mut Vec<Symbol>,
    ) -> Result<(), OrderError> {
        if open.contains(&facility) {
            return Err(OrderError::FacilityLoop { facility: names.name(facility).to_owned() });
        }
        open.push(facility);
        for &word in self.words(facility).unwrap_or_default() {
            if !is_facility(names, word) {
                into.push(word);
            } else if open.len() > DEPTH + 2 {
                break;
            } else {
                self.expand(word, names, open, into)?;
            }
        }
        open.pop();
        Ok(())
    }
}

fn is_facility(names: &Symbols, word: Symbol) -> bool {
    names.name(word).starts_with('$')
}

/// Turns words into needs and edges.
pub(super) struct Weaver<'a> {
    pub names: &'a Symbols,
    pub facilities: &'a Facilities,
    pub graph: Graph,
    /// Facilities that are not defined, with the service that wants them.
    pub unknown: Vec<(u32, Symbol)>,
    pub trace: Trace,
}

impl Weaver<'_> {
    /// `service` waits for `words` (Required, Should); those with a `+` need not be there.
    pub(super) fn require(&mut self, service: u32, must: bool, phase: Phase, words: &[Symbol]) {
        let mut service = service;
        for &word in words {
            self.trace.word(word);
            match self.names.first(word) {
                None => {}
                Some(b'$') => self.require_facility(service, must, phase, word),
                Some(b'+') => service = self.wait(service, false, phase, self.names.without_plus(word)),
                Some(_) => service = self.wait(service, must, phase, word),
            }
        }
    }

    /// `words` wait for `service` (X-Start-Before, X-Stop-After).
    pub(super) fn precede(&mut self, service: u32, phase: Phase, words: &[Symbol]) {
        let own = self.graph.services[service as usize].name;
        for &word in words {
            self.trace.word(word);
            let name = self.names.name(word);
            self.trace.enter();
            if name.starts_with('$') {
                for &inner in self.facilities.words(word).unwrap_or_default() {
                    self.precede(service, phase, &[inner]);
                }
            } else if !name.is_empty() {
                let other = self.graph.service(self.names.without_plus(word));
                self.require(other, false, phase, &[own]);
            }
            self.trace.leave();
        }
    }

    fn require_facility(&mut self, service: u32, must: bool, phase: Phase, word: Symbol) {
        let name = self.names.name(word);
        if name.eq_ignore_ascii_case("$null") {
        } else if name.eq_ignore_ascii_case("$all") {
            self.graph.set(service, if phase == Phase::Stop { flag::FIRST } else { flag::LAST });
            self.trace.all(service, phase);
        } else if let Some(words) = self.facilities.words(word) {
            self.trace.enter();
            for &inner in words {
                self.require(service, must, phase, &[inner]);
            }
            self.trace.leave();
        } else {
            self.unknown.push((service, word));
        }
    }

    /// One edge; gives back the service that the following words are about.
    fn wait(&mut self, service: u32, must: bool, phase: Phase, word: Symbol) -> u32 {
        let other = self.graph.service(word);
        let (service, owner, need) = match phase {
            // What stops later waits for what requires it.
            Phase::Stop => (service, self.graph.original(other), service),
            Phase::Start => {
                let service = self.graph.original(service);
                (service, service, other)
            }
        };
        self.graph.need(owner, phase, need, must);
        let (later, earlier) = (self.graph.original(owner), self.graph.original(need));
        self.graph.link(later, earlier, phase);
        self.trace.edge(later, earlier, phase);
        service
    }
}

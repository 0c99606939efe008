//! Goes through the links that are there, then the arguments, in insserv's order, and puts them and what their
//! headers say into the graph. The scripts of the directory come after, in another file.

use super::change::{Action, Arguments, Change};
use super::error::{OrderError, Warning};
use super::facilities::Weaver;
use super::graph::{PHASES, Phase, flag};
use super::headers::Headers;
use crate::files::File;
use crate::installed::{Head, Installed};
use crate::link::Kind;
use crate::lsb::scan::Key;
use crate::name::Runlevel;
use crate::symbols::{NONE, Symbol};

/// What reading needs and yields beside the graph.
pub(super) struct Reader<'a> {
    pub installed: &'a Installed,
    pub change: &'a Change,
    pub weaver: Weaver<'a>,
    pub warnings: Vec<Warning>,
    /// The first reason to refuse that insserv finds while reading; it reads on.
    pub refusal: Option<OrderError>,
    /// Places in `installed.links` of links that point nowhere.
    pub dangling: Vec<u32>,
    pub arguments: Arguments,
}

impl<'a> Reader<'a> {
    pub(super) fn new(installed: &'a Installed, change: &'a Change, weaver: Weaver<'a>) -> Reader<'a> {
        Reader {
            installed,
            change,
            weaver,
            warnings: Vec::new(),
            refusal: None,
            dangling: Vec::new(),
            arguments: Arguments::new(change, &installed.names),
        }
    }

    /// Reads links and arguments.
    ///
    /// # Errors
    /// What makes insserv stop at once.
    pub(super) fn read(&mut self) -> Result<(), OrderError> {
        for &name in &self.weaver.facilities.interactive {
            let service = self.weaver.graph.service(name);
            let original = self.weaver.graph.original(service);
            self.weaver.graph.set(original, flag::INTERACTIVE);
        }
        self.links()?;
        self.weaver.graph.drop_united();
        self.name_arguments()
    }

    /// Tells what is odd, when all has been read.
    pub(super) fn tell(&mut self) {
        self.tell_unknown();
        if let Some(service) = self.weaver.graph.undefined {
            let service = self.text(self.weaver.graph.services[service as usize].name);
            self.warnings.push(Warning::Undefined { service });
        }
    }

    fn links(&mut self) -> Result<(), OrderError> {
        for level in Runlevel::ALL {
            for place in 0..self.installed.links.len() {
                if self.installed.links[place].runlevel == level {
                    self.link(place)?;
                }
            }
        }
        Ok(())
    }

    fn link(&mut self, place: usize) -> Result<(), OrderError> {
        let entry = self.installed.links[place];
        let file = self.installed.files.get(entry.target);
        let (real, head) = match file {
            _ if entry.head != NONE => (entry.target, entry.head),
            Some(file) => (file.real, file.head),
            None => {
                self.dangling.push(place as u32);
                return Ok(());
            }
        };
        let headers = self.headers();
        let head = headers.of_link(entry.target, real, head)?;
        self.weaver.trace.source(entry.target, &head);
        let phase = phase(entry.kind);
        let mut first = None;
        for token in headers.provides(&head, entry.name) {
            let graph = &mut self.weaver.graph;
            let service = graph.service(token);
            let numbers = &mut graph.services[service as usize].sequence;
            match phase {
                Phase::Stop if numbers[1] == 0 => numbers[1] = entry.sequence.min(99),
                Phase::Stop => numbers[1] = numbers[1].min(entry.sequence),
                Phase::Start => numbers[0] = numbers[0].max(entry.sequence),
            }
            graph.add_levels(service, phase, [entry.runlevel].into_iter().collect());
            match first {
                Some(first) => graph.unite(first, service),
                None => first = Some(service),
            }
            if !graph.provide(service, entry.target) {
                continue;
            }
            graph.services[service as usize].links += 1;
            if !graph.has(service, flag::KNOWN) {
                graph.set(service, flag::KNOWN | flag::ENABLED);
                let interactive = if head.interactive { flag::INTERACTIVE } else { 0 };
                graph.set(service, interactive);
                for phase in PHASES {
                    self.weave_after(service, phase, &head);
                    self.weave_before(service, phase, &head);
                }
            }
        }
        Ok(())
    }

    /// The arguments are named first, so that they find each other.
    fn name_arguments(&mut self) -> Result<(), OrderError> {
        if self.change.action == Action::Remove && self.change.arguments.is_empty() {
            return Err(OrderError::NoArgument);
        }
        for argument in &self.change.arguments {
            let Some(file) = self.file(&argument.name) else {
                return Err(OrderError::NoScript { name: argument.name.clone() });
            };
            let headers = self.headers();
            let head = headers.of_link(file.name, file.real, file.head)?;
            let mut first = None;
            for token in headers.provides(&head, file.name) {
                let graph = &mut self.weaver.graph;
                let service = graph.service(token);
                match first {
                    Some(first) => graph.unite(first, service),
                    None => first = Some(service),
                }
                graph.set(service, flag::ARGUMENT);
            }
        }
        Ok(())
    }

    /// Needs of a service, in insserv's order, which decides which name is mentioned first.
    pub(super) fn weave(&mut self, service: u32, head: &Head) {
        for phase in PHASES {
            self.weave_after(service, phase, head);
        }
        if head.interactive {
            self.weaver.graph.set(service, flag::INTERACTIVE);
        }
    }

    fn weave_after(&mut self, service: u32, phase: Phase, head: &Head) {
        let (required, should) = match phase {
            Phase::Start => (Key::RequiredStart, Key::ShouldStart),
            Phase::Stop => (Key::RequiredStop, Key::ShouldStop),
        };
        for (must, key) in [(true, required), (false, should)] {
            self.weaver.trace.key(key);
            self.weaver.require(service, must, phase, &self.installed.words[head.range(key)]);
        }
    }

    pub(super) fn weave_before(&mut self, service: u32, phase: Phase, head: &Head) {
        let key = match phase {
            Phase::Start => Key::StartBefore,
            Phase::Stop => Key::StopAfter,
        };
        self.weaver.trace.key(key);
        self.weaver.precede(service, phase, &self.installed.words[head.range(key)]);
    }

    pub(super) fn headers(&self) -> Headers<'a> {
        Headers { installed: self.installed, force: self.change.force }
    }

    pub(super) fn file(&self, name: &str) -> Option<File> {
        self.installed.file(name).copied()
    }

    pub(super) fn text(&self, symbol: Symbol) -> String {
        self.installed.names.name(symbol).to_owned()
    }

    fn tell_unknown(&mut self) {
        let mut unknown = std::mem::take(&mut self.weaver.unknown);
        unknown.sort_unstable();
        unknown.dedup();
        for (service, facility) in unknown {
            let script = self.text(self.weaver.graph.services[service as usize].name);
            self.warnings.push(Warning::UnknownFacility { script, facility: self.text(facility) });
        }
    }
}

/// The order that a kind of link belongs to.
pub(super) fn phase(kind: Kind) -> Phase {
    match kind {
        Kind::Start => Phase::Start,
        Kind::Kill => Phase::Stop,
    }
}

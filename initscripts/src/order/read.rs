//! Goes through links, arguments and scripts in insserv's order and builds the graph from their headers.

use super::change::{Action, Change};
use super::error::{OrderError, Warning};
use super::facilities::Weaver;
use super::graph::{Phase, flag};
use super::refuse;
use crate::installed::{File, Head, Installed};
use crate::link::Kind;
use crate::lsb::scan::Key;
use crate::lsb::words;
use crate::name::{Runlevel, Runlevels};
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
    /// For each symbol, the place of the file of that name.
    files: Vec<u32>,
}

/// A header as it counts, after overrides.
struct Effective {
    head: Head,
    complete: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(installed: &'a Installed, change: &'a Change, weaver: Weaver<'a>) -> Reader<'a> {
        let mut files = vec![NONE; installed.names.len()];
        for (place, file) in installed.files.iter().enumerate() {
            files[file.name as usize] = place as u32;
        }
        Reader { installed, change, weaver, warnings: Vec::new(), refusal: None, dangling: Vec::new(), files }
    }

    /// Reads everything.
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
        self.arguments()?;
        self.scripts()?;
        self.weaver.graph.drop_united();
        self.tell_unknown();
        if let Some(service) = self.weaver.graph.undefined {
            let service = self.text(self.weaver.graph.services[service as usize].name);
            self.warnings.push(Warning::Undefined { service });
        }
        Ok(())
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
        let file = self.installed.files.get(self.files[entry.target as usize] as usize);
        let (real, head) = match file {
            _ if entry.head != NONE => (entry.target, entry.head),
            Some(file) => (file.real, file.head),
            None => {
                self.dangling.push(place as u32);
                return Ok(());
            }
        };
        let Effective { head, .. } = self.effective(entry.target, real, head, false)?;
        let provides = self.provides(&head, entry.name);
        let phase = phase(entry.kind);
        let mut first = None;
        for token in self.real_names(&provides) {
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
                self.weave(service, &head);
                self.weave_before(service, &head);
            }
        }
        Ok(())
    }

    /// The arguments are named first, so that they find each other.
    fn arguments(&mut self) -> Result<(), OrderError> {
        if self.change.action == Action::Remove && self.change.arguments.is_empty() {
            return Err(OrderError::NoArgument);
        }
        for argument in &self.change.arguments {
            let Some(file) = self.file(&argument.name) else {
                return Err(OrderError::NoScript { name: argument.name.clone() });
            };
            let Effective { head, .. } = self.effective(file.name, file.real, file.head, false)?;
            let provides = self.provides(&head, file.name);
            let mut first = None;
            for token in self.real_names(&provides) {
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

    fn scripts(&mut self) -> Result<(), OrderError> {
        let first = self.change.arguments.first().and_then(|argument| self.file(&argument.name));
        let first = first.map(|file| file.name).filter(|&name| self.argument(name) == Some(0));
        for file in &self.installed.files {
            if Some(file.name) == first {
                self.script(*file)?;
            }
        }
        for file in &self.installed.files {
            if Some(file.name) != first {
                self.script(*file)?;
            }
        }
        Ok(())
    }

    fn script(&mut self, file: File) -> Result<(), OrderError> {
        if !file.eligible {
            return Ok(());
        }
        let effective = self.effective(file.name, file.real, file.head, true)?;
        if !effective.complete {
            self.warnings.push(Warning::NoHeader { script: self.text(file.name) });
        }
        let head = effective.head;
        let argument = self.argument(file.name);
        let provides = self.provides(&head, file.name);
        let tokens = self.real_names(&provides);
        let mut first = None;
        let mut last = None;
        for &token in &tokens {
            let graph = &mut self.weaver.graph;
            let service = graph.service(token);
            last = Some(service);
            match first {
                Some(first) => graph.unite(first, service),
                None => first = Some(service),
            }
            if graph.provide(service, file.name) {
                self.provided(file, service, &head, argument)?;
            } else if let Some(stand_in) = self.taken(file, service, argument) {
                last = Some(stand_in);
            }
        }
        match last {
            Some(service) => self.final_levels(file, service, &head, argument),
            None => Ok(()),
        }
    }

    /// A name of the script is its own.
    fn provided(&mut self, file: File, service: u32, head: &Head, argument: Option<usize>) -> Result<(), OrderError> {
        let known = self.weaver.graph.has(service, flag::KNOWN);
        self.weaver.graph.set(service, flag::KNOWN);
        if !known {
            self.weave(service, head);
        }
        self.weave_before(service, head);
        if argument.is_some() && !self.change.force && self.refusal.is_none() {
            let graph = &self.weaver.graph;
            let refusal = match self.change.action {
                Action::Remove => refuse::still_needed(graph, service),
                Action::Add => refuse::not_enabled(graph, service),
            };
            self.refusal = refusal.map(|pair| pair.error(&self.weaver));
        }
        if head.fatal {
            return Err(OrderError::Runlevel { script: self.text(file.name) });
        }
        for (phase, levels) in [(Phase::Start, head.start), (Phase::Stop, head.stop)] {
            let Some(levels) = levels else { continue };
            if self.weaver.graph.has(service, flag::ENABLED) {
                self.tell_overridden(file, service, phase, levels, argument);
            } else {
                let node = self.weaver.graph.original(service);
                self.weaver.graph.side_mut(node, phase).levels = levels;
            }
        }
        Ok(())
    }

    /// A name of the script is another's. A script that is being removed gets a name to be removed by.
    fn taken(&mut self, file: File, service: u32, argument: Option<usize>) -> Option<u32> {
        let remove = self.change.action == Action::Remove;
        let graph = &self.weaver.graph;
        let owner = graph.nodes[graph.original(service) as usize].script;
        let script = self.text(file.name);
        let (service, owner) = (self.text(graph.services[service as usize].name), self.text(owner));
        if !remove && !self.change.force && argument.is_some() {
            self.refusal.get_or_insert(OrderError::AlreadyProvided { script, service, owner });
            return None;
        }
        if !remove || argument.is_none() {
            self.warnings.push(Warning::AlreadyProvided { script, service, owner });
        }
        if !remove || (!self.change.force && argument.is_none()) {
            return None;
        }
        let graph = &mut self.weaver.graph;
        let stand_in = graph.service(file.name);
        let stand_in = graph.original(stand_in);
        graph.set(stand_in, flag::SHADOWED);
        graph.provide(stand_in, file.name);
        Some(stand_in)
    }

    /// Default runlevels count for what has no links, and are added with `-d` or when an argument says so.
    fn final_levels(&mut self, file: File, service: u32, head: &Head, argument: Option<usize>) -> Result<(), OrderError> {
        let (mut start, mut stop) = (head.start, head.stop);
        let mut hard = false;
        let fresh = self.change.action == Action::Add && !self.change.defaults;
        if let Some(given) = argument.filter(|_| fresh).map(|at| &self.change.arguments[at]) {
            for (phase, levels, slot) in [(Phase::Start, given.start, &mut start), (Phase::Stop, given.stop, &mut stop)] {
                let Some(levels) = levels else { continue };
                hard = true;
                *slot = Some(levels);
                let node = self.weaver.graph.node_of_script(file.name);
                if let Some(node) = node.filter(|_| self.change.force) {
                    self.weaver.graph.side_mut(node, phase).levels = Runlevels::NONE;
                }
            }
        }
        let graph = &mut self.weaver.graph;
        let service = graph.original(service);
        let remove = self.change.action == Action::Remove;
        if graph.has(service, flag::ENABLED) && !hard && (remove || !self.change.defaults) {
            return Ok(());
        }
        if head.fatal {
            return Err(OrderError::Runlevel { script: self.text(file.name) });
        }
        graph.add_levels(service, Phase::Start, start.unwrap_or_default());
        graph.add_levels(service, Phase::Stop, stop.unwrap_or_default());
        Ok(())
    }

    fn weave(&mut self, service: u32, head: &Head) {
        let keys = [
            (Key::RequiredStart, true, Phase::Start),
            (Key::ShouldStart, false, Phase::Start),
            (Key::RequiredStop, true, Phase::Stop),
            (Key::ShouldStop, false, Phase::Stop),
        ];
        for (key, must, phase) in keys {
            self.weaver.require(service, must, phase, &self.installed.words[head.range(key)]);
        }
        if head.interactive {
            self.weaver.graph.set(service, flag::INTERACTIVE);
        }
    }

    fn weave_before(&mut self, service: u32, head: &Head) {
        for (key, phase) in [(Key::StartBefore, Phase::Start), (Key::StopAfter, Phase::Stop)] {
            self.weaver.precede(service, phase, &self.installed.words[head.range(key)]);
        }
    }

    /// The header that counts: an override if it is complete, else the script's own. What an incomplete override
    /// says stays in force when the script has no header.
    fn effective(&self, name: Symbol, real: Symbol, own: u32, in_directory: bool) -> Result<Effective, OrderError> {
        let own = self.installed.heads[own as usize];
        if own.openrc {
            // insserv gives its defaults to such scripts in init.d only, not to links to them.
            let head = if in_directory { own } else { Head::default() };
            return Ok(Effective { head, complete: true });
        }
        let mut found = Head::default();
        let mut overrides: Vec<_> = self.installed.overrides.iter().filter(|entry| entry.name == real).collect();
        overrides.sort_by_key(|entry| entry.tier);
        let heads = overrides.iter().map(|entry| self.installed.heads[entry.head as usize]);
        for head in heads.chain([own]) {
            if head.begun {
                found = head;
            }
            if head.complete {
                return Ok(Effective { head: found, complete: true });
            }
            if head.begun && !self.change.force {
                return Err(OrderError::NoEnd { script: self.text(name) });
            }
        }
        Ok(Effective { head: found, complete: false })
    }

    fn provides(&self, head: &Head, fallback: Symbol) -> Vec<Symbol> {
        let range = head.range(Key::Provides);
        if head.named {
            return self.installed.words[range].to_vec();
        }
        let names = &self.installed.names;
        words::names(names.name(fallback)).filter_map(|word| names.get(word)).collect()
    }

    /// Without facilities and comments, which nobody can provide.
    fn real_names(&self, provides: &[Symbol]) -> Vec<Symbol> {
        let real = |&&word: &&Symbol| !self.installed.names.name(word).starts_with(['$', '#']);
        provides.iter().filter(real).copied().collect()
    }

    fn file(&self, name: &str) -> Option<File> {
        let symbol = self.installed.names.get(name)?;
        self.installed.files.get(self.files[symbol as usize] as usize).copied()
    }

    /// The place of a script among the arguments; the last one counts.
    fn argument(&self, script: Symbol) -> Option<usize> {
        let name = self.installed.names.name(script);
        self.change.arguments.iter().rposition(|argument| argument.name == name)
    }

    fn text(&self, symbol: Symbol) -> String {
        self.installed.names.name(symbol).to_owned()
    }

    fn tell_overridden(&mut self, file: File, service: u32, phase: Phase, header: Runlevels, argument: Option<usize>) {
        let links = self.weaver.graph.levels(service, phase);
        let asked = argument.is_some() && self.change.action == Action::Add && !self.change.defaults;
        if asked && links != header {
            self.warnings.push(Warning::Overridden { script: self.text(file.name), links, header });
        }
    }

    fn tell_unknown(&mut self) {
        let unknown = std::mem::take(&mut self.weaver.unknown);
        for (service, facility) in unknown {
            let script = self.text(self.weaver.graph.services[service as usize].name);
            let warning = Warning::UnknownFacility { script, facility: self.text(facility) };
            if !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
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

//! Goes through the scripts of init.d: the names they provide, what they need, and the runlevels of those that
//! have no links yet.

use super::change::Action;
use super::error::{OrderError, Warning};
use super::graph::{PHASES, Phase, flag};
use super::read::Reader;
use super::refuse;
use crate::files::File;
use crate::installed::Head;
use crate::name::Runlevels;

impl Reader<'_> {
    /// Reads the scripts of init.d, the first argument before all others.
    ///
    /// # Errors
    /// What makes insserv stop at once.
    pub(super) fn scripts(&mut self) -> Result<(), OrderError> {
        let first = self.change.arguments.first().and_then(|argument| self.file(&argument.name));
        let first = first.map(|file| file.name).filter(|&name| self.arguments.place(name) == Some(0));
        for file in self.installed.files.iter() {
            if Some(file.name) == first {
                self.script(*file)?;
            }
        }
        for file in self.installed.files.iter() {
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
        let headers = self.headers();
        let (head, complete) = headers.of_script(file.name, file.real, file.head)?;
        if !complete {
            self.warnings.push(Warning::NoHeader { script: self.text(file.name) });
        }
        self.weaver.trace.source(file.name, &head);
        let argument = self.arguments.place(file.name);
        let mut first = None;
        let mut last = None;
        for token in headers.provides(&head, file.name) {
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
    fn provided(
        &mut self,
        file: File,
        service: u32,
        head: &Head,
        argument: Option<usize>,
    ) -> Result<(), OrderError> {
        let known = self.weaver.graph.has(service, flag::KNOWN);
        self.weaver.graph.set(service, flag::KNOWN);
        if !known {
            self.weave(service, head);
        }
        PHASES.iter().for_each(|&phase| self.weave_before(service, phase, head));
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
    fn final_levels(
        &mut self,
        file: File,
        service: u32,
        head: &Head,
        argument: Option<usize>,
    ) -> Result<(), OrderError> {
        let (mut start, mut stop) = (head.start, head.stop);
        let mut hard = false;
        let fresh = self.change.action == Action::Add && !self.change.defaults;
        if let Some(given) = argument.filter(|_| fresh).map(|at| &self.change.arguments[at]) {
            for (phase, levels, slot) in
                [(Phase::Start, given.start, &mut start), (Phase::Stop, given.stop, &mut stop)]
            {
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

    fn tell_overridden(
        &mut self,
        file: File,
        service: u32,
        phase: Phase,
        header: Runlevels,
        argument: Option<usize>,
    ) {
        let links = self.weaver.graph.levels(service, phase);
        let asked = argument.is_some() && self.change.action == Action::Add && !self.change.defaults;
        if asked && links != header {
            self.warnings.push(Warning::Overridden { script: self.text(file.name), links, header });
        }
    }
}

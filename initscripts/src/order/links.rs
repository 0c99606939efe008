//! From numbers to links: which of those that are there go, which come, which stay.

use super::change::{Action, Arguments, Change};
use super::graph::{Graph, Phase, flag};
use super::read::phase;
use crate::entry::Entry;
use crate::installed::Installed;
use crate::link::Kind;
use crate::name::Runlevel;
use crate::symbols::{NONE, Symbol};

/// A link to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct New {
    pub name: Symbol,
    pub runlevel: Runlevel,
    pub kind: Kind,
    pub sequence: u8,
}

/// The links while they change.
pub(super) struct Linker<'a> {
    pub installed: &'a Installed,
    pub change: &'a Change,
    pub graph: &'a mut Graph,
    /// For each link of the root, whether it is still there.
    pub alive: Vec<bool>,
    pub new: Vec<New>,
    /// The places of the links of one runlevel, each with the number of the next of the same name.
    here: Vec<(u32, u32)>,
    /// For each symbol the number of the first link of that name.
    first: Vec<u32>,
}

impl<'a> Linker<'a> {
    pub(super) fn new(
        installed: &'a Installed,
        change: &'a Change,
        graph: &'a mut Graph,
        dangling: &[u32],
    ) -> Linker<'a> {
        let mut alive = vec![true; installed.links.len()];
        dangling.iter().for_each(|&place| alive[place as usize] = false);
        let first = vec![NONE; installed.names.len()];
        // No page of it is touched before there are links to be made.
        let new = Vec::with_capacity(graph.nodes.len() * Runlevel::ALL.len());
        Linker { installed, change, graph, alive, new, here: Vec::new(), first }
    }

    /// Goes through the directories of all runlevels.
    pub(super) fn run(&mut self, order: &[u32], arguments: &Arguments) {
        for level in Runlevel::ALL {
            self.enter(level);
            self.sweep();
            for &node in order {
                self.renew(node, level, arguments);
            }
        }
    }

    /// Finds the links of one directory.
    fn enter(&mut self, level: Runlevel) {
        let all = (0..).zip(&self.installed.links).filter(|(_, entry)| entry.runlevel == level);
        self.here.clear();
        self.here.extend(all.map(|(place, _)| (place, NONE)));
        self.first.fill(NONE);
        for (number, (place, next)) in self.here.iter_mut().enumerate().rev() {
            let name = self.installed.links[*place as usize].name;
            *next = std::mem::replace(&mut self.first[name as usize], number as u32);
        }
    }

    /// The links of one name in this directory, with their places.
    fn of_name(&self, name: Symbol) -> impl Iterator<Item = (usize, &'a Entry)> + use<'_, 'a> {
        let mut number = self.first[name as usize];
        std::iter::from_fn(move || {
            let &(place, next) = self.here.get(number as usize)?;
            number = next;
            Some((place as usize, self.installed.links.get(place as usize)?))
        })
    }

    /// Links that should not be in this directory.
    fn sweep(&mut self) {
        for number in 0..self.here.len() {
            let place = self.here[number].0 as usize;
            let entry = self.installed.links[place];
            if !self.alive[place] || !self.is_misplaced(&entry) {
                continue;
            }
            let Some(service) = self.graph.node_of_script(entry.name) else { continue };
            let hidden = self.change.action == Action::Remove
                && self.change.force
                && self.graph.has(service, flag::SHADOWED);
            let swept = match entry.runlevel {
                Runlevel::R0 | Runlevel::R1 | Runlevel::R6 => self.installed.suse,
                Runlevel::S => !self.installed.suse,
                _ => false,
            };
            if self.change.defaults || swept || hidden {
                self.alive[place] = false;
                self.count(service, -1);
            }
        }
    }

    /// Whether it is of a script that does not want it there. A third digit keeps insserv from looking.
    fn is_misplaced(&self, entry: &Entry) -> bool {
        let is_number = self.installed.names.first(entry.name).is_some_and(|byte| byte.is_ascii_digit());
        let in_level = |node: u32| self.graph.side(node, phase(entry.kind)).levels.contains(entry.runlevel);
        !is_number && self.graph.nodes_of_script(entry.name).any(|node| !in_level(node))
    }

    /// The link of one script in one directory.
    fn renew(&mut self, node: u32, level: Runlevel, arguments: &Arguments) {
        let script = self.graph.services[node as usize].script;
        if script == NONE || self.installed.names.first(script) == Some(b'$') {
            return;
        }
        let wanted = |phase: Phase| self.graph.side(node, phase).levels.contains(level);
        let (kind, phase) = if wanted(Phase::Stop) {
            (Kind::Kill, Phase::Stop)
        } else if wanted(Phase::Start) {
            (Kind::Start, Phase::Start)
        } else {
            return;
        };
        // SUSE's halt calls the kill links of what was started at boot.
        if kind == Kind::Kill && level == Runlevel::S && !self.installed.suse {
            return;
        }
        let sequence = self.graph.side(node, phase).depth;
        let link = New { name: script, runlevel: level, kind, sequence };
        let argument = arguments.place(script).is_some();
        let remove = argument && self.change.action == Action::Remove;
        let mut found = false;
        let mut number = self.first[script as usize];
        while let Some(&(place, next)) = self.here.get(number as usize) {
            number = next;
            let at = place as usize;
            let entry = &self.installed.links[at];
            if !self.alive[at] || entry.kind != kind {
                continue;
            }
            found = true;
            if entry.sequence != sequence || remove {
                self.alive[at] = false;
                self.count(node, -1);
            }
            if entry.sequence != sequence && !remove {
                self.make(link);
                self.count(node, 1);
            }
        }
        if argument && !remove && !found {
            self.make(link);
            self.count(node, 1);
        }
    }

    fn make(&mut self, link: New) {
        let same = |entry: &Entry| (entry.kind, entry.sequence) == (link.kind, link.sequence);
        if self.of_name(link.name).any(|(place, entry)| same(entry) && self.alive[place]) {
            return;
        }
        if self.new.last() != Some(&link) {
            self.new.push(link);
        }
    }

    fn count(&mut self, service: u32, by: i32) {
        self.graph.services[service as usize].links += by;
    }
}

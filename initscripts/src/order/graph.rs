//! Services and the nodes that carry them: one node for each script or missing name, several services on one
//! node when a script provides several names. Edges lead to what comes later.

use super::lists::Lists;
use crate::name::Runlevels;
use crate::symbols::{NONE, Symbol};

/// Which of the two orders is spoken of; also the place in a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
    Start = 0,
    Stop = 1,
}

pub(super) const PHASES: [Phase; 2] = [Phase::Start, Phase::Stop];

/// Properties of a service.
pub(super) mod flag {
    /// Its header has been read.
    pub(crate) const KNOWN: u16 = 0x01;
    /// It has links.
    pub(crate) const ENABLED: u16 = 0x02;
    /// Its script is an argument.
    pub(crate) const ARGUMENT: u16 = 0x04;
    /// Nothing else may start beside it.
    pub(crate) const INTERACTIVE: u16 = 0x08;
    /// It starts after all others: `Required-Start: $all`.
    pub(crate) const LAST: u16 = 0x10;
    /// It stops before all others: `Required-Stop: $all`.
    pub(crate) const FIRST: u16 = 0x20;
    /// Another name of a service that has its own node.
    pub(crate) const ALIAS: u16 = 0x40;
    /// A removed script whose name another script provides.
    pub(crate) const SHADOWED: u16 = 0x80;
}

/// A name that is provided or required. Its number is also that of the node it was made with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Service {
    pub name: Symbol,
    pub node: u32,
    /// The script that provides it.
    pub script: Symbol,
    next_alias: u32,
    /// How many links it has.
    pub links: i32,
    pub flags: u16,
    /// Its numbers as far as known: from links, later from depths.
    pub sequence: [u8; 2],
}

/// One side, start or stop, of a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Side {
    pub levels: Runlevels,
    /// The number; 0 when not reached.
    pub depth: u8,
    pub least: u8,
    /// Being walked through now.
    pub busy: bool,
    /// Met on a loop.
    pub looped: bool,
    /// Its loop has been reported.
    pub reported: bool,
}

/// A script, or a ghost: a name that is required and that no script provides.
#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub sides: [Side; 2],
    pub script: Symbol,
    next_same: u32,
    pub removed: bool,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub services: Vec<Service>,
    pub nodes: Vec<Node>,
    /// For each node and phase, the nodes that come after it.
    pub after: Lists,
    /// For each service and phase, the services it waits for.
    pub needs: Lists,
    /// For each service, by its number twice, those that must have it before they can start, and perhaps some that did
    /// once; kept where services are removed.
    needed: Option<Lists>,
    /// A service that was united twice: insserv goes on with freed memory then.
    pub undefined: Option<u32>,
    by_name: Vec<u32>,
    by_script: Vec<u32>,
}

impl Graph {
    /// For names below `symbols`; about as many services are expected as `services`, with `words` edges. `removes`: it will
    /// be asked who needs a service.
    pub(super) fn new(symbols: usize, services: usize, words: usize, removes: bool) -> Graph {
        let none = vec![NONE; symbols];
        let mut graph = Graph { by_name: none.clone(), by_script: none, ..Graph::default() };
        graph.services.reserve(services);
        graph.nodes.reserve(services);
        graph.after.reserve(services * 2, words);
        graph.needs.reserve(services * 2, words);
        graph.needed = removes.then(Lists::default);
        graph
    }

    /// The service of a name, made if need be.
    pub(super) fn service(&mut self, name: Symbol) -> u32 {
        let known = self.by_name[name as usize];
        if known != NONE {
            return known;
        }
        let number = self.services.len() as u32;
        self.by_name[name as usize] = number;
        let flags = 0;
        self.services.push(Service {
            name,
            node: number,
            script: NONE,
            next_alias: NONE,
            links: 0,
            flags,
            sequence: [0; 2],
        });
        let side =
            Side { levels: Runlevels::NONE, depth: 0, least: 1, busy: false, looped: false, reported: false };
        self.nodes.push(Node { sides: [side; 2], script: NONE, next_same: NONE, removed: false });
        self.after.add_pair();
        self.needs.add_pair();
        if let Some(needed) = &mut self.needed {
            needed.add_pair();
        }
        number
    }

    pub(super) fn has(&self, service: u32, flag: u16) -> bool {
        self.services[service as usize].flags & flag != 0
    }

    pub(super) fn set(&mut self, service: u32, flag: u16) {
        self.services[service as usize].flags |= flag;
    }

    /// The service that a service is another name of; itself in most cases.
    pub(super) fn original(&self, service: u32) -> u32 {
        self.services[service as usize].node
    }

    pub(super) fn side(&self, node: u32, phase: Phase) -> &Side {
        &self.nodes[node as usize].sides[phase as usize]
    }

    pub(super) fn side_mut(&mut self, node: u32, phase: Phase) -> &mut Side {
        &mut self.nodes[node as usize].sides[phase as usize]
    }

    /// The runlevels of a service, shared with all its other names.
    pub(super) fn levels(&self, service: u32, phase: Phase) -> Runlevels {
        self.side(self.original(service), phase).levels
    }

    pub(super) fn add_levels(&mut self, service: u32, phase: Phase, levels: Runlevels) {
        let node = self.original(service);
        let side = self.side_mut(node, phase);
        side.levels = side.levels.union(levels);
    }

    /// The nodes in the order in which they were first mentioned.
    pub(super) fn order(&self) -> Vec<u32> {
        (0..self.nodes.len() as u32).filter(|&node| !self.nodes[node as usize].removed).collect()
    }

    /// The node of a script, the last if several are.
    pub(super) fn node_of_script(&self, script: Symbol) -> Option<u32> {
        self.nodes_of_script(script).max()
    }

    /// All nodes of a script: one in all but odd cases.
    pub(super) fn nodes_of_script(&self, script: Symbol) -> impl Iterator<Item = u32> {
        let mut node = self.by_script[script as usize];
        let chain = std::iter::from_fn(move || {
            let current = self.nodes.get(node as usize)?;
            Some((std::mem::replace(&mut node, current.next_same), current.removed))
        });
        chain.filter(|(_, removed)| !removed).map(|(node, _)| node)
    }

    /// Says that a service needs another one, and whether it must have it.
    pub(super) fn need(&mut self, by: u32, phase: Phase, need: u32, must: bool) {
        self.needs.add(list(by, phase), need, must);
        if let Some(needed) = self.needed.as_mut().filter(|_| must && phase == Phase::Start) {
            needed.add(list(need, phase), by, false);
        }
    }

    /// Whether a service must have another one before it can start.
    pub(super) fn must_have(&self, by: u32, need: u32) -> bool {
        self.needs.is_marked(list(by, Phase::Start), need)
    }

    /// The services that must have this one, in no particular order.
    pub(super) fn needed_by(&self, need: u32) -> impl Iterator<Item = u32> {
        let all = self.needed.iter().flat_map(move |needed| needed.iter(list(need, Phase::Start)));
        all.filter(move |&by| self.must_have(by, need))
    }

    /// `later` comes after `earlier`.
    pub(super) fn link(&mut self, later: u32, earlier: u32, phase: Phase) {
        if later != earlier {
            self.after.add(list(earlier, phase), later, false);
        }
    }

    /// Says that a script provides a service; false when another one does so already.
    pub(super) fn provide(&mut self, service: u32, script: Symbol) -> bool {
        let node = self.original(service);
        let owner = self.nodes[node as usize].script;
        if owner != NONE {
            return owner == script;
        }
        if self.node_of_script(script).is_none() {
            self.services[service as usize].script = script;
        }
        self.nodes[node as usize].script = script;
        self.nodes[node as usize].next_same = self.by_script[script as usize];
        self.by_script[script as usize] = node;
        let mut other = node;
        while let Some(alias) = self.services.get_mut(other as usize) {
            if other != service && alias.node == node && alias.script == NONE {
                alias.script = script;
            }
            other = alias.next_alias;
        }
        true
    }

    /// Makes `alias` another name of `service`, with all that was said of it, unless it has a script of its own.
    pub(super) fn unite(&mut self, service: u32, alias: u32) {
        let (node, old) = (self.original(service), self.original(alias));
        let (script, old_script) = (self.nodes[node as usize].script, self.nodes[old as usize].script);
        if node == old || (old_script != NONE && old_script != script) {
            return;
        }
        for phase in PHASES {
            for (later, _) in self.after.take(list(old, phase)) {
                self.link(later, node, phase);
            }
            let gone = *self.side(old, phase);
            let side = self.side_mut(node, phase);
            side.levels = side.levels.union(gone.levels);
        }
        self.nodes[old as usize].removed = true;
        if alias != old || self.services[old as usize].next_alias != NONE {
            self.undefined = Some(alias);
        }
        let flags = self.services[alias as usize].flags;
        self.set(service, flags);
        self.set(alias, flag::ALIAS);
        self.services[alias as usize].node = node;
        // One that has changed its service may stand in this chain already: a second time would close it to a ring.
        if alias == old || !self.is_in_chain(node, alias) {
            let next = std::mem::replace(&mut self.services[node as usize].next_alias, alias);
            self.services[alias as usize].next_alias = next;
        }
        for phase in PHASES {
            for (need, must) in self.needs.take(list(alias, phase)) {
                let wanted = list(service, phase);
                if self.needs.iter(wanted).all(|known| known != need) {
                    self.need(service, phase, need, must);
                }
            }
        }
    }

    /// Whether a service stands among the other names of a node.
    fn is_in_chain(&self, node: u32, service: u32) -> bool {
        let mut at = self.services[node as usize].next_alias;
        while let Some(alias) = self.services.get(at as usize) {
            if at == service {
                return true;
            }
            at = alias.next_alias;
        }
        false
    }

    /// Drops the edges to nodes that were united with others.
    pub(super) fn drop_united(&mut self) {
        if self.nodes.iter().all(|node| !node.removed) {
            return;
        }
        let services = &self.services;
        let keep = |target: u32| services[target as usize].flags & flag::ALIAS == 0;
        for node in 0..self.nodes.len() as u32 {
            if !self.nodes[node as usize].removed {
                PHASES.iter().for_each(|&phase| self.after.retain(list(node, phase), keep));
            }
        }
    }
}

/// The number of the list of a node or a service.
pub(super) fn list(owner: u32, phase: Phase) -> u32 {
    owner * 2 + phase as u32
}

//! Gives every node its number: the length of the longest chain that leads to it. Follows insserv step by
//! step, as its numbers depend on the order of the walk where loops, ghosts or runlevels interfere.
//!
//! A number only grows, and a node is walked into only to make it grow, so there are at most 99 walks into
//! each node; runlevels do not change during a walk.

use super::graph::{Graph, Node, PHASES, Phase, Side, flag, list};
use super::passed::Passed;
use crate::name::Runlevels;
use crate::symbols::NONE;

/// The greatest number that two digits hold.
const MOST: u32 = 99;

/// The state of the walks.
pub(super) struct Walker<'a> {
    pub graph: &'a mut Graph,
    /// The nodes, in the order of their first mention.
    pub order: &'a [u32],
    /// The greatest number of a node in runlevels 0 to 6, for start and stop.
    pub greatest: [u8; 2],
    /// Where the walks of start and stop have passed, while nothing else changes numbers or runlevels.
    passed: [Option<Passed>; 2],
}

impl<'a> Walker<'a> {
    pub(super) fn new(graph: &'a mut Graph, order: &'a [u32]) -> Walker<'a> {
        Walker { graph, order, greatest: [0; 2], passed: [None, None] }
    }

    /// Numbers everything.
    pub(super) fn number_all(&mut self) {
        self.passed = PHASES.map(|phase| Passed::new(self.graph, phase, MOST as usize));
        self.walk_all();
        self.passed = [None, None];
        for &node in self.order {
            for phase in PHASES {
                self.guess(node, phase);
            }
        }
    }

    fn walk_all(&mut self) {
        for &node in self.order {
            for phase in PHASES {
                let least = self.graph.side(node, phase).least;
                self.walk(node, None, u32::from(least), phase, true);
            }
        }
    }

    /// Whether a loop was met that insserv exits on.
    pub(super) fn reported(&self, phase: Phase) -> bool {
        self.order.iter().any(|&node| self.graph.side(node, phase).reported)
    }

    /// Moves what starts at the number of an interactive script to later numbers.
    pub(super) fn isolate_interactive(&mut self) {
        let all = 0..self.graph.services.len() as u32;
        let interactive =
            |&s: &u32| self.graph.has(s, flag::INTERACTIVE) && self.graph.services[s as usize].script != NONE;
        let chosen: Vec<u32> = all.filter(interactive).collect();
        let ghosts: Vec<u32> =
            self.order.iter().copied().filter(|&n| self.graph.nodes[n as usize].script == NONE).collect();
        for depth in 0..=MOST as u8 {
            for &service in &chosen {
                let script = self.graph.services[service as usize].script;
                if self.depth_of_script(script) == depth && !self.graph.has(service, flag::ALIAS) {
                    self.push_others(service, depth, &ghosts);
                }
            }
        }
    }

    fn push_others(&mut self, service: u32, depth: u8, ghosts: &[u32]) {
        let levels = self.graph.levels(service, Phase::Start);
        for other in 0..self.graph.services.len() as u32 {
            let script = self.graph.services[other as usize].script;
            let apart = script == NONE || self.graph.original(other) == service;
            if apart || !levels.meets(self.graph.levels(other, Phase::Start)) {
                continue;
            }
            if self.depth_of_script(script) == depth {
                self.raise(script, depth + 1, ghosts);
            }
        }
    }

    fn depth_of_script(&self, script: u32) -> u8 {
        self.graph.node_of_script(script).map_or(0, |node| self.graph.side(node, Phase::Start).depth)
    }

    fn raise(&mut self, script: u32, number: u8, ghosts: &[u32]) {
        let Some(node) = self.graph.node_of_script(script) else { return };
        let side = self.graph.side_mut(node, Phase::Start);
        side.least = side.least.max(number);
        if side.depth < side.least {
            let least = u32::from(side.least);
            self.walk(node, None, least, Phase::Start, false);
            for &ghost in ghosts {
                self.guess(ghost, Phase::Start);
            }
        }
    }

    /// Walks from `root`, which `from` leads to, with a number that it gets at least.
    fn walk(&mut self, root: u32, from: Option<u32>, number: u32, phase: Phase, report: bool) {
        let Side { levels, busy, least, .. } = *self.graph.side(root, phase);
        if busy {
            self.note_loop(from.unwrap_or(root), root, phase);
            return;
        }
        let mut number = number.max(u32::from(least));
        if number > MOST {
            return;
        }
        let mut rounds = 0;
        let mut next = Some(root);
        while let Some(node) = next {
            if rounds > MOST {
                self.note_loop(from.unwrap_or(node), node, phase);
                break;
            }
            rounds += 1;
            next = self.graph.after.head(list(node, phase));
            let side = self.graph.nodes[node as usize].sides[phase as usize];
            if !levels.meets(side.levels) {
                continue;
            }
            if from == Some(node) {
                self.note_loop(node, node, phase);
                break;
            }
            number = number.max(u32::from(side.depth));
            self.settle(node, number, side.levels, phase);
            if let Some(passed) =
                self.passed[phase as usize].as_mut().filter(|_| number > u32::from(side.depth))
            {
                passed.raise(levels);
            }
            if next.is_none() || number >= MOST || self.has_passed(node, number, levels, phase) {
                break;
            }
            number += 1;
            if !self.step(Step { root, from, node, levels, phase, report }, number) {
                let side = self.graph.side_mut(node, phase);
                side.reported |= report;
                break;
            }
        }
    }

    fn settle(&mut self, node: u32, number: u32, levels: Runlevels, phase: Phase) {
        self.graph.side_mut(node, phase).depth = number as u8;
        if levels.meets(Runlevels::NORMAL) {
            let greatest = &mut self.greatest[phase as usize];
            *greatest = (*greatest).max(number as u8);
        }
    }

    fn has_passed(&mut self, node: u32, number: u32, levels: Runlevels, phase: Phase) -> bool {
        self.passed[phase as usize].as_mut().is_some_and(|passed| passed.again(node, number, levels))
    }

    /// Walks into what comes after one node; false when a loop ended it.
    fn step(&mut self, at: Step, number: u32) -> bool {
        let Step { root, from, node, levels, phase, report } = at;
        self.graph.side_mut(node, phase).busy = true;
        let skips_all = phase == Phase::Start && self.graph.has(node, flag::LAST);
        let mut whole = true;
        let mut cell = self.graph.after.first(list(node, phase));
        while let Some(at) = cell {
            let (target, next) = self.graph.after.at(at);
            cell = next;
            let side = self.graph.side(target, phase);
            if !levels.meets(side.levels) {
                continue;
            }
            if target == node || target == root {
                break;
            }
            if from == Some(target) {
                self.note_loop(target, node, phase);
                whole = false;
                break;
            }
            let skipped = skips_all || (phase == Phase::Stop && self.graph.has(target, flag::FIRST));
            if skipped || u32::from(side.depth) >= number {
                continue;
            }
            self.walk(target, Some(node), number, phase, report);
            let looped = |node: u32| self.graph.side(node, phase).looped;
            if looped(target) || looped(node) || from.is_some_and(looped) {
                whole = false;
                break;
            }
        }
        self.graph.side_mut(node, phase).busy = false;
        whole
    }

    /// Marks the first that is not marked yet.
    fn note_loop(&mut self, first: u32, second: u32, phase: Phase) {
        let known = self.graph.side(first, phase).looped;
        let node = if known { second } else { first };
        self.graph.side_mut(node, phase).looped = true;
    }

    /// A ghost gets the number before the first that needs it, and the runlevels of all that do.
    fn guess(&mut self, node: u32, phase: Phase) {
        let Node { script, .. } = self.graph.nodes[node as usize];
        if script != NONE || self.graph.after.is_empty(list(node, phase)) {
            return;
        }
        let all: Vec<u32> = self.graph.after.iter(list(node, phase)).collect();
        // insserv looks at the first and at no more than 99 from the end.
        let counted = all.iter().take(1).chain(all.iter().rev().take(MOST as usize));
        let (mut least, mut levels) = (MOST as u8, Runlevels::NONE);
        for &target in counted {
            let side = self.graph.side(target, phase);
            least = least.min(side.depth);
            levels = levels.union(side.levels);
        }
        let side = self.graph.side_mut(node, phase);
        if least > 1 {
            side.depth = least - 1;
            side.levels = side.levels.union(levels);
        } else {
            side.levels = Runlevels::BOOT;
        }
    }
}

/// Where a walk is.
#[derive(Debug, Clone, Copy)]
struct Step {
    root: u32,
    from: Option<u32>,
    node: u32,
    levels: Runlevels,
    phase: Phase,
    report: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers the same whether walks end where others have passed or not, and less is walked: runlevels are mixed, some nodes have
    /// none, and the edges lead forward, in every tenth graph anywhere.
    #[test]
    fn walks_that_end_early_give_the_numbers_of_those_that_do_not() {
        let mut state = 88_172_645_463_325_252_u64;
        let mut below = |limit: u32| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 33) as u32 % limit
        };
        let mut remembered = 0;
        for round in 0..2_000 {
            let count = 2 + below(40);
            let kinds = 1 + below(6);
            let mut levels = Vec::new();
            let mut edges = Vec::new();
            for later in 0..count {
                let bits = [0x3c, 0x0c, 0x04, 0x08, 0x80, 0x38][below(kinds) as usize];
                let name =
                    |bits: u32| "0123456S".chars().enumerate().filter(move |(at, _)| bits >> at & 1 == 1);
                let text: String = name(bits).map(|(_, letter)| letter).collect();
                levels.push(Runlevels::parse(if below(9) == 0 { "" } else { &text }).unwrap());
                for _ in 0..below(4) {
                    let earlier = if round % 10 == 0 { below(count) } else { below(later.max(1)) };
                    edges.push((later, earlier));
                }
            }
            let numbers = |remembers: bool| {
                let mut graph = Graph::new(count as usize, count as usize, edges.len(), false);
                (0..count).for_each(|name| assert_eq!(graph.service(name), name));
                for (phase, &(later, earlier)) in
                    PHASES.iter().flat_map(|phase| edges.iter().map(move |edge| (*phase, edge)))
                {
                    let (later, earlier) =
                        if phase == Phase::Start { (later, earlier) } else { (earlier, later) };
                    graph.link(later, earlier, phase);
                }
                for node in 0..count {
                    PHASES.iter().for_each(|&phase| graph.add_levels(node, phase, levels[node as usize]));
                }
                let order = graph.order();
                let mut walker = Walker::new(&mut graph, &order);
                if remembers {
                    walker.passed = PHASES.map(|phase| Passed::new(walker.graph, phase, MOST as usize));
                }
                let passed = walker.passed.iter().flatten().count();
                walker.walk_all();
                let greatest = walker.greatest;
                (format!("{greatest:?} {:?}", graph.nodes), passed)
            };
            let (with, without) = (numbers(true), numbers(false));
            assert_eq!(with.0, without.0, "{edges:?} {levels:?}");
            remembered += with.1;
        }
        assert!((3_600..4_000).contains(&remembered), "{remembered}");
    }
}

//! Where walks have passed: a walk that would find everything as a former one left it ends at once. insserv has nothing of the
//! kind and follows each chain to its end again and again; the numbers are the same.
//!
//! What comes after a node has its numbers when a walk with the same runlevels has passed that node with the same number, and
//! no number has grown since but by walks with these very runlevels, since those have followed what they raised. This is so
//! where nothing loops and no chain is longer than insserv follows; elsewhere each walk is gone in full, as what it meets may be told.

use super::cycle;
use super::graph::{Graph, Phase, list};
use crate::name::Runlevels;

/// The walks of one phase.
#[derive(Debug)]
pub(super) struct Passed {
    /// For each node the last walk that passed it.
    last: Vec<Pass>,
    /// How often a number has grown.
    raised: u32,
    /// And how often by walks with these runlevels, by their bits.
    raised_by: [u32; 256],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pass {
    /// How often a number had grown by then by walks with other runlevels.
    others: u32,
    number: u8,
    levels: Runlevels,
}

/// Equal to no pass: numbers begin at 1.
const NEVER: Pass = Pass { others: 0, number: 0, levels: Runlevels::NONE };

impl Passed {
    /// `None` when the edges of this phase loop, or form a chain of more than `most` nodes.
    pub(super) fn new(graph: &Graph, phase: Phase, most: usize) -> Option<Passed> {
        let count = graph.nodes.len();
        let all: Vec<u32> = (0..count as u32).collect();
        let (rest, longest) = cycle::unpeeled(count, &all, &|node| graph.after.iter(list(node, phase)));
        let short = rest.is_empty() && longest <= most;
        short.then(|| Passed { last: vec![NEVER; count], raised: 0, raised_by: [0; 256] })
    }

    /// A walk with these runlevels has made a number grow.
    pub(super) fn raise(&mut self, levels: Runlevels) {
        self.raised += 1;
        self.raised_by[usize::from(levels.bits())] += 1;
    }

    /// Whether a walk that passes a node now would change nothing from there on; from now on it has passed.
    pub(super) fn again(&mut self, node: u32, number: u32, levels: Runlevels) -> bool {
        let others = self.raised - self.raised_by[usize::from(levels.bits())];
        let pass = Pass { others, number: number as u8, levels };
        std::mem::replace(&mut self.last[node as usize], pass) == pass
    }
}

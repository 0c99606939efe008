//! Leaves out what follows anyway: where a waits for b and b for c, nobody needs to see that a waits for c.

use crate::link::Kind;
use crate::order::{Edge, Outline};

/// One before the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair<'a> {
    /// Place of the first among the nodes.
    pub first: usize,
    /// And of what comes later.
    pub then: usize,
    /// What asks for it.
    pub edge: &'a Edge,
}

/// The pairs that follow from no others. Those against the numbers, which only a loop has, are all kept.
pub(super) fn reduced<'a>(outline: &Outline, kind: Kind, pairs: Vec<Pair<'a>>) -> Vec<Pair<'a>> {
    let number = |node: usize| outline.nodes[node].place(kind).sequence;
    let forward = |pair: &Pair<'_>| number(pair.first) < number(pair.then);
    let mut from: Vec<Vec<usize>> = vec![Vec::new(); outline.nodes.len()];
    let mut order: Vec<(u8, usize)> = Vec::new();
    for pair in pairs.iter().filter(|pair| forward(pair)) {
        if from[pair.first].is_empty() {
            order.push((number(pair.first), pair.first));
        }
        from[pair.first].push(pair.then);
    }
    // From the last number on, so that what is reached from a successor is known by then.
    order.sort_unstable_by(|a, b| b.cmp(a));
    let words = outline.nodes.len().div_ceil(64);
    let mut reached: Vec<Vec<u64>> = vec![Vec::new(); outline.nodes.len()];
    let mut implied: Vec<Vec<u64>> = vec![Vec::new(); outline.nodes.len()];
    for (_, node) in order {
        let (mut all, mut beyond) = (vec![0; words], vec![0; words]);
        for &then in &from[node] {
            all[then / 64] |= 1 << (then % 64);
            for (at, bits) in reached[then].iter().enumerate() {
                beyond[at] |= bits;
            }
        }
        all.iter_mut().zip(&beyond).for_each(|(bits, more)| *bits |= more);
        (reached[node], implied[node]) = (all, beyond);
    }
    let follows = |pair: &Pair<'_>| {
        let bits = implied[pair.first].get(pair.then / 64).copied().unwrap_or(0);
        bits & (1 << (pair.then % 64)) != 0
    };
    pairs.into_iter().filter(|pair| !forward(pair) || !follows(pair)).collect()
}

//! Scripts that wait for each other: for each knot of them the shortest way around, with the lines of the headers,
//! and which of the lines to give up.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;

use serde::Serialize;

use super::why::Place;
use crate::layout::Layout;
use crate::link::Kind;
use crate::order::{Edge, Outline};

/// The shortest way around in one knot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Loop {
    /// Whether it is the order of stopping that has it.
    pub stopping: bool,
    /// Each comes before the next, and the last before the first.
    pub turns: Vec<Turn>,
    /// Which of the turns to give up: what is wished for before what is required.
    pub way_out: usize,
    /// All the scripts of the knot, more than those of the shortest way around.
    pub knot: Vec<String>,
}

/// One step of the way around.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Turn {
    /// The script, or the name that no script provides.
    pub name: String,
    /// Why it comes before the next.
    pub place: Place,
}

/// All knots, those of starting first; none in an order that can be kept.
#[must_use]
pub fn loops(outline: &Outline, layout: &Layout) -> Vec<Loop> {
    let mut found = Vec::new();
    for kind in [Kind::Start, Kind::Kill] {
        let mut known = BTreeSet::new();
        // Without a runlevel in common they do not wait for each other, but insserv counts in a circle all the same.
        for everywhere in [false, true] {
            let roads = Roads::new(outline, kind, everywhere);
            for knot in roads.knots() {
                if knot.is_disjoint(&known) {
                    found.extend(told(outline, layout, kind, &roads, &knot));
                }
                known.extend(knot);
            }
        }
    }
    found
}

/// One knot, by its shortest way around.
fn told(
    outline: &Outline,
    layout: &Layout,
    kind: Kind,
    roads: &Roads<'_>,
    knot: &BTreeSet<usize>,
) -> Option<Loop> {
    let way = knot.iter().filter_map(|&node| roads.around(node, knot)).min_by_key(Vec::len)?;
    let turn = |edge: &&Edge| Turn {
        name: outline.nodes[edge.first].label().to_owned(),
        place: Place::of(&edge.cause, layout),
    };
    let turns: Vec<Turn> = way.iter().map(turn).collect();
    let rank = |turn: &Turn| match turn.place.key {
        key if key.starts_with("X-") => 0,
        key if key.starts_with("Should") => 1,
        _ => 2,
    };
    let way_out = (0..turns.len()).min_by_key(|&at| rank(&turns[at]))?;
    let knot = knot.iter().map(|&node| outline.nodes[node].label().to_owned()).collect();
    Some(Loop { stopping: kind == Kind::Kill, turns, way_out, knot })
}

/// The edges of one order. Also those of `$all`, which insserv 1.24 does not take for a loop: it then counts to 99.
struct Roads<'a> {
    from: Vec<Vec<&'a Edge>>,
}

impl<'a> Roads<'a> {
    fn new(outline: &'a Outline, kind: Kind, everywhere: bool) -> Roads<'a> {
        let mut from = vec![Vec::new(); outline.nodes.len()];
        for edge in
            outline.edges.iter().filter(|edge| edge.kind == kind && (everywhere || outline.counts(edge)))
        {
            from[edge.first].push(edge);
        }
        Roads { from }
    }

    /// The sets of nodes that all lead to each other, each sorted (Tarjan's algorithm, without recursion).
    fn knots(&self) -> Vec<BTreeSet<usize>> {
        let count = self.from.len();
        let (mut index, mut low) = (vec![usize::MAX; count], vec![0; count]);
        let (mut open, mut is_open) = (Vec::new(), vec![false; count]);
        let (mut next, mut found) = (0, Vec::new());
        for root in 0..count {
            if index[root] != usize::MAX {
                continue;
            }
            let mut calls = vec![(root, 0)];
            while let Some((node, at)) = calls.pop() {
                if at == 0 {
                    (index[node], low[node]) = (next, next);
                    next += 1;
                    open.push(node);
                    is_open[node] = true;
                }
                if let Some(edge) = self.from[node].get(at) {
                    calls.push((node, at + 1));
                    if index[edge.then] == usize::MAX {
                        calls.push((edge.then, 0));
                    } else if is_open[edge.then] {
                        low[node] = low[node].min(index[edge.then]);
                    }
                    continue;
                }
                if low[node] == index[node] {
                    let start = open.iter().rposition(|&other| other == node).unwrap_or(0);
                    let knot: BTreeSet<usize> = open.drain(start..).collect();
                    knot.iter().for_each(|&node| is_open[node] = false);
                    if knot.len() > 1 {
                        found.push(knot);
                    }
                }
                if let Some(&(above, _)) = calls.last() {
                    low[above] = low[above].min(low[node]);
                }
            }
        }
        found.sort();
        found
    }

    /// The shortest way from a node back to it inside its knot.
    fn around(&self, start: usize, knot: &BTreeSet<usize>) -> Option<Vec<&'a Edge>> {
        let mut came: Vec<Option<&'a Edge>> = vec![None; self.from.len()];
        let mut queue = VecDeque::from([start]);
        while let Some(node) = queue.pop_front() {
            for &edge in &self.from[node] {
                if edge.then == start {
                    let mut way = vec![edge];
                    while let Some(before) = came[way[way.len() - 1].first] {
                        way.push(before);
                    }
                    way.reverse();
                    return Some(way);
                }
                if came[edge.then].is_none() && knot.contains(&edge.then) {
                    came[edge.then] = Some(edge);
                    queue.push_back(edge.then);
                }
            }
        }
        None
    }
}

impl fmt::Display for Loop {
    /// Some lines of plain words, without the last newline.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.stopping { "stopping" } else { "starting" };
        write!(f, "loop when {verb}: {} scripts wait for each other", self.turns.len())?;
        let names: Vec<&str> = self.turns.iter().map(|turn| turn.name.as_str()).collect();
        for (at, turn) in self.turns.iter().enumerate() {
            let next = names[(at + 1) % names.len()];
            write!(f, "\n  {} before {next} ({})", turn.name, turn.place)?;
        }
        if self.knot.len() > self.turns.len() {
            let others = self.knot.iter().filter(|name| !names.contains(&name.as_str()));
            write!(f, "\n  also in it: {}", others.cloned().collect::<Vec<_>>().join(", "))?;
        }
        let Some(Turn { place, .. }) = self.turns.get(self.way_out) else { return Ok(()) };
        let script = place.file.rsplit('/').next().unwrap_or_default();
        write!(
            f,
            "\n  way out: take {} out of {} in {}, or write that header without it into /etc/insserv/overrides/{script}",
            place.word, place.key, place.file
        )
    }
}

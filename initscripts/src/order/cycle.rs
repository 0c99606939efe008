//! Finds the shortest loop among scripts, to be told to people; insserv only says that there is one.

use std::collections::VecDeque;

use super::graph::{Graph, Phase, list};
use crate::symbols::{NONE, Symbols};

/// From how many nodes a shortest loop is looked for.
const TRIES: usize = 64;

/// The names along a shortest loop, the first repeated at the end; empty when there is none.
pub(super) fn shortest(graph: &Graph, names: &Symbols, order: &[u32], phase: Phase) -> Vec<String> {
    let found = search(graph, order, phase, true).or_else(|| search(graph, order, phase, false));
    let name = |node: u32| {
        let service = graph.services[node as usize];
        names.name(if service.script == NONE { service.name } else { service.script }).to_owned()
    };
    found.unwrap_or_default().into_iter().map(name).collect()
}

fn search(graph: &Graph, order: &[u32], phase: Phase, same_level: bool) -> Option<Vec<u32>> {
    let counts =
        |a: u32, b: u32| !same_level || graph.side(a, phase).levels.meets(graph.side(b, phase).levels);
    let wanted = |a: u32, b: u32| !graph.nodes[b as usize].removed && counts(a, b);
    let after = |node: u32| graph.after.iter(list(node, phase)).filter(move |&next| wanted(node, next));
    let (rest, _) = unpeeled(graph.nodes.len(), order, &after);
    let tries = rest.into_iter().take(TRIES);
    tries.filter_map(|node| around(graph.nodes.len(), node, &after)).min_by_key(Vec::len)
}

/// The nodes that remain when what nothing leads to is taken away, again and again, and how often that was: the length of the
/// longest chain.
pub(super) fn unpeeled<I: Iterator<Item = u32>>(
    count: usize,
    order: &[u32],
    after: &impl Fn(u32) -> I,
) -> (Vec<u32>, usize) {
    let mut before = vec![0_u32; count];
    for &node in order {
        after(node).for_each(|next| before[next as usize] += 1);
    }
    let mut free: Vec<u32> = order.iter().copied().filter(|&node| before[node as usize] == 0).collect();
    let mut times = 0;
    while !free.is_empty() {
        times += 1;
        for node in std::mem::take(&mut free) {
            for next in after(node) {
                before[next as usize] -= 1;
                if before[next as usize] == 0 {
                    free.push(next);
                }
            }
        }
    }
    (order.iter().copied().filter(|&node| before[node as usize] > 0).collect(), times)
}

/// The shortest way from a node back to it.
fn around<I: Iterator<Item = u32>>(count: usize, start: u32, after: &impl Fn(u32) -> I) -> Option<Vec<u32>> {
    let mut came_from = vec![NONE; count];
    let mut queue = VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for next in after(node) {
            if next == start {
                let mut way = vec![start, node];
                while way.last() != Some(&start) {
                    way.push(came_from[way[way.len() - 1] as usize]);
                }
                way.reverse();
                return Some(way);
            }
            if came_from[next as usize] == NONE {
                came_from[next as usize] = node;
                queue.push_back(next);
            }
        }
    }
    None
}

//! The order as data: every script and every name that is waited for, with its numbers, and every "before" with
//! the line of the header that asks for it. What is shown of it, and how, is not decided here.

use std::collections::HashMap;

use super::arrangement::{Numbered, number};
use super::change::Change;
use super::error::OrderError;
use super::facilities::Facilities;
use super::graph::{PHASES, Phase, flag, list};
use super::trace::{self, Trace};
use crate::installed::{Installed, Tier};
use crate::link::Kind;
use crate::name::Runlevels;
use crate::symbols::{NONE, Symbol};

/// The order of a root.
#[derive(Debug, Clone, Default)]
pub struct Outline {
    /// In insserv's order: by first mention.
    pub nodes: Vec<Node>,
    /// Each pair once for each kind.
    pub edges: Vec<Edge>,
    /// Whether insserv met a loop, for starting and for stopping.
    pub looped: [bool; 2],
    /// The greatest number in runlevels 0 to 6, for starting and for stopping.
    pub greatest: [u8; 2],
}

/// A script, or a name that is waited for and that no script provides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The first name that it provides, or the missing one.
    pub name: String,
    /// The file in init.d.
    pub script: Option<String>,
    /// Whether there are links of it.
    pub linked: bool,
    /// Whether nothing else may start beside it.
    pub interactive: bool,
    /// Whether it starts after, or stops before, all others (`$all`).
    pub all: [bool; 2],
    /// Its place among what is started.
    pub start: Place,
    /// Its place among what is stopped.
    pub stop: Place,
}

/// A place in one of the two orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The number, as in links; 0 when there is none.
    pub sequence: u8,
    /// The number that it has at least, whatever comes before; more than 1 beside interactive scripts only.
    pub least: u8,
    /// Where it is started or stopped.
    pub levels: Runlevels,
}

/// "This before that".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// Place in [`Outline::nodes`] of what comes first.
    pub first: usize,
    /// And of what comes later.
    pub then: usize,
    /// Which of the orders is spoken of.
    pub kind: Kind,
    /// The line that asks for it, the first if several do.
    pub cause: Cause,
}

/// A word in the header of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// The script that it is the header of.
    pub script: String,
    /// The override directory that the header lies in; `None`: the script itself.
    pub tier: Option<Tier>,
    /// The key: `Required-Start`.
    pub key: &'static str,
    /// Its line, counted from 1; 0 for what insserv says of scripts without a header of their own.
    pub line: u32,
    /// The word: a name, or a facility that stands for it.
    pub word: String,
}

impl Node {
    /// Its place in one of the orders.
    #[must_use]
    pub fn place(&self, kind: Kind) -> &Place {
        match kind {
            Kind::Start => &self.start,
            Kind::Kill => &self.stop,
        }
    }

    /// The name to show: that of the script if there is one.
    #[must_use]
    pub fn label(&self) -> &str {
        self.script.as_deref().unwrap_or(&self.name)
    }
}

impl Outline {
    /// The node of a script or, if there is none, of a name that is waited for.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<usize> {
        let script = self.nodes.iter().position(|node| node.script.as_deref() == Some(name));
        script.or_else(|| self.nodes.iter().position(|node| node.script.is_none() && node.name == name))
    }

    /// Whether the number of the later one follows from that of the earlier one: only where both are.
    #[must_use]
    pub fn counts(&self, edge: &Edge) -> bool {
        let levels = |node: usize| self.nodes[node].place(edge.kind).levels;
        levels(edge.first).meets(levels(edge.then))
    }
}

/// The order that insserv would find, were it to make this change; nothing is refused but what cannot be read.
///
/// # Errors
/// Where insserv stops while it reads: see [`OrderError`].
pub fn outline(installed: &Installed, change: &Change) -> Result<Outline, OrderError> {
    let facilities = Facilities::new(&installed.conf, &installed.names)?;
    let numbered = number(installed, change, &facilities, Trace::on())?;
    let names = &installed.names;
    let graph = &numbered.weaver.graph;
    let mut places = vec![usize::MAX; graph.nodes.len()];
    let mut outline = Outline { looped: numbered.looped, greatest: numbered.greatest, ..Outline::default() };
    for (place, &node) in numbered.order.iter().enumerate() {
        places[node as usize] = place;
        let service = graph.services[node as usize];
        let has = |flag| graph.has(node, flag);
        // A second node of one script has the script, too, but its service has none: insserv does not list it.
        let script = service.script;
        let side = |phase| {
            let side = graph.side(node, phase);
            Place { sequence: side.depth, least: side.least, levels: side.levels }
        };
        outline.nodes.push(Node {
            name: names.name(service.name).to_owned(),
            script: (script != NONE).then(|| names.name(script).to_owned()),
            linked: service.links > 0,
            interactive: has(flag::INTERACTIVE),
            all: [has(flag::LAST), has(flag::FIRST)],
            start: side(Phase::Start),
            stop: side(Phase::Stop),
        });
    }
    edges(&numbered, &places, &mut outline);
    Ok(outline)
}

/// The edges with their causes.
fn edges(numbered: &Numbered<'_>, places: &[usize], outline: &mut Outline) {
    let Trace::On(log) = &numbered.weaver.trace else { return };
    let (graph, names) = (&numbered.weaver.graph, numbered.weaver.names);
    let mut causes: HashMap<(u32, u32, u8), trace::Cause> = HashMap::with_capacity(log.edges.len());
    for edge in &log.edges {
        let pair = (graph.original(edge.earlier), graph.original(edge.later), edge.phase as u8);
        causes.entry(pair).or_insert(edge.cause);
    }
    let text = |symbol: Symbol| if symbol == NONE { String::new() } else { names.name(symbol).to_owned() };
    for phase in PHASES {
        let kind = if phase == Phase::Start { Kind::Start } else { Kind::Kill };
        for &first in &numbered.order {
            for then in graph.after.iter(list(first, phase)) {
                let Some(cause) = causes.get(&(first, then, phase as u8)) else { continue };
                let place = |node: u32| places.get(node as usize).copied().filter(|&at| at != usize::MAX);
                let (Some(first), Some(then)) = (place(first), place(then)) else { continue };
                let (script, word) = (text(cause.script), text(cause.word));
                let (tier, key, line) = (cause.tier, cause.key.spelling(), cause.line);
                let cause = Cause { script, tier, key, line, word };
                outline.edges.push(Edge { first, then, kind, cause });
            }
        }
    }
}

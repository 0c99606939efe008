//! What is drawn: the scripts that one runlevel starts or stops, in lanes of one number each, and which waits for which.
//! How it is drawn is in `text`, `dot` and `svg`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::reduce::{self, Pair};
use super::why::Place;
use crate::layout::Layout;
use crate::layout::facts::Scheme;
use crate::link::Kind;
use crate::name::Runlevel;
use crate::order::{Edge, Outline};

/// One runlevel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Picture {
    /// `start in runlevel 2`
    pub title: String,
    /// In ascending order of their numbers.
    pub lanes: Vec<Lane>,
    /// Without those that follow from others.
    pub arrows: Vec<Arrow>,
}

/// What has the same number: it may run at the same time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lane {
    /// The number.
    pub sequence: u8,
    /// In order of their names.
    pub items: Vec<Item>,
}

/// A script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Its name.
    pub name: String,
    /// Whether nothing else may start beside it.
    pub interactive: bool,
    /// Whether it waits for all others, or all others for it (`$all`); there are no arrows for that.
    pub all: bool,
    /// What a change does to it.
    pub mark: Mark,
}

/// What a change does to a script or a dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// Nothing.
    Same,
    /// It is new.
    Added,
    /// It goes.
    Removed,
    /// It had this number before.
    Moved(u8),
}

/// One waits for the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Arrow {
    /// Who comes first.
    pub first: String,
    /// Who waits for it.
    pub then: String,
    /// The line that asks for it, the first if names that no script provides stand between the two.
    pub place: Place,
    /// What a change does to it.
    pub mark: Mark,
}

impl Picture {
    /// The items with the numbers of their lanes.
    pub fn items(&self) -> impl Iterator<Item = (u8, &Item)> {
        self.lanes.iter().flat_map(|lane| lane.items.iter().map(|item| (lane.sequence, item)))
    }

    /// The picture of some items and of the arrows between them.
    pub(super) fn new(title: String, items: Vec<(u8, Item)>, arrows: Vec<Arrow>) -> Picture {
        let mut lanes: BTreeMap<u8, Vec<Item>> = BTreeMap::new();
        for (sequence, item) in items {
            lanes.entry(sequence).or_default().push(item);
        }
        let lane = |(sequence, mut items): (u8, Vec<Item>)| {
            items.sort_by(|a, b| a.name.cmp(&b.name));
            Lane { sequence, items }
        };
        Picture { title, lanes: lanes.into_iter().map(lane).collect(), arrows }
    }

    /// Only these scripts, and the arrows between them.
    #[must_use]
    pub fn only(mut self, wanted: impl Fn(&str) -> bool) -> Picture {
        for lane in &mut self.lanes {
            lane.items.retain(|item| wanted(&item.name));
        }
        self.lanes.retain(|lane| !lane.items.is_empty());
        self.arrows.retain(|arrow| wanted(&arrow.first) && wanted(&arrow.then));
        self
    }

    /// The scripts that have to do with one: all that it waits for and all that wait for it, however far.
    #[must_use]
    pub fn around(&self, name: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::from([name]);
        for forward in [true, false] {
            let mut next: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
            for Arrow { first, then, .. } in &self.arrows {
                let (from, to) = if forward { (first, then) } else { (then, first) };
                next.entry(from).or_default().push(to);
            }
            let (mut todo, mut seen) = (vec![name], BTreeSet::from([name]));
            while let Some(at) = todo.pop() {
                let more = next.get(at).map(Vec::as_slice).unwrap_or_default();
                todo.extend(more.iter().filter(|other| seen.insert(other)));
            }
            found.extend(seen);
        }
        found.into_iter().map(str::to_owned).collect()
    }
}

/// The picture of one runlevel, of what is linked there.
#[must_use]
pub fn picture(outline: &Outline, layout: &Layout, level: Runlevel, kind: Kind) -> Picture {
    let verb = if kind == Kind::Start { "start" } else { "stop" };
    // Where numbers are read from the links, so is what is started.
    let killed = layout.has_insserv_order();
    let shown: Vec<bool> =
        (0..outline.nodes.len()).map(|node| is_shown(outline, node, level, kind, killed)).collect();
    let nodes = outline.nodes.iter().zip(&shown).filter(|(_, shown)| **shown);
    let items = nodes.map(|(node, _)| {
        let item = Item {
            name: node.label().to_owned(),
            interactive: node.interactive && kind == Kind::Start,
            all: node.all[usize::from(kind == Kind::Kill)],
            mark: Mark::Same,
        };
        (node.place(kind).sequence, item)
    });
    let items: Vec<(u8, Item)> = items.collect();
    let pairs = pairs(outline, &shown, level, kind);
    let arrow = |pair: Pair<'_>| Arrow {
        first: outline.nodes[pair.first].label().to_owned(),
        then: outline.nodes[pair.then].label().to_owned(),
        place: Place::of(&pair.edge.cause, layout),
        mark: Mark::Same,
    };
    let arrows = reduce::reduced(outline, kind, pairs).into_iter().map(arrow).collect();
    let when = match layout.scheme {
        Scheme::Hooks(_) => format!("in runlevel {level}, in the order of the lines that call them"),
        _ if layout.runlevels.is_empty() => "at boot".to_owned(),
        _ => format!("in runlevel {level}"),
    };
    Picture::new(format!("{verb} {when}"), items, arrows)
}

/// Whether a script is started or stopped there. Where both are wanted insserv makes a kill link.
fn is_shown(outline: &Outline, node: usize, level: Runlevel, kind: Kind, killed: bool) -> bool {
    let node = &outline.nodes[node];
    let wanted = node.place(kind).levels.contains(level);
    let killed = killed && kind == Kind::Start && node.stop.levels.contains(level) && level != Runlevel::S;
    node.script.is_some() && node.linked && wanted && !killed
}

/// Which scripts come before which, directly or over names that no script provides.
fn pairs<'a>(outline: &'a Outline, shown: &[bool], level: Runlevel, kind: Kind) -> Vec<Pair<'a>> {
    let mut from: Vec<Vec<&Edge>> = vec![Vec::new(); shown.len()];
    for edge in outline.edges.iter().filter(|edge| edge.kind == kind && edge.cause.word != "$all") {
        from[edge.first].push(edge);
    }
    let passes = |node: usize| {
        let place = outline.nodes[node].place(kind);
        outline.nodes[node].script.is_none() && place.sequence > 0 && place.levels.contains(level)
    };
    let mut found = Vec::new();
    for first in (0..shown.len()).filter(|&node| shown[node]) {
        let mut seen = BTreeSet::from([first]);
        let mut todo: Vec<(&Edge, &Edge)> = from[first].iter().rev().map(|&edge| (edge, edge)).collect();
        while let Some((edge, last)) = todo.pop() {
            if !seen.insert(last.then) {
                continue;
            }
            if shown[last.then] {
                found.push(Pair { first, then: last.then, edge });
            } else if passes(last.then) {
                todo.extend(from[last.then].iter().rev().map(|&next| (edge, next)));
            }
        }
    }
    found
}

//! The order as the links of a root have it, where insserv does not give the numbers, and what one script has to do
//! with others there. Numbers are read and not computed: no layout of that kind says more.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::why::Place;
use crate::installed::Installed;
use crate::layout::Layout;
use crate::layout::facts::Scheme;
use crate::link::{Kind, Link};
use crate::name::Runlevels;
use crate::order::Outline;

/// The same outline with the numbers and runlevels of the links.
///
/// Where scripts have numbers in their own names, causes are told with these names, by which people find them.
#[must_use]
pub fn linked(mut outline: Outline, installed: &Installed, layout: &Layout) -> Outline {
    let links = Links::of(installed);
    for node in &mut outline.nodes {
        for kind in [Kind::Start, Kind::Kill] {
            let script = node.script.as_deref();
            let own = || script.into_iter().flat_map(|script| links.of_kind(script, kind));
            let sequence = own().map(|link| link.sequence.get()).max().unwrap_or(0);
            let levels: Runlevels = own().map(|link| link.runlevel).collect();
            let place = match kind {
                Kind::Start => &mut node.start,
                Kind::Kill => &mut node.stop,
            };
            (place.sequence, place.levels) = (sequence, levels);
        }
    }
    if let Scheme::Rcs(_) = layout.scheme {
        let files: BTreeMap<&str, String> =
            installed.lent_links().map(|link| (link.name, link.to_string())).collect();
        for edge in &mut outline.edges {
            if let Some(file) = files.get(edge.cause.script.as_str()) {
                edge.cause.script.clone_from(file);
            }
        }
    }
    outline
}

/// The links of a root, each script's found without a search.
struct Links<'a>(BTreeMap<&'a str, Vec<Link<&'a str>>>);

impl<'a> Links<'a> {
    fn of(installed: &'a Installed) -> Links<'a> {
        let mut all: BTreeMap<&str, Vec<Link<&str>>> = BTreeMap::new();
        installed.lent_links().for_each(|link| all.entry(link.name).or_default().push(link));
        Links(all)
    }

    fn of_kind(&self, name: &str, kind: Kind) -> impl Iterator<Item = Link<&'a str>> {
        let own = self.0.get(name).map(Vec::as_slice).unwrap_or_default();
        own.iter().copied().filter(move |link| link.kind == kind)
    }
}

/// What is to be said of one script and one of the orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// `foobar`
    pub script: String,
    /// Whether it is about stopping.
    pub stopping: bool,
    /// Its links: `S44`, with the runlevels.
    pub numbers: Vec<Number>,
    /// What must come before it.
    pub after: Vec<Neighbour>,
    /// What must come after it.
    pub before: Vec<Neighbour>,
}

/// A number, and where a script has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Number {
    /// `S44`
    pub number: String,
    /// Such as `2345`.
    pub runlevels: String,
}

/// Another script that has to come before or after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Neighbour {
    /// Its name.
    pub script: String,
    /// Its numbers; none when it has no link of that kind.
    pub numbers: Vec<Number>,
    /// The line that asks for it.
    pub place: Place,
    /// Whether the numbers do what the line asks for, in all runlevels where both are.
    pub kept: bool,
}

/// What is to be said of a node; `outline` comes from [`linked`].
#[must_use]
pub fn standing(
    outline: &Outline,
    installed: &Installed,
    layout: &Layout,
    node: usize,
    kind: Kind,
) -> Standing {
    let links = Links::of(installed);
    let label = |node: usize| outline.nodes[node].label();
    let neighbour = |other: usize, first: usize, then: usize, place: Place| Neighbour {
        script: label(other).to_owned(),
        numbers: numbers(&links, label(other), kind),
        place,
        kept: is_kept(&links, label(first), label(then), kind),
    };
    let is_script = |node: usize| outline.nodes[node].script.is_some();
    // What is not there need not be waited for; check tells what should be there.
    let edges = || {
        let of_kind = outline.edges.iter().filter(|edge| edge.kind == kind && edge.cause.word != "$all");
        of_kind.filter(|edge| is_script(edge.first) && is_script(edge.then))
    };
    let of = |edge: &crate::order::Edge, other| {
        neighbour(other, edge.first, edge.then, Place::of(&edge.cause, layout))
    };
    Standing {
        script: label(node).to_owned(),
        stopping: kind == Kind::Kill,
        numbers: numbers(&links, label(node), kind),
        after: edges().filter(|edge| edge.then == node).map(|edge| of(edge, edge.first)).collect(),
        before: edges().filter(|edge| edge.first == node).map(|edge| of(edge, edge.then)).collect(),
    }
}

fn numbers(links: &Links<'_>, name: &str, kind: Kind) -> Vec<Number> {
    let mut found: BTreeMap<String, Runlevels> = BTreeMap::new();
    for link in links.of_kind(name, kind) {
        let number = format!("{}{}", link.kind.letter(), link.sequence);
        found.entry(number).or_default().insert(link.runlevel);
    }
    let letters = |levels: Runlevels| levels.iter().map(|level| level.letter()).collect();
    found.into_iter().map(|(number, levels)| Number { number, runlevels: letters(levels) }).collect()
}

/// Of equal numbers the names decide.
fn is_kept(links: &Links<'_>, first: &str, then: &str, kind: Kind) -> bool {
    links.of_kind(first, kind).all(|link| {
        let mut same_level = links.of_kind(then, kind).filter(|other| other.runlevel == link.runlevel);
        same_level.all(|other| (link.sequence, link.name) < (other.sequence, other.name))
    })
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.stopping { "stops" } else { "starts" };
        match self.numbers.as_slice() {
            [] => write!(f, "{} {verb} nowhere", self.script)?,
            numbers => write!(f, "{} {verb} as {}", self.script, shown(numbers))?,
        }
        for (words, neighbours) in [("after", &self.after), ("before", &self.before)] {
            for Neighbour { script, numbers, place, kept } in neighbours {
                let number = if numbers.is_empty() {
                    "which has no number".to_owned()
                } else {
                    format!("which has {}", shown(numbers))
                };
                let wrong = if *kept { "" } else { " - and does not" };
                write!(f, "\n  has to come {words} {script}, {number}{wrong}\n    {place}")?;
            }
        }
        Ok(())
    }
}

fn shown(numbers: &[Number]) -> String {
    let one = |number: &Number| format!("{} ({})", number.number, number.runlevels);
    numbers.iter().map(one).collect::<Vec<_>>().join(", ")
}

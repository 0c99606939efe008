//! Why a service starts when it does where lines in files are the order: which line calls it, and what has to come before
//! and after. Read from the files and from the outline; nothing is ordered here.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::why::Place;
use crate::calls::Called;
use crate::layout::Layout;
use crate::link::Kind;
use crate::name::Runlevels;
use crate::order::{Edge, Outline};

/// What is to be said of one script and one of the orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Calling {
    /// `foobar`
    pub script: String,
    /// Whether it is about stopping.
    pub stopping: bool,
    /// The lines that call it, in the order in which they are reached.
    pub lines: Vec<Line>,
    /// What must come before it.
    pub after: Vec<Neighbouring>,
    /// What must come after it.
    pub before: Vec<Neighbouring>,
}

/// A line that calls a script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// Such as `2345`.
    pub runlevels: String,
}

/// Another script that has to come before or after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Neighbouring {
    /// Its name.
    pub script: String,
    /// The first line that calls it; none when nobody does.
    pub called: Option<Line>,
    /// The line that asks for it.
    pub place: Place,
    /// Whether the lines have it so, where both are called.
    pub kept: bool,
}

/// What is to be said of a service; `order` comes from [`crate::calls::order`].
#[must_use]
pub fn calling(outline: &Outline, order: &[Called], layout: &Layout, name: &str, kind: Kind) -> Calling {
    let at = |name: &str| order.iter().position(|one| one.name == name && one.kind == kind);
    let neighbours = |is_after: bool| {
        let of_kind = outline.edges.iter().filter(move |edge| edge.kind == kind && edge.cause.word != "$all");
        of_kind.filter_map(move |edge| {
            let (own, other) = ends(outline, edge, is_after)?;
            let (first, then) = if is_after { (other, own) } else { (own, other) };
            let kept = at(first).zip(at(then)).is_none_or(|(first, then)| first < then);
            let place = Place::of(&edge.cause, layout);
            let called = at(other).map(|at| Line::of(&order[at]));
            (own == name).then(|| Neighbouring { script: other.to_owned(), called, place, kept })
        })
    };
    Calling {
        script: name.to_owned(),
        stopping: kind == Kind::Kill,
        lines: order.iter().filter(|one| one.name == name && one.kind == kind).map(Line::of).collect(),
        after: neighbours(true).collect(),
        before: neighbours(false).collect(),
    }
}

/// The script that an edge is told of, and the other one.
fn ends<'a>(outline: &'a Outline, edge: &Edge, is_after: bool) -> Option<(&'a str, &'a str)> {
    let script = |node: usize| outline.nodes[node].script.as_deref();
    let (first, then) = (script(edge.first)?, script(edge.then)?);
    Some(if is_after { (then, first) } else { (first, then) })
}

/// The same outline with numbers that count the lines: what is called first has 1. What has no script that can be run has
/// none.
#[must_use]
pub fn counted(mut outline: Outline, order: &[Called], on: &BTreeSet<String>) -> Outline {
    for node in &mut outline.nodes {
        let own = node.script.clone().filter(|name| on.contains(name)).unwrap_or_default();
        for kind in [Kind::Start, Kind::Kill] {
            let mut calls = (1..).zip(order.iter().filter(|one| one.kind == kind));
            let first = calls.clone().find(|(_, one)| one.name == own).map_or(0, |(number, _)| number);
            let mut levels = Runlevels::NONE;
            for (_, one) in calls.by_ref().filter(|(_, one)| one.name == own) {
                levels = levels.union(one.levels);
            }
            let place = if kind == Kind::Start { &mut node.start } else { &mut node.stop };
            (place.sequence, place.levels) = (u8::try_from(first).unwrap_or(u8::MAX), levels);
            node.linked |= first > 0;
        }
    }
    outline
}

impl Line {
    fn of(called: &Called) -> Line {
        let runlevels = called.levels.iter().map(|level| level.letter()).collect();
        Line { file: called.file.to_owned(), line: called.line, runlevels }
    }
}

impl fmt::Display for Line {
    /// `/etc/rc.d/rc.local:5`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

impl fmt::Display for Calling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.stopping { "stopped" } else { "started" };
        if self.lines.is_empty() {
            write!(f, "{} is {verb} by nobody: no file calls its script for that", self.script)?;
        }
        for (number, line) in self.lines.iter().enumerate() {
            let start = if number == 0 { format!("{} is", self.script) } else { "\nand".to_owned() };
            write!(f, "{start} {verb} by {line}, in runlevels {}", line.runlevels)?;
        }
        for (words, neighbours) in [("after", &self.after), ("before", &self.before)] {
            for Neighbouring { script, called, place, kept } in neighbours {
                let by = match called {
                    Some(line) => format!("which {line} calls"),
                    None => "which nobody calls".to_owned(),
                };
                let wrong = if *kept { "" } else { " - and does not" };
                write!(f, "\n  has to come {words} {script}, {by}{wrong}\n    {place}")?;
            }
        }
        Ok(())
    }
}

//! Lines that call services, where these are the order: whether they are run, as they were written, and in the order that
//! headers ask for.

use std::collections::BTreeSet;

use super::finding::Finding;
use super::rules::called as rules;
use crate::calls::{self, Called, Texts};
use crate::explain::calling;
use crate::hooks;
use crate::layout::Layout;
use crate::layout::facts::Hooks;
use crate::link::Kind;
use crate::order::Outline;

/// What a machine has of them.
#[derive(Debug, Clone, Copy)]
pub struct Lines<'a> {
    /// The layout.
    pub layout: &'a Layout,
    /// Its files.
    pub hooks: &'a Hooks,
    /// The texts of those that are there.
    pub all: &'a Texts,
    /// The texts of those that can be run.
    pub runnable: &'a Texts,
    /// The services with a script that can be run.
    pub on: &'a BTreeSet<String>,
    /// Those with a script that is switched off.
    pub off: &'a BTreeSet<String>,
    /// Those with a service file.
    pub ours: &'a BTreeSet<String>,
    /// What headers ask for.
    pub outline: &'a Outline,
}

/// Checks them; files are named as the tree sees them.
#[must_use]
pub fn check(lines: &Lines<'_>) -> Vec<Finding> {
    let Lines { layout, hooks, runnable, .. } = *lines;
    let order = calls::order(layout, hooks, runnable);
    let mut found = blocks(lines);
    found.extend(wrong_order(lines, &order));
    let started: BTreeSet<&str> =
        order.iter().filter(|one| one.kind == Kind::Start).map(|one| one.name.as_str()).collect();
    let silent =
        lines.ours.iter().filter(|name| lines.on.contains(*name) && !started.contains(name.as_str()));
    found.extend(silent.map(|name| {
        let message = "is executable, and nothing that is run at boot calls it";
        Finding::new(&rules::NOT_CALLED, name, &layout.script(name), 1, message)
    }));
    found
}

/// Our own lines.
fn blocks(lines: &Lines<'_>) -> Vec<Finding> {
    let Lines { layout, hooks, all, runnable, on, off, .. } = *lines;
    let reached = calls::reached(layout, hooks, runnable);
    let mut found = Vec::new();
    for (file, kind) in [(hooks.start, Kind::Start), (hooks.stop, Kind::Kill)] {
        let Some(text) = all.get(file) else { continue };
        for block in hooks::blocks(text, kind) {
            let line = u32::try_from(hooks::line(text, block.place.start)).unwrap_or(u32::MAX);
            let name = block.name;
            let mut add = |rule, message: String| found.push(Finding::new(rule, name, file, line, message));
            if !block.is_ours {
                add(&rules::LINES_CHANGED, format!("the lines of {name} were changed by hand"));
            }
            if !on.contains(name) && !off.contains(name) {
                add(&rules::LINES_LEFT, format!("there is no {}", layout.script(name)));
            } else if !reached.contains(&file) {
                let why =
                    if runnable.contains_key(file) { "is called by nothing" } else { "is not executable" };
                add(&rules::LINES_NOT_RUN, format!("{name} is called here, and the file {why}"));
            }
        }
    }
    found
}

/// What starts too early or stops too late.
fn wrong_order(lines: &Lines<'_>, order: &[Called]) -> Vec<Finding> {
    let Lines { layout, outline, .. } = *lines;
    let mut found = Vec::new();
    for kind in [Kind::Start, Kind::Kill] {
        let names: BTreeSet<&str> =
            order.iter().filter(|one| one.kind == kind).map(|one| one.name.as_str()).collect();
        for name in names.into_iter().filter(|name| lines.on.contains(*name)) {
            let told = calling(outline, order, layout, name, kind);
            let wrong = told.after.iter().filter(|other| !other.kept && lines.on.contains(&other.script));
            for other in wrong {
                let Some(line) = told.lines.first() else { continue };
                let verb = if kind == Kind::Start { "started" } else { "stopped" };
                let message = format!("{name} is {verb} before {}; {}", other.script, other.place);
                let number = u32::try_from(line.line).unwrap_or(u32::MAX);
                found.push(Finding::new(&rules::LINES_ORDER, name, &line.file, number, message));
            }
        }
    }
    found
}

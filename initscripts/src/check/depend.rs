//! startpar's `.depend.*` files beside what the headers and links would make of them now.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::{Finding, Rule};
use super::rules::machine as rules;
use super::tree::{Text, Tree};
use crate::order::{Arrangement, Warning};

/// One file: what is run, what stands alone, and who waits for whom.
#[derive(Debug, Default)]
struct Orders<'a> {
    targets: BTreeSet<&'a str>,
    interactive: BTreeSet<&'a str>,
    waits: BTreeMap<&'a str, (u32, BTreeSet<&'a str>)>,
    /// The line of the targets.
    line: u32,
}

/// Compares them. `arrangement` is what a run of insserv without arguments would lead to.
#[must_use]
pub fn check(tree: &Tree, arrangement: &Arrangement<'_>) -> Vec<Finding> {
    let Some(files) = &tree.depend else { return Vec::new() };
    // The order of a loop is anybody's guess.
    let looped = arrangement.warnings.iter().any(|warning| matches!(warning, Warning::Loop { .. }));
    let wanted = [&arrangement.boot, &arrangement.start, &arrangement.stop];
    let mut found = Vec::new();
    for (file, wanted) in files.iter().zip(wanted) {
        compare(file, wanted, looped, &mut found);
    }
    found
}

fn compare(file: &Text, wanted: &str, looped: bool, found: &mut Vec<Finding>) {
    let text = String::from_utf8_lossy(&file.text);
    let (there, wanted) = (read(&text), read(wanted));
    let mut say = |rule: &'static Rule, script: &str, line, message| {
        found.push(Finding::new(rule, script, &file.file, line, message));
    };
    for &script in wanted.targets.difference(&there.targets) {
        say(&rules::DEPEND_MISSING, script, there.line, format!("{script} has a link and is not in TARGETS"));
    }
    if looped {
        return;
    }
    for &script in wanted.targets.intersection(&there.targets) {
        let none = (there.line, BTreeSet::new());
        let (line, has) = there.waits.get(script).unwrap_or(&none);
        let wants = wanted.waits.get(script).map(|(_, wants)| wants.clone()).unwrap_or_default();
        // Which steps are left out because others imply them depends on the order of the directory.
        let missing = beyond(&wants, has, || there.reach(script));
        let extra = beyond(has, &wants, || wanted.reach(script));
        let mut parts = Vec::new();
        if !missing.is_empty() {
            parts.push(format!("does not wait for {}", missing.join(", ")));
        }
        if !extra.is_empty() {
            parts.push(format!("waits for {}, which its header does not ask for", extra.join(", ")));
        }
        if wanted.interactive.contains(script) != there.interactive.contains(script) {
            parts.push("is interactive in one of header and file only".to_owned());
        }
        if !parts.is_empty() {
            say(&rules::DEPEND_STALE, script, *line, format!("{script} {}", parts.join(" and ")));
        }
    }
}

/// What is in `these` and neither in `those` nor in what these reach. Most lines are equal, and reaching is looked for
/// only where they are not: with thousands of scripts it takes longer than all the rest.
fn beyond<'a>(
    these: &BTreeSet<&'a str>,
    those: &BTreeSet<&'a str>,
    reach: impl FnOnce() -> BTreeSet<&'a str>,
) -> Vec<&'a str> {
    let mut more: Vec<&str> = these.difference(those).copied().collect();
    if !more.is_empty() {
        let reached = reach();
        more.retain(|script| !reached.contains(script));
    }
    more
}

impl<'a> Orders<'a> {
    /// Whom a script waits for, directly or through others.
    fn reach(&self, script: &'a str) -> BTreeSet<&'a str> {
        let mut found = BTreeSet::new();
        let mut todo = vec![script];
        while let Some(next) = todo.pop() {
            let waits = self.waits.get(next).into_iter().flat_map(|(_, waits)| waits);
            todo.extend(waits.filter(|waited| found.insert(**waited)));
        }
        found
    }
}

fn read(text: &str) -> Orders<'_> {
    let mut orders = Orders { line: 1, ..Orders::default() };
    for (number, line) in (1..).zip(text.lines()) {
        if let Some(words) = line.strip_prefix("TARGETS =") {
            orders.targets.extend(words.split_ascii_whitespace());
            orders.line = number;
        } else if let Some(words) = line.strip_prefix("INTERACTIVE =") {
            orders.interactive.extend(words.split_ascii_whitespace());
        } else if let Some((script, words)) = line.split_once(':') {
            orders.waits.insert(script, (number, words.split_ascii_whitespace().collect()));
        }
    }
    orders
}

//! The links of the runlevels, one by one and beside the headers of their scripts. Numbers are the business of
//! `order`.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::{Finding, Rule};
use super::rules::machine as rules;
use super::tree::{Entry, Leads, Tree};
use crate::link::{Kind, Link};
use crate::lsb::scan::Key;

/// Checks all entries of all runlevels.
#[must_use]
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut found: Vec<Finding> = tree.entries.iter().filter_map(entry).collect();
    found.extend(pairs(tree));
    found.extend(headers(tree));
    found
}

/// The names with a link of any kind, wherever it leads.
#[must_use]
pub fn linked(tree: &Tree) -> BTreeSet<&str> {
    let links = tree.entries.iter().filter(|entry| Link::parse(entry.level, &entry.name).is_some());
    links
        .filter_map(|entry| match &entry.leads {
            Leads::Script(name) => Some(name.as_str()),
            Leads::Outside(_) | Leads::Nowhere(_) | Leads::NoLink => None,
        })
        .collect()
}

fn entry(entry: &Entry) -> Option<Finding> {
    let link = Link::parse(entry.level, &entry.name);
    let name = link.as_ref().map(|link| link.name.to_string()).unwrap_or_default();
    let says =
        |rule: &'static Rule, message: String| Some(Finding::new(rule, &name, &entry.file, 1, message));
    let Some(link) = &link else {
        let is_usual = entry.name.starts_with('.') || entry.name.starts_with("README");
        let message = "is not called S or K, two digits and a name".to_owned();
        return says(&rules::LINK_IGNORED, message).filter(|_| !is_usual);
    };
    match &entry.leads {
        Leads::NoLink => says(&rules::LINK_NOT_SYMBOLIC, rules::LINK_NOT_SYMBOLIC.title.to_owned()),
        Leads::Nowhere(text) => says(&rules::LINK_DANGLING, format!("leads to {text}, which is not there")),
        Leads::Outside(text) => {
            says(&rules::LINK_OUTSIDE, format!("leads to {text}, which is not among the scripts"))
        }
        Leads::Script(script) if **script != *link.name => {
            says(&rules::LINK_MISNAMED, format!("leads to the script {script}"))
        }
        Leads::Script(_) => None,
    }
}

/// Entries that contradict each other.
fn pairs(tree: &Tree) -> Vec<Finding> {
    let mut first: BTreeMap<_, &Entry> = BTreeMap::new();
    let mut found = Vec::new();
    for entry in &tree.entries {
        let Some(link) = Link::parse(entry.level, &entry.name) else { continue };
        let other = match link.kind {
            Kind::Start => Kind::Kill,
            Kind::Kill => Kind::Start,
        };
        if let Some(before) = first.get(&(entry.level, link.name.clone(), other)) {
            let message = format!("{} is there as well", before.name);
            found.push(Finding::new(&rules::LINK_BOTH, &link.name, &entry.file, 1, message));
        }
        match first.get(&(entry.level, link.name.clone(), link.kind)) {
            Some(before) => {
                let message = format!("{} is there as well", before.name);
                found.push(Finding::new(&rules::LINK_DOUBLED, &link.name, &entry.file, 1, message));
            }
            None => {
                first.insert((entry.level, link.name.clone(), link.kind), entry);
            }
        }
    }
    found
}

/// Links beside what the headers want.
fn headers(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    // A tree without any directory of links, such as busybox's, starts scripts in another way.
    if tree.entries.is_empty() {
        return found;
    }
    for placed in tree.placed() {
        let wanted = placed.header.default_start;
        if !placed.is_linked() {
            if !wanted.union(placed.header.default_stop).is_empty() {
                let message =
                    format!("has no link; its header wants to start in {}", some(&wanted.to_string()));
                found.push(placed.finding(&rules::NOT_LINKED, Key::DefaultStart, message));
            }
            continue;
        }
        let (start, kill) = (placed.levels(Kind::Start), placed.levels(Kind::Kill));
        let is_off = start.is_empty();
        let absent = wanted.without(start).without(kill);
        if !is_off && (!start.without(wanted).is_empty() || !absent.is_empty()) {
            let message = format!("starts in {start}; its header says {}", some(&wanted.to_string()));
            found.push(placed.finding(&rules::LINKS_DIFFER, Key::DefaultStart, message));
        }
    }
    found
}

fn some(levels: &str) -> &str {
    if levels.is_empty() { "none" } else { levels }
}

//! The files whose lines call services, read for the linter.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use foobar_initscripts::calls::{Machine, Texts};
use foobar_initscripts::check::called::{self, Lines};
use foobar_initscripts::check::finding::Finding;
use foobar_initscripts::layout::Layout;
use foobar_initscripts::layout::facts::Hooks;
use foobar_initscripts::order::Outline;

use crate::inspect::tree;
use crate::root::Root;
use crate::scripts;

/// What is wrong with them; `ours` are the services with a service file.
///
/// # Errors
/// With the path in words.
pub fn check(
    root: &Root,
    layout: &Layout,
    hooks: &Hooks,
    outline: &Outline,
    ours: &BTreeSet<String>,
) -> io::Result<Vec<Finding>> {
    let mut all = Texts::new();
    for path in hooks.files() {
        all.extend(root.read(Path::new(path))?.map(|(text, _)| (path.to_owned(), text)));
    }
    let Machine { texts: runnable, on } = scripts::machine(root, layout, hooks)?;
    let services = scripts::service_names(root, layout)?.into_iter().map(|name| name.to_string());
    let mut off = BTreeSet::new();
    for name in services.filter(|name| !on.contains(name)) {
        if root.facts(Path::new(&layout.script(&name)))?.is_some() {
            off.insert(name);
        }
    }
    let lines = Lines { layout, hooks, all: &all, runnable: &runnable, on: &on, off: &off, ours, outline };
    let mut found = called::check(&lines);
    for finding in &mut found {
        finding.file = tree::show(root, Path::new(&finding.file));
    }
    Ok(found)
}

//! The files whose lines call services, read for the linter.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use foobar_initscripts::calls::Texts;
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
    let (mut on, mut off) = (BTreeSet::new(), BTreeSet::new());
    for file in root.names(Path::new(layout.script_dir))? {
        let Some((name, _)) = file.to_str().and_then(|file| layout.script_name(file)) else { continue };
        let runs = scripts::is_script(root, &Path::new(layout.script_dir).join(&file))?;
        if runs { &mut on } else { &mut off }.insert(name.to_owned());
    }
    let runnable = scripts::callers(root, hooks)?;
    let lines = Lines { layout, hooks, all: &all, runnable: &runnable, on: &on, off: &off, ours, outline };
    let mut found = called::check(&lines);
    for finding in &mut found {
        finding.file = tree::show(root, Path::new(&finding.file));
    }
    Ok(found)
}

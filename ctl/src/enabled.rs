//! Which services start at boot, and where, told by names alone, or by the lines that call them: no script of a service is
//! read, and no link followed.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use foobar_initscripts::calls;
use foobar_initscripts::hooks;
use foobar_initscripts::layout::Layout;
use foobar_initscripts::layout::facts::{Hooks, OpenRc, Scheme};
use foobar_initscripts::link::{Kind, Link};
use foobar_initscripts::name::{Runlevel, Runlevels, Sequence, ServiceName};

use crate::root::Root;
use crate::scripts;

/// Where a service starts and stops.
#[derive(Debug, Clone, Default)]
pub struct Where {
    /// Runlevels that have names.
    named: Vec<String>,
    start: Runlevels,
    stop: Runlevels,
}

impl Where {
    /// The runlevels that it is started in, and those of `more`, as the layout writes them: `2345`, `boot default`.
    pub fn start(&self, layout: &Layout, more: Runlevels) -> String {
        let letters = layout.letters(self.start.union(more));
        let words = self.named.iter().map(String::as_str);
        let words: Vec<&str> =
            words.chain([letters.as_str()].into_iter().filter(|l| !l.is_empty())).collect();
        words.join(" ")
    }

    /// The runlevels that it is stopped in.
    pub fn stop(&self, layout: &Layout) -> String {
        layout.letters(self.stop)
    }
}

/// Where all services start and stop, by their names.
///
/// # Errors
/// With the path in words.
pub fn places(root: &Root, layout: &Layout) -> io::Result<BTreeMap<String, Where>> {
    let mut found: BTreeMap<String, Where> = BTreeMap::new();
    if let Scheme::OpenRc(openrc) = layout.scheme {
        for level in openrc_runlevels(root, openrc)? {
            for entry in root.names(Path::new(&openrc.directory(&level)))? {
                let Some(name) = entry.to_str() else { continue };
                found.entry(name.to_owned()).or_default().named.push(level.clone());
            }
        }
        return Ok(found);
    }
    for link in link_names(root, layout)? {
        match link.kind {
            Kind::Start => found.entry(link.name.to_string()).or_default().start.insert(link.runlevel),
            // A script whose name begins with K is disabled there, and not stopped by anybody.
            Kind::Kill if matches!(layout.scheme, Scheme::Rcs(_)) => {}
            Kind::Kill => found.entry(link.name.to_string()).or_default().stop.insert(link.runlevel),
        }
    }
    Ok(found)
}

/// The runlevels of this machine: first those that every one has, in their order, then its own.
fn openrc_runlevels(root: &Root, openrc: OpenRc) -> io::Result<Vec<String>> {
    let directory = openrc.directory("");
    let mut found: Vec<String> =
        root.names(Path::new(&directory))?.into_iter().filter_map(|name| name.into_string().ok()).collect();
    let rank = |name: &String| openrc.runlevels.iter().position(|known| known == name);
    found.sort_by_key(|name| rank(name).unwrap_or(usize::MAX));
    Ok(found)
}

/// The links of all runlevels by their names, without looking where they lead.
///
/// # Errors
/// With the path in words.
pub fn link_names(root: &Root, layout: &Layout) -> io::Result<Vec<Link>> {
    let mut found = Vec::new();
    match layout.scheme {
        Scheme::OpenRc(openrc) => return named(root, openrc),
        Scheme::Hooks(hooks) => return called(root, layout, hooks),
        Scheme::SysV(_) | Scheme::Rcs(_) => {}
    }
    for level in layout.levels() {
        let names = root.names(Path::new(&layout.runlevel_dir(*level)))?;
        found.extend(names.iter().filter_map(|name| Link::parse(*level, name.to_str()?)));
    }
    Ok(found)
}

/// The links of OpenRC, as links of the runlevels of init that its own stand for (inittab(5) of OpenRC).
fn named(root: &Root, openrc: OpenRc) -> io::Result<Vec<Link>> {
    let mut found = Vec::new();
    for (level, stands_for) in [("sysinit", "S"), ("boot", "S"), ("single", "1"), ("default", "2345")] {
        for entry in root.names(Path::new(&openrc.directory(level)))? {
            let Some(name) = entry.to_str().and_then(|name| ServiceName::parse(name).ok()) else { continue };
            let levels = Runlevels::parse(stands_for).unwrap_or_default();
            found.extend(levels.iter().map(|runlevel| start(runlevel, &name)));
        }
    }
    Ok(found)
}

/// Scripts that some file calls, as links of the runlevels that this file is run in. What is not executable is not run;
/// but the lines that we have written stop a service without looking at that.
fn called(root: &Root, layout: &Layout, hooks: Hooks) -> io::Result<Vec<Link>> {
    let mut found = Vec::new();
    let texts = scripts::callers(root, &hooks)?;
    for one in calls::order(layout, &hooks, &texts) {
        let Ok(name) = ServiceName::parse(&one.name) else { continue };
        let path = PathBuf::from(layout.script(&one.name));
        if hooks::stops_anyway(&one, &texts) || scripts::is_script(root, &path)? {
            let link = |level| Link { kind: one.kind, ..start(level, &name) };
            found.extend(one.levels.iter().map(link));
        }
    }
    Ok(found)
}

fn start(runlevel: Runlevel, name: &ServiceName) -> Link {
    Link { runlevel, kind: Kind::Start, sequence: Sequence::clamped(0), name: name.shared() }
}

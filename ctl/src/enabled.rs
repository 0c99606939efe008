//! Which services start at boot, and where, told by names alone, or by the lines that call them: no script of a service is
//! read, and no link followed.

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

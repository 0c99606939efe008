//! Which services start at boot, and where, told by names alone: no script is read, and no link followed.

use std::io;
use std::path::Path;

use foobar_initscripts::layout::Layout;
use foobar_initscripts::layout::facts::{OpenRc, Scheme};
use foobar_initscripts::link::{Kind, Link};
use foobar_initscripts::name::{Runlevels, Sequence, ServiceName};

use crate::root::Root;

/// The links of all runlevels by their names, without looking where they lead.
///
/// # Errors
/// With the path in words.
pub fn link_names(root: &Root, layout: &Layout) -> io::Result<Vec<Link>> {
    let mut found = Vec::new();
    if let Scheme::OpenRc(openrc) = layout.scheme {
        return named(root, openrc);
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
            found.extend(levels.iter().map(|runlevel| Link {
                runlevel,
                kind: Kind::Start,
                sequence: Sequence::clamped(0),
                name: name.shared(),
            }));
        }
    }
    Ok(found)
}

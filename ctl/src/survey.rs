//! Finds out what a tree has, as the values that foobar-initscripts computes with. How scripts and links are read is
//! in `gather`. Nothing is changed.

use std::io;
use std::path::Path;

use foobar_initscripts::installed::Installed;
use foobar_initscripts::layout::facts::{Numbers, Scheme, SysV};
use foobar_initscripts::layout::{Clues, Layout, probes};
use foobar_initscripts::plan::{Existing, Found};

use crate::gather::{gathered, numbered, read};
use crate::root::{Root, is_missing};
use crate::sources::Sources;
use crate::sys::dir::Kind;

/// Which of the paths that tell layouts apart exist, links followed.
///
/// # Errors
/// With the path in words.
pub fn clues(root: &Root) -> io::Result<Clues> {
    let mut found = Clues::new();
    for path in probes() {
        let there = match root.place(Path::new(path)).and_then(|place| place.dir.facts(&place.name)) {
            Ok(facts) => facts.is_some(),
            Err(error) if is_missing(&error) => false,
            Err(error) => return Err(root.about("cannot look at", Path::new(path), &error)),
        };
        if there {
            found.insert(path.to_owned());
        }
    }
    Ok(found)
}

/// Scripts, overrides, links and insserv.conf of a layout.
///
/// # Errors
/// With the path in words, for the first that cannot be read.
pub fn installed(root: &Root, layout: &Layout) -> io::Result<Installed> {
    let mut found = match layout.scheme {
        Scheme::SysV(SysV { numbers: Numbers::Suse, .. }) => {
            read(root, &Sources::of(layout), Installed::suse())?
        }
        Scheme::SysV(_) if layout.has_insserv_order() => gathered(root, &Sources::of(layout))?,
        Scheme::SysV(_) => read(root, &Sources::of(layout), Installed::by_name())?,
        Scheme::OpenRc(_) => gathered(root, &Sources::of(layout))?,
        Scheme::Rcs(_) | Scheme::Hooks(_) => numbered(root, layout)?,
    };
    if !layout.facilities.is_empty() {
        found.add_conf(layout.facilities.as_bytes());
    }
    Ok(found)
}

/// What is at the paths that a plan has to know.
///
/// # Errors
/// With the path in words.
pub fn existing<P: AsRef<str>>(root: &Root, paths: impl IntoIterator<Item = P>) -> io::Result<Existing> {
    let mut found = Existing::new();
    for path in paths {
        let path = path.as_ref();
        let there = match root.facts(Path::new(path))?.map(|facts| facts.kind) {
            None => continue,
            Some(Kind::File) => match root.read(Path::new(path))? {
                Some((text, facts)) => Found::File { mode: facts.mode, text },
                None => continue,
            },
            // A link to a directory serves as one: /var/run is one.
            Some(Kind::Link) if root.directory(Path::new(path)).is_ok() => Found::Directory,
            Some(Kind::Directory) => Found::Directory,
            Some(Kind::Link | Kind::Other) => Found::Other,
        };
        found.insert(path.to_owned(), there);
    }
    Ok(found)
}

//! Reads scripts, links and what else the order follows from, and hands them over as the values that
//! foobar-initscripts computes with. Each script is read once, and none is kept: there may be ten thousand. What a tree
//! has beside them is found elsewhere.

use std::ffi::{CStr, OsStr};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use foobar_initscripts::installed::{Installed, ScriptFile};
use foobar_initscripts::layout::Layout;
use foobar_initscripts::layout::facts::Scheme;
use foobar_initscripts::link::Link;

use crate::root::{Root, Scope, is_missing, leads_nowhere};
use crate::sources::Sources;
use crate::sys::dir::{Dir, Kind, Listing};

/// What insserv and we read of a script: more than any header has.
const HEAD: usize = 64 << 10;

/// Scripts, overrides, links and insserv.conf.
///
/// # Errors
/// With the path in words, for the first that cannot be read.
pub fn gathered(root: &Root, sources: &Sources) -> io::Result<Installed> {
    read(root, sources, Installed::new())
}

/// The same, added to a root that says how it is to be read.
///
/// # Errors
/// The same.
pub fn read(root: &Root, sources: &Sources, mut installed: Installed) -> io::Result<Installed> {
    let mut filters = Vec::new();
    if let Some(insserv) = &sources.insserv {
        filters = filters_of(root, &insserv.filters)?;
        if let Some((text, _)) = root.read(Path::new(&insserv.conf))? {
            installed.add_conf(&text);
        }
        each_head(root, &insserv.fragments, |name, text| {
            if !is_filtered(name, &filters) {
                installed.add_conf_fragment(name, text);
            }
        })?;
        for (tier, directory) in &insserv.overrides {
            each_head(root, directory, |name, text| installed.add_override(*tier, name, text))?;
        }
    }
    scripts(root, &sources.scripts, &filters, &mut installed)?;
    links(root, sources, &mut installed)?;
    Ok(installed)
}

/// The extensions that an administrator has named for insserv to pass over.
fn filters_of(root: &Root, path: &str) -> io::Result<Vec<String>> {
    let text = root.read(Path::new(path))?.map(|(text, _)| text).unwrap_or_default();
    let lines = String::from_utf8_lossy(&text);
    Ok(lines.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

fn is_filtered(name: &str, filters: &[String]) -> bool {
    name.rsplit_once('.').is_some_and(|(_, extension)| filters.iter().any(|filter| filter == extension))
}

/// Scripts whose names have something before that of the service, such as a number.
///
/// # Errors
/// With the path in words, for the first that cannot be read.
pub fn numbered(root: &Root, layout: &Layout) -> io::Result<Installed> {
    let mut installed = Installed::by_name();
    let path = Path::new(layout.script_dir);
    let Some(dir) = directory(root, path)? else { return Ok(installed) };
    let mut room = Vec::new();
    for (file, kind) in listing(root, path, &dir)?.iter() {
        let Some((name, link)) = file.to_str().ok().and_then(|file| layout.script_name(file)) else {
            continue;
        };
        let added = Scripts { root, path, dir: &dir }.add(file, kind, &mut room, |script| {
            // Where the executable bit is a switch, a script that is off is one as well.
            let executable = script.executable || matches!(layout.scheme, Scheme::Hooks(_));
            if link.is_some() || executable {
                // What a link leads to is no matter: its name has the number.
                let own = ScriptFile { name, symlink: None, real_name: name, executable, ..script };
                installed.add_script(&own);
            }
        });
        if added.map_err(|error| root.about("cannot read", &path.join(os(file)), &error))? {
            if let Some(link) = link {
                installed.add_link(link.runlevel, &link.to_string(), name);
            }
        }
    }
    Ok(installed)
}

fn scripts(root: &Root, path: &str, filters: &[String], installed: &mut Installed) -> io::Result<()> {
    let path = Path::new(path);
    let Some(dir) = directory(root, path)? else { return Ok(()) };
    let mut room = Vec::new();
    let names = listing(root, path, &dir)?;
    installed.expect(names.count());
    for (name, kind) in names.iter() {
        // It may still be what a link leads to.
        let passed_over = name.to_str().is_ok_and(|name| is_filtered(name, filters));
        let added = Scripts { root, path, dir: &dir }.add(name, kind, &mut room, |file| {
            installed.add_script(&ScriptFile { executable: file.executable && !passed_over, ..file });
        });
        added.map_err(|error| root.about("cannot read", &path.join(os(name)), &error))?;
    }
    Ok(())
}

/// A directory of scripts.
struct Scripts<'a> {
    root: &'a Root,
    path: &'a Path,
    dir: &'a Dir,
}

impl Scripts<'_> {
    /// Hands over the script `name`, if it is one. `room` is for its text, and `kind` what the directory says of it.
    fn add(
        &self,
        name: &CStr,
        kind: Option<Kind>,
        room: &mut Vec<u8>,
        take: impl FnOnce(ScriptFile<'_>),
    ) -> io::Result<bool> {
        let Ok(text_name) = name.to_str() else { return Ok(false) };
        let kind = match kind {
            Some(kind) => kind,
            None => match self.dir.facts(os(name))? {
                Some(facts) => facts.kind,
                None => return Ok(false),
            },
        };
        match kind {
            Kind::File => {
                let facts = match self.dir.head(name, HEAD, room) {
                    // It has gone since the directory was read.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
                    other => other?,
                };
                let executable = facts.mode & 0o100 != 0;
                take(ScriptFile { executable, ..ScriptFile::regular(text_name, room) });
                Ok(true)
            }
            Kind::Link => self.add_link(os(name), text_name, room, take),
            Kind::Directory | Kind::Other => Ok(false),
        }
    }

    fn add_link(
        &self,
        name: &OsStr,
        text_name: &str,
        room: &mut Vec<u8>,
        take: impl FnOnce(ScriptFile<'_>),
    ) -> io::Result<bool> {
        let place = match self.root.place(&self.path.join(name)) {
            Ok(place) => place,
            // insserv passes over a link that it cannot follow.
            Err(error) if leads_nowhere(&error) => return Ok(false),
            Err(error) => return Err(error),
        };
        if place.dir.facts(&place.name)?.is_none_or(|facts| facts.kind != Kind::File) {
            return Ok(false);
        }
        let facts = place.dir.head(&place.name, HEAD, room)?;
        let link = self.dir.link_text(name)?.unwrap_or_default();
        take(ScriptFile {
            name: text_name,
            text: room,
            executable: facts.mode & 0o100 != 0,
            symlink: link.to_str(),
            real_name: place.name.to_str().unwrap_or(text_name),
        });
        Ok(true)
    }
}

fn links(root: &Root, sources: &Sources, installed: &mut Installed) -> io::Result<()> {
    // How links are written: no need to look where those lead.
    let own = Path::new(&sources.scripts).file_name().and_then(OsStr::to_str).unwrap_or_default();
    let beside = format!("../{own}/");
    let mut room = Vec::new();
    for (level, path) in &sources.links {
        let path = Path::new(path);
        let Some(dir) = directory(root, path)? else { continue };
        for (entry, kind) in listing(root, path, &dir)?.iter() {
            let Some(name) = entry.to_str().ok().filter(|name| name.starts_with(['S', 'K'])) else {
                continue;
            };
            if kind.is_some_and(|kind| kind != Kind::Link) {
                continue;
            }
            let Some(target) = dir.link_text_in(entry, &mut room)? else { continue };
            // As nearly all are: nothing more need be looked at.
            let usual = target.as_encoded_bytes().strip_prefix(beside.as_bytes());
            if usual == name.as_bytes().get(3..) && installed.add_plain_link(*level, name) {
                continue;
            }
            let Some(target) = target.to_str().filter(|_| Link::read(*level, name).is_some()) else {
                continue;
            };
            let direct = target.strip_prefix(&beside).filter(|rest| !matches!(*rest, "" | "." | ".."));
            let direct = direct.filter(|rest| !rest.contains('/'));
            let named = || Path::new(target).file_name().and_then(OsStr::to_str).unwrap_or_default();
            let known = installed.has_script(direct.unwrap_or_else(named));
            if known && (direct.is_some() || leads_to_something(root, &path.join(name))) {
                installed.add_link(*level, name, target);
                continue;
            }
            match outside(root, &path.join(name)) {
                Some(content) => installed.add_outside_link(*level, name, target, &content),
                // Nowhere, though a script of that name is there: no script has an empty one.
                None if known => installed.add_link(*level, name, ""),
                None => installed.add_link(*level, name, target),
            }
        }
    }
    Ok(())
}

fn leads_to_something(root: &Root, link: &Path) -> bool {
    root.place(link).is_ok_and(|place| place.dir.facts(&place.name).is_ok_and(|facts| facts.is_some()))
}

/// The script that a link leads to, if it is none of init.d; whatever keeps it from being read, insserv
/// could not read it either and takes the link for a dangling one.
fn outside(root: &Root, link: &Path) -> Option<Vec<u8>> {
    let place = root.place(link).ok()?;
    let mut content = Vec::new();
    place.dir.head(&place.name, HEAD, &mut content).ok().map(|_| content)
}

/// The names in a directory of scripts or links, in the order that decides between equals.
///
/// insserv takes scripts and links as readdir(3) gives them; the order of equals in startpar's files, and
/// which of two scripts that provide one name wins, follow from that. On this machine we do the same, so
/// that our files are byte for byte insserv's: neither its next run nor `uninstall` after `install` finds
/// anything to change. In the tree of another machine (`--root`) and below `--prefix` it is name order: an
/// image then depends on what is in it, and not on the file system that it was made on.
fn listing(root: &Root, path: &Path, dir: &Dir) -> io::Result<Listing> {
    let found = dir.listing().map_err(|error| root.about("cannot list", path, &error))?;
    Ok(match root.scope() {
        Scope::Machine => found,
        Scope::Prefix | Scope::Offline => found.sorted(),
    })
}

fn os(name: &CStr) -> &OsStr {
    OsStr::from_bytes(name.to_bytes())
}

fn directory(root: &Root, path: &Path) -> io::Result<Option<Dir>> {
    match root.directory(path) {
        Ok(dir) => Ok(Some(dir)),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(root.about("cannot open", path, &error)),
    }
}

/// The head of every plain file in a directory, in name order.
fn each_head(root: &Root, path: &str, mut take: impl FnMut(&str, &[u8])) -> io::Result<()> {
    let path = Path::new(path);
    let mut text = Vec::new();
    for name in root.names(path)? {
        let Some(text_name) = name.to_str() else { continue };
        let Ok(place) = root.place(&path.join(&name)) else { continue };
        if place.dir.facts(&place.name)?.is_some_and(|facts| facts.kind == Kind::File) {
            let read = place.dir.head(&place.name, HEAD, &mut text);
            read.map_err(|error| root.about("cannot read", &path.join(&name), &error))?;
            take(text_name, &text);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::fs;

    use foobar_tests::Sandbox;

    use super::*;

    #[test]
    fn only_this_machine_is_read_in_the_order_of_the_directory() {
        let sandbox = Sandbox::new("order");
        for number in (0..40).rev() {
            fs::write(sandbox.path().join(format!("script-{number:02}")), "").unwrap();
        }
        let order = |scope| {
            let root = Root::open(scope, sandbox.path()).unwrap();
            let dir = root.directory(Path::new("/")).unwrap();
            listing(&root, Path::new("/"), &dir).unwrap().names()
        };
        let directory: Vec<OsString> =
            fs::read_dir(sandbox.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        let mut by_name = directory.clone();
        by_name.sort();
        assert_ne!(directory, by_name, "this file system sorts, so the test shows nothing");
        assert_eq!(order(Scope::Machine), directory);
        assert_eq!(order(Scope::Prefix), by_name);
        assert_eq!(order(Scope::Offline), by_name);
    }
}

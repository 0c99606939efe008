//! Reads a tree and hands it over as the values that foobar-initscripts computes with. Each script is read
//! once. Nothing is changed.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;

use foobar_initscripts::installed::{Installed, ScriptFile};
use foobar_initscripts::layout::facts::{Numbers, Scheme, SysV};
use foobar_initscripts::layout::{Clues, Layout, probes};
use foobar_initscripts::link::Link;
use foobar_initscripts::plan::{Existing, Found};

use crate::root::{Root, Scope, is_missing, leads_nowhere};
use crate::sources::Sources;
use crate::sys::dir::{Dir, Kind};

/// What insserv and we read of a script: more than any header has.
const HEAD: u64 = 64 << 10;

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

/// Scripts whose names have something before that of the service, such as a number.
fn numbered(root: &Root, layout: &Layout) -> io::Result<Installed> {
    let mut installed = Installed::by_name();
    let path = Path::new(layout.script_dir);
    let Some(dir) = directory(root, path)? else { return Ok(installed) };
    for file in ordered_names(root, path, &dir)? {
        let Some((name, link)) = file.to_str().and_then(|file| layout.script_name(file)) else { continue };
        let added = add_script(root, path, &dir, &file, |script| {
            // Where the executable bit is a switch, a script that is off is one as well.
            let executable = script.executable || matches!(layout.scheme, Scheme::Hooks(_));
            if link.is_some() || executable {
                // What a link leads to is no matter: its name has the number.
                installed.add_script(&ScriptFile {
                    name,
                    symlink: None,
                    real_name: name,
                    executable,
                    ..script
                });
            }
        });
        if added.map_err(|error| root.about("cannot read", &path.join(&file), &error))? {
            if let Some(link) = link {
                installed.add_link(link.runlevel, &link.to_string(), name);
            }
        }
    }
    Ok(installed)
}

/// Scripts, overrides, links and insserv.conf.
///
/// # Errors
/// With the path in words, for the first that cannot be read.
pub fn gathered(root: &Root, sources: &Sources) -> io::Result<Installed> {
    read(root, sources, Installed::new())
}

fn read(root: &Root, sources: &Sources, mut installed: Installed) -> io::Result<Installed> {
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
    let scripts = scripts(root, &sources.scripts, &filters, &mut installed)?;
    links(root, sources, &scripts, &mut installed)?;
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

fn scripts(
    root: &Root,
    path: &str,
    filters: &[String],
    installed: &mut Installed,
) -> io::Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let path = Path::new(path);
    let Some(dir) = directory(root, path)? else { return Ok(found) };
    for name in ordered_names(root, path, &dir)? {
        let Some(text_name) = name.to_str() else { continue };
        // It may still be what a link leads to.
        let passed_over = is_filtered(text_name, filters);
        let added = add_script(root, path, &dir, &name, |file| {
            installed.add_script(&ScriptFile { executable: file.executable && !passed_over, ..file });
        });
        if added.map_err(|error| root.about("cannot read", &path.join(&name), &error))? {
            found.insert(text_name.to_owned());
        }
    }
    Ok(found)
}

fn add_script(
    root: &Root,
    path: &Path,
    dir: &Dir,
    name: &OsStr,
    take: impl FnOnce(ScriptFile<'_>),
) -> io::Result<bool> {
    let Some(text_name) = name.to_str() else { return Ok(false) };
    let Some(facts) = dir.facts(name)? else { return Ok(false) };
    match facts.kind {
        Kind::File => {
            let (text, facts) = dir.head(name, HEAD)?;
            let executable = facts.mode & 0o100 != 0;
            take(ScriptFile { executable, ..ScriptFile::regular(text_name, &text) });
            Ok(true)
        }
        Kind::Link => {
            let place = match root.place(&path.join(name)) {
                Ok(place) => place,
                // insserv passes over a link that it cannot follow.
                Err(error) if leads_nowhere(&error) => return Ok(false),
                Err(error) => return Err(error),
            };
            if place.dir.facts(&place.name)?.is_none_or(|facts| facts.kind != Kind::File) {
                return Ok(false);
            }
            let (text, facts) = place.dir.head(&place.name, HEAD)?;
            let link = dir.link_text(name)?.unwrap_or_default();
            take(ScriptFile {
                name: text_name,
                text: &text,
                executable: facts.mode & 0o100 != 0,
                symlink: link.to_str(),
                real_name: place.name.to_str().unwrap_or(text_name),
            });
            Ok(true)
        }
        Kind::Directory | Kind::Other => Ok(false),
    }
}

fn links(
    root: &Root,
    sources: &Sources,
    scripts: &BTreeSet<String>,
    installed: &mut Installed,
) -> io::Result<()> {
    // How links are written: no need to look where those lead.
    let own = Path::new(&sources.scripts).file_name().and_then(OsStr::to_str).unwrap_or_default();
    let beside = format!("../{own}/");
    for (level, path) in &sources.links {
        let path = Path::new(path);
        let Some(dir) = directory(root, path)? else { continue };
        for entry in ordered_names(root, path, &dir)? {
            let Some(name) = entry.to_str().filter(|name| Link::parse(*level, name).is_some()) else {
                continue;
            };
            let Some(text) = dir.link_text(&entry)? else { continue };
            let Some(target) = text.to_str() else { continue };
            let last = Path::new(target).file_name().and_then(OsStr::to_str).unwrap_or_default();
            let direct = target.strip_suffix(last).is_some_and(|head| head == beside);
            if scripts.contains(last) && (direct || leads_to_something(root, &path.join(&entry))) {
                installed.add_link(*level, name, target);
                continue;
            }
            match outside(root, &path.join(&entry)) {
                Some(content) => installed.add_outside_link(*level, name, target, &content),
                // Nowhere, though a script of that name is there: no script has an empty one.
                None if scripts.contains(last) => installed.add_link(*level, name, ""),
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
    place.dir.head(&place.name, HEAD).ok().map(|(text, _)| text)
}

/// The names in a directory of scripts or links, in the order that decides between equals.
///
/// insserv takes scripts and links as readdir(3) gives them; the order of equals in startpar's files, and
/// which of two scripts that provide one name wins, follow from that. On this machine we do the same, so
/// that our files are byte for byte insserv's: neither its next run nor `uninstall` after `install` finds
/// anything to change. In the tree of another machine (`--root`) and below `--prefix` it is name order: an
/// image then depends on what is in it, and not on the file system that it was made on.
fn ordered_names(root: &Root, path: &Path, dir: &Dir) -> io::Result<Vec<OsString>> {
    let names = match root.scope() {
        Scope::Machine => dir.listing(),
        Scope::Prefix | Scope::Offline => dir.names(),
    };
    names.map_err(|error| root.about("cannot list", path, &error))
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
    let names: Vec<OsString> = root.names(path)?;
    for name in names {
        let Some(text_name) = name.to_str() else { continue };
        let place = root.place(&path.join(&name));
        let Ok(place) = place else { continue };
        if place.dir.facts(&place.name)?.is_some_and(|facts| facts.kind == Kind::File) {
            let (text, _) = place
                .dir
                .head(&place.name, HEAD)
                .map_err(|error| root.about("cannot read", &path.join(&name), &error))?;
            take(text_name, &text);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
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
            ordered_names(&root, Path::new("/"), &dir).unwrap()
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

//! Which services a tree has, and where the script of one of them is: by the names of files, and by who may run them.
//! What is in them is read in `survey`.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use foobar_initscripts::calls::{Machine, Texts};
use foobar_initscripts::layout::Layout;
use foobar_initscripts::layout::facts::{Hooks, Scheme};
use foobar_initscripts::name::ServiceName;

use crate::root::{Root, leads_nowhere};
use crate::sys::dir::Kind;

/// The names of all services: those with a script that can be run, or a service file. Nothing is read.
///
/// # Errors
/// With the path in words.
pub fn service_names(root: &Root, layout: &Layout) -> io::Result<BTreeSet<ServiceName>> {
    let mut found = BTreeSet::new();
    let scripts = Path::new(layout.script_dir);
    for file in root.names(scripts)? {
        let Some((name, _)) = file.to_str().and_then(|file| layout.script_name(file)) else { continue };
        // What can be no service's name is skipped by insserv, too.
        let Ok(name) = ServiceName::parse(name) else { continue };
        if is_service(root, layout, &scripts.join(&file))? {
            found.insert(name);
        }
    }
    for file in root.names(Path::new(layout.service_dir))? {
        let name = file.to_str().and_then(|file| file.strip_suffix(".toml"));
        found.extend(name.and_then(|name| ServiceName::parse(name).ok()));
    }
    Ok(found)
}

/// The init script of a service, if there is one; one that is started at boot before one that is
/// disabled.
///
/// # Errors
/// With the path in words.
pub fn script_of(root: &Root, layout: &Layout, name: &str) -> io::Result<Option<PathBuf>> {
    let directory = Path::new(layout.script_dir);
    let mut files = match layout.scheme {
        Scheme::SysV(_) | Scheme::OpenRc(_) => vec![OsString::from(name)],
        Scheme::Rcs(_) | Scheme::Hooks(_) => root.names(directory)?,
    };
    let own = |file: &OsString| {
        let (service, link) = file.to_str().and_then(|file| layout.script_name(file))?;
        (service == name).then(|| link.map(|link| link.kind))
    };
    files.retain(|file| own(file).is_some());
    files.sort_by_key(|file| own(file).flatten() != Some(foobar_initscripts::link::Kind::Start));
    for file in files {
        let path = directory.join(file);
        if is_service(root, layout, &path)? {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Whether a script is there: one that can be run or, where the executable bit tells what starts at boot, any.
fn is_service(root: &Root, layout: &Layout, path: &Path) -> io::Result<bool> {
    if let Scheme::Hooks(_) = layout.scheme {
        return Ok(root.facts(path)?.is_some_and(|facts| facts.kind == Kind::File) || is_script(root, path)?);
    }
    is_script(root, path)
}

/// Whether a script is there that can be run.
///
/// # Errors
/// With the path in words.
pub fn is_script(root: &Root, path: &Path) -> io::Result<bool> {
    match root.place(path).and_then(|place| place.dir.facts(&place.name)) {
        Ok(facts) => Ok(facts.is_some_and(|facts| facts.kind == Kind::File && facts.mode & 0o111 != 0)),
        Err(error) if leads_nowhere(&error) => Ok(false),
        Err(error) => Err(root.about("cannot look at", path, &error)),
    }
}

/// Who is called at boot, and may run then.
///
/// # Errors
/// With the path in words.
pub fn machine(root: &Root, layout: &Layout, hooks: &Hooks) -> io::Result<Machine> {
    let mut on = BTreeSet::new();
    for file in root.names(Path::new(layout.script_dir))? {
        let Some((name, _)) = file.to_str().and_then(|file| layout.script_name(file)) else { continue };
        if is_script(root, &Path::new(layout.script_dir).join(&file))? {
            on.insert(name.to_owned());
        }
    }
    Ok(Machine { texts: callers(root, hooks)?, on })
}

/// The files that call scripts, as far as they can be run.
///
/// # Errors
/// With the path in words.
pub fn callers(root: &Root, hooks: &Hooks) -> io::Result<Texts> {
    let mut found = Texts::new();
    for path in hooks.files() {
        match root.read(Path::new(path))? {
            Some((text, facts)) if facts.mode & 0o111 != 0 => drop(found.insert(path.to_owned(), text)),
            _ => {}
        }
    }
    Ok(found)
}

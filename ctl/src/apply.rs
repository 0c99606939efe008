//! Carries out a plan, step by step, each of them as a whole or not at all: a file under a temporary name in the same
//! directory, on disk before it is renamed into place; a link, which the kernel makes as a whole, under its own name.
//! Killed at any instant it leaves the old state or the new one of each path, and the next run goes on. What the steps
//! are is not decided here.

use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use foobar_initscripts::step::{self, Before, NotEdited, Plan, Step, checksum};

use crate::failure::Failure;
use crate::output::Output;
use crate::root::Root;
use crate::sys::dir::{Dir, Kind};

/// The one temporary name in each directory: runs are serialised, so what stands there at the beginning
/// of one was left by a run that was killed. A dot file, which neither rc nor insserv sees.
const TEMPORARY: &str = ".foobarctl-new";

/// How a step ended.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Done,
    /// What the step wants was there already.
    AlreadySo,
}

/// Carries out all steps. `places` are the directories that earlier runs may have been killed in.
///
/// # Errors
/// The first step that fails; says which, why, and how far it came.
pub fn run(root: &Root, plan: &Plan, places: &BTreeSet<PathBuf>, output: Output) -> anyhow::Result<()> {
    each(root, plan.steps.len(), &plan.steps, places, output)
}

/// As [`run`], for `count` steps that come one by one: those of a plan that is too long to be held.
///
/// # Errors
/// The same.
pub fn each<S: Borrow<Step>>(
    root: &Root,
    count: usize,
    steps: impl IntoIterator<Item = S>,
    places: &BTreeSet<PathBuf>,
    output: Output,
) -> anyhow::Result<()> {
    clean(root, places)?;
    let mut here: Option<Here> = None;
    for (done, step) in steps.into_iter().enumerate() {
        let step = step.borrow();
        match enter(root, step, &mut here).and_then(|here| carry_out(root, here, step)) {
            Ok(Outcome::Done) => output.step(step),
            Ok(Outcome::AlreadySo) => output.step(format_args!("{step}: already so")),
            Err(error) => return Err(stopped(root, step, &error, done, count)),
        }
    }
    here.map_or(Ok(()), |here| here.dir.sync()).map_err(|error| {
        let text = "cannot have the last changes written to disk";
        Failure::of_io(&error, format!("{text}: {error}; run the same command again"))
    })
}

/// The directory that steps are carried out in, open for all that follow each other in it.
struct Here {
    path: PathBuf,
    dir: Dir,
}

/// A name in that directory.
#[derive(Clone, Copy)]
struct Spot<'a> {
    dir: &'a Dir,
    name: &'a OsStr,
}

/// The directory of a path, and the name in it.
fn parts(path: &str) -> (&Path, &OsStr) {
    match path.rsplit_once('/') {
        Some((directory, name)) if !directory.is_empty() && !matches!(name, "" | "." | "..") => {
            (Path::new(directory), OsStr::new(name))
        }
        _ => {
            let path = Path::new(path);
            (path.parent().unwrap_or(Path::new("/")), path.file_name().unwrap_or(OsStr::new(".")))
        }
    }
}

/// The directory of a step. Steps in one directory go to disk together; those in the next are begun only then.
fn enter<'a>(root: &Root, step: &Step, here: &'a mut Option<Here>) -> io::Result<&'a Here> {
    let (path, _) = parts(step.path());
    if let Some(left) = here.take_if(|here| here.path.as_os_str() != path.as_os_str()) {
        left.dir.sync()?;
    }
    match here {
        Some(here) => Ok(here),
        none => Ok(none.insert(Here { path: path.to_owned(), dir: root.directory(path)? })),
    }
}

/// Removes what runs that were killed have left.
fn clean(root: &Root, places: &BTreeSet<PathBuf>) -> anyhow::Result<()> {
    for path in places {
        let removed = match root.directory(path) {
            Ok(dir) => dir.remove(OsStr::new(TEMPORARY)),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                continue;
            }
            Err(error) => Err(error),
        };
        removed.map_err(|error| root.about("cannot clean up in", path, &error))?;
    }
    Ok(())
}

fn stopped(root: &Root, step: &Step, error: &io::Error, done: usize, all: usize) -> anyhow::Error {
    let tried = match step {
        Step::MakeDir { .. } => "make",
        Step::Write { .. } => "write",
        Step::Edit { .. } => "edit",
        Step::SetMode { .. } => "change the mode of",
        Step::Symlink { .. } => "link",
        Step::Rename { .. } => "rename a script to",
        Step::Remove { .. } | Step::RemoveDir { .. } => "remove",
    };
    Failure::of_io(
        error,
        format!(
            "cannot {tried} {}: {error}; {done} of {all} steps were done, and running the same command again \
             goes on from there",
            root.outside(Path::new(step.path())).display()
        ),
    )
}

fn carry_out(root: &Root, here: &Here, step: &Step) -> io::Result<Outcome> {
    let spot = Spot { dir: &here.dir, name: parts(step.path()).1 };
    match step {
        Step::MakeDir { path, mode } => make_dir(root, path, spot, *mode),
        Step::Write { mode, text, before, .. } => write(spot, *mode, text, before),
        Step::Symlink { target, before, .. } => symlink(spot, OsStr::new(target), before),
        Step::Rename { from, before, .. } => rename(spot, parts(from).1, before),
        Step::Remove { before, .. } => remove(spot, before),
        Step::Edit { old, new, .. } => edit(spot, old, new),
        Step::SetMode { mode, before, .. } => set_mode(spot, *mode, before),
        Step::RemoveDir { .. } => spot.dir.remove_empty(spot.name).map(outcome),
    }
}

fn outcome(changed: bool) -> Outcome {
    if changed { Outcome::Done } else { Outcome::AlreadySo }
}

fn make_dir(root: &Root, path: &str, spot: Spot<'_>, mode: u32) -> io::Result<Outcome> {
    if spot.dir.make(spot.name, mode)? {
        return Ok(Outcome::Done);
    }
    // It is there; a link to a directory will do, as /var/run is one.
    root.directory(Path::new(path)).map(|_| Outcome::AlreadySo)
}

fn write(spot: Spot<'_>, mode: u32, text: &str, before: &Before) -> io::Result<Outcome> {
    let found = what_is(spot)?;
    if let Is::File(there, content) = &found {
        if *there == mode && content == text.as_bytes() {
            return Ok(Outcome::AlreadySo);
        }
    }
    expect(&found, before)?;
    through_temporary(spot, |dir, name| dir.create(name, mode, text.as_bytes()))
}

fn edit(spot: Spot<'_>, old: &[u8], new: &[u8]) -> io::Result<Outcome> {
    let found = what_is(spot)?;
    let Is::File(mode, content) = &found else {
        return expect(&found, &Before::File(0)).map(|()| Outcome::Done);
    };
    match step::edited(content, old, new) {
        Ok(text) => through_temporary(spot, |dir, name| dir.create(name, *mode, &text)),
        Err(NotEdited::AlreadySo) => Ok(Outcome::AlreadySo),
        Err(NotEdited::Overtaken) => expect(&found, &Before::Absent).map(|()| Outcome::AlreadySo),
    }
}

fn symlink(spot: Spot<'_>, target: &OsStr, before: &Before) -> io::Result<Outcome> {
    if *before == Before::Absent {
        match spot.dir.link(spot.name, target) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.map(|()| Outcome::Done),
        }
    }
    let found = what_is(spot)?;
    if matches!(&found, Is::Link(text) if text == target) {
        return Ok(Outcome::AlreadySo);
    }
    expect(&found, before)?;
    through_temporary(spot, |dir, name| dir.link(name, target))
}

/// Both names are in one directory. The old one gone and the new one there: an earlier run has done it.
fn rename(new: Spot<'_>, old: &OsStr, before: &Before) -> io::Result<Outcome> {
    let (there, found) = (what_is(new)?, what_is(Spot { name: old, ..new })?);
    if found == Is::Nothing && expect(&there, before).is_ok() {
        return Ok(Outcome::AlreadySo);
    }
    expect(&found, before)?;
    expect(&there, &Before::Absent)?;
    new.dir.rename(old, new.name).map(|()| Outcome::Done)
}

fn set_mode(spot: Spot<'_>, mode: u32, before: &Before) -> io::Result<Outcome> {
    let found = what_is(spot)?;
    if matches!(found, Is::File(there, _) if there == mode) {
        return Ok(Outcome::AlreadySo);
    }
    expect(&found, before)?;
    spot.dir.set_mode(spot.name, mode).map(|()| Outcome::Done)
}

fn remove(spot: Spot<'_>, before: &Before) -> io::Result<Outcome> {
    let found = what_is(spot)?;
    if found == Is::Nothing {
        return Ok(Outcome::AlreadySo);
    }
    expect(&found, before)?;
    spot.dir.remove(spot.name).map(outcome)
}

/// Makes something under the temporary name and renames it into place; the temporary name is gone after
/// an error, too.
fn through_temporary(spot: Spot<'_>, make: impl Fn(&Dir, &OsStr) -> io::Result<()>) -> io::Result<Outcome> {
    let temporary = OsStr::new(TEMPORARY);
    let mut made = make(spot.dir, temporary);
    if made.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::AlreadyExists) {
        spot.dir.remove(temporary)?;
        made = make(spot.dir, temporary);
    }
    match made.and_then(|()| spot.dir.rename(temporary, spot.name)) {
        Ok(()) => Ok(Outcome::Done),
        Err(error) => {
            // The first error is the one to tell; the next run cleans up if this fails as well.
            let _ = spot.dir.remove(temporary);
            Err(error)
        }
    }
}

/// What is at a place, as far as steps care.
#[derive(Debug, PartialEq, Eq)]
enum Is {
    Nothing,
    File(u32, Vec<u8>),
    Link(OsString),
    Other,
}

fn what_is(spot: Spot<'_>) -> io::Result<Is> {
    match spot.dir.link_text(spot.name) {
        Ok(Some(text)) => return Ok(Is::Link(text)),
        Ok(None) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Is::Nothing),
        Err(error) => return Err(error),
    }
    Ok(match spot.dir.facts(spot.name)?.map(|facts| facts.kind) {
        None => Is::Nothing,
        Some(Kind::File) => spot.dir.read(spot.name).map(|(text, facts)| Is::File(facts.mode, text))?,
        Some(Kind::Link | Kind::Directory | Kind::Other) => Is::Other,
    })
}

/// Whether a step may replace what is there: someone may have changed it since the plan was made.
fn expect(found: &Is, before: &Before) -> io::Result<()> {
    let as_planned = match (before, found) {
        (Before::Absent, Is::Nothing) | (Before::Link, Is::Link(_)) => true,
        (Before::File(sum), Is::File(_, content)) => checksum(content) == *sum,
        _ => false,
    };
    if as_planned {
        return Ok(());
    }
    let is = match found {
        Is::Nothing => "nothing",
        Is::File(..) => "a file with another content",
        Is::Link(_) => "a symbolic link",
        Is::Other => "a directory or special file",
    };
    Err(io::Error::other(format!("somebody else has changed it meanwhile: there is now {is}")))
}

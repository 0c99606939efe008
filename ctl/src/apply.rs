//! Carries out a plan, step by step, each of them as a whole or not at all: a temporary name in the same
//! directory, on disk before it is renamed into place. Killed at any instant it leaves the old state or
//! the new one of each path, and the next run goes on. What the steps are is not decided here.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use foobar_initscripts::step::{self, Before, NotEdited, Plan, Step, checksum};

use crate::failure::Failure;
use crate::output::Output;
use crate::root::{Place, Root};
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
    clean(root, places)?;
    let mut dirty: Option<(PathBuf, Dir)> = None;
    for (done, step) in plan.steps.iter().enumerate() {
        let result = carry_out(root, step).and_then(|outcome| {
            let parent = Path::new(step.path()).parent().unwrap_or(Path::new("/"));
            // Steps in one directory go to disk together; those in the next only after them.
            if dirty.as_ref().is_none_or(|(path, _)| path != parent) {
                settle(dirty.take())?;
                dirty = Some((parent.to_owned(), root.directory(parent)?));
            }
            Ok(outcome)
        });
        match result {
            Ok(Outcome::Done) => output.step(step),
            Ok(Outcome::AlreadySo) => output.step(format_args!("{step}: already so")),
            Err(error) => return Err(stopped(root, step, &error, done, plan.steps.len())),
        }
    }
    settle(dirty).map_err(|error| {
        let text = "cannot have the last changes written to disk";
        Failure::of_io(&error, format!("{text}: {error}; run the same command again"))
    })
}

fn settle(dirty: Option<(PathBuf, Dir)>) -> io::Result<()> {
    dirty.map_or(Ok(()), |(_, dir)| dir.sync())
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

fn carry_out(root: &Root, step: &Step) -> io::Result<Outcome> {
    let place = root.name(Path::new(step.path()))?;
    match step {
        Step::MakeDir { mode, .. } => make_dir(root, step.path(), &place, *mode),
        Step::Write { mode, text, before, .. } => write(&place, *mode, text, before),
        Step::Symlink { target, before, .. } => symlink(&place, OsStr::new(target), before),
        Step::Rename { from, before, .. } => rename(&place, &root.name(Path::new(from))?, before),
        Step::Remove { before, .. } => remove(&place, before),
        Step::Edit { old, new, .. } => edit(&place, old, new),
        Step::SetMode { mode, before, .. } => set_mode(&place, *mode, before),
        Step::RemoveDir { .. } => place.dir.remove_empty(&place.name).map(outcome),
    }
}

fn outcome(changed: bool) -> Outcome {
    if changed { Outcome::Done } else { Outcome::AlreadySo }
}

fn make_dir(root: &Root, path: &str, place: &Place, mode: u32) -> io::Result<Outcome> {
    if place.dir.make(&place.name, mode)? {
        return Ok(Outcome::Done);
    }
    // It is there; a link to a directory will do, as /var/run is one.
    root.directory(Path::new(path)).map(|_| Outcome::AlreadySo)
}

fn write(place: &Place, mode: u32, text: &str, before: &Before) -> io::Result<Outcome> {
    let found = what_is(place)?;
    if let Is::File(there, content) = &found {
        if *there == mode && content == text.as_bytes() {
            return Ok(Outcome::AlreadySo);
        }
    }
    expect(&found, before)?;
    through_temporary(place, |dir, name| dir.create(name, mode, text.as_bytes()))
}

fn edit(place: &Place, old: &[u8], new: &[u8]) -> io::Result<Outcome> {
    let found = what_is(place)?;
    let Is::File(mode, content) = &found else {
        return expect(&found, &Before::File(0)).map(|()| Outcome::Done);
    };
    match step::edited(content, old, new) {
        Ok(text) => through_temporary(place, |dir, name| dir.create(name, *mode, &text)),
        Err(NotEdited::AlreadySo) => Ok(Outcome::AlreadySo),
        Err(NotEdited::Overtaken) => expect(&found, &Before::Absent).map(|()| Outcome::AlreadySo),
    }
}

fn symlink(place: &Place, target: &OsStr, before: &Before) -> io::Result<Outcome> {
    let found = what_is(place)?;
    if matches!(&found, Is::Link(text) if text == target) {
        return Ok(Outcome::AlreadySo);
    }
    expect(&found, before)?;
    through_temporary(place, |dir, name| dir.link(name, target))
}

/// Both names are in one directory. The old one gone and the new one there: an earlier run has done it.
fn rename(new: &Place, old: &Place, before: &Before) -> io::Result<Outcome> {
    let (there, found) = (what_is(new)?, what_is(old)?);
    if found == Is::Nothing && expect(&there, before).is_ok() {
        return Ok(Outcome::AlreadySo);
    }
    expect(&found, before)?;
    expect(&there, &Before::Absent)?;
    new.dir.rename(&old.name, &new.name).map(|()| Outcome::Done)
}

fn set_mode(place: &Place, mode: u32, before: &Before) -> io::Result<Outcome> {
    let found = what_is(place)?;
    if matches!(found, Is::File(there, _) if there == mode) {
        return Ok(Outcome::AlreadySo);
    }
    expect(&found, before)?;
    place.dir.set_mode(&place.name, mode).map(|()| Outcome::Done)
}

fn remove(place: &Place, before: &Before) -> io::Result<Outcome> {
    let found = what_is(place)?;
    if found == Is::Nothing {
        return Ok(Outcome::AlreadySo);
    }
    expect(&found, before)?;
    place.dir.remove(&place.name).map(outcome)
}

/// Makes something under the temporary name and renames it into place; the temporary name is gone after
/// an error, too.
fn through_temporary(place: &Place, make: impl Fn(&Dir, &OsStr) -> io::Result<()>) -> io::Result<Outcome> {
    let temporary = OsStr::new(TEMPORARY);
    let mut made = make(&place.dir, temporary);
    if made.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::AlreadyExists) {
        place.dir.remove(temporary)?;
        made = make(&place.dir, temporary);
    }
    match made.and_then(|()| place.dir.rename(temporary, &place.name)) {
        Ok(()) => Ok(Outcome::Done),
        Err(error) => {
            // The first error is the one to tell; the next run cleans up if this fails as well.
            let _ = place.dir.remove(temporary);
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

fn what_is(place: &Place) -> io::Result<Is> {
    Ok(match place.dir.facts(&place.name)?.map(|facts| facts.kind) {
        None => Is::Nothing,
        Some(Kind::File) => place.dir.read(&place.name).map(|(text, facts)| Is::File(facts.mode, text))?,
        Some(Kind::Link) => Is::Link(place.dir.link_text(&place.name)?.unwrap_or_default()),
        Some(Kind::Directory | Kind::Other) => Is::Other,
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

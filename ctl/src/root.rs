//! The tree we manage, and how a path in it is walked. A path without symbolic links, which is the usual one, is opened in
//! one call. Links inside the tree are resolved here, component by component on open directories, never by the kernel: so none
//! leads out of the tree, and none that is swapped meanwhile does. What is read and written there is the business of others.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::sys::dir::{Dir, Facts};

/// The limit of Linux itself, path_resolution(7).
const MOST_LINKS: usize = 40;

/// Which tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// This machine.
    Machine,
    /// This machine, every path below a directory (`--prefix`).
    Prefix,
    /// The tree of another machine (`--root`): an absolute link in it means that machine's path.
    Offline,
}

/// The tree.
#[derive(Debug)]
pub struct Root {
    scope: Scope,
    base: PathBuf,
    dir: Dir,
}

/// A name in an open directory: what a path leads to.
#[derive(Debug)]
pub struct Place {
    /// The directory.
    pub dir: Dir,
    /// The name in it; `.` for the top of the tree.
    pub name: OsString,
}

/// Whether a link as the last component is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    Follow,
    Keep,
}

impl Root {
    /// The tree below `base`, which must be a directory; a relative path is taken from the working
    /// directory.
    ///
    /// # Errors
    /// `open(2)`'s, with the path.
    pub fn open(scope: Scope, base: &Path) -> io::Result<Root> {
        let in_words = |error: io::Error| {
            io::Error::new(error.kind(), format!("cannot use the directory {}: {error}", base.display()))
        };
        // Only --prefix is written into files and compared with links, so only there the name matters.
        let base =
            if scope == Scope::Prefix { base.canonicalize().map_err(in_words)? } else { base.to_owned() };
        let dir = Dir::open(&base).map_err(in_words)?;
        Ok(Root { scope, base, dir })
    }

    /// Which tree this is.
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// The directory that it begins with.
    pub fn base(&self) -> &Path {
        &self.base
    }

    /// Whether what is installed here runs on this machine.
    pub fn is_live(&self) -> bool {
        self.scope != Scope::Offline
    }

    /// A path of the tree as this machine sees it, for messages and for programs that are given it.
    pub fn outside(&self, path: &Path) -> PathBuf {
        self.base.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Where `path` leads, links followed. The place itself need not exist.
    ///
    /// # Errors
    /// `NotFound` when a directory on the way is missing; an error in words for a link that leads out.
    pub fn place(&self, path: &Path) -> io::Result<Place> {
        self.walk(path, Last::Follow)
    }

    /// The directory and name of `path` itself, even when that is a link.
    ///
    /// # Errors
    /// As [`Root::place`].
    pub fn name(&self, path: &Path) -> io::Result<Place> {
        self.walk(path, Last::Keep)
    }

    /// The content and facts of a plain file; `None` when it or a directory on the way is missing.
    ///
    /// # Errors
    /// With the path in words.
    pub fn read(&self, path: &Path) -> io::Result<Option<(Vec<u8>, Facts)>> {
        optional(self.place(path).and_then(|place| place.dir.read(&place.name)))
            .map_err(|error| self.about("cannot read", path, &error))
    }

    /// The names in a directory, in name order; none when it is missing.
    ///
    /// # Errors
    /// With the path in words.
    pub fn names(&self, path: &Path) -> io::Result<Vec<OsString>> {
        optional(self.directory(path).and_then(|dir| dir.names()))
            .map(Option::unwrap_or_default)
            .map_err(|error| self.about("cannot list", path, &error))
    }

    /// What `path` is, a link being a link; `None` when it is missing.
    ///
    /// # Errors
    /// With the path in words.
    pub fn facts(&self, path: &Path) -> io::Result<Option<Facts>> {
        match self.name(path).and_then(|place| place.dir.facts(&place.name)) {
            Err(error) if is_missing(&error) => Ok(None),
            other => other.map_err(|error| self.about("cannot look at", path, &error)),
        }
    }

    /// The open directory that `path` leads to.
    ///
    /// # Errors
    /// As [`Root::place`].
    pub fn directory(&self, path: &Path) -> io::Result<Dir> {
        let place = self.place(path)?;
        if place.name == "." { Ok(place.dir) } else { place.dir.enter(&place.name) }
    }

    /// `error` with what was tried and where.
    pub fn about(&self, tried: &str, path: &Path, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("{tried} {}: {error}", self.outside(path).display()))
    }

    fn walk(&self, path: &Path, last: Last) -> io::Result<Place> {
        self.straight(path, last).map_or_else(|| self.step_by_step(path, last), Ok)
    }

    /// Where a path leads that meets no link; `None` when it does, or when the kernel will not tell.
    fn straight(&self, path: &Path, last: Last) -> Option<Place> {
        let (above, name) = (path.parent()?, path.file_name()?);
        let above = above.strip_prefix("/").unwrap_or(above);
        let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
        let dir = self.dir.enter_straight(above).ok()?;
        let is_end = last == Last::Keep
            || match dir.link_text(name) {
                Ok(text) => text.is_none(),
                Err(error) => error.kind() == io::ErrorKind::NotFound,
            };
        is_end.then(|| Place { dir, name: name.to_owned() })
    }

    fn step_by_step(&self, path: &Path, last: Last) -> io::Result<Place> {
        let mut way: Vec<Dir> = Vec::new();
        let mut todo: VecDeque<OsString> = parts(path);
        let mut links = 0;
        while let Some(part) = todo.pop_front() {
            let here = way.last().unwrap_or(&self.dir);
            if part == ".." {
                if way.pop().is_none() && self.scope == Scope::Prefix {
                    return Err(self.leads_out(path, Path::new("..")));
                }
                continue;
            }
            let at_end = todo.is_empty();
            if at_end && last == Last::Keep {
                return Ok(Place { dir: here.again()?, name: part });
            }
            // A directory is tried first, for most parts are.
            if !at_end {
                match here.enter(&part) {
                    Ok(dir) => {
                        way.push(dir);
                        continue;
                    }
                    Err(error) if error.kind() == io::ErrorKind::NotADirectory => {}
                    Err(error) => return Err(error),
                }
            }
            let text = match here.link_text(&part) {
                Ok(Some(text)) => text,
                Ok(None) if !at_end => return Err(io::ErrorKind::NotADirectory.into()),
                Ok(None) => return Ok(Place { dir: here.again()?, name: part }),
                Err(error) if at_end && error.kind() == io::ErrorKind::NotFound => {
                    return Ok(Place { dir: here.again()?, name: part });
                }
                Err(error) => return Err(error),
            };
            links += 1;
            if links > MOST_LINKS {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "too many symbolic links, one leading to another",
                ));
            }
            let mut target = self.inside(path, Path::new(&text))?;
            if target.is_absolute() {
                way.clear();
                target = target.strip_prefix("/").map(Path::to_owned).unwrap_or_default();
            }
            for part in parts(&target).into_iter().rev() {
                todo.push_front(part);
            }
        }
        let dir = way.last().unwrap_or(&self.dir).again()?;
        Ok(Place { dir, name: OsString::from(".") })
    }

    /// The text of a link as a path of this tree.
    fn inside(&self, path: &Path, target: &Path) -> io::Result<PathBuf> {
        if self.scope != Scope::Prefix || target.is_relative() {
            return Ok(target.to_owned());
        }
        match target.strip_prefix(&self.base) {
            Ok(below) => Ok(Path::new("/").join(below)),
            Err(_) => Err(self.leads_out(path, target)),
        }
    }

    fn leads_out(&self, path: &Path, target: &Path) -> io::Error {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            format!(
                "{} leads to {} through a symbolic link, which is outside of {}; replace the link by a directory",
                self.outside(path).display(),
                target.display(),
                self.base.display()
            ),
        )
    }
}

/// Whether nothing is there at all.
pub fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Whether a symbolic link leads nowhere that this tree has: its target is missing or outside, or it goes in
/// a circle.
pub fn leads_nowhere(error: &io::Error) -> bool {
    is_missing(error) || error.kind() == io::ErrorKind::InvalidInput
}

fn optional<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if is_missing(&error) => Ok(None),
        other => other.map(Some),
    }
}

fn parts(path: &Path) -> VecDeque<OsString> {
    path.components()
        .filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some(OsStr::new("..").to_owned()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
        })
        .collect()
}

//! What the keys of service files are held against: accounts, programs and directories of this machine, or of the tree of another.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use foobar_initscripts::check::meaning::Facts;

use crate::inspect::live;
use crate::machine;
use crate::root::{Root, Scope};
use crate::sys::dir::Kind;

/// The machine that a tree is for.
#[derive(Debug)]
pub struct Surroundings<'a> {
    root: &'a Root,
    accounts: Option<Vec<u8>>,
    groups: Option<Vec<u8>>,
}

impl<'a> Surroundings<'a> {
    /// Of a tree. A prefix has no accounts of its own.
    pub fn of(root: &'a Root) -> Surroundings<'a> {
        let read = |path: &str| match root.scope() {
            Scope::Prefix => fs::read(path).ok(),
            Scope::Machine | Scope::Offline => {
                root.read(Path::new(path)).ok().flatten().map(|(text, _)| text)
            }
        };
        Surroundings { root, accounts: read("/etc/passwd"), groups: read("/etc/group") }
    }

    /// A path of a service file, where the kernel finds it; the tree of another machine is walked by ourselves.
    fn facts(&self, path: &str) -> Option<(Kind, u32, u32)> {
        if self.root.is_live() {
            let facts = fs::metadata(path).ok()?;
            let kind = if facts.is_dir() { Kind::Directory } else { Kind::File };
            return Some((kind, facts.mode() & 0o7777, facts.uid()));
        }
        let place = self.root.place(Path::new(path)).ok()?;
        let facts = place.dir.facts(&place.name).ok()??;
        Some((facts.kind, facts.mode, facts.owner))
    }
}

/// Whether a line of passwd(5) or group(5) begins with the name.
fn has(text: Option<&Vec<u8>>, name: &str) -> Option<bool> {
    let lines = text?.split(|byte| *byte == b'\n');
    let mut names = lines.filter_map(|line| line.split(|byte| *byte == b':').next());
    Some(names.any(|known| known == name.as_bytes()))
}

impl Facts for Surroundings<'_> {
    fn has_account(&self, name: &str) -> Option<bool> {
        has(self.accounts.as_ref(), name)
    }

    fn has_group(&self, name: &str) -> Option<bool> {
        has(self.groups.as_ref(), name)
    }

    fn has_program(&self, path: &str) -> bool {
        live::has_program(self.root, path)
    }

    fn has_directory(&self, path: &str) -> bool {
        self.facts(path).is_some_and(|(kind, ..)| kind == Kind::Directory)
    }

    fn text(&self, path: &str) -> Option<Vec<u8>> {
        // Not what one could wait for: a FIFO.
        let is_file = if self.root.is_live() {
            fs::metadata(path).is_ok_and(|facts| facts.is_file())
        } else {
            self.facts(path).is_some_and(|(kind, ..)| kind == Kind::File)
        };
        match (is_file, self.root.is_live()) {
            (false, _) => None,
            (true, true) => fs::read(path).ok(),
            (true, false) => self.root.read(Path::new(path)).ok().flatten().map(|(text, _)| text),
        }
    }

    fn is_exposed(&self, directory: &str) -> bool {
        let real = if self.root.is_live() {
            fs::canonicalize(directory).ok()
        } else {
            Some(PathBuf::from(directory))
        };
        let Some((_, mode, owner)) = real.as_deref().and_then(Path::to_str).and_then(|path| self.facts(path))
        else {
            return false;
        };
        let ours = owner == 0
            || !self.root.is_live()
            || (self.root.scope() == Scope::Prefix && machine::is_user(owner));
        mode & 0o022 != 0 || !ours
    }
}

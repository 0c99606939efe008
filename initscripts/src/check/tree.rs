//! A machine as values: what the caller has read, in the words that findings need.

use std::collections::BTreeMap;

use super::finding::Finding;
use crate::link::{Kind, Link};
use crate::lsb::scan::{self, Key};
use crate::lsb::{self, Header};
use crate::name::{self, Runlevel, Runlevels};

/// A file that was read.
#[derive(Debug, Clone)]
pub struct Text {
    /// As findings are to call it.
    pub file: String,
    /// Its bytes.
    pub text: Vec<u8>,
}

/// An entry of the directory of scripts.
#[derive(Debug, Clone)]
pub struct Script {
    /// Its name.
    pub name: String,
    /// As findings are to call it.
    pub file: String,
    /// What it is.
    pub what: What,
    /// The text of the symbolic link, if it is one.
    pub symlink: Option<String>,
    /// Its bytes, or those of what the link leads to.
    pub text: Vec<u8>,
    /// The override that insserv reads instead of its header, if there is one.
    pub instead: Option<Text>,
}

/// What an entry is, links followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A regular file.
    File {
        /// Permission bits.
        mode: u32,
        /// User ID.
        owner: u32,
    },
    /// A directory.
    Directory,
    /// A device, a socket, or a link that leads nowhere.
    Other,
    /// It could not be read, and why.
    Unreadable(String),
}

/// An entry of the directory of a runlevel.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The runlevel.
    pub level: Runlevel,
    /// Its name.
    pub name: String,
    /// As findings are to call it.
    pub file: String,
    /// Where it leads.
    pub leads: Leads,
}

/// Where an entry of a runlevel leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leads {
    /// To a script of the directory of scripts, by this name.
    Script(String),
    /// To a file elsewhere.
    Outside(String),
    /// To nothing; the text of the link.
    Nowhere(String),
    /// It is no symbolic link.
    NoLink,
}

/// All that a machine has.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// The directory of scripts.
    pub scripts: Vec<Script>,
    /// The directories of runlevels.
    pub entries: Vec<Entry>,
    /// insserv.conf, then the files of insserv.conf.d; none where insserv is not used.
    pub conf: Vec<Text>,
    /// `.depend.boot`, `.depend.start` and `.depend.stop`; none unless all are there.
    pub depend: Option<[Text; 3]>,
    /// Whether each script provides the name of its file, whatever its header says: so where insserv is not used.
    pub by_name: bool,
}

impl Script {
    /// Whether insserv takes it for a script.
    #[must_use]
    pub fn is_eligible(&self) -> bool {
        let executable = matches!(self.what, What::File { mode, .. } if mode & 0o100 != 0);
        let direct = self.symlink.as_ref().is_none_or(|text| text.contains('/'));
        executable && direct && !name::is_skipped(&self.name)
    }

    /// The header that counts, and where it stands.
    pub(super) fn heading(&self) -> (&str, &[u8]) {
        match &self.instead {
            Some(instead) => (&instead.file, &instead.text),
            None => (&self.file, &self.text),
        }
    }
}

/// A script with its header and its links.
#[derive(Debug)]
pub(super) struct Placed<'a> {
    pub script: &'a Script,
    /// The file that the header stands in.
    pub file: &'a str,
    pub header: Header,
    lines: [u32; Key::COUNT],
    /// See [`Tree::by_name`].
    by_name: bool,
    /// Its numbers in the runlevels.
    pub numbers: BTreeMap<(Kind, Runlevel), u8>,
}

impl Placed<'_> {
    /// Where a key stands; 1 where it does not.
    pub(super) fn line(&self, key: Key) -> u32 {
        self.lines[key as usize]
    }

    /// The runlevels with a link.
    pub(super) fn levels(&self, kind: Kind) -> Runlevels {
        self.numbers.keys().filter(|(of, _)| *of == kind).map(|(_, level)| *level).collect()
    }

    pub(super) fn is_linked(&self) -> bool {
        !self.numbers.is_empty()
    }

    /// The names that it can be waited for by.
    pub(super) fn provides(&self) -> Vec<&str> {
        let file = self.script.name.as_str();
        let name = if super::buildroot::is_name(file) { &file[3..] } else { file };
        let said = self.header.provides.iter().map(String::as_str).filter(|word| !word.starts_with('$'));
        let own = self.by_name || self.header.provides.is_empty();
        said.chain(own.then_some(name)).collect()
    }

    /// A finding about a key of its header.
    pub(super) fn finding(&self, rule: &'static super::finding::Rule, key: Key, message: String) -> Finding {
        Finding::new(rule, &self.script.name, self.file, self.line(key), message)
    }
}

impl Tree {
    /// The scripts that count, with what their headers and links say.
    pub(super) fn placed(&self) -> Vec<Placed<'_>> {
        let mut numbers: BTreeMap<&str, BTreeMap<(Kind, Runlevel), u8>> = BTreeMap::new();
        let links: Vec<(Link, &Entry)> = self
            .entries
            .iter()
            .filter_map(|entry| Link::parse(entry.level, &entry.name).map(|link| (link, entry)))
            .collect();
        for (link, entry) in &links {
            if let Leads::Script(name) = &entry.leads {
                let of_script = numbers.entry(name).or_default();
                of_script.insert((link.kind, link.runlevel), link.sequence.get());
            }
        }
        let eligible = self.scripts.iter().filter(|script| script.is_eligible());
        eligible
            .map(|script| {
                let (file, text) = script.heading();
                let fields = scan::scan(text, |_, _| {});
                let lines = Key::ALL.map(|key| fields.get(key).map_or(1, |(_, line)| line));
                let numbers = numbers.remove(script.name.as_str()).unwrap_or_default();
                Placed { script, file, header: lsb::parse(text).0, lines, by_name: self.by_name, numbers }
            })
            .collect()
    }
}

//! What a root contains, as data: scripts, overrides, links, insserv.conf. The caller feeds each text once;
//! only the parsed headers are kept. Nothing is looked up in a file system.

use crate::conf::{Conf, Directive};
use crate::entry::Entry;
use crate::files::{File, Files};
use crate::link::{Kind, Link};
use crate::lsb::chkconfig::{self, Line};
use crate::lsb::scan::{self, Fields, Key};
use crate::lsb::{openrc, words};
use crate::name::{Runlevel, Runlevels, Sequence};
use crate::symbols::{NONE, Symbol, Symbols};

/// A file of /etc/init.d, in the order of the directory (see [`Installed::add_script`]).
#[derive(Debug, Clone, Copy)]
pub struct ScriptFile<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its bytes; those of the target if it is a symbolic link. The first 64 KiB are enough for any header.
    pub text: &'a [u8],
    /// Whether it (or the target of the link) is a regular file that its owner may execute.
    pub executable: bool,
    /// The text of the symbolic link, if it is one.
    pub symlink: Option<&'a str>,
    /// The last component of the path after all links, by which overrides are found; `name` if it is no link.
    pub real_name: &'a str,
}

impl<'a> ScriptFile<'a> {
    /// An executable regular file.
    #[must_use]
    pub fn regular(name: &'a str, text: &'a [u8]) -> ScriptFile<'a> {
        ScriptFile { name, text, executable: true, symlink: None, real_name: name }
    }
}

/// Which directory an override lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// /etc/insserv/overrides, which wins.
    Administrator,
    /// /usr/share/insserv/overrides.
    Vendor,
}

/// The links, scripts and configuration of one root.
///
/// The order in which scripts and links are added counts where insserv follows the order of a directory (two
/// scripts that provide one name, loops, X-Start-Before): add them sorted by name for a result that depends on
/// the contents alone, or as readdir(3) gives them to predict what insserv itself would do.
///
/// ```
/// use foobar_initscripts::installed::{Installed, ScriptFile};
/// use foobar_initscripts::name::Runlevel;
/// let mut installed = Installed::new();
/// installed.add_conf(b"$network +networking\n");
/// installed.add_script(&ScriptFile::regular("foo", b"#!/bin/sh\n"));
/// installed.add_link(Runlevel::R2, "S01foo", "../init.d/foo");
/// ```
#[derive(Debug, Clone, Default)]
pub struct Installed {
    pub(crate) names: Symbols,
    pub(crate) words: Vec<Symbol>,
    pub(crate) heads: Vec<Head>,
    pub(crate) files: Files,
    /// By name, those of one name by tier.
    pub(crate) overrides: Vec<Override>,
    pub(crate) links: Vec<Entry>,
    pub(crate) conf: Conf,
    /// Each script provides the name of its file, whatever its header says.
    by_name: bool,
    /// Headers are read, and links made, as SUSE's insserv does it.
    pub(crate) suse: bool,
}

/// A header with its words as symbols.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Head {
    first: u32,
    /// Where the list of each key ends, counted from `first`.
    ends: [u16; LISTS],
    /// `None`: missing or empty.
    pub start: Option<Runlevels>,
    pub stop: Option<Runlevels>,
    pub interactive: bool,
    /// Provides has a value, though it may hold no name.
    pub named: bool,
    pub begun: bool,
    pub complete: bool,
    /// A default runlevel `B`, which insserv dies of.
    pub fatal: bool,
    pub openrc: bool,
    /// What stands beside the header for chkconfig.
    pub chkconfig: Option<Line>,
    /// The override directory that it comes from; `None`: the script itself.
    pub tier: Option<Tier>,
    /// The line of each key, counted from 1; 0 when it is missing.
    lines: [u16; Key::COUNT],
}

/// The keys whose value is a list of names come first.
const LISTS: usize = Key::StopAfter as usize + 1;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Override {
    pub tier: Tier,
    pub name: Symbol,
    pub head: u32,
}

impl Installed {
    /// An empty root.
    #[must_use]
    pub fn new() -> Installed {
        Installed::default()
    }

    /// An empty root where each script provides the name of its file, too: what is not insserv goes by that.
    #[must_use]
    pub fn by_name() -> Installed {
        Installed { by_name: true, ..Installed::default() }
    }

    /// An empty root whose headers mean what they mean to SUSE's insserv: B is what runs once at boot, a service is
    /// stopped wherever it starts in runlevels 2 to 5 and B, and nowhere else, one that names no runlevels starts in 3 and 5,
    /// and what is not said of stopping is as for starting.
    #[must_use]
    pub fn suse() -> Installed {
        Installed { suse: true, ..Installed::default() }
    }

    /// The same root with the links of one kind, and with headers that ask for no others.
    pub(crate) fn only(&self, kind: Kind) -> Installed {
        let mut changed = self.clone();
        changed.links.retain(|link| link.kind == kind);
        for head in &mut changed.heads {
            let side = if kind == Kind::Start { &mut head.stop } else { &mut head.start };
            *side = side.map(|_| Runlevels::NONE);
        }
        changed
    }

    /// Makes room for so many scripts and all the links that they may have: what grows step by step takes twice as much.
    /// What is not used in the end costs nothing, as no page of it was touched.
    pub fn expect(&mut self, scripts: usize) {
        self.heads.reserve_exact(scripts);
        self.files.reserve(scripts);
        self.links.reserve_exact(scripts * Runlevel::ALL.len());
    }

    /// Adds a file of /etc/init.d. Directories need not be added; files that insserv skips may be.
    pub fn add_script(&mut self, file: &ScriptFile<'_>) {
        let own = Some(file.name).filter(|_| self.by_name);
        let head = self.add_head(file.text, own);
        let name = self.intern_names(file.name);
        let indirect = file.symlink.is_some_and(|target| !target.contains('/')) && file.name != "reboot";
        let eligible = file.executable && !indirect && !crate::name::is_skipped(file.name);
        let real = if file.real_name == file.name { name } else { self.names.intern(file.real_name) };
        self.files.push(File { name, real, head, eligible });
    }

    /// Adds a file of an override directory.
    pub fn add_override(&mut self, tier: Tier, name: &str, text: &[u8]) {
        let head = self.add_head(text, None);
        self.heads[head as usize].tier = Some(tier);
        let name = self.names.intern(name);
        let place = self.overrides.partition_point(|other| (other.name, other.tier) <= (name, tier));
        self.overrides.insert(place, Override { tier, name, head });
    }

    /// Adds an entry of rcN.d that is a symbolic link; `target` is its text. Other entries need not be added,
    /// nor names that are not `[SK][0-9][0-9]`; both are passed over. A link whose last component is not the name
    /// of a script added to this root counts as dangling.
    pub fn add_link(&mut self, runlevel: Runlevel, entry: &str, target: &str) {
        self.add_entry(runlevel, entry, target, NONE);
    }

    /// As [`Installed::add_link`], for a link to the script that it is named after; false if there is none, and nothing is
    /// added.
    pub fn add_plain_link(&mut self, runlevel: Runlevel, entry: &str) -> bool {
        let Some(link) = Link::read(runlevel, entry) else { return false };
        let known = self.names.get(link.name).filter(|name| self.files.get(*name).is_some());
        known.inspect(|&name| self.links.push(Entry::new(&link, name, name, NONE))).is_some()
    }

    /// As [`Installed::add_link`], for a link to an existing file that is not in init.d.
    pub fn add_outside_link(&mut self, runlevel: Runlevel, entry: &str, target: &str, text: &[u8]) {
        let head = self.add_head(text, None);
        self.add_entry(runlevel, entry, target, head);
    }

    /// Adds the text of /etc/insserv.conf.
    pub fn add_conf(&mut self, text: &[u8]) {
        let directives = self.directives(text);
        self.conf.add_main(directives);
    }

    /// Adds a file of /etc/insserv.conf.d, in any order; leftovers of editors and dpkg are passed over.
    pub fn add_conf_fragment(&mut self, name: &str, text: &[u8]) {
        if !crate::name::is_leftover(name) {
            let directives = self.directives(text);
            self.conf.add_fragment(name, directives);
        }
    }

    /// Turns the links of a script in the given runlevels from S to K or back, keeping their numbers, as
    /// `update-rc.d NAME disable` and `enable` do before they call insserv. Returns how many were turned.
    pub fn turn_links(&mut self, name: &str, levels: Runlevels, kind: Kind) -> usize {
        let Some(symbol) = self.names.get(name) else { return 0 };
        let chosen =
            |link: &&mut Entry| link.name == symbol && link.kind != kind && levels.contains(link.runlevel);
        let turn = |link: &mut Entry| (link.kind, link.turned) = (kind, !link.turned);
        self.links.iter_mut().filter(chosen).map(turn).count()
    }

    /// The links that were added, as they are to be taken for: one that was turned has its new letter.
    pub fn links(&self) -> impl Iterator<Item = Link> {
        self.lent_links().map(Link::owned)
    }

    /// The same, with names that are this root's.
    pub(crate) fn lent_links(&self) -> impl Iterator<Item = Link<&str>> {
        self.links.iter().map(|entry| self.link(entry))
    }

    /// A link with its name.
    pub(crate) fn link(&self, entry: &Entry) -> Link<&str> {
        let &Entry { name, runlevel, kind, sequence, .. } = entry;
        Link { runlevel, kind, sequence: Sequence::clamped(sequence), name: self.names.name(name) }
    }

    /// How many scripts were added.
    #[must_use]
    pub fn count(&self) -> usize {
        self.files.len()
    }

    /// Whether a script of this name was added.
    #[must_use]
    pub fn has_script(&self, name: &str) -> bool {
        self.file(name).is_some()
    }

    /// What a script says to chkconfig.
    pub(crate) fn chkconfig(&self, name: &str) -> Option<Line> {
        self.own_head(name)?.chkconfig
    }

    /// The runlevels that the header of a script has for starting and for stopping; without one, those for chkconfig.
    pub(crate) fn default_levels(&self, name: &str) -> (Runlevels, Runlevels) {
        let Some(head) = self.own_head(name) else { return Default::default() };
        let said = head.chkconfig.map(|line| line.levels).unwrap_or_default();
        (head.start.unwrap_or(said), head.stop.unwrap_or_default())
    }

    fn own_head(&self, name: &str) -> Option<&Head> {
        self.heads.get(self.file(name)?.head as usize)
    }

    /// The file of a name.
    pub(crate) fn file(&self, name: &str) -> Option<&File> {
        self.files.get(self.names.get(name)?)
    }

    /// Takes a script out again.
    pub(crate) fn remove_script(&mut self, name: &str) {
        if let Some(symbol) = self.names.get(name) {
            self.files.remove(symbol);
        }
    }

    /// Takes a link out again.
    pub(crate) fn remove_link(&mut self, gone: &Link) {
        let Installed { names, links, .. } = self;
        links.retain(|link| {
            (link.runlevel, link.kind, link.sequence) != (gone.runlevel, gone.kind, gone.sequence.get())
                || names.name(link.name) != &*gone.name
        });
    }

    fn add_entry(&mut self, runlevel: Runlevel, entry: &str, target: &str, head: u32) {
        let Some(link) = Link::read(runlevel, entry) else { return };
        let name = self.intern_names(link.name);
        let last = target.rsplit('/').next().unwrap_or(target);
        let target = if last == link.name { name } else { self.names.intern(last) };
        self.links.push(Entry::new(&link, name, target, head));
    }

    /// A file name stands in for a missing Provides, and is cut like it.
    fn intern_names(&mut self, name: &str) -> Symbol {
        match self.names.get(name) {
            // Then what it is cut into has been seen, too.
            Some(symbol) if self.files.get(symbol).is_some() => return symbol,
            _ => {}
        }
        for word in words::names(name) {
            self.names.intern(word);
        }
        self.names.intern(name)
    }

    /// `own`: a name that it provides beside those that its header names.
    fn add_head(&mut self, text: &[u8], own: Option<&str>) -> u32 {
        let stand_in = openrc::header(text);
        let (openrc, text) = (stand_in.is_some(), stand_in.unwrap_or(text));
        let fields = scan::scan(text, |_, _| {});
        let mut head = Head { first: self.words.len() as u32, ..Head::default() };
        for (at, key) in Key::ALL.into_iter().take(LISTS).enumerate() {
            for word in words::names(value(&fields, self.said(&fields, key))) {
                let symbol = self.names.intern(word);
                self.words.push(symbol);
            }
            if let Some(own) = own.filter(|_| key == Key::Provides) {
                let symbol = self.names.intern(own);
                self.words.push(symbol);
            }
            head.ends[at] = (self.words.len() as u32 - head.first).min(u32::from(u16::MAX)) as u16;
        }
        let suse = self.suse;
        let mut levels = |key| {
            let text = value(&fields, key);
            match words::levels(text) {
                _ if text.is_empty() => None,
                _ if suse => Some(words::levels_of_suse(text)),
                words::Levels::Known(set) => Some(set),
                words::Levels::Fatal => {
                    // insserv dies of it; where it has no part, the word means nothing.
                    head.fatal = !self.by_name;
                    None
                }
            }
        };
        (head.start, head.stop) = (levels(Key::DefaultStart), levels(Key::DefaultStop));
        if suse {
            let start = head.start.filter(|levels| !levels.is_empty());
            let start = start.unwrap_or_else(|| [Runlevel::R3, Runlevel::R5].into_iter().collect());
            let fixed: Runlevels = [Runlevel::R0, Runlevel::R1, Runlevel::R6].into_iter().collect();
            (head.start, head.stop) = (Some(start), Some(start.without(fixed)));
        }
        head.interactive = value(&fields, Key::Interactive) == "true";
        head.named = own.is_some() || !value(&fields, Key::Provides).is_empty();
        head.begun = fields.begin.is_some();
        head.complete = fields.is_complete();
        head.openrc = openrc;
        // insserv does not look at it.
        head.chkconfig = if self.by_name { chkconfig::parse(text) } else { None };
        for key in Key::ALL.into_iter().filter(|_| !openrc) {
            let line = fields.get(key).map_or(0, |(_, line)| line);
            head.lines[key as usize] = line.min(u32::from(u16::MAX)) as u16;
        }
        self.heads.push(head);
        self.heads.len() as u32 - 1
    }

    /// The key whose value counts for `key`.
    fn said(&self, fields: &Fields<'_>, key: Key) -> Key {
        let of_starting = match key {
            Key::RequiredStop => Key::RequiredStart,
            Key::ShouldStop => Key::ShouldStart,
            Key::StopAfter => Key::StartBefore,
            _ => key,
        };
        if self.suse && value(fields, key).is_empty() { of_starting } else { key }
    }

    fn directives(&mut self, text: &[u8]) -> Vec<Directive> {
        let names = &mut self.names;
        crate::conf::parse(text, &mut |word| names.intern(word))
    }
}

fn value<'a>(fields: &Fields<'a>, key: Key) -> &'a str {
    fields.get(key).map_or("", |(value, _)| value)
}

impl Head {
    /// The line that a key stands in, counted from 1.
    pub(crate) fn line(&self, key: Key) -> Option<u32> {
        Some(u32::from(self.lines[key as usize])).filter(|&line| line > 0)
    }

    /// The place in [`Installed::words`] of the words of a key that is a list.
    pub(crate) fn range(&self, key: Key) -> std::ops::Range<usize> {
        let at = key as usize;
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        let first = self.first as usize;
        first + start as usize..first + self.ends[at] as usize
    }
}

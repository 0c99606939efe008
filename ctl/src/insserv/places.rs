//! From options to paths: which directory of scripts is meant, and where links, configuration, overrides and
//! startpar's files are then. insserv finds them by the text of the path: what stands before `/etc/init.d` in it is
//! the root of the tree.
//!
//! Two things of insserv 1.24 are left out on purpose. It looks for its configuration below the working
//! directory first, so that whoever can write there decides the order. And with `-p` but without `-i` it writes the
//! startpar files of another tree over those of the running machine.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use foobar_initscripts::installed::{Installed, Tier};
use foobar_initscripts::name::{Runlevel, Runlevels};
use foobar_initscripts::order::Argument;

use super::options::Options;
use crate::root::{Root, is_missing};
use crate::sources::{Insserv, Sources};
use crate::sys::dir::{Dir, Kind};

const SCRIPTS: &str = "/etc/init.d";
const CONF: &str = "/etc/insserv.conf";
const OVERRIDES: [&str; 2] = ["/etc/insserv/overrides", "/usr/share/insserv/overrides"];
const FILTERS: &str = "/etc/insserv/file-filters";

/// What part a script's name is parted by from the runlevels that are given to it.
const SEPARATORS: [char; 4] = [' ', ',', ';', '\t'];

/// Everything that a run needs to know of its command line.
#[derive(Debug)]
pub struct Places {
    /// The directory of the scripts as it was given, for messages.
    pub shown: String,
    /// What to read.
    pub sources: Sources,
    /// The directory of startpar's files.
    pub depend: PathBuf,
    /// The arguments are names without a path, and nobody has looked yet whether there are such files.
    by_name: bool,
}

impl Places {
    /// Looks at what the arguments are, and gives back the scripts to link or unlink; the tree itself is not read. Names
    /// are to be checked when it is ([`Places::check`]).
    ///
    /// # Errors
    /// With the path that does not exist, or how insserv is used.
    pub fn find(root: &Root, options: &mut Options) -> Result<(Places, Vec<Argument>)> {
        let mut shown = options.path.as_deref().map_or(SCRIPTS, without_slash).to_owned();
        let mut scripts = std::mem::take(&mut options.scripts);
        if options.remove && scripts.is_empty() {
            bail!("usage: insserv [[-r] init_script|init_directory]: name the scripts to remove");
        }
        if let Some(first) = scripts.first() {
            let (path, _) = split(first);
            let place =
                if path.contains('/') { std::path::absolute(path)? } else { within(&shown)?.join(path) };
            if exists(root, &place, path)? == Kind::Directory {
                if options.remove || scripts.len() > 1 {
                    bail!("usage: insserv [[-r] init_script|init_directory]: a directory stands alone");
                }
                without_slash(path).clone_into(&mut shown);
                scripts.clear();
            } else if let Some((directory, _)) = path.rsplit_once('/') {
                directory.clone_into(&mut shown);
            }
        }
        let directory = within(&shown)?;
        let by_name = scripts.iter().all(|text| !split(text).0.contains('/'));
        if !by_name {
            let there = Scripts::new(root, &shown, &directory);
            scripts.iter().try_for_each(|text| there.check(split(text).0))?;
        }
        let mut arguments = Vec::with_capacity(scripts.len());
        for text in scripts {
            arguments.push(argument(text)?);
        }
        let sources = sources(&shown, &directory, options)?;
        let depend = options.insserv_dir.as_deref().map_or(Ok(directory), std::path::absolute)?;
        Ok((Places { shown, sources, depend, by_name }, arguments))
    }

    /// Looks for the arguments that are none of the scripts that were read; to look for all would take a call of the
    /// kernel each.
    ///
    /// # Errors
    /// With the name that there is no file of.
    pub fn check(&self, root: &Root, installed: &Installed, arguments: &[Argument]) -> Result<()> {
        let mut strange =
            arguments.iter().filter(|argument| !installed.has_script(&argument.name)).peekable();
        if !self.by_name || strange.peek().is_none() {
            return Ok(());
        }
        let directory = within(&self.shown)?;
        let there = Scripts::new(root, &self.shown, &directory);
        strange.try_for_each(|argument| there.check(&argument.name))
    }

    /// The directory of links of a runlevel.
    pub fn links(&self, level: Runlevel) -> &str {
        let found = self.sources.links.iter().find(|(other, _)| *other == level);
        found.map_or("", |(_, path)| path)
    }
}

fn sources(shown: &str, directory: &Path, options: &Options) -> Result<Sources> {
    let scripts = text(directory.to_owned())?;
    let above = if shown == SCRIPTS { "" } else { scripts.find(SCRIPTS).map_or("", |at| &scripts[..at]) };
    let conf = match &options.config {
        Some(path) => text(std::path::absolute(path)?)?,
        None => format!("{above}{CONF}"),
    };
    let overrides = match &options.overrides {
        Some(path) => [text(std::path::absolute(path)?)?, OVERRIDES[1].to_owned()],
        None => OVERRIDES.map(|path| format!("{above}{path}")),
    };
    let [administrator, vendor] = overrides;
    let links = Runlevel::ALL.map(|level| (level, format!("{scripts}/../rc{level}.d")));
    let insserv = Insserv {
        fragments: format!("{conf}.d"),
        conf,
        overrides: [(Tier::Administrator, administrator), (Tier::Vendor, vendor)],
        filters: FILTERS.to_owned(),
    };
    Ok(Sources { scripts, links: links.to_vec(), insserv: Some(insserv) })
}

/// The directory that arguments are looked for in.
struct Scripts<'a> {
    root: &'a Root,
    shown: &'a str,
    directory: &'a Path,
    open: Option<Dir>,
}

impl<'a> Scripts<'a> {
    fn new(root: &'a Root, shown: &'a str, directory: &'a Path) -> Scripts<'a> {
        Scripts { root, shown, directory, open: root.directory(directory).ok() }
    }

    /// Whether a name or path leads to anything, here or from the working directory.
    fn check(&self, path: &str) -> Result<()> {
        if !self.has(path, last(path)) && look(self.root, &std::path::absolute(path)?)?.is_none() {
            exists(self.root, &self.directory.join(path), path)?;
        }
        Ok(())
    }

    /// Whether a path is that of a file in the directory, as nearly all are: then no path need be walked.
    fn has(&self, path: &str, name: &str) -> bool {
        let head = path.len() - name.len();
        let direct = head == 0 || path[..head].strip_suffix('/') == Some(self.shown);
        let facts = |dir: &Dir| dir.facts(OsStr::new(name)).ok().flatten();
        direct && self.open.as_ref().and_then(facts).is_some_and(|facts| facts.kind != Kind::Link)
    }
}

/// One argument: `NAME`, `PATH`, either with `,start=2,3,stop=0`.
fn argument(text: String) -> Result<Argument> {
    let (path, more) = split(&text);
    let name = last(path);
    let Some(more) = more else {
        let name = if path == name { text } else { name.to_owned() };
        return Ok(Argument { name, start: None, stop: None });
    };
    let name = name.to_owned();
    let (start, stop) = (more.find("start="), more.find("stop="));
    if start.is_none() && stop.is_none() {
        bail!("cannot read '{text}': write runlevels as {name},start=2,3,stop=0");
    }
    let value = |at: Option<usize>, other: Option<usize>, key: &str| {
        let at = at?;
        let end = other.filter(|other| *other > at).unwrap_or(more.len());
        Some(levels(&more[at + key.len()..end]))
    };
    let levels = [value(start, stop, "start="), value(stop, start, "stop=")];
    let [start, stop] = levels.map(Option::transpose);
    Ok(Argument { name, start: start?, stop: stop? })
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Runlevels one by one; whatever is longer than a letter insserv passes over, and it would mean none.
fn levels(text: &str) -> Result<Runlevels> {
    let mut found = Runlevels::NONE;
    for word in text.split(SEPARATORS).filter(|word| !word.is_empty()) {
        let mut letters = word.chars();
        match (letters.next().and_then(Runlevel::from_letter), letters.next()) {
            (Some(level), None) => found.insert(level),
            _ => bail!("'{word}' is no runlevel: write them one by one, as in start=2,3"),
        }
    }
    Ok(found)
}

fn split(text: &str) -> (&str, Option<&str>) {
    match text.split_once(SEPARATORS) {
        Some((path, more)) => (path, Some(more)),
        None => (text, None),
    }
}

fn without_slash(path: &str) -> &str {
    path.strip_suffix('/').filter(|rest| !rest.is_empty()).unwrap_or(path)
}

fn within(directory: &str) -> Result<PathBuf> {
    Ok(std::path::absolute(if directory.is_empty() { "/" } else { directory })?)
}

fn text(path: PathBuf) -> Result<String> {
    match path.into_os_string().into_string() {
        Ok(text) => Ok(text),
        Err(path) => bail!("{path:?} is not UTF-8: use a directory with another name"),
    }
}

fn exists(root: &Root, place: &Path, shown: &str) -> Result<Kind> {
    match look(root, place)? {
        Some(kind) => Ok(kind),
        None => bail!("{shown}: No such file or directory"),
    }
}

/// What a path leads to, if anything.
fn look(root: &Root, path: &Path) -> io::Result<Option<Kind>> {
    let found = root.place(path).and_then(|place| match place.name.as_os_str() {
        name if name == "." => Ok(Some(Kind::Directory)),
        name => Ok(place.dir.facts(name)?.map(|facts| facts.kind)),
    });
    match found {
        Err(error) if is_missing(&error) => Ok(None),
        other => other.map_err(|error| root.about("cannot look at", path, &error)),
    }
}

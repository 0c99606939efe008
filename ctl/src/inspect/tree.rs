//! Scripts, links, overrides and startpar's files of a tree as the values that the linter works on. What cannot be
//! read is a finding and no reason to stop.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use foobar_initscripts::check::finding::Finding;
use foobar_initscripts::check::order;
use foobar_initscripts::check::tree::{Entry, Leads, Script, Text, Tree, What};
use foobar_initscripts::layout::Layout;
use foobar_initscripts::layout::facts::Scheme;

use crate::root::{Root, leads_nowhere};
use crate::sys::dir::Kind;

/// Where facilities of a layout are defined that no file of the tree defines.
pub const BUILT_IN: &str = "(built in)";

/// A tree that is being read.
struct Reading<'a> {
    root: &'a Root,
    found: Vec<Finding>,
}

/// Reads all of it; the findings are about what could not be read.
pub fn read(root: &Root, layout: &Layout) -> (Tree, Vec<Finding>) {
    let mut reading = Reading { root, found: Vec::new() };
    let mut tree = Tree { by_name: layout.depend.is_none(), ..Tree::default() };
    let scripts = Path::new(layout.script_dir);
    let files = reading.names(scripts);
    let is_one = |file: &&String| layout.script_name(file).is_some();
    let found = files.iter().filter(is_one);
    tree.scripts = found.map(|name| script(root, &scripts.join(name), waited_for(layout, name))).collect();
    let there = |script: &&Script| matches!(script.what, What::File { .. } | What::Unreadable(_));
    let known: BTreeSet<String> =
        tree.scripts.iter().filter(there).map(|script| script.name.clone()).collect();
    // How links are written: no need to look where those lead.
    let own = scripts.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let beside = format!("../{own}/");
    for level in layout.runlevels {
        let directory = PathBuf::from(layout.runlevel_dir(*level));
        for name in reading.names(&directory) {
            let path = directory.join(&name);
            let leads = leads(root, &path, &name, &beside, &known);
            tree.entries.push(Entry { level: *level, file: show(root, &path), name, leads });
        }
    }
    if let Scheme::Rcs(_) = layout.scheme {
        // A script with a number is its own link; rcS looks at none that begins with K.
        let started = known.iter().filter(|name| name.starts_with('S'));
        let own = started.filter_map(|name| Some((layout.script_name(name)?.1?, name)));
        tree.entries.extend(own.map(|(link, name)| Entry {
            level: link.runlevel,
            file: show(root, &scripts.join(name)),
            name: name.clone(),
            leads: Leads::Script(name.clone()),
        }));
    }
    if !layout.facilities.is_empty() {
        let text = layout.facilities.as_bytes().to_vec();
        tree.conf.push(Text { file: BUILT_IN.to_owned(), text });
    }
    let Some(depend) = &layout.depend else { return (tree, reading.found) };
    tree.conf.extend(reading.text(Path::new(depend.conf)));
    let more = Path::new(depend.conf_dir);
    for name in reading.names(more).iter().filter(|name| !foobar_initscripts::name::is_leftover(name)) {
        tree.conf.extend(reading.text(&more.join(name)));
    }
    reading.overrides(&depend.overrides, &mut tree.scripts);
    let files = [depend.boot, depend.start, depend.stop].map(|path| reading.text(Path::new(path)));
    if let [Some(boot), Some(start), Some(stop)] = files {
        let all = [boot, start, stop];
        // rc leaves the work to startpar only if none of them is empty.
        let is_used = |all: &[Text; 3]| all.iter().all(|file| !file.text.is_empty());
        // Those of SUSE are not what Debian's insserv would write.
        tree.depend = Some(all).filter(|all| layout.has_insserv_order() && is_used(all));
    }
    (tree, reading.found)
}

/// What a script is called by those that wait for it: the letters that all begin with are no part of that.
fn waited_for<'a>(layout: &Layout, file: &'a str) -> &'a str {
    match layout.scheme {
        Scheme::Hooks(hooks) => file.strip_prefix(hooks.prefix).unwrap_or(file),
        _ => file,
    }
}

/// A path of the tree as findings show it.
pub fn show(root: &Root, path: &Path) -> String {
    root.outside(path).display().to_string()
}

/// One entry of the directory of scripts.
pub fn script(root: &Root, path: &Path, name: &str) -> Script {
    let file = show(root, path);
    let here = root.name(path).and_then(|place| place.dir.link_text(&place.name));
    let symlink = here.ok().flatten().map(|text| text.to_string_lossy().into_owned());
    let (what, text) =
        content(root, path).unwrap_or_else(|error| (What::Unreadable(error.to_string()), Vec::new()));
    Script { name: name.to_owned(), file, what, symlink, text, instead: None }
}

fn content(root: &Root, path: &Path) -> io::Result<(What, Vec<u8>)> {
    let place = match root.place(path) {
        Ok(place) => place,
        Err(error) if leads_nowhere(&error) => return Ok((What::Other, Vec::new())),
        Err(error) => return Err(error),
    };
    match place.dir.facts(&place.name)?.map(|facts| facts.kind) {
        Some(Kind::File) => {
            let (text, facts) = place.dir.read(&place.name)?;
            Ok((What::File { mode: facts.mode, owner: facts.owner }, text))
        }
        Some(Kind::Directory) => Ok((What::Directory, Vec::new())),
        Some(Kind::Link | Kind::Other) | None => Ok((What::Other, Vec::new())),
    }
}

/// The name that overrides go by: that of the file after all links.
fn real_name(script: &Script) -> &str {
    let target = script.symlink.as_deref().and_then(|text| text.rsplit('/').next());
    target.unwrap_or(&script.name)
}

fn leads(root: &Root, path: &Path, name: &str, beside: &str, scripts: &BTreeSet<String>) -> Leads {
    let text = root.name(path).and_then(|place| place.dir.link_text(&place.name));
    let Some(text) = text.ok().flatten().map(|text| text.to_string_lossy().into_owned()) else {
        return Leads::NoLink;
    };
    let last = Path::new(&text).file_name().and_then(OsStr::to_str).unwrap_or_default();
    if text.strip_prefix(beside) == Some(last) && scripts.contains(last) {
        return Leads::Script(last.to_owned());
    }
    let there = root.place(path).ok().filter(|place| {
        place.dir.facts(&place.name).ok().flatten().is_some_and(|facts| facts.kind == Kind::File)
    });
    match there {
        None => Leads::Nowhere(text),
        // insserv, too, goes by the last component of the text.
        Some(_) if scripts.contains(last) => Leads::Script(last.to_owned()),
        Some(_) if scripts.contains(name.get(3..).unwrap_or_default()) => Leads::Script(name[3..].to_owned()),
        Some(_) => Leads::Outside(text),
    }
}

impl Reading<'_> {
    /// The names in a directory; those that are not UTF-8 can be nobody's service.
    fn names(&mut self, directory: &Path) -> Vec<String> {
        match self.root.names(directory) {
            Ok(names) => names.into_iter().filter_map(|name| name.into_string().ok()).collect(),
            Err(error) => {
                self.found.push(order::unreadable(&show(self.root, directory), &error.to_string()));
                Vec::new()
            }
        }
    }

    /// Headers that stand for those of scripts.
    fn overrides(&mut self, directories: &[&str], scripts: &mut [Script]) {
        let mut by_name: BTreeMap<String, usize> = BTreeMap::new();
        for (at, script) in scripts.iter().enumerate() {
            by_name.entry(real_name(script).to_owned()).or_insert(at);
        }
        // The administrator's come first, so the vendor's do not replace them.
        for directory in directories.iter().map(Path::new) {
            for name in self.names(directory) {
                let Some(text) = self.text(&directory.join(&name)) else { continue };
                if let Some(fault) = order::check_override(&name, &text) {
                    self.found.push(fault);
                    continue;
                }
                let script = by_name.get(&name).and_then(|&at| scripts.get_mut(at));
                if let Some(script) = script.filter(|script| script.instead.is_none()) {
                    script.instead = Some(text);
                }
            }
        }
    }

    /// A file; none when it is missing.
    fn text(&mut self, path: &Path) -> Option<Text> {
        let file = show(self.root, path);
        match self.root.read(path) {
            Ok(read) => read.map(|(text, _)| Text { file, text }),
            Err(error) => {
                self.found.push(order::unreadable(&file, &error.to_string()));
                None
            }
        }
    }
}

//! A root in memory: it is surveyed and changed as foobarctl does it on disk, but more strictly: a step
//! that finds something else than it expects fails the test.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::{fmt, fs};

use foobar_initscripts::installed::{Installed, ScriptFile};
use foobar_initscripts::layout::debian::DEBIAN;
use foobar_initscripts::order::{Argument, Change, arrange};
use foobar_initscripts::plan::{Before, Existing, Found, Plan, Step, checksum, watched};
use foobar_initscripts::step::edited;

use crate::name;

#[derive(Clone, PartialEq, Eq)]
pub enum Node {
    Dir,
    File(u32, Vec<u8>),
    Link(String),
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Node::Dir => write!(f, "a directory"),
            Node::File(mode, text) => write!(f, "{mode:o} {:?}", String::from_utf8_lossy(text)),
            Node::Link(target) => write!(f, "-> {target}"),
        }
    }
}

#[derive(Debug, Clone, Default)]
pub struct Tree(pub BTreeMap<String, Node>);

/// A script with an LSB header.
pub fn script(name: &str, required: &str, start: &str, stop: &str) -> String {
    format!(
        "#!/bin/sh\n### BEGIN INIT INFO\n# Provides:          {name}\n# Required-Start:    {required}\n\
         # Required-Stop:     {required}\n# Default-Start:     {start}\n# Default-Stop:      {stop}\n\
         # Short-Description: {name}\n### END INIT INFO\n"
    )
}

impl Tree {
    /// A machine with insserv, a logger, and a few services that it has linked.
    pub fn debian() -> Tree {
        let mut tree = Tree::default();
        for level in "0123456S".chars() {
            tree.dir(&format!("/etc/rc{level}.d"));
        }
        for path in ["/etc/init.d", "/var/run", "/var/log", "/etc/foobar"] {
            tree.dir(path);
        }
        tree.file(
            "/etc/insserv.conf",
            0o644,
            "$remote_fs +mountnfs\n$syslog +rsyslog\n$network +networking\n",
        );
        let others = [
            ("mountnfs", "", "S", ""),
            ("networking", "mountnfs", "S", "0 6"),
            ("rsyslog", "$remote_fs", "2 3 4 5", "0 1 6"),
            ("cron", "$remote_fs $syslog", "2 3 4 5", ""),
            ("zope", "foobar $syslog", "2 3 4 5", "0 1 6"),
        ];
        for (name, required, start, stop) in others {
            tree.file(&format!("/etc/init.d/{name}"), 0o755, &script(name, required, start, stop));
        }
        tree.arrange();
        tree
    }

    /// The scripts of some hundred real packages, linked as insserv links them; none if the collection is
    /// not beside the checkout.
    pub fn real() -> Option<Tree> {
        let corpus = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/reference/corpus"));
        let entries = fs::read_dir(corpus.join("initd")).ok()?;
        let mut tree = Tree::default();
        for path in ["/var/run", "/var/log", "/etc/init.d"] {
            tree.dir(path);
        }
        DEBIAN.runlevels.iter().for_each(|level| tree.dir(&DEBIAN.runlevel_dir(*level)));
        tree.file("/etc/insserv.conf", 0o644, &fs::read_to_string(corpus.join("insserv.conf")).ok()?);
        for entry in entries.flatten() {
            let file = entry.file_name().to_string_lossy().into_owned();
            let (_, name) = file.split_once("__")?;
            let text = fs::read(entry.path()).ok()?;
            tree.0.insert(format!("/etc/init.d/{name}"), Node::File(0o755, text));
        }
        tree.arrange();
        Some(tree)
    }

    /// Links the scripts and writes startpar's files as insserv does.
    fn arrange(&mut self) {
        let names: Vec<String> = self.under("/etc/init.d").map(|(name, _)| name.to_owned()).collect();
        let arguments = names.into_iter().map(|name| Argument { name, start: None, stop: None }).collect();
        self.insserv(&Change { arguments, force: true, ..Change::default() });
        self.settle();
    }

    /// Runs insserv once more: its order of equals depends on the numbers that links had before.
    pub fn settle(&mut self) {
        self.insserv(&Change::nothing().forced());
    }

    fn insserv(&mut self, change: &Change) {
        let installed = self.installed();
        let result = arrange(&installed, change).unwrap();
        self.0.retain(|_, node| !matches!(node, Node::Link(_)));
        for link in result.links() {
            self.link(&DEBIAN.link(&link.owned()), &DEBIAN.target(link.name));
        }
        let depend = DEBIAN.depend.as_ref().unwrap();
        for (path, text) in
            [(depend.boot, result.boot), (depend.start, result.start), (depend.stop, result.stop)]
        {
            self.file(path, 0o644, &text);
        }
    }

    /// # Panics
    /// When the trees are not equal, with the paths that differ.
    pub fn must_equal(&self, wanted: &Tree, what: &str) {
        let paths: BTreeSet<&String> = self.0.keys().chain(wanted.0.keys()).collect();
        let show = |node: Option<&Node>| node.map_or("nothing".to_owned(), |node| format!("{node:?}"));
        let differ = |path: &&String| self.0.get(*path) != wanted.0.get(*path);
        let line = |path: &String| {
            format!("{path} is {}, wanted is {}", show(self.0.get(path)), show(wanted.0.get(path)))
        };
        let lines: Vec<String> = paths.into_iter().filter(differ).map(line).collect();
        assert!(lines.is_empty(), "{what}:\n{}", lines.join("\n"));
    }

    pub fn dir(&mut self, path: &str) {
        for (at, _) in path.match_indices('/').filter(|(at, _)| *at > 0).chain([(path.len(), "")]) {
            self.0.entry(path[..at].to_owned()).or_insert(Node::Dir);
        }
    }

    pub fn file(&mut self, path: &str, mode: u32, text: &str) {
        self.dir(path.rsplit_once('/').unwrap().0);
        self.0.insert(path.to_owned(), Node::File(mode, text.as_bytes().to_vec()));
    }

    pub fn link(&mut self, path: &str, target: &str) {
        self.0.insert(path.to_owned(), Node::Link(target.to_owned()));
    }

    pub fn text(&self, path: &str) -> String {
        match self.0.get(path) {
            Some(Node::File(_, text)) => String::from_utf8(text.clone()).unwrap(),
            other => panic!("{path}: {other:?}"),
        }
    }

    /// The entries of a directory, by name.
    fn under<'a>(&'a self, directory: &'a str) -> impl Iterator<Item = (&'a str, &'a Node)> {
        self.0.iter().filter_map(move |(path, node)| {
            let name = path.strip_prefix(directory)?.strip_prefix('/')?;
            (!name.contains('/')).then_some((name, node))
        })
    }

    /// The links of a service, as `2S03` for rc2.d/S03NAME.
    pub fn links(&self, name: &str) -> Vec<String> {
        let mut found = Vec::new();
        for level in DEBIAN.runlevels {
            let directory = DEBIAN.runlevel_dir(*level);
            let ours = self.under(&directory).filter(|(entry, _)| entry.get(3..) == Some(name));
            found.extend(ours.map(|(entry, _)| format!("{level}{}", &entry[..3])));
        }
        found
    }

    pub fn installed(&self) -> Installed {
        let mut installed = Installed::new();
        if let Some(Node::File(_, text)) = self.0.get("/etc/insserv.conf") {
            installed.add_conf(text);
        }
        for (name, node) in self.under("/etc/init.d") {
            if let Node::File(mode, text) = node {
                let executable = mode & 0o100 != 0;
                installed.add_script(&ScriptFile { executable, ..ScriptFile::regular(name, text) });
            }
        }
        for level in DEBIAN.runlevels {
            for (entry, node) in self.under(&DEBIAN.runlevel_dir(*level)) {
                if let Node::Link(target) = node {
                    installed.add_link(*level, entry, target);
                }
            }
        }
        installed
    }

    pub fn existing(&self, more: &[&str]) -> Existing {
        let found = |node: &Node| match node {
            Node::Dir => Found::Directory,
            Node::File(mode, text) => Found::File { mode: *mode, text: text.clone() },
            Node::Link(_) => Found::Other,
        };
        let paths = watched(&DEBIAN, &self.installed(), &name("foobar"), more);
        paths.into_iter().filter_map(|path| Some((path.clone(), found(self.0.get(&path)?)))).collect()
    }

    pub fn apply(&mut self, plan: &Plan) {
        plan.steps.iter().for_each(|step| self.step(step));
    }

    pub fn step(&mut self, step: &Step) {
        let parent = step.path().rsplit_once('/').unwrap().0;
        assert!(parent.is_empty() || self.0.get(parent) == Some(&Node::Dir), "no directory for: {step}");
        match step {
            Step::MakeDir { path, .. } => {
                let before = self.0.insert(path.clone(), Node::Dir);
                assert!(before.is_none_or(|node| node == Node::Dir), "{step}");
            }
            Step::Write { path, mode, text, before } => {
                self.expect(step, before);
                self.0.insert(path.clone(), Node::File(*mode, text.as_bytes().to_vec()));
            }
            Step::Symlink { path, target, before } => {
                self.expect(step, before);
                self.0.insert(path.clone(), Node::Link(target.clone()));
            }
            Step::Rename { path, from, before } => {
                self.expect_at(from, step, before);
                self.expect(step, &Before::Absent);
                let node = self.0.remove(from).unwrap();
                self.0.insert(path.clone(), node);
            }
            Step::Remove { path, before } => {
                self.expect(step, before);
                self.0.remove(path);
            }
            Step::SetMode { path, mode, before } => {
                self.expect(step, before);
                let Some(Node::File(there, _)) = self.0.get_mut(path) else { panic!("{step}: no file") };
                *there = *mode;
            }
            Step::Edit { path, old, new } => {
                let Some(Node::File(mode, text)) = self.0.get(path) else { panic!("{step}: no file") };
                let text = edited(text, old, new).unwrap_or_else(|why| panic!("{step}: {why:?}"));
                self.0.insert(path.clone(), Node::File(*mode, text));
            }
            Step::RemoveDir { path } => {
                if self.under(path).next().is_none() {
                    self.0.remove(path);
                }
            }
        }
    }

    fn expect(&self, step: &Step, before: &Before) {
        self.expect_at(step.path(), step, before);
    }

    fn expect_at(&self, path: &str, step: &Step, before: &Before) {
        let holds = match (before, self.0.get(path)) {
            (Before::Absent, None) | (Before::Link, Some(Node::Link(_))) => true,
            (Before::File(sum), Some(Node::File(_, text))) => checksum(text) == *sum,
            _ => false,
        };
        assert!(holds, "{step}: expected {before:?}, found {:?}", self.0.get(path));
    }

    /// No link that points nowhere, nothing that startpar would run without a script.
    pub fn must_be_sound(&self) {
        for level in DEBIAN.runlevels {
            for (entry, node) in self.under(&DEBIAN.runlevel_dir(*level)) {
                let Node::Link(target) = node else { panic!("{entry} is no link") };
                let script = target.replace("../", "/etc/");
                assert!(self.0.contains_key(&script), "rc{level}.d/{entry} points nowhere");
            }
        }
    }

    /// Writes the tree into a directory.
    pub fn write(&self, root: &Path) {
        for (path, node) in &self.0 {
            let path = root.join(&path[1..]);
            match node {
                Node::Dir => fs::create_dir_all(&path).unwrap(),
                Node::File(mode, text) => {
                    fs::write(&path, text).unwrap();
                    fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).unwrap();
                }
                Node::Link(target) => symlink(target, &path).unwrap(),
            }
        }
    }

    /// Reads a tree from a directory.
    pub fn read(root: &Path) -> Tree {
        let mut tree = Tree::default();
        tree.read_below(root, "");
        tree
    }

    fn read_below(&mut self, root: &Path, below: &str) {
        for entry in fs::read_dir(root.join(below.trim_start_matches('/'))).unwrap() {
            let entry = entry.unwrap();
            let path = format!("{below}/{}", entry.file_name().to_string_lossy());
            let kind = entry.file_type().unwrap();
            if kind.is_symlink() {
                let target = fs::read_link(entry.path()).unwrap();
                self.0.insert(path, Node::Link(target.to_string_lossy().into_owned()));
            } else if kind.is_dir() {
                self.0.insert(path.clone(), Node::Dir);
                self.read_below(root, &path);
            } else {
                let mode = entry.metadata().unwrap().permissions().mode() & 0o7777;
                self.0.insert(path, Node::File(mode, fs::read(entry.path()).unwrap()));
            }
        }
    }
}

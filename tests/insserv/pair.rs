//! Two copies of one tree, made in the same order, and what a run leaves in them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use foobar_initscripts::name::Runlevel;

/// Where overrides lie below a root.
pub const OVERRIDES: [&str; 2] = ["etc/insserv/overrides", "usr/share/insserv/overrides"];

/// Removed when dropped, also by a failing test, whose case is printed instead.
pub struct Pair {
    directory: PathBuf,
    /// The tree that ours works on, and theirs.
    pub trees: [PathBuf; 2],
}

/// What a tree looks like to an init: the links of each runlevel in the order of the directory, and startpar's
/// files with their bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pub links: Vec<String>,
    pub depend: Vec<(String, String)>,
}

impl Pair {
    pub fn new() -> Pair {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let memory = Path::new("/dev/shm");
        let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory = base.join(format!("foobar-insserv-{}-{number}", std::process::id()));
        let pair = Pair { trees: ["a", "b"].map(|name| directory.join(name)), directory };
        let directories = ["etc/init.d", "etc/insserv.conf.d", "depend"];
        for below in directories.into_iter().chain(OVERRIDES) {
            pair.each(|tree| fs::create_dir_all(tree.join(below)).unwrap());
        }
        for level in Runlevel::ALL {
            pair.each(|tree| fs::create_dir(tree.join(format!("etc/rc{level}.d"))).unwrap());
        }
        pair
    }

    /// Does the same to both.
    pub fn each(&self, action: impl Fn(&Path)) {
        self.trees.iter().for_each(|tree| action(tree));
    }

    pub fn write(&self, below: &str, text: &[u8]) {
        self.each(|tree| fs::write(tree.join(below), text).unwrap());
    }

    pub fn script(&self, name: &str, text: &[u8]) {
        self.each(|tree| {
            let path = tree.join("etc/init.d").join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        });
    }

    /// Turns links of a script from S to K or back, as an administrator does.
    pub fn turn(&self, name: &str, level: Runlevel) {
        self.rename(name, level, |entry| {
            let letter = if entry.starts_with('S') { "K" } else { "S" };
            format!("{letter}{}", &entry[1..])
        });
    }

    /// Renames links of a script to another number.
    pub fn renumber(&self, name: &str, level: Runlevel, sequence: u8) {
        self.rename(name, level, |entry| format!("{}{sequence:02}{name}", &entry[..1]));
    }

    fn rename(&self, name: &str, level: Runlevel, new: impl Fn(&str) -> String) {
        self.each(|tree| {
            let directory = tree.join(format!("etc/rc{level}.d"));
            for entry in entries(&directory) {
                if entry.get(3..) == Some(name) {
                    fs::rename(directory.join(&entry), directory.join(new(&entry))).unwrap();
                }
            }
        });
    }
}

impl Picture {
    pub fn of(tree: &Path) -> Picture {
        let mut links = Vec::new();
        for level in Runlevel::ALL {
            let directory = tree.join(format!("etc/rc{level}.d"));
            for entry in entries(&directory) {
                let target = fs::read_link(directory.join(&entry)).unwrap_or_default();
                links.push(format!("rc{level}.d/{entry} -> {}", target.display()));
            }
        }
        let mut depend = Vec::new();
        for directory in ["etc/init.d", "depend"] {
            for name in ["boot", "start", "stop"] {
                let path = format!("{directory}/.depend.{name}");
                let text = fs::read_to_string(tree.join(&path)).unwrap_or_default();
                depend.push((path, text));
            }
        }
        Picture { links, depend }
    }

    /// What differs, in words.
    pub fn difference(&self, other: &Picture) -> String {
        let only = |a: &Picture, b: &Picture| {
            a.links.iter().filter(|link| !b.links.contains(link)).cloned().collect::<Vec<_>>().join(", ")
        };
        let mut text = format!("only ours: {}\nonly insserv's: {}\n", only(self, other), only(other, self));
        if self.links != other.links {
            text += &format!("order of ours: {:?}\ninsserv's: {:?}\n", self.links, other.links);
        }
        for ((path, a), (_, b)) in self.depend.iter().zip(&other.depend) {
            if a != b {
                text += &format!("{path}, ours:\n{a}insserv's:\n{b}");
            }
        }
        text
    }
}

/// In the order of the directory, without those that begin with a dot.
fn entries(directory: &Path) -> Vec<String> {
    let all = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    all.filter(|name| !name.starts_with('.')).collect()
}

impl Drop for Pair {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

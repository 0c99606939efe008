//! A root in a scratch directory: written from a case, surveyed for the library, and read back.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use foobar_initscripts::installed::{Installed, ScriptFile, Tier};
use foobar_initscripts::name::Runlevel;
use foobar_initscripts::order::Arrangement;

/// Where overrides lie below a root.
pub const OVERRIDES: [(Tier, &str); 2] =
    [(Tier::Administrator, "etc/insserv/overrides"), (Tier::Vendor, "usr/share/insserv/overrides")];

/// The directory of one root; removed when dropped, also by a failing test, whose case is printed instead.
pub struct Tree {
    root: PathBuf,
}

/// What a run leaves behind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    pub links: BTreeSet<String>,
    pub boot: String,
    pub start: String,
    pub stop: String,
}

impl Tree {
    pub fn new() -> Tree {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let memory = Path::new("/dev/shm");
        let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let root = base.join(format!("foobar-order-{}-{number}", std::process::id()));
        let tree = Tree { root };
        for directory in
            ["etc/init.d", "etc/insserv.conf.d"].into_iter().chain(OVERRIDES.map(|(_, path)| path))
        {
            fs::create_dir_all(tree.path(directory)).unwrap();
        }
        for level in Runlevel::ALL {
            fs::create_dir_all(tree.path(&format!("etc/rc{level}.d"))).unwrap();
        }
        tree
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.root.join(below)
    }

    pub fn write(&self, below: &str, text: &[u8]) {
        fs::write(self.path(below), text).unwrap();
    }

    pub fn script(&self, name: &str, text: &[u8]) {
        let path = self.path("etc/init.d").join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Reads the tree as the library wants it, in the order of the directories.
    pub fn survey(&self) -> Installed {
        let mut installed = Installed::new();
        if let Ok(text) = fs::read(self.path("etc/insserv.conf")) {
            installed.add_conf(&text);
        }
        for (name, path) in self.entries("etc/insserv.conf.d") {
            installed.add_conf_fragment(&name, &fs::read(path).unwrap());
        }
        for (tier, directory) in OVERRIDES {
            for (name, path) in self.entries(directory) {
                installed.add_override(tier, &name, &fs::read(path).unwrap());
            }
        }
        for (name, path) in self.entries("etc/init.d") {
            let Ok(data) = fs::metadata(&path) else { continue };
            let text = fs::read(&path).unwrap();
            let target = fs::read_link(&path).ok().map(|target| target.to_string_lossy().into_owned());
            let real = fs::canonicalize(&path).unwrap();
            installed.add_script(&ScriptFile {
                name: &name,
                text: &text,
                executable: data.permissions().mode() & 0o100 != 0,
                symlink: target.as_deref(),
                real_name: real.file_name().unwrap().to_str().unwrap(),
            });
        }
        for level in Runlevel::ALL {
            for (entry, path) in self.entries(&format!("etc/rc{level}.d")) {
                if let Ok(target) = fs::read_link(&path) {
                    installed.add_link(level, &entry, &target.to_string_lossy());
                }
            }
        }
        installed
    }

    /// Links and `.depend.*` files as they are.
    pub fn outcome(&self) -> Outcome {
        let text = |name: &str| fs::read_to_string(self.path("etc/init.d").join(name)).unwrap_or_default();
        let links = Runlevel::ALL.into_iter().flat_map(|level| {
            let directory = format!("rc{level}.d");
            let entries = self.entries(&format!("etc/{directory}"));
            entries.into_iter().map(move |(entry, _)| format!("{directory}/{entry}"))
        });
        Outcome {
            links: links.collect(),
            boot: text(".depend.boot"),
            start: text(".depend.start"),
            stop: text(".depend.stop"),
        }
    }

    /// Turns links of a script from S to K or back, as an administrator does.
    pub fn turn(&self, name: &str, runlevel: Runlevel) {
        let directory = format!("etc/rc{runlevel}.d");
        for (entry, path) in self.entries(&directory) {
            let other = match entry.as_bytes()[0] {
                b'S' => "K",
                _ => "S",
            };
            if entry.get(3..) == Some(name) {
                fs::rename(&path, self.path(&directory).join(format!("{other}{}", &entry[1..]))).unwrap();
            }
        }
    }

    /// Renames a link to another number.
    pub fn renumber(&self, name: &str, runlevel: Runlevel, sequence: u8) {
        let directory = format!("etc/rc{runlevel}.d");
        for (entry, path) in self.entries(&directory) {
            if entry.get(3..) == Some(name) {
                let new = format!("{}{sequence:02}{name}", &entry[..1]);
                fs::rename(&path, self.path(&directory).join(new)).unwrap();
            }
        }
    }

    /// The entries of a directory, in its own order, without those that begin with a dot.
    fn entries(&self, below: &str) -> Vec<(String, PathBuf)> {
        let all = fs::read_dir(self.path(below)).unwrap().map(|entry| entry.unwrap());
        let named = all.map(|entry| (entry.file_name().into_string().unwrap(), entry.path()));
        named.filter(|(name, path)| !name.starts_with('.') && !path.is_dir()).collect()
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}

impl Outcome {
    pub fn of(arrangement: &Arrangement<'_>) -> Outcome {
        Outcome {
            links: arrangement.links().map(|link| link.path()).collect(),
            boot: arrangement.boot.clone(),
            start: arrangement.start.clone(),
            stop: arrangement.stop.clone(),
        }
    }
}

//! The trees that are put in order: scripts without loops, the same in each run.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use foobar_initscripts::name::Runlevel;

const CONF: &str = "$local_fs +s0\n$network +s1\n$remote_fs $local_fs +s2\n$syslog +s3\n";

/// How scripts need each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Each needs up to three others before it, whichever.
    Random,
    /// Forty layers; each script needs three of the layer before its own.
    Layered,
}

/// Chains must stay below the 99 numbers that there are.
const LAYERS: usize = 40;

/// A root; removed when dropped.
pub struct Tree(PathBuf);

impl Tree {
    pub fn new(shape: Shape, count: usize) -> Tree {
        let memory = Path::new("/dev/shm");
        let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let root = (0..)
            .map(|at| base.join(format!("foobar-bench-{}-{at}", std::process::id())))
            .find(|path| !path.exists());
        let tree = Tree(root.unwrap());
        fs::create_dir_all(tree.path("etc/init.d")).unwrap();
        for level in Runlevel::ALL {
            fs::create_dir_all(tree.path(&format!("etc/rc{level}.d"))).unwrap();
        }
        fs::write(tree.path("etc/insserv.conf"), CONF).unwrap();
        let mut state = 88_172_645_463_325_252_u64;
        let mut below = |limit: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 33) as usize % limit
        };
        for at in 0..count {
            let needs = match shape {
                Shape::Random => random(at, &mut below),
                Shape::Layered => layered(at, count, &mut below),
            };
            let path = tree.path(&format!("etc/init.d/s{at}"));
            fs::write(&path, script(at, &needs)).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        tree
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.0.join(below)
    }

    /// All links, sorted.
    pub fn links(&self) -> Vec<String> {
        let of = |level: Runlevel| {
            let entries = fs::read_dir(self.path(&format!("etc/rc{level}.d"))).unwrap();
            entries.map(move |entry| format!("{level}/{}", entry.unwrap().file_name().to_str().unwrap()))
        };
        let mut all: Vec<String> = Runlevel::ALL.into_iter().flat_map(of).collect();
        all.sort();
        all
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn random(at: usize, below: &mut impl FnMut(usize) -> usize) -> String {
    let mut words: Vec<String> = Vec::new();
    for _ in 0..below(4) {
        if at > 8 {
            words.push(format!("s{}", 4 + below(at - 4)));
        }
    }
    if at > 8 && below(3) == 0 {
        words.push(["$remote_fs", "$syslog", "$network", "$local_fs"][below(4)].to_owned());
    }
    words.join(" ")
}

fn layered(at: usize, count: usize, below: &mut impl FnMut(usize) -> usize) -> String {
    let wide = count.div_ceil(LAYERS).max(4);
    let Some(before) = (at / wide).checked_sub(1) else { return String::new() };
    let words: Vec<String> = (0..3).map(|_| format!("s{}", before * wide + below(wide))).collect();
    words.join(" ")
}

fn script(at: usize, needs: &str) -> String {
    let body =
        "do_start() {\n\tstart-stop-daemon --start --quiet --pidfile $PIDFILE --exec $DAEMON\n}\n".repeat(12);
    format!(
        "#!/bin/sh\n### BEGIN INIT INFO\n# Provides:          s{at}\n# Required-Start:    {needs}\n\
         # Required-Stop:     {needs}\n# Default-Start:     2 3 4 5\n# Default-Stop:      0 1 6\n\
         # Short-Description: script {at}\n### END INIT INFO\n{body}"
    )
}

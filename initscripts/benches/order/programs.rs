//! The programs that put a tree in order, each as a whole process: foobarctl under the name insserv, insserv, and the floor.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use foobar_tests::{Sandbox, shipped};

use super::tree::Tree;

/// Where the programs are.
pub struct Programs {
    sandbox: Sandbox,
    /// The one of the distribution.
    pub insserv: Option<PathBuf>,
    /// Made of floor.c.
    pub floor: Option<PathBuf>,
}

impl Programs {
    /// Builds what is to be measured; what is missing is said, and left out.
    pub fn new(foobarctl: Option<&Path>) -> Programs {
        let sandbox = Sandbox::new("order");
        let foobarctl = foobarctl.map_or_else(|| shipped().join("foobarctl"), Path::to_owned);
        println!("measured: {}", foobarctl.display());
        symlink(foobarctl, sandbox.path().join("insserv")).unwrap();
        let theirs = PathBuf::from("/usr/sbin/insserv");
        let insserv = Some(theirs).filter(|path| path.exists());
        if insserv.is_none() {
            println!("insserv is not installed: nothing is compared with it");
        }
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/order/floor.c");
        let program = sandbox.path().join("floor");
        let built = Command::new("cc").args(["-O2", "-static", "-o"]).arg(&program).arg(source).status();
        let floor = built.is_ok_and(|status| status.success()).then_some(program);
        if floor.is_none() {
            println!("there is no C compiler (cc): nothing is compared with the floor");
        }
        Programs { sandbox, insserv, floor }
    }

    /// foobarctl, by the name by which it does what insserv does.
    pub fn ours(&self) -> PathBuf {
        self.sandbox.path().join("insserv")
    }
}

/// What is done with all scripts of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Their links are made.
    Link,
    /// Their links are removed.
    Remove,
}

/// Links or unlinks all scripts of a tree, as insserv is asked to.
fn run(program: &Path, tree: &Tree, count: usize, verb: Verb) -> Child {
    let mut command = Command::new(program);
    command.args((verb == Verb::Remove).then_some("-r"));
    command.arg("-p").arg(tree.path("etc/init.d")).arg("-i").arg(tree.path("etc/init.d"));
    command.arg("-c").arg(tree.path("etc/insserv.conf")).args((0..count).map(|at| format!("s{at}")));
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// The time of one run of insserv or foobarctl.
pub fn time(program: &Path, tree: &Tree, count: usize, verb: Verb) -> Duration {
    let begin = Instant::now();
    let status = run(program, tree, count, verb).wait().unwrap();
    let time = begin.elapsed();
    assert!(status.success(), "{}: {status}", program.display());
    time
}

/// The time of one run of the floor.
pub fn time_floor(program: &Path, tree: &Tree) -> Duration {
    let begin = Instant::now();
    let status = Command::new(program).arg(tree.path("")).status().unwrap();
    let time = begin.elapsed();
    assert!(status.success(), "{}: {status}", program.display());
    time
}

/// The greatest memory that a run has had, KiB: asked for again and again, as it is gone with the process.
pub fn peak(program: &Path, tree: &Tree, count: usize, verb: Verb) -> u64 {
    let mut child = run(program, tree, count, verb);
    let path = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let text = fs::read_to_string(&path).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let word = line.and_then(|line| line.split_whitespace().next());
        peak = word.and_then(|word| word.parse().ok()).unwrap_or(peak);
    }
    peak
}

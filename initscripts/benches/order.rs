//! Ordering of 100, 1,000, 5,000 and 10,000 random scripts without loops, beside the installed insserv in the
//! same run. Ours is measured as a whole process (read every script and link, arrange, write links and
//! `.depend.*` files) and as the computation alone. Prints; asserts nothing.
//!
//! The program calls itself for each measured process: `order one DIRECTORY FORCE` is what is measured.
#![forbid(unsafe_code)]
#![allow(clippy::disallowed_methods, reason = "the library is pure, its bench is not")]
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on stops")]

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use foobar_initscripts::installed::{Installed, ScriptFile};
use foobar_initscripts::name::Runlevel;
use foobar_initscripts::order::{Change, arrange};

const INSSERV: &str = "/usr/sbin/insserv";
const SIZES: [usize; 4] = [100, 1_000, 5_000, 10_000];
/// Beyond this insserv takes minutes.
const INSSERV_MOST: usize = 5_000;
const CONF: &str = "$local_fs +s0\n$network +s1\n$remote_fs $local_fs +s2\n$syslog +s3\n";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["one", root] => one(Path::new(root)),
        _ => compare(),
    }
}

fn compare() {
    println!(
        "{:>6}  {:>22}  {:>22}  {:>9}  {:>9}  {:>8}",
        "N", "first run, ms", "nothing to do, ms", "parse ms", "order ms", "peak KiB"
    );
    for count in SIZES {
        let rounds = if count > 1_000 { 5 } else { 15 };
        let (mut first, mut second, mut figures) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..rounds {
            let tree = Tree::new(count);
            first.push(ours(&tree.0, &mut figures));
            second.push(ours(&tree.0, &mut figures));
        }
        let theirs = (count <= INSSERV_MOST && Path::new(INSSERV).exists()).then(|| {
            let tree = Tree::new(count);
            let mine = Tree::new(count);
            ours(&mine.0, &mut Vec::new());
            let times = (insserv(&tree.0, count), insserv(&tree.0, count));
            let same = links(&tree.0) == links(&mine.0);
            (times.0, times.1, same)
        });
        let line = |own: Duration, other: Option<Duration>| {
            let other = other.map(|other| format!(" {:.0} = x{:.0}", ms(other), ms(other) / ms(own)));
            format!("{:.1}{}", ms(own), other.unwrap_or_default())
        };
        let most = |of: fn(&Figures) -> u64| figures.iter().map(of).max().unwrap();
        let middle = |of: fn(&Figures) -> u64| median(figures.iter().map(of).collect());
        println!(
            "{count:>6}  {:>22}  {:>22}  {:>9.2}  {:>9.2}  {:>8}{}",
            line(median(first), theirs.map(|t| t.0)),
            line(median(second), theirs.map(|t| t.1)),
            middle(|f| f.parse) as f64 / 1e3,
            middle(|f| f.order) as f64 / 1e3,
            most(|f| f.peak),
            if theirs.is_some_and(|t| !t.2) { "  LINKS DIFFER" } else { "" }
        );
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn median<T: Ord + Copy>(mut all: Vec<T>) -> T {
    all.sort();
    all[all.len() / 2]
}

/// What one process tells of itself: microseconds and KiB.
struct Figures {
    parse: u64,
    order: u64,
    peak: u64,
}

fn ours(root: &Path, figures: &mut Vec<Figures>) -> Duration {
    let begin = Instant::now();
    let output = Command::new(std::env::current_exe().unwrap()).arg("one").arg(root).output().unwrap();
    let time = begin.elapsed();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let numbers: Vec<u64> = text.split_whitespace().map(|word| word.parse().unwrap()).collect();
    figures.push(Figures { parse: numbers[0], order: numbers[1], peak: numbers[2] });
    time
}

fn insserv(root: &Path, count: usize) -> Duration {
    let begin = Instant::now();
    let mut command = Command::new(INSSERV);
    command.current_dir(root).arg("-p").arg(root.join("etc/init.d")).arg("-i").arg(root.join("etc/init.d"));
    let status = command.args((0..count).map(|at| format!("s{at}"))).output().unwrap().status;
    let time = begin.elapsed();
    assert!(status.success());
    time
}

/// The measured process.
fn one(root: &Path) {
    let mut installed = Installed::new();
    installed.add_conf(&fs::read(root.join("etc/insserv.conf")).unwrap());
    let mut text = Vec::new();
    let mut change = Change::nothing();
    let mut parse = Duration::ZERO;
    let mut path = root.join("etc/init.d");
    for entry in fs::read_dir(root.join("etc/init.d")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.starts_with('.') {
            continue;
        }
        path.push(&name);
        text.clear();
        let mut file = File::open(&path).unwrap();
        let executable = file.metadata().unwrap().permissions().mode() & 0o100 != 0;
        file.read_to_end(&mut text).unwrap();
        path.pop();
        let begin = Instant::now();
        installed.add_script(&ScriptFile { executable, ..ScriptFile::regular(&name, &text) });
        parse += begin.elapsed();
        change.arguments.append(&mut Change::add(&name).arguments);
    }
    for level in Runlevel::ALL {
        let directory = root.join(format!("etc/rc{level}.d"));
        for entry in fs::read_dir(&directory).unwrap() {
            let entry = entry.unwrap();
            let target = fs::read_link(entry.path()).unwrap();
            installed.add_link(level, entry.file_name().to_str().unwrap(), target.to_str().unwrap());
        }
    }
    let begin = Instant::now();
    let arrangement = arrange(&installed, &change).unwrap();
    let order = begin.elapsed();
    for link in &arrangement.removed {
        fs::remove_file(root.join("etc").join(link.path())).unwrap();
    }
    for link in &arrangement.added {
        symlink(format!("../init.d/{}", link.name), root.join("etc").join(link.path())).unwrap();
    }
    let texts = [
        (".depend.boot", &arrangement.boot),
        (".depend.start", &arrangement.start),
        (".depend.stop", &arrangement.stop),
    ];
    for (name, text) in texts {
        let path = root.join("etc/init.d").join(name);
        if fs::read(&path).ok().as_deref() != Some(text.as_bytes()) {
            fs::write(path, text).unwrap();
        }
    }
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak = peak.split_whitespace().next().unwrap();
    println!("{} {} {peak}", parse.as_micros(), order.as_micros());
}

/// All links of a tree.
fn links(root: &Path) -> Vec<String> {
    let of = |level: Runlevel| {
        let entries = fs::read_dir(root.join(format!("etc/rc{level}.d"))).unwrap();
        entries.map(move |entry| format!("{level}/{}", entry.unwrap().file_name().to_str().unwrap()))
    };
    let mut all: Vec<String> = Runlevel::ALL.into_iter().flat_map(of).collect();
    all.sort();
    all
}

/// A root with random scripts, each requiring up to three of the hundred before it; removed when dropped.
struct Tree(PathBuf);

impl Tree {
    fn new(count: usize) -> Tree {
        let memory = Path::new("/dev/shm");
        let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let root = (0..)
            .map(|at| base.join(format!("foobar-bench-{}-{at}", std::process::id())))
            .find(|path| !path.exists());
        let tree = Tree(root.unwrap());
        fs::create_dir_all(tree.0.join("etc/init.d")).unwrap();
        for level in Runlevel::ALL {
            fs::create_dir_all(tree.0.join(format!("etc/rc{level}.d"))).unwrap();
        }
        fs::write(tree.0.join("etc/insserv.conf"), CONF).unwrap();
        let mut state = 88_172_645_463_325_252_u64;
        let mut below = |limit: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 33) as usize % limit
        };
        for at in 0..count {
            let path = tree.0.join(format!("etc/init.d/s{at}"));
            fs::write(&path, script(at, &mut below)).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        tree
    }
}

/// The chance of an edge falls with the place, so that chains stay below the 99 numbers there are.
fn script(at: usize, below: &mut impl FnMut(usize) -> usize) -> String {
    let mut words: Vec<String> = Vec::new();
    for _ in 0..below(4) {
        if at > 8 {
            words.push(format!("s{}", 4 + below(at - 4)));
        }
    }
    if at > 8 && below(3) == 0 {
        words.push(["$remote_fs", "$syslog", "$network", "$local_fs"][below(4)].to_owned());
    }
    let needs = words.join(" ");
    let body =
        "do_start() {\n\tstart-stop-daemon --start --quiet --pidfile $PIDFILE --exec $DAEMON\n}\n".repeat(12);
    format!(
        "#!/bin/sh\n### BEGIN INIT INFO\n# Provides:          s{at}\n# Required-Start:    {needs}\n\
         # Required-Stop:     {needs}\n# Default-Start:     2 3 4 5\n# Default-Stop:      0 1 6\n\
         # Short-Description: script {at}\n### END INIT INFO\n{body}"
    )
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

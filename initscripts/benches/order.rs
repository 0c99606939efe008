//! Ordering of 100 to 10,000 random scripts without loops, in one run beside the installed insserv, and beside a floor: a
//! process that reads the same scripts and links and writes the same links, and computes nothing.
//! Ours is measured as a whole process (read every script and link, arrange, write links and `.depend.*` files) and as the
//! computation alone. Prints; asserts nothing.
//!
//! `cargo bench -p foobar-initscripts --bench order --target x86_64-unknown-linux-musl` measures it as it is shipped, as
//! far as the allocator: foobarctl brings its own. The program calls itself for each measured process.
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
const SIZES: [usize; 5] = [100, 1_000, 2_000, 5_000, 10_000];
/// Beyond this insserv takes minutes.
const INSSERV_MOST: usize = 5_000;
const CONF: &str = "$local_fs +s0\n$network +s1\n$remote_fs $local_fs +s2\n$syslog +s3\n";

/// What is wanted: at most this multiple of the floor, and of insserv's time at least this part by number of scripts.
const FLOOR: f64 = 1.5;
const WANTED: [(usize, f64); 2] = [(2_000, 50.0), (5_000, 200.0)];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["one", root] => one(Path::new(root)),
        ["floor", root] => floor(Path::new(root)),
        _ => compare(),
    }
}

fn compare() {
    println!(
        "{:>6}  {:>8}  {:>22}  {:>26}  {:>9}  {:>9}  {:>9}",
        "N", "", "ours, ms", "insserv, ms", "parse ms", "order ms", "peak KiB"
    );
    for count in SIZES {
        let rounds = if count > 1_000 { 5 } else { 15 };
        let mut figures = Vec::new();
        let (mut first, mut second, mut floors) = (Vec::new(), Vec::new(), (Vec::new(), Vec::new()));
        for _ in 0..rounds {
            let (tree, plain) = (Tree::new(count), Tree::new(count));
            first.push(ours(&tree.0, &mut figures));
            second.push(ours(&tree.0, &mut figures));
            tree.write_links_to(&plain);
            floors.0.push(timed("floor", &plain.0).0);
            floors.1.push(timed("floor", &plain.0).0);
        }
        let theirs = (count <= INSSERV_MOST && Path::new(INSSERV).exists()).then(|| {
            let (tree, mine) = (Tree::new(count), Tree::new(count));
            ours(&mine.0, &mut Vec::new());
            let times = (insserv(&tree.0, count), insserv(&tree.0, count));
            let same = if links(&tree.0) == links(&mine.0) { "" } else { "  LINKS DIFFER" };
            (times.0, times.1, same)
        });
        let middle = |of: fn(&Figures) -> u64| median(figures.iter().map(of).collect()) as f64 / 1e3;
        let peak = figures.iter().map(|figures| figures.peak).max().unwrap();
        println!(
            "{count:>6}  {:>8}  {:>22}  {:>26}  {:>9.2}  {:>9.2}  {peak:>9}{}",
            "first",
            beside_floor(median(first.clone()), median(floors.0)),
            beside_insserv(count, median(first), theirs.map(|theirs| theirs.0)),
            middle(|figures| figures.parse),
            middle(|figures| figures.order),
            theirs.map_or("", |theirs| theirs.2)
        );
        println!(
            "{:>6}  {:>8}  {:>22}  {:>26}",
            "",
            "again",
            beside_floor(median(second.clone()), median(floors.1)),
            beside_insserv(count, median(second), theirs.map(|theirs| theirs.1))
        );
    }
    println!(
        "wanted: at most {FLOOR} of the floor; insserv's time {WANTED:?} of ours; at most 5,000 KiB for 5,000"
    );
}

fn beside_floor(own: Duration, floor: Duration) -> String {
    let ratio = own.as_secs_f64() / floor.as_secs_f64();
    format!("{:.1} ({ratio:.2} x floor){}", ms(own), if ratio > FLOOR { "!" } else { "" })
}

fn beside_insserv(count: usize, own: Duration, other: Option<Duration>) -> String {
    let Some(other) = other else { return String::new() };
    let ratio = other.as_secs_f64() / own.as_secs_f64();
    let is_missed = WANTED.iter().any(|(at, wanted)| *at == count && ratio < *wanted);
    format!("{:.0} ({ratio:.0} x ours){}", ms(other), if is_missed { " MISSED" } else { "" })
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
    let (time, text) = timed("one", root);
    let numbers: Vec<u64> = text.split_whitespace().map(|word| word.parse().unwrap()).collect();
    figures.push(Figures { parse: numbers[0], order: numbers[1], peak: numbers[2] });
    time
}

/// A run of this program as a whole process, and what it printed.
fn timed(what: &str, root: &Path) -> (Duration, String) {
    let begin = Instant::now();
    let output = Command::new(std::env::current_exe().unwrap()).arg(what).arg(root).output().unwrap();
    let time = begin.elapsed();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (time, String::from_utf8(output.stdout).unwrap())
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

/// The floor: reads every script and link, and writes the links that `links` names and that are not there.
fn floor(root: &Path) {
    let mut text = Vec::new();
    for entry in fs::read_dir(root.join("etc/init.d")).unwrap() {
        text.clear();
        let mut file = File::open(entry.unwrap().path()).unwrap();
        let _ = file.metadata().unwrap();
        file.read_to_end(&mut text).unwrap();
    }
    let mut there = 0;
    for level in Runlevel::ALL {
        for entry in fs::read_dir(root.join(format!("etc/rc{level}.d"))).unwrap() {
            there += fs::read_link(entry.unwrap().path()).unwrap().as_os_str().len();
        }
    }
    if there > 0 {
        return;
    }
    for link in fs::read_to_string(root.join("links")).unwrap().lines() {
        let name = link.get(link.len().min(4 + "rc0.d".len() + 1 + 3)..).unwrap();
        symlink(format!("../init.d/{name}"), root.join(link)).unwrap();
    }
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

impl Tree {
    /// Lets the floor know what links this tree has.
    fn write_links_to(&self, other: &Tree) {
        let lines: Vec<String> = links(&self.0)
            .iter()
            .map(|link| link.replacen('/', ".d/", 1))
            .map(|link| format!("etc/rc{link}\n"))
            .collect();
        fs::write(other.0.join("links"), lines.concat()).unwrap();
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

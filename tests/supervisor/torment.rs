//! Kill -9 of program, supervisor, commands and callers at moments that nobody has chosen, over and over: at no time two copies of a
//! service, and never one that is lost. `FOOBAR_TORMENTS` says how many times something is killed, `FOOBAR_SEED` which choices are made
//! (those of a failed run are told), and `FOOBARCTL` which foobarctl it is, such as the shipped one.

use std::fs;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use foobar_process::identity::Process;
use foobar_process::{Pid, Signal};
use foobar_tests::until;

use crate::support::{LIMIT, Prefix};

/// Services whose starts, restarts and stops have moments of different kinds: name, further keys, and how long a turn takes in
/// microseconds. MARK makes the arguments of their commands known.
const SERVICES: [(&str, &str, u64); 4] = [
    ("at-once", "restart-delay = 0\n", 20_000),
    // Readiness by the program itself, and a pause before each restart.
    ("newline", "type = \"fd\"\nrestart-delay = \"4ms\"\n", 25_000),
    // Commands before, beside and after it, and a probe.
    (
        "commands",
        "restart-delay = \"2ms\"\nstart-pre = [\"/bin/sleep 0.002MARK\"]\nstart-post = [\"/bin/sleep 0.003MARK\"]\n\
         ready-command = \"/bin/sleep 0.004MARK\"\nready-interval = \"5ms\"\nstop-command = [\"/bin/sleep 0.005MARK\"]\n\
         stop-post = [\"/bin/sleep 0.006MARK\"]\n",
        60_000,
    ),
    // It does not follow TERM, and is killed by its control group where there is one.
    ("deaf", "restart-delay = 0\nstop-timeout = 1\n", 20_000),
];

pub fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Choices that follow from a seed: a linear congruential generator.
pub struct Choice(pub u64);

impl Choice {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    pub fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }
}

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Victims {
    /// The program, once it is that, and its copies if there were any.
    Program,
    /// Whatever the supervisor has forked: the program before its exec too, and commands.
    Children,
    Supervisor,
    /// The supervisor first, and at once what it has forked.
    Both,
    /// The verb that is on its way.
    Caller,
}

/// One service under torment.
pub struct Torment<'a> {
    prefix: &'a Prefix,
    name: &'a str,
    mark: String,
    choice: Choice,
    /// Whether it ran at the end of the last round.
    is_up: bool,
    round: u64,
    /// What is done, for the message of a failure.
    pub told: String,
}

impl Drop for Torment<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}, round {}: {}", self.name, self.round, self.told);
        }
    }
}

impl<'a> Torment<'a> {
    /// A service `name` with the keys `more`, which nobody has started yet.
    pub fn new(prefix: &'a Prefix, name: &'a str, more: &str, mark: String, choice: Choice) -> Torment<'a> {
        // Whoever comes while another has the lock leaves word of it; the lock lasts as long as the program.
        let deaf = if name == "deaf" { "trap '' TERM; " } else { "" };
        let newline = if more.contains("\"fd\"") { "echo >&3; exec 3>&-; " } else { "" };
        let script = format!(
            "{deaf}exec 9>>{0}.lock; flock -n 9 || echo $$ >>{0}.twice; {newline}exec sleep {mark}",
            prefix.show(name)
        );
        let more = more.replace("MARK", &mark);
        prefix.shell(name, &script, &format!("restart = \"always\"\nstart-limit-burst = 0\n{more}"));
        Torment { prefix, name, mark, choice, is_up: false, round: 0, told: String::new() }
    }

    /// Processes whose command line `is` so, pinned before that was read.
    fn all(&self, is: impl Fn(&[u8]) -> bool) -> Vec<Process> {
        let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        let line = |pid: i32| fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        pids.filter(|pid| is(&line(*pid)))
            .filter_map(|pid| Process::open(Pid::from_raw(pid)).ok()?)
            .filter(|process| is(&line(process.pid().as_raw())))
            .collect()
    }

    pub fn copies(&self) -> Vec<Process> {
        let wanted = format!("sleep\0{}\0", self.mark);
        self.all(|line| line == wanted.as_bytes())
    }

    /// Whatever belongs to it: its program, its commands, its supervisors, and verbs on their way.
    fn everybody(&self) -> Vec<Process> {
        let root = self.prefix.sandbox.path().display().to_string();
        self.all(|line| {
            let line = String::from_utf8_lossy(line);
            line.contains(&self.mark) || line.contains(&root)
        })
    }

    pub fn supervisor(&self) -> Option<Process> {
        let text = fs::read_to_string(self.prefix.path(&format!("var/run/{}.sup.pid", self.name))).ok()?;
        let process = Process::open(Pid::from_raw(text.trim().parse().ok()?)).ok()??;
        let line = fs::read(format!("/proc/{}/cmdline", process.pid())).ok()?;
        let root = self.prefix.sandbox.path().display().to_string();
        String::from_utf8_lossy(&line).contains(&root).then_some(process)
    }

    fn children(&self, supervisor: Option<&Process>) -> Vec<Process> {
        let Some(parent) = supervisor.map(Process::pid) else { return Vec::new() };
        let path = format!("/proc/{parent}/task/{parent}/children");
        let text = fs::read_to_string(path).unwrap_or_default();
        let pids = text.split_ascii_whitespace().filter_map(|pid| pid.parse().ok());
        pids.filter_map(|pid| Process::open(Pid::from_raw(pid)).ok()?)
            .filter(|process| parent_of(process.pid()) == Some(parent))
            .collect()
    }

    /// Kills and waits: a process is gone some time after the signal was sent, and a start in between finds it alive. How many.
    pub fn kill(&self, victims: Victims, caller: Option<&Child>) -> u64 {
        let supervisor = self.supervisor();
        let condemned = match victims {
            Victims::Program => self.copies(),
            Victims::Children => self.children(supervisor.as_ref()),
            Victims::Supervisor => supervisor.into_iter().collect(),
            Victims::Both => {
                let children = self.children(supervisor.as_ref());
                supervisor.into_iter().chain(children).collect()
            }
            Victims::Caller => {
                let pid = caller.map(|caller| Pid::from_raw(caller.id().try_into().unwrap()));
                pid.and_then(|pid| Process::open(pid).unwrap()).into_iter().collect()
            }
        };
        let killed = condemned.iter().filter(|process| process.signal(Signal::SIGKILL).is_ok()).count();
        for process in condemned {
            assert!(process.wait_gone(Instant::now() + LIMIT).unwrap(), "{} outlives KILL", process.pid());
        }
        killed as u64
    }

    /// The only copy, if there is one; none of them has ever met another.
    #[track_caller]
    pub fn only(&self) -> Option<Pid> {
        let all: Vec<Pid> = self.copies().iter().map(Process::pid).collect();
        assert!(all.len() <= 1, "{} copies: {all:?}", all.len());
        let met = fs::read_to_string(self.prefix.path(&format!("{}.twice", self.name)));
        assert!(met.is_err(), "two copies have met: {met:?}");
        all.first().copied()
    }

    #[track_caller]
    pub fn one_copy(&self) {
        until("one copy", LIMIT, || self.only());
    }

    pub fn begin(&self, verb: &str) -> Child {
        let mut command = self.prefix.command(&[verb, self.name]);
        command.stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()
    }

    /// One round: something is asked for, somebody is killed meanwhile, and then it must start or stop as ever. How many were killed.
    fn round(&mut self, turn: u64) -> u64 {
        let choice = &mut self.choice;
        let up: &[&str] = &["", "", "upgrade", "stop", "restart", "start"];
        let verb = choice.one(if self.is_up { up } else { &["start"] });
        let second = choice.one(&["", "", "", "start", "stop"]);
        // A restart is on its way, or its pause goes on.
        let strike = self.is_up && choice.below(2) == 0;
        let span = choice.one(&[turn, turn / 5]);
        let pause = choice.below(span);
        let all = [Victims::Program, Victims::Children, Victims::Supervisor, Victims::Both, Victims::Caller];
        let victims = choice.one(&all);
        let then = choice.one(&["start", "start", "start", "stop", "stop", "restart"]);
        self.round += 1;
        self.told = format!("{verb:?}, {second:?}, strike {strike}, {pause} us, {victims:?}, then {then}");
        let mut killed = 0;
        if strike {
            killed += self.kill(Victims::Program, None);
        }
        let mut calls: Vec<Child> =
            [verb, second].iter().filter(|verb| !verb.is_empty()).map(|verb| self.begin(verb)).collect();
        std::thread::park_timeout(Duration::from_micros(pause));
        killed += self.kill(victims, calls.first());
        for call in &mut calls {
            call.wait().unwrap();
        }
        let stays = ![verb, second].iter().any(|verb| ["stop", "restart"].contains(verb));
        if self.is_up && stays && matches!(victims, Victims::Program | Victims::Children) {
            // Its supervisor lives, so it comes again without being asked for.
            self.one_copy();
        }
        self.only();
        let ran = self.prefix.ctl(&[then, self.name]).expect(0);
        self.is_up = then != "stop";
        if self.is_up {
            self.one_copy();
        } else {
            assert_eq!(self.copies().len(), 0, "{ran:#?}");
            // A verb that was killed leaves a supervisor on its way, which gives up.
            until("the end of all of it", LIMIT, || self.everybody().is_empty().then_some(()));
        }
        if self.choice.below(8) == 0 {
            self.prefix.ctl(&["status", self.name]).expect(if self.is_up { 0 } else { 3 });
        }
        killed
    }
}

fn parent_of(pid: Pid) -> Option<Pid> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(')').next()?.split_ascii_whitespace().nth(1)?.parse().ok().map(Pid::from_raw)
}

#[test]
fn killed_at_any_moment_there_is_never_a_second_copy_nor_none() {
    let wanted = number("FOOBAR_TORMENTS").unwrap_or(150);
    let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let seed = number("FOOBAR_SEED").unwrap_or_else(|| u64::from(clock.subsec_nanos()));
    let (killed, rounds) = (AtomicU64::new(0), AtomicU64::new(0));
    println!("FOOBAR_SEED={seed} FOOBAR_TORMENTS={wanted}");
    std::thread::scope(|scope| {
        for (lane, (name, more, turn)) in (0_u64..).zip(SERVICES) {
            let (killed, rounds) = (&killed, &rounds);
            let mark = format!("1{:07}{lane}", std::process::id());
            scope.spawn(move || {
                let prefix = Prefix::new(&format!("torment-{name}"));
                let mut torment =
                    Torment::new(&prefix, name, more, mark, Choice(seed.wrapping_mul(31).wrapping_add(lane)));
                while killed.load(Ordering::Relaxed) < wanted {
                    let more = torment.round(turn);
                    let before = killed.fetch_add(more, Ordering::Relaxed);
                    if before / 1000 != (before + more) / 1000 {
                        println!("killed {}", before + more);
                    }
                    rounds.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    println!("killed {} processes in {} rounds", killed.into_inner(), rounds.into_inner());
}

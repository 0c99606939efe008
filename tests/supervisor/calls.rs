//! Kill -9 of a supervisor at one system call after the other, by strace(1), while its program dies, while it is stopped, restarted or
//! exchanged for the next version: what chance would hardly ever hit. All of them with `FOOBAR_TORMENTS`, else some.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use foobar_process::identity::Process;
use foobar_process::{Pid, Signal};
use foobar_tests::{skip, until};

use crate::support::{LIMIT, Prefix, is_root};
use crate::torment::{Choice, Torment, Victims, number};

/// So many of them, if it is not said that all are wanted.
const SOME: usize = 20;

/// Lets the supervisor do something.
fn provoke(torment: &Torment<'_>, scene: &str) -> Option<Child> {
    if scene == "death" {
        torment.kill(Victims::Program, None);
        return None;
    }
    Some(torment.begin(scene))
}

/// strace at work on the supervisor.
fn attach(supervisor: Pid, trace: &Path, more: &[&str]) -> Child {
    let mut strace = Command::new("strace");
    strace
        .args(["-qq", "-e", "signal=none", "-o"])
        .arg(trace)
        .args(more)
        .args(["-p", &supervisor.to_string()]);
    let child = strace.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let traced = format!("TracerPid:\t{}\n", child.id());
    until("strace", LIMIT, || {
        fs::read_to_string(format!("/proc/{supervisor}/status")).ok()?.contains(&traced).then_some(())
    });
    child
}

/// Ends it; whom it traces goes on.
fn detach(mut strace: Child) {
    if let Some(process) = Process::open(Pid::from_raw(strace.id().try_into().unwrap())).unwrap() {
        // Ended with the supervisor.
        let _ = process.signal(Signal::SIGTERM);
    }
    strace.wait().unwrap();
}

/// Has `scene` played under strace until it is over or the supervisor dead; whether that is dead then.
fn play(torment: &Torment<'_>, scene: &str, trace: &Path, more: &[&str]) -> bool {
    let supervisor = torment.supervisor().unwrap();
    let strace = attach(supervisor.pid(), trace, more);
    let verb = provoke(torment, scene);
    if let Some(mut verb) = verb {
        verb.wait().unwrap();
    } else {
        until("the next program or no supervisor", LIMIT, || {
            (torment.only().is_some() || !supervisor.is_alive()).then_some(())
        });
    }
    detach(strace);
    !supervisor.is_alive()
}

/// The system calls of a scene, each as often as it is made.
fn calls(torment: &Torment<'_>, prefix: &Prefix, scene: &str) -> Vec<(String, usize)> {
    let trace = prefix.path("trace");
    play(torment, scene, &trace, &[]);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for line in fs::read_to_string(&trace).unwrap().lines() {
        let name = line.split('(').next().unwrap_or_default();
        // What strace itself has interrupted.
        if name == "restart_syscall" {
            continue;
        }
        if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            *counts.entry(name.to_owned()).or_default() += 1;
        }
    }
    assert!(counts.values().sum::<usize>() > 15, "{counts:?}");
    counts.into_iter().flat_map(|(name, count)| (1..=count).map(move |nth| (name.clone(), nth))).collect()
}

#[test]
fn killed_at_each_system_call_there_is_never_a_second_copy_nor_none() {
    if !is_root() || Command::new("strace").arg("-V").output().is_err() {
        return skip("strace must be installed, and needs root to be put upon a supervisor");
    }
    let prefix = Prefix::new("calls");
    let more = "restart-delay = \"1ms\"\nstart-pre = [\"/bin/true\"]\nstop-post = [\"/bin/true\"]\n";
    let mark = format!("2{:07}", std::process::id());
    let mut torment = Torment::new(&prefix, "it", more, mark, Choice(0));
    let start = |torment: &Torment<'_>| {
        prefix.ctl(&["start", "it"]).expect(0);
        torment.one_copy();
    };
    let mut all: Vec<(&str, String, usize)> = Vec::new();
    for scene in ["death", "stop", "restart", "upgrade"] {
        start(&torment);
        prefix.await_state("it", "running");
        all.extend(calls(&torment, &prefix, scene).into_iter().map(|(name, nth)| (scene, name, nth)));
    }
    let mut choice = Choice(number("FOOBAR_SEED").unwrap_or_else(|| u64::from(std::process::id())));
    let seed = choice.0;
    let wanted = if number("FOOBAR_TORMENTS").is_some() { all.len() } else { SOME };
    while all.len() > wanted {
        all.swap_remove(choice.below(all.len() as u64) as usize);
    }
    let mut killed = 0;
    for (scene, name, nth) in &all {
        torment.told = format!("{scene}: {name} for the {nth}. time (FOOBAR_SEED={seed})");
        start(&torment);
        let inject = format!("inject={name}:signal=KILL:when={nth}");
        killed += usize::from(play(&torment, scene, Path::new("/dev/null"), &["-e", &inject]));
        torment.only();
        start(&torment);
    }
    println!("killed {killed} supervisors at {} system calls", all.len());
    // A stop ends it without strace as well; of the others most must have been hit.
    assert!(killed * 2 > all.len(), "{killed} of {}", all.len());
}

//! foobarctl killed at each system call that changes a file, and each such call failing once: the same
//! command again must lead to the tree that an undisturbed run makes. And foobarctl killed while it starts
//! a service: there is one daemon or none, and no second one after the next start.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use foobar_tests::{Sandbox, until};

use crate::support::{FOOBARCTL, LIMIT, Picture, Prefix, Ran, picture, running, same};

/// The calls that change files or wait for locks.
const CALLS: &str = "write,fchmod,fsync,renameat,symlinkat,mkdirat,unlinkat,flock";

/// foobarctl in a prefix under strace.
struct Traced {
    prefix: Prefix,
    log: Sandbox,
}

impl Traced {
    fn new(name: &str) -> Traced {
        Traced { prefix: Prefix::empty(name), log: Sandbox::new("trace") }
    }

    /// Runs a verb with options of strace.
    fn run(&self, options: &[&str], verb: &str) -> Ran {
        let mut command = Command::new("strace");
        command.arg("-qq").arg("-o").arg(self.log.path().join("log")).args(options);
        Ran::of(command.arg(FOOBARCTL).arg("--prefix").arg(self.prefix.sandbox.path()).arg(verb))
    }

    /// How often a verb makes which of the calls; `None` when strace does not work here.
    fn counts(&self, calls: &str, verb: &str) -> Option<BTreeMap<String, usize>> {
        let works = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).status();
        if !works.is_ok_and(|status| status.success()) {
            foobar_tests::skip("strace is missing or may not trace here");
            return None;
        }
        self.run(&["-e", &format!("trace={calls}")], verb).expect(0);
        let mut found = BTreeMap::new();
        for line in fs::read_to_string(self.log.path().join("log")).unwrap().lines() {
            let name = line.split('(').next().unwrap_or_default();
            if name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                *found.entry(name.to_owned()).or_default() += 1;
            }
        }
        Some(found)
    }

    /// Empties the prefix, and installs the service again if it is to be uninstalled.
    fn prepare(&self, verb: &str) {
        let top = self.prefix.sandbox.path();
        fs::remove_dir_all(top).unwrap();
        fs::create_dir(top).unwrap();
        if verb == "uninstall" {
            self.prefix.ctl(&["install"]).expect(0);
        }
    }

    fn picture(&self) -> Picture {
        picture(self.prefix.sandbox.path())
    }
}

/// Each path is as it was before or as it is to be, and nothing else is there but what the next run clears.
#[track_caller]
fn old_or_new(what: &str, before: &Picture, now: &Picture, after: &Picture) {
    let ours =
        |path: &Path| path.ends_with(".foobarctl-new") || path.extension().is_some_and(|end| end == "lock");
    for (path, is) in now.iter().filter(|(path, _)| !ours(path)) {
        assert!(
            [before, after].iter().any(|picture| picture.get(path) == Some(is)),
            "{what}: {path:?} is half done"
        );
    }
    for path in before.keys().filter(|path| !now.contains_key(*path)) {
        assert!(!after.contains_key(path), "{what}: {path:?} is lost");
    }
}

/// Disturbs each call of `verb` in the way that `inject` says, and expects that the next run converges.
fn converges(name: &str, verb: &str, inject: &str, check: impl Fn(&str, &Ran)) {
    let traced = Traced::new(name);
    traced.prepare(verb);
    let before = traced.picture();
    let Some(counts) = traced.counts(CALLS, verb) else { return };
    let after = traced.picture();
    let mut tried = 0;
    for (call, count) in counts {
        for number in 1..=count {
            let what = format!("{verb}, {call} number {number}, {inject}");
            traced.prepare(verb);
            let option = format!("inject={call}:{inject}:when={number}");
            check(&what, &traced.run(&["-e", &format!("trace={call}"), "-e", &option], verb));
            old_or_new(&what, &before, &traced.picture(), &after);
            traced.prefix.ctl(&[verb]).expect(0);
            same(&what, &after, &traced.picture());
            tried += 1;
        }
    }
    assert!(tried > 20, "only {tried} calls were disturbed");
}

fn was_killed(what: &str, ran: &Ran) {
    assert_eq!(ran.code, None, "{what}: {ran:#?}");
}

/// A failed call is told with an LSB code, or is a warning where the work could be done all the same; only
/// clearing up after the work may fail silently.
fn was_told(what: &str, ran: &Ran) {
    match ran.code {
        Some(0) if ran.err.starts_with("foobarctl: warning: ") => {}
        Some(0) => assert!(what.contains("unlinkat"), "{what}: {ran:#?}"),
        Some(1 | 4) => assert!(ran.err.starts_with("foobarctl: cannot "), "{what}: {ran:#?}"),
        _ => panic!("{what}: {ran:#?}"),
    }
}

#[test]
fn an_install_killed_at_any_call_is_completed_by_the_next() {
    converges("kill-install", "install", "signal=SIGKILL", was_killed);
}

#[test]
fn an_uninstall_killed_at_any_call_is_completed_by_the_next() {
    converges("kill-uninstall", "uninstall", "signal=SIGKILL", was_killed);
}

#[test]
fn an_install_on_a_full_disk_is_completed_when_there_is_room() {
    converges("full-install", "install", "error=ENOSPC", was_told);
}

#[test]
fn an_install_that_is_not_permitted_says_so() {
    converges("denied-install", "install", "error=EACCES", |what, ran| {
        was_told(what, ran);
        assert_ne!(ran.code, Some(1), "{what}: not permitted is code 4: {ran:#?}");
    });
}

#[test]
fn an_uninstall_on_a_broken_disk_is_completed_later() {
    converges("broken-uninstall", "uninstall", "error=EIO", was_told);
}

#[test]
fn a_start_killed_at_any_call_leaves_one_daemon_or_none() {
    let traced = Traced::new("kill-start");
    let prefix = &traced.prefix;
    prefix.ctl(&["install"]).expect(0);
    prefix.configure(&format!(
        "listen = \"127.0.0.1:{}\"\nlog = \"{}\"\n",
        prefix.port,
        prefix.show("var/log/foobard.log")
    ));
    let Some(mut counts) = traced.counts("all", "start") else { return };
    counts.remove("execve");
    prefix.ctl(&["stop"]).expect(0);
    for (call, count) in counts {
        for number in [1, count] {
            let what = format!("start, {call} number {number}");
            let option = format!("inject={call}:signal=SIGKILL:when={number}");
            was_killed(&what, &traced.run(&["-e", &format!("trace={call}"), "-e", &option], "start"));
            prefix.ctl(&["start"]).expect(0);
            let daemon = prefix.pid().unwrap();
            // What the killed run has started may need a moment to see that it is alone, and goes.
            until(&what, LIMIT, || (running(&prefix.show("etc/foobard.toml")) == [daemon]).then_some(()));
            prefix.ctl(&["stop"]).expect(0);
        }
    }
}

/// Kernels before 5.6 do not know openat2(2), and filters of system calls may not: paths are walked step by step then.
#[test]
fn an_install_needs_no_new_system_call() {
    let traced = Traced::new("openat2");
    for verb in ["install", "uninstall"] {
        traced.prepare(verb);
        let Some(counts) = traced.counts("openat2", verb) else { return };
        assert!(counts.values().sum::<usize>() > 5, "{counts:?}");
        let after = traced.picture();
        for error in ["ENOSYS", "EPERM"] {
            traced.prepare(verb);
            traced
                .run(&["-e", "trace=openat2", "-e", &format!("inject=openat2:error={error}")], verb)
                .expect(0);
            same(error, &after, &traced.picture());
        }
    }
}

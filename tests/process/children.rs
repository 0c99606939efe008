//! Workers that cannot outlive their master, reaping, and programs started clean. DESIGN section 4, point 5.

use std::time::Duration;

use foobar_process::Pid;
use foobar_tests::{Sandbox, until};

use crate::program::{Daemon, LIMIT, children_of, is_root, run, state, until_gone};

fn with_workers(options: &[&str], test: impl Fn(&Daemon, Vec<Pid>)) {
    let sandbox = Sandbox::new("workers");
    let path = sandbox.path().join("foobar.pid");
    let mut all = vec!["workers=3"];
    all.extend(options);
    let daemon = Daemon::start(&path, &all);
    let workers = until("three workers", LIMIT, || {
        let workers = children_of(daemon.pid());
        (workers.len() == 3).then_some(workers)
    });
    test(&daemon, workers);
    assert!(!state(&path).starts_with("running"));
    // A new start finds nothing in its way.
    drop(Daemon::start(&path, &[]));
}

#[test]
fn kill_of_the_master_ends_the_workers() {
    for options in [&["worker=leash"], &["worker=signal"]] {
        with_workers(options, |daemon, workers| {
            daemon.kill();
            until_gone(&workers);
        });
    }
}

#[test]
fn a_worker_that_changed_its_user_still_ends_with_its_master() {
    if !is_root() {
        return;
    }
    with_workers(&["worker-user=nobody", "worker=signal"], |daemon, workers| {
        until("the workers to be nobody's", LIMIT, || {
            let nobody = |pid: &Pid| {
                let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
                status.contains("Uid:\t65534\t65534\t65534\t65534")
            };
            workers.iter().all(nobody).then_some(())
        });
        // The renewed wish is only certain a moment after the change of user: until then the leash serves.
        let call_of = |pid: &Pid| std::fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap_or_default();
        until("the workers to pause", LIMIT, || {
            workers
                .iter()
                .all(|pid| call_of(pid).starts_with(&format!("{} ", nix::libc::SYS_pause)))
                .then_some(())
        });
        daemon.kill();
        until_gone(&workers);
    });
}

#[test]
fn workers_hold_no_copy_of_the_pid_file() {
    let sandbox = Sandbox::new("copies");
    let path = sandbox.path().join("foobar.pid");
    let daemon = Daemon::start(&path, &["workers=1"]);
    let worker = until("a worker", LIMIT, || children_of(daemon.pid()).first().copied());
    let holds = |pid: Pid| {
        let list = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
        list.flatten().any(|entry| std::fs::read_link(entry.path()).is_ok_and(|target| target == path))
    };
    assert!(holds(daemon.pid()));
    until("the worker to let go", LIMIT, || (!holds(worker)).then_some(()));
}

#[test]
fn ten_children_that_end_at_once_are_all_reaped() {
    let (code, output, errors) = run(&["reap", "loop"]);
    assert_eq!(code, Some(0), "{errors}");
    let expected: Vec<String> = (0..10).map(|number| format!("exit code {number}")).collect();
    let mut seen: Vec<&str> = output.split(", ").collect();
    seen.sort_unstable();
    assert_eq!(seen, expected);
}

#[test]
fn ignored_children_leave_no_zombies() {
    let (code, output, errors) = run(&["reap", "ignore"]);
    assert_eq!((code, output.as_str()), (Some(0), "reaped 0"), "{errors}");
}

#[test]
fn a_program_starts_clean() {
    let (code, output, errors) = run(&["spawn", "/bin/cat", "/proc/self/status"]);
    assert_eq!(code, Some(0), "{errors}");
    let field = |name: &str| {
        let line = output.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        u64::from_str_radix(line.trim(), 16).unwrap()
    };
    assert_eq!(field("SigBlk:"), 0);
    assert_eq!(field("SigIgn:"), 0);
    let (_, output, _) = run(&["spawn", "/bin/ls", "/proc/self/fd"]);
    // 3 is the directory that ls reads.
    assert_eq!(output.split_ascii_whitespace().collect::<Vec<_>>(), ["0", "1", "2", "3"]);
    let (_, output, _) = run(&["spawn", "/usr/bin/env"]);
    assert!(output.contains("PATH=/usr/local/sbin:"), "{output}");
    assert!(!output.contains("CARGO"), "{output}");
    let (code, _, errors) = run(&["spawn", "/nonexistent/program"]);
    assert_eq!((code, errors.contains("No such file")), (Some(1), true), "{errors}");
}

#[test]
fn the_limit_of_open_files_is_raised_and_never_lowered() {
    let limited = |limits: &str, wanted: &str| {
        let mut shell = std::process::Command::new("bash");
        shell.args(["-c", &format!("{limits}; exec \"$@\""), "bash"]).arg(crate::program::subject());
        let output = shell.args(["open-files", wanted]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    };
    assert_eq!(limited("ulimit -Sn 64", "128"), "128");
    assert_eq!(limited("ulimit -Sn 64; ulimit -Hn 100", "128"), "100");
    assert_eq!(limited("ulimit -Sn 64", "10"), "64");
    assert!(LIMIT > Duration::ZERO);
}

#[test]
fn the_stack_of_calls_that_have_returned_is_given_back() {
    let (code, out, err) = run(&["stack"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let words: Vec<&str> = out.split(' ').collect();
    let [before, after, "true", "false", "true"] = words.as_slice() else { panic!("{out}") };
    let (before, after): (usize, usize) = (before.parse().unwrap(), after.parse().unwrap());
    // 51 frames of a page at the least.
    assert!(before > 200 && after < before - 150, "{out}");
}

#[test]
fn the_pages_of_the_program_are_given_back_and_read_again() {
    let (code, out, err) = run(&["program"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let words: Vec<&str> = out.split(' ').collect();
    let [before, after, "true"] = words.as_slice() else { panic!("{out}") };
    let (before, after): (usize, usize) = (before.parse().unwrap(), after.parse().unwrap());
    assert!(after < before, "{out}");
}

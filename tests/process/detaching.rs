//! The 15 steps of daemon(7), looked at from outside, and every way in which a start can end. DESIGN section 5.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use foobar_process::Signal;
use foobar_process::identity::Process;
use foobar_process::pidfile;
use foobar_tests::Sandbox;

use crate::program::{Daemon, LIMIT, command, run, state};

fn place(name: &str) -> (Sandbox, PathBuf, String) {
    let sandbox = Sandbox::new(name);
    let path = sandbox.path().join("foobar.pid");
    let text = path.to_str().unwrap().to_owned();
    (sandbox, path, text)
}

/// The lines of the subject's report, by their first word; descriptors and variables keep the rest as a list.
fn report(path: &std::path::Path) -> BTreeMap<String, Vec<String>> {
    let mut facts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in fs::read_to_string(path).unwrap().lines() {
        if let Some((word, rest)) = line.split_once([' ', '\t']) {
            facts.entry(word.trim_end_matches(':').to_owned()).or_default().push(rest.trim().to_owned());
        }
    }
    facts
}

/// Runs a shell that spoils everything a daemon could inherit, and then the subject.
fn spoiled(path: &str, options: &[&str]) -> std::process::Output {
    let script = "umask 000; cd /tmp; trap '' HUP USR1 PIPE; ulimit -n 300; exec 7</dev/null 9>/dev/null 77</dev/null; \
                  export SECRET=1 LD_BIND_NOW=1 IFS=x LANG=C TZ=UTC; exec \"$@\"";
    let mut shell = std::process::Command::new("bash");
    shell.args(["-c", script, "bash"]).arg(crate::program::subject()).args(["daemon", path]).args(options);
    shell.output().unwrap()
}

#[test]
fn nothing_is_inherited() {
    let (sandbox, path, text) = place("inherit");
    let facts_file = sandbox.path().join("facts");
    let output = spoiled(&text, &[&format!("report={}", facts_file.display())]);
    assert!(output.status.success(), "{output:?}");
    let pid = pidfile::parse(&fs::read(&path).unwrap()).unwrap();
    let daemon = Daemon { process: Process::open(pid).unwrap().unwrap() };
    let facts = report(&facts_file);

    // 1 and 9: descriptors 0 to 2 on /dev/null, and above them only the daemon's own.
    for descriptor in &facts["descriptor"] {
        let (number, target) = descriptor.split_once(' ').unwrap_or((descriptor, ""));
        match number {
            "0" | "1" | "2" => assert_eq!(target, "/dev/null", "{descriptor}"),
            "7" | "9" | "77" => assert_ne!(target, "/dev/null", "{descriptor} was inherited"),
            _ => {}
        }
    }
    assert!(!facts["descriptor"].iter().any(|descriptor| descriptor.starts_with("77 ")));
    // 2 and 3: nothing ignored but SIGPIPE, nothing blocked but what the daemon blocks itself.
    assert_eq!(u64::from_str_radix(&facts["SigIgn"][0], 16).unwrap(), 1 << (Signal::SIGPIPE as u64 - 1));
    let own = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGCHLD, Signal::SIGHUP];
    let mask = own.iter().fold(0_u64, |mask, signal| mask | 1 << (*signal as u64 - 1));
    assert_eq!(u64::from_str_radix(&facts["SigBlk"][0], 16).unwrap(), mask);
    assert_eq!(u64::from_str_radix(&facts["SigCgt"][0], 16).unwrap() & !(3 << 31), 0, "handlers");
    // 4: language and time zone, and a path of our own.
    let mut variables = facts["variable"].clone();
    variables.sort();
    assert_eq!(variables, ["LANG=C", &format!("PATH={}", foobar_process::environment::PATH), "TZ=UTC"]);
    // 5 to 8: in a session that is not its own, without its leader.
    assert_ne!(facts["session"], facts["pid"]);
    assert!(
        Process::open(foobar_process::Pid::from_raw(facts["session"][0].parse().unwrap())).unwrap().is_none()
    );
    assert_eq!(facts["terminal"], ["0"]);
    // 10 and 11.
    assert_eq!(facts["Umask"], ["0022"]);
    assert_eq!(facts["directory"], ["/"]);
    // 12: the file names this process. 15: the starter has gone with 0.
    assert_eq!(facts["pid"], [daemon.pid().to_string()]);
    assert_eq!(state(&path), format!("running {} Record", daemon.pid()));
}

#[test]
fn what_is_asked_for_is_kept() {
    let (sandbox, path, _text) = place("asked");
    let facts_file = sandbox.path().join("facts");
    let kept = sandbox.path().join("kept");
    fs::write(&kept, "").unwrap();
    let options = [
        format!("report={}", facts_file.display()),
        format!("keep={}", kept.display()),
        format!("directory={}", sandbox.path().display()),
        "umask=027".to_owned(),
    ];
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let _daemon = Daemon::start(&path, &options);
    let facts = report(&facts_file);
    assert_eq!(facts["Umask"], ["0027"]);
    assert_eq!(facts["directory"], [sandbox.path().to_str().unwrap()]);
    assert!(facts["descriptor"].iter().any(|line| line.ends_with(kept.to_str().unwrap())), "{facts:?}");
}

#[test]
fn the_many_descriptors_of_a_high_limit_are_closed_quickly() {
    let (sandbox, path, text) = place("many-descriptors");
    let facts_file = sandbox.path().join("facts");
    // A descriptor far above the soft limit of the moment of closing.
    let script = "ulimit -n 4096 2>/dev/null; exec 4000</dev/null; ulimit -Sn 64; exec \"$@\"";
    let mut shell = std::process::Command::new("bash");
    shell.args(["-c", script, "bash"]).arg(crate::program::subject()).args(["daemon", &text]);
    let begin = Instant::now();
    let output = shell.arg(format!("report={}", facts_file.display())).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(begin.elapsed() < Duration::from_secs(10));
    let pid = pidfile::parse(&fs::read(&path).unwrap()).unwrap();
    let _daemon = Daemon { process: Process::open(pid).unwrap().unwrap() };
    let facts = report(&facts_file);
    assert!(!facts["descriptor"].iter().any(|line| line.starts_with("4000 ")), "{:?}", facts["descriptor"]);
}

#[test]
fn a_failure_reaches_the_starter_with_its_code_and_words() {
    let (_sandbox, path, text) = place("failure");
    let (code, output, _) = run(&["daemon", &text, "start=fail"]);
    assert_eq!((code, output.as_str()), (Some(6), "user \"x\" does not exist"));
    let (code, output, _) = run(&["daemon", &text, "directory=/nonexistent/at all"]);
    let expected = "cannot become a daemon: changing the working directory to /nonexistent/at all: \
                    No such file or directory (os error 2)";
    assert_eq!((code, output.as_str()), (Some(1), expected));
    assert!(!path.exists());
}

#[test]
fn a_death_is_told_with_its_manner() {
    let (_sandbox, path, text) = place("death");
    for (how, words) in [("exit", "exit code 9"), ("panic", "exit code 101"), ("abort", "signal SIGABRT")] {
        let (code, output, _) = run(&["daemon", &text, &format!("start={how}")]);
        let expected = format!("the daemon ended before it was ready: {words}");
        assert_eq!((code, output), (Some(1), expected));
    }
    assert!(!path.exists());
}

#[test]
fn a_death_is_noticed_when_sigchld_is_ignored_by_the_caller() {
    let (_sandbox, path, text) = place("sigchld");
    let mut shell = std::process::Command::new("bash");
    shell.args(["-c", "trap '' CHLD; exec \"$@\"", "bash"]).arg(crate::program::subject());
    let output = shell.args(["daemon", &text, "start=exit"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("exit code 9"), "{said}");
    assert!(!path.exists());
}

#[test]
fn a_daemon_that_is_never_ready_is_killed_in_time() {
    let (_sandbox, path, text) = place("timeout");
    let begin = Instant::now();
    let (code, output, _) = run(&["daemon", &text, "start=hang", "timeout=200"]);
    assert_eq!(
        (code, output.as_str()),
        (Some(1), "the daemon was not ready after 0.2 s and has been killed")
    );
    assert!(begin.elapsed() >= Duration::from_millis(200) && begin.elapsed() < Duration::from_secs(10));
    assert!(!path.exists());
    let left = fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).any(|word| word == text.as_bytes())
    });
    assert!(!left, "the failed daemon is still there");
}

#[test]
fn a_process_with_threads_is_not_forked() {
    let (code, output, _) = run(&["threads"]);
    assert_eq!(code, Some(0));
    let expected = "cannot become a daemon: fork: refused to fork: this process has several threads, start them after the fork";
    assert_eq!(output, expected);
}

#[test]
fn in_the_foreground_the_same_code_runs_without_a_fork() {
    let (_sandbox, path, text) = place("foreground");
    let mut child = command(&["hold", &text]).spawn().unwrap();
    let pid = child.id();
    foobar_tests::until("the PID file", LIMIT, || {
        (state(&path) == format!("running {pid} Record")).then_some(())
    });
    let (code, output, errors) = run(&["hold", &text, "loud"]);
    assert_eq!((code, output.as_str(), errors), (Some(0), "", format!("already running (PID {pid})")));
    let process = Process::open(foobar_process::Pid::from_raw(i32::try_from(pid).unwrap())).unwrap().unwrap();
    process.signal(Signal::SIGTERM).unwrap();
    assert_eq!(child.wait().unwrap().into_raw(), 0);
    assert_eq!(state(&path), "stopped");
}

#[test]
fn closed_standard_streams_do_no_harm() {
    let (_sandbox, path, text) = place("closed");
    let mut shell = std::process::Command::new("bash");
    shell.args(["-c", "exec \"$@\" <&- >&- 2>&-", "bash"]).arg(crate::program::subject());
    let status = shell.args(["daemon", &text]).status().unwrap();
    let pid = pidfile::parse(&fs::read(&path).unwrap()).unwrap();
    let daemon = Daemon { process: Process::open(pid).unwrap().unwrap() };
    assert!(status.success());
    for descriptor in 0..3 {
        let target = fs::read_link(format!("/proc/{}/fd/{descriptor}", daemon.pid())).unwrap();
        assert_eq!(target.to_str(), Some("/dev/null"));
    }
    drop(File::open(&path).unwrap());
}

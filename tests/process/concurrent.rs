//! Many starts at once, starters killed at bad moments, readers that look all the time.
//! DESIGN section 4, points 3 to 5, and section 5.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use foobar_process::identity::Process;
use foobar_process::startlock::{LockError, StartLock};
use foobar_process::{Pid, Signal};
use foobar_tests::{Sandbox, until};

use crate::program::{Daemon, LIMIT, Running, command, run, state, subject};

fn place(name: &str) -> (Sandbox, PathBuf, String) {
    let sandbox = Sandbox::new(name);
    let path = sandbox.path().join("foobar.pid");
    let text = path.to_str().unwrap().to_owned();
    (sandbox, path, text)
}

/// Lets somebody go who stands at a gate, or comes to it in time.
#[track_caller]
fn open_gate(gate: &Path) {
    let open = || OpenOptions::new().write(true).custom_flags(nix::libc::O_NONBLOCK).open(gate);
    until("somebody at the gate", LIMIT, || open().ok().map(drop));
}

/// The PIDs of the subjects whose command line names `pid_file`: the only look at all processes, and only in this test.
fn daemons_of(pid_file: &str) -> Vec<Pid> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Ok(number) = entry.file_name().to_string_lossy().parse::<i32>() else { continue };
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if line.split(|byte| *byte == 0).any(|word| word == pid_file.as_bytes()) {
            found.push(Pid::from_raw(number));
        }
    }
    found
}

/// Ends whatever a test has left, by pidfd.
struct Sweep(String);

impl Drop for Sweep {
    fn drop(&mut self) {
        for pid in daemons_of(&self.0) {
            if let Ok(Some(process)) = Process::open(pid) {
                let _ = process.signal(Signal::SIGKILL);
            }
        }
    }
}

#[test]
fn two_hundred_starts_leave_one_daemon() {
    let (_sandbox, path, text) = place("many");
    let _sweep = Sweep(text.clone());
    let start = || command(&["daemon", &text]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let starters: Vec<_> = (0..200).map(|_| start()).collect();
    let mut started = 0;
    for starter in starters {
        let output = starter.wait_with_output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{said} {}", String::from_utf8_lossy(&output.stderr));
        match said.split(" (").next() {
            Some("started") => started += 1,
            Some("already running") => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(started, 1);
    let alive: Vec<Pid> =
        daemons_of(&text).into_iter().filter(|pid| Process::open(*pid).unwrap().is_some()).collect();
    assert_eq!(alive.len(), 1);
    assert_eq!(state(&path), format!("running {} Record", alive[0]));
}

#[test]
fn the_lock_file_deleted_while_held_still_gives_one_daemon() {
    let (sandbox, path, text) = place("deleted");
    let gate = sandbox.path().join("gate");
    nix::unistd::mkfifo(&gate, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let _sweep = Sweep(text.clone());
    // One start stands at the gate with the lock held, the PID file written.
    let gate_option = format!("gate={}", gate.display());
    let mut first = Running::start(command(&["daemon", &text, &gate_option]));
    until("the PID file", LIMIT, || path.exists().then_some(()));
    fs::remove_file(path.with_file_name("foobar.pid.lock")).unwrap();
    let (code, output, errors) = run(&["daemon", &text]);
    assert_eq!(code, Some(0), "{output} {errors}");
    assert!(output.starts_with("already running"), "{output}");
    open_gate(&gate);
    assert!(first.line().starts_with("started"));
    assert!(state(&path).starts_with("running"));
}

#[test]
fn a_waiting_start_has_an_end_and_names_the_holder() {
    let (_sandbox, path, _text) = place("busy");
    let held = StartLock::acquire(&path, Instant::now()).unwrap();
    let begin = Instant::now();
    let error = StartLock::acquire(&path, begin + Duration::from_millis(60)).unwrap_err();
    assert!(begin.elapsed() >= Duration::from_millis(60) && begin.elapsed() < Duration::from_secs(5));
    match &error {
        LockError::Busy { holder, .. } => assert_eq!(*holder, Some(Pid::this())),
        other => panic!("{other}"),
    }
    assert!(error.to_string().contains(&format!("held by process {}", Pid::this())), "{error}");
    drop(held);
    StartLock::acquire(&path, Instant::now() + LIMIT).unwrap().remove().unwrap();
    assert!(!path.with_file_name("foobar.pid.lock").exists());
}

#[test]
fn a_lock_file_made_by_others_is_refused() {
    let (sandbox, path, _text) = place("planted");
    let lock = path.with_file_name("foobar.pid.lock");
    let refused = || matches!(StartLock::acquire(&path, Instant::now()), Err(LockError::Doubtful { .. }));
    std::os::unix::fs::symlink(sandbox.path().join("elsewhere"), &lock).unwrap();
    assert!(refused());
    assert!(!sandbox.path().join("elsewhere").exists());
    fs::remove_file(&lock).unwrap();
    nix::unistd::mkfifo(&lock, nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert!(refused());
    fs::remove_file(&lock).unwrap();
    fs::write(&lock, "").unwrap();
    assert!(refused(), "mode 0644 lets every user hold it");
}

#[test]
fn a_lock_dies_with_its_holder_and_is_not_inherited() {
    let (_sandbox, path, text) = place("dies");
    // The daemon frees its start lock a moment after its start has returned, and no worker keeps it.
    let daemon = Daemon::start(&path, &["workers=3"]);
    drop(StartLock::acquire(&path, Instant::now() + LIMIT).unwrap());
    daemon.kill();
    let second = Daemon::start(&path, &[]);
    assert_eq!(state(&path), format!("running {} Record", second.pid()));
    drop(text);
}

#[test]
fn a_starter_killed_before_it_acknowledged_leaves_nothing() {
    let (sandbox, path, text) = place("orphan");
    let gate = sandbox.path().join("gate");
    nix::unistd::mkfifo(&gate, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let _sweep = Sweep(text.clone());
    for signal in [Signal::SIGKILL, Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        let gate_option = format!("gate={}", gate.display());
        // Whatever is ignored here, such as INT in the background of a shell, is not to be ignored there.
        let mut by_env = Command::new("env");
        by_env.arg("--default-signal").arg(subject()).args(["daemon", &text, &gate_option]);
        let mut starter = Running::start(by_env);
        until("the PID file", LIMIT, || path.exists().then_some(()));
        let process = Process::open(starter.pid()).unwrap().unwrap();
        process.signal(signal).unwrap();
        starter.child().wait().unwrap();
        open_gate(&gate);
        until("the daemon to give up", LIMIT, || (state(&path) == "stopped").then_some(()));
        let left = || daemons_of(&text).into_iter().all(|pid| Process::open(pid).unwrap().is_none());
        until("its end", LIMIT, || left().then_some(()));
        assert!(!path.exists());
    }
}

#[test]
fn a_starter_stopped_for_too_long_is_told_of_the_failure() {
    let (_sandbox, path, text) = place("stopped");
    let _sweep = Sweep(text.clone());
    // The daemon waits 300 ms for the answer, and the starter cannot give one.
    let fifo = path.with_file_name("gate");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let mut starter =
        Running::start(command(&["daemon", &text, "timeout=300", &format!("gate={}", fifo.display())]));
    until("the PID file", LIMIT, || path.exists().then_some(()));
    let process = Process::open(starter.pid()).unwrap().unwrap();
    process.signal(Signal::SIGSTOP).unwrap();
    open_gate(&fifo);
    until("the daemon to give up", LIMIT, || (state(&path) == "stopped").then_some(()));
    process.signal(Signal::SIGCONT).unwrap();
    let said = starter.line();
    assert!(said.contains("ended before it was ready") || said.contains("was not ready"), "{said}");
    assert_eq!(starter.child().wait().unwrap().code(), Some(1));
}

#[test]
fn readers_never_see_half_a_file() {
    let (_sandbox, path, _text) = place("readers");
    let over = AtomicBool::new(false);
    let look = |path: &Path| {
        let mut seen = 0_u64;
        while !over.load(Ordering::Relaxed) {
            if let Ok(text) = fs::read(path) {
                assert!(foobar_process::pidfile::parse(&text).is_ok() && text.ends_with(b"\n"), "{text:?}");
                seen += 1;
            }
        }
        assert!(seen > 0);
    };
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| look(&path));
        let prober = scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                let seen = state(&path);
                assert!(!seen.starts_with("refused"), "{seen}");
            }
        });
        for round in 0..200 {
            let daemon = Daemon::start(&path, &[]);
            // Half of them end cleanly and half leave their file behind.
            if round % 2 == 0 {
                daemon.process.signal(Signal::SIGTERM).unwrap();
                assert!(daemon.process.wait_gone(Instant::now() + LIMIT).unwrap());
                assert!(!path.exists());
            }
        }
        over.store(true, Ordering::Relaxed);
        reader.join().unwrap();
        prober.join().unwrap();
    });
}

#[test]
fn a_pid_file_replaced_by_the_administrator_stays() {
    let (_sandbox, path, _text) = place("replaced");
    let daemon = Daemon::start(&path, &[]);
    fs::write(path.with_file_name("mine"), "note\n").unwrap();
    fs::rename(path.with_file_name("mine"), &path).unwrap();
    daemon.process.signal(Signal::SIGTERM).unwrap();
    assert!(daemon.process.wait_gone(Instant::now() + LIMIT).unwrap());
    assert_eq!(fs::read_to_string(&path).unwrap(), "note\n");
}

//! What counts as proof that a process is the daemon: record, lock, or for those that do not lock, time, executable and
//! owner. DESIGN section 4, points 3 to 7.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use foobar_process::identity::{Identity, Mechanism, Process};
use foobar_process::probe::{Expect, Proof, State, look};
use foobar_process::{Signal, Uid};
use foobar_tests::Sandbox;

use crate::program::{
    Canary, Daemon, Running, as_nobody, command, copy_of_subject, is_root, run, state, subject, until_gone,
};

fn place(name: &str) -> (Sandbox, PathBuf, PathBuf) {
    let sandbox = Sandbox::new(name);
    let path = sandbox.path().join("foobar.pid");
    let record = sandbox.path().join("foobar.pid.lock");
    (sandbox, path, record)
}

/// A record as the library writes it.
fn record_of(pid: i32, ticks: u64, boot: &str) -> String {
    format!("{pid:07} {ticks:020} {boot}\n")
}

#[test]
fn the_record_is_the_first_proof_and_the_lock_the_second() {
    let (_sandbox, path, record) = place("order");
    let daemon = Daemon::start(&path, &[]);
    assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n", daemon.pid()));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o644);
    assert_eq!(fs::metadata(&record).unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(state(&path), format!("running {} Record", daemon.pid()));
    // Without a record the kernel tells who holds the lock.
    fs::remove_file(&record).unwrap();
    assert_eq!(state(&path), format!("running {} Lock", daemon.pid()));
    daemon.kill();
    assert_eq!(state(&path), format!("dead {}", daemon.pid()));
}

#[test]
fn an_ordinary_user_sees_the_truth_without_the_record() {
    if !is_root() {
        return;
    }
    let (sandbox, path, _record) = place("user");
    let copy = copy_of_subject(sandbox.path());
    let look = || {
        let output = as_nobody(&copy).arg("look").arg(&path).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    };
    assert_eq!(look(), "stopped");
    let daemon = Daemon::start(&path, &[]);
    assert_eq!(look(), format!("running {} Lock", daemon.pid()));
    // The claim alone, of a stranger or of the dead, does not deceive a user either.
    let canary = Canary::start();
    fs::write(&path, format!("{}\n", canary.pid())).unwrap();
    assert!(look().starts_with("refused"), "{}", look());
    fs::write(&path, format!("{}\n", daemon.pid())).unwrap();
    daemon.kill();
    assert_eq!(look(), format!("dead {}", daemon.pid()));
}

#[test]
fn a_text_written_over_in_place_signals_no_stranger() {
    let (_sandbox, path, record) = place("in-place");
    let daemon = Daemon::start(&path, &[]);
    let mut canary = Canary::start();
    fs::write(&path, format!("{}\n", canary.pid())).unwrap();
    let seen = state(&path);
    let named = format!("it names process {}, but the daemon is process {}", canary.pid(), daemon.pid());
    assert!(seen.starts_with("refused") && seen.contains(&named), "{seen}");
    // The same without a record: the lock's holder is not who the text names.
    let saved = fs::read(&record).unwrap();
    fs::write(&record, "").unwrap();
    assert!(state(&path).contains("its lock is held by process"), "{}", state(&path));
    // Even a dead number does not make a held lock "dead".
    fs::write(&path, "4194303\n").unwrap();
    assert!(state(&path).starts_with("refused"), "{}", state(&path));
    // And a second start is told the truth.
    fs::write(&record, saved).unwrap();
    let (code, output, _) = run(&["daemon", path.to_str().unwrap()]);
    assert_eq!((code, output), (Some(0), format!("already running (PID {})", daemon.pid())));
    canary.assert_untouched();
}

#[test]
fn a_daemon_whose_pid_file_was_removed_still_runs() {
    let (_sandbox, path, _record) = place("removed");
    let daemon = Daemon::start(&path, &[]);
    fs::remove_file(&path).unwrap();
    assert_eq!(state(&path), format!("running {} Record", daemon.pid()));
    let (code, output, _) = run(&["daemon", path.to_str().unwrap()]);
    assert_eq!((code, output), (Some(0), format!("already running (PID {})", daemon.pid())));
}

#[test]
fn the_record_of_another_boot_or_another_start_time_is_none() {
    let (_sandbox, path, record) = place("boot");
    let mut canary = Canary::start();
    let process = Process::open(canary.pid()).unwrap().unwrap();
    let boot = process.identity().unwrap().boot.to_string();
    let (pid, ticks) = (canary.pid().as_raw(), process.start_ticks());
    let other = "00000000-1111-4222-8333-444444444444";
    let dead = format!("dead {pid}");
    fs::write(&path, format!("{pid}\n")).unwrap();
    let write = |text: String| {
        fs::write(&record, text).unwrap();
        fs::set_permissions(&record, fs::Permissions::from_mode(0o600)).unwrap();
    };
    write(record_of(pid, ticks, other));
    assert_eq!(state(&path), dead);
    write(record_of(pid, ticks + 1, &boot));
    assert_eq!(state(&path), dead);
    // Not the text of a record.
    write(record_of(pid, ticks, &boot).replace(' ', "\t"));
    assert_eq!(state(&path), dead);
    // A record that others could have written.
    write(record_of(pid, ticks, &boot));
    fs::set_permissions(&record, fs::Permissions::from_mode(0o606)).unwrap();
    assert_eq!(state(&path), dead);
    // The real thing, to know that the above failed for the right reason.
    fs::set_permissions(&record, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(state(&path), format!("running {pid} Record"));
    canary.assert_untouched();
}

#[test]
fn a_lock_on_the_old_inode_blocks_no_start() {
    let (sandbox, path, _record) = place("old-inode");
    let daemon = Daemon::start(&path, &[]);
    daemon.kill();
    let copy = copy_of_subject(sandbox.path());
    let mut locker = if is_root() { as_nobody(&copy) } else { std::process::Command::new(&copy) };
    locker.args(["lock", "flock"]).arg(&path);
    let mut locker = Running::start(locker);
    assert_eq!(locker.line(), "locked");
    assert_eq!(state(&path), format!("dead {}", daemon.pid()), "the record knows better than the lock");
    let second = Daemon::start(&path, &[]);
    assert_eq!(state(&path), format!("running {} Record", second.pid()));
    // The lock file itself cannot be opened by others.
    assert!(locker.is_alive());
}

#[test]
fn a_lock_kept_by_a_child_of_the_dead_is_not_the_daemon() {
    let (_sandbox, path, record) = place("inherited");
    fs::write(&path, "").unwrap();
    let mut holder = Running::start(command(&["lock", "heir", path.to_str().unwrap()]));
    let child: i32 = holder.line().parse().unwrap();
    let taker = holder.pid();
    assert!(holder.child().wait().unwrap().success());
    fs::write(&path, format!("{taker}\n")).unwrap();
    assert!(!record.exists());
    let seen = state(&path);
    let child = Process::open(foobar_process::Pid::from_raw(child)).unwrap().unwrap();
    child.signal(Signal::SIGKILL).unwrap();
    assert_eq!(seen, format!("dead {taker}"));
}

#[test]
fn a_record_lock_by_fcntl_is_proof() {
    let (_sandbox, path, _record) = place("fcntl");
    fs::write(&path, "").unwrap();
    let holder = Running::subject(&["lock", "fcntl", path.to_str().unwrap()]);
    fs::write(&path, format!("{}\n", holder.pid())).unwrap();
    assert_eq!(state(&path), format!("running {} Lock", holder.pid()));
    let other = Canary::start();
    fs::write(&path, format!("{}\n", other.pid())).unwrap();
    assert!(state(&path).contains("its lock is held by process"), "{}", state(&path));
}

#[test]
fn a_daemon_that_does_not_lock_needs_time_executable_and_owner() {
    let (_sandbox, path, _record) = place("unlocked");
    let stranger = Canary::start();
    fs::write(&path, format!("{}\n", stranger.pid())).unwrap();
    let right = Expect { exe: Some(subject().to_owned()), owner: Some(Uid::effective()), known: None };
    let seen = |expect: &Expect| match look(&path, expect) {
        Ok(State::Running { process, proof: Proof::Unlocked }) => process.pid() == stranger.pid(),
        Ok(State::Dead { .. }) => false,
        other => panic!("{other:?}"),
    };
    assert!(seen(&right));
    assert!(!seen(&Expect::default()));
    assert!(!seen(&Expect { exe: Some(PathBuf::from("/bin/sh")), ..right.clone() }));
    assert!(!seen(&Expect { owner: Some(Uid::from_raw(12345)), ..right.clone() }));
    // Through a link, as /usr/sbin/NAME often is one.
    let link = path.with_file_name("link");
    std::os::unix::fs::symlink(subject(), &link).unwrap();
    assert!(seen(&Expect { exe: Some(link), owner: None, known: None }));
    // A PID file older than the process: the number has changed hands.
    let old = SystemTime::now() - Duration::from_secs(3600);
    File::options().write(true).open(&path).unwrap().set_modified(old).unwrap();
    assert!(!seen(&right));
    // Or the clock was set: that very process was seen before.
    let known = Process::open(stranger.pid()).unwrap().unwrap().identity().unwrap();
    assert!(seen(&Expect { known: Some(known), ..right.clone() }));
    let other = Identity { start_ticks: known.start_ticks + 1, ..known };
    assert!(!seen(&Expect { known: Some(other), ..right }));
}

#[test]
fn an_executable_replaced_on_disk_is_still_the_same() {
    let (sandbox, path, _record) = place("upgrade");
    let copy = copy_of_subject(sandbox.path());
    let mut program = std::process::Command::new(&copy);
    program.arg("patient");
    let mut running = Running::start(program);
    running.line();
    fs::write(&path, format!("{}\n", running.pid())).unwrap();
    fs::remove_file(&copy).unwrap();
    let expect = Expect { exe: Some(copy), owner: None, known: None };
    assert!(matches!(look(&path, &expect), Ok(State::Running { proof: Proof::Unlocked, .. })));
}

#[test]
fn killed_is_dead_and_never_running() {
    let (_sandbox, path, _record) = place("killed");
    for mechanism in [Mechanism::PidFd, Mechanism::StartTime] {
        let daemon = Daemon::start(&path, &["workers=2"]);
        let workers = workers_of(&daemon);
        assert_eq!(daemon.process.mechanism(), Mechanism::PidFd);
        match mechanism {
            Mechanism::PidFd => daemon.process.signal(Signal::SIGKILL).unwrap(),
            Mechanism::StartTime => {
                let plain = Process::open_without_pidfd(daemon.pid()).unwrap().unwrap();
                assert_eq!(plain.mechanism(), Mechanism::StartTime);
                plain.signal(Signal::SIGKILL).unwrap();
            }
        }
        assert!(daemon.process.wait_gone(std::time::Instant::now() + crate::program::LIMIT).unwrap());
        // Reaped or not, with workers still about to go or not.
        assert_eq!(state(&path), format!("dead {}", daemon.pid()));
        until_gone(&workers);
    }
}

fn workers_of(daemon: &Daemon) -> Vec<foobar_process::Pid> {
    foobar_tests::until("two workers", crate::program::LIMIT, || {
        let workers = crate::program::children_of(daemon.pid());
        (workers.len() == 2).then_some(workers)
    })
}

#[test]
fn the_own_identity_survives_an_exec_but_not_a_fork() {
    let own = Identity::own().unwrap();
    let again = Process::open(own.pid).unwrap().unwrap();
    assert_eq!(again.identity().unwrap(), own);
    assert_ne!(Process::open(Canary::start().pid()).unwrap().unwrap().identity().unwrap(), own);
    assert!(again.signal(Signal::SIGTERM).is_err(), "signalled itself");
    let unused: &Path = Path::new("/nonexistent/foobar.pid");
    assert_eq!(state(unused), "stopped");
}

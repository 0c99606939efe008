//! PID files that lie, break or hang: nothing is signalled, nothing waits, and a plain start works afterwards.
//! DESIGN section 4, points 1, 2 and 6.

use std::fs::{self, File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use foobar_process::startlock::StartLock;
use foobar_process::stop::{StopPolicy, stop};
use foobar_process::{Pid, pidfile::PidFile, pidfile::PidFileError, probe};
use foobar_tests::Sandbox;

use crate::program::{Canary, Daemon, LIMIT, copy_of_subject, is_root, state};

/// What foobarctl would do for `stop`: look, and signal what is proven.
fn stop_whatever_runs(pid_file: &Path) {
    if let Ok(probe::State::Running { process, .. }) = probe::look(pid_file, &probe::Expect::default()) {
        let policy = StopPolicy { grace: Duration::from_secs(10), ..StopPolicy::default() };
        stop(&process, &policy).unwrap();
    }
}

/// Looks, stops, and starts for real; `expected` is how the look must begin.
fn torment(pid_file: &Path, expected: &str, canary: &mut Canary, starts: bool) {
    let begin = Instant::now();
    let seen = state(pid_file);
    assert!(seen.starts_with(expected), "{seen}, not {expected}");
    stop_whatever_runs(pid_file);
    assert!(begin.elapsed() < Duration::from_secs(8), "{seen}: took {:?}", begin.elapsed());
    canary.assert_untouched();
    if starts {
        let daemon = Daemon::start(pid_file, &[]);
        assert_eq!(state(pid_file), format!("running {} Record", daemon.pid()));
        stop_whatever_runs(pid_file);
        assert!(!daemon.process.is_alive());
        assert_eq!(state(pid_file), "stopped");
        canary.assert_untouched();
    }
}

fn place(name: &str) -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::new(name);
    let path = sandbox.path().join("foobar.pid");
    (sandbox, path)
}

#[test]
fn missing_and_empty_mean_stopped() {
    let (_sandbox, path) = place("missing");
    let mut canary = Canary::start();
    torment(&path, "stopped", &mut canary, true);
    fs::write(&path, "").unwrap();
    torment(&path, "stopped", &mut canary, true);
}

#[test]
fn a_text_that_is_no_number_is_refused() {
    let (_sandbox, path) = place("texts");
    let mut canary = Canary::start();
    let victim = i64::from(canary.pid().as_raw());
    let wrapped_64 = format!("{}\n", (1_i128 << 64) + i128::from(victim));
    let texts = [
        "-1\n".to_owned(),
        "0\n".to_owned(),
        "1\n".to_owned(),
        format!("-{victim}\n"),
        format!("+{victim}\n"),
        format!("0x{victim:x}\n"),
        format!("0{victim}\n"),
        format!("{}\n", (1_i64 << 32) + victim),
        wrapped_64,
        format!("{victim}garbage\n"),
        format!("{victim} \n"),
        format!("garbage\n{victim}\n"),
        format!("{victim}\n{victim}\n"),
        "garbage\n".to_owned(),
        "\n".to_owned(),
        "9".repeat(100_000),
    ];
    for text in &texts {
        fs::write(&path, text).unwrap();
        torment(&path, "refused", &mut canary, false);
    }
    torment(&path, "refused", &mut canary, true);
    for text in [&b"\xff\xfe\n"[..], &b"\0\0\0\0"[..]] {
        fs::write(&path, text).unwrap();
        torment(&path, "refused", &mut canary, true);
    }
}

#[test]
fn a_stranger_without_proof_is_left_alone() {
    let (_sandbox, path) = place("stranger");
    let mut canary = Canary::start();
    fs::write(&path, format!("{}\n", canary.pid())).unwrap();
    torment(&path, &format!("dead {}", canary.pid()), &mut canary, true);
}

#[test]
fn ourselves_our_parent_a_thread_and_a_kernel_thread_are_nobody() {
    let (_sandbox, path) = place("relatives");
    let mut canary = Canary::start();
    let tid = nix::unistd::gettid();
    assert_ne!(tid, Pid::this());
    let mut strangers = vec![Pid::this(), Pid::parent(), tid];
    // The first kernel thread, where this PID namespace shows it.
    strangers.extend(fs::metadata("/proc/2").is_ok().then(|| Pid::from_raw(2)));
    for pid in strangers {
        fs::write(&path, format!("{pid}\n")).unwrap();
        // Even with the right executable: kinship is no proof.
        let exe = Some(std::env::current_exe().unwrap());
        match probe::look(&path, &probe::Expect { exe, owner: None, known: None }) {
            Ok(probe::State::Dead { pid: seen }) => assert_eq!(seen, pid),
            other => panic!("{pid}: {other:?}"),
        }
        torment(&path, "dead", &mut canary, false);
    }
}

#[test]
fn what_is_no_regular_file_is_refused_at_once() {
    let (sandbox, path) = place("kinds");
    let mut canary = Canary::start();
    let number = format!("{}\n", canary.pid());

    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::from_bits_truncate(0o644)).unwrap();
    torment(&path, "refused", &mut canary, false);
    let lock = StartLock::acquire(&path, Instant::now() + LIMIT).unwrap();
    assert!(matches!(PidFile::create(&lock), Err(PidFileError::InTheWay { .. })));
    drop(lock);
    fs::remove_file(&path).unwrap();

    fs::create_dir(&path).unwrap();
    torment(&path, "refused", &mut canary, false);
    fs::remove_dir(&path).unwrap();

    let target = sandbox.path().join("target");
    fs::write(&target, &number).unwrap();
    symlink(&target, &path).unwrap();
    torment(&path, "refused", &mut canary, false);
    fs::remove_file(&path).unwrap();

    let _socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
    torment(&path, "refused", &mut canary, false);
    fs::remove_file(&path).unwrap();

    fs::hard_link(&target, &path).unwrap();
    torment(&path, "refused", &mut canary, true);
    assert_eq!(fs::read_to_string(&target).unwrap(), number, "written through a link");
}

#[test]
fn a_huge_file_is_not_read() {
    let (_sandbox, path) = place("huge");
    let mut canary = Canary::start();
    let file = File::create(&path).unwrap();
    file.set_len(1 << 30).unwrap();
    torment(&path, "refused", &mut canary, false);
    (&file).write_all(format!("{}\n", canary.pid()).as_bytes()).unwrap();
    torment(&path, "refused", &mut canary, true);
}

#[test]
fn a_file_that_others_could_write_is_refused() {
    let (_sandbox, path) = place("writable");
    let mut canary = Canary::start();
    for mode in [0o666, 0o664, 0o646, 0o777] {
        fs::write(&path, format!("{}\n", canary.pid())).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        torment(&path, "refused", &mut canary, true);
    }
}

#[test]
fn a_file_of_another_user_is_refused() {
    if !is_root() {
        return;
    }
    let (_sandbox, path) = place("foreign");
    let mut canary = Canary::start();
    fs::write(&path, format!("{}\n", canary.pid())).unwrap();
    std::os::unix::fs::chown(&path, Some(65534), Some(65534)).unwrap();
    torment(&path, "refused", &mut canary, true);
}

#[test]
fn a_directory_that_others_could_write_gets_no_pid_file() {
    let (sandbox, path) = place("directory");
    for mode in [0o777, 0o775] {
        fs::set_permissions(sandbox.path(), Permissions::from_mode(mode)).unwrap();
        let lock = StartLock::acquire(&path, Instant::now() + LIMIT).unwrap();
        let error = PidFile::create(&lock).unwrap_err();
        assert!(matches!(error, PidFileError::Directory { .. }), "{error}");
        assert!(!path.exists());
    }
    // As /tmp is: nobody can touch another's file there.
    fs::set_permissions(sandbox.path(), Permissions::from_mode(0o1777)).unwrap();
    drop(Daemon::start(&path, &[]));
    if is_root() {
        fs::set_permissions(sandbox.path(), Permissions::from_mode(0o755)).unwrap();
        std::os::unix::fs::chown(sandbox.path(), Some(65534), None).unwrap();
        let lock = StartLock::acquire(&path, Instant::now() + LIMIT).unwrap();
        assert!(matches!(PidFile::create(&lock), Err(PidFileError::Directory { .. })));
    }
}

#[test]
fn a_hidden_process_is_unknown_and_not_stopped() {
    if !is_root() {
        return;
    }
    let (sandbox, path) = place("hidepid");
    // A mount namespace of its own with hidepid=2, in it the subject's look as an unprivileged user.
    let canary = Canary::start();
    fs::write(&path, format!("{}\n", canary.pid())).unwrap();
    let script = "mount -t proc -o hidepid=2 proc /proc || exit 77
                  exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$0\" look \"$1\"";
    let copy = copy_of_subject(sandbox.path());
    let mut command = std::process::Command::new("unshare");
    let output = command.args(["--mount", "sh", "-c", script]).arg(&copy).arg(&path).output().unwrap();
    if output.status.code() == Some(77) {
        foobar_tests::skip("cannot mount /proc with hidepid");
        return;
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.starts_with("refused") && text.contains("hidepid"), "{text}");
}

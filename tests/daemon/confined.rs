//! chroot and no-new-privileges: what the kernel says of master and workers, and what is refused.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;

use foobar_process::Signal;
use nix::unistd::Uid;

use crate::support::{Setup, exchange, request, stat, status_of};

fn root() -> bool {
    let root = Uid::effective().is_root();
    if !root {
        foobar_tests::skip("only root can change the root directory");
    }
    root
}

/// A worker that has ended, reaped or not.
fn is_ended(pid: i32) -> bool {
    stat(pid).is_none_or(|stat| stat[0] == "Z")
}

#[test]
fn in_a_chroot_every_model_serves_with_nothing_around_it() {
    if !root() {
        return;
    }
    for model in ["fork", "prefork", "threads", "delayed"] {
        let setup = Setup::new("chroot", "");
        let inside = setup.path("empty");
        fs::create_dir(&inside).unwrap();
        let extra = format!("user = \"nobody\"\nchroot = \"{}\"\nmodel = \"{model}\"", inside.display());
        setup.configure(&extra);
        let daemon = setup.start();
        let mut stream = daemon.connect();
        exchange(&mut stream, b"x");
        let mut workers = daemon.workers();
        // The one that served the question whether it is up may be about to leave.
        workers.retain(|pid| fs::read_link(format!("/proc/{pid}/root")).is_ok());
        assert!(!workers.is_empty());
        for pid in workers.into_iter().chain([daemon.pid]) {
            for link in ["root", "cwd"] {
                let target = fs::read_link(format!("/proc/{pid}/{link}"));
                assert!(target.is_ok_and(|target| target == inside) || is_ended(pid), "{model}: {link}");
            }
            if is_ended(pid) {
                continue;
            }
            let outside: Vec<PathBuf> = fs::read_dir(format!("/proc/{pid}/fd"))
                .unwrap()
                .filter_map(|fd| fs::read_link(fd.ok()?.path()).ok())
                .filter(|path| path.is_dir())
                .collect();
            assert!(outside.is_empty(), "a way out: {outside:?}");
            assert!(status_of(pid, "Uid").starts_with("65534"), "{model}");
        }
        drop(stream);
        // The configuration is out of reach now; put inside, at the same path, it is read again.
        daemon.signal(Signal::SIGHUP);
        let line = setup.logged("reload refused");
        assert!(line.contains("no such file") && line.contains(&inside.display().to_string()), "{line}");
        let copy = inside.join(setup.config().strip_prefix("/").unwrap());
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        fs::copy(setup.config(), copy).unwrap();
        daemon.signal(Signal::SIGHUP);
        setup.logged("configuration reloaded: generation 2");
        request(&setup.address, b"after the reload");
        daemon.stop();
        // Its PID file is out of reach as well, and empty: it does not run.
        assert_eq!(fs::read(setup.pid_file()).unwrap(), b"");
        let again = setup.start();
        again.stop();
    }
}

#[test]
fn a_chroot_that_cannot_be_is_refused_before_anything_is_touched() {
    let setup = Setup::new("chroot-none", "chroot = \"/nonexistent\"");
    if Uid::effective().is_root() {
        setup.must_fail(&mut setup.command(), 6, "chroot = \"/nonexistent\": no such directory");
        let checked = setup.run(&["--check"]);
        assert_eq!(checked.status.code(), Some(6), "{checked:?}");
        let mut command = setup.command();
        let checked = command.uid(65534).arg("--check").output().unwrap();
        assert_eq!(checked.status.code(), Some(4), "{checked:?}");
        assert!(String::from_utf8_lossy(&checked.stderr).contains("only root can change the root directory"));
    } else {
        setup.must_fail(&mut setup.command(), 4, "only root can change the root directory");
    }
}

#[test]
fn no_new_privileges_is_set_in_master_and_workers() {
    for (wanted, extra) in [("1", "no-new-privileges = true"), ("0", "")] {
        let setup = Setup::new("no-new", extra);
        let daemon = setup.start();
        let mut stream = daemon.connect();
        exchange(&mut stream, b"x");
        for pid in daemon.wait_workers(1).into_iter().chain([daemon.pid]) {
            assert_eq!(status_of(pid, "NoNewPrivs"), wanted);
        }
        drop(stream);
        daemon.stop();
    }
}

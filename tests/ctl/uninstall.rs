//! uninstall: what goes, what stays, and that nobody can start what is being uninstalled.

use std::fs;
use std::process::Stdio;

use crate::support::{Prefix, alive, picture, running};

/// The names of all files and links in a prefix.
fn files(prefix: &Prefix) -> Vec<String> {
    let all = picture(prefix.sandbox.path()).into_iter();
    let files = all.filter(|(_, (mode, _))| mode & 0o170_000 != 0o040_000);
    files.map(|(path, _)| path.display().to_string()).collect()
}

#[test]
fn everything_that_was_installed_goes_again() {
    let prefix = Prefix::empty("goes");
    prefix.ctl(&["install"]).expect(0);
    prefix.ctl(&["uninstall"]).expect(0);
    assert_eq!(files(&prefix), Vec::<String>::new());
    let again = prefix.ctl(&["uninstall"]).expect(0);
    assert_eq!(again.out, "foobar is not installed, nothing to do\n");
}

#[test]
fn a_running_service_is_stopped_before_it_goes() {
    let prefix = Prefix::installed("running");
    prefix.ctl(&["start"]).expect(0);
    let pid = prefix.pid().unwrap();
    let ran = prefix.ctl(&["uninstall", "--purge"]).expect(0);
    assert!(ran.out.contains(&format!("after stopping it (PID {pid})")), "{ran:#?}");
    assert!(!alive(pid));
    assert_eq!(files(&prefix), Vec::<String>::new(), "the log goes with --purge, the locks always");
    assert!(!prefix.path("etc/foobar").exists());
}

#[test]
fn nobody_starts_what_is_being_uninstalled() {
    let prefix = Prefix::installed("crowd-goes");
    let children: Vec<_> = (0..60)
        .map(|n| {
            let verb = if n == 30 { "uninstall" } else { ["start", "restart"][n % 2] };
            prefix.command(&[verb]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(matches!(output.status.code(), Some(0 | 5)), "{output:?}");
    }
    assert!(running(&prefix.show("etc/foobard.toml")).is_empty(), "a daemon is left that nobody can stop");
    // The configuration was changed by hand, the log has been written.
    assert_eq!(files(&prefix), ["etc/foobard.toml", "var/log/foobard.log"]);
}

#[test]
fn a_script_of_others_goes_by_force_alone() {
    let prefix = Prefix::empty("force");
    prefix.script("other", "#!/bin/sh\n");
    for options in [&[][..], &["--purge"]] {
        let ran = prefix.ctl(&[&["uninstall", "other"], options].concat()).expect(1);
        assert!(ran.err.contains("was not written by foobarctl"), "{ran:#?}");
        assert!(prefix.path("etc/init.d/other").exists());
    }
    let ran = prefix.ctl(&["uninstall", "other", "--force"]).expect(0);
    assert_eq!(ran.out, "uninstalled other (1 change)\n");
    assert!(!prefix.path("etc/init.d/other").exists());
}

#[test]
fn a_directory_of_service_files_that_others_use_stays() {
    let prefix = Prefix::installed("shared");
    prefix.service("mine", "program = \"/bin/true\"\ntype = \"forking\"\n");
    prefix.ctl(&["uninstall"]).expect(0);
    assert!(prefix.path("etc/foobar/mine.toml").exists());
    let ran = prefix.ctl(&["uninstall", "mine"]).expect(0);
    assert!(ran.err.contains("mine.toml was written or changed by hand and is kept"), "{ran:#?}");
    prefix.ctl(&["uninstall", "mine", "--purge"]).expect(0);
    assert!(fs::read_dir(prefix.path("etc")).unwrap().all(|entry| entry.unwrap().file_name() != "foobar"));
}

#[test]
fn what_shares_its_name_with_a_pid_file_of_others_does_not_take_that_along() {
    let prefix = Prefix::installed("namesake");
    let theirs = ["var/run/crond.pid", "var/run/crond.pid.lock"];
    for path in theirs {
        fs::write(prefix.path(path), "77\n").unwrap();
    }
    assert!(prefix.ctl(&["uninstall", "crond"]).expect(0).out.contains("nothing to do"));
    assert!(theirs.iter().all(|path| prefix.path(path).exists()));
}

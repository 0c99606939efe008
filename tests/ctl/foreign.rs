//! Services that others installed: their own script does the work.

use crate::support::{Prefix, Ran};

/// Tells how it was called, and ends with the code in `code`.
const SCRIPT: &str = "#!/bin/sh\n### BEGIN INIT INFO\n# Provides: other\n# Required-Start:\n# Required-Stop:\n\
    # Default-Start: 2 3 4 5\n# Default-Stop: 0 1 6\n# Short-Description: x\n### END INIT INFO\n\
    echo \"$1 in $(pwd) with $(env | sort | tr '\\n' ' ')\"\ncase $1 in status) exit 1;; reload) exit 3;; stop) kill -9 $$;; esac\n";

#[test]
fn the_script_is_run_with_a_clean_environment_and_its_code_passed_on() {
    let prefix = Prefix::empty("foreign");
    prefix.script("other", SCRIPT);
    let ran = Ran::of(prefix.command(&["start", "other"]).env("SECRET", "x").env("TERM", "dumb")).expect(0);
    assert!(ran.out.starts_with("start in / with "), "{ran:#?}");
    assert!(
        !ran.out.contains("SECRET")
            && ran.out.contains("TERM=dumb")
            && ran.out.contains("PATH=/usr/local/sbin:")
    );
    prefix.ctl(&["reload", "other"]).expect(3);
    prefix.ctl(&["status", "other"]).expect(1);
    let ran = prefix.ctl(&["stop", "other"]).expect(1);
    assert!(ran.err.contains("did not end by itself"), "{ran:#?}");
}

#[test]
fn json_is_json_whatever_the_script_prints() {
    let prefix = Prefix::empty("foreign-json");
    prefix.script("other", SCRIPT);
    let status = prefix.ctl(&["status", "other", "--format", "json"]).expect(1).json();
    assert_eq!(
        (&status["ours"], &status["state"], &status["code"]),
        (&false.into(), &"dead-pid-file".into(), &1.into())
    );
    assert!(status["message"].as_str().unwrap().starts_with("status in /"), "{status:#}");
    let start = prefix.ctl(&["start", "other", "--format", "json"]).expect(0).json();
    assert_eq!((&start["action"], &start["code"]), (&"start".into(), &0.into()));
}

#[test]
fn a_dry_run_does_not_run_it_and_list_does_not_either() {
    let prefix = Prefix::empty("foreign-dry");
    let mark = prefix.path("mark");
    prefix.script("other", &SCRIPT.replace("echo", &format!("touch '{}'; echo", mark.display())));
    assert!(prefix.ctl(&["restart", "other", "--dry-run"]).expect(0).out.contains("would run"));
    let list = prefix.ctl(&["list"]).expect(0);
    assert!(list.out.lines().any(|line| line.starts_with("other") && line.ends_with('-')), "{list:#?}");
    assert!(!mark.exists(), "the script was run");
    prefix.ctl(&["list", "--ours", "--format", "json"]).expect(0);
    prefix.ctl(&["try-restart", "other"]).expect(0);
    assert!(mark.exists());
}

#[test]
fn a_script_that_cannot_be_run_is_told() {
    let prefix = Prefix::empty("foreign-bad");
    prefix.script("other", "#!/nonexistent/shell\n");
    let ran = prefix.ctl(&["start", "other"]).expect(1);
    assert!(ran.err.contains("cannot run") && ran.err.contains("etc/init.d/other"), "{ran:#?}");
    prefix.ctl(&["status", "other"]).expect(4);
}

#[test]
fn somebody_elses_script_is_neither_replaced_nor_removed() {
    let prefix = Prefix::empty("foreign-kept");
    prefix.script("foobar", SCRIPT);
    let ran = prefix.ctl(&["uninstall"]).expect(1);
    assert!(ran.err.contains("was not written by foobarctl"), "{ran:#?}");
    let ran = prefix.ctl(&["install"]).expect(0);
    assert!(ran.err.contains("is kept"), "{ran:#?}");
    assert_eq!(std::fs::read_to_string(prefix.path("etc/init.d/foobar")).unwrap(), SCRIPT);
}

#[test]
fn others_can_be_disabled_and_enabled() {
    let prefix = Prefix::empty("foreign-toggle");
    prefix.script("other", SCRIPT);
    std::fs::create_dir_all(prefix.path("etc/rc2.d")).unwrap();
    std::os::unix::fs::symlink("../init.d/other", prefix.path("etc/rc2.d/S01other")).unwrap();
    prefix.ctl(&["disable", "other"]).expect(0);
    assert!(prefix.path("etc/rc2.d/K01other").is_symlink());
    prefix.ctl(&["enable", "other"]).expect(0);
    assert!(prefix.path("etc/rc2.d/S01other").is_symlink());
}

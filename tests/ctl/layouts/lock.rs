//! Red Hat's lock file, by which its rc knows what to stop, kept by foobarctl and by a standalone script.

use std::fs;
use std::process::Command;

use crate::support::{Prefix, Ran, gone};

/// A prefix in Red Hat's layout.
fn redhat(name: &str) -> Prefix {
    let prefix = Prefix::empty(name);
    prefix.ctl(&["--layout", "redhat", "install"]).expect(0);
    prefix.configure(&format!(
        "listen = \"127.0.0.1:{}\"\nlog = \"{}\"\n",
        prefix.port,
        prefix.show("var/log/foobard.log")
    ));
    prefix
}

#[test]
fn foobarctl_keeps_the_lock_file_and_status_knows_it() {
    let prefix = redhat("subsys");
    let lock = prefix.path("var/lock/subsys/foobar");
    assert!(prefix.path("etc/rc.d/rc3.d/S50foobar").is_symlink() && !lock.exists());
    prefix.ctl(&["start"]).expect(0);
    assert!(lock.is_file());
    // One that somebody has removed is there again after a start, though there is nothing to start.
    fs::remove_file(&lock).unwrap();
    prefix.ctl(&["start"]).expect(0);
    assert!(lock.is_file());
    let pid = prefix.pid().unwrap();
    let killed = Command::new("kill").args(["-KILL", &pid.to_string()]).status().unwrap();
    assert!(killed.success());
    gone(pid);
    prefix.ctl(&["status"]).expect(1);
    fs::remove_file(prefix.path("var/run/foobar.pid")).unwrap();
    let ran = prefix.ctl(&["--format", "json", "status"]).expect(2);
    assert_eq!(ran.json()["state"], "dead-lock-file");
    assert!(ran.out.contains("lock/subsys/foobar"), "{ran:#?}");
    prefix.ctl(&["stop"]).expect(0);
    assert!(!lock.exists());
    prefix.ctl(&["status"]).expect(3);
}

#[test]
fn its_scripts_keep_it_too() {
    let prefix = redhat("subsys-script");
    let script = prefix.path("etc/rc.d/init.d/foobar");
    let run = |verb: &str| Ran::of(Command::new(&script).arg(verb));
    run("start").expect(0);
    assert!(prefix.path("var/lock/subsys/foobar").is_file());
    // The name of try-restart in older scripts.
    run("condrestart").expect(0);
    run("stop").expect(0);
    assert!(!prefix.path("var/lock/subsys/foobar").exists());
}

#[test]
fn a_standalone_script_keeps_it_by_itself() {
    let prefix = redhat("subsys-alone");
    prefix.ctl(&["--layout", "redhat", "install", "--standalone", "--force"]).expect(0);
    let (script, lock) = (prefix.path("etc/rc.d/init.d/foobar"), prefix.path("var/lock/subsys/foobar"));
    let run = |verb: &str| Ran::of(Command::new(&script).arg(verb));
    run("status").expect(3);
    run("start").expect(0);
    assert!(lock.is_file());
    let pid = prefix.pid().unwrap();
    assert!(Command::new("kill").args(["-KILL", &pid.to_string()]).status().unwrap().success());
    gone(pid);
    run("status").expect(1);
    fs::remove_file(prefix.path("var/run/foobar.pid")).unwrap();
    let ran = run("status").expect(2);
    assert!(ran.out.contains("its lock file"), "{ran:#?}");
    run("stop").expect(0);
    assert!(!lock.exists());
    run("status").expect(3);
}

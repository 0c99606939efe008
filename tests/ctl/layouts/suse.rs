//! What SUSE's insserv does that Debian's does not: kill links in boot.d, `.depend.halt`, and what a header means that does
//! not say all.

use std::fs;

use super::roots::Root;

fn service(root: &Root, name: &str, more: &str) {
    root.write(&format!("etc/foobar/{name}.toml"), &format!("program = \"/usr/sbin/{name}\"\n{more}"));
}

fn depend(root: &Root, file: &str) -> String {
    fs::read_to_string(root.path(&format!("etc/init.d/.depend.{file}"))).unwrap()
}

#[test]
fn what_is_started_at_boot_is_stopped_by_halt() {
    let root = Root::suse();
    // What was there is left as it is: it is right.
    root.ctl(&["install"]).expect(0);
    assert_eq!(depend(&root, "halt"), "TARGETS = boot.localfs boot.udev\nboot.udev: boot.localfs\n");
    assert!(root.path("etc/init.d/boot.d/K01boot.localfs").is_symlink());
    let asks = "runlevels = \"S\"\nrequired-start = [\"boot.localfs\"]\nrequired-stop = [\"boot.localfs\"]\n";
    let before = root.picture();
    service(&root, "early", asks);
    root.ctl(&["install", "early"]).expect(0);
    for link in ["S03early", "K01early", "K02boot.localfs", "K03boot.udev"] {
        assert!(root.path(&format!("etc/init.d/boot.d/{link}")).is_symlink(), "{link}\n{}", root.picture());
    }
    assert_eq!(
        depend(&root, "halt"),
        "TARGETS = early boot.localfs boot.udev\nboot.localfs: early\nboot.udev: boot.localfs\n"
    );
    assert!(!depend(&root, "stop").contains("early"), "{}", depend(&root, "stop"));
    assert!(depend(&root, "boot").contains("early: boot.localfs"));
    root.ctl(&["disable", "early", "--runlevels", "S"]).expect(0);
    assert!(!depend(&root, "halt").contains("early") && !root.picture().contains("boot.d/K01early"));
    root.ctl(&["enable", "early", "--runlevels", "S"]).expect(0);
    assert!(depend(&root, "halt").contains("early") && root.picture().contains("boot.d/K01early"));
    root.ctl(&["uninstall", "early", "--purge"]).expect(0);
    assert_eq!(root.picture(), before);
}

#[test]
fn a_header_that_says_half_is_completed_as_there() {
    let root = Root::suse();
    // No runlevels: 3 and 5. Nothing needed for stopping: what is needed for starting.
    let header = "### BEGIN INIT INFO\n# Provides: bare\n# Required-Start: syslog\n# Required-Stop:\n### END INIT INFO\n";
    crate::support::executable(&root.path("etc/init.d/bare"), &format!("#!/bin/sh\n{header}"));
    root.ctl(&["enable", "bare"]).expect(0);
    let picture = root.picture();
    for link in ["rc3.d/S03bare", "rc5.d/S03bare", "rc3.d/K01bare", "rc5.d/K01bare", "rc3.d/K02syslog"] {
        assert!(picture.contains(link), "{link}\n{picture}");
    }
    assert!(!picture.contains("rc2.d/S03bare") && !picture.contains("rc0.d/"), "{picture}");
    // S is single-user mode, and not the boot: nothing of it is in boot.d.
    root.ctl(&["enable", "kbd"]).expect(0);
    let picture = root.picture();
    assert!(picture.contains("rc3.d/S01kbd") && !picture.contains("boot.d/S01kbd"), "{picture}");
}

//! Which layout a tree has.

use std::fs;

use super::roots::Root;

/// The layout by which a dry run of an install goes: the line of the script that it would write.
fn script(root: &Root) -> String {
    let ran = root.ctl(&["--dry-run", "install"]).expect(0);
    let line = ran.out.lines().find(|line| line.starts_with("create") && line.contains("init.d/"));
    line.unwrap_or_else(|| panic!("{ran:#?}")).split_whitespace().nth(1).unwrap().to_owned()
}

/// What Debian's machines have of the marks of layouts.
fn debian() -> Root {
    let root = Root::empty("debian");
    for path in ["etc/init.d", "etc/rcS.d", "etc/rc2.d", "etc/rc3.d"] {
        fs::create_dir_all(root.path(path)).unwrap();
    }
    root.write("etc/init.d/rcS", "#!/bin/sh\n");
    root
}

#[test]
fn each_tree_is_recognised() {
    assert_eq!(script(&Root::redhat()), "/etc/rc.d/init.d/foobar");
    assert_eq!(script(&Root::lfs()), "/etc/rc.d/init.d/foobar");
    assert_eq!(script(&Root::busybox()), "/etc/init.d/S50foobar");
    assert_eq!(script(&debian()), "/etc/init.d/foobar");
    assert!(Root::suse().ctl(&["--dry-run", "install"]).expect(0).out.contains("/etc/init.d/rc3.d/S"));
    let slackware = Root::slackware().ctl(&["--dry-run", "install"]).expect(0);
    assert!(slackware.out.contains("create  /etc/rc.d/rc.foobar"), "{slackware:#?}");
    let ran = Root::openrc().ctl(&["--dry-run", "install"]).expect(0);
    assert!(ran.out.contains("link    /etc/runlevels/default/foobar -> ../../init.d/foobar"), "{ran:#?}");
    // Without the file that says so in words, too.
    let root = Root::redhat();
    fs::remove_file(root.path("etc/redhat-release")).unwrap();
    assert_eq!(script(&root), "/etc/rc.d/init.d/foobar");
}

#[test]
fn a_debian_with_the_directories_of_another_is_a_debian() {
    let root = debian();
    root.write("etc/debian_version", "12.1\n");
    for path in
        ["etc/rc.d/init.d", "etc/rc.d/rc3.d", "etc/rc.d/rcS.d", "etc/init.d/rc3.d", "etc/init.d/boot.d"]
    {
        fs::create_dir_all(root.path(path)).unwrap();
    }
    assert_eq!(script(&root), "/etc/init.d/foobar");
    let root = Root::busybox();
    root.write("etc/debian_version", "12.1\n");
    let ran = root.ctl(&["install"]).expect(6);
    assert!(ran.err.contains("--layout"), "{ran:#?}");
}

#[test]
fn a_tree_with_the_marks_of_two_is_told_and_not_guessed_at() {
    let root = debian();
    for path in ["etc/rc.d/init.d", "etc/rc.d/rc3.d"] {
        fs::create_dir_all(root.path(path)).unwrap();
    }
    let ran = root.ctl(&["install"]).expect(6);
    assert!(ran.err.contains("the marks of debian and redhat"), "{ran:#?}");
    root.ctl(&["--layout", "redhat", "install"]).expect(0);
    assert!(root.path("etc/rc.d/rc3.d/S50foobar").is_symlink());
}

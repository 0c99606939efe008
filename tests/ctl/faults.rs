//! Disks that are full, directories that cannot be written, runs that hang: what is said, and what is left.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::process::Command;

use foobar_tests::until;

use crate::support::{FOOBARCTL, LIMIT, Prefix, Ran, executable, is_root};

/// A shell line in a mount namespace of its own, with foobarctl as `$ctl` and the prefix as `$top`.
fn private(prefix: &Prefix, line: &str) -> Ran {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-c", line]);
    Ran::of(command.env("ctl", FOOBARCTL).env("top", prefix.sandbox.path()))
}

/// Whether mount namespaces can be had.
fn possible(prefix: &Prefix) -> bool {
    let able = is_root() && private(prefix, "mount -t tmpfs none \"$top\"").code == Some(0);
    if !able {
        foobar_tests::skip("a mount namespace of its own needs root");
    }
    able
}

#[test]
fn a_disk_that_is_really_full_leaves_no_temporary_file() {
    let prefix = Prefix::empty("full");
    if !possible(&prefix) {
        return;
    }
    // Room for none, one or two of the three files that are written; then for too few names.
    for size in ["size=4k", "size=8k", "size=1m,nr_inodes=10", "size=1m,nr_inodes=20"] {
        let line = format!(
            "mount -t tmpfs -o {size} none \"$top\" && \"$ctl\" --prefix \"$top\" install; code=$?; \
             find \"$top\" -name '.foobarctl*'; mount -o remount,size=1m,nr_inodes=1000 \"$top\" && \
             \"$ctl\" --prefix \"$top\" install && \"$ctl\" --prefix \"$top\" install; exit $code"
        );
        let ran = private(&prefix, &line).expect(1);
        assert!(
            ran.err.contains("No space left") && ran.err.contains("running the same command again"),
            "{ran:#?}"
        );
        assert!(!ran.out.contains(".foobarctl"), "{size}: a temporary file is left: {ran:#?}");
        assert!(
            ran.out.contains("installed foobar") && ran.out.contains("nothing to do"),
            "{size}: {ran:#?}"
        );
    }
}

#[test]
fn a_disk_that_cannot_be_written_is_told() {
    let prefix = Prefix::installed("read-only");
    if !possible(&prefix) {
        return;
    }
    let line = "mount --bind \"$top\" \"$top\" && mount -o remount,bind,ro \"$top\" && cd / && \
                \"$ctl\" --prefix \"$top\" uninstall";
    let ran = private(&prefix, line).expect(1);
    assert!(ran.err.contains("Read-only file system"), "{ran:#?}");
    assert!(prefix.path("etc/init.d/foobar").exists());
}

#[test]
fn stop_works_where_nothing_can_be_written() {
    let prefix = Prefix::installed("ro-stop");
    if !possible(&prefix) {
        return;
    }
    prefix.ctl(&["start"]).expect(0);
    let line = "mount --bind \"$top\" \"$top\" && mount -o remount,bind,ro \"$top\" && cd / && \
                \"$ctl\" --prefix \"$top\" stop";
    let pid = prefix.pid().unwrap();
    let ran = private(&prefix, line);
    assert!(!crate::support::alive(pid), "{ran:#?}");
    prefix.ctl(&["stop"]).expect(0);
}

/// What foobarctl has sent to a logger of our own while it ran with these arguments, and how it ended.
fn logged(prefix: &Prefix, arguments: &str) -> (Ran, String) {
    let device = prefix.path("dev");
    let _ = fs::remove_dir_all(&device);
    fs::create_dir(&device).unwrap();
    let logger = UnixDatagram::bind(device.join("log")).unwrap();
    logger.set_nonblocking(true).unwrap();
    let line = format!(
        "touch \"$top/dev/null\" && mount --bind /dev/null \"$top/dev/null\" && mount --rbind \"$top/dev\" /dev && \
         \"$ctl\" --prefix \"$top\" {arguments}"
    );
    let ran = private(prefix, &line);
    let (mut text, mut line) = (String::new(), [0; 4096]);
    while let Ok(length) = logger.recv(&mut line) {
        text.push_str(&String::from_utf8_lossy(&line[..length]));
    }
    (ran, text)
}

#[test]
fn what_goes_wrong_is_in_syslog_in_the_same_words() {
    let prefix = Prefix::empty("syslog");
    if !possible(&prefix) {
        return;
    }
    prefix.service("broken", "programm = \"/bin/true\"\n");
    prefix.service("absent", "program = \"/nonexistent/x\"\ntype = \"forking\"\n");
    for (verb, code) in [("start broken", 6), ("start absent", 5), ("reload nowhere", 5), ("stop broken", 6)]
    {
        let (ran, log) = logged(&prefix, verb);
        let reason = ran.expect(code).err;
        let reason = reason.trim_end().strip_prefix("foobarctl: ").unwrap();
        assert!(log.contains("foobarctl[") && log.contains(&format!("{verb}: {reason}")), "{log}");
    }
    let (_, log) = logged(&prefix, "start broken --dry-run");
    assert_eq!(log, "");
}

#[test]
fn a_kill_is_in_syslog() {
    let prefix = Prefix::empty("syslog-kill");
    if !possible(&prefix) {
        return;
    }
    let program = prefix.path("deaf");
    executable(&program, "#!/bin/sh\ntrap '' TERM\n: >\"$1\"\nwhile :; do sleep 1; done\n");
    let (file, mark) = (prefix.path("deaf.pid"), prefix.path("mark"));
    let mut deaf = Command::new(&program).arg(&mark).spawn().unwrap();
    until("a trap", LIMIT, || mark.exists().then_some(()));
    fs::write(&file, format!("{}\n", deaf.id())).unwrap();
    let (program, file) = (program.display(), file.display());
    prefix.service(
        "deaf",
        &format!("program = \"{program}\"\ntype = \"forking\"\npid-file = \"{file}\"\nstop-timeout = 1\n"),
    );
    let (ran, log) = logged(&prefix, "stop deaf --quiet");
    assert!(ran.expect(0).err.contains("was killed"));
    assert!(log.contains("was killed after 1.") && log.contains("within 1 s of SIGTERM"), "{log}");
    deaf.wait().unwrap();
}

#[test]
fn what_stands_in_the_way_is_named() {
    let prefix = Prefix::empty("way");
    fs::create_dir_all(prefix.path("etc/init.d/foobar")).unwrap();
    let ran = prefix.ctl(&["install"]).expect(0);
    assert!(ran.err.contains("/etc/init.d/foobar is no regular file and is kept"), "{ran:#?}");
    let prefix = Prefix::empty("way-file");
    fs::write(prefix.path("etc"), "").unwrap();
    let ran = prefix.ctl(&["install"]);
    assert!(ran.code == Some(1) && ran.err.contains("/etc"), "{ran:#?}");
}

#[test]
fn odd_things_among_the_scripts_do_not_stop_an_install() {
    let prefix = Prefix::empty("odd");
    let scripts = prefix.path("etc/init.d");
    fs::create_dir_all(scripts.join("directory")).unwrap();
    Ran::of(Command::new("mkfifo").arg(scripts.join("fifo"))).expect(0);
    std::os::unix::fs::symlink("/nowhere/at/all", scripts.join("dangling")).unwrap();
    std::os::unix::fs::symlink("self", scripts.join("self")).unwrap();
    fs::write(scripts.join("not\nexecutable"), "x").unwrap();
    fs::write(scripts.join("huge"), vec![b'#'; 9 << 20]).unwrap();
    fs::set_permissions(scripts.join("huge"), fs::Permissions::from_mode(0o755)).unwrap();
    let odd = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"not\xffutf8");
    fs::write(scripts.join(odd), "x").unwrap();
    prefix.ctl(&["install"]).expect(0);
    prefix.ctl(&["list"]).expect(0);
}

#[test]
fn what_a_killed_run_has_left_is_cleared_by_the_next() {
    let prefix = Prefix::installed("left");
    for directory in ["etc", "etc/init.d", "etc/rc2.d", "etc/foobar"] {
        fs::write(prefix.path(directory).join(".foobarctl-new"), "half").unwrap();
    }
    assert!(prefix.ctl(&["install"]).expect(0).out.contains("nothing to do"));
    let line = "find \"$top\" -name '.foobarctl*'";
    let ran = Ran::of(Command::new("sh").args(["-c", line]).env("top", prefix.sandbox.path())).expect(0);
    assert_eq!(ran.out, "");
}

//! Proves the testbed itself: that what it boots behaves like a machine with sysvinit, and that the worst
//! done inside does not reach the machine that runs the tests. A stub stands for the service; the real
//! one is booted by `tests/boot`.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use foobar_tests::{Testbed, until};

const SCRIPT: &str = include_str!("stub.sh");

/// A system whose one service writes down how it was called.
fn system(name: &str) -> Option<Testbed> {
    let bed = Testbed::new(name)?;
    bed.put("/etc/init.d/stub", SCRIPT.as_bytes(), 0o755);
    let made = bed.offline("update-rc.d stub defaults");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stdout));
    Some(bed)
}

fn calls(bed: &Testbed) -> String {
    bed.read("/var/lib/stub").unwrap_or_default()
}

#[test]
fn a_real_sysvinit_goes_through_its_life() {
    let Some(mut bed) = system("life") else { return };
    bed.boot();
    assert_eq!(bed.level().1, "2");
    assert_eq!(bed.ok("readlink /proc/1/exe"), "/usr/sbin/init");
    assert_eq!(bed.ok("runlevel"), "N 2");
    assert_eq!(calls(&bed), "start N 2\n", "started by its S link");

    bed.runlevel('3');
    assert_eq!(calls(&bed), "start N 2\n", "a level that has the S link as well starts nothing again");
    bed.runlevel('1');
    assert_eq!(calls(&bed), "start N 2\nstop 3 1\n");
    bed.runlevel('2');
    assert_eq!(calls(&bed), "start N 2\nstop 3 1\nstart S 2\n");

    let before = bed.ok("cat /proc/sys/kernel/random/boot_id");
    bed.reboot();
    assert_ne!(bed.ok("cat /proc/sys/kernel/random/boot_id"), before, "a new boot id");
    assert!(calls(&bed).ends_with("start S 2\nstop 2 6\nstart N 2\n"), "{}", calls(&bed));
    bed.kill();
    bed.boot();
    bed.shutdown();
    assert!(calls(&bed).ends_with("start N 2\nstart N 2\nstop 2 0\n"), "{}", calls(&bed));
    assert!(bed.console().contains("Will now halt"), "{}", bed.console());
}

#[test]
fn commands_and_files_pass_both_ways() {
    let Some(mut bed) = system("commands") else { return };
    bed.boot();
    let outcome = bed.run("echo out; echo err >&2; exit 7");
    assert_eq!((outcome.status, outcome.stdout.as_str(), outcome.stderr.as_str()), (7, "out\n", "err\n"));
    assert_eq!(bed.run("kill -KILL $$").status, 137);
    // A daemon that keeps the output open does not keep the command.
    bed.ok("setsid tail -f /dev/null & echo started");
    bed.put("/var/lib/data", b"from outside", 0o600);
    assert_eq!(bed.ok("cat /var/lib/data"), "from outside");
    bed.ok("logger -t testbed a line for the log");
    until("the line in syslog", Duration::from_secs(30), || {
        bed.read("/var/log/syslog")?.contains("testbed: a line for the log").then_some(())
    });
    // Both ends of the network that the services see are their own.
    assert_eq!(bed.ok("cat /sys/class/net/lo/operstate; ls /sys/class/net"), "unknown\nlo");
}

#[test]
fn nothing_inside_reaches_the_machine_below() {
    let Some(mut bed) = system("worst") else { return };
    let machine = || {
        let knobs = ["protected_hardlinks", "protected_symlinks"]
            .map(|name| fs::read(format!("/proc/sys/fs/{name}")).unwrap());
        (
            fs::read_to_string("/proc/self/mounts").unwrap(),
            knobs,
            fs::read_to_string("/proc/sys/kernel/hostname").unwrap(),
        )
    };
    let before = machine();
    bed.boot();
    let init = bed.init();
    for refused in [
        "date -s 2020-01-01",
        "echo 0 >/proc/sys/kernel/panic",
        "mknod /tmp/disk b 254 0",
        "echo b >/proc/sysrq-trigger",
    ] {
        let outcome = bed.run(refused);
        assert!(outcome.status != 0 || refused.contains("sysrq"), "{refused}: {outcome:?}");
    }
    let _ = bed.run(
        "cd /dev/shm; umount -a -r; for at in / /dev /dev/pts /sys /proc; do mount -o remount,ro $at; done",
    );
    assert_eq!(machine(), before);
    let directories = leftovers(init);
    assert!(directories.iter().all(|path| path.exists()), "{directories:?}");
    drop(bed);
    assert!(directories.iter().all(|path| !path.exists()), "left: {directories:?}");
    // Dead at once; how soon it is buried depends on who inherits it here.
    until("the burial of PID 1", Duration::from_secs(10), || {
        (!Path::new(&format!("/proc/{init}")).exists()).then_some(())
    });
    assert_eq!(machine(), before);
}

#[test]
fn nothing_outlives_a_test_that_is_killed() {
    let mut keeper = Command::new(env!("CARGO_BIN_EXE_testbed"));
    let mut keeper = keeper.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut init = String::new();
    BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut init).unwrap();
    if init.is_empty() {
        // It has said why no system can be booted here.
        assert!(keeper.wait().unwrap().success());
        return;
    }
    let init = init.trim().parse().unwrap();
    let directories = leftovers(init);
    let name = directories[0].file_name().unwrap().to_str().unwrap().to_owned();
    // The links of the chain name its directory; what runs inside is in its cgroup.
    let processes = || {
        let inside = fs::read_to_string(directories[0].join("cgroup.procs")).unwrap_or_default();
        let chain = fs::read_dir("/proc").unwrap().flatten().filter(|entry| {
            let file = |of: &str| fs::read(entry.path().join(of)).unwrap_or_default();
            [file("cmdline"), file("environ")]
                .iter()
                .any(|text| String::from_utf8_lossy(text).contains(&name))
        });
        (inside.lines().count(), chain.count())
    };
    let (inside, chain) = processes();
    assert!(inside >= 2 && chain >= 2, "{inside} {chain}");

    keeper.kill().unwrap();
    keeper.wait().unwrap();
    until("the end of all processes", Duration::from_secs(10), || (processes() == (0, 0)).then_some(()));
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    assert!(!mounts.contains(&name), "{mounts}");
    // What a killed process cannot remove, the next test removes.
    let next = Testbed::new("next").unwrap();
    assert!(directories.iter().all(|path| !path.exists()), "left: {directories:?}");
    drop(next);
}

/// What a system has on the machine besides its processes: its cgroup and its files.
fn leftovers(init: u32) -> Vec<PathBuf> {
    let cgroup = fs::read_to_string(format!("/proc/{init}/cgroup")).unwrap();
    let own =
        cgroup.lines().find_map(|line| line.strip_prefix("0::/")).filter(|own| own.starts_with("foobar-"));
    let name = own.unwrap().to_owned();
    let mounts = fs::read_to_string("/proc/mounts").unwrap();
    let tree =
        mounts.lines().find(|line| line.contains(" cgroup2 ")).unwrap().split(' ').nth(1).unwrap().to_owned();
    let run = Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/run").join(&name);
    vec![Path::new(&tree).join(&name), run]
}

//! foobar on a Debian whose init scripts OpenRC runs: below sysvinit, with its own runlevels and its own record of what
//! was started. OpenRC takes the place of Debian's rc in the system of this test alone.

use std::fs;
use std::process::Command;

use foobar_tests::{Testbed, skip, source_tree};

use crate::system::{assert_down, assert_up, pid, with_programs};

const PACKAGES: [&str; 3] = ["libeinfo1", "librc1", "openrc"];

/// Not booted yet.
fn system(name: &str) -> Option<Testbed> {
    let bed = with_programs(name)?;
    let directory = source_tree().join("tests/.cache/openrc");
    fs::create_dir_all(&directory).unwrap();
    let fetch = || {
        let mut command = Command::new("apt-get");
        command.args(["-qq", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=3", "download"]);
        command.args(PACKAGES).current_dir(&directory).status().is_ok_and(|status| status.success())
    };
    // The lists may be older than the mirror.
    let update =
        || Command::new("apt-get").args(["-qq", "update"]).status().is_ok_and(|status| status.success());
    if !(fetch() || update() && fetch()) {
        skip("the package openrc cannot be fetched: apt-get needs a Debian mirror");
        return None;
    }
    for package in PACKAGES {
        let own = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap());
        let mut files: Vec<_> = own
            .filter(|file| file.file_name().to_string_lossy().starts_with(&format!("{package}_")))
            .collect();
        files.sort_by_key(|file| file.metadata().unwrap().modified().unwrap());
        let newest = files.last().unwrap_or_else(|| panic!("{package} was fetched and is not there"));
        bed.put(&format!("/debs/{package}.deb"), &fs::read(newest.path()).unwrap(), 0o644);
    }
    let install = "dpkg --force-depends --remove sysv-rc && dpkg --install /debs/*.deb";
    let output = bed.offline(&format!("{install} 2>&1"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    Some(bed)
}

/// The word of rc-status for foobar.
fn state(bed: &Testbed) -> String {
    let text = bed.ok("rc-status --nocolor --all 2>/dev/null || rc-status --all");
    let line =
        text.lines().find(|line| line.trim_start().starts_with("foobar ")).unwrap_or_default().to_owned();
    line.trim_end().trim_end_matches(']').rsplit('[').next().unwrap_or_default().trim().to_owned()
}

#[test]
fn openrc_starts_and_stops_it() {
    let Some(mut bed) = system("openrc") else { return };
    let made = bed.offline("foobarctl install 2>&1");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stdout));
    assert_eq!(bed.offline("readlink /etc/runlevels/default/foobar").stdout, b"../../init.d/foobar\n");
    bed.boot();
    assert_eq!(bed.ok("rc-status --runlevel"), "default");
    assert_up(&bed);
    assert_eq!(state(&bed), "started", "{}", bed.ok("rc-status --all"));

    // By its verbs, and by ours, which OpenRC is told of.
    bed.ok("rc-service foobar status");
    bed.ok("rc-service foobar stop");
    assert_down(&bed);
    assert_eq!(state(&bed), "stopped");
    bed.ok("foobarctl start");
    assert_up(&bed);
    assert_eq!(state(&bed), "started");
    bed.ok("rc-service foobar reload");
    // What an administrator sets for OpenRC counts.
    let soft_limit =
        |bed: &Testbed| bed.ok(&format!("awk '/^Max open files/ {{ print $4 }}' /proc/{}/limits", pid(bed)));
    bed.ok("echo 'rc_ulimit=\"-n 777\"' >>/etc/conf.d/foobar && rc-service foobar restart");
    assert_eq!(soft_limit(&bed), "777");
    assert!(assert_up(&bed) > 1);
    bed.ok("foobarctl stop");
    assert_eq!(state(&bed), "stopped");
    bed.ok("foobarctl start");

    // It is stopped by its script when the machine goes down, and started when it comes up.
    bed.shutdown();
    assert!(bed.console().contains("Stopping foobar"), "{}", bed.console());
    bed.boot();
    assert_up(&bed);
    assert!(bed.ok("foobarctl list --ours").contains(" default "));

    bed.ok("foobarctl disable");
    assert_eq!(bed.run("rc-update show default | grep foobar").stdout, "");
    assert_up(&bed);
    bed.reboot();
    assert_down(&bed);
    bed.ok("foobarctl enable");
    bed.ok("foobarctl install --standalone --force");
    bed.reboot();
    assert_up(&bed);
    // With the arguments and the patience of the administrator, which are not those of the script.
    bed.ok("cp /etc/foobard.toml /etc/other.toml");
    bed.ok("echo 'command_args=\"--config /etc/other.toml --pid-file /var/run/foobar.pid\"' >>/etc/conf.d/foobar");
    bed.ok("rc-service foobar restart");
    assert_up(&bed);
    let line = bed.ok(&format!("tr '\\0' ' ' </proc/{}/cmdline", pid(&bed)));
    assert!(line.contains("--config /etc/other.toml"), "{line}");
    bed.ok("rc-service foobar stop");
    assert_down(&bed);
    let told = bed.run("foobarctl uninstall");
    assert!(told.status == 0 && told.stderr.contains("/etc/conf.d/foobar was"), "{told:?}");
    assert_eq!(bed.run("ls -d /etc/init.d/foobar /etc/runlevels/*/foobar").stdout, "");
    bed.ok("foobarctl uninstall --purge && [ ! -e /etc/conf.d/foobar ]");
    bed.shutdown();
}

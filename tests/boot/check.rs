//! `foobarctl check` on a Debian that runs: nothing is said that is not so. Each finding that Debian's own scripts give
//! is written down here with the reason why it is true.

use crate::system::installed;

/// Code, file and a word of the message.
const TRUE_OF_DEBIAN: [(&str, &str, &str); 9] = [
    // Its Should-Start has two blanks before the last word, and insserv's .depend.boot does not have that dependency.
    ("list-cut", "/etc/init.d/mountnfs.sh", "udev-mtab"),
    // Its case has start, stop, restart and force-reload alone.
    ("status-missing", "/etc/init.d/mount-configfs", "status"),
    // rsyslog requires $time, which is hwclock, and nothing here provides that.
    ("facility-empty", "/etc/insserv.conf", "$time"),
    // foobar waits for $network, and the machine of the tests gets its network from outside.
    ("facility-empty", "/etc/insserv.conf", "$network"),
    // They print, and do not read the functions.
    ("functions-missing", "/etc/init.d/bootlogs", "init-functions"),
    ("functions-missing", "/etc/init.d/checkroot-bootclean.sh", "init-functions"),
    ("functions-missing", "/etc/init.d/mountall-bootclean.sh", "init-functions"),
    ("functions-missing", "/etc/init.d/mountnfs-bootclean.sh", "init-functions"),
    ("functions-missing", "/etc/init.d/rmnologin", "init-functions"),
];

#[test]
fn a_debian_that_runs_gives_no_false_alarm() {
    let Some(bed) = installed("check") else { return };
    bed.ok("foobarctl start");
    let outcome = bed.run("foobarctl check --ask --fail-on never");
    assert_eq!(outcome.status, 0, "{outcome:?}");
    let findings: Vec<&str> =
        outcome.stdout.lines().filter(|line| line.starts_with("/etc") && line.ends_with(']')).collect();
    let unexpected: Vec<&&str> = findings
        .iter()
        .filter(|line| {
            !TRUE_OF_DEBIAN.iter().any(|(code, file, word)| {
                line.ends_with(&format!("[{code}]"))
                    && line.starts_with(&format!("{file}:"))
                    && line.contains(word)
            })
        })
        .collect();
    assert!(unexpected.is_empty(), "{unexpected:#?}\n{}", outcome.stdout);
    assert_eq!(findings.len(), TRUE_OF_DEBIAN.len(), "{findings:#?}");
    let summary = outcome.stdout.lines().last().unwrap();
    assert!(summary.contains("1 error, 1 warning, 7 notes"), "{summary}");
}

#[test]
fn what_goes_wrong_on_a_running_machine_is_found() {
    let Some(bed) = installed("check-faults") else { return };
    bed.ok("foobarctl start");
    bed.ok("foobarctl check foobar --fail-on note");
    bed.ok("kill -9 $(cat /run/foobar.pid); while kill -0 $(cat /run/foobar.pid) 2>/dev/null; do :; done");
    bed.ok("rm /etc/rc3.d/S*foobar; ln -s ../init.d/gone /etc/rc2.d/S05gone; sed -i 's/ foobar//' /etc/init.d/.depend.start");
    let outcome = bed.run("foobarctl check foobar gone --ask");
    assert_eq!(outcome.status, 1, "{outcome:?}");
    for code in ["pid-file-stale", "links-differ", "link-dangling", "depend-missing"] {
        assert!(outcome.stdout.contains(&format!("[{code}]")), "{code}: {outcome:?}");
    }
}

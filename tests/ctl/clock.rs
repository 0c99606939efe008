//! A clock that is set by hours, as on machines without one of their own once they reach the network. It is that of the whole machine
//! and not set here: files get the times that they would have by another.

use std::fs;
use std::time::{Duration, SystemTime};

use crate::support::{Prefix, alive, executable};

/// Writes its PID file, which it does not lock, and goes into the background.
const LEGACY: &str = "#!/bin/sh\n(while :; do sleep 1; done) </dev/null >/dev/null 2>&1 &\necho $! >\"$1\"\n";

#[test]
fn a_daemon_that_does_not_lock_is_known_after_the_clock_was_set() {
    let prefix = Prefix::empty("clock");
    let program = prefix.path("legacy");
    executable(&program, LEGACY);
    let pid_file = prefix.show("var/run/legacy.pid");
    fs::create_dir_all(prefix.path("var/run")).unwrap();
    let text = format!(
        "program = \"{}\"\ntype = \"forking\"\narguments = [\"{pid_file}\"]\npid-file = \"{pid_file}\"\n",
        program.display()
    );
    prefix.service("legacy", &text);
    prefix.ctl(&["start", "legacy"]).expect(0);
    let pid: u32 = fs::read_to_string(&pid_file).unwrap().trim().parse().unwrap();
    let hours = |count: u64| Duration::from_secs(count * 3600);
    let now = SystemTime::now();
    for written in [now - hours(5), now + hours(5), now - hours(500_000 / 24)] {
        fs::File::options().write(true).open(&pid_file).unwrap().set_modified(written).unwrap();
        prefix.ctl(&["status", "legacy"]).expect(0);
        let ran = prefix.ctl(&["start", "legacy"]).expect(0);
        assert_eq!(ran.out, format!("legacy is already running (PID {pid})\n"));
    }
    prefix.ctl(&["stop", "legacy"]).expect(0);
    assert!(!alive(pid));
    prefix.ctl(&["status", "legacy"]).expect(3);
}

//! A system that has the shipped programs in /usr/sbin, and what every test here asks of it.

use std::fs;
use std::time::Duration;

use foobar_tests::{Testbed, shipped, until};

/// Longest wait for something that takes milliseconds.
pub const SOON: Duration = Duration::from_secs(10);

/// Not booted yet; nothing of foobar is there but the two programs.
pub fn with_programs(name: &str) -> Option<Testbed> {
    let bed = Testbed::new(name)?;
    for program in ["foobard", "foobarctl"] {
        bed.put(&format!("/usr/sbin/{program}"), &fs::read(shipped().join(program)).unwrap(), 0o755);
    }
    Some(bed)
}

/// Booted, with foobar installed while it ran, and not started yet.
pub fn installed(name: &str) -> Option<Testbed> {
    let mut bed = with_programs(name)?;
    bed.boot();
    bed.ok("foobarctl install --runlevels 2345");
    Some(bed)
}

/// PID that the PID file names, inside.
pub fn pid(bed: &Testbed) -> u32 {
    let text = bed.read("/run/foobar.pid").expect("a PID file");
    text.strip_suffix('\n')
        .and_then(|number| number.parse().ok())
        .unwrap_or_else(|| panic!("not a PID file: {text:?}"))
}

/// True if foobard answers; it is asked over TCP, from inside.
pub fn answers(bed: &Testbed) -> bool {
    let client = "exec 3<>/dev/tcp/127.0.0.1/4007 && echo a token >&3 && read -r line <&3 && [ \"$line\" = 'a token' ]";
    bed.run(&format!("timeout 5 bash -c '{}'", client.replace('\'', "'\\''"))).status == 0
}

/// Fails unless foobard runs, answers, and `status` agrees.
pub fn assert_up(bed: &Testbed) -> u32 {
    let status = bed.run("foobarctl status");
    assert_eq!(status.status, 0, "{status:?}");
    assert!(answers(bed), "foobard does not answer");
    let pid = pid(bed);
    assert!(status.stdout.contains(&pid.to_string()), "{status:?} names another process than {pid}");
    pid
}

/// Fails unless no foobard runs and `status` says so.
pub fn assert_down(bed: &Testbed) {
    let status = bed.run("foobarctl status");
    assert_eq!(status.status, 3, "{status:?}");
    assert_eq!(bed.run("pgrep -x foobard").stdout, "", "a foobard runs");
}

/// Lines of syslog that hold all of `words`, as soon as there are any.
pub fn logged(bed: &Testbed, words: &[&str]) -> Vec<String> {
    until(&format!("{words:?} in syslog"), SOON, || {
        let log = bed.read("/var/log/syslog")?;
        let lines = log.lines().filter(|line| words.iter().all(|word| line.contains(word)));
        let lines: Vec<String> = lines.map(str::to_owned).collect();
        (!lines.is_empty()).then_some(lines)
    })
}

/// What an init sees of services: each link of /etc/rc?.d with its target, and startpar's files.
pub const ORDER: &str =
    "cd /etc && find rc?.d -type l -printf '%p -> %l\\n' | sort && head -n 999 init.d/.depend.*";

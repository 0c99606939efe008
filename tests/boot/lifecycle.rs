//! Install, boot, shut down: foobar comes up through its start link under startpar and goes through its
//! kill link inside init's grace.

use std::time::Instant;

use crate::system::{assert_down, assert_up, installed, logged, pid, with_programs};

#[test]
fn an_installed_service_is_up_after_a_boot() {
    let Some(mut bed) = installed("up") else { return };
    assert_down(&bed);
    bed.reboot();
    let pid = assert_up(&bed);

    // startpar runs what its files name, whatever links there are; a shell loop over the links did not.
    let console = bed.console();
    assert!(console.contains("Using makefile-style concurrent boot in runlevel 2."), "{console}");
    assert!(console.contains(&format!("started foobar (PID {pid})")), "{console}");

    // A child of init and of nobody else, in a session of its own, with no terminal.
    let stat = bed.ok(&format!("cat /proc/{pid}/stat"));
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    let (parent, group, session, terminal) = (fields[1], fields[2], fields[3], fields[4]);
    assert_eq!((parent, terminal), ("1", "0"), "{stat}");
    assert_eq!(group, session, "{stat}");
    assert_ne!(session, "1", "{stat}");
    assert_ne!(session, pid.to_string(), "a session leader could acquire a terminal: {stat}");
    for descriptor in 0..3 {
        assert_eq!(bed.ok(&format!("readlink /proc/{pid}/fd/{descriptor}")), "/dev/null");
    }
    // What init and rc put into the environment of scripts is not for the daemon.
    let environment = bed.ok(&format!("tr '\\0' '\\n' </proc/{pid}/environ"));
    for name in ["RUNLEVEL", "PREVLEVEL", "INIT_VERSION", "CONSOLE"] {
        assert!(!environment.contains(&format!("{name}=")), "{environment}");
    }
}

#[test]
fn the_kill_link_ends_it_inside_the_grace_of_init() {
    let Some(mut bed) = with_programs("grace") else { return };
    // Installed into the files of a machine that is off, as an image builder does.
    let output = bed.offline("foobarctl install --runlevels 2345");
    assert!(output.status.success(), "{output:?}");
    bed.boot();
    let pid = assert_up(&bed);
    // A client that keeps its connection open must not hold the shutdown up.
    bed.ok("bash -c 'exec 3<>/dev/tcp/127.0.0.1/4007; echo x >&3; read -r x <&3; exec setsid sleep 1000 <&3 >/dev/null 2>&1' &");
    let from = Instant::now();
    bed.shutdown();
    let took = from.elapsed();
    assert!(took.as_secs() < 15, "the shutdown took {took:?}");
    eprintln!("shutdown with an open connection: {took:?}");

    let console = bed.console();
    let stopped = console.find("foobar").expect("the kill script speaks on the console");
    let killed =
        console.find("Asking all remaining processes to terminate").expect("sendsigs speaks on the console");
    assert!(stopped < killed, "sendsigs came before the kill link:\n{console}");
    let log = bed.read("/var/log/syslog").unwrap();
    let told = log.lines().rfind(|line| line.contains("init: Switching to runlevel: 0")).expect("init logs");
    let said: Vec<&str> = log.lines().filter(|line| line.contains(&format!("foobard[{pid}]:"))).collect();
    assert!(said.iter().any(|line| line.contains("TERM")), "{log}");
    // Longer than this init waits for nobody.
    let grace = seconds(said.last().unwrap()) - seconds(told);
    assert!((0.0..5.0).contains(&grace), "{grace} s\n{log}");
}

/// Seconds after midnight, of the RFC 3339 time stamp that a line of syslog begins with.
fn seconds(line: &str) -> f64 {
    let time = line.split(['T', '+']).nth(1).expect("a time stamp");
    time.split(':').fold(0.0, |sum, part| sum * 60.0 + part.parse::<f64>().unwrap())
}

#[test]
fn messages_arrive_in_a_real_syslog() {
    let Some(bed) = installed("syslog") else { return };
    bed.ok("foobarctl start");
    let pid = pid(&bed);
    // Host, ident, PID, as RFC 3164 has them.
    let lines = logged(&bed, &[&format!(" testbed foobard[{pid}]: ")]);
    assert!(!lines[0].contains("#012"), "{lines:?}");
    // Facility daemon: Debian sends it to daemon.log where that is configured apart.
    bed.ok("echo 'daemon.* /var/log/only-daemon' >/etc/rsyslog.d/daemon.conf && service rsyslog restart");
    bed.ok("foobarctl reload");
    foobar_tests::until("a line of facility daemon", crate::system::SOON, || {
        bed.read("/var/log/only-daemon").filter(|log| log.contains(&format!("foobard[{pid}]: ")))
    });

    // A start that fails says why on the terminal and in syslog alike.
    bed.ok("foobarctl stop");
    bed.ok("cp /etc/foobard.toml /tmp/good && echo 'listne = 1' >>/etc/foobard.toml");
    let failed = bed.run("/etc/init.d/foobar start");
    assert_eq!(failed.status, 6, "{failed:?}");
    assert!(failed.stderr.contains("listne"), "{failed:?}");
    logged(&bed, &["foobar", "listne"]);
    bed.ok("cp /tmp/good /etc/foobard.toml && foobarctl start");
    assert_up(&bed);
}

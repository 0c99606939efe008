//! A Slackware of our own making: a real sysvinit that runs rc.S, rc.M and rc.6 by the rules that Slackware's inittab and
//! these files publish: what is executable is run, rc.local last of all, and rc.local_shutdown before all is stopped.

use foobar_tests::Testbed;

use crate::system::{answers, assert_down, assert_up, pid, with_programs};

/// rc.0 is a link to rc.6.
const INITTAB: &str = "\
id:3:initdefault:
si:S:sysinit:/etc/rc.d/rc.S
su:1S:wait:/etc/rc.d/rc.K
rc:2345:wait:/etc/rc.d/rc.M
l0:0:wait:/etc/rc.d/rc.0
l6:6:wait:/etc/rc.d/rc.6
m3:3:once:/usr/local/lib/testbed/mark 3
m4:4:once:/usr/local/lib/testbed/mark 4
";

const RC_M: &str = r#"#!/bin/sh
if [ -x /etc/rc.d/rc.syslog ]; then
  sh /etc/rc.d/rc.syslog start
fi
if [ -x /etc/rc.d/rc.off ]; then
  sh /etc/rc.d/rc.off start
fi
if [ -x /etc/rc.d/rc.local ]; then
  @CALL@ /etc/rc.d/rc.local
fi
"#;

const RC_6: &str = r#"#!/bin/sh
if [ -x /etc/rc.d/rc.local_shutdown ]; then
  /etc/rc.d/rc.local_shutdown stop
fi
if [ -x /etc/rc.d/rc.syslog ]; then
  sh /etc/rc.d/rc.syslog stop
fi
case $0 in
*0) halt -d -f -i -p ;;
*) reboot -d -f -i ;;
esac
"#;

const RC_LOCAL: &str =
    "#!/bin/sh\n# /etc/rc.d/rc.local:  Local system initialization script.\necho 'rc.local: mine'\n";

/// Turns a system that is down into a Slackware that boots into runlevel 3; rc.M calls rc.local with this word before it.
fn slackware(name: &str, call: &str) -> Option<Testbed> {
    let bed = with_programs(name)?;
    let made = bed.offline(
        "set -e; rm -rf /etc/rc?.d /etc/init.d /etc/insserv* /etc/debian_version
         mkdir -p /etc/rc.d/init.d; ln -s rc.d/init.d /etc/init.d; ln -s rc.6 /etc/rc.d/rc.0
         echo 'Slackware 15.0' >/etc/slackware-version",
    );
    assert!(made.status.success(), "{made:?}");
    bed.put("/etc/inittab", INITTAB.as_bytes(), 0o644);
    let script = |name: &str, text: &str, mode: u32| {
        bed.put(&format!("/etc/rc.d/{name}"), text.as_bytes(), mode);
    };
    script("rc.S", "#!/bin/sh\necho 'rc.S: boot'\n", 0o755);
    script("rc.K", "#!/bin/sh\n", 0o755);
    script("rc.M", &RC_M.replace("@CALL@", call), 0o755);
    script("rc.6", RC_6, 0o755);
    script("rc.syslog", "#!/bin/sh\necho \"rc.syslog: $1\"\n", 0o755);
    script("rc.off", "#!/bin/sh\necho \"rc.off: $1\"\n", 0o644);
    script("rc.local", RC_LOCAL, 0o755);
    Some(bed)
}

/// Fails unless all are there, each after the one before.
fn in_order(text: &str, words: &[&str]) {
    let mut rest = text;
    for word in words {
        let at = rest.find(word).unwrap_or_else(|| panic!("{word:?} is not in its place in\n{text}"));
        rest = &rest[at..];
    }
}

fn offline(bed: &Testbed, command: &str) {
    let output = bed.offline(command);
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn rc_local_starts_it_and_rc_local_shutdown_stops_it() {
    let Some(mut bed) = slackware("slackware", "") else { return };
    offline(&bed, "foobarctl install --runlevels 2345");
    offline(&bed, "foobarctl install sleeper --requires foobar -- /bin/sleep 1000");
    bed.boot();
    let first = assert_up(&bed);
    bed.ok("foobarctl status sleeper && [ $(cat /proc/1/comm) = init ]");
    in_order(
        &bed.console(),
        &["rc.S: boot", "rc.syslog: start", "rc.local: mine", "started foobar (PID", "started sleeper (PID"],
    );
    // The same from inside: the layout is recognised, and nothing is left to be done.
    let again = bed.run("foobarctl install");
    assert!(again.stdout.contains("nothing to do") && again.stderr.is_empty(), "{again:?}");
    // rc.M is not run again.
    bed.runlevel('4');
    assert_eq!(assert_up(&bed), first);
    bed.shutdown();
    in_order(&bed.console(), &["stopped sleeper (PID", "stopped foobar (PID", "rc.syslog: stop"]);
    bed.boot();
    assert_up(&bed);

    // Switched off as users of Slackware do it: it goes on to run, is stopped, and is not started.
    bed.ok("chmod -x /etc/rc.d/rc.foobar");
    assert!(bed.ok("foobarctl list").lines().any(|line| line.starts_with("foobar ") && line.contains(" - ")));
    assert_up(&bed);
    bed.shutdown();
    in_order(&bed.console(), &["started foobar (PID", "stopped foobar (PID"]);
    bed.boot();
    assert_down(&bed);
    assert!(!bed.console().contains("foobar"), "{}", bed.console());
    bed.ok("sh /etc/rc.d/rc.foobar start && foobarctl enable && foobarctl enable off");
    assert_up(&bed);
    bed.reboot();
    assert_up(&bed);
    in_order(&bed.console(), &["rc.syslog: start", "rc.off: start", "rc.local: mine", "started foobar (PID"]);

    bed.ok("foobarctl uninstall sleeper && foobarctl uninstall");
    assert_eq!(bed.read("/etc/rc.d/rc.local").unwrap(), RC_LOCAL);
    assert_eq!(bed.run("ls /etc/rc.d/rc.foobar /etc/rc.d/rc.sleeper /etc/rc.d/rc.local_shutdown").stdout, "");
    bed.shutdown();
}

#[test]
fn a_standalone_script_is_started_by_an_rc_local_that_is_read_by_rc_m() {
    let Some(mut bed) = slackware("slackware-alone", ".") else { return };
    offline(&bed, "foobarctl install --standalone && mv /usr/sbin/foobarctl /srv/");
    bed.boot();
    assert!(answers(&bed));
    let script = "/etc/rc.d/rc.foobar";
    assert_eq!(bed.ok(&format!("{script} status")), format!("foobar is running (PID {})", pid(&bed)));
    bed.ok(&format!("{script} restart && {script} reload"));
    bed.shutdown();
    in_order(
        &bed.console(),
        &["rc.local: mine", "foobar started (PID", "foobar stopped (PID", "rc.syslog: stop"],
    );
}

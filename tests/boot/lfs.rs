//! A Linux From Scratch of our own making: a real sysvinit, and an rc that goes by the rules of the LFS book: links in
//! /etc/rc.d, kill links only for what the level before had started, no second start of what runs.

use foobar_tests::Testbed;

use crate::system::{answers, assert_down, assert_up, pid, with_programs};

/// Written by the rules in "How Do These Bootscripts Work?"; PREVLEVEL is what init says the level before was.
const RC: &str = r#"#!/bin/sh
exists() { [ -f "$1" ]; }
level=$1
before=${PREVLEVEL:-N}
[ "$level" = S ] && before=N
if [ "$before" != N ]; then
	for link in /etc/rc.d/rc"$level".d/K*; do
		[ -f "$link" ] || continue
		name=${link##*/K??}
		if exists /etc/rc.d/rc"$before".d/S??"$name" || exists /etc/rc.d/rcS.d/S??"$name"; then
			echo "rc: ${link##*/} stop"
			"$link" stop
		else
			echo "rc: ${link##*/} was not started"
		fi
	done
fi
for link in /etc/rc.d/rc"$level".d/S*; do
	[ -f "$link" ] || continue
	name=${link##*/S??}
	if [ "$before" != N ] && exists /etc/rc.d/rc"$before".d/S??"$name" &&
		! exists /etc/rc.d/rc"$level".d/K??"$name"; then
		continue
	fi
	case $level in 0 | 6) verb=stop ;; *) verb=start ;; esac
	echo "rc: ${link##*/} $verb"
	"$link" "$verb"
done
"#;

/// What its scripts show messages with.
const FUNCTIONS: &str = r#"
log_info_msg() { printf '%s' " *  $1"; }
evaluate_retval() { if [ $? -eq 0 ]; then echo " [  OK  ]"; else echo " [ FAIL ]"; fi; }
"#;

/// Turns a system that is down into a Linux From Scratch that boots into runlevel 3.
fn lfs(name: &str) -> Option<Testbed> {
    let bed = with_programs(name)?;
    let made = bed.offline(
        "set -e; rm -rf /etc/rc?.d /etc/init.d /etc/insserv* /etc/debian_version
         mkdir -p /etc/rc.d/init.d /lib/lsb; ln -s rc.d/init.d /etc/init.d
         for level in 0 1 2 3 4 5 6 S; do mkdir /etc/rc.d/rc$level.d; done
         sed -i -e 's,^id:.*,id:3:initdefault:,' -e 's,/etc/init.d/rcS,/etc/rc.d/init.d/rc S,' \
             -e 's,/etc/init.d/rc ,/etc/rc.d/init.d/rc ,' /etc/inittab",
    );
    assert!(made.status.success(), "{made:?}");
    bed.put("/etc/rc.d/init.d/rc", RC.as_bytes(), 0o755);
    bed.put("/usr/lib/lsb/init-functions", FUNCTIONS.as_bytes(), 0o644);
    let script = |name: &str, provides: &str, body: &str| {
        let header = format!("### BEGIN INIT INFO\n# Provides: {provides}\n### END INIT INFO\n");
        bed.put(
            &format!("/etc/rc.d/init.d/{name}"),
            format!("#!/bin/sh\n{header}{body}\n").as_bytes(),
            0o755,
        );
    };
    script("network", "$network", "echo network $1");
    script("mountfs", "$local_fs", "mountpoint -q /proc");
    script("halt", "halt", "halt -d -f -i -p");
    script("reboot", "reboot", "reboot -d -f -i");
    let linked = bed.offline(
        "set -e; cd /etc/rc.d; ln -s ../init.d/mountfs rcS.d/S40mountfs
         for level in 2 3 4 5; do ln -s ../init.d/network rc$level.d/S20network; done
         for level in 0 1 6; do ln -s ../init.d/network rc$level.d/K80network; done
         ln -s ../init.d/halt rc0.d/S99halt; ln -s ../init.d/reboot rc6.d/S99reboot",
    );
    assert!(linked.status.success(), "{linked:?}");
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

#[test]
fn its_rc_starts_and_stops_the_service_by_the_rules_of_the_book() {
    let Some(mut bed) = lfs("lfs") else { return };
    let output = bed.offline("foobarctl install --runlevels 35");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("/etc/rc.d/init.d/foobar"), "{output:?}");
    bed.boot();
    let first = assert_up(&bed);
    in_order(&bed.console(), &["rc: S20network start", "rc: S50foobar start", "Starting foobar...", "OK"]);
    // Both levels start it: it is left alone.
    bed.runlevel('5');
    assert_eq!(assert_up(&bed), first);
    // One that does not start it stops it.
    bed.runlevel('4');
    assert_down(&bed);
    in_order(&bed.console(), &["rc: K50foobar stop", "Stopping foobar...", "OK"]);
    bed.runlevel('3');
    assert_up(&bed);
    bed.reboot();
    in_order(&bed.console(), &["rc: S20network start", "rc: S50foobar start"]);
    assert_up(&bed);
    bed.ok("foobarctl disable && foobarctl stop");
    bed.reboot();
    assert_down(&bed);
    bed.ok("foobarctl enable && foobarctl start");
    let running = pid(&bed);
    bed.shutdown();
    in_order(&bed.console(), &["rc: K50foobar stop", "rc: K80network stop", "rc: S99halt stop"]);
    assert!(running > 1);
}

#[test]
fn a_standalone_script_does_the_same() {
    let Some(mut bed) = lfs("lfs-alone") else { return };
    let output = bed.offline("foobarctl install --standalone && mv /usr/sbin/foobarctl /srv/");
    assert!(output.status.success(), "{output:?}");
    bed.boot();
    assert!(answers(&bed));
    bed.shutdown();
    let console = bed.console();
    in_order(&console, &["rc: S50foobar start", "foobar started (PID"]);
    in_order(&console, &["rc: K50foobar stop", "foobar stopped (PID", "rc: S99halt stop"]);
}

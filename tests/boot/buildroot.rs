//! A Buildroot of our own making: busybox is PID 1 and every tool but bash, rcS starts `S??*` by name and rcK stops it
//! backwards, as the Buildroot manual says.

use std::fs;

use foobar_tests::{Testbed, skip};

use crate::system::{answers, assert_down, assert_up, pid, with_programs};

const INITTAB: &str =
    "::sysinit:/etc/init.d/rcS\n::once:/usr/local/lib/testbed/mark 2\n::shutdown:/etc/init.d/rcK\n";

const RCS: &str = "#!/bin/sh\nfor script in /etc/init.d/S??*; do\n\t[ -f \"$script\" ] || continue\n\
                   \techo \"rcS: $script\"\n\t$script start\ndone\n";

const RCK: &str = "#!/bin/sh\nfor script in $(ls -r /etc/init.d/S??*); do\n\t[ -f \"$script\" ] || continue\n\
                   \techo \"rcK: $script\"\n\t$script stop\ndone\n";

/// Turns a system that is down into a Buildroot; `None`, said loudly, without busybox.
fn buildroot(name: &str) -> Option<Testbed> {
    let found = ["/bin/busybox", "/usr/bin/busybox"].iter().find_map(|path| fs::read(path).ok());
    let Some(busybox) = found else {
        skip("busybox is not installed");
        return None;
    };
    let bed = with_programs(name)?;
    bed.put("/usr/bin/busybox", &busybox, 0o755);
    bed.put("/srv/rcS", RCS.as_bytes(), 0o755);
    bed.put("/srv/rcK", RCK.as_bytes(), 0o755);
    let made = bed.offline(
        "set -e; rm -rf /etc/rc?.d /etc/init.d/* /etc/init.d/.depend.* /etc/debian_version /etc/insserv*
         mv /srv/rcS /srv/rcK /etc/init.d/
         for tool in $(busybox --list); do case $tool in busybox | init) ;; *) ln -sf /usr/bin/busybox /usr/local/bin/$tool ;; esac; done
         ln -sf busybox /usr/bin/sh; ln -sf ../bin/busybox /usr/sbin/init",
    );
    assert!(made.status.success(), "{made:?}");
    bed.put("/etc/inittab", INITTAB.as_bytes(), 0o644);
    for neighbour in ["S40network", "S60late"] {
        let script = format!("#!/bin/sh\necho \"{neighbour} $1\" >>/var/log/order\n");
        bed.put(&format!("/etc/init.d/{neighbour}"), script.as_bytes(), 0o755);
    }
    Some(bed)
}

/// Installs while the system is off, as an image builder does.
fn install(bed: &Testbed, arguments: &str) {
    let output = bed.offline(&format!("foobarctl install {arguments}"));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("/etc/init.d/S50foobar"), "{output:?}");
}

fn power_off(bed: &mut Testbed) -> String {
    let _ = bed.run("poweroff");
    let _ = bed.ended();
    bed.console()
}

/// Fails unless the first comes before the second, and both are there.
fn in_order(text: &str, first: &str, second: &str) {
    let at = |words: &str| text.find(words).unwrap_or_else(|| panic!("{words:?} is not in\n{text}"));
    assert!(at(first) < at(second), "{first:?} comes after {second:?} in\n{text}");
}

#[test]
fn rcs_starts_it_and_rck_stops_it() {
    let Some(mut bed) = buildroot("buildroot") else { return };
    install(&bed, "");
    bed.boot();
    let first = assert_up(&bed);
    assert!(bed.ok("readlink /proc/1/exe").ends_with("/busybox"));
    in_order(&bed.console(), "rcS: /etc/init.d/S50foobar", "started foobar (PID");
    // The same from inside: the layout is recognised, and there is no word of runlevels.
    let again = bed.run("foobarctl install");
    assert!(again.status == 0 && again.stderr.is_empty(), "{again:?}");
    bed.ok("/etc/init.d/S50foobar restart && [ $(cat /run/foobar.pid) != 1 ]");
    assert_ne!(pid(&bed), first);
    assert!(answers(&bed));
    let console = power_off(&mut bed);
    in_order(&console, "rcK: /etc/init.d/S60late", "rcK: /etc/init.d/S50foobar");
    in_order(&console, "rcK: /etc/init.d/S50foobar", "stopped foobar (PID");

    bed.boot();
    bed.ok("foobarctl disable && foobarctl stop");
    let console = power_off(&mut bed);
    assert!(!console.contains("rcK: /etc/init.d/S50foobar"), "{console}");
    bed.boot();
    assert_down(&bed);
    assert!(!bed.console().contains("foobar"), "{}", bed.console());
    bed.ok("foobarctl enable && foobarctl start");
    assert_up(&bed);
}

#[test]
fn a_standalone_script_lives_with_busyboxs_tools_alone() {
    let Some(mut bed) = buildroot("busybox") else { return };
    install(&bed, "--standalone");
    let removed = bed.offline("mv /usr/sbin/foobarctl /srv/");
    assert!(removed.status.success(), "{removed:?}");
    bed.boot();
    let script = "/etc/init.d/S50foobar";
    assert!(answers(&bed));
    assert_eq!(bed.ok(&format!("{script} status")), format!("foobar is running (PID {})", pid(&bed)));
    bed.ok(&format!("{script} restart && {script} reload"));
    assert!(answers(&bed));
    bed.ok(&format!("{script} stop"));
    assert_eq!(bed.run(&format!("{script} status")).status, 3);
    bed.ok(&format!("{script} start"));
    bed.ok("kill -9 $(cat /run/foobar.pid)");
    foobar_tests::until("the death of foobard", crate::system::SOON, || {
        (bed.run(&format!("{script} status")).status == 1).then_some(())
    });
    bed.ok(&format!("{script} start"));
    let console = power_off(&mut bed);
    in_order(&console, "rcK: /etc/init.d/S50foobar", "foobar stopped (PID");
}

#[test]
fn init_itself_keeps_it_running() {
    let Some(mut bed) = buildroot("busybox-respawn") else { return };
    let made = bed.offline("foobarctl install --respawn");
    assert!(made.status.success(), "{made:?}");
    bed.boot();
    let another = |bed: &Testbed, old: u32| {
        foobar_tests::until("another foobard", crate::system::SOON, || {
            let found: u32 = bed.read("/run/foobar.pid")?.trim().parse().ok()?;
            (found != old && answers(bed)).then_some(found)
        })
    };
    let mut running = another(&bed, 0);
    assert!(bed.ok(&format!("cat /proc/{running}/stat")).contains(") S 1 "), "a child of init");
    assert!(bed.ok("foobarctl status --format json").contains("\"respawn\": true"));
    bed.ok(&format!("kill -KILL {running}"));
    running = another(&bed, running);
    let refused = bed.run("foobarctl stop");
    assert!(refused.status == 1 && refused.stderr.contains("foobarctl disable foobar"), "{refused:?}");
    let told = bed.ok("foobarctl restart");
    assert!(told.contains(&format!("stopped foobar (PID {running}); init started foobar (PID ")), "{told}");
    running = another(&bed, running);

    // Off: it is ended at once, and init, which has read its table by then, starts no other.
    bed.ok("foobarctl disable");
    assert_eq!(bed.run("foobarctl status").status, 3);
    until_buried(&bed);
    assert_down(&bed);
    bed.ok("foobarctl enable");
    running = another(&bed, running);
    bed.ok("foobarctl disable && foobarctl install");
    power_off(&mut bed);
    bed.boot();
    assert_down(&bed);
    bed.ok("foobarctl enable");
    running = another(&bed, running);

    // From init to a script, and back.
    bed.ok("foobarctl uninstall");
    until_buried(&bed);
    assert_eq!(bed.read("/etc/inittab").unwrap(), INITTAB);
    bed.ok("foobarctl install && foobarctl start");
    let scripted = another(&bed, running);
    bed.ok("foobarctl install --respawn");
    running = another(&bed, scripted);
    assert!(bed.ok(&format!("cat /proc/{running}/stat")).contains(") S 1 "), "a child of init");
    assert_eq!(bed.run("ls /etc/init.d/*foobar").stdout, "");
    let console = power_off(&mut bed);
    assert!(!console.contains("bad inittab"), "{console}");
}

/// busybox's init looks once in a second for children that have ended, and then starts others.
fn until_buried(bed: &Testbed) {
    foobar_tests::until("the burial of foobard", crate::system::SOON, || {
        bed.run("pgrep -x foobard").stdout.is_empty().then_some(())
    });
}

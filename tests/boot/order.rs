//! The order that foobarctl computes is the order of insserv, on the scripts of a real Debian.

use foobar_tests::Testbed;

use crate::system::{ORDER, with_programs};

/// Output of a script in a system that is off; the script must succeed.
fn offline(bed: &Testbed, script: &str) -> String {
    let output = bed.offline(&format!("set -e; {script}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{script}: {}\n{text}", output.status);
    text
}

/// The links alone.
const LINKS: &str = "cd /etc && find rc?.d -type l -printf '%p -> %l\\n' | sort";

/// What `insserv -n` says that it would do to links.
const WOULD: &str = "insserv -n -v 2>&1 | grep -E 'enable|remove' || :";

#[test]
fn insserv_finds_nothing_to_do_after_us() {
    let Some(bed) = with_programs("insserv") else { return };
    let _ = offline(&bed, "foobarctl install --runlevels 2345 >&2");
    let links = offline(&bed, LINKS);
    assert!(links.contains("rc2.d/S"), "{links}");
    assert_eq!(offline(&bed, WOULD), "");
    let _ = offline(&bed, "insserv");
    assert_eq!(offline(&bed, LINKS), links);
    // Where there is something to do, it does say so.
    assert_ne!(offline(&bed, &format!("cd /etc/rc2.d; mv S??foobar S77foobar; {WOULD}")), "");
}

#[test]
fn startpars_files_are_those_of_insserv() {
    let (Some(ours), Some(theirs)) = (with_programs("ours-files"), with_programs("their-files")) else {
        return;
    };
    let our_order = offline(&ours, &format!("foobarctl install --runlevels 2345 >&2; {ORDER}"));
    theirs.put("/etc/init.d/foobar", ours.read("/etc/init.d/foobar").unwrap().as_bytes(), 0o755);
    // Called with a name it takes that script first, called without it goes by the links it has made: two
    // orders of equals, and after either of us the second is the same.
    assert_eq!(our_order, offline(&theirs, &format!("insserv foobar; {ORDER}")));
    let again = format!("insserv; {ORDER}");
    assert_eq!(offline(&ours, &again), offline(&theirs, &again));
    // Not even the order of equals is worth a second writing to us.
    let idle = format!("foobarctl install >&2; {ORDER}");
    assert_eq!(offline(&ours, &idle), offline(&theirs, ORDER));
}

#[test]
fn the_whole_of_a_debian_is_ordered_as_insserv_does() {
    let Some(bed) = with_programs("whole") else { return };
    // Everything that debootstrap installed is arranged anew by us: the files we would write are those
    // that insserv has written.
    let script = format!(
        "set -e; ({ORDER}) >/tmp/before; foobarctl install >&2; foobarctl uninstall >&2; ({ORDER}) >/tmp/after; diff /tmp/before /tmp/after"
    );
    let output = bed.offline(&script);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

//! The order that foobarctl computes is the order of insserv, on the scripts of a real Debian.

use crate::system::{ORDER, with_programs};

#[test]
fn insserv_finds_nothing_to_do_after_us() {
    let Some(bed) = with_programs("insserv") else { return };
    let script = format!(
        "set -e; foobarctl install --runlevels 2345 >&2
         would=$(insserv -n -v 2>&1 | grep -E 'enable|remove|mv|ln' || :); echo \"would: $would\"
         ({ORDER}) >/tmp/before; insserv; ({ORDER}) >/tmp/after; cmp /tmp/before /tmp/after && cat /tmp/after"
    );
    let output = bed.offline(&script);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert_eq!(text.lines().next(), Some("would: "), "{text}");
    assert!(text.contains("rc2.d/S"), "{text}");
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

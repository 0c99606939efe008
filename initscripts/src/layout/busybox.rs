//! Buildroot and others with busybox's init: scripts that have their number in their name, rcS and rcK. Sources: the
//! Buildroot manual, "The start script"; the rcS and rcK that it installs.

use crate::layout::facts::{Dialect, Layout, Marks, Rcs, Scheme};

/// The layout of Buildroot.
pub const BUSYBOX: Layout = Layout {
    name: "busybox",
    systems: "Buildroot and others with busybox init, rcS and rcK",
    marks: Marks {
        all: &["/etc/init.d/rcS"],
        // A Debian that has lost its links is no Buildroot.
        none: &[
            "/etc/rcS.d",
            "/etc/rc2.d",
            "/etc/rc3.d",
            "/etc/rc.d",
            "/etc/init.d/rc3.d",
            "/etc/init.d/rc",
            "/etc/runlevels",
            "/etc/debian_version",
        ],
        release: &[],
    },
    script_dir: "/etc/init.d",
    // Where Buildroot has its servers: after the network, S40, and before what comes last, S99.
    scheme: Scheme::Rcs(Rcs { usual: 50, not_scripts: &["rcS", "rcK", "functions"] }),
    runlevels: &[],
    facilities: "\
$local_fs
$network +network +connman +NetworkManager
$remote_fs $local_fs +nfs-client
$syslog +syslogd +rsyslogd +rsyslog +syslog-ng +sysklogd +logging
$named +named
$portmap +rpcbind
$time +ntp +ntpd +chrony +sntp
",
    depend: None,
    service_dir: "/etc/foobar",
    defaults_dir: "/etc/default",
    pid_dir: "/var/run",
    log_dir: "/var/log",
    state_dir: "/run/foobar",
    lock_dir: None,
    foobarctl: "/usr/sbin/foobarctl",
    dialect: Dialect::Buildroot,
    thin: include_str!("../../templates/busybox.sh"),
    standalone: include_str!("../../templates/standalone.sh"),
};

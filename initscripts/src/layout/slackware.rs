//! Slackware: scripts rc.NAME that run if they are executable, called by rc.M and rc.6 if they are its own, and from
//! rc.local and rc.local_shutdown if they are not. Sources: the Slackware book, "System Initialization"; what inittab,
//! rc.M and rc.6 of its sysvinit-scripts run.

use crate::layout::facts::{Caller, Dialect, Hooks, Layout, Marks, Scheme};
use crate::link::Kind;

/// The runlevels that rc.M is run in, which knows no difference between them.
pub const MULTI_USER: &str = "2345";

/// The layout of Slackware.
pub const SLACKWARE: Layout = Layout {
    name: "slackware",
    systems: "Slackware and its kin",
    // Directories of links are there as well where something wanted a System V.
    marks: Marks {
        all: &["/etc/rc.d/rc.M", "/etc/rc.d/rc.S"],
        none: &[],
        release: &["/etc/slackware-version"],
    },
    script_dir: "/etc/rc.d",
    scheme: Scheme::Hooks(Hooks {
        prefix: "rc.",
        start: "/etc/rc.d/rc.local",
        stop: "/etc/rc.d/rc.local_shutdown",
        // rc.0 is a link to rc.6.
        roots: &[
            Caller { path: "/etc/rc.d/rc.S", kind: Kind::Start, runlevels: "S" },
            Caller { path: "/etc/rc.d/rc.M", kind: Kind::Start, runlevels: MULTI_USER },
            Caller { path: "/etc/rc.d/rc.K", kind: Kind::Kill, runlevels: "1" },
            Caller { path: "/etc/rc.d/rc.6", kind: Kind::Kill, runlevels: "06" },
        ],
        inner: &[
            "/etc/rc.d/rc.inet2",
            "/etc/rc.d/rc.services",
            "/etc/rc.d/rc.local",
            "/etc/rc.d/rc.local_shutdown",
        ],
        not_scripts: &[
            "rc.0",
            "rc.4",
            "rc.6",
            "rc.K",
            "rc.M",
            "rc.S",
            "rc.inet2",
            "rc.local",
            "rc.local_shutdown",
            "rc.modules",
            "rc.modules.local",
            "rc.services",
            "rc.sysvinit",
        ],
        // Drivers of one kernel; configuration; what installpkg leaves beside a file that was changed, and editors.
        not_parts: &["rc.modules-", ".conf", ".new", ".orig", ".bak", ".sample", "~"],
    }),
    runlevels: &[],
    facilities: "\
$local_fs
$network +inet1 +networkmanager
$remote_fs $local_fs +nfsd +rpc
$syslog +syslog
$named +bind
$portmap +rpc
$time +ntpd
",
    depend: None,
    service_dir: "/etc/foobar",
    defaults_dir: "/etc/default",
    pid_dir: "/var/run",
    log_dir: "/var/log",
    state_dir: "/run/foobar",
    lock_dir: None,
    foobarctl: "/usr/sbin/foobarctl",
    dialect: Dialect::Lsb,
    thin: include_str!("../../templates/slackware.sh"),
    standalone: include_str!("../../templates/standalone.sh"),
};

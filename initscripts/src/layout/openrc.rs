//! OpenRC: scripts for openrc-run(8) with depend(), and directories of named runlevels with links to them. Sources: the
//! OpenRC service script writing guide; openrc-run(8), rc-update(8).

use crate::layout::facts::{Dialect, Layout, Marks, OpenRc, Scheme};

/// The layout of OpenRC.
pub const OPENRC: Layout = Layout {
    name: "openrc",
    systems: "Gentoo, Alpine, Artix, Debian and others with OpenRC",
    // A Debian with OpenRC keeps the directories of links, which OpenRC does not look at.
    marks: Marks { all: &["/etc/runlevels/default", "/sbin/openrc-run"], none: &[], release: &[] },
    script_dir: "/etc/init.d",
    scheme: Scheme::OpenRc(OpenRc {
        runlevel_dir: "/etc/runlevels/@",
        link_text: "../../init.d/",
        runlevels: &["sysinit", "boot", "default", "nonetwork", "single", "shutdown"],
        started_dir: "/run/openrc/started",
        not_scripts: &["functions.sh", "rc", "rcS", "README"],
        settings: include_str!("../../templates/openrc.conf"),
        standalone_settings: include_str!("../../templates/openrc-standalone.conf"),
    }),
    runlevels: &[],
    facilities: "",
    depend: None,
    service_dir: "/etc/foobar",
    defaults_dir: "/etc/conf.d",
    pid_dir: "/var/run",
    log_dir: "/var/log",
    state_dir: "/run/foobar",
    lock_dir: None,
    foobarctl: "/usr/sbin/foobarctl",
    dialect: Dialect::OpenRc,
    thin: include_str!("../../templates/openrc.sh"),
    standalone: include_str!("../../templates/openrc-standalone.sh"),
};

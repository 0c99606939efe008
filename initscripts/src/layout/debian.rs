//! Debian, Devuan and their kin with sysvinit: LSB headers, insserv's order, startpar's files.
//! Sources: Debian Policy 9.3, insserv(8), startpar(8), update-rc.d(8).

use crate::layout::facts::{Depend, Layout};
use crate::name::Runlevel;

/// The layout of Debian and Devuan.
pub const DEBIAN: Layout = Layout {
    name: "debian",
    systems: "Debian, Devuan, antiX, MX Linux with sysvinit",
    marks: &["/etc/init.d", "/etc/rc2.d", "/etc/rcS.d"],
    script_dir: "/etc/init.d",
    link_dir: "/etc/rc@.d",
    link_text: "../init.d/",
    runlevels: &[
        Runlevel::R0,
        Runlevel::R1,
        Runlevel::R2,
        Runlevel::R3,
        Runlevel::R4,
        Runlevel::R5,
        Runlevel::R6,
        Runlevel::S,
    ],
    depend: Some(Depend {
        boot: "/etc/init.d/.depend.boot",
        start: "/etc/init.d/.depend.start",
        stop: "/etc/init.d/.depend.stop",
        conf: "/etc/insserv.conf",
        conf_dir: "/etc/insserv.conf.d",
        overrides: ["/etc/insserv/overrides", "/usr/share/insserv/overrides"],
        filters: "/etc/insserv/file-filters",
    }),
    service_dir: "/etc/foobar",
    defaults_dir: "/etc/default",
    pid_dir: "/var/run",
    log_dir: "/var/log",
    state_dir: "/run/foobar",
    foobarctl: "/usr/sbin/foobarctl",
    thin: include_str!("../../templates/debian.sh"),
    standalone: include_str!("../../templates/standalone.sh"),
};

//! Debian, Devuan and their kin with sysvinit: LSB headers, insserv's order, startpar's files.
//! Sources: Debian Policy 9.3, insserv(8), startpar(8), update-rc.d(8).

use crate::layout::facts::{Depend, Dialect, Layout, Marks, Numbers, Scheme, SysV};
use crate::name::Runlevel;

/// The layout of Debian and Devuan.
pub const DEBIAN: Layout = Layout {
    name: "debian",
    systems: "Debian, Devuan, antiX, MX Linux with sysvinit",
    marks: Marks {
        all: &["/etc/init.d", "/etc/rc2.d", "/etc/rcS.d"],
        none: &["/sbin/openrc-run"],
        release: &["/etc/debian_version", "/var/lib/dpkg/status"],
    },
    script_dir: "/etc/init.d",
    scheme: Scheme::SysV(SysV {
        link_dir: "/etc/rc@.d",
        boot_dir: None,
        link_text: "../init.d/",
        numbers: Numbers::Insserv,
    }),
    runlevels: &Runlevel::ALL,
    facilities: "",
    depend: Some(Depend {
        boot: "/etc/init.d/.depend.boot",
        start: "/etc/init.d/.depend.start",
        stop: "/etc/init.d/.depend.stop",
        halt: None,
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
    lock_dir: None,
    foobarctl: "/usr/sbin/foobarctl",
    dialect: Dialect::Lsb,
    thin: include_str!("../../templates/lsb.sh"),
    standalone: include_str!("../../templates/standalone.sh"),
};

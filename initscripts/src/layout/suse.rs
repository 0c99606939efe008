//! SUSE with sysvinit: insserv's order, links below the directory of scripts, a kill link beside each start link, and
//! `.depend.halt`, by which halt stops what boot has started. Sources: insserv(8) and init.d(7) as SUSE has them,
//! chkconfig(8) of SUSE, and what an insserv that was built for SUSE does.

use crate::layout::facts::{Depend, Dialect, Layout, Marks, Numbers, Scheme, SysV};
use crate::name::Runlevel;

/// The layout of SUSE Linux Enterprise up to 11.
pub const SUSE: Layout = Layout {
    name: "suse",
    systems: "SUSE Linux Enterprise up to 11, openSUSE up to 12.2",
    marks: Marks {
        all: &["/etc/init.d/boot.d", "/etc/init.d/rc3.d", "/etc/init.d/rc5.d"],
        none: &[],
        release: &["/etc/SuSE-release"],
    },
    script_dir: "/etc/init.d",
    scheme: Scheme::SysV(SysV {
        link_dir: "/etc/init.d/rc@.d",
        boot_dir: Some("/etc/init.d/boot.d"),
        link_text: "../",
        numbers: Numbers::Suse,
    }),
    runlevels: &Runlevel::ALL,
    facilities: "",
    depend: Some(Depend {
        boot: "/etc/init.d/.depend.boot",
        start: "/etc/init.d/.depend.start",
        stop: "/etc/init.d/.depend.stop",
        halt: Some("/etc/init.d/.depend.halt"),
        conf: "/etc/insserv.conf",
        conf_dir: "/etc/insserv.conf.d",
        overrides: ["/etc/insserv/overrides", "/usr/share/insserv/overrides"],
        filters: "/etc/insserv/file-filters",
    }),
    service_dir: "/etc/foobar",
    defaults_dir: "/etc/sysconfig",
    pid_dir: "/var/run",
    log_dir: "/var/log",
    state_dir: "/run/foobar",
    lock_dir: None,
    foobarctl: "/usr/sbin/foobarctl",
    dialect: Dialect::Suse,
    thin: include_str!("../../templates/lsb.sh"),
    standalone: include_str!("../../templates/standalone.sh"),
};

//! Red Hat and its kin with sysvinit or Upstart: LSB headers beside chkconfig's line, chkconfig's numbers, a lock file
//! by which rc knows what to stop. Sources: chkconfig(8), the comments of /etc/rc.d/init.d/functions.

use crate::layout::facts::{Dialect, Layout, Marks, Numbers, Scheme, SysV};
use crate::link::Usual;
use crate::name::Runlevel;

/// chkconfig's own numbers for scripts that name none.
const USUAL: Usual = Usual { start: 50, stop: 50 };

/// The layout of Red Hat Enterprise Linux up to 6.
pub const REDHAT: Layout = Layout {
    name: "redhat",
    systems: "Red Hat Enterprise Linux and CentOS up to 6, Fedora up to 14, PCLinuxOS",
    marks: Marks {
        all: &["/etc/rc.d/init.d", "/etc/rc.d/rc3.d"],
        none: &["/etc/rc.d/rcS.d"],
        release: &["/etc/redhat-release"],
    },
    script_dir: "/etc/rc.d/init.d",
    scheme: Scheme::SysV(SysV {
        link_dir: "/etc/rc.d/rc@.d",
        boot_dir: None,
        link_text: "../init.d/",
        numbers: Numbers::Chkconfig(USUAL),
    }),
    // rc.sysinit does what elsewhere runlevel S does.
    runlevels: &[
        Runlevel::R0,
        Runlevel::R1,
        Runlevel::R2,
        Runlevel::R3,
        Runlevel::R4,
        Runlevel::R5,
        Runlevel::R6,
    ],
    facilities: "\
$local_fs
$network +network +NetworkManager
$remote_fs $local_fs +netfs
$syslog +rsyslog +syslog +syslog-ng
$named +named
$portmap +rpcbind +portmap
$time +ntpdate +ntpd +chronyd
",
    depend: None,
    service_dir: "/etc/foobar",
    defaults_dir: "/etc/sysconfig",
    pid_dir: "/var/run",
    log_dir: "/var/log",
    state_dir: "/run/foobar",
    lock_dir: Some("/var/lock/subsys"),
    foobarctl: "/usr/sbin/foobarctl",
    dialect: Dialect::Chkconfig(USUAL),
    thin: include_str!("../../templates/redhat.sh"),
    standalone: include_str!("../../templates/standalone.sh"),
};

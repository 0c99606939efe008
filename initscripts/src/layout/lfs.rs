//! Linux From Scratch and what is built by its book: numbers by hand, messages by its functions. Sources: the LFS book,
//! "LFS-Bootscripts" and "How Do These Bootscripts Work?"; the numbers of the BLFS book's scripts.

use crate::layout::facts::{Dialect, Layout, Marks, Numbers, Scheme, SysV};
use crate::link::Usual;
use crate::name::Runlevel;

/// The layout of Linux From Scratch.
pub const LFS: Layout = Layout {
    name: "lfs",
    systems: "Linux From Scratch with sysvinit",
    marks: Marks {
        all: &["/etc/rc.d/init.d", "/etc/rc.d/rcS.d", "/etc/rc.d/rc3.d"],
        none: &[],
        release: &["/etc/lfs-release"],
    },
    script_dir: "/etc/rc.d/init.d",
    scheme: Scheme::SysV(SysV {
        link_dir: "/etc/rc.d/rc@.d",
        boot_dir: None,
        link_text: "../init.d/",
        // Between the network, S20 and K80, and the end.
        numbers: Numbers::Fixed(Usual { start: 50, stop: 50 }),
    }),
    runlevels: &Runlevel::ALL,
    facilities: "\
$local_fs +mountfs +cleanfs
$network +network
$remote_fs $local_fs +netfs +nfs-client
$syslog +sysklogd +rsyslog
$named +bind
$portmap +rpcbind
$time +setclock +ntpd
",
    depend: None,
    service_dir: "/etc/foobar",
    defaults_dir: "/etc/sysconfig",
    pid_dir: "/var/run",
    log_dir: "/var/log",
    state_dir: "/run/foobar",
    lock_dir: None,
    foobarctl: "/usr/sbin/foobarctl",
    dialect: Dialect::Lsb,
    thin: include_str!("../../templates/lfs.sh"),
    standalone: include_str!("../../templates/standalone.sh"),
};

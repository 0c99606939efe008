//! /sbin/insserv is foobarctl: dpkg, apt and update-rc.d install, disable, remove and purge thirty daemons on top of
//! it, and the machine boots. Beside it the same is done with the insserv of Debian.

use std::fs;
use std::path::PathBuf;

use foobar_tests::{Testbed, skip};

use crate::debs;
use crate::system::{ORDER, with_programs};

/// Small packages with init scripts, in an order in which none needs a later one. Left out: what would
/// reach for the hardware of the machine below at boot.
const DAEMONS: [&str; 32] = [
    "cron",
    "at",
    "anacron",
    "acpid",
    "haveged",
    "irqbalance",
    "nscd",
    "rpcbind",
    "uuid-runtime",
    "tinyproxy",
    "dropbear",
    "dnsmasq",
    "chrony",
    "beanstalkd",
    "mosquitto",
    "darkstat",
    "ulogd2",
    "oidentd",
    "ifupdown",
    "acct",
    "radvd",
    "rsync",
    "minissdpd",
    "mini-httpd",
    "vsftpd",
    "dbus",
    "avahi-daemon",
    "ngircd",
    "uptimed",
    "xinetd",
    "ptpd",
    "fancontrol",
];

/// What is gone before the boot, partly purged.
const GONE: [&str; 10] = [
    "mini-httpd",
    "fancontrol",
    "minissdpd",
    "irqbalance",
    "acpid",
    "radvd",
    "ptpd",
    "xinetd",
    "dnsmasq",
    "dbus",
];

#[test]
fn a_machine_lives_with_our_insserv() {
    let (Some(mut ours), Some(theirs)) = (with_programs("own-insserv"), with_programs("deb-insserv")) else {
        return;
    };
    let Some((manager, all)) = packages(&ours) else { return };
    for bed in [&ours, &theirs] {
        for file in &all {
            let name = file.file_name().unwrap().to_str().unwrap();
            bed.put(&format!("/debs/{name}"), &fs::read(file).unwrap(), 0o644);
        }
    }
    let divert = "dpkg-divert --local --divert /sbin/insserv.distrib --rename /sbin/insserv\n\
                  ln -s /usr/sbin/foobarctl /sbin/insserv\ninsserv -h | grep foobarctl";
    let _ = done(&ours, divert, "true");
    assert_ne!(theirs.offline("insserv -h | grep foobarctl").status.code(), Some(0));

    let scripts = "ls /etc/init.d | wc -l";
    let before: usize = done(&ours, "true", scripts).trim().parse().unwrap();
    let half = DAEMONS.len() / 2;
    let install = |names: &[&str]| format!("{APT} install {}", names.join(" "));
    let stages = [
        format!("dpkg --install {}\n{LIST}\n{APT} update", manager.join(" ")),
        install(&DAEMONS[..half]),
        "update-rc.d cron disable; update-rc.d atd disable 3 4; update-rc.d nscd remove".to_owned(),
        install(&DAEMONS[half..]),
        "update-rc.d cron defaults; update-rc.d cron enable; update-rc.d nscd defaults-disabled".to_owned(),
        format!("{APT} remove {}", GONE.join(" ")),
        format!("{APT} purge {}", GONE[..5].join(" ")),
        install(&["dbus", "avahi-daemon", "xinetd"]),
    ];
    for stage in &stages {
        let (ours, theirs) = (done(&ours, stage, ORDER), done(&theirs, stage, ORDER));
        assert_eq!(ours, theirs, "after: {stage}");
    }
    let after: usize = done(&ours, "true", scripts).trim().parse().unwrap();
    assert!(after >= before + 20, "only {} scripts are left", after - before);

    ours.boot();
    let console = ours.console();
    assert!(console.contains("Using makefile-style concurrent boot in runlevel 2."), "{console}");
    for daemon in ["cron", "atd", "dbus-daemon", "vsftpd"] {
        assert_eq!(ours.run(&format!("pgrep -x {daemon}")).status, 0, "{daemon} does not run:\n{console}");
    }
    ours.shutdown();
}

const APT: &str = "DEBIAN_FRONTEND=noninteractive apt-get -o APT::Sandbox::User=root -o Dpkg::Use-Pty=0 \
                   -o APT::Install-Recommends=false -y";

/// Makes the files a repository that apt takes packages from.
const LIST: &str = "cd /debs\n\
    for file in *.deb; do\n\
        dpkg-deb -f $file; echo \"Filename: ./$file\"; stat -c 'Size: %s' $file\n\
        set -- $(sha256sum $file); echo \"SHA256: $1\"; echo\n\
    done >Packages\n\
    echo 'deb [trusted=yes] file:/debs ./' >/etc/apt/sources.list";

/// What `asked` prints in a system that is off, after `stage`, each of whose commands must succeed.
fn done(bed: &Testbed, stage: &str, asked: &str) -> String {
    let script = format!(
        "exec 3>&1 >/tmp/stage.log 2>&1\ntrap '[ $? = 0 ] || cat /tmp/stage.log >&3' EXIT\nset -e\n{stage}\n{{ {asked}; }} >&3"
    );
    let output = bed.offline(&script);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{stage}: {}\n{text}", output.status);
    text
}

/// The files of apt and of the daemons, with all that they need beside what the system has: those of apt by
/// name, then all of them by path. None where the mirror of this machine's packages cannot be reached.
fn packages(bed: &Testbed) -> Option<(Vec<String>, Vec<PathBuf>)> {
    let manager = debs::wanted(bed, &["apt"]);
    let names: Vec<&str> = ["apt"].into_iter().chain(DAEMONS).collect();
    let all = debs::fetched(bed, &names);
    let (Some(manager), Some(all)) = (manager, all) else {
        skip("the packages of thirty daemons cannot be fetched: apt-get needs a Debian mirror");
        return None;
    };
    let manager = manager.into_iter().map(|name| format!("/debs/{name}")).collect();
    Some((manager, all))
}

//! The Debian package in a booted Debian: installed, upgraded, removed, purged, with what must hold in
//! between. Each test has a system of its own.

use std::fs;

use foobar_tests::{Sandbox, Testbed, debian_package, until};

/// Builds the package under a version and puts it inside, as /var/cache/VERSION.deb.
fn bring(bed: &Testbed, version: &str) {
    let sandbox = Sandbox::new("deb");
    let package = fs::read(debian_package(sandbox.path(), Some(version))).unwrap();
    bed.put(&format!("/var/cache/{version}.deb"), &package, 0o644);
}

fn install(bed: &Testbed, version: &str) {
    bed.ok(&format!("DEBIAN_FRONTEND=noninteractive dpkg -i /var/cache/{version}.deb </dev/null"));
}

/// PID of the running service; fails unless `status` says it runs and it answers.
fn running(bed: &Testbed) -> String {
    bed.ok("foobarctl status");
    bed.ok("timeout 5 bash -c 'exec 3<>/dev/tcp/127.0.0.1/4007; echo x >&3; read -r x <&3'");
    bed.ok("cat /run/foobar.pid")
}

fn links(bed: &Testbed) -> String {
    bed.ok("cd /etc; ls -d rc?.d/*foobar 2>/dev/null || :")
}

const STARTED: &str = "rc0.d/K01foobar\nrc1.d/K01foobar\nrc2.d/S02foobar\nrc3.d/S02foobar\nrc4.d/S02foobar\nrc5.d/S02foobar\nrc6.d/K01foobar";

/// Files with owners, modes and contents; left out is what dpkg itself keeps, and logs but for their names. Those of
/// the kernel's messages change with every boot.
const TREE: &str = "cd / && find . -xdev \\( -path ./var/log -o -path ./var/lib/dpkg -o -path ./var/cache -o -path ./tmp \\) -prune -o \
    -printf '%M %U:%G %p %l\\n' | sort && find etc usr -xdev -type f -exec md5sum {} + | sort -k 2 && ls -1A /run /run/lock && \
    ls -1A /var/log | grep -v '^dmesg'";

#[test]
fn from_install_to_purge() {
    let Some(mut bed) = Testbed::new("dpkg") else { return };
    bed.boot();
    // The log file of dpkg is there from the first call on.
    bed.ok("dpkg --configure -a; touch /var/log/dpkg.log");
    let before = bed.ok(TREE);
    for version in ["0.9.1", "0.9.2", "0.9.3"] {
        bring(&bed, version);
    }
    install(&bed, "0.9.1");
    let first = running(&bed);
    assert_eq!(links(&bed), STARTED);
    assert_eq!(bed.ok("dpkg --verify foobar"), "", "the files are those of the package");
    for program in ["foobard", "foobarctl"] {
        bed.ok(&format!(
            "ls /usr/share/man/man8/{program}.8.gz /usr/share/bash-completion/completions/{program} \
             /usr/share/zsh/vendor-completions/_{program} /usr/share/fish/vendor_completions.d/{program}.fish"
        ));
    }

    install(&bed, "0.9.2");
    let second = running(&bed);
    assert_ne!(first, second, "an upgrade runs the new program");
    assert_eq!(links(&bed), STARTED);
    bed.reboot();
    running(&bed);

    bed.ok("dpkg -r foobar");
    assert_eq!(bed.run("pgrep -x foobard").stdout, "", "removed, and still running");
    assert_eq!(links(&bed), "");
    assert!(!bed.ok("cat /etc/init.d/.depend.*").contains("foobar"));
    // A removed package starts nothing and says nothing at boot.
    bed.reboot();
    assert!(!bed.console().contains("foobar"), "{}", bed.console());
    install(&bed, "0.9.3");
    running(&bed);
    assert_eq!(links(&bed), STARTED);

    bed.ok("dpkg -P foobar");
    let after = bed.ok(TREE);
    let new: Vec<&str> = after.lines().filter(|line| !before.contains(line)).collect();
    let gone: Vec<&str> = before.lines().filter(|line| !after.contains(line)).collect();
    assert!(new.is_empty() && gone.is_empty(), "new: {new:#?}\ngone: {gone:#?}");
    assert_eq!(bed.run("pgrep -x foobard").stdout, "");
}

#[test]
fn the_word_of_the_administrator_outlives_an_upgrade() {
    let Some(mut bed) = Testbed::new("choice") else { return };
    bed.boot();
    for version in ["0.9.1", "0.9.2"] {
        bring(&bed, version);
    }
    install(&bed, "0.9.1");
    bed.ok("foobarctl disable && foobarctl stop");
    bed.ok("sed -i 's/^listen = .*/listen = \"127.0.0.1:4008\"/' /etc/foobard.toml");
    bed.ok(
        "sed -i 's/^# Hands over/# Mine: hands over/' /etc/init.d/foobar; grep -q Mine /etc/init.d/foobar",
    );
    let disabled = links(&bed);
    assert!(!disabled.contains("/S"), "{disabled}");

    install(&bed, "0.9.2");
    assert_eq!(links(&bed), disabled, "a disabled service stays so");
    assert_eq!(bed.run("foobarctl status").status, 3, "and is not started");
    bed.ok("grep -q 127.0.0.1:4008 /etc/foobard.toml && grep -q Mine /etc/init.d/foobar");

    bed.ok("foobarctl enable && foobarctl start");
    until("foobard on the chosen port", std::time::Duration::from_secs(30), || {
        bed.run("timeout 5 bash -c 'exec 3<>/dev/tcp/127.0.0.1/4008'").status.eq(&0).then_some(())
    });
    bed.ok("dpkg -P foobar");
    let left = bed.ok("find /etc /usr /var/lib /run -xdev -name '*foobar*' -not -path '/var/lib/dpkg/*'");
    assert_eq!(left, "", "purge takes changed files, too");
}

#[test]
fn an_image_gets_the_package_while_nothing_runs() {
    let Some(mut bed) = Testbed::new("image") else { return };
    bring(&bed, "0.9.1");
    // What debootstrap and its kin leave in a chroot while they work.
    bed.put("/usr/sbin/policy-rc.d", b"#!/bin/sh\nexit 101\n", 0o755);
    // The links are the work of our own engine: Debian's would break the installation.
    let output = bed.offline("rm $(command -v update-rc.d) $(command -v insserv)");
    assert!(output.status.success());
    let output = bed.offline(
        "dpkg -i /var/cache/0.9.1.deb </dev/null 2>&1; code=$?; pgrep -x foobard && code=99; exit $code",
    );
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let output = bed.offline("rm /usr/sbin/policy-rc.d");
    assert!(output.status.success());
    // startpar runs it from the files that no insserv was there to write.
    bed.boot();
    running(&bed);
    assert_eq!(links(&bed), STARTED);
}

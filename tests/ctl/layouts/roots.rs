//! Trees of other machines, with the scripts that matter to a service: logger, network, and some neighbours. Headers,
//! names and numbers are those of the distributions; the scripts do nothing.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use foobar_tests::Sandbox;

use crate::support::{Ran, ctl, executable};

/// A tree.
pub struct Root {
    sandbox: Sandbox,
}

/// A script: its name, the lines of its header, and its links, `23:S10` for S10 in runlevels 2 and 3.
type Row = (&'static str, &'static [&'static str], &'static str);

const REDHAT: [Row; 6] = [
    (
        "network",
        &["chkconfig: 2345 10 90", "Provides: $network", "Should-Start: iptables"],
        "2345:S10 016:K90",
    ),
    ("rsyslog", &["chkconfig: 2345 12 88", "Provides: $syslog"], "2345:S12 016:K88"),
    ("crond", &["chkconfig: 2345 90 60", "Provides: crond", "Required-Start: $syslog"], "2345:S90 016:K60"),
    // One that is not on, and has no LSB header.
    ("oldd", &["chkconfig: - 85 15"], "0123456:K15"),
    (
        "zope",
        &["Provides: zope", "Required-Start: foobar", "Required-Stop: foobar", "Default-Start: 3 5"],
        "35:S50 01246:K50",
    ),
    (
        "proxy",
        &["Provides: proxy", "Required-Start: zope", "Required-Stop: zope", "Default-Start: 3 5"],
        "35:S51 01246:K49",
    ),
];

const SUSE: [Row; 6] = [
    ("boot.udev", &["Provides: boot.udev", "Default-Start: B"], "B:S01 B:K02"),
    (
        "boot.localfs",
        &["Provides: boot.localfs", "Required-Start: boot.udev", "Required-Stop:", "Default-Start: B"],
        "B:S02 B:K01",
    ),
    // One that runs in single-user mode as well, and is not on.
    ("kbd", &["Provides: kbd", "Required-Start: boot.localfs", "Default-Start: S 1 2 3 5"], ""),
    (
        "network",
        &["Provides: network", "Required-Start: boot.localfs", "Default-Start: 2 3 5"],
        "235:S01 235:K02",
    ),
    (
        "syslog",
        &["Provides: syslog", "Required-Start: network", "Required-Stop: network", "Default-Start: 2 3 5"],
        "235:S02 235:K01",
    ),
    (
        "zope",
        &["Provides: zope", "Required-Start: foobar", "Required-Stop: foobar", "Default-Start: 3 5"],
        "35:S01 35:K01",
    ),
];

const LFS: [Row; 7] = [
    ("mountfs", &["Provides: $local_fs", "Default-Start: S"], "S:S40 06:K96"),
    ("localnet", &["Provides: localnet", "Default-Start: S"], "S:S08 06:K98"),
    ("sysklogd", &["Provides: $syslog", "Default-Start: 2 3 4 5"], "2:S20 345:S10 016:K90"),
    ("network", &["Provides: $network", "Default-Start: 2 3 4 5"], "2:S10 345:S20 016:K80"),
    ("sendsignals", &["Provides: sendsignals"], "06:K92"),
    ("sshd", &["Provides: sshd", "Required-Start: $network"], "345:S30 0126:K30"),
    ("zope", &["Provides: zope", "Required-Start: foobar", "Required-Stop: foobar"], "345:S45 0126:K20"),
];

const BUSYBOX: [(&str, &[&str]); 6] = [
    ("S01syslogd", &[]),
    ("S02klogd", &[]),
    ("S40network", &[]),
    ("S50dropbear", &[]),
    ("S99last", &["Provides: last", "Required-Start: foobar"]),
    ("K60off", &[]),
];

/// A script of Slackware, what it calls, and its mode.
type Calling = (&'static str, &'static [&'static str], u32);

const SLACKWARE: &[Calling] = &[
    ("rc.S", &["udev", "modules"], 0o755),
    ("rc.M", &["syslog", "inet1", "inet2", "httpd", "local"], 0o755),
    ("rc.K", &[], 0o755),
    ("rc.4", &[], 0o755),
    ("rc.6", &["local_shutdown stop", "httpd stop", "inet1 stop", "syslog stop"], 0o755),
    ("rc.inet2", &["sshd"], 0o755),
    ("rc.local", &[], 0o755),
    ("rc.udev", &[], 0o755),
    ("rc.modules", &[], 0o755),
    ("rc.modules-5.15.19", &[], 0o755),
    ("rc.syslog", &[], 0o755),
    ("rc.inet1", &[], 0o755),
    ("rc.sshd", &[], 0o755),
    // Off, as it comes.
    ("rc.httpd", &[], 0o644),
    // On, and nobody calls it.
    ("rc.lonely", &[], 0o755),
];

impl Root {
    /// A Red Hat of the time of its last sysvinit.
    pub fn redhat() -> Root {
        let root = Root::linked("redhat", "etc/rc.d/", "0123456", &REDHAT);
        root.write("etc/redhat-release", "CentOS release 6.10 (Final)\n");
        root.write("etc/rc.d/init.d/functions", "# -*-Shell-script-*-\n");
        symlink("rc.d/init.d", root.path("etc/init.d")).unwrap();
        for level in "0123456".chars() {
            symlink(format!("rc.d/rc{level}.d"), root.path(&format!("etc/rc{level}.d"))).unwrap();
        }
        root
    }

    /// A SUSE with insserv.
    pub fn suse() -> Root {
        let root = Root::linked("suse", "etc/init.d/", "0123456S", &[]);
        fs::create_dir(root.path("etc/init.d/boot.d")).unwrap();
        symlink("init.d", root.path("etc/rc.d")).unwrap();
        root.write(
            "etc/insserv.conf",
            "$local_fs boot.localfs\n$remote_fs $local_fs\n$network network\n$syslog syslog\n",
        );
        for (name, header, links) in SUSE {
            root.script("etc/init.d", name, header);
            for (levels, entry) in links.split_whitespace().filter_map(|link| link.split_once(':')) {
                for level in levels.chars() {
                    let directory = if level == 'B' { "boot.d".to_owned() } else { format!("rc{level}.d") };
                    let link = root.path(&format!("etc/init.d/{directory}/{entry}{name}"));
                    symlink(format!("../{name}"), link).unwrap();
                }
            }
        }
        root
    }

    /// A Linux From Scratch with its bootscripts.
    pub fn lfs() -> Root {
        let root = Root::linked("lfs", "etc/rc.d/", "0123456S", &LFS);
        symlink("rc.d/init.d", root.path("etc/init.d")).unwrap();
        root
    }

    /// A machine with OpenRC, which has some of Debian's directories, too.
    pub fn openrc() -> Root {
        let root = Root::empty("openrc");
        for path in ["etc/rc2.d", "etc/rcS.d", "sbin"] {
            fs::create_dir_all(root.path(path)).unwrap();
        }
        executable(&root.path("sbin/openrc-run"), "#!/bin/sh\n");
        for (level, services) in
            [("sysinit", "dmesg"), ("boot", "localmount hostname"), ("default", "sshd netmount"), ("off", "")]
        {
            let directory = root.path(&format!("etc/runlevels/{level}"));
            fs::create_dir_all(&directory).unwrap();
            for service in services.split_whitespace() {
                fs::create_dir_all(root.path("etc/init.d")).unwrap();
                executable(&root.path("etc/init.d").join(service), "#!/sbin/openrc-run\n");
                symlink(format!("/etc/init.d/{service}"), directory.join(service)).unwrap();
            }
        }
        executable(&root.path("etc/init.d/functions.sh"), "#!/bin/sh\n");
        executable(&root.path("etc/init.d/idle"), "#!/sbin/openrc-run\n");
        root
    }

    /// A Buildroot.
    pub fn busybox() -> Root {
        let root = Root::empty("busybox");
        for (name, header) in BUSYBOX {
            root.script("etc/init.d", name, header);
        }
        for name in ["rcS", "rcK"] {
            executable(&root.path("etc/init.d").join(name), "#!/bin/sh\n");
        }
        root
    }

    /// A Slackware, with directories of links that something else has brought, and configuration beside scripts.
    pub fn slackware() -> Root {
        let root = Root::empty("slackware");
        root.write("etc/slackware-version", "Slackware 15.0\n");
        for path in ["etc/rc.d/init.d", "etc/rc.d/rc3.d"] {
            fs::create_dir_all(root.path(path)).unwrap();
        }
        for (name, calls, mode) in SLACKWARE {
            let call = |name: &&str| match name.strip_suffix(" stop") {
                Some(name) => {
                    format!("if [ -x /etc/rc.d/rc.{name} ]; then\n  /etc/rc.d/rc.{name} stop\nfi\n")
                }
                None => format!("if [ -x /etc/rc.d/rc.{name} ]; then\n  . /etc/rc.d/rc.{name} start\nfi\n"),
            };
            let path = root.path("etc/rc.d").join(name);
            executable(
                &path,
                &format!("#!/bin/sh\n# {name}\n{}", calls.iter().map(call).collect::<String>()),
            );
            fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).unwrap();
        }
        symlink("rc.6", root.path("etc/rc.d/rc.0")).unwrap();
        // Latin 1, as files of those days are.
        let local = b"#!/bin/sh\n# /etc/rc.d/rc.local: gr\xfc\xdfe\necho local\nexit 0\n";
        fs::write(root.path("etc/rc.d/rc.local"), local).unwrap();
        root.write("etc/rc.d/rc.inet1.conf", "IPADDR[0]=\"\"\n");
        root.write("etc/rc.d/rc.httpd.new", "#!/bin/sh\n");
        root
    }

    /// A tree with nothing in it but /etc.
    pub fn empty(name: &str) -> Root {
        let root = Root { sandbox: Sandbox::new(name) };
        fs::create_dir(root.path("etc")).unwrap();
        root
    }

    fn linked(name: &str, below: &str, levels: &str, rows: &[Row]) -> Root {
        let root = Root::empty(name);
        for level in levels.chars() {
            fs::create_dir_all(root.path(&format!("{below}rc{level}.d"))).unwrap();
        }
        for (script, header, links) in rows {
            root.script(&format!("{below}init.d"), script, header);
            for (levels, entry) in links.split_whitespace().filter_map(|link| link.split_once(':')) {
                for level in levels.chars() {
                    let link = root.path(&format!("{below}rc{level}.d/{entry}{script}"));
                    symlink(format!("../init.d/{script}"), link).unwrap();
                }
            }
        }
        root
    }

    fn script(&self, directory: &str, name: &str, header: &[&str]) {
        let directory = self.path(directory);
        fs::create_dir_all(&directory).unwrap();
        let is_lsb = |line: &&&str| !line.starts_with("chkconfig");
        let lines = |lines: Vec<&&str>| lines.iter().map(|line| format!("# {line}\n")).collect::<String>();
        let mut text = format!("#!/bin/sh\n{}", lines(header.iter().filter(|line| !is_lsb(line)).collect()));
        if header.iter().any(|line| is_lsb(&line)) {
            let block = lines(header.iter().filter(is_lsb).collect());
            text.push_str(&format!("### BEGIN INIT INFO\n{block}### END INIT INFO\n"));
        }
        executable(&directory.join(name), &text);
    }

    /// A path in it.
    pub fn path(&self, below: &str) -> PathBuf {
        self.sandbox.path().join(below)
    }

    /// The directory.
    pub fn top(&self) -> &Path {
        self.sandbox.path()
    }

    /// Writes a file.
    pub fn write(&self, below: &str, text: &str) {
        let path = self.path(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Runs foobarctl on it.
    pub fn ctl(&self, arguments: &[&str]) -> Ran {
        ctl(&[&["--root", self.top().to_str().unwrap()], arguments].concat())
    }

    /// Scripts and links, one a line: what starts services.
    pub fn picture(&self) -> String {
        let mut lines = Vec::new();
        let mut todo = vec![self.path("etc")];
        while let Some(directory) = todo.pop() {
            for entry in fs::read_dir(&directory).unwrap().map(Result::unwrap) {
                let path = entry.path();
                let shown = path.strip_prefix(self.top()).unwrap().display().to_string();
                let kind = entry.file_type().unwrap();
                if kind.is_symlink() {
                    let target = fs::read_link(&path).unwrap();
                    lines.push(format!("/{shown} -> {}", target.display()));
                } else if kind.is_dir() {
                    todo.push(path);
                } else if let Some(file) =
                    shown.strip_prefix("etc/rc.d/rc.").filter(|file| !file.contains('/'))
                {
                    let mode = entry.metadata().unwrap().permissions().mode() & 0o7777;
                    lines.push(format!("/{shown} (mode {mode:04o})"));
                    let text = fs::read(&path).unwrap();
                    let text = String::from_utf8_lossy(&text);
                    let numbered = (1..).zip(text.lines()).filter(|_| file.starts_with("local"));
                    lines.extend(numbered.map(|(number, line)| format!("/{shown}:{number:02}: {line}")));
                } else if shown.contains("init.d/") || shown.contains("foobar") {
                    lines.push(format!("/{shown}"));
                }
            }
        }
        lines.sort();
        lines.retain(|line| !line.ends_with(".foobarctl.lock"));
        lines.join("\n") + "\n"
    }
}

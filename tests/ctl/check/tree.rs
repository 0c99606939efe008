//! A small machine without a fault, to be spoilt by a test, and what `check` finds in it.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;

use foobar_tests::Sandbox;
use serde_json::Value;

use crate::support::{Ran, ctl};

/// A script that nothing can be said against.
pub const GOOD: &str = "#!/bin/sh
### BEGIN INIT INFO
# Provides:          good
# Required-Start:    $remote_fs $syslog
# Required-Stop:     $remote_fs $syslog
# Should-Start:      other third
# Should-Stop:       other third
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: a good one
# Description:       says that it is
#                    good
### END INIT INFO

. /lib/lsb/init-functions
[ -r /etc/default/good ] && . /etc/default/good
PIDFILE=/var/run/good.pid

case \"$1\" in
start) start_daemon -p $PIDFILE /usr/sbin/good ;;
stop) killproc -p $PIDFILE /usr/sbin/good ;;
restart | force-reload)
	$0 stop
	$0 start
	;;
status) status_of_proc -p $PIDFILE /usr/sbin/good good ;;
*)
	echo \"Usage: $0 {start|stop|restart|force-reload|status}\" >&2
	exit 2
	;;
esac
";

/// A root with four scripts, their links and startpar's files.
pub struct Tree {
    pub sandbox: Sandbox,
}

impl Tree {
    /// Gives a path a mode.
    pub fn allow(&self, below: &str, mode: u32) {
        fs::set_permissions(self.path(below), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Without a fault.
    pub fn new() -> Tree {
        let tree = Tree { sandbox: Sandbox::new("check") };
        tree.write("bin/sh", "", 0o755);
        tree.write(
            "etc/insserv.conf",
            "$local_fs +mountall\n$remote_fs $local_fs +mountnfs\n$syslog +rsyslog\n",
            0o644,
        );
        tree.script("mountall", &boot("mountall", "", ""));
        tree.script("mountnfs", &boot("mountnfs", "$local_fs", ""));
        let syslog = GOOD.replace(" $syslog", "").replace("good", "rsyslog");
        tree.script("rsyslog", &syslog);
        tree.script("good", GOOD);
        for link in ["rcS.d/S01mountall", "rcS.d/S02mountnfs"] {
            tree.link(link);
        }
        for level in [2, 3, 4, 5] {
            tree.link(&format!("rc{level}.d/S01rsyslog"));
            tree.link(&format!("rc{level}.d/S02good"));
        }
        for level in [0, 1, 6] {
            tree.link(&format!("rc{level}.d/K01good"));
            tree.link(&format!("rc{level}.d/K02rsyslog"));
        }
        tree.write(
            "etc/init.d/.depend.boot",
            "TARGETS = mountall mountnfs\nINTERACTIVE =\nmountnfs: mountall\n",
            0o644,
        );
        tree.write(
            "etc/init.d/.depend.start",
            "TARGETS = rsyslog good\nINTERACTIVE =\ngood: rsyslog\n",
            0o644,
        );
        tree.write("etc/init.d/.depend.stop", "TARGETS = good rsyslog\nrsyslog: good\n", 0o644);
        tree
    }

    /// A path in it.
    pub fn path(&self, below: &str) -> PathBuf {
        self.sandbox.path().join(below)
    }

    /// Writes a file.
    pub fn write(&self, below: &str, text: impl AsRef<[u8]>, mode: u32) {
        let path = self.path(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Writes a script.
    pub fn script(&self, name: &str, text: &str) {
        self.write(&format!("etc/init.d/{name}"), text, 0o755);
    }

    /// The good script with something replaced.
    pub fn spoil(&self, from: &str, to: &str) {
        assert!(GOOD.contains(from), "{from}");
        self.script("good", &GOOD.replacen(from, to, 1));
    }

    /// Makes a link below etc, such as `rc2.d/S01good`.
    pub fn link(&self, below: &str) {
        let name = &below.rsplit('/').next().unwrap()[3..];
        self.link_to(below, &format!("../init.d/{name}"));
    }

    /// Makes a link below etc with another text.
    pub fn link_to(&self, below: &str, text: &str) {
        let path = self.path("etc").join(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(text, path).unwrap();
    }

    /// Removes something.
    pub fn remove(&self, below: &str) {
        fs::remove_file(self.path(below)).unwrap();
    }

    /// Runs `check` on it as the tree of another machine.
    pub fn check(&self, arguments: &[&str]) -> Ran {
        self.run("--root", arguments)
    }

    /// Runs `check` on it as a prefix of this machine.
    pub fn check_live(&self, arguments: &[&str]) -> Ran {
        self.run("--prefix", arguments)
    }

    fn run(&self, option: &str, arguments: &[&str]) -> Ran {
        let path = self.sandbox.path().to_str().unwrap();
        ctl(&[&[option, path, "check"], arguments].concat())
    }
}

/// A script of the boot.
pub fn boot(name: &str, needs: &str, more: &str) -> String {
    let text = GOOD.replace("$remote_fs $syslog", needs).replace("2 3 4 5", "S").replace("0 1 6", "");
    text.replace("good", name)
        .replace("# Short-", &format!("{more}# Short-"))
        .replace("PIDFILE=/var/run", "PIDFILE=/run")
}

/// The codes in a JSON answer.
#[track_caller]
pub fn codes(ran: &Ran) -> BTreeSet<String> {
    let json = ran.json();
    json["findings"].as_array().unwrap().iter().map(|finding| text(finding, "code")).collect()
}

/// A string in an object.
pub fn text(object: &Value, key: &str) -> String {
    object[key].as_str().unwrap_or_default().to_owned()
}

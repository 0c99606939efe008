//! Codes of service files that can be read and yet cannot be what was meant.

use super::tree::Tree;

/// A code, what shows it, and what is near.
pub type Row = (&'static str, fn(&Tree), fn(&Tree));

/// A service file of `mine`, whose program is there, with these keys.
fn keys(tree: &Tree, keys: &str) {
    tree.write("usr/sbin/mine", "", 0o755);
    tree.write("etc/passwd", "root:x:0:0::/root:/bin/sh\nmine:x:100:100::/:/bin/false\n", 0o644);
    tree.write("etc/group", "root:x:0:\nmine:x:100:\n", 0o644);
    tree.write("etc/foobar/mine.toml", format!("program = \"/usr/sbin/mine\"\n{keys}\n"), 0o644);
}

pub const ROWS: &[Row] = &[
    (
        "service-account-unknown",
        |t| keys(t, "user = \"yours\""),
        |t| keys(t, "user = \"mine\"\ngroup = \"mine\"\nsupplementary-groups = [\"4711\"]"),
    ),
    (
        "service-account-unknown",
        |t| keys(t, "supplementary-groups = [\"mine\", \"yours\"]"),
        |t| keys(t, "[[socket]]\nlisten = \"/run/x\"\nuser = \"mine\""),
    ),
    (
        "service-command-absent",
        |t| keys(t, "start-pre = [\"/usr/sbin/none -x\"]"),
        |t| {
            keys(
                t,
                "start-pre = [\"-/usr/sbin/none\", \"/usr/sbin/mine\"]\nready-command = \"/usr/sbin/mine\"",
            )
        },
    ),
    (
        "service-directory-absent",
        |t| keys(t, "working-directory = \"/srv/none\""),
        |t| keys(t, "working-directory = \"/var/lib/mine\"\nstate-directory = [\"mine\"]"),
    ),
    (
        "service-environment-absent",
        |t| keys(t, "environment-file = [\"/etc/default/none\"]"),
        |t| keys(t, "environment-file = [\"-/etc/default/none\", \"/etc/group\"]"),
    ),
    (
        "service-environment-ignored",
        |t| {
            keys(t, "environment-file = [\"-/etc/default/mine\"]");
            t.write("etc/default/mine", "# words\nA=b\nexport B=c\n", 0o644);
        },
        |t| {
            keys(t, "environment-file = [\"/etc/default/mine\"]");
            t.write("etc/default/mine", "# words\n\nA=b\n; more\nB='two\nlines'\n", 0o644);
        },
    ),
    (
        "service-pid-file-exposed",
        |tree| {
            keys(tree, "pid-file = \"/srv/open/mine.pid\"");
            tree.write("srv/open/x", "", 0o644);
            tree.allow("srv/open", 0o777);
        },
        |tree| {
            keys(tree, "pid-file = \"/srv/closed/mine.pid\"");
            tree.write("srv/closed/x", "", 0o644);
            tree.allow("srv/closed", 0o755);
        },
    ),
    ("service-key-unused", |t| keys(t, "log-keep = 3"), |t| keys(t, "log-keep = 3\nlog-output = \"file\"")),
    (
        "service-key-unused",
        |t| keys(t, "restart-delay = 1"),
        |t| keys(t, "restart-delay = 1\nrestart = \"always\""),
    ),
];

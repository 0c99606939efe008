//! `install NAME -- PROGRAM` and `install FILE`: the service file that comes of it, and what is refused.

use std::fs;

use foobar_tests::Sandbox;

use crate::support::{Prefix, Ran, ctl, executable};

fn service_file(prefix: &Prefix, name: &str) -> String {
    fs::read_to_string(prefix.path(&format!("etc/foobar/{name}.toml"))).unwrap()
}

#[test]
fn a_program_becomes_a_service_in_one_line() {
    let prefix = Prefix::empty("compose");
    let line = [
        &["install", "myapp", "--runlevels", "35", "--user", "www-data", "--env", "A=b c", "--env", "D="][..],
        &["--working-directory", "/srv", "--after", "$network", "--after", "mail", "--requires", "db"],
        &["--set", "limit-nofile=4096", "--set", "stop-timeout=1min", "--set", "start-pre=/bin/true -x"],
        &["--", "sh", "-c", "echo \"$HOME\" it's", ""],
    ];
    let ran = prefix.ctl(&line.concat()).expect(0);
    assert!(ran.out.contains("runlevels 3 5"), "{ran:#?}");
    let text = service_file(&prefix, "myapp");
    for wanted in [
        "arguments = [\"-c\", \"echo \\\"$HOME\\\" it's\", \"\"]",
        "expand-arguments = false",
        "type = \"exec\"",
        "restart = \"always\"",
        "user = \"www-data\"",
        "working-directory = \"/srv\"",
        "environment = [\"A=b c\", \"D=\"]",
        "limit-nofile = 4096",
        "stop-timeout = 60",
        "start-pre = [\"/bin/true -x\"]",
        "after = [\"$network\", \"mail\"]",
        "requires = [\"db\"]",
        "runlevels = \"35\"",
        &format!("pid-file = \"{}\"", prefix.show("var/run/myapp.pid")),
    ] {
        assert!(text.lines().any(|line| line == wanted), "{wanted} is missing:\n{text}");
    }
    let program = text.lines().find_map(|line| line.strip_prefix("program = ")).unwrap();
    assert!(program.starts_with("\"/") && program.ends_with("/sh\""), "{program}");
    let script = fs::read_to_string(prefix.path("etc/init.d/myapp")).unwrap();
    assert!(script.contains("# Should-Start:      $network mail\n"), "{script}");
    assert!(script.contains("# Required-Start:    $remote_fs $syslog db\n"), "{script}");
    let again = prefix.ctl(&line.concat()).expect(0);
    assert_eq!(again.out, "myapp is installed already, nothing to do\n");
}

#[test]
fn another_line_changes_what_a_line_has_made_and_nothing_written_by_hand() {
    let prefix = Prefix::empty("compose-again");
    prefix.ctl(&["install", "myapp", "--", "true"]).expect(0);
    prefix.ctl(&["install", "myapp", "--type", "oneshot", "--", "true", "x"]).expect(0);
    let text = service_file(&prefix, "myapp");
    assert!(text.contains("\ntype = \"oneshot\"\n") && !text.contains("\nrestart"), "{text}");
    let path = prefix.path("etc/foobar/myapp.toml");
    fs::write(&path, "program = \"/bin/true\"\n").unwrap();
    let ran = prefix.ctl(&["install", "myapp", "--", "false"]).expect(6);
    assert!(ran.err.contains("was written by hand and says otherwise"), "{ran:#?}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "program = \"/bin/true\"\n");
    prefix.ctl(&["install", "myapp", "--force", "--", "false"]).expect(0);
    assert!(service_file(&prefix, "myapp").contains("/false\"\n"));
}

#[test]
fn a_file_from_elsewhere_is_installed_under_its_name() {
    let prefix = Prefix::empty("compose-file");
    let file = prefix.path("mine.toml");
    let text = "# mine\nprogram = \"/bin/true\"\n[[socket]]\nlisten = \"80\"\n";
    fs::write(&file, text).unwrap();
    prefix.ctl(&["install", file.to_str().unwrap(), "--runlevels", "2"]).expect(0);
    let there = service_file(&prefix, "mine");
    assert!(there.starts_with("# mine\nprogram = \"/bin/true\"\nrunlevels = \"2\"\n[[socket]]\n"), "{there}");
    assert!(prefix.path("etc/init.d/mine").exists());
    fs::write(&file, "program = \"/bin/true\"\nusr = \"x\"\n").unwrap();
    let ran = prefix.ctl(&["install", file.to_str().unwrap()]).expect(6);
    let wanted = format!("{}:2:1: unknown key 'usr': did you mean 'user'?", file.display());
    assert!(ran.err.contains(&wanted), "{ran:#?}");
    let ran = prefix.ctl(&["install", "./mine.service"]).expect(2);
    assert!(ran.err.contains("is no service file: their names are NAME.toml"), "{ran:#?}");
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_written() {
    let prefix = Prefix::empty("compose-refused");
    let plain = prefix.path("plain");
    fs::write(&plain, "#!/bin/sh\n").unwrap();
    let plain = plain.to_str().unwrap();
    let cases: &[(&[&str], i32, &str)] = &[
        (&["x", "--", "no-such-program"], 5, "there is no program no-such-program in "),
        (&["x", "--", "/no/such"], 5, "there is no program /no/such: install it first"),
        (&["x", "--", plain], 5, "cannot be executed: chmod +x "),
        (&["--", "true"], 2, "a program needs a name as a service"),
        (&["a/b", "--", "true"], 2, "a/b"),
        (&["x", "--user", "a b", "--", "true"], 2, "user: 'a b' is no name of an account or group"),
        (&["x", "--type", "fork", "--", "true"], 2, "type: unknown type 'fork'"),
        (&["x", "--set", "limit-nofil=1", "--", "true"], 2, "did you mean 'limit-nofile'?"),
        (&["x", "--set", "nice=x", "--", "true"], 2, "nice: this is a string: write a whole number"),
        (&["x", "--set", "nice", "--", "true"], 2, "write it as --set KEY=VALUE"),
        (&["x", "--user", "a", "--set", "user=b", "--", "true"], 2, "user: it is given twice"),
        (&["x", "--set", "user=a\nprogram = \"/bin/sh\"", "--", "true"], 2, "is no name of an account"),
        (&["x", "--user", "a"], 2, "required arguments were not provided"),
        (&["x", "--runlevels", "06", "--", "true"], 2, "a service cannot start in '06'"),
        (
            &["x", "--standalone", "--", "true"],
            6,
            "needs the supervisor, so its init script cannot do without foobarctl",
        ),
    ];
    for (arguments, code, wanted) in cases {
        let ran = prefix.ctl(&[&["install"][..], arguments].concat()).expect(*code);
        assert!(ran.err.contains(wanted), "{arguments:?}: {ran:#?}");
        assert!(!prefix.path("etc/foobar/x.toml").exists(), "{arguments:?}");
    }
}

#[test]
fn in_another_machines_tree_the_program_is_looked_for_there() {
    let sandbox = Sandbox::new("compose-root");
    let root = sandbox.path();
    for directory in ["etc/init.d", "etc/rc2.d", "usr/sbin", "usr/bin"] {
        fs::create_dir_all(root.join(directory)).unwrap();
    }
    executable(&root.join("usr/sbin/only-there"), "#!/bin/sh\n");
    let offline = |arguments: &[&str]| -> Ran {
        let options = ["--root", root.to_str().unwrap(), "--layout", "debian", "install", "app", "--"];
        ctl(&[&options[..], arguments].concat())
    };
    offline(&["only-there", "-x"]).expect(0);
    let text = fs::read_to_string(root.join("etc/foobar/app.toml")).unwrap();
    assert!(text.contains("program = \"/usr/sbin/only-there\"\n") && !text.contains("pid-file"), "{text}");
    let ran = offline(&["ls"]).expect(5);
    assert!(ran.err.contains("there is no program ls in /usr/local/sbin:"), "{ran:#?}");
    let ran = offline(&["./ls"]).expect(2);
    assert!(ran.err.contains("./ls is relative"), "{ran:#?}");
}

//! install, uninstall, enable, disable: in a prefix and in the tree of another machine.

use std::fs;
use std::path::Path;

use foobar_tests::Sandbox;

use crate::support::{Prefix, Ran, ctl, executable, picture, same};

/// A small Debian tree with insserv's files.
fn debian(name: &str) -> Sandbox {
    let sandbox = Sandbox::new(name);
    let root = sandbox.path();
    for directory in ["etc/init.d", "etc/insserv.conf.d", "var", "run", "usr/sbin"] {
        fs::create_dir_all(root.join(directory)).unwrap();
    }
    for level in "0123456S".chars() {
        fs::create_dir(root.join(format!("etc/rc{level}.d"))).unwrap();
    }
    std::os::unix::fs::symlink("/run", root.join("var/run")).unwrap();
    fs::write(
        root.join("etc/insserv.conf"),
        "$network +networking\n$remote_fs +mountnfs\n$syslog +rsyslog\n",
    )
    .unwrap();
    executable(&root.join("etc/init.d/networking"), SCRIPT);
    sandbox
}

const SCRIPT: &str = "#!/bin/sh\n### BEGIN INIT INFO\n# Provides: networking\n# Required-Start:\n# Required-Stop:\n\
    # Default-Start: S\n# Default-Stop: 0 6\n# Short-Description: x\n### END INIT INFO\n";

fn offline(sandbox: &Sandbox, arguments: &[&str]) -> Ran {
    let root = sandbox.path().to_str().unwrap();
    ctl(&[&["--root", root][..], arguments].concat())
}

#[test]
fn a_second_install_has_nothing_to_do() {
    let prefix = Prefix::empty("twice");
    let first = prefix.ctl(&["install"]).expect(0);
    assert!(first.out.starts_with("installed foobar in "), "{first:#?}");
    assert_eq!(first.err, "");
    let before = picture(prefix.sandbox.path());
    let second = prefix.ctl(&["install"]).expect(0);
    assert_eq!(second.out, "foobar is installed already, nothing to do\n");
    same("second install", &before, &picture(prefix.sandbox.path()));
    assert!(!prefix.path("etc/.foobarctl.lock").exists());
}

#[test]
fn a_dry_run_touches_nothing_and_tells_all() {
    let prefix = Prefix::empty("dry");
    let before = picture(prefix.sandbox.path());
    let dry = prefix.ctl(&["install", "--dry-run"]).expect(0);
    same("dry run", &before, &picture(prefix.sandbox.path()));
    for path in ["/etc/init.d/foobar", "/etc/rc2.d/S01foobar", "/etc/foobar/foobar.toml", "/etc/foobard.toml"]
    {
        assert!(dry.out.contains(path), "{path}: {dry:#?}");
    }
    prefix.ctl(&["install"]).expect(0);
    let installed = picture(prefix.sandbox.path());
    for verb in ["uninstall", "disable", "start", "restart"] {
        let ran = prefix.ctl(&[verb, "--dry-run"]).expect(0);
        assert!(ran.out.contains("would"), "{ran:#?}");
        same(verb, &installed, &picture(prefix.sandbox.path()));
    }
    let pages = prefix.show("var/log");
    for arguments in [&["--prefix", "/", "man", &pages][..], &["man", &pages]] {
        let ran = ctl(&[arguments, &["--dry-run"]].concat()).expect(0);
        let (written, all) = ran.pages("would write ");
        assert!(written == all && all > 0, "{ran:#?}");
        same("man", &installed, &picture(prefix.sandbox.path()));
    }
}

#[test]
fn json_says_what_was_and_what_would_be_changed() {
    let prefix = Prefix::empty("json");
    fs::create_dir(prefix.path("etc")).unwrap();
    let dry = prefix.ctl(&["install", "--dry-run", "--format", "json"]).expect(0).json();
    assert_eq!((&dry["changed"], &dry["dry_run"]), (&true.into(), &true.into()));
    let steps = dry["steps"].as_array().unwrap();
    assert!(
        steps.iter().any(|step| step["step"] == "symlink" && step["path"] == "/etc/rc2.d/S01foobar"),
        "{dry:#}"
    );
    let done = prefix.ctl(&["install", "--format", "json"]).expect(0).json();
    assert_eq!(done["steps"], dry["steps"]);
    assert_eq!(prefix.ctl(&["install", "--format", "json"]).expect(0).json()["changed"], false);
    let list = prefix.ctl(&["list", "--format", "json"]).expect(0).json();
    assert_eq!(list[0]["service"], "foobar");
    assert_eq!((&list[0]["start"], &list[0]["stop"]), (&"2345".into(), &"016".into()));
    assert_eq!(list[0]["state"], "not-running");
}

#[test]
fn what_an_administrator_changed_is_kept_and_named() {
    let prefix = Prefix::installed("kept");
    let script = prefix.path("etc/init.d/foobar");
    let text = fs::read_to_string(&script).unwrap() + "# mine\n";
    fs::write(&script, &text).unwrap();
    let ran = prefix.ctl(&["install"]).expect(0);
    assert!(ran.err.contains("/etc/init.d/foobar was changed by hand and is kept"), "{ran:#?}");
    assert_eq!(fs::read_to_string(&script).unwrap(), text);
    let ran = prefix.ctl(&["uninstall"]).expect(0);
    assert!(ran.err.contains("foobard.toml") && script.exists(), "{ran:#?}");
    prefix.ctl(&["install", "--force"]).expect(0);
    assert!(!fs::read_to_string(&script).unwrap().contains("# mine"));
}

#[test]
fn runlevels_given_at_install_reach_service_file_script_and_links() {
    let prefix = Prefix::empty("levels");
    prefix.ctl(&["install", "--runlevels", "35"]).expect(0);
    assert!(
        fs::read_to_string(prefix.path("etc/foobar/foobar.toml")).unwrap().contains("\nrunlevels = \"35\"\n")
    );
    assert!(
        fs::read_to_string(prefix.path("etc/init.d/foobar")).unwrap().contains("# Default-Start:     3 5\n")
    );
    assert!(prefix.path("etc/rc3.d/S01foobar").is_symlink() && !prefix.path("etc/rc2.d/S01foobar").exists());
    prefix.ctl(&["install"]).expect(0);
    prefix.ctl(&["install", "--runlevels", "2345"]).expect(0);
    assert!(prefix.path("etc/rc2.d/S01foobar").is_symlink());
    assert_eq!(prefix.ctl(&["install"]).expect(0).out, "foobar is installed already, nothing to do\n");
    for bad in ["9", "06", "2x", "$(x)"] {
        prefix.ctl(&["install", "--runlevels", bad]).expect(2);
    }
}

#[test]
fn runlevels_of_a_service_file_that_was_changed_by_hand_are_changed_by_force_and_alone() {
    let prefix = Prefix::installed("levels-kept");
    let file = prefix.path("etc/foobar/foobar.toml");
    let mine = fs::read_to_string(&file).unwrap().replace("network echo server", "thing of mine");
    fs::write(&file, &mine).unwrap();
    let ran = prefix.ctl(&["install", "--runlevels", "35"]).expect(0);
    assert!(ran.err.contains("foobar.toml was changed by hand and is kept"), "{ran:#?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), mine);
    prefix.ctl(&["install", "--runlevels", "35", "--force"]).expect(0);
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("thing of mine") && text.contains("\nrunlevels = \"35\"\n"), "{text}");
    assert_eq!(prefix.ctl(&["install"]).expect(0).out, "foobar is installed already, nothing to do\n");
    // A key that is written in a way that cannot be changed in place.
    prefix.service("odd", "program = \"/bin/true\"\ntype = \"forking\"\n'runlevels' = \"2345\"\n");
    let ran = prefix.ctl(&["install", "odd", "--runlevels", "35"]).expect(6);
    assert!(ran.err.contains("odd.toml: write it as runlevels = \"35\""), "{ran:#?}");
}

#[test]
fn a_prefix_whose_name_cannot_stand_in_a_script_is_refused() {
    use std::os::unix::ffi::OsStrExt as _;
    let sandbox = Sandbox::new("odd-prefix");
    for name in [&b"new\nline"[..], b"not\xffutf8"] {
        let top = sandbox.path().join(std::ffi::OsStr::from_bytes(name));
        fs::create_dir_all(top.join("etc/foobar")).unwrap();
        fs::write(top.join("etc/foobar/mine.toml"), "program = \"/bin/true\"\ntype = \"forking\"\n").unwrap();
        let before = picture(&top);
        for service in ["foobar", "mine"] {
            let mut command = std::process::Command::new(crate::support::FOOBARCTL);
            let ran = Ran::of(command.arg("--prefix").arg(&top).args(["install", service])).expect(2);
            assert!(ran.err.lines().count() == 1 && ran.err.contains("another name"), "{ran:#?}");
        }
        same("refused", &before, &picture(&top));
    }
}

#[test]
fn disable_turns_the_start_links_and_enable_turns_them_back() {
    let prefix = Prefix::installed("toggle");
    let before = picture(prefix.sandbox.path());
    prefix.ctl(&["disable"]).expect(0);
    assert!(prefix.path("etc/rc2.d/K01foobar").is_symlink() && !prefix.path("etc/rc2.d/S01foobar").exists());
    assert_eq!(prefix.ctl(&["disable"]).expect(0).out, "foobar is disabled already, nothing to do\n");
    // The administrator's choice outlives another install.
    prefix.ctl(&["install"]).expect(0);
    assert!(prefix.path("etc/rc2.d/K01foobar").is_symlink());
    prefix.ctl(&["enable"]).expect(0);
    same("enable after disable", &before, &picture(prefix.sandbox.path()));
    prefix.ctl(&["enable", "nobody-knows"]).expect(5);
}

#[test]
fn a_tree_of_another_machine_gets_that_machines_paths() {
    let root = debian("offline");
    offline(&root, &["install"]).expect(0);
    let script = fs::read_to_string(root.path().join("etc/init.d/foobar")).unwrap();
    assert!(script.contains("/usr/sbin/foobarctl") && !script.contains("--prefix"), "{script}");
    assert!(!script.contains(root.path().to_str().unwrap()));
    let service = fs::read_to_string(root.path().join("etc/foobar/foobar.toml")).unwrap();
    assert!(service.contains("program = \"/usr/sbin/foobard\""));
    let depend = fs::read_to_string(root.path().join("etc/init.d/.depend.start")).unwrap();
    assert!(depend.contains("foobar"), "{depend}");
    assert_eq!(
        fs::read_link(root.path().join("etc/rc2.d/S01foobar")).unwrap(),
        Path::new("../init.d/foobar")
    );
    let list = offline(&root, &["list", "--format", "json"]).expect(0).json();
    assert_eq!(list[0]["state"], serde_json::Value::Null, "nothing runs in an offline tree");
    offline(&root, &["uninstall"]).expect(0);
    assert!(!root.path().join("etc/foobar").exists());
}

#[test]
fn nothing_is_started_or_stopped_in_an_offline_tree() {
    let root = debian("dead");
    offline(&root, &["install"]).expect(0);
    let before = picture(root.path());
    for verb in ["start", "stop", "restart", "try-restart", "reload", "force-reload"] {
        let ran = offline(&root, &[verb]).expect(2);
        assert!(ran.err.contains("--root"), "{ran:#?}");
    }
    offline(&root, &["status"]).expect(4);
    same("verbs with --root", &before, &picture(root.path()));
}

#[test]
fn a_standalone_script_does_not_name_foobarctl_as_its_way_to_work() {
    let root = debian("standalone");
    offline(&root, &["install", "--standalone"]).expect(0);
    let script = fs::read_to_string(root.path().join("etc/init.d/foobar")).unwrap();
    assert!(!script.contains("exec") || !script.contains("/usr/sbin/foobarctl"), "{script}");
    assert_eq!(
        offline(&root, &["install", "--standalone"]).expect(0).out,
        "foobar is installed already, nothing to do\n"
    );
}

#[test]
fn a_service_without_a_service_file_is_asked_for_one() {
    let prefix = Prefix::empty("other");
    let ran = prefix.ctl(&["install", "myapp"]).expect(6);
    assert!(ran.err.contains("etc/foobar/myapp.toml"), "{ran:#?}");
    prefix.service("myapp", "programm = \"/bin/true\"\n");
    let ran = prefix.ctl(&["install", "myapp"]).expect(6);
    assert!(ran.err.contains("myapp.toml:1:1") && ran.err.contains("did you mean 'program'"), "{ran:#?}");
    prefix.service("myapp", "program = \"/bin/true\"\ntype = \"forking\"\n");
    prefix.ctl(&["install", "myapp"]).expect(0);
    assert!(prefix.path("etc/rc2.d/S01myapp").is_symlink());
}

#[test]
fn fifty_installs_at_once_leave_one_state() {
    let prefix = Prefix::empty("crowd");
    let children: Vec<_> = (0..50)
        .map(|_| {
            prefix.command(&["install", "--quiet"]).stderr(std::process::Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    let once = Prefix::empty("alone");
    once.ctl(&["install"]).expect(0);
    let names = |prefix: &Prefix| picture(prefix.sandbox.path()).into_keys().collect::<Vec<_>>();
    assert_eq!(names(&prefix), names(&once));
}

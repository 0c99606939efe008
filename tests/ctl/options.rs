//! The options of every verb do for each verb what they say.

use std::fs;
use std::path::Path;

use foobar_tests::{Sandbox, until};

use crate::support::{LIMIT, Prefix, alive, ctl, picture, same};

/// Says what it is asked, and succeeds.
const OTHER: &str = "#!/bin/sh\necho \"$1 asked\"\n";

#[test]
fn a_dry_run_tells_what_the_verb_would_do_and_does_nothing() {
    let prefix = Prefix::installed("foretell");
    let dry = |verb: &str, code: i32| {
        let before = picture(prefix.sandbox.path());
        let ran = prefix.ctl(&[verb, "--dry-run"]).expect(code);
        same(verb, &before, &picture(prefix.sandbox.path()));
        ran.out
    };
    assert!(dry("start", 0).starts_with("would run "));
    assert!(dry("restart", 0).starts_with("would run "));
    assert_eq!(dry("stop", 0), "foobar is not running\n");
    for verb in ["try-restart", "force-reload"] {
        assert_eq!(dry(verb, 0), "foobar is not running, and stays so\n");
    }
    assert_eq!(dry("reload", 7), "");
    prefix.ctl(&["start"]).expect(0);
    let pid = prefix.pid().unwrap();
    // The daemon's last word for now comes when it knows that its starter knows, and would be taken for the verb's doing.
    let log = prefix.path("var/log/foobard.log");
    until("the daemon to say that it started", LIMIT, || {
        fs::read_to_string(&log).ok().filter(|text| text.contains("started: "))
    });
    assert_eq!(dry("start", 0), format!("foobar is already running (PID {pid})\n"));
    for verb in ["stop", "restart", "try-restart"] {
        assert!(dry(verb, 0).starts_with(&format!("would send SIGTERM to foobar (PID {pid})")), "{verb}");
    }
    for verb in ["reload", "force-reload"] {
        assert_eq!(dry(verb, 0), format!("would send SIGHUP to foobar (PID {pid})\n"));
    }
    let uninstall = prefix.ctl(&["uninstall", "--dry-run"]).expect(0);
    assert!(uninstall.err.contains(&format!("foobar (PID {pid}) would be stopped first")), "{uninstall:#?}");
    let json = prefix.ctl(&["stop", "--dry-run", "--format", "json"]).expect(0).json();
    assert_eq!((&json["dry_run"], &json["state"]), (&true.into(), &"running".into()));
    assert!(alive(pid) && prefix.answers());
}

#[test]
fn a_dry_run_of_a_service_that_cannot_reload_ends_as_the_reload_would() {
    let prefix = Prefix::empty("no-reload");
    let sleep = fs::canonicalize("/bin/sleep").unwrap();
    let mut child = std::process::Command::new(&sleep).arg("1000").spawn().unwrap();
    let file = prefix.path("sleeper.pid");
    fs::write(&file, format!("{}\n", child.id())).unwrap();
    let text = format!(
        "program = \"{}\"\ntype = \"forking\"\npid-file = \"{}\"\nreload-signal = \"\"\n",
        sleep.display(),
        file.display()
    );
    prefix.service("sleeper", &text);
    for option in [&["--dry-run"][..], &[]] {
        prefix.ctl(&[&["reload", "sleeper"], option].concat()).expect(3);
    }
    let ran = prefix.ctl(&["force-reload", "sleeper", "--dry-run"]).expect(0);
    assert!(ran.out.contains("SIGTERM") && ran.out.contains("then run"), "{ran:#?}");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn verbose_tells_each_step_on_standard_error() {
    let prefix = Prefix::empty("verbose");
    let steps = |arguments: &[&str], words: &[&str]| {
        let ran = prefix.ctl(&[arguments, &["--verbose"]].concat()).expect(0);
        // Figures stand below the line, indented.
        assert_eq!(ran.out.lines().filter(|line| !line.starts_with(' ')).count(), 1, "{ran:#?}");
        for word in words {
            assert!(ran.err.contains(word), "{word}: {ran:#?}");
        }
    };
    steps(&["install"], &["create  /etc/init.d/foobar", "link    /etc/rc2.d/S01foobar"]);
    prefix.configure(&format!("listen = \"127.0.0.1:{}\"\nlog = \"stderr\"\n", prefix.port));
    steps(&["start"], &["no process is named in", "running ", "foobard"]);
    steps(&["status"], &["foobar.pid: the record of its start says so"]);
    steps(&["reload"], &["asking process", "to read its configuration again"]);
    steps(&["stop"], &["sending SIGTERM to process", "KILL after 5 s"]);
    prefix.script("other", OTHER);
    steps(&["start", "other"], &["running", "etc/init.d/other start"]);
    steps(&["uninstall"], &["remove  /etc/init.d/foobar"]);
}

#[test]
fn quiet_leaves_errors_and_warnings() {
    let prefix = Prefix::empty("quiet");
    prefix.script("other", OTHER);
    for arguments in [
        &["install"][..],
        &["start"],
        &["status"],
        &["list"],
        &["reload"],
        &["disable"],
        &["stop"],
        &["uninstall", "--purge"],
        &["start", "other"],
        &["status", "other"],
        &["completions", "bash"],
        &["man", "/"],
    ] {
        if arguments == ["start"] {
            prefix.configure(&format!("listen = \"127.0.0.1:{}\"\nlog = \"stderr\"\n", prefix.port));
        }
        let ran = prefix.ctl(&[arguments, &["--quiet"]].concat()).expect(0);
        assert_eq!((ran.out, ran.err), (String::new(), String::new()), "{arguments:?}");
    }
    assert_ne!(prefix.ctl(&["status", "--quiet"]).expect(4).err, "");
    prefix.script("foobar", OTHER);
    assert!(prefix.ctl(&["install", "--quiet"]).expect(0).err.contains("note: /etc/init.d/foobar was not"));
}

#[test]
fn every_verb_that_succeeds_prints_one_json_value() {
    let prefix = Prefix::installed("every-json");
    prefix.script("other", OTHER);
    for (arguments, code) in [
        (&["start"][..], 0),
        (&["status"], 0),
        (&["reload"], 0),
        (&["force-reload"], 0),
        (&["restart"], 0),
        (&["try-restart"], 0),
        (&["stop"], 0),
        (&["status"], 3),
        (&["start", "other"], 0),
        (&["status", "other"], 0),
        (&["list"], 0),
        (&["enable"], 0),
        (&["disable"], 0),
        (&["install"], 0),
        (&["uninstall"], 0),
        (&["completions", "zsh"], 0),
        (&["man", "/etc"], 0),
    ] {
        for dry in [true, false] {
            // What --dry-run says of a verb that needs the one before it is told above.
            let option: &[&str] = if dry { &["--dry-run"] } else { &[] };
            let ran = prefix.ctl(&[arguments, &["--format", "json"], option].concat()).expect(code);
            let json = ran.json();
            if let Some(said) = json.get("dry_run") {
                assert_eq!(said, dry, "{arguments:?}: {json:#}");
            }
        }
    }
}

#[test]
fn manual_pages_go_into_the_tree() {
    let sandbox = Sandbox::new("man-root");
    fs::create_dir_all(sandbox.path().join("usr/share/man/man8")).unwrap();
    let root = sandbox.path().to_str().unwrap();
    let first = ctl(&["--root", root, "man", "/usr/share/man/man8"]).expect(0).pages("wrote ");
    assert!(first.0 == first.1 && first.0 > 0, "{first:?}");
    assert!(sandbox.path().join("usr/share/man/man8/foobarctl-start.8").is_file());
    let second = ctl(&["--root", root, "man", "usr/share/man/man8"]).expect(0).pages("wrote ");
    assert_eq!(second, (0, first.1));
    let ran = ctl(&["--root", root, "man", "/nowhere"]).expect(1);
    assert!(ran.err.contains(&format!("{root}/nowhere")), "{ran:#?}");
}

#[test]
fn list_has_what_has_a_script_or_a_service_file_and_no_name_that_could_do_harm() {
    let prefix = Prefix::installed("list");
    for name in ["\u{1b}[2J", "a\nb", "skeleton", "rc", "other.dpkg-old", "other"] {
        prefix.script(name, OTHER);
    }
    prefix.service("alone", "program = \"/bin/true\"\ntype = \"forking\"\n");
    prefix.service("broken", "programm = \"/bin/true\"\n");
    prefix.ctl(&["start"]).expect(0);
    let ran = prefix.ctl(&["list", "--format", "json"]).expect(0);
    assert!(ran.err.contains("broken.toml:1:1"), "{ran:#?}");
    let json = ran.json();
    let rows: Vec<_> =
        json.as_array().unwrap().iter().map(|row| (row["service"].as_str().unwrap(), row)).collect();
    assert_eq!(
        rows.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        ["alone", "broken", "foobar", "other"]
    );
    assert_eq!((&rows[1].1["ours"], &rows[1].1["state"]), (&true.into(), &"unknown".into()));
    assert!(rows[2].1["since"].as_str().unwrap().ends_with('Z'), "{json:#}");
    assert_eq!(rows[3].1["ours"], false);
    let ours = prefix.ctl(&["list", "--ours"]).expect(0).out;
    assert_eq!(ours.lines().count(), 4, "{ours}");
    assert!(Path::new(&prefix.show("etc/foobar/alone.toml")).exists());
}

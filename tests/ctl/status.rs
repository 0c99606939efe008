//! status: every kind of PID file, its code and its words; and that none of them gets anybody signalled.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::Path;
use std::process::{Child, Command};

use crate::support::{Prefix, Ran, alive, is_root};

/// A process that has nothing to do with the service.
struct Stranger(Child);

impl Stranger {
    fn new() -> Stranger {
        Stranger(Command::new("sleep").arg("1000").spawn().unwrap())
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// status, and then the verbs that signal: the stranger must live.
#[track_caller]
fn judged(prefix: &Prefix, what: &str, code: i32, words: &str, stranger: &Stranger) {
    let ran = prefix.ctl(&["status"]).expect(code);
    let said = format!("{}{}", ran.out, ran.err);
    assert!(said.contains(words), "{what}: {ran:#?}");
    let json = prefix.ctl(&["status", "--format", "json"]).expect(code).json();
    assert_eq!(json["code"], code, "{what}: {json:#}");
    let action = if code == 4 { 4 } else { 0 };
    prefix.ctl(&["reload"]).expect(if code == 4 { 4 } else { 7 });
    prefix.ctl(&["try-restart"]).expect(action);
    prefix.ctl(&["stop"]).expect(action);
    assert!(alive(stranger.0.id()), "{what}: a stranger was signalled");
}

#[test]
fn every_text_of_a_pid_file_is_judged() {
    let prefix = Prefix::installed("texts");
    let stranger = Stranger::new();
    let pid = stranger.0.id();
    let file = prefix.path("var/run/foobar.pid");
    judged(&prefix, "missing", 3, "foobar is not running", &stranger);
    for (text, code, words) in [
        (String::new(), 3, "foobar is not running"),
        (format!("{pid}\n"), 1, "foobar is dead"),
        ("4194303\n".to_owned(), 1, "foobar is dead"),
        ("-1\n".to_owned(), 4, "not believed"),
        ("0\n".to_owned(), 4, "not believed"),
        ("1\n".to_owned(), 4, "not believed"),
        (format!("-{pid}\n"), 4, "not believed"),
        (format!("+{pid}\n"), 4, "not believed"),
        (format!("{pid:#x}\n"), 4, "not believed"),
        (format!("{pid} garbage\n"), 4, "not believed"),
        (format!("{pid}\n{pid}\n"), 4, "not believed"),
        (format!("{}\n", (1_u128 << 64) + u128::from(pid)), 4, "not believed"),
        (format!("{}\n", (1_u64 << 32) + u64::from(pid)), 4, "not believed"),
        ("garbage\n".to_owned(), 4, "not believed"),
        ("9".repeat(1 << 16), 4, "not believed"),
    ] {
        fs::write(&file, &text).unwrap();
        judged(&prefix, &format!("{:.40}", text.escape_debug().to_string()), code, words, &stranger);
        let _ = fs::remove_file(&file);
    }
}

#[test]
fn every_kind_of_pid_file_is_judged() {
    let prefix = Prefix::installed("kinds");
    let stranger = Stranger::new();
    let text = format!("{}\n", stranger.0.id());
    let file = prefix.path("var/run/foobar.pid");
    let other = prefix.path("var/run/other.pid");
    fs::write(&other, &text).unwrap();
    let make: [(&str, &dyn Fn()); 5] = [
        ("directory", &|| fs::create_dir(&file).unwrap()),
        ("symbolic link", &|| symlink(&other, &file).unwrap()),
        ("FIFO", &|| {
            Ran::of(Command::new("mkfifo").arg(&file)).expect(0);
        }),
        ("world-writable", &|| {
            fs::write(&file, &text).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
        }),
        ("hard link", &|| fs::hard_link(&other, &file).unwrap()),
    ];
    for (what, make) in make {
        make();
        judged(&prefix, what, 4, &prefix.show("var/run/foobar.pid"), &stranger);
        fs::remove_file(&file).or_else(|_| fs::remove_dir(&file)).unwrap();
    }
}

#[test]
fn a_pid_file_of_another_user_is_not_believed() {
    if !is_root() {
        return foobar_tests::skip("giving a file away needs root");
    }
    let prefix = Prefix::installed("owner");
    let stranger = Stranger::new();
    let file = prefix.path("var/run/foobar.pid");
    fs::write(&file, format!("{}\n", stranger.0.id())).unwrap();
    chown(&file, Some(65534), None).unwrap();
    judged(&prefix, "owned by nobody", 4, "not believed", &stranger);
    fs::remove_file(&file).unwrap();
}

#[test]
fn a_running_service_is_told_with_all_that_is_known_of_it() {
    let prefix = Prefix::installed("known");
    prefix.ctl(&["start"]).expect(0);
    let pid = prefix.pid().unwrap();
    let text = prefix.ctl(&["status"]).expect(0).out;
    assert!(text.starts_with(&format!("foobar is running (PID {pid}) since 20")), "{text}");
    assert!(text.contains("CPU ") && text.contains("MiB"), "{text}");
    let json = prefix.ctl(&["status", "--format", "json"]).expect(0).json();
    assert_eq!((&json["state"], &json["pid"], &json["ours"]), (&"running".into(), &pid.into(), &true.into()));
    assert_eq!(json["pid_file"], prefix.show("var/run/foobar.pid"));
    assert!(json["memory"].as_u64().unwrap() > 100_000, "{json:#}");
    assert!(json["uptime"].is_u64() && json["cpu_time"].is_f64(), "{json:#}");
    assert!(json["since"].as_str().unwrap().ends_with('Z'));
    assert_eq!(prefix.ctl(&["--quiet", "status"]).expect(0).out, "");
    let list = prefix.ctl(&["list", "--format", "json"]).expect(0).json();
    assert_eq!((&list[0]["state"], &list[0]["pid"]), (&"running".into(), &pid.into()));
}

#[test]
fn a_service_that_is_not_installed_is_unknown_and_what_was_looked_for_is_named() {
    let prefix = Prefix::empty("nowhere");
    let ran = prefix.ctl(&["status", "myapp"]).expect(4);
    for path in ["etc/foobar/myapp.toml", "etc/init.d/myapp"] {
        assert!(ran.err.contains(&prefix.show(path)), "{ran:#?}");
    }
    for verb in ["start", "stop", "restart", "try-restart", "reload", "force-reload"] {
        prefix.ctl(&[verb, "myapp"]).expect(5);
    }
}

#[test]
fn a_service_file_that_others_can_write_is_not_obeyed() {
    let prefix = Prefix::installed("writable");
    let file = prefix.path("etc/foobar/foobar.toml");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    let ran = prefix.ctl(&["start"]).expect(4);
    assert!(ran.err.contains("chmod go-w"), "{ran:#?}");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
}

#[test]
fn a_daemon_that_does_not_lock_is_believed_by_its_executable_alone() {
    let prefix = Prefix::empty("unlocked");
    let (file, stranger) = (prefix.path("sleeper.pid"), Stranger::new());
    fs::write(&file, format!("{}\n", stranger.0.id())).unwrap();
    let text = |program: &Path| {
        format!(
            "program = \"{}\"\ntype = \"forking\"\npid-file = \"{}\"\n",
            program.display(),
            file.display()
        )
    };
    prefix.service("sleeper", &text(Path::new("/bin/true")));
    prefix.ctl(&["status", "sleeper"]).expect(1);
    let sleep = fs::read_link(format!("/proc/{}/exe", stranger.0.id())).unwrap();
    prefix.service("sleeper", &text(&sleep));
    prefix.ctl(&["status", "sleeper"]).expect(0);
}

//! The thin script: which foobarctl it calls with which words, whatever the caller does to it, and what
//! it says where there is none.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use foobar_initscripts::exit::{Action, Status};
use foobar_initscripts::layout::debian::DEBIAN;
use foobar_initscripts::script::{Caller, ScriptError, Style, render};
use foobar_tests::{Sandbox, executable};

use crate::foobar;
use crate::shells::{Shell, code, shells, streams};

const VERBS: [&str; 7] = ["start", "stop", "restart", "try-restart", "reload", "force-reload", "status"];

/// A thin script and the foobarctl that it calls, which writes its words down and exits with 42.
struct Scene {
    sandbox: Sandbox,
    script: PathBuf,
    prefix: String,
}

impl Scene {
    fn new(folder: &str) -> Scene {
        let sandbox = Sandbox::new("thin");
        let home = sandbox.path().join(folder);
        fs::create_dir_all(home.join("etc/init.d")).unwrap();
        let foobarctl = home.join("foobarctl");
        let text =
            format!("#!/bin/sh\nprintf '%s\\0' \"$@\" >{}/record\nexit 42\n", sandbox.path().display());
        executable(&foobarctl, &text);
        let prefix = home.to_str().unwrap().to_owned();
        let caller =
            Caller { foobarctl: foobarctl.to_str().unwrap().to_owned(), prefix: Some(prefix.clone()) };
        let script = home.join("etc/init.d/foobar");
        executable(&script, &render(&foobar(), &DEBIAN, Style::Thin, &caller).unwrap());
        Scene { sandbox, script, prefix }
    }

    /// The words that foobarctl was called with; none if it was not. They are forgotten then.
    fn record(&self) -> Option<Vec<String>> {
        let path = self.sandbox.path().join("record");
        let text = fs::read_to_string(&path).ok()?;
        fs::remove_file(path).unwrap();
        Some(text.split_terminator('\0').map(str::to_owned).collect())
    }

    fn must_hand_over(&self, how: &str, mut command: Command, verb: &str) {
        let output = command.arg(verb).output().unwrap();
        assert_eq!(code(&output), 42, "{how} {verb}: {}", streams(&output));
        let wanted = ["--prefix", &self.prefix, verb, "foobar"].map(str::to_owned).to_vec();
        assert_eq!(self.record(), Some(wanted), "{how} {verb}");
    }
}

fn with(shell: &Shell, script: &Path) -> Command {
    let mut command = shell.command();
    command.arg(script);
    command
}

#[test]
fn every_verb_reaches_foobarctl_whatever_the_paths_are() {
    for folder in ["plain", "a b", "it's", "$(id) `id` \"q\" \\ *", "-n"] {
        let scene = Scene::new(folder);
        for shell in shells() {
            for verb in VERBS {
                scene.must_hand_over(shell.name, with(&shell, &scene.script), verb);
            }
        }
    }
}

#[test]
fn a_path_that_no_line_can_hold_is_refused() {
    for bad in ["/a\nb/foobarctl", "foobarctl", "", "/a\0b"] {
        let caller = Caller { foobarctl: bad.to_owned(), prefix: None };
        let error = render(&foobar(), &DEBIAN, Style::Thin, &caller);
        assert_eq!(error, Err(ScriptError::Path(bad.to_owned())));
    }
}

#[test]
fn the_caller_cannot_lead_it_astray() {
    let scene = Scene::new("a b");
    let trap = scene.sandbox.path().join("trap.sh");
    executable(&trap, &format!("echo sprung >{}/record\n", scene.sandbox.path().display()));
    let link = scene.sandbox.path().join("S03foobar");
    symlink(&scene.script, &link).unwrap();
    for shell in shells() {
        scene.must_hand_over("called by its link", with(&shell, &link), "start");
        let mut hostile = with(&shell, &scene.script);
        hostile
            .env("IFS", "/-ao")
            .env("PATH", "/nowhere")
            .env("ENV", &trap)
            .env("CDPATH", "/")
            .env("LC_ALL", "xx");
        // The program itself was found before; the script gets this PATH.
        scene.must_hand_over("in a hostile environment", hostile, "stop");
        let gone = scene.sandbox.path().join("gone");
        fs::create_dir(&gone).unwrap();
        let mut lost = Command::new("/bin/sh");
        let quoted = scene.script.to_str().unwrap();
        let program = "cd \"$0\" && rmdir \"$0\" && exec \"$1\" \"$2\"";
        lost.args(["-c", program]).arg(&gone).arg(quoted);
        scene.must_hand_over("from a directory that is gone", lost, "reload");
    }
}

#[test]
fn wrong_usage_ends_with_2_and_calls_nobody() {
    let scene = Scene::new("plain");
    for shell in shells() {
        for words in
            [&[][..], &[""], &["begin"], &["START"], &["start", "now"], &["start", ""], &["-h"], &["*"]]
        {
            let output = shell.run(&scene.script, words);
            assert_eq!(code(&output), i32::from(Action::Usage.code()), "{} {words:?}", shell.name);
            assert!(streams(&output).contains("Usage: "), "{}", streams(&output));
            assert_eq!(scene.record(), None, "{words:?}");
        }
    }
}

#[test]
fn the_extra_word_of_runit_is_no_wrong_usage() {
    let scene = Scene::new("plain");
    for shell in shells() {
        assert_eq!(code(&shell.run(&scene.script, &["start", "--force-sysv"])), 42);
        assert_eq!(scene.record().unwrap().last().map(String::as_str), Some("foobar"));
    }
}

#[test]
fn without_foobarctl_it_says_so_and_status_is_unknown() {
    let scene = Scene::new("plain");
    fs::remove_file(scene.script.ancestors().nth(3).unwrap().join("foobarctl")).unwrap();
    for shell in shells() {
        for verb in VERBS {
            let wanted = if verb == "status" { Status::Unknown.code() } else { Action::NotInstalled.code() };
            let output = shell.run(&scene.script, &[verb]);
            assert_eq!(code(&output), i32::from(wanted), "{} {verb}: {}", shell.name, streams(&output));
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(
                said.contains("foobarctl is not installed"),
                "{} {verb}: {}",
                shell.name,
                streams(&output)
            );
        }
    }
}

//! Verb by state: the exit codes of LSB, and that the state afterwards is the one that was asked for.

use std::fs;
use std::path::Path;
use std::time::Duration;

use foobar_tests::{copy_program, until};

use super::stage::{Manner, Stage};
use crate::shells::{Shell, code, shells, streams};

const VERBS: [&str; 7] = ["start", "stop", "restart", "try-restart", "reload", "force-reload", "status"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Stopped,
    Emptied,
    Running,
    Crashed,
    Garbage,
}

/// LSB Core, "Init Script Actions"; the columns are those of `VERBS`.
const TABLE: [(State, [u8; 7]); 5] = [
    (State::Stopped, [0, 0, 0, 0, 7, 7, 3]),
    (State::Emptied, [0, 0, 0, 0, 7, 7, 3]),
    (State::Running, [0, 0, 0, 0, 0, 0, 0]),
    (State::Crashed, [0, 0, 0, 0, 7, 7, 1]),
    (State::Garbage, [1, 1, 1, 1, 1, 1, 4]),
];

fn enter(stage: &Stage, shell: &Shell, state: State) {
    match state {
        State::Stopped => {}
        State::Emptied => stage.write_pid_file(""),
        State::Garbage => stage.write_pid_file("12 34\n"),
        State::Running => drop(stage.must(shell, "start", 0)),
        State::Crashed => {
            stage.must(shell, "start", 0);
            stage.crash();
        }
    }
}

/// Whether the daemon runs after a verb that ended with 0.
fn runs_after(verb: &str, before: State) -> bool {
    match verb {
        "start" | "restart" => true,
        "stop" => false,
        _ => before == State::Running,
    }
}

#[test]
fn every_verb_in_every_state() {
    for shell in shells() {
        for (state, codes) in TABLE {
            for (verb, wanted) in VERBS.into_iter().zip(codes) {
                let stage = Stage::new("a b", Manner::Good);
                enter(&stage, &shell, state);
                let before = stage.daemon();
                stage.must(&shell, verb, wanted);
                let after = stage.daemon();
                if wanted == 0 {
                    assert_eq!(after.is_some(), runs_after(verb, state), "{} {state:?} {verb}", shell.name);
                }
                let renewed = ["restart", "try-restart"].contains(&verb) && state == State::Running;
                if before.is_some() && after.is_some() {
                    assert_eq!(before != after, renewed, "{} {state:?} {verb}", shell.name);
                }
            }
        }
    }
}

#[test]
fn what_cannot_reload_says_so_and_force_reload_restarts_it() {
    for shell in shells() {
        let mut stage = Stage::new("x", Manner::Good);
        stage.without_reload();
        assert!(stage.must(&shell, "reload", 3).contains("cannot reload"));
        stage.must(&shell, "force-reload", 0);
        assert_eq!(stage.daemon(), None);
        stage.must(&shell, "start", 0);
        let before = stage.daemon().unwrap();
        stage.must(&shell, "reload", 3);
        stage.must(&shell, "force-reload", 0);
        assert_ne!(stage.daemon().unwrap(), before);
    }
}

#[test]
fn reload_reaches_the_daemon() {
    for shell in shells() {
        let stage = Stage::new("x", Manner::Good);
        stage.must(&shell, "start", 0);
        for verb in ["reload", "force-reload"] {
            let count = stage.log().len();
            stage.must(&shell, verb, 0);
            until("HUP in the log", Duration::from_secs(10), || (stage.log().len() > count).then_some(()));
        }
        stage.must(&shell, "stop", 0);
        assert_eq!(stage.log(), ["ready", "HUP", "HUP", "TERM"]);
    }
}

#[test]
fn another_stop_signal_is_used() {
    for shell in shells() {
        let mut stage = Stage::new("x", Manner::Ignores);
        stage.stop_by("USR2");
        stage.must(&shell, "start", 0);
        assert!(stage.must(&shell, "stop", 0).contains("stopped (PID "));
        assert_eq!(stage.daemon(), None);
    }
}

#[test]
fn what_ignores_term_is_killed_and_that_is_said() {
    for shell in shells() {
        let mut stage = Stage::new("x", Manner::Ignores);
        stage.service.stop_timeout = Duration::from_secs(1);
        stage.write_script();
        stage.must(&shell, "start", 0);
        let said = stage.must(&shell, "stop", 0);
        assert!(said.contains("killed: it did not stop within 1 seconds (PID "), "{said}");
        assert_eq!(stage.daemon(), None);
        assert!(!stage.pid_file().exists(), "the PID file of the killed daemon is left");
        stage.must(&shell, "status", 3);
    }
}

#[test]
fn a_program_that_does_not_start_is_told_with_its_reason() {
    for shell in shells() {
        for (code, wanted) in [(1, 1), (2, 1), (3, 1), (4, 4), (5, 5), (6, 6), (7, 1), (255, 1)] {
            let stage = Stage::new("x", Manner::Fails(code));
            let said = stage.must(&shell, "start", wanted);
            assert!(said.contains(&format!("did not start (exit code {code})")), "{said}");
            stage.must(&shell, "status", 3);
        }
    }
}

#[test]
fn a_start_that_takes_too_long_is_given_up() {
    let mut stage = Stage::new("x", Manner::Hangs);
    stage.service.start_timeout = Duration::from_secs(1);
    stage.write_script();
    for shell in shells() {
        let said = stage.must(&shell, "start", 1);
        assert!(said.contains("not ready within 1 seconds"), "{}: {said}", shell.name);
    }
}

#[test]
fn a_missing_program_cannot_start_but_is_stopped() {
    for shell in shells() {
        let stage = Stage::new("x", Manner::Good);
        fs::remove_file(&stage.service.program).unwrap();
        for (verb, wanted) in VERBS.into_iter().zip([5, 0, 5, 0, 7, 7, 3]) {
            stage.must(&shell, verb, wanted);
        }
    }
}

#[test]
fn a_program_replaced_while_it_runs_is_still_known() {
    for shell in shells() {
        let stage = Stage::new("x", Manner::Good);
        stage.must(&shell, "start", 0);
        fs::remove_file(&stage.service.program).unwrap();
        stage.must(&shell, "status", 0);
        copy_program(Path::new("/bin/dash"), Path::new(&stage.service.program));
        let before = stage.daemon();
        stage.must(&shell, "restart", 0);
        assert!(stage.daemon().is_some() && stage.daemon() != before);
    }
}

#[test]
fn wrong_usage_ends_with_2() {
    let stage = Stage::new("x", Manner::Good);
    for shell in shells() {
        for words in [&[][..], &["begin"], &["start", "now"], &["look"], &[""]] {
            let output = shell.run(&stage.script, words);
            assert_eq!(output.status.code(), Some(2), "{} {words:?}", shell.name);
        }
        assert_eq!(stage.daemon(), None);
    }
}

#[test]
fn paths_and_arguments_survive() {
    for folder in ["it's", "$(id) `id`", "\"q\" \\ * ~", "-n"] {
        for shell in shells() {
            let stage = Stage::new(folder, Manner::Good);
            stage.must(&shell, "start", 0);
            stage.must(&shell, "status", 0);
            stage.must(&shell, "stop", 0);
            assert_eq!(stage.log(), ["ready", "TERM"], "{folder} {}", shell.name);
        }
    }
}

#[test]
fn the_caller_cannot_lead_it_astray() {
    for shell in shells() {
        let stage = Stage::new("x", Manner::Good);
        let gone = stage.script.with_file_name("gone");
        for (verb, wanted) in
            [("start", 0), ("status", 0), ("reload", 0), ("restart", 0), ("stop", 0), ("status", 3)]
        {
            fs::create_dir(&gone).unwrap();
            let mut words = shell.command();
            // The directory that it is called from is gone before the script begins.
            let lost = "cd \"$1\" && rmdir \"$1\" && shift && . \"$0\"";
            words.args(["-c", lost]).arg(&stage.script).arg(&gone).arg(verb);
            words
                .env("IFS", "/-ao")
                .env("PATH", "/nowhere")
                .env("CDPATH", "/")
                .env("pid_file", "/x")
                .env("PWD", "/x");
            let output = words.env("PATH", "/nowhere:/usr/bin:/bin").output().unwrap();
            assert_eq!(code(&output), wanted, "{} {verb}: {}", shell.name, streams(&output));
        }
    }
}

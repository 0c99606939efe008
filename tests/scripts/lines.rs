//! The lines that call services, in the shells that may run them: as a file of their own and read by another.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use foobar_initscripts::hooks::{MADE, block};
use foobar_initscripts::link::Kind;
use foobar_initscripts::shell::quote;
use foobar_tests::{Sandbox, executable, skip};

use crate::shells::{code, is_installed, shells, streams};

fn write(path: &Path, text: &str, mode: u32) {
    executable(path, text);
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// What the script says that it was called with.
const SCRIPT: &str = "#!/bin/sh\necho \"called: $*\"\n";

#[test]
fn every_shell_runs_them_by_the_executable_bit() {
    for folder in ["plain", "a b", "it's $(id) `id` \"q\" \\ *"] {
        let sandbox = Sandbox::new("lines");
        let home = sandbox.path().join(folder);
        fs::create_dir(&home).unwrap();
        let script = home.join("rc.x");
        let word = quote(script.to_str().unwrap()).unwrap();
        for (kind, verb) in [(Kind::Start, "start"), (Kind::Kill, "stop")] {
            let file = home.join(format!("rc.{verb}"));
            // What stops a script from going on after a command that fails must not end here.
            write(&file, &format!("{MADE}set -eu\n{}echo after\n", block("x", &word, kind)), 0o755);
            let reader = home.join("reader");
            write(&reader, &format!(". {}\n", quote(file.to_str().unwrap()).unwrap()), 0o644);
            for shell in shells() {
                for path in [&file, &reader] {
                    let says = |what: &str| {
                        let output = shell.run(path, &[]);
                        assert_eq!(
                            (code(&output), streams(&output).as_str()),
                            (0, what),
                            "{} {folder}",
                            shell.name
                        );
                    };
                    write(&script, SCRIPT, 0o755);
                    says(&format!("called: {verb}\nafter\n"));
                    // It is not started, and stopped all the same.
                    write(&script, SCRIPT, 0o644);
                    says(if kind == Kind::Start { "after\n" } else { "called: stop\nafter\n" });
                    fs::remove_file(&script).unwrap();
                    says("after\n");
                }
            }
        }
    }
}

#[test]
fn shellcheck_has_nothing_to_say_of_them() {
    if !is_installed("shellcheck") {
        return skip("shellcheck is not installed");
    }
    let sandbox = Sandbox::new("lines-shellcheck");
    for (kind, name) in [(Kind::Start, "rc.local"), (Kind::Kill, "rc.local_shutdown")] {
        let file = sandbox.path().join(name);
        let lines = |name: &str| block(name, &format!("/etc/rc.d/rc.{name}"), kind);
        write(&file, &format!("{MADE}{}{}", lines("a"), lines("b_1+2-3")), 0o755);
        let output =
            Command::new("shellcheck").args(["--norc", "--shell=sh", "--severity=style"]).arg(&file).output();
        let output = output.unwrap();
        assert!(output.status.success() && streams(&output).is_empty(), "{}", streams(&output));
    }
}

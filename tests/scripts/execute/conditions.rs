//! Conditions and asserts.

use foobar_initscripts::description::parse;
use foobar_initscripts::execute::{Facts, Verdict, Virtualization, judge};
use foobar_initscripts::service::Condition;

use crate::name;

/// A machine on which `/yes` is all that can be, and nothing else is.
struct Machine;

impl Facts for Machine {
    fn exists(&self, path: &str) -> bool {
        path == "/yes"
    }
    fn glob(&self, pattern: &str) -> bool {
        pattern == "/y*"
    }
    fn is_directory(&self, path: &str) -> bool {
        path == "/yes"
    }
    fn is_symbolic_link(&self, path: &str) -> bool {
        path == "/yes"
    }
    fn is_mount_point(&self, path: &str) -> bool {
        path == "/yes"
    }
    fn is_read_write(&self, path: &str) -> bool {
        path == "/yes"
    }
    fn directory_not_empty(&self, path: &str) -> bool {
        path == "/yes"
    }
    fn file_not_empty(&self, path: &str) -> bool {
        path == "/yes"
    }
    fn file_is_executable(&self, path: &str) -> bool {
        path == "/yes"
    }
    fn kernel_command_line(&self) -> String {
        "ro quiet root=/dev/sda1".to_owned()
    }
    fn virtualization(&self) -> Virtualization {
        Virtualization::Container
    }
    fn has_capability(&self, number: usize) -> bool {
        number == 12
    }
    fn host_name(&self) -> String {
        "web-1".to_owned()
    }
}

fn conditions(keys: &str) -> Vec<Condition> {
    match parse(&name("x"), &format!("program = \"/bin/x\"\n{keys}\n"), "x") {
        Ok(service) => service.conditions,
        Err(error) => panic!("{error}"),
    }
}

/// What holds, and what does not.
const TESTS: &[(&str, &str, &str)] = &[
    ("path-exists", "/yes", "/no"),
    ("path-exists-glob", "/y*", "/n*"),
    ("path-is-directory", "/yes", "/no"),
    ("path-is-symbolic-link", "/yes", "/no"),
    ("path-is-mount-point", "/yes", "/no"),
    ("path-is-read-write", "/yes", "/no"),
    ("directory-not-empty", "/yes", "/no"),
    ("file-not-empty", "/yes", "/no"),
    ("file-is-executable", "/yes", "/no"),
    ("kernel-command-line", "quiet", "qui"),
    ("kernel-command-line", "root", "root=/dev/sda"),
    ("kernel-command-line", "root=/dev/sda1", "sda1"),
    ("virtualization", "yes", "no"),
    ("virtualization", "container", "vm"),
    ("capability", "CAP_NET_ADMIN", "CAP_CHOWN"),
    ("host", "web-*", "db-*"),
];

#[test]
fn each_test_is_asked_and_can_be_turned_around() {
    for (test, yes, no) in TESTS {
        for (prefix, argument, holds) in
            [("", yes, true), ("", no, false), ("!", yes, false), ("!", no, true)]
        {
            let found = conditions(&format!("condition-{test} = [\"{prefix}{argument}\"]"));
            let wanted = if holds { Verdict::Start } else { Verdict::Skip(&found[0]) };
            assert_eq!(judge(&found, &Machine), wanted, "{test} {prefix}{argument}");
            let found = conditions(&format!("assert-{test} = [\"{prefix}{argument}\"]"));
            let wanted = if holds { Verdict::Start } else { Verdict::Fail(&found[0]) };
            assert_eq!(judge(&found, &Machine), wanted, "{test} {prefix}{argument}");
        }
    }
}

#[test]
fn all_must_hold_but_of_those_with_a_bar_one() {
    let verdict = |elements: &str| {
        let found = conditions(&format!("condition-path-exists = [{elements}]"));
        judge(&found, &Machine) == Verdict::Start
    };
    assert!(verdict(""));
    assert!(verdict(r#""/yes", "!/no""#));
    assert!(!verdict(r#""/yes", "/no""#));
    assert!(verdict(r#""|/no", "|/yes""#));
    assert!(!verdict(r#""|/no", "|!/yes""#));
    assert!(!verdict(r#""|/yes", "/no""#));
    assert!(verdict(r#""|!/no", "/yes""#));
}

#[test]
fn asserts_are_asked_when_conditions_let_the_start_be() {
    let found = conditions("assert-path-exists = [\"/no\"]\ncondition-path-exists = [\"/no\"]");
    assert!(matches!(judge(&found, &Machine), Verdict::Skip(condition) if !condition.assert));
}

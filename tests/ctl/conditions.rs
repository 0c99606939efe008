//! What a service file asks of a start: conditions and asserts; and what reaches the program of variables and their files.

use std::fs;

use crate::support::Prefix;

/// A service that sleeps, with more keys.
fn sleeper(prefix: &Prefix, more: &str) {
    let pid_file = prefix.show("var/run/mine.pid");
    fs::create_dir_all(prefix.path("var/run")).unwrap();
    let text =
        format!("program = \"/bin/sleep\"\narguments = [\"1000\"]\npid-file = \"{pid_file}\"\n{more}\n");
    prefix.service("mine", &text);
}

#[test]
fn a_condition_that_does_not_hold_skips_the_start_and_an_assert_fails_it() {
    let prefix = Prefix::empty("conditions");
    sleeper(&prefix, "condition-path-exists = [\"/no/such\"]");
    let ran = prefix.ctl(&["start", "mine"]).expect(0);
    assert_eq!(ran.out, "mine was not started: condition-path-exists = \"/no/such\" does not hold\n");
    prefix.ctl(&["status", "mine"]).expect(3);
    sleeper(&prefix, "assert-path-is-directory = [\"/bin/sh\"]");
    let ran = prefix.ctl(&["start", "mine"]).expect(6);
    assert!(
        ran.err.contains("mine did not start: assert-path-is-directory = \"/bin/sh\" does not hold"),
        "{ran:#?}"
    );
    prefix.ctl(&["status", "mine"]).expect(3);
    sleeper(
        &prefix,
        "condition-path-exists = [\"!/no/such\", \"|/no/such\", \"|/bin/sh\"]\nassert-path-exists-glob = [\"/b*/s?\"]",
    );
    prefix.ctl(&["start", "mine"]).expect(0);
    prefix.ctl(&["status", "mine"]).expect(0);
    prefix.ctl(&["stop", "mine"]).expect(0);
}

#[test]
fn variables_of_files_reach_the_program_and_its_arguments_and_nothing_is_executed() {
    let prefix = Prefix::empty("variables");
    let (out, file) = (prefix.show("out"), prefix.show("defaults"));
    fs::create_dir_all(prefix.path("var/run")).unwrap();
    let text = "# defaults\nOPTIONS=\"-a 'b c'\"\nNAME=$(touch x) `id`\nexport BAD=1\nLATER=two\n";
    fs::write(prefix.path("defaults"), text).unwrap();
    let script = "printf '%s|' \\\"$@\\\" \\\"$LATER\\\" \\\"${BAD-none}\\\" >\\\"$0\\\"";
    let service = format!(
        "program = \"/bin/sh\"\ntype = \"oneshot\"\narguments = [\"-c\", \"{}\", \"{out}\", \"$OPTIONS\", \"x${{NAME}}\", \"$$NAME\", \"$UNSET\"]\n\
         environment = [\"LATER=one\"]\nenvironment-file = [\"{file}\", \"-/no/such\"]\npid-file = \"{}\"\n",
        script.replace("${BAD", "$${BAD"),
        prefix.show("var/run/mine.pid"),
    );
    prefix.service("mine", &service);
    prefix.ctl(&["start", "mine"]).expect(0);
    let found = fs::read_to_string(prefix.path("out")).unwrap();
    assert_eq!(found, "-a|b c|x$(touch x) `id`|$NAME|two|none|");
    assert!(!prefix.path("x").exists());
    fs::remove_file(prefix.path("defaults")).unwrap();
    let ran = prefix.ctl(&["start", "mine"]).expect(6);
    assert!(ran.err.contains("cannot read the environment file"), "{ran:#?}");
}

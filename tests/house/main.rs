//! The rules of the house that no compiler and no lint knows, kept by a test each.
//!
//! A rule is a pure function from the sources to its violations; beside each stands a planted defect that
//! shows that the rule can fail.
#![forbid(unsafe_code)]
#![allow(clippy::expect_used, reason = "a test that cannot go on has failed")]

mod circles;
mod planted;
mod rules;
mod tree;

use rules::Violation;
use tree::Source;

/// Fails with every violation of one rule, one a line.
fn keep(rule: &str, violations: &[Violation]) {
    let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "{rule}:\n{}", lines.join("\n"));
}

/// Runs a rule that looks at one file at a time over all of them.
fn each(rule: &str, check: impl Fn(&Source) -> Vec<Violation>) {
    let sources = tree::rust_sources();
    assert!(sources.len() > 40, "only {} sources were found: the walk is broken", sources.len());
    keep(rule, &sources.iter().flat_map(check).collect::<Vec<_>>());
}

#[test]
fn every_file_says_what_it_is() {
    each("a file opens with `//!`", rules::opens_with_front_page);
}

#[test]
fn files_stay_readable() {
    each("a file has at most 400 lines", rules::short_enough);
}

#[test]
fn lists_define_nothing() {
    each("lib.rs and mod.rs list, they do not define", rules::lists_only);
}

#[test]
fn unsafe_lives_in_one_module() {
    each("unsafe code stands in daemon/process/src/sys alone", rules::unsafe_in_sys_only);
}

#[test]
fn crates_stay_where_they_belong() {
    each("a crate is named only where it is wrapped", rules::crates_in_their_places);
}

#[test]
fn time_limits_are_monotonic() {
    each("the wall clock is for stamps, time limits are monotonic", rules::wall_clock_for_stamps_only);
}

#[test]
fn no_test_sleeps() {
    each("tests wait on a condition with a deadline", rules::no_sleep_in_tests);
}

#[test]
fn nothing_is_left_unfinished() {
    each("no unfinished place, no silenced warning, no path of one machine", rules::finished);
}

#[test]
fn imports_make_no_circle() {
    for krate in ["daemon/src", "daemon/process/src", "initscripts/src", "ctl/src"] {
        let sources: Vec<Source> =
            tree::rust_sources().into_iter().filter(|source| source.path.starts_with(krate)).collect();
        keep("no circle between the files of a crate", &circles::find(krate, &sources));
    }
}

#[test]
fn arrows_between_packages_are_as_drawn() {
    for (manifest, allowed) in rules::ARROWS {
        keep(
            "foobard -> foobar-process <- foobarctl -> foobar-initscripts, no other",
            &rules::arrows(manifest, &tree::text(manifest), allowed),
        );
    }
}

#[test]
fn every_dependency_is_argued() {
    keep("each dependency has its line of argument", &rules::argued(&tree::text("Cargo.toml")));
}

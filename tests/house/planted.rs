//! A planted defect for each rule: shows that the rule can fail.

use crate::circles;
use crate::rules::{self, Violation};
use crate::tree::Source;

fn source(path: &str, text: &str) -> Source {
    Source { path: path.to_owned(), text: text.to_owned() }
}

fn caught(violations: &[Violation]) {
    assert_eq!(violations.len(), 1, "{violations:?}");
}

#[test]
fn a_missing_front_page_is_caught() {
    caught(&rules::opens_with_front_page(&source("ctl/src/a.rs", "use std::fs;\n")));
}

#[test]
fn a_long_file_is_caught() {
    caught(&rules::short_enough(&source("ctl/src/a.rs", &"\n".repeat(401))));
}

#[test]
fn a_definition_in_a_list_is_caught() {
    caught(&rules::lists_only(&source("ctl/src/lib.rs", "//! List.\npub mod a;\npub fn b() {}\n")));
}

#[test]
fn unsafe_elsewhere_is_caught() {
    caught(&rules::unsafe_in_sys_only(&source("ctl/src/a.rs", "let x = unsafe { y() };\n")));
}

#[test]
fn a_crate_out_of_place_is_caught() {
    caught(&rules::crates_in_their_places(&source("ctl/src/a.rs", "use nix::unistd::Pid;\n")));
    assert!(rules::crates_in_their_places(&source("ctl/src/a.rs", "use foobar_nix::x;\n")).is_empty());
}

#[test]
fn a_wall_clock_is_caught() {
    caught(&rules::wall_clock_for_stamps_only(&source(
        "ctl/src/a.rs",
        "let end = SystemTime::now() + limit;\n",
    )));
    assert!(
        rules::wall_clock_for_stamps_only(&source("ctl/src/a.rs", "let end = Instant::now();\n")).is_empty()
    );
}

#[test]
fn a_sleep_is_caught() {
    caught(&rules::no_sleep_in_tests(&source("tests/a.rs", "std::thread::sleep(second);\n")));
    caught(&rules::no_sleep_in_tests(&source("ctl/src/a.rs", "sleep(1);\n#[cfg(test)]\nsleep(2);\n")));
}

#[test]
fn an_unfinished_place_is_caught() {
    caught(&rules::finished(&source("ctl/src/a.rs", "todo!()\n")));
    caught(&rules::finished(&source("ctl/src/a.rs", "let a = \"/work/main\";\n")));
}

#[test]
fn a_forbidden_arrow_is_caught() {
    caught(&rules::arrows(
        "ctl/Cargo.toml",
        "[dependencies]\nfoobard.workspace = true\n",
        &["foobar-process"],
    ));
}

#[test]
fn an_unargued_dependency_is_caught() {
    caught(&rules::argued("[workspace.dependencies]\n# Needed.\na = \"1\"\nb = \"2\"\n"));
}

#[test]
fn a_circle_is_caught() {
    let sources = [
        source("x/src/a.rs", "use crate::b::B;\n"),
        source("x/src/b.rs", "use crate::c::d::D;\n"),
        source("x/src/c/d.rs", "use crate::a;\n"),
    ];
    let found = circles::find("x/src", &sources);
    caught(&found);
    assert_eq!(found[0].to_string(), "x/src:0: a -> b -> c::d -> a");
    let sources = [
        source("x/src/c/d.rs", "use super::e::E;\n"),
        source("x/src/c/e.rs", "use super::d::D;\n#[cfg(test)]\nmod tests {\n    use super::*;\n}\n"),
    ];
    caught(&circles::find("x/src", &sources));
    let sources = [
        source("x/src/c/d.rs", "use super::{\n    e::{E, F},\n    other,\n};\n"),
        source("x/src/c/e.rs", "use crate::c::{other::O, d};\n"),
    ];
    caught(&circles::find("x/src", &sources));
}

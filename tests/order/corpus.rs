//! All init scripts of a hundred Debian packages, with Debian's insserv.conf.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use foobar_initscripts::lsb;
use foobar_initscripts::name::Runlevel;
use foobar_initscripts::order::{Change, arrange};

use crate::compare::compare_run;
use crate::differential::Run;
use crate::insserv;
use crate::tree::Tree;

/// Left out of the written links: what they need is not there, or is provided twice.
const LEFT_OUT: [&str; 5] = ["opensmtpd", "firewalld", "nfs-kernel-server", "avahi-daemon", "avahi-dnsconfd"];

fn corpus() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/reference/corpus");
    if !path.join("initd").is_dir() {
        foobar_tests::skip("the corpus of init scripts is not beside the checkout");
        return None;
    }
    Some(path)
}

/// Names and texts, sorted by name.
fn scripts(corpus: &Path) -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(corpus.join("initd")).unwrap().map(|entry| entry.unwrap().path());
    let mut all: Vec<(String, Vec<u8>)> = files
        .map(|path| {
            let file = path.file_name().unwrap().to_str().unwrap().to_owned();
            (file.split_once("__").unwrap().1.to_owned(), fs::read(path).unwrap())
        })
        .collect();
    all.sort();
    all
}

fn tree(corpus: &Path, scripts: &[(String, Vec<u8>)]) -> Tree {
    let tree = Tree::new();
    tree.write("etc/insserv.conf", &fs::read(corpus.join("insserv.conf")).unwrap());
    scripts.iter().for_each(|(name, text)| tree.script(name, text));
    tree
}

fn all(scripts: &[(String, Vec<u8>)]) -> Change {
    let mut change = Change::nothing();
    scripts.iter().for_each(|(name, _)| change.arguments.extend(Change::add(name).arguments));
    change
}

#[test]
fn the_links_are_those_written_down() {
    let Some(corpus) = corpus() else { return };
    let mut scripts = scripts(&corpus);
    scripts.retain(|(name, _)| !LEFT_OUT.contains(&name.as_str()));
    let tree = tree(&corpus, &scripts);
    let installed = tree.survey();
    let arrangement = arrange(&installed, &all(&scripts)).unwrap();
    let ours: BTreeSet<String> = arrangement.links().map(|link| link.path()).collect();
    let written = fs::read_to_string(corpus.join("links.txt")).unwrap();
    let written: BTreeSet<String> =
        written.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
    let differences: Vec<&String> = ours.symmetric_difference(&written).collect();
    assert!(differences.is_empty(), "{differences:?}");
}

#[test]
fn one_by_one_and_all_together() {
    if !insserv::is_installed() {
        return;
    }
    let Some(corpus) = corpus() else { return };
    let scripts = scripts(&corpus);
    assert!(scripts.len() > 100, "the corpus has {} scripts only", scripts.len());
    // Two of those left out provide the same second name, which insserv answers with freed memory.
    let defined: Vec<_> =
        scripts.iter().filter(|(name, _)| !LEFT_OUT.contains(&name.as_str())).cloned().collect();
    let together = tree(&corpus, &scripts);
    for change in [all(&defined), all(&defined).forced(), Change::nothing().forced(), Change::nothing()] {
        compare_run(&together, &change).unwrap();
    }
    assert_eq!(compare_run(&together, &Change::nothing().forced()).unwrap(), Run::Done);
    let single = tree(&corpus, &scripts);
    for (name, _) in &scripts {
        assert_eq!(compare_run(&single, &Change::add(name).forced()).unwrap(), Run::Done, "{name}");
    }
    for (name, _) in scripts.iter().step_by(7) {
        [Runlevel::R2, Runlevel::R5, Runlevel::S].into_iter().for_each(|level| single.turn(name, level));
        assert_eq!(compare_run(&single, &Change::add(name).forced()).unwrap(), Run::Done, "{name}");
    }
    for (name, _) in scripts.iter().step_by(3) {
        assert_eq!(compare_run(&single, &Change::remove(name).forced()).unwrap(), Run::Done, "{name}");
    }
}

#[test]
fn headers_survive_being_written() {
    let Some(corpus) = corpus() else { return };
    for (name, text) in scripts(&corpus) {
        let (header, _) = lsb::parse(&text);
        let (again, found) = lsb::parse(lsb::render(&header).as_bytes());
        let names = |h: &lsb::Header| (h.provides.clone(), h.required_start.clone(), h.required_stop.clone());
        assert_eq!(names(&again), names(&header), "{name}");
        assert_eq!(
            (again.default_start, again.default_stop),
            (header.default_start, header.default_stop),
            "{name}"
        );
        let lost =
            found.iter().any(|d| matches!(d.trouble, lsb::Trouble::Lost { .. } | lsb::Trouble::Unknown(_)));
        assert!(!lost, "{name}: {found:?}");
    }
}

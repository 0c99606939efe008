//! All init scripts of a hundred Debian packages, with Debian's insserv.conf: one by one, turned, removed.

use std::fs;
use std::path::{Path, PathBuf};

use foobar_initscripts::name::Runlevel;
use foobar_initscripts::order::Change;

use crate::compare::compare_run;
use crate::differential::Run;
use crate::insserv;
use crate::pair::Pair;

fn corpus() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/reference/corpus");
    if !path.join("initd").is_dir() {
        foobar_tests::skip("the corpus of init scripts is not beside the checkout");
        return None;
    }
    Some(path)
}

#[test]
fn every_script_of_the_corpus() {
    if !insserv::is_installed() {
        return;
    }
    let Some(corpus) = corpus() else { return };
    let pair = Pair::new();
    pair.write("etc/insserv.conf", &fs::read(corpus.join("insserv.conf")).unwrap());
    pair.write("other.conf", b"");
    let mut names = Vec::new();
    for entry in fs::read_dir(corpus.join("initd")).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_str().unwrap();
        let name = file.split_once("__").unwrap().1.to_owned();
        pair.script(&name, &fs::read(&path).unwrap());
        names.push(name);
    }
    assert!(names.len() > 100, "the corpus has {} scripts only", names.len());
    for name in &names {
        assert_eq!(compare_run(&pair, &Change::add(name).forced()).unwrap(), Run::Done, "{name}");
    }
    for name in names.iter().step_by(7) {
        [Runlevel::R2, Runlevel::R5, Runlevel::S].into_iter().for_each(|level| pair.turn(name, level));
        assert_eq!(compare_run(&pair, &Change::add(name).forced()).unwrap(), Run::Done, "{name}");
    }
    for name in names.iter().step_by(3) {
        assert_eq!(compare_run(&pair, &Change::remove(name).forced()).unwrap(), Run::Done, "{name}");
        // Not forced they may be refused: by both.
        compare_run(&pair, &Change::add(name)).unwrap();
    }
    compare_run(&pair, &Change::nothing()).unwrap();
}

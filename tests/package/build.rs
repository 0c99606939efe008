//! The programs need nothing of the machine; the package is one that Debian's own checker takes, and the
//! same sources make the same bytes.

use std::fs;
use std::process::Command;

use foobar_tests::{Sandbox, debian_package, shipped, skip};

#[test]
fn the_programs_are_static_and_stripped() {
    for program in ["foobard", "foobarctl"] {
        let path = shipped().join(program);
        let bytes = fs::read(&path).unwrap();
        assert!(bytes.starts_with(b"\x7fELF"), "{}", path.display());
        // A dynamic program names its loader; one with symbols has a section for them.
        for word in [&b"/lib64/ld-linux"[..], b"/lib/ld-musl", b".symtab"] {
            let found = bytes.windows(word.len()).any(|window| window == word);
            assert!(!found, "{} holds {}", path.display(), String::from_utf8_lossy(word));
        }
        let run = Command::new(&path).arg("--version").env_clear().output().unwrap();
        assert!(run.status.success(), "{run:?}");
        eprintln!("{program}: {} bytes", bytes.len());
    }
}

#[test]
fn lintian_has_nothing_to_say() {
    let sandbox = Sandbox::new("lintian");
    if Command::new("lintian").arg("--version").output().is_err() {
        return skip("lintian is not installed");
    }
    let package = debian_package(sandbox.path(), None);
    let mut lintian = Command::new("lintian");
    lintian.args([
        "--allow-root",
        "--display-info",
        "--pedantic",
        "--tag-display-limit",
        "0",
        "--fail-on",
        "none",
    ]);
    let output = lintian.arg(&package).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(said, "", "lintian");
}

#[test]
fn the_same_sources_make_the_same_package() {
    let sandbox = Sandbox::new("same");
    let [first, second] =
        ["first", "second"].map(|name| fs::read(debian_package(&sandbox.path().join(name), None)).unwrap());
    assert!(first == second, "two builds differ");
}

//! The two programs.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

/// The one that is installed.
const THEIRS: &str = "/usr/sbin/insserv";

/// Whether it is there; says so loudly if not.
pub fn is_installed() -> bool {
    let found = Path::new(THEIRS).exists();
    if !found {
        foobar_tests::skip("/usr/sbin/insserv is missing: install the package insserv");
    }
    found
}

/// foobarctl by the other name.
pub fn ours() -> &'static Path {
    static LINK: OnceLock<PathBuf> = OnceLock::new();
    LINK.get_or_init(|| {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("insserv-by-name");
        std::fs::create_dir_all(&directory).unwrap();
        let link = directory.join("insserv");
        // Of a run before, perhaps of another build.
        let _ = std::fs::remove_file(&link);
        symlink(env!("CARGO_BIN_EXE_foobarctl"), &link).unwrap();
        link
    })
}

/// Runs ours.
pub fn run_ours(directory: &Path, arguments: &[String]) -> Output {
    run(ours(), directory, arguments)
}

/// Runs theirs. Every caller names a directory with `-i`: without it insserv 1.24 writes into this machine's.
pub fn run_theirs(directory: &Path, arguments: &[String]) -> Output {
    assert!(
        arguments.iter().any(|word| word.starts_with("-i") || word.starts_with("--ins")),
        "{arguments:?}"
    );
    run(Path::new(THEIRS), directory, arguments)
}

fn run(program: &Path, directory: &Path, arguments: &[String]) -> Output {
    let mut command = Command::new(program);
    command.env_clear().env("LC_ALL", "C").current_dir(directory).stdin(Stdio::null());
    command.args(arguments).output().unwrap()
}

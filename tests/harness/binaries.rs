//! The shipped build and its package, made by the scripts of packaging/, once for all tests of a process.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The top of the source tree.
#[must_use]
pub fn source_tree() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The directory with foobard and foobarctl as they are shipped: static, stripped, optimised.
///
/// # Panics
/// When they cannot be built.
pub fn shipped() -> &'static Path {
    // A failure is kept as well: the other tests fail by it at once, and not after a build of their own.
    static SHIPPED: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    match SHIPPED.get_or_init(|| last_line(&mut script("build.sh"))) {
        Ok(path) => path,
        Err(words) => panic!("{words}"),
    }
}

/// A Debian package of the shipped build, in `directory`; `version` is that of the tree if not given.
///
/// # Panics
/// When it cannot be built.
#[must_use]
pub fn debian_package(directory: &Path, version: Option<&str>) -> PathBuf {
    if let Err(error) = std::fs::create_dir_all(directory) {
        panic!("cannot make {}: {error}", directory.display());
    }
    let mut command = script("build-deb.sh");
    command.arg("--from").arg(shipped()).arg("--to").arg(directory);
    if let Some(version) = version {
        command.args(["--version", version]);
    }
    last_line(&mut command).unwrap_or_else(|words| panic!("{words}"))
}

fn script(name: &str) -> Command {
    Command::new(source_tree().join("packaging").join(name))
}

/// Runs a script whose last line of output is a path.
fn last_line(command: &mut Command) -> Result<PathBuf, String> {
    let output = command.output().map_err(|error| format!("cannot run {command:?}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(PathBuf::from(text.lines().next_back().unwrap_or_default()))
}

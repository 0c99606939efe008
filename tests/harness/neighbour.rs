//! foobard beside the foobarctl under test. Cargo builds the binary of the package whose tests run and
//! no other, so the tests of foobarctl ask for foobard here.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// foobard as built now, in the directory of `foobarctl` and with its profile.
///
/// # Panics
/// When it cannot be built.
pub fn foobard_beside(foobarctl: &Path) -> PathBuf {
    static FOOBARD: OnceLock<PathBuf> = OnceLock::new();
    FOOBARD.get_or_init(|| build("foobard", foobarctl)).clone()
}

/// Has cargo build `package` where `neighbour` was built; it does nothing when the binary is fresh.
fn build(package: &str, neighbour: &Path) -> PathBuf {
    let directory = neighbour.parent().unwrap_or(Path::new("/"));
    let above = directory.parent().unwrap_or(Path::new("/"));
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--package", package, "--bin", package]);
    cargo.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    if directory.ends_with("release") {
        cargo.arg("--release");
    }
    // With --target there is one more level, named after it.
    if above.join("CACHEDIR.TAG").exists() {
        cargo.arg("--target-dir").arg(above);
    } else if let (Some(target), Some(top)) = (above.file_name(), above.parent()) {
        cargo.arg("--target").arg(target).arg("--target-dir").arg(top);
    }
    let output = match cargo.output() {
        Ok(output) => output,
        Err(error) => panic!("cannot run cargo: {error}"),
    };
    assert!(output.status.success(), "cannot build {package}: {}", String::from_utf8_lossy(&output.stderr));
    directory.join(package)
}

//! The root file system that all booted systems share as their lower layer: made once, kept in
//! `tests/.cache` under a name that says what went into it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::host;

/// Where everything of the testbed lives; ignored by git.
pub(super) fn cache() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache")
}

/// The shell parts.
pub(super) fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testbed")
}

/// The root of a Debian with sysvinit; built now if this machine has none yet. Of two builders at once
/// the second waits and finds the first one's work.
///
/// # Panics
/// When it cannot be built; the message holds the builder's own.
pub(super) fn rootfs() -> PathBuf {
    match find_or_build() {
        Ok(path) => path,
        Err(error) => panic!("cannot make the root file system of the testbed: {error}"),
    }
}

fn find_or_build() -> io::Result<PathBuf> {
    let suite = host::suite();
    let path = cache().join(format!("{suite}-{:016x}", recipe(&suite)?));
    fs::create_dir_all(cache())?;
    if !path.is_dir() {
        build(&path, &suite)?;
    }
    Ok(path)
}

/// A number for all that decides what the root will be: FNV-1a over the recipe and the suite.
fn recipe(suite: &str) -> io::Result<u64> {
    let mut text = fs::read(scripts().join("build-root.sh"))?;
    text.extend(fs::read(scripts().join("mark"))?);
    text.extend(suite.as_bytes());
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    Ok(text.iter().fold(0xcbf2_9ce4_8422_2325, step))
}

/// The builder locks the place itself, and finds nothing to do when another one has been there.
fn build(path: &Path, suite: &str) -> io::Result<()> {
    eprintln!("building a Debian {suite} with sysvinit in {} (once)", path.display());
    let output = Command::new(scripts().join("build-root.sh")).arg(path).arg(suite).output()?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        let end: Vec<&str> = words.lines().rev().take(15).collect();
        let end: Vec<&str> = end.into_iter().rev().collect();
        return Err(io::Error::other(format!("build-root.sh: {}\n{}", output.status, end.join("\n"))));
    }
    Ok(())
}

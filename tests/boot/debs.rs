//! Debian packages for a system that is off, fetched once by the apt-get of this machine, which installs nothing of them here.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use foobar_tests::{Testbed, source_tree};

/// The names of the files of `packages`, with all that they need beside what the system has. None where the mirror of this
/// machine's packages cannot be reached.
pub fn wanted(bed: &Testbed, packages: &[&str]) -> Option<BTreeSet<String>> {
    with_status(bed, |directory, status| names_of(directory, status, packages))
}

/// The same, fetched: their paths on this machine.
pub fn fetched(bed: &Testbed, packages: &[&str]) -> Option<Vec<PathBuf>> {
    let files = with_status(bed, |directory, status| fetch(directory, status, packages))?;
    Some(files.into_iter().map(|name| directory().join(name)).collect())
}

fn directory() -> PathBuf {
    source_tree().join("tests/.cache/debs")
}

/// With the list of packages that the system has.
fn with_status<T>(bed: &Testbed, ask: impl FnOnce(&Path, &Path) -> Option<T>) -> Option<T> {
    static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let directory = directory();
    fs::create_dir_all(directory.join("partial")).unwrap();
    let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let status = directory.join(format!("status-{}-{number}", std::process::id()));
    fs::write(&status, bed.read("/var/lib/dpkg/status").unwrap()).unwrap();
    let answer = ask(&directory, &status);
    let _ = fs::remove_file(&status);
    answer
}

/// The names of the files that apt-get would fetch.
fn names_of(directory: &Path, status: &Path, names: &[&str]) -> Option<BTreeSet<String>> {
    // An empty cache: what is there already would not be named.
    let none = directory.join("none");
    fs::create_dir_all(none.join("partial")).ok()?;
    let output = apt_get(&none, status).arg("--print-uris").args(names).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let files: BTreeSet<String> =
        text.lines().filter_map(|line| line.split(' ').nth(1)).map(str::to_owned).collect();
    (output.status.success() && !files.is_empty()).then_some(files)
}

/// The same, fetched.
fn fetch(directory: &Path, status: &Path, names: &[&str]) -> Option<BTreeSet<String>> {
    let files = names_of(directory, status, names)?;
    let download = || {
        apt_get(directory, status)
            .arg("--download-only")
            .args(names)
            .output()
            .is_ok_and(|o| o.status.success())
    };
    if !download() {
        // The lists may be older than the mirror.
        let updated = Command::new("apt-get").args(["-qq", "update"]).status();
        if !updated.is_ok_and(|status| status.success()) || !download() {
            return None;
        }
        return names_of(directory, status, names);
    }
    Some(files)
}

/// apt-get of this machine, made to look at another list of installed packages.
fn apt_get(directory: &Path, status: &Path) -> Command {
    let mut command = Command::new("apt-get");
    for (key, value) in [("Dir::State::status", status), ("Dir::Cache::archives", directory)] {
        command.arg("-o").arg(format!("{key}={}", value.display()));
    }
    for option in [
        "APT::Sandbox::User=root",
        "Debug::NoLocking=1",
        "APT::Keep-Downloaded-Packages=1",
        "Acquire::Retries=3",
    ] {
        command.args(["-o", option]);
    }
    command.args(["-qq", "-y", "--no-install-recommends", "install"]);
    command
}

//! A cgroup of a test's own with the controller of process numbers (cgroups(7)), of version 1 or 2, wherever one may be made.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use foobar_tests::{skip, until};

use crate::support::LIMIT;

/// Where the controller is mounted: version 1, version 2, and version 2 beside version 1.
const MOUNTS: [&str; 3] = ["/sys/fs/cgroup/pids", "/sys/fs/cgroup", "/sys/fs/cgroup/unified"];

/// Removed when dropped, once it is empty.
pub struct Cgroup {
    path: PathBuf,
}

impl Cgroup {
    /// Makes one.
    ///
    /// Errors: why there can be none here, for [`foobar_tests::skip`].
    pub fn new() -> Result<Cgroup, String> {
        let mut why = Vec::new();
        for mount in MOUNTS.map(Path::new) {
            match make_in(mount, "pids", "pids.max") {
                Ok(path) => return Ok(Cgroup { path }),
                Err(error) => why.push(format!("{}: {error}", mount.display())),
            }
        }
        Err(format!("no cgroup for the number of processes can be made ({}): be root", why.join(", ")))
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Lets it have so many processes and threads at most.
    pub fn limit(&self, most: u32) {
        fs::write(self.path.join("pids.max"), most.to_string()).unwrap();
    }

    /// Waits until none counts any more: one that is gone is let go of by its parent first, and by the controller a little later.
    pub fn await_empty(&self) {
        until("an empty cgroup", LIMIT, || {
            (fs::read_to_string(self.path.join("pids.current")).unwrap().trim() == "0").then_some(())
        });
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // Not while something ends in it still; and a test that fails already shall not fail in here.
        if !std::thread::panicking() {
            until("the end of the cgroup", LIMIT, || fs::remove_dir(&self.path).ok());
        }
    }
}

fn make_in(mount: &Path, controller: &str, file: &str) -> io::Result<PathBuf> {
    let without = || io::Error::other(format!("without the controller {controller}"));
    if let Some(controllers) = version_2(mount)? {
        if !controllers.split_ascii_whitespace().any(|name| name == controller) {
            return Err(without());
        }
        fs::write(mount.join("cgroup.subtree_control"), format!("+{controller}"))?;
    }
    let path = mount.join(format!("foobar-test-{controller}-{}", std::process::id()));
    fs::create_dir(&path)?;
    if path.join(file).exists() {
        return Ok(path);
    }
    fs::remove_dir(&path)?;
    Err(without())
}

/// The controllers that version 2 has at `mount`; none if that is no version 2.
fn version_2(mount: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(mount.join("cgroup.controllers")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}

/// A controller is bound to one version at a time. Where the one of process numbers is bound to version 1, version 2 is shown to
/// work by another one that it has: handed down, limited, entered by a process, and taken away again.
#[test]
fn version_2_hands_a_controller_down() {
    let files = [
        ("pids", "pids.max"),
        ("hugetlb", "hugetlb.2MB.max"),
        ("memory", "memory.max"),
        ("cpu", "cpu.weight"),
    ];
    let found = MOUNTS.map(Path::new).into_iter().find_map(|mount| {
        let controllers = version_2(mount).ok()??;
        files
            .into_iter()
            .find(|row| controllers.split_ascii_whitespace().any(|name| name == row.0))
            .map(|row| (mount, row))
    });
    let Some((mount, (controller, file))) = found else {
        return skip("no cgroup of version 2 with a controller");
    };
    let path = match make_in(mount, controller, file) {
        Ok(path) => path,
        Err(why) => return skip(&format!("no cgroup can be made in {}: {why}: be root", mount.display())),
    };
    let group = Cgroup { path };
    fs::write(group.path().join(file), "100").unwrap();
    let inside = "echo $$ > \"$0\"/cgroup.procs && cat \"$0\"/cgroup.procs && cat /proc/self/cgroup";
    let output = Command::new("sh").args(["-c", inside]).arg(group.path()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let name = group.path().file_name().unwrap().to_string_lossy().into_owned();
    assert!(output.status.success() && told.contains(&format!("0::/{name}")), "{told}");
    let limit = fs::read_to_string(group.path().join(file)).unwrap();
    assert!(["100", "0"].contains(&limit.trim()), "{file}: {limit}");
}

//! A cgroup of a test's own with the controller of process numbers (cgroups(7)), of version 1 or 2, wherever one may be made.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use foobar_tests::until;

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
            match make_in(mount) {
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
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // Not while something ends in it still; and a test that fails already shall not fail in here.
        if !std::thread::panicking() {
            until("the end of the cgroup", LIMIT, || fs::remove_dir(&self.path).ok());
        }
    }
}

fn make_in(mount: &Path) -> io::Result<PathBuf> {
    let controllers = mount.join("cgroup.controllers");
    if controllers.exists() {
        if !fs::read_to_string(&controllers)?.split_ascii_whitespace().any(|name| name == "pids") {
            return Err(io::Error::other("without the controller pids"));
        }
        fs::write(mount.join("cgroup.subtree_control"), "+pids")?;
    }
    let path = mount.join(format!("foobar-test-{}", std::process::id()));
    fs::create_dir(&path)?;
    if path.join("pids.max").exists() {
        return Ok(path);
    }
    fs::remove_dir(&path)?;
    Err(io::Error::other("without the controller pids"))
}

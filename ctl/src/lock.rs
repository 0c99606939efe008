//! One run at a time changes a tree. The lock is a file in the tree that only its owner can open, so that
//! nobody else can hold it; it is removed at the end, so that no trace is left. Starting and stopping
//! services is serialised elsewhere, by the lock beside the PID file.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use foobar_initscripts::exit::Action;

use crate::failure::Failure;
use crate::root::{Place, Root};
use crate::sys::dir::Dir;

/// The lock file; a dot file, which neither rc, insserv nor run-parts takes for anything.
const PATH: &str = "/etc/.foobarctl.lock";

/// Longer than any change takes; then the holder hangs and somebody must look.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two looks at a lock that another run holds.
const PAUSE: Duration = Duration::from_millis(5);

/// The lock, held until it is dropped.
#[derive(Debug)]
pub struct TreeLock {
    place: Place,
    _file: File,
}

impl TreeLock {
    /// Waits until no other run changes the tree.
    ///
    /// # Errors
    /// When the file cannot be made, or the holder does not end.
    pub fn acquire(root: &Root) -> anyhow::Result<TreeLock> {
        TreeLock::acquire_in(root, Path::new(PATH).parent().unwrap_or(Path::new("/")))
    }

    /// As [`TreeLock::acquire`], for a tree whose /etc is this directory.
    ///
    /// # Errors
    /// The same.
    pub fn acquire_in(root: &Root, directory: &Path) -> anyhow::Result<TreeLock> {
        let name = Path::new(PATH).file_name().unwrap_or(OsStr::new("lock"));
        let shown = root.outside(&directory.join(name));
        let place = place(root, directory, name)
            .with_context(|| format!("cannot make the lock file {}", shown.display()))?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let file = place.dir.lock_file(&place.name).map_err(|error| {
                let text = format!("cannot open the lock file {}: {error}", shown.display());
                Failure::of_io(&error, text)
            })?;
            // A lock on a file that its last holder has removed meanwhile protects nothing.
            let locked =
                Dir::try_lock(&file).and_then(|free| Ok(free && place.dir.is_still(&place.name, &file)?));
            if locked.with_context(|| format!("cannot lock {}", shown.display()))? {
                return Ok(TreeLock { place, _file: file });
            }
            if Instant::now() >= deadline {
                return Err(Failure::error(
                    Action::Error,
                    format!(
                        "another foobarctl has been changing this tree for {} s and holds {shown}: see what it waits \
                         for (fuser {shown}), then try again",
                        PATIENCE.as_secs(),
                        shown = shown.display(),
                    ),
                ));
            }
            std::thread::sleep(PAUSE);
        }
    }
}

impl Drop for TreeLock {
    fn drop(&mut self) {
        // While it is still held: who waits for it sees that the name is gone and makes a new one.
        let _ = self.place.dir.remove(&self.place.name);
    }
}

fn place(root: &Root, directory: &Path, name: &OsStr) -> io::Result<Place> {
    // An empty prefix or image has no /etc yet.
    let top = root.place(directory)?;
    if top.name != "." {
        top.dir.make(&top.name, 0o755)?;
    }
    Ok(Place { dir: root.directory(directory)?, name: name.to_owned() })
}

//! The run directory of a service, /run/foobar/NAME: what its supervisor writes down there and others read. What it means is the
//! business of others.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use foobar_initscripts::name::ServiceName;
use foobar_process::Uid;

use crate::root::{Root, Scope};
use crate::supervisor::report::Report;

/// Above the directories of all services.
const ALL: &str = "/run/foobar";

/// Above the directories of all services of a tree.
pub fn all(root: &Root) -> PathBuf {
    root.outside(Path::new(ALL))
}

/// The directory.
#[derive(Debug, Clone)]
pub struct Place {
    directory: PathBuf,
    group: String,
    log_file: PathBuf,
}

impl Place {
    /// That of the service `name`.
    pub fn of(root: &Root, name: &ServiceName) -> Place {
        let directory = root.outside(&Path::new(ALL).join(name.as_str()));
        let group = match root.scope() {
            Scope::Machine | Scope::Offline => name.to_string(),
            // Control groups are the machine's, and a prefix may hold a service of the same name.
            Scope::Prefix => format!("{name}@{:08x}", mixed(root.base())),
        };
        let log_file = root.outside(Path::new(&format!("/var/log/{name}.log")));
        Place { directory, group, log_file }
    }

    /// Makes it, for everybody to read, and with it the one above.
    ///
    /// # Errors
    /// With the path; also when others could write it.
    pub fn make(&self) -> io::Result<()> {
        let told = |error: io::Error| {
            io::Error::new(error.kind(), format!("cannot use {}: {error}", self.directory.display()))
        };
        DirBuilder::new().recursive(true).mode(0o755).create(&self.directory).map_err(told)?;
        for directory in self.directory.ancestors().take(2) {
            let there = fs::symlink_metadata(directory).map_err(told)?;
            let own = there.uid() == 0 || there.uid() == Uid::effective().as_raw();
            if !there.is_dir() || !own || there.mode() & 0o022 != 0 {
                let text = format!(
                    "{}: not believed, it is no directory of ours alone: remove it",
                    directory.display()
                );
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
            }
        }
        Ok(())
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The record of whom the supervisor has forked.
    pub fn ledger(&self) -> PathBuf {
        self.file("held")
    }

    /// The log file of a service that names none.
    pub fn log_file(&self) -> PathBuf {
        self.log_file.clone()
    }

    /// The name of the control group.
    pub fn group(&self) -> &str {
        &self.group
    }

    /// Writes the report, as a whole.
    ///
    /// # Errors
    /// A full file system.
    pub fn write_report(&self, report: &Report) -> io::Result<()> {
        let text = serde_json::to_string(report)?;
        self.replace("state", 0o644, text.as_bytes())
    }

    /// The report of the supervisor that there is or was.
    pub fn report(&self) -> Option<Report> {
        let text = fs::read_to_string(self.file("state")).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Keeps the text of the service file that a start goes by.
    ///
    /// # Errors
    /// A full file system.
    pub fn write_service(&self, text: &[u8]) -> io::Result<()> {
        self.replace("service", 0o600, text)
    }

    /// The text of the service file that the last start went by.
    pub fn service(&self) -> Option<Vec<u8>> {
        fs::read(self.file("service")).ok()
    }

    /// Removes it with all that is in it; for a service that is uninstalled. Others' files are none there: only their owner
    /// can write it.
    ///
    /// # Errors
    /// With the path.
    pub fn remove(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.directory) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                let text = format!("cannot remove {}: {error}", self.directory.display());
                Err(io::Error::new(error.kind(), text))
            }
            _ => {
                // The last service takes the directory above along; while there are others it is not empty.
                let _ = self.directory.parent().map(fs::remove_dir);
                Ok(())
            }
        }
    }

    fn replace(&self, name: &str, mode: u32, content: &[u8]) -> io::Result<()> {
        let new = self.file(&format!("{name}.new"));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&new)?;
        let written = file.write_all(content).and_then(|()| fs::rename(&new, self.file(name)));
        if written.is_err() {
            let _ = fs::remove_file(&new);
        }
        written
    }
}

/// FNV-1a, 32 bits: for a short name that differs with the path.
fn mixed(path: &Path) -> u32 {
    let step = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
    path.as_os_str().as_encoded_bytes().iter().fold(0x811c_9dc5, step)
}

//! The directories that are made for a service before it starts, and removed after it: RuntimeDirectory and its kin of
//! systemd.exec(5).

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use foobar_initscripts::exit::Action;
use foobar_initscripts::service::{Preserve, Service};

use crate::root::Root;
use crate::supervisor::image::{Refused, Settled};

/// The directories of one sort.
#[derive(Debug)]
struct Sort {
    variable: &'static str,
    /// Each with the directory that is there already.
    paths: Vec<(PathBuf, PathBuf)>,
    mode: u32,
    /// Whether they are given to the account of the service.
    is_given: bool,
}

/// All of them.
#[derive(Debug)]
pub struct Directories {
    sorts: Vec<Sort>,
    runtime: Vec<PathBuf>,
    preserve: Preserve,
}

impl Directories {
    /// Those of a service in a tree.
    pub fn of(service: &Service, root: &Root) -> Directories {
        let wanted = &service.execution.directories;
        let all = [
            ("RUNTIME_DIRECTORY", &wanted.runtime, "/run"),
            ("STATE_DIRECTORY", &wanted.state, "/var/lib"),
            ("CACHE_DIRECTORY", &wanted.cache, "/var/cache"),
            ("LOGS_DIRECTORY", &wanted.logs, "/var/log"),
            ("CONFIGURATION_DIRECTORY", &wanted.configuration, "/etc"),
        ];
        let sort =
            |(variable, managed, above): (&'static str, &foobar_initscripts::service::Managed, &str)| {
                let above = root.outside(Path::new(above));
                let paths = managed.names.iter().map(|name| (above.join(name), above.clone())).collect();
                Sort {
                    variable,
                    paths,
                    mode: managed.mode.0,
                    is_given: variable != "CONFIGURATION_DIRECTORY",
                }
            };
        let runtime = wanted.runtime.names.iter().map(|name| root.outside(&Path::new("/run").join(name)));
        Directories { runtime: runtime.collect(), preserve: wanted.preserve, sorts: all.map(sort).into() }
    }

    /// The variables that name them.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let named = self.sorts.iter().filter(|sort| !sort.paths.is_empty());
        let joined = |sort: &Sort| {
            let paths: Vec<String> = sort.paths.iter().map(|(path, _)| path.display().to_string()).collect();
            (sort.variable, paths.join(":"))
        };
        named.map(joined).collect()
    }

    /// Makes what is missing, and gives mode and owner to what is there.
    ///
    /// # Errors
    /// With the path and the key.
    pub fn make(&self, settled: &Settled) -> Result<(), Refused> {
        for sort in &self.sorts {
            for (path, above) in &sort.paths {
                self.make_one(sort, path, above, settled).map_err(|error| {
                    let key = sort.variable.to_ascii_lowercase().replace('_', "-");
                    let text = format!("cannot make {} ({key}): {error}", path.display());
                    Refused(Action::Error, text)
                })?;
            }
        }
        Ok(())
    }

    fn make_one(&self, sort: &Sort, path: &Path, above: &Path, settled: &Settled) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o755).create(path)?;
        // What the service may write could lead elsewhere by now.
        for part in path.ancestors().take_while(|part| *part != above) {
            if !fs::symlink_metadata(part)?.is_dir() {
                return Err(io::Error::other(format!("{} is no directory", part.display())));
            }
        }
        fs::set_permissions(path, Permissions::from_mode(sort.mode))?;
        match settled.own.account.as_ref().filter(|_| sort.is_given) {
            Some(account) => chown(path, Some(account.uid().as_raw()), Some(account.gid().as_raw())),
            None => Ok(()),
        }
    }

    /// Removes those that do not outlive the program; `is_restart`: it is started again.
    pub fn remove(&self, is_restart: bool) {
        let stays = match self.preserve {
            Preserve::No => false,
            Preserve::Restart => is_restart,
            Preserve::Yes => true,
        };
        if stays {
            return;
        }
        for path in &self.runtime {
            // Not followed if it is a link; what cannot be removed is there at the next start.
            let _ = fs::remove_dir_all(path);
        }
    }
}

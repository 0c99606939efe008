//! One caller at a time starts, stops or uninstalls a service. The lock is a file of its own beside the PID
//! file, because the daemon takes the one that belongs to the PID file itself while it starts.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use foobar_initscripts::exit::Action;
use foobar_initscripts::layout::DEFAULT;
use foobar_initscripts::name::ServiceName;
use foobar_initscripts::service::Service;
use foobar_process::startlock::{LockError, StartLock};

use crate::context::Context;
use crate::failure::Failure;

/// How much longer than one start and one stop the queue before us may take.
const QUEUE: Duration = Duration::from_secs(60);

/// Waits until nobody else starts or stops the service, to start it.
///
/// # Errors
/// [`Action::Permission`] when the lock is not ours to take; [`Action::Error`] when somebody holds it for
/// longer than starting and stopping can take, naming the process; [`Action::NotInstalled`] when the service
/// was uninstalled while we waited.
pub fn acquire(context: &Context, service: &Service) -> anyhow::Result<StartLock> {
    let lock = wait(service).map_err(|error| refused(service, &error))?;
    let file = DEFAULT.service_file(service.name.as_str());
    if context.root.facts(Path::new(&file))?.is_some() {
        return Ok(lock);
    }
    // Made by us just now, for a service that is no more.
    let _ = lock.remove();
    let text = format!("{} was uninstalled meanwhile: install it again", service.name);
    Err(Failure::error(Action::NotInstalled, text))
}

/// The same for stopping, which must work on a disk that is full or broken or cannot be written: then it
/// goes on without the lock, and says so.
///
/// # Errors
/// For a lock that somebody holds, or that we have no right to.
pub fn acquire_if_possible(context: &Context, service: &Service) -> anyhow::Result<Option<StartLock>> {
    match wait(service) {
        Ok(lock) => Ok(Some(lock)),
        Err(LockError::Io { path, source }) if source.kind() != io::ErrorKind::PermissionDenied => {
            // Without its directory there is nothing to be done at the same time.
            if source.kind() != io::ErrorKind::NotFound {
                let why = format!("cannot lock {}: {source}", path.display());
                context.output.warn(format_args!("{why}; stopping {} without the lock", service.name));
            }
            Ok(None)
        }
        Err(error) => Err(refused(service, &error)),
    }
}

/// Removes what serialising starts has left beside the PID file of a service that is uninstalled. `held`
/// is the lock of [`acquire_if_possible`]; it goes last, so that what a killed run leaves is found by
/// [`left_behind`].
///
/// # Errors
/// With the path of what cannot be removed.
pub fn remove(pid_file: &Path, held: Option<StartLock>) -> anyhow::Result<()> {
    let queue = queue(pid_file);
    let of_daemon = StartLock::acquire(pid_file, Instant::now());
    let of_queue = held.map_or_else(|| StartLock::acquire(&queue, Instant::now()), Ok);
    for lock in [of_daemon, of_queue] {
        let removed = match lock {
            Ok(lock) => {
                let path = lock.path().to_owned();
                lock.remove().map_err(|source| LockError::Io { path, source })
            }
            Err(error) => Err(error),
        };
        match removed {
            Ok(()) => {}
            Err(LockError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            Err(LockError::Io { path, source }) => {
                let text = format!("cannot remove {}: {source}", path.display());
                return Err(Failure::of_io(&source, format!("{text}; run the same command again")));
            }
            Err(error) => return Err(Failure::error(Action::Error, error.to_string())),
        }
    }
    Ok(())
}

/// The usual PID file of a service whose service file is gone, if an uninstall was killed before it had
/// removed the locks beside it. Nobody else has files of that name.
pub fn left_behind(context: &Context, name: &ServiceName) -> Option<PathBuf> {
    let pid_file = PathBuf::from(Service::new(name.clone(), "").pid_file);
    let pid_file = context.root.outside(&pid_file);
    let mut lock = queue(&pid_file).into_os_string();
    lock.push(".lock");
    PathBuf::from(lock).symlink_metadata().is_ok().then_some(pid_file)
}

fn wait(service: &Service) -> Result<StartLock, LockError> {
    let deadline = Instant::now() + service.start_timeout + service.stop_timeout + QUEUE;
    StartLock::acquire(&queue(Path::new(service.controlling_pid_file())), deadline)
}

fn refused(service: &Service, error: &LockError) -> anyhow::Error {
    let text = format!("cannot have {} to ourselves: {error}", service.name);
    match error {
        LockError::Io { source, .. } => Failure::of_io(source, text),
        LockError::Busy { .. } | LockError::Doubtful { .. } => Failure::error(Action::Error, text),
    }
}

/// What the lock is named after, in the place of the PID file.
pub fn queue(pid_file: &Path) -> PathBuf {
    let mut name = OsString::from(pid_file);
    name.push(".queue");
    PathBuf::from(name)
}

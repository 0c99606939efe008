//! One caller at a time starts or stops a service. The lock is a file of its own beside the PID file,
//! because the daemon takes the one that belongs to the PID file itself while it starts.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use foobar_initscripts::exit::Action;
use foobar_initscripts::service::Service;
use foobar_process::startlock::{LockError, StartLock};

use crate::failure::Failure;

/// How much longer than one start and one stop the queue before us may take.
const QUEUE: Duration = Duration::from_secs(60);

/// Waits until nobody else starts or stops the service.
///
/// # Errors
/// [`Action::Permission`] when the lock is not ours to take; [`Action::Error`] when somebody holds it for
/// longer than starting and stopping can take, naming the process.
pub fn acquire(service: &Service) -> anyhow::Result<StartLock> {
    let deadline = Instant::now() + service.start_timeout + service.stop_timeout + QUEUE;
    StartLock::acquire(&queue(service), deadline).map_err(|error| {
        let denied = matches!(&error, LockError::Io { source, .. }
            if source.kind() == std::io::ErrorKind::PermissionDenied);
        let action = if denied { Action::Permission } else { Action::Error };
        Failure::error(action, format!("cannot have {} to ourselves: {error}", service.name))
    })
}

/// The same for stopping, which must work on a disk that is full or cannot be written: then it goes on
/// without the lock.
///
/// # Errors
/// As [`acquire`], for a lock that somebody holds.
pub fn acquire_if_writable(service: &Service) -> anyhow::Result<Option<StartLock>> {
    let deadline = Instant::now() + service.start_timeout + service.stop_timeout + QUEUE;
    match StartLock::acquire(&queue(service), deadline) {
        Ok(lock) => Ok(Some(lock)),
        Err(LockError::Io { .. }) => Ok(None),
        Err(error) => {
            Err(Failure::error(Action::Error, format!("cannot have {} to ourselves: {error}", service.name)))
        }
    }
}

/// Removes what serialising starts has left beside the PID file of a stopped service.
pub fn remove(service: &Service) {
    for path in [queue(service), PathBuf::from(&service.pid_file)] {
        if let Ok(lock) = StartLock::acquire(&path, Instant::now()) {
            // What is left is an empty file that the next boot clears away.
            let _ = lock.remove();
        }
    }
}

fn queue(service: &Service) -> PathBuf {
    let mut name = OsString::from(&service.pid_file);
    name.push(".queue");
    Path::new(&name).to_owned()
}

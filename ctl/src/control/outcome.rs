//! How starts and stops end, well or not, for those who ask for them and those who do them.

use foobar_initscripts::exit::Action;
use foobar_initscripts::service::Service;
use foobar_process::Pid;
use foobar_process::probe::Refusal;
use foobar_process::stop::{Ending, StopError};

use crate::failure::Failure;

/// How a start ended well: with the process that is the service, if it has one.
#[derive(Debug)]
pub enum Started {
    /// It ran already.
    Already(Option<Pid>),
    /// It is ready. What its program wrote to standard error on the way is there too.
    Now(Option<Pid>, String),
    /// It is ready and has ended already, as it should.
    Finished(String),
}

/// How a stop ended well.
#[derive(Debug)]
pub enum Stopped {
    /// It was not running.
    NotRunning,
    /// It was dead, and its PID file is gone now.
    Stale(Pid),
    /// It is gone now: the process that was the service, if it had one.
    Now(Option<Pid>, Ending),
    /// Its supervisor was dead; what it had left is gone now.
    Orphans(Vec<String>),
}

/// What a PID file that is not believed means for an action: nothing is touched.
pub fn refused(refusal: &Refusal) -> anyhow::Error {
    Failure::error(Action::Permission, refusal.to_string())
}

/// What a process that does not end means for a stop.
pub(super) fn not_stopped(service: &Service, error: &StopError) -> anyhow::Error {
    let action =
        if matches!(error, StopError::NotPermitted { .. }) { Action::Permission } else { Action::Error };
    Failure::error(action, format!("cannot stop {}: {error}", service.name))
}

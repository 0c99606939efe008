//! Who waits for a start and is told how it went: the process that has begun it, or who has asked for a restart.

use foobar_initscripts::exit::Action;
use foobar_process::daemonize::{Readiness, StarterGone};

use crate::supervisor::server::Request;

/// Whoever it is.
#[derive(Debug)]
pub enum Starter {
    /// The process that became this supervisor. Without it nobody knows of the service, which then must end.
    Process(Readiness),
    /// A client, and what it is to hear of the end before. One that is gone does not matter: the service was known before.
    Client(Request, String),
}

impl Starter {
    /// The service is ready, or was; waits until that is known.
    ///
    /// # Errors
    /// Nobody is there who must know of it.
    pub fn ready(self) -> Result<(), StarterGone> {
        match self {
            Starter::Process(readiness) => readiness.ready(),
            Starter::Client(request, said) => {
                request.tell(&(Action::Ok, said));
                Ok(())
            }
        }
    }

    /// The service is not ready, and will not be.
    pub fn failed(self, action: Action, text: &str) {
        match self {
            Starter::Process(readiness) => readiness.failed(action.code(), text),
            Starter::Client(request, _) => request.tell(&(action, text.to_owned())),
        }
    }
}

//! What a supervisor tells of its service: the answer to `status`, and the file that stays when it is gone. Its JSON is described
//! in the help of `status`; keys are added, never changed.

use std::time::{Duration, SystemTime};

use foobar_initscripts::name::ServiceName;
use foobar_process::{Pid, uptime};
use serde::{Deserialize, Serialize};

use crate::clock;

/// The version of the schema.
const SCHEMA: u32 = 1;

/// How a service is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// On its way to be ready.
    Starting,
    /// Ready.
    Running,
    /// Ready, and reading its configuration again.
    Reloading,
    /// On its way to its end.
    Stopping,
    /// Ended, and waiting for its next start.
    Restarting,
    /// A oneshot service that has done its work and counts as running.
    Done,
    /// Ended as it should.
    Stopped,
    /// Ended as it should not, and not started again.
    Failed,
}

impl State {
    /// The word for people; for programs it is the same with a hyphen.
    pub fn word(self) -> &'static str {
        match self {
            State::Starting => "starting",
            State::Running => "running",
            State::Reloading => "reloading",
            State::Stopping => "stopping",
            State::Restarting => "restarting",
            State::Done => "done",
            State::Stopped => "stopped",
            State::Failed => "failed",
        }
    }

    /// Whether the service could do its work.
    pub fn is_ready(self) -> bool {
        matches!(self, State::Running | State::Reloading | State::Done)
    }
}

/// How the program last ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastExit {
    /// Its exit code.
    pub code: Option<i32>,
    /// Or the signal, as in `SIGSEGV`.
    pub signal: Option<String>,
    /// `watchdog`, `time-limit`, `not-started`; none: its own doing.
    pub cause: Option<String>,
    /// RFC 3339.
    pub at: String,
}

/// What a start has cost.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// When it was asked for, in seconds since boot.
    pub called: f64,
    /// From then until the service was ready, in seconds; none: it is not.
    pub took: Option<f64>,
}

/// The whole of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Its name.
    pub service: String,
    /// How it is.
    pub state: State,
    /// Since when, RFC 3339.
    pub since: String,
    /// The same in seconds since boot, which no change of the clock moves.
    pub since_boot: f64,
    /// The supervisor's PID; none: it has ended.
    pub supervisor: Option<i32>,
    /// The PID of the main process.
    pub main: Option<i32>,
    /// What the service says of itself, `STATUS=` of sd_notify(3).
    pub status: Option<String>,
    /// Why it failed, or what went otherwise than it should.
    pub reason: Option<String>,
    /// How often it was started again since it was told to start.
    pub restarts: u64,
    /// How often somebody has asked for its restart since it was started, each of which begins to count `restarts` anew.
    #[serde(default)]
    pub requested_restarts: u64,
    /// How the program last ended.
    pub last_exit: Option<LastExit>,
    /// The INVOCATION_ID in the environment of all its processes.
    pub invocation: String,
    /// The directory of its control group.
    pub control_group: Option<String>,
    /// What the last start has cost.
    pub start: Cost,
    /// Processes that had to be killed at its last end.
    pub killed: Vec<String>,
    /// What it listens on for the service.
    pub sockets: Vec<String>,
}

impl Report {
    /// That of a service which this process, the supervisor, has not started yet.
    pub fn new(name: &ServiceName, invocation: String, called: Duration) -> Report {
        Report {
            schema: SCHEMA,
            service: name.to_string(),
            state: State::Stopped,
            since: clock::rfc3339(SystemTime::now()),
            since_boot: uptime::since_boot().as_secs_f64(),
            supervisor: Some(Pid::this().as_raw()),
            main: None,
            status: None,
            reason: None,
            restarts: 0,
            requested_restarts: 0,
            last_exit: None,
            invocation,
            control_group: None,
            start: Cost { called: called.as_secs_f64(), took: None },
            killed: Vec::new(),
            sockets: Vec::new(),
        }
    }

    /// How long it has been in its state, `now` being the time since boot.
    pub fn lasted(&self, now: Duration) -> Duration {
        now.saturating_sub(Duration::try_from_secs_f64(self.since_boot).unwrap_or_default())
    }
}

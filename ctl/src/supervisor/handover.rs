//! What a supervisor leaves to its own next version in the same process, so that the service does not notice: PID, children, the
//! lock of the PID file, sockets and pipes stay. The new program is rehearsed before; one that cannot go on is refused.

use std::convert::Infallible;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, RawFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use foobar_initscripts::exit::Action;
use foobar_process::pidfile::PidFile;
use foobar_process::{child, inheritance, uptime};
use serde::{Deserialize, Serialize};

use crate::launch::{self, First};
use crate::supervisor::report::Report;
use crate::supervisor::server::{Request, Server};
use crate::supervisor::unit::Unit;

/// The variable that holds it.
pub const VARIABLE: &str = "FOOBAR_SUPERVISOR";
/// A running service is left. Changes when the next version could not read it.
const RUNNING: u32 = 1;
/// One that has ended is left, to be started again. A version that does not know this would take it for running.
const ENDED: u32 = 2;
/// How long the rehearsal may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Descriptors by their numbers, and what they do not say.
#[derive(Debug, Serialize, Deserialize)]
pub struct Handover {
    format: u32,
    /// Whether it is only tried whether this can be read.
    pub is_rehearsal: bool,
    /// The version that leaves it.
    pub version: String,
    /// The PID file, by its lock.
    pub pid_file: RawFd,
    /// The control socket.
    pub listener: RawFd,
    /// Who has asked for it.
    pub client: RawFd,
    /// Who is connected to the control socket and has said nothing; not told by the first versions.
    #[serde(default)]
    pub silent: Vec<RawFd>,
    /// Ends for writing and for reading of standard output, then of standard error.
    pub pipes: Vec<RawFd>,
    /// The notification socket.
    pub notify: Option<RawFd>,
    /// The listening sockets of the service.
    pub sockets: Vec<RawFd>,
    /// When the main process was started, in seconds since boot.
    pub began: f64,
    /// Whether it is none of those that were forked by the supervisor; not told by the first versions.
    #[serde(default)]
    pub is_found: Option<bool>,
    /// How often it must give a sign of life, as it has asked for itself, perhaps.
    #[serde(default)]
    pub watchdog: Option<Duration>,
    /// How many seconds ago it was started, each time that still counts.
    #[serde(default)]
    pub starts: Vec<f64>,
    /// All else.
    pub report: Report,
}

impl Handover {
    /// Reads what the program before has left; none if there is nothing.
    ///
    /// # Errors
    /// It is not understood.
    pub fn found() -> io::Result<Option<Handover>> {
        let Some(text) = std::env::var_os(VARIABLE) else { return Ok(None) };
        inheritance::forget(&[VARIABLE])?;
        let read: Handover = serde_json::from_slice(text.as_encoded_bytes())?;
        if [RUNNING, ENDED].contains(&read.format) {
            return Ok(Some(read));
        }
        let text =
            format!("it is left in format {}, and this version reads {RUNNING} and {ENDED}", read.format);
        Err(io::Error::new(io::ErrorKind::InvalidData, text))
    }

    /// Whether the service has ended, or will have, and is to be started again.
    pub fn is_restart(&self) -> bool {
        self.format == ENDED
    }
}

/// What is left, and to whom the outcome matters.
#[derive(Debug)]
pub struct Leaving<'a> {
    /// The service.
    pub unit: &'a mut Unit,
    /// The control socket.
    pub server: &'a Server,
    /// The PID file.
    pub pid_file: &'a PidFile,
    /// Who has asked.
    pub request: &'a Request,
    /// Whether the service has ended, or will have, and is to be started again.
    pub is_restart: bool,
}

impl Leaving<'_> {
    /// Has the program that lies at the path of this one now try whether it could go on. Nothing changes by that.
    ///
    /// # Errors
    /// Why it cannot.
    pub fn rehearse(&self) -> Result<(), (Action, String)> {
        let failed = |text: String| (Action::Error, text);
        let path = program().map_err(|error| failed(unknown(&error)))?;
        let arguments: Vec<OsString> = std::env::args_os().collect();
        let mut rehearsal = child::command(&path);
        rehearsal.arg0(arguments.first().cloned().unwrap_or_default()).args(arguments.iter().skip(1));
        rehearsal.env(VARIABLE, self.text(true).map_err(failed)?);
        let (first, said) = launch::rehearsal(rehearsal, Instant::now() + PATIENCE)
            .map_err(|error| failed(format!("cannot run {}: {error}", path.display())))?;
        let said = said.strip_prefix("foobarctl: ").unwrap_or(&said).to_owned();
        match first {
            First::Ended(status) if status.success() => Ok(()),
            First::Ended(status) => {
                let code = status.code().and_then(|code| u8::try_from(code).ok());
                let said = if said.is_empty() { status.to_string() } else { said };
                Err((code.map_or(Action::Error, Action::of_program), said))
            }
            First::TooLate => {
                Err(failed(format!("{} gives no answer within {} s", path.display(), PATIENCE.as_secs())))
            }
        }
    }

    /// Executes the program that lies at the path of this one now. Returns only with the reason why nothing has changed.
    ///
    /// # Errors
    /// Where it failed.
    pub fn leave(&mut self) -> Result<Infallible, String> {
        let path = program().map_err(|error| unknown(&error))?;
        let arguments: Vec<OsString> = std::env::args_os().collect();
        self.unit.output.finish();
        let text = self.text(false)?;
        self.mark(true).map_err(|error| error.to_string())?;
        let Err(error) = inheritance::execute(&path, &arguments, (VARIABLE, &text));
        self.mark(false).map_err(|error| error.to_string())?;
        Err(format!("cannot execute {}: {error}", path.display()))
    }

    fn text(&self, is_rehearsal: bool) -> Result<String, String> {
        let unit = &self.unit;
        let ran = unit.main.as_ref().map(|main| main.began.elapsed()).unwrap_or_default();
        let handover = Handover {
            format: if self.is_restart { ENDED } else { RUNNING },
            is_rehearsal,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid_file: self.pid_file.as_fd().as_raw_fd(),
            listener: self.server.as_fd().as_raw_fd(),
            client: self.request.as_fd().as_raw_fd(),
            silent: self.server.silent().map(|fd| fd.as_raw_fd()).collect(),
            pipes: unit.output.descriptors().map(|fd| fd.as_raw_fd()).collect(),
            notify: unit.signs.socket().map(|fd| fd.as_raw_fd()),
            sockets: unit.sockets.descriptors().map(|fd| fd.as_raw_fd()).collect(),
            is_found: unit.main.as_ref().map(|main| main.is_found),
            watchdog: unit.signs.watchdog.interval(),
            starts: unit.history.ages(Instant::now()),
            began: uptime::since_boot().saturating_sub(ran).as_secs_f64(),
            report: unit.report.clone(),
        };
        serde_json::to_string(&handover).map_err(|error| error.to_string())
    }

    /// Whether the descriptors stay open for the next program.
    fn mark(&self, stays: bool) -> io::Result<()> {
        let mut all = vec![self.pid_file.as_fd(), self.server.as_fd(), self.request.as_fd()];
        all.extend(self.server.silent());
        all.extend(self.unit.output.descriptors());
        if !self.is_restart {
            all.extend(self.unit.signs.socket());
        }
        all.extend(self.unit.sockets.descriptors());
        all.iter().try_for_each(|fd| inheritance::leave(fd, stays))
    }
}

fn unknown(error: &io::Error) -> String {
    format!("cannot find the program of the supervisor: {error}")
}

/// Where this program lay when it was started: there lies the next one.
fn program() -> io::Result<PathBuf> {
    let path = fs::read_link("/proc/self/exe")?.into_os_string();
    let bytes = path.as_bytes();
    Ok(PathBuf::from(OsString::from_vec(bytes.strip_suffix(b" (deleted)").unwrap_or(bytes).to_vec())))
}

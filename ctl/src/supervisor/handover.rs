//! What a supervisor leaves to its own next version in the same process, so that the service does not notice: PID, children, the
//! lock of the PID file, sockets and pipes stay. The new program is rehearsed before; one that cannot go on is refused.

use std::convert::Infallible;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, RawFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;

use foobar_process::pidfile::PidFile;
use foobar_process::{child, inheritance, uptime};
use serde::{Deserialize, Serialize};

use crate::supervisor::report::Report;
use crate::supervisor::server::{Request, Server};
use crate::supervisor::unit::Unit;

/// The variable that holds it.
pub const VARIABLE: &str = "FOOBAR_SUPERVISOR";
/// Changes when the next version could not read it.
const FORMAT: u32 = 1;

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
    /// Ends for writing and for reading of standard output, then of standard error.
    pub pipes: Vec<RawFd>,
    /// The notification socket.
    pub notify: Option<RawFd>,
    /// The listening sockets of the service.
    pub sockets: Vec<RawFd>,
    /// When the main process was started, in seconds since boot.
    pub began: f64,
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
        if read.format == FORMAT {
            return Ok(Some(read));
        }
        let text = format!("it is left in format {}, and this version reads {FORMAT}", read.format);
        Err(io::Error::new(io::ErrorKind::InvalidData, text))
    }
}

/// Executes the program that lies at the path of this one now. Returns only with the reason why nothing has changed.
///
/// # Errors
/// Where it failed.
pub fn leave(
    unit: &mut Unit,
    server: &Server,
    pid_file: &PidFile,
    request: &Request,
) -> Result<Infallible, String> {
    let path = program().map_err(|error| format!("cannot find the program of the supervisor: {error}"))?;
    unit.output.finish();
    let ran = unit.main.as_ref().map(|main| main.began.elapsed()).unwrap_or_default();
    let mut handover = Handover {
        format: FORMAT,
        is_rehearsal: true,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid_file: pid_file.as_fd().as_raw_fd(),
        listener: server.as_fd().as_raw_fd(),
        client: request.as_fd().as_raw_fd(),
        pipes: unit.output.descriptors().map(|fd| fd.as_raw_fd()).collect(),
        notify: unit.signs.socket().map(|fd| fd.as_raw_fd()),
        sockets: unit.sockets.descriptors().map(|fd| fd.as_raw_fd()).collect(),
        began: uptime::since_boot().saturating_sub(ran).as_secs_f64(),
        report: unit.report.clone(),
    };
    let text = |handover: &Handover| serde_json::to_string(handover).map_err(|error| error.to_string());
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let mut rehearsal = child::command(&path);
    rehearsal.arg0(arguments.first().cloned().unwrap_or_default()).args(arguments.iter().skip(1));
    let ended = rehearsal.env(VARIABLE, text(&handover)?).output();
    let ended = ended.map_err(|error| format!("cannot run {}: {error}", path.display()))?;
    if !ended.status.success() {
        let said = String::from_utf8_lossy(&ended.stderr).trim_end().to_owned();
        return Err(format!("upgrade refused, the old supervisor stays: {}: {said}", ended.status));
    }
    handover.is_rehearsal = false;
    let text = text(&handover)?;
    mark(unit, server, pid_file, request, true).map_err(|error| error.to_string())?;
    let Err(error) = inheritance::execute(&path, &arguments, (VARIABLE, &text));
    mark(unit, server, pid_file, request, false).map_err(|error| error.to_string())?;
    Err(format!("cannot execute {}: {error}", path.display()))
}

/// Whether the descriptors stay open for the next program.
fn mark(unit: &Unit, server: &Server, pid_file: &PidFile, request: &Request, stays: bool) -> io::Result<()> {
    let mut all = vec![pid_file.as_fd(), server.as_fd(), request.as_fd()];
    all.extend(unit.output.descriptors());
    all.extend(unit.signs.socket());
    all.extend(unit.sockets.descriptors());
    all.iter().try_for_each(|fd| inheritance::leave(fd, stays))
}

/// Where this program lay when it was started: there lies the next one.
fn program() -> io::Result<PathBuf> {
    let path = fs::read_link("/proc/self/exe")?.into_os_string();
    let bytes = path.as_bytes();
    Ok(PathBuf::from(OsString::from_vec(bytes.strip_suffix(b" (deleted)").unwrap_or(bytes).to_vec())))
}

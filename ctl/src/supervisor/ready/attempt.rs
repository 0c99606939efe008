//! One look at a service from outside, as far as it has come. Commands are run by others; all else is done here.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::path::Path;

use foobar_initscripts::service::{HttpProbe, Probe, StatusRange};
use foobar_process::wait::Readiness;

use crate::sys::connect::{self, Connecting};

/// The longest first line of an answer, in bytes: version, status, and words that nobody reads.
const FIRST_LINE: usize = 12;

/// What has become of a look.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It goes on.
    Pending,
    /// The service is there.
    Passed,
    /// It is not, and why.
    Failed(String),
}

/// A look that goes on.
#[derive(Debug)]
pub enum Attempt {
    /// A connection is being made.
    Connecting(Connecting),
    /// A page was asked for.
    Answer(File, Vec<u8>),
    /// A command runs.
    Command,
    /// It is over.
    Over(Result<(), String>),
}

impl Attempt {
    /// Begins a look.
    pub fn begin(probe: &Probe) -> Attempt {
        let over = |done: io::Result<()>| Attempt::Over(done.map_err(|error| error.to_string()));
        let connecting = match probe {
            Probe::Tcp(address) => connect::to_address(*address),
            Probe::Http(page) => connect::to_address(page.address),
            Probe::Unix(path) => connect::to_path(Path::new(path)),
            Probe::File(path) => return over(std::fs::metadata(path).map(|_| ())),
            Probe::Command(_) => return Attempt::Command,
        };
        connecting.map_or_else(|error| over(Err(error)), Attempt::Connecting)
    }

    /// Goes on as far as it can.
    pub fn advance(&mut self, probe: &Probe, wanted: StatusRange) -> Outcome {
        loop {
            let next = match self {
                Attempt::Command => return Outcome::Pending,
                Attempt::Over(Ok(())) => return Outcome::Passed,
                Attempt::Over(Err(why)) => return Outcome::Failed(why.clone()),
                Attempt::Connecting(connecting) => match connecting.outcome() {
                    None => return Outcome::Pending,
                    Some(Err(error)) => Attempt::Over(Err(error.to_string())),
                    Some(Ok(())) => Attempt::Over(Ok(())),
                },
                Attempt::Answer(stream, answer) => match read(stream, answer) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Outcome::Pending,
                    Err(error) => Attempt::Over(Err(error.to_string())),
                    Ok(()) => Attempt::Over(judge(answer, wanted)),
                },
            };
            let was_connecting = matches!(self, Attempt::Connecting(_));
            let before = std::mem::replace(self, next);
            if let (Attempt::Connecting(made), Probe::Http(page), true) = (before, probe, was_connecting) {
                if matches!(self, Attempt::Over(Ok(()))) {
                    *self = ask(made.stream(), page);
                }
            }
        }
    }

    /// The command of this look has ended.
    pub fn command_ended(&mut self, how: Result<(), String>) {
        if matches!(self, Attempt::Command) {
            *self = Attempt::Over(how);
        }
    }

    /// What to wait for, if it is a descriptor.
    pub fn waits_for(&self) -> Option<(BorrowedFd<'_>, Readiness)> {
        match self {
            Attempt::Connecting(connecting) => Some((connecting.as_fd(), Readiness::Write)),
            Attempt::Answer(stream, _) => Some((stream.as_fd(), Readiness::Read)),
            Attempt::Command | Attempt::Over(_) => None,
        }
    }
}

fn ask(mut stream: File, page: &HttpProbe) -> Attempt {
    let request = format!("GET {} HTTP/1.0\r\nHost: {}\r\nConnection: close\r\n\r\n", page.path, page.host);
    // A connection that was just made takes that much.
    match stream.write_all(request.as_bytes()) {
        Ok(()) => Attempt::Answer(stream, Vec::new()),
        Err(error) => Attempt::Over(Err(error.to_string())),
    }
}

/// Reads until the status is there.
fn read(stream: &mut File, answer: &mut Vec<u8>) -> io::Result<()> {
    let mut buffer = [0; 64];
    while answer.len() < FIRST_LINE {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => answer.extend_from_slice(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// `HTTP/1.1 200` and what it says.
fn judge(answer: &[u8], wanted: StatusRange) -> Result<(), String> {
    let status = answer.get(..FIRST_LINE).and_then(|line| {
        let (version, status) = line.split_at_checked(9)?;
        (version.starts_with(b"HTTP/1.") && version.ends_with(b" ")).then_some(())?;
        std::str::from_utf8(status).ok()?.parse::<u16>().ok()
    });
    match status {
        Some(status) if wanted.contains(status) => Ok(()),
        Some(status) => Err(format!("the answer has status {status}, and not {wanted}")),
        None => Err("what answers does not speak HTTP".to_owned()),
    }
}

//! What a daemon leaves to the program that takes its place, in a form that another version can read: one JSON document in
//! memory (memfd_create(2)), and the descriptors that it names. Nothing is decided here.

use std::env;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::time::Duration;

use foobar_process::{Pid, inheritance};
use nix::sys::memfd::{MFdFlags, memfd_create};
use serde::{Deserialize, Serialize};

use crate::config::{Source, Trust};

/// Tells the next program where the document is: `take:NUMBER`, or `rehearse:NUMBER`.
pub(crate) const VARIABLE: &str = "FOOBARD_UPGRADE";
/// Of the document. A program that knows another one refuses the rehearsal, and the old program stays.
pub(crate) const FORMAT: u32 = 1;
/// What a rehearsal that went well says, on a line of its own.
pub(crate) const READY: &str = "ready to take over";

/// The document. Numbers are those of descriptors.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Handover {
    pub(crate) format: u32,
    /// Of the daemon, which keeps it.
    pub(crate) pid: u32,
    /// Of the program that leaves.
    pub(crate) version: String,
    /// When the daemon was started, in seconds since 1970.
    pub(crate) since: u64,
    pub(crate) generation: u64,
    /// Whether the configuration must be root's: decided at start.
    pub(crate) root_only: bool,
    pub(crate) config_file: Option<PathBuf>,
    /// The configuration in force, as it was written.
    pub(crate) config: Option<String>,
    pub(crate) pid_file: PathBuf,
    pub(crate) pid_file_descriptor: RawFd,
    pub(crate) control: Option<ControlSocket>,
    /// Connections to the control socket that wait for the outcome.
    pub(crate) callers: Vec<RawFd>,
    /// Addresses as they are configured.
    pub(crate) sockets: Vec<(String, RawFd)>,
    /// By the names of the servers: see [`crate::board::Figures`].
    pub(crate) figures: Vec<(String, RawFd)>,
    pub(crate) elders: Vec<Elder>,
}

/// The control socket.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ControlSocket {
    pub(crate) path: PathBuf,
    pub(crate) owner: u32,
    pub(crate) descriptor: RawFd,
}

/// Workers that finish what they have in hand.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Elder {
    /// The name of their server.
    pub(crate) server: String,
    /// The master's end of their lifeline.
    pub(crate) lifeline: RawFd,
    /// Where what their programs say can be read.
    pub(crate) pipe: Option<RawFd>,
    pub(crate) workers: Vec<ElderWorker>,
}

/// One of them.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ElderWorker {
    pub(crate) pid: i32,
    /// Whether it is a program that leads a process group.
    pub(crate) program: bool,
    /// Milliseconds until its time is over.
    pub(crate) left_ms: Option<u64>,
}

impl ElderWorker {
    pub(crate) fn new(pid: Pid, program: bool, left: Option<Duration>) -> ElderWorker {
        let left_ms = left.map(|left| u64::try_from(left.as_millis()).unwrap_or(u64::MAX));
        ElderWorker { pid: pid.as_raw(), program, left_ms }
    }
}

/// What the new program is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Say whether it could, in a process of its own.
    Rehearse,
    /// Go on as the daemon.
    Take,
}

const WAYS: [(&str, Way); 2] = [("rehearse", Way::Rehearse), ("take", Way::Take)];

impl Handover {
    /// What was left to this program, if anything was. The variable is gone afterwards.
    ///
    /// # Errors
    /// Why it is not understood.
    pub(crate) fn inherited() -> Result<Option<(Way, Handover)>, String> {
        let Ok(value) = env::var(VARIABLE) else { return Ok(None) };
        let failed = |error: io::Error| format!("{VARIABLE}={value}: {error}");
        inheritance::forget(&[VARIABLE]).map_err(failed)?;
        let told = value.split_once(':').and_then(|(word, number)| {
            let way = WAYS.iter().find(|row| row.0 == word)?.1;
            Some((way, number.parse::<RawFd>().ok()?))
        });
        let Some((way, number)) = told else {
            return Err(format!("{VARIABLE}={value} is not understood: unset it"));
        };
        let memory = File::from(inheritance::take(number).map_err(failed)?);
        let length = memory.metadata().map_err(failed)?.len();
        let mut bytes = vec![0; usize::try_from(length.min(64 << 20)).unwrap_or(0)];
        memory.read_exact_at(&mut bytes, 0).map_err(failed)?;
        let handover = Handover::read(&bytes)?;
        // The variable could have come to a program that nobody wants to take anything over.
        let daemon = match way {
            Way::Take => std::process::id(),
            Way::Rehearse => nix::unistd::getppid().as_raw().unsigned_abs(),
        };
        if handover.pid != daemon {
            return Err(format!("{VARIABLE} is meant for process {}: unset it", handover.pid));
        }
        Ok(Some((way, handover)))
    }

    /// The configuration is where it was, and believed under the same rule: the working directory, by which options may tell
    /// of it, is another now, and the process may not look like root's any more.
    pub(crate) fn say_where(&self, source: &mut Source) {
        source.file.clone_from(&self.config_file);
        source.trust = if self.root_only { Trust::RootOnly } else { Trust::Anyone };
    }

    fn read(bytes: &[u8]) -> Result<Handover, String> {
        #[derive(Deserialize)]
        struct Known {
            format: u32,
            version: String,
        }
        let broken =
            |error: serde_json::Error| format!("what the old program left is not understood: {error}");
        let known: Known = serde_json::from_slice(bytes).map_err(broken)?;
        if known.format != FORMAT {
            return Err(format!(
                "version {} leaves format {} and this version takes {FORMAT}: restart the daemon",
                known.version, known.format
            ));
        }
        serde_json::from_slice(bytes).map_err(broken)
    }

    /// The document in memory, with close-on-exec.
    ///
    /// # Errors
    /// A path that is no text, no memory, no free descriptor.
    pub(crate) fn write(&self) -> io::Result<OwnedFd> {
        let memory = File::from(memfd_create("foobard-upgrade", MFdFlags::MFD_CLOEXEC)?);
        memory.write_all_at(&serde_json::to_vec(self).map_err(io::Error::other)?, 0)?;
        Ok(memory.into())
    }
}

/// The value of [`VARIABLE`].
pub(crate) fn value(way: Way, memory: &OwnedFd) -> String {
    let word = WAYS.iter().find(|row| row.1 == way).map_or("", |row| row.0);
    format!("{word}:{}", memory.as_raw_fd())
}

/// Descriptors that the next program is to find under their numbers. Dropped, they are this program's alone again.
pub(crate) struct Left<'d>(Vec<BorrowedFd<'d>>);

impl<'d> Left<'d> {
    /// # Errors
    /// None in practice.
    pub(crate) fn open(descriptors: Vec<BorrowedFd<'d>>) -> io::Result<Left<'d>> {
        let left = Left(descriptors);
        left.0.iter().try_for_each(|descriptor| inheritance::leave(descriptor, true))?;
        Ok(left)
    }
}

impl Drop for Left<'_> {
    fn drop(&mut self) {
        for descriptor in &self.0 {
            let _ = inheritance::leave(&descriptor.as_fd(), false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_format_is_refused_with_the_remedy() {
        let text = br#"{"format": 77, "version": "9.9.9", "something": "else"}"#;
        let error = Handover::read(text).unwrap_err();
        assert!(error.contains("version 9.9.9 leaves format 77") && error.contains("restart"), "{error}");
        assert!(Handover::read(b"{}").unwrap_err().contains("not understood"));
        assert!(Handover::read(br#"{"format": 1, "version": "x"}"#).is_err());
    }
}

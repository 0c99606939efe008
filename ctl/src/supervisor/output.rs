//! Where the programs of a service read from and write to, and the log that comes of it.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::fs::fchown;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use foobar_initscripts::service::{Output as Wanted, Service};
use foobar_process::child;
use foobar_process::privilege::Account;
use foobar_process::wait::{Readiness, wait};

use crate::supervisor::log::line;
use crate::supervisor::log::pump::Pump;
use crate::supervisor::log::settings::{FileSettings, Settings, SyslogSettings};
use crate::supervisor::place::Place;

/// The socket of syslogd, syslog(3).
const LOGGER: &str = "/dev/log";
/// How long the end waits for a slow logger.
const PARTING: Duration = Duration::from_millis(300);

/// Streams and log.
#[derive(Debug)]
pub struct Output {
    /// Standard input of all programs.
    pub null: File,
    /// Standard output of all programs.
    pub out: OwnedFd,
    /// Standard error of all programs.
    pub err: OwnedFd,
    /// What becomes of the lines.
    pub pump: Pump,
}

impl Output {
    /// Makes the pipes.
    ///
    /// # Errors
    /// No free descriptor.
    pub fn new(service: &Service, place: &Place) -> io::Result<Output> {
        let (out_end, out) = child::pipe()?;
        let (err_end, err) = child::pipe()?;
        let pump = Pump::new(settings(service, place), [File::from(out_end), File::from(err_end)]);
        Ok(Output { null: File::open("/dev/null")?, out, err, pump })
    }

    /// Goes on with the pipes of the program before: [`Output::descriptors`].
    ///
    /// # Errors
    /// As open(2).
    pub fn inherited(service: &Service, place: &Place, pipes: [OwnedFd; 4]) -> io::Result<Output> {
        let [out, err, out_end, err_end] = pipes;
        let pump = Pump::new(settings(service, place), [File::from(out_end), File::from(err_end)]);
        Ok(Output { null: File::open("/dev/null")?, out, err, pump })
    }

    /// The pipes: ends for writing of both streams, then those for reading.
    pub fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        [self.out.as_fd(), self.err.as_fd()].into_iter().chain(self.pump.pipes())
    }

    /// Makes the pipes the account's own: programs open /dev/stdout and /dev/stderr by name.
    ///
    /// # Errors
    /// As fchown(2).
    pub fn give_to(&self, account: Option<&Account>) -> io::Result<()> {
        let Some(account) = account else { return Ok(()) };
        let (user, group) = (Some(account.uid().as_raw()), Some(account.gid().as_raw()));
        [&self.out, &self.err].into_iter().try_for_each(|end| fchown(end, user, group))
    }

    /// The last turn: all that is left is read, and a slow logger gets a moment to take it.
    pub fn finish(&mut self) {
        self.pump.ended(Instant::now());
        let deadline = Instant::now() + PARTING;
        while !self.pump.is_drained() && Instant::now() < deadline {
            let Some(logger) = self.pump.sink() else { return };
            let _ = wait(&[(logger, Readiness::Write)], Some(deadline));
            self.pump.writable(Instant::now());
        }
    }

    /// The last lines without their times and levels.
    pub fn words(&self, most: usize) -> Vec<String> {
        let bare = |row: String| line::read(&row).map(|read| read.text.to_owned()).unwrap_or(row);
        self.pump.tail(most).into_iter().map(bare).collect()
    }
}

fn settings(service: &Service, place: &Place) -> Settings {
    let wanted = &service.logging;
    let syslog = matches!(wanted.output, Wanted::Syslog | Wanted::Both).then(|| SyslogSettings {
        logger: PathBuf::from(LOGGER),
        facility: wanted.facility.number(),
        ident: wanted.ident.clone().unwrap_or_else(|| service.name.to_string()),
    });
    let file = matches!(wanted.output, Wanted::File | Wanted::Both).then(|| FileSettings {
        path: wanted.file.as_ref().map_or_else(|| place.log_file(), PathBuf::from),
        max_size: wanted.max_size.0,
        max_age: wanted.max_age,
        keep: wanted.keep,
    });
    Settings {
        syslog,
        file,
        recent: place.file("recent"),
        level: wanted.level.number(),
        level_prefix: wanted.level_prefix,
        line_max: wanted.line_max as usize,
        rate_interval: wanted.rate_interval,
        rate_burst: wanted.rate_burst,
    }
}

//! The root-only record of whom a supervisor has forked: written while the child still waits at its gate, so that whoever comes
//! after a supervisor that was killed knows what may have been left. One line of fixed width for each place.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

use nix::fcntl::OFlag;

use crate::identity::{BootId, Identity, Process};
use crate::record;
use crate::trusted::{self, Untrusted};

/// Whom an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The main process of the service.
    Main,
    /// A command that runs before, beside or after it.
    Command,
    /// A command that looks at it.
    Look,
}

/// The record, open for its supervisor.
#[derive(Debug)]
pub struct Ledger {
    file: File,
}

impl Ledger {
    /// Opens or makes the record, mode 0600, and empties it.
    ///
    /// # Errors
    /// As open(2); what others could have written is refused.
    pub fn create(path: &Path) -> io::Result<Ledger> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = match trusted::open_with(options, path) {
            Ok(Some((file, _))) => file,
            Ok(None) => return Err(io::ErrorKind::NotFound.into()),
            Err(Untrusted::Io(error)) => return Err(error),
            Err(Untrusted::Doubt(doubt)) => {
                let text = format!("{}: {doubt}: remove it", path.display());
                return Err(io::Error::new(io::ErrorKind::InvalidData, text));
            }
        };
        file.set_len(0)?;
        let ledger = Ledger { file };
        // The room is taken now: later, when there may be none, lines are only written over.
        for place in [Place::Main, Place::Command, Place::Look] {
            ledger.write(place, None)?;
        }
        Ok(ledger)
    }

    /// Opens the record that the program before has made in this same process, and leaves it as it is.
    ///
    /// # Errors
    /// As open(2).
    pub fn reopen(path: &Path) -> io::Result<Ledger> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).custom_flags((OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC).bits());
        Ok(Ledger { file: options.open(path)? })
    }

    /// Writes down who stands in `place`, or that nobody does.
    ///
    /// # Errors
    /// As write(2): a full file system.
    pub fn write(&self, place: Place, who: Option<&Identity>) -> io::Result<()> {
        let line = who.map_or_else(|| vec![b' '; record::LENGTH], record::line);
        self.file.write_all_at(&line, offset(place))
    }
}

fn offset(place: Place) -> u64 {
    match place {
        Place::Main => 0,
        Place::Command => record::LENGTH as u64,
        Place::Look => 2 * record::LENGTH as u64,
    }
}

/// Who of those written down at `path` still runs, pinned. None as well when there is no such file.
///
/// # Errors
/// It cannot be read, or others could have written it.
pub fn alive(path: &Path) -> io::Result<Vec<(Place, Process)>> {
    let file = match trusted::open(path) {
        Ok(Some((file, _))) => file,
        Ok(None) => return Ok(Vec::new()),
        Err(Untrusted::Io(error)) => return Err(error),
        Err(Untrusted::Doubt(doubt)) => {
            let text = format!("{}: not believed, {doubt}: remove it", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
    };
    let boot = BootId::current()?;
    let mut found = Vec::new();
    for place in [Place::Main, Place::Command] {
        let mut line = [0; record::LENGTH];
        // Too short: nobody was ever written down there.
        if file.read_exact_at(&mut line, offset(place)).is_err() {
            continue;
        }
        let Some(identity) = record::parse(&line).filter(|identity| identity.boot == boot) else { continue };
        let process = Process::open(identity.pid)?;
        found.extend(
            process.filter(|process| process.start_ticks() == identity.start_ticks).map(|it| (place, it)),
        );
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_written_down_and_alive_is_found() {
        let sandbox = foobar_tests::Sandbox::new("ledger");
        let path = sandbox.path().join("held");
        assert!(alive(&path).unwrap().is_empty());
        let ledger = Ledger::create(&path).unwrap();
        let own = Identity::own().unwrap();
        ledger.write(Place::Command, Some(&own)).unwrap();
        let places = || alive(&path).unwrap().into_iter().map(|row| row.0).collect::<Vec<_>>();
        assert_eq!(places(), [Place::Command]);
        ledger.write(Place::Main, Some(&own)).unwrap();
        assert_eq!(places(), [Place::Main, Place::Command]);
        let stranger = Identity { start_ticks: own.start_ticks + 1, ..own };
        ledger.write(Place::Main, Some(&stranger)).unwrap();
        ledger.write(Place::Command, None).unwrap();
        assert_eq!(places(), []);
        drop(Ledger::create(&path).unwrap());
        assert_eq!(places(), []);
    }
}

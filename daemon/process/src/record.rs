//! The root-only record of who was started: PID, start time and boot ID in one line of fixed width, in the lock file
//! beside the PID file. Unlike the PID file nobody else reads it and nobody but root (or the caller, in a prefix
//! of his own) can write it, so it is a proof and not a claim.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use nix::unistd::Pid;

use crate::identity::{BootId, Identity};
use crate::trusted::{self, Untrusted};

/// 7 digits, 20 digits, a UUID, two spaces and a newline.
pub(crate) const LENGTH: usize = 7 + 1 + 20 + 1 + 36 + 1;

/// The file that carries lock and record of a PID file: its name and `.lock`.
pub(crate) fn path_for(pid_file: &Path) -> PathBuf {
    let mut name = OsString::from(pid_file);
    name.push(".lock");
    PathBuf::from(name)
}

/// What a look at the record gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Record {
    /// Somebody was started with this identity.
    Of(Identity),
    /// No record, or none that can be believed.
    None,
    /// It may exist, but not for our eyes.
    Unreadable,
}

/// Reads the record beside `pid_file`.
pub(crate) fn read(pid_file: &Path) -> Record {
    match trusted::open(&path_for(pid_file)) {
        Ok(Some((file, _))) => from_file(&file),
        Ok(None) | Err(Untrusted::Doubt(_)) => Record::None,
        Err(Untrusted::Io(_)) => Record::Unreadable,
    }
}

/// Reads it through an open descriptor.
pub(crate) fn from_file(file: &File) -> Record {
    let mut line = [0; LENGTH + 1];
    match file.read_at(&mut line, 0) {
        Ok(LENGTH) => parse(&line[..LENGTH]).map_or(Record::None, Record::Of),
        _ => Record::None,
    }
}

/// Writes it in one call, so that no reader sees half of it.
pub(crate) fn write(file: &File, identity: &Identity) -> io::Result<()> {
    file.write_all_at(&line(identity), 0)?;
    file.set_len(LENGTH as u64)
}

/// The line of an identity.
pub(crate) fn line(identity: &Identity) -> Vec<u8> {
    format!("{:07} {:020} {}\n", identity.pid.as_raw(), identity.start_ticks, identity.boot).into_bytes()
}

/// Empties the record if it is that of `identity` and we may; for a clean exit.
pub(crate) fn clear(pid_file: &Path, identity: &Identity) {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    if let Ok(Some((file, _))) = trusted::open_with(options, &path_for(pid_file)) {
        if from_file(&file) == Record::Of(*identity) {
            // A record that stays is harmless: it names a process that will soon be none.
            let _ = file.set_len(0);
        }
    }
}

/// The identity of a line; none for anything else.
pub(crate) fn parse(line: &[u8]) -> Option<Identity> {
    let text = std::str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let mut fields = text.split(' ');
    let (pid, ticks, boot) = (fields.next()?, fields.next()?, fields.next()?);
    let digits = |text: &str, width| text.len() == width && text.bytes().all(|byte| byte.is_ascii_digit());
    if fields.next().is_some() || !digits(pid, 7) || !digits(ticks, 20) {
        return None;
    }
    let pid = pid.parse().ok().filter(|pid| *pid > 1)?;
    Some(Identity { pid: Pid::from_raw(pid), start_ticks: ticks.parse().ok()?, boot: BootId::parse(boot)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Identity {
        let boot = BootId::parse("12345678-9abc-4def-8123-456789abcdef").unwrap();
        Identity { pid: Pid::from_raw(4_194_304), start_ticks: u64::MAX, boot }
    }

    #[test]
    fn what_is_written_is_read() {
        let sandbox = foobar_tests::Sandbox::new("record");
        let path = sandbox.path().join("foobar.pid.lock");
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path).unwrap();
        assert_eq!(from_file(&file), Record::None);
        write(&file, &sample()).unwrap();
        assert_eq!(from_file(&file), Record::Of(sample()));
        let shorter = Identity { pid: Pid::from_raw(2), start_ticks: 0, ..sample() };
        write(&file, &shorter).unwrap();
        assert_eq!(from_file(&file), Record::Of(shorter));
    }

    #[test]
    fn a_tampered_line_is_no_record() {
        let line = format!("{:07} {:020} {}\n", 77, 123, sample().boot);
        assert!(parse(line.as_bytes()).is_some());
        for (at, byte) in line.bytes().enumerate() {
            for other in [b' ', b'-', b'+', b'\n', b'x', 0, 0xff] {
                if byte == other {
                    continue;
                }
                let mut bytes = line.clone().into_bytes();
                bytes[at] = other;
                assert_eq!(parse(&bytes), None, "{bytes:?}");
            }
        }
        let other_boot = line.replace("12345678-", "+2345678-");
        assert_eq!(parse(other_boot.as_bytes()), None);
        for number in [0, 1] {
            assert_eq!(parse(format!("{number:07} {:020} {}\n", 5, sample().boot).as_bytes()), None);
        }
    }
}

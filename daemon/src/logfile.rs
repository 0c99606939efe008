//! A log file: appended to, opened with care, each message one line with a stamp. When it is opened anew is
//! decided by its owner.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use foobar_process::privilege::Account;
use nix::fcntl::OFlag;
use nix::unistd::fchown;

/// An open log file and where it is.
#[derive(Debug)]
pub(crate) struct LogFile {
    path: PathBuf,
    file: File,
}

impl LogFile {
    /// Opens `path` for appending, or makes it with mode 0640. A new file is given to `owner`, so that the
    /// daemon can open it again after it has dropped its privileges.
    ///
    /// A symbolic link, a hard link or anything that is no regular file is refused: in a directory that others can
    /// write it would send root's writes to a file of their choice.
    pub(crate) fn open(path: &Path, owner: Option<&Account>) -> io::Result<LogFile> {
        let options = |new: bool| {
            let mut options = OpenOptions::new();
            let flags = OFlag::O_NOFOLLOW | OFlag::O_NOCTTY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
            options.append(true).create_new(new).mode(0o640).custom_flags(flags.bits());
            options
        };
        let file = match options(true).open(path) {
            Ok(file) => {
                if let Some(account) = owner {
                    fchown(&file, Some(account.uid()), Some(account.gid()))?;
                }
                file
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => options(false).open(path)?,
            Err(error) => return Err(error),
        };
        let metadata = file.metadata()?;
        if !metadata.is_file() || metadata.nlink() > 1 {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file with one name"));
        }
        Ok(LogFile { path: path.to_owned(), file })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends one line; what cannot be written (disk full) is lost, for a server does not end for its log.
    pub(crate) fn write(&mut self, tag: &str, text: &str) {
        let line = format!("{} {tag} {text}\n", stamp(SystemTime::now()));
        // One write for each line: with O_APPEND the lines of several processes do not mix.
        let _ = self.file.write_all(line.as_bytes());
    }
}

/// `time` as RFC 3339 in UTC, to the second.
pub(crate) fn stamp(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (year, month, day) = civil(seconds / 86_400);
    let of_day = seconds % 86_400;
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The date `days` after 1970-01-01 in the Gregorian calendar. Years are counted from March, so that the leap
/// day is the last of its year, and in eras of 400 years, which all have the same number of days.
fn civil(days: u64) -> (u64, u64, u64) {
    const ERA: u64 = 146_097;
    // From 0000-03-01 to 1970-01-01.
    let days = days + 719_468;
    let in_era = days % ERA;
    let year_of_era = (in_era - in_era / 1460 + in_era / 36_524 - in_era / (ERA - 1)) / 365;
    let in_year = in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * in_year + 2) / 153;
    let day = in_year - (153 * month + 2) / 5 + 1;
    let calendar_month = if month < 10 { month + 3 } else { month - 9 };
    let year = days / ERA * 400 + year_of_era + u64::from(calendar_month <= 2);
    (year, calendar_month, day)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::time::Duration;

    use foobar_tests::Sandbox;

    use super::*;

    #[test]
    fn stamps_are_dates() {
        let at = |seconds| stamp(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0), "1970-01-01T00:00:00Z");
        assert_eq!(at(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(at(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(at(1_709_251_199), "2024-02-29T23:59:59Z");
        assert_eq!(at(4_107_542_400), "2100-03-01T00:00:00Z");
        assert_eq!(at(2_147_483_648), "2038-01-19T03:14:08Z");
    }

    #[test]
    fn appends_and_keeps_others_out() {
        let sandbox = Sandbox::new("logfile");
        let path = sandbox.path().join("log");
        LogFile::open(&path, None).unwrap().write("foobard[1]:", "one");
        LogFile::open(&path, None).unwrap().write("foobard[1]:", "two");
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.ends_with("Z foobard[1]: two\n"), "{text}");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o7777 & !0o640, 0);
    }

    #[test]
    fn links_and_directories_are_refused() {
        let sandbox = Sandbox::new("logfile-links");
        let target = sandbox.path().join("target");
        std::fs::write(&target, "").unwrap();
        let link = sandbox.path().join("link");
        symlink(&target, &link).unwrap();
        assert!(LogFile::open(&link, None).is_err());
        let dangling = sandbox.path().join("dangling");
        symlink(sandbox.path().join("nowhere"), &dangling).unwrap();
        assert!(LogFile::open(&dangling, None).is_err());
        let hard = sandbox.path().join("hard");
        std::fs::hard_link(&target, &hard).unwrap();
        assert!(LogFile::open(&hard, None).is_err());
        assert!(LogFile::open(sandbox.path(), None).is_err());
        assert!(LogFile::open(Path::new("/dev/null"), None).is_err());
    }
}

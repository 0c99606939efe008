//! The lines of a log that a supervisor has written, old files included, from the oldest or the last so many; and those that come.
//! It knows files and not services.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::supervisor::log::line;
use crate::supervisor::log::settings::numbered;

/// Which lines are wanted.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// At most so many, the last ones.
    pub last: Option<usize>,
    /// From the first on that is not older than this stamp, or than what begins so. What follows it was written later whatever its own
    /// stamp says: the clock may have been set meanwhile.
    pub since: Option<String>,
}

/// The lines of `path` and of the old files beside it, oldest first.
///
/// # Errors
/// A file that is there and cannot be read; `NotFound` when there is none at all.
pub fn collect(path: &Path, wish: &Wish) -> io::Result<Vec<String>> {
    let mut found: VecDeque<String> = VecDeque::new();
    let mut number = 0;
    loop {
        let place = if number == 0 { path.to_owned() } else { numbered(path, number) };
        let text = match std::fs::read(&place) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            // Between two renames of a rotation there is none at the first place.
            Err(error) if error.kind() == io::ErrorKind::NotFound && number == 0 => String::new(),
            Err(error) if error.kind() == io::ErrorKind::NotFound && (number > 1 || place_exists(path)) => {
                break;
            }
            Err(error) => return Err(io::Error::new(error.kind(), format!("{}: {error}", place.display()))),
        };
        let mut is_enough = false;
        for line in text.lines().rev() {
            is_enough = wish.last.is_some_and(|last| found.len() >= last);
            if is_enough {
                break;
            }
            found.push_front(line.to_owned());
        }
        if is_enough {
            break;
        }
        number += 1;
    }
    if let Some(since) = &wish.since {
        // Lines without a stamp are somebody else's, and as old as those before them.
        let is_young = |text: &String| line::read(text).is_some_and(|read| read.stamp >= since.as_str());
        let old = found.iter().position(is_young).unwrap_or(found.len());
        found.drain(..old);
    }
    Ok(found.into())
}

fn place_exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// A log that is read on while it is written.
#[derive(Debug)]
pub struct Following {
    path: PathBuf,
    file: Option<File>,
    begun: Vec<u8>,
}

impl Following {
    /// From the present end of `path` on; of a file that comes later, from its begin.
    ///
    /// # Errors
    /// A file that is there and cannot be read.
    pub fn new(path: &Path) -> io::Result<Following> {
        let file = match File::open(path) {
            Ok(mut file) => {
                file.seek(SeekFrom::End(0))?;
                Some(file)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        Ok(Following { path: path.to_owned(), file, begun: Vec::new() })
    }

    /// The whole lines that have come since it was last asked, over a rotation as well.
    ///
    /// # Errors
    /// As read(2).
    pub fn more(&mut self) -> io::Result<Vec<String>> {
        let mut lines = Vec::new();
        loop {
            if let Some(file) = &mut self.file {
                // Emptied in place: what is in it now is new.
                let place = file.stream_position()?;
                if file.metadata()?.len() < place {
                    file.rewind()?;
                }
                file.read_to_end(&mut self.begun)?;
            }
            while let Some(end) = self.begun.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.begun.drain(..=end).collect();
                lines.push(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            let held = self.file.as_ref().map(File::metadata).transpose()?;
            match self.path.symlink_metadata() {
                Ok(named)
                    if held.is_none_or(|held| (held.dev(), held.ino()) != (named.dev(), named.ino())) =>
                {
                    self.begun.clear();
                    self.file = Some(File::open(&self.path)?);
                }
                _ => return Ok(lines),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;

    use foobar_tests::Sandbox;

    use super::*;

    fn stamped(minute: usize, text: &str) -> String {
        format!("2026-11-28T16:{minute:02}:00.000000Z info {text}\n")
    }

    fn texts(lines: &[String]) -> Vec<&str> {
        lines.iter().map(|line| line.rsplit(' ').next().unwrap()).collect()
    }

    #[test]
    fn old_files_are_read_before_young_ones_and_no_more_than_wanted() {
        let sandbox = Sandbox::new("lines");
        let path = sandbox.path().join("log");
        assert_eq!(collect(&path, &Wish::default()).unwrap_err().kind(), io::ErrorKind::NotFound);
        fs::write(numbered(&path, 2), stamped(1, "a") + &stamped(2, "b")).unwrap();
        fs::write(numbered(&path, 1), stamped(3, "c")).unwrap();
        let all = collect(&path, &Wish::default()).unwrap();
        assert_eq!(texts(&all), ["a", "b", "c"], "in the midst of a rotation");
        fs::write(&path, stamped(4, "d") + &stamped(5, "e")).unwrap();
        let with = |last, since: Option<&str>| {
            collect(&path, &Wish { last, since: since.map(str::to_owned) }).unwrap()
        };
        assert_eq!(texts(&with(None, None)), ["a", "b", "c", "d", "e"]);
        assert_eq!(texts(&with(Some(3), None)), ["c", "d", "e"]);
        assert_eq!(texts(&with(Some(0), None)), Vec::<&str>::new());
        assert_eq!(texts(&with(None, Some("2026-11-28T16:04"))), ["d", "e"]);
        assert_eq!(texts(&with(Some(1), Some("2026-11-28"))), ["e"]);
        assert_eq!(texts(&with(None, Some("2026-11-29"))), Vec::<&str>::new());
    }

    #[test]
    fn no_line_is_lost_when_the_clock_was_set_back_for_a_while() {
        let sandbox = Sandbox::new("lines-clock");
        let path = sandbox.path().join("log");
        let early = |text: &str| format!("2026-11-28T11:00:00.000000Z info {text}\n");
        fs::write(numbered(&path, 2), stamped(1, "a") + &stamped(20, "b")).unwrap();
        fs::write(numbered(&path, 1), early("c")).unwrap();
        fs::write(&path, early("d") + "of others e\n" + &stamped(25, "f")).unwrap();
        let wish = Wish { last: None, since: Some("2026-11-28T16:10".to_owned()) };
        assert_eq!(texts(&collect(&path, &wish).unwrap()), ["b", "c", "d", "e", "f"]);
    }

    #[test]
    fn what_comes_is_followed_over_rotations() {
        let sandbox = Sandbox::new("lines-follow");
        let path = sandbox.path().join("log");
        let mut log = Following::new(&path).unwrap();
        assert!(log.more().unwrap().is_empty());
        let mut file = File::create(&path).unwrap();
        file.write_all(b"one\ntw").unwrap();
        assert_eq!(log.more().unwrap(), ["one"]);
        file.write_all(b"o\n").unwrap();
        fs::rename(&path, numbered(&path, 1)).unwrap();
        fs::write(&path, "three\n").unwrap();
        assert_eq!(log.more().unwrap(), ["two", "three"]);
        fs::write(&path, "4\n").unwrap();
        assert_eq!(log.more().unwrap(), ["4"]);
        assert!(Following::new(&path).unwrap().more().unwrap().is_empty());
    }
}

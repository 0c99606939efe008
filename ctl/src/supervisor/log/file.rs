//! A log file that is rotated by whoever writes it, by size and by age. It holds whole lines, on a full disk too; what it cannot
//! hold is dropped and counted. One that others rotate or remove is made anew.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::line::{Line, WARNING, written};
use super::settings::{FileSettings, numbered};
use crate::sys::logfile;

/// How often it is looked whether the file still has its name, at most; and how long a rotation that failed is left alone.
const LOOK: Duration = Duration::from_secs(1);
/// See above.
const LEAVE: Duration = Duration::from_secs(60);

/// The file, and what is known of it.
#[derive(Debug)]
pub struct LogFile {
    settings: FileSettings,
    open: Option<Open>,
    dropped: u64,
    rotate_not_before: Option<Instant>,
}

#[derive(Debug)]
struct Open {
    file: File,
    size: u64,
    /// When it is too old; monotonic, so that no change of the clock rotates anything.
    aged: Option<Instant>,
    looked: Instant,
}

impl LogFile {
    /// The file of `settings`. Nothing is opened before there is a line.
    pub fn new(settings: FileSettings) -> LogFile {
        LogFile { settings, open: None, dropped: 0, rotate_not_before: None }
    }

    /// Appends whole lines. An error is told when it begins, not for each line: what is wrong, for the other log.
    pub fn write(&mut self, lines: &str, now: Instant) -> Option<String> {
        let was_well = self.dropped == 0;
        let mut left = lines;
        while !left.is_empty() {
            match self.write_some(left, now) {
                Ok(taken) => left = &left[taken..],
                Err(error) => {
                    self.dropped += left.lines().count() as u64;
                    let path = self.settings.path.display();
                    return was_well
                        .then(|| format!("{path}: lines are dropped, they cannot be written: {error}"));
                }
            }
        }
        None
    }

    /// Writes as many whole lines as the file may hold, at least one; how many bytes those were.
    fn write_some(&mut self, lines: &str, now: Instant) -> io::Result<usize> {
        self.look(now);
        self.make_open(now)?;
        let first = lines.find('\n').map_or(lines.len(), |end| end + 1);
        let is_due = self.open.as_ref().is_some_and(|open| {
            let full = open.size > 0 && open.size + first as u64 > self.settings.max_size;
            full || open.size > 0 && open.aged.is_some_and(|aged| aged <= now)
        });
        if is_due && self.rotate_not_before.is_none_or(|when| when <= now) {
            self.open = None;
            self.rotate_not_before = self.rotate().is_err().then(|| now + LEAVE);
            self.make_open(now)?;
        }
        if self.dropped > 0 {
            let note = format!("{} lines dropped: they could not be written", self.dropped);
            let line = Line { level: WARNING, text: note.as_bytes(), continues: false };
            self.append(&written(&line, &note, SystemTime::now()))?;
            self.dropped = 0;
        }
        let size = self.open.as_ref().map_or(0, |open| open.size);
        let room = usize::try_from(self.settings.max_size.saturating_sub(size)).unwrap_or(usize::MAX);
        let fits = lines.as_bytes().get(..room).map_or(lines.len(), |part| {
            part.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1)
        });
        self.append(&lines[..fits.max(first)])
    }

    /// Appends whole lines, all of them or those that there is room for; how many bytes that was.
    fn append(&mut self, text: &str) -> io::Result<usize> {
        let Some(open) = &mut self.open else { return Err(io::ErrorKind::NotFound.into()) };
        let mut done = 0;
        while done < text.len() {
            match open.file.write(&text.as_bytes()[done..]) {
                Ok(count) => done += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let whole = text.as_bytes()[..done]
                        .iter()
                        .rposition(|byte| *byte == b'\n')
                        .map_or(0, |end| end + 1);
                    open.size += whole as u64;
                    let _ = open.file.set_len(open.size);
                    return if whole > 0 { Ok(whole) } else { Err(error) };
                }
            }
        }
        open.size += done as u64;
        Ok(done)
    }

    fn make_open(&mut self, now: Instant) -> io::Result<()> {
        if self.open.is_some() {
            return Ok(());
        }
        let file = logfile::open(&self.settings.path)?;
        let there = file.metadata()?;
        let since = there.created().or_else(|_| there.modified()).ok();
        let age = since.map(|since| age(since, SystemTime::now())).unwrap_or_default();
        let aged = self.settings.max_age.map(|most| now + most.saturating_sub(age));
        self.open = Some(Open { file, size: there.len(), aged, looked: now });
        Ok(())
    }

    /// Lets go of a file that has lost its name: somebody else has rotated or removed it.
    fn look(&mut self, now: Instant) {
        let Some(open) = &mut self.open else { return };
        if now.duration_since(open.looked) < LOOK {
            return;
        }
        open.looked = now;
        let named = fs::symlink_metadata(&self.settings.path).ok().map(|there| (there.dev(), there.ino()));
        let held = open.file.metadata().ok();
        if named.is_none() || named != held.as_ref().map(|there| (there.dev(), there.ino())) {
            self.open = None;
        } else if let Some(there) = held {
            // Somebody may have emptied it in place.
            open.size = there.len();
        }
    }

    /// Opens the file anew with the next line.
    pub fn reopen(&mut self) {
        self.open = None;
    }

    fn rotate(&self) -> io::Result<()> {
        let keep = self.settings.keep;
        if keep == 0 {
            return fs::remove_file(&self.settings.path);
        }
        for number in (1..keep).rev() {
            move_if_there(&self.numbered(number), &self.numbered(number + 1))?;
        }
        fs::rename(&self.settings.path, self.numbered(1))
    }

    fn numbered(&self, number: u32) -> PathBuf {
        numbered(&self.settings.path, number)
    }
}

/// How old a file is that was found. One of the future, whose clock was wrong or is, is as good as new; one that seems older than it is
/// is rotated once, for the next is made by the same clock.
fn age(since: SystemTime, now: SystemTime) -> Duration {
    now.duration_since(since).unwrap_or_default()
}

fn move_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use foobar_tests::Sandbox;

    use super::*;

    fn settings(path: &Path) -> FileSettings {
        FileSettings { path: path.to_owned(), max_size: 100, max_age: None, keep: 3 }
    }

    fn text(path: &Path) -> String {
        fs::read_to_string(path).unwrap_or_default()
    }

    #[test]
    fn no_line_is_lost_or_cut_by_rotation() {
        let sandbox = Sandbox::new("rotation");
        let path = sandbox.path().join("log");
        let mut file = LogFile::new(FileSettings { keep: 100, ..settings(&path) });
        let all: Vec<String> = (0..200).map(|number| format!("line {number}\n")).collect();
        for batch in all.chunks(7) {
            assert_eq!(file.write(&batch.concat(), Instant::now()), None);
        }
        let mut found = Vec::new();
        for place in (1..100).rev().map(|number| numbered(&path, number)).chain([path.clone()]) {
            let text = text(&place);
            assert!(text.len() <= 100 && (text.is_empty() || text.ends_with('\n')), "{text}");
            found.extend(text.lines().map(|line| format!("{line}\n")));
        }
        assert_eq!(found, all);
    }

    #[test]
    fn so_many_old_files_are_kept_and_a_line_that_is_too_long_is_written() {
        let sandbox = Sandbox::new("rotation-keep");
        let path = sandbox.path().join("log");
        let mut file = LogFile::new(settings(&path));
        for letter in ["a", "b", "c", "d", "e", "f"] {
            assert_eq!(file.write(&(letter.repeat(150) + "\n"), Instant::now()), None);
        }
        let firsts: Vec<_> = (1..6).map(|number| text(&numbered(&path, number)).chars().next()).collect();
        assert_eq!(text(&path), "f".repeat(150) + "\n");
        assert_eq!(firsts, [Some('e'), Some('d'), Some('c'), None, None]);
        let mut none = LogFile::new(FileSettings { keep: 0, ..settings(&path) });
        none.write("x\n", Instant::now());
        assert_eq!((text(&path), text(&numbered(&path, 1)).len()), ("x\n".to_owned(), 151));
    }

    #[test]
    fn age_rotates_when_there_is_a_line_and_not_before() {
        let sandbox = Sandbox::new("rotation-age");
        let path = sandbox.path().join("log");
        let day = Duration::from_secs(86_400);
        let mut file = LogFile::new(FileSettings { max_age: Some(day), ..settings(&path) });
        let start = Instant::now();
        file.write("one\n", start);
        file.write("two\n", start + day / 2);
        assert_eq!(text(&path), "one\ntwo\n");
        file.write("three\n", start + day * 2);
        assert_eq!((text(&path).as_str(), text(&numbered(&path, 1)).as_str()), ("three\n", "one\ntwo\n"));
    }

    #[test]
    fn no_clock_that_is_set_rotates_again_and_again() {
        let hours = |count: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(count * 3600);
        assert_eq!(age(hours(10), hours(12)), Duration::from_secs(7200));
        assert_eq!(age(hours(10), hours(5)), Duration::ZERO, "it was set back");
        // Held open over any change, it counts in monotonic time; opened anew after one, it is rotated once at most.
        let sandbox = Sandbox::new("rotation-clock");
        let path = sandbox.path().join("log");
        let day = Duration::from_secs(86_400);
        let mut file = LogFile::new(FileSettings { max_age: Some(day), ..settings(&path) });
        let start = Instant::now();
        file.write("old\n", start);
        // As if it had been found a year old.
        file.open.as_mut().unwrap().aged = Some(start);
        for line in ["1\n", "2\n", "3\n"] {
            file.write(line, start);
            file.reopen();
        }
        assert_eq!((text(&path).as_str(), text(&numbered(&path, 1)).as_str()), ("1\n2\n3\n", "old\n"));
    }

    #[test]
    fn one_that_others_take_away_is_made_anew() {
        let sandbox = Sandbox::new("rotation-others");
        let path = sandbox.path().join("log");
        let mut file = LogFile::new(settings(&path));
        let start = Instant::now();
        file.write("one\n", start);
        fs::rename(&path, sandbox.path().join("aside")).unwrap();
        file.write("two\n", start + LOOK);
        assert_eq!(
            (text(&sandbox.path().join("aside")), text(&path)),
            ("one\n".to_owned(), "two\n".to_owned())
        );
        fs::remove_file(&path).unwrap();
        file.reopen();
        file.write("three\n", start + LOOK);
        assert_eq!(text(&path), "three\n");
        // Emptied in place, as copytruncate does.
        fs::write(&path, "").unwrap();
        file.write("four\n", start + LOOK * 3);
        assert_eq!(text(&path), "four\n");
    }

    #[test]
    fn what_cannot_be_written_is_counted_and_told_once() {
        let sandbox = Sandbox::new("rotation-none");
        let path = sandbox.path().join("missing").join("log");
        let mut file = LogFile::new(FileSettings { max_size: 10_000, ..settings(&path) });
        let told = file.write("one\ntwo\n", Instant::now()).unwrap();
        assert!(told.contains("missing/log: lines are dropped"), "{told}");
        assert_eq!(file.write("three\n", Instant::now()), None);
        fs::create_dir(sandbox.path().join("missing")).unwrap();
        assert_eq!(file.write("four\n", Instant::now()), None);
        let text = text(&path);
        let (note, rest) = text.split_once('\n').unwrap();
        assert!(note.ends_with("warning 3 lines dropped: they could not be written"), "{note}");
        assert_eq!(rest, "four\n");
    }

    #[test]
    fn no_link_leads_elsewhere() {
        let sandbox = Sandbox::new("rotation-link");
        let (target, path) = (sandbox.path().join("target"), sandbox.path().join("log"));
        fs::write(&target, "kept").unwrap();
        std::os::unix::fs::symlink(&target, &path).unwrap();
        assert!(LogFile::new(settings(&path)).write("x\n", Instant::now()).is_some());
        fs::remove_file(&path).unwrap();
        fs::hard_link(&target, &path).unwrap();
        assert!(LogFile::new(settings(&path)).write("x\n", Instant::now()).is_some());
        assert_eq!(text(&target), "kept");
    }
}

//! The last lines of a service, in two small files in its run directory: so they are there when the program or its supervisor is
//! gone, and cost the supervisor no memory. Where these cannot be written, a few lines are kept in memory.

use std::collections::VecDeque;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::settings::numbered;
use crate::sys::logfile;

/// The length at which the file is put aside, in bytes; there are at most two of that.
const LONGEST: u64 = 32 << 10;

/// How many lines are kept in memory, if they must.
const SPARE: usize = 20;

/// The last lines, to be added to.
#[derive(Debug)]
pub struct Recent {
    path: PathBuf,
    file: Option<(fs::File, u64)>,
    spare: VecDeque<String>,
}

impl Recent {
    /// Those kept at `path`. Nothing is opened before there is a line.
    pub fn new(path: &Path) -> Recent {
        Recent { path: path.to_owned(), file: None, spare: VecDeque::new() }
    }

    /// Adds whole lines.
    pub fn add(&mut self, lines: &str) {
        match self.append(lines) {
            Ok(()) => self.spare.clear(),
            Err(_) => {
                // No room in /run: the next lines try again.
                self.file = None;
                let rest = lines.lines().map(str::to_owned);
                self.spare.extend(rest);
                let too_many = self.spare.len().saturating_sub(SPARE);
                self.spare.drain(..too_many);
            }
        }
    }

    fn append(&mut self, lines: &str) -> io::Result<()> {
        if self.file.as_ref().is_some_and(|(_, size)| *size >= LONGEST) {
            self.file = None;
            fs::rename(&self.path, numbered(&self.path, 1))?;
        }
        if self.file.is_none() {
            let file = logfile::open(&self.path)?;
            let size = file.metadata()?.len();
            self.file = Some((file, size));
        }
        let Some((file, size)) = &mut self.file else { return Ok(()) };
        let mut text: String = self.spare.iter().map(|line| format!("{line}\n")).collect();
        text.push_str(lines);
        if let Err(error) = file.write_all(text.as_bytes()) {
            // No half lines.
            let _ = file.set_len(*size);
            return Err(error);
        }
        *size += text.len() as u64;
        Ok(())
    }

    /// The last `count` lines, oldest first.
    pub fn tail(&self, count: usize) -> Vec<String> {
        let mut lines = last_lines(&self.path, count);
        lines.extend(self.spare.iter().cloned());
        let too_many = lines.len().saturating_sub(count);
        lines.drain(..too_many);
        lines
    }
}

/// The last `count` lines that are kept at `path`, oldest first, for whoever may read them.
pub fn last_lines(path: &Path, count: usize) -> Vec<String> {
    let read = |path: &Path| fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let mut text = read(path).unwrap_or_default();
    if text.lines().count() < count {
        text.insert_str(0, &read(&numbered(path, 1)).unwrap_or_default());
    }
    let skipped = text.lines().count().saturating_sub(count);
    text.lines().skip(skipped).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use foobar_tests::Sandbox;

    use super::*;

    #[test]
    fn the_last_lines_outlive_whoever_wrote_them() {
        let sandbox = Sandbox::new("recent");
        let path = sandbox.path().join("recent");
        let line = |number: usize| format!("{number} {}", "x".repeat(90));
        {
            let mut recent = Recent::new(&path);
            for number in 0..3000 {
                recent.add(&format!("{}\n", line(number)));
            }
            assert_eq!(recent.tail(2), [line(2998), line(2999)]);
        }
        let found = last_lines(&path, 300);
        assert_eq!((found.len(), found.first(), found.last()), (300, Some(&line(2700)), Some(&line(2999))));
        let used = path.metadata().unwrap().len() + numbered(&path, 1).metadata().unwrap().len();
        assert!(used < 2 * (LONGEST + 100), "{used}");
        let mut recent = Recent::new(&path);
        recent.add("again\n");
        assert_eq!(recent.tail(2), [line(2999), "again".to_owned()]);
    }

    #[test]
    fn without_a_place_a_few_are_kept_and_written_later() {
        let sandbox = Sandbox::new("recent-none");
        let path = sandbox.path().join("later").join("recent");
        let mut recent = Recent::new(&path);
        for number in 0..100 {
            recent.add(&format!("{number}\n"));
        }
        assert_eq!(recent.tail(3), ["97", "98", "99"]);
        assert_eq!(recent.tail(1000).len(), SPARE);
        fs::create_dir(sandbox.path().join("later")).unwrap();
        recent.add("100\n");
        assert_eq!(last_lines(&path, 3), ["98", "99", "100"]);
        assert!(recent.spare.is_empty());
    }
}

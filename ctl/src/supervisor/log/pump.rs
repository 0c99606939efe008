//! From the pipes of a service to its log: reads what there is, makes lines of it, and hands them to the last lines, to syslog and to
//! the file. Whoever runs the loop waits for what this waits for, and calls it then; it never waits itself.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::{Instant, SystemTime};

use foobar_process::Pid;

use super::file::LogFile;
use super::line::{Line, WARNING, clean, written};
use super::rate::Rate;
use super::recent::Recent;
use super::settings::Settings;
use super::splitter::Splitter;
use super::syslog::Queue;

/// How much is read of one stream before the loop looks at others again, in pieces of [`PIECE`] bytes.
const TURNS: usize = 8;
/// See above.
const PIECE: usize = 8 << 10;

/// The log of one service.
#[derive(Debug)]
pub struct Pump {
    streams: Vec<Stream>,
    sinks: Sinks,
}

#[derive(Debug)]
struct Stream {
    pipe: File,
    splitter: Splitter,
    is_open: bool,
}

#[derive(Debug)]
struct Sinks {
    rate: Rate,
    recent: Recent,
    syslog: Option<Queue>,
    file: Option<LogFile>,
    /// Whole lines that are still to be written.
    text: String,
}

impl Pump {
    /// Reads `pipes`, which must not block; standard output and standard error, as a rule.
    pub fn new(settings: Settings, pipes: impl IntoIterator<Item = File>) -> Pump {
        let stream = |pipe| {
            let splitter = Splitter::new(settings.line_max, settings.level, settings.level_prefix);
            Stream { pipe, splitter, is_open: true }
        };
        Pump {
            streams: pipes.into_iter().map(stream).collect(),
            sinks: Sinks {
                rate: Rate::new(settings.rate_interval, settings.rate_burst),
                recent: Recent::new(&settings.recent),
                syslog: settings.syslog.map(Queue::new),
                file: settings.file.map(LogFile::new),
                text: String::new(),
            },
        }
    }

    /// The streams to be watched for being readable, with the number that [`Pump::readable`] wants.
    pub fn sources(&self) -> impl Iterator<Item = (usize, BorrowedFd<'_>)> {
        let open = self.streams.iter().enumerate().filter(|(_, stream)| stream.is_open);
        open.map(|(number, stream)| (number, stream.pipe.as_fd()))
    }

    /// The pipes, open at the other end or not.
    pub fn pipes(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.streams.iter().map(|stream| stream.pipe.as_fd())
    }

    /// The logger, if it is to be watched for being writable; then [`Pump::writable`].
    pub fn sink(&self) -> Option<BorrowedFd<'_>> {
        self.sinks.syslog.as_ref()?.waits_for()
    }

    /// When [`Pump::tick`] is to be called; none: there is nothing to be done by itself.
    pub fn deadline(&self) -> Option<Instant> {
        let retry = self.sinks.syslog.as_ref().and_then(Queue::deadline);
        [retry, self.sinks.rate.deadline()].into_iter().flatten().min()
    }

    /// Whose lines follow, for syslog.
    pub fn set_pid(&mut self, pid: Option<Pid>) {
        if let Some(queue) = &mut self.sinks.syslog {
            queue.set_pid(pid);
        }
    }

    /// A stream is readable.
    pub fn readable(&mut self, number: usize, now: Instant) {
        self.read(number, TURNS, now);
        self.sinks.write(now);
    }

    /// Reads until nothing is left, at most `turns` pieces; whether something may be left.
    fn read(&mut self, number: usize, turns: usize, now: Instant) -> bool {
        let Some(stream) = self.streams.get_mut(number).filter(|stream| stream.is_open) else { return false };
        let mut buffer = [0; PIECE];
        for _ in 0..turns {
            match stream.pipe.read(&mut buffer) {
                Ok(0) => {
                    stream.is_open = false;
                    stream.splitter.flush(|line| self.sinks.take(&line, now));
                    return false;
                }
                Ok(length) => {
                    stream.splitter.feed(&buffer[..length], |line| self.sinks.take(&line, now));
                    // Piece by piece: memory that a flood once needs is not given back.
                    self.sinks.write(now);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        true
    }

    /// The logger is writable.
    pub fn writable(&mut self, now: Instant) {
        if let Some(queue) = &mut self.sinks.syslog {
            queue.send(now);
        }
    }

    /// The deadline is over.
    pub fn tick(&mut self, now: Instant) {
        if self.sinks.syslog.as_ref().and_then(Queue::deadline).is_some_and(|deadline| deadline <= now) {
            self.writable(now);
        }
        if let Some(note) = self.sinks.rate.account(now) {
            self.sinks.put(WARNING, &note, now);
        }
        self.sinks.write(now);
    }

    /// A line of the supervisor's own among those of the service. No limit is on these; to syslog it speaks for itself.
    pub fn note(&mut self, level: u8, text: &str, now: Instant) {
        let clean = clean(text.as_bytes());
        let line = Line { level, text: text.as_bytes(), continues: false };
        self.sinks.text.push_str(&written(&line, &clean, SystemTime::now()));
        self.sinks.write(now);
    }

    /// Whether the logger has taken everything.
    pub fn is_drained(&self) -> bool {
        self.sinks.syslog.as_ref().is_none_or(Queue::is_empty)
    }

    /// The program has ended: what it has left in the pipes is read, and what it did not end is a line. At most as much as pipes
    /// hold, since what it has started may go on to write.
    pub fn ended(&mut self, now: Instant) {
        /// Pipes hold a megabyte at most, /proc/sys/fs/pipe-max-size.
        const MOST: usize = (1 << 20) / PIECE + 1;
        for number in 0..self.streams.len() {
            self.read(number, MOST, now);
            if let Some(stream) = self.streams.get_mut(number) {
                stream.splitter.flush(|line| self.sinks.take(&line, now));
            }
        }
        self.sinks.write(now);
    }

    /// The log file is opened anew with the next line: somebody has put the old one aside.
    pub fn reopen(&mut self) {
        if let Some(file) = &mut self.sinks.file {
            file.reopen();
        }
    }

    /// The last lines, oldest first, as [`super::line::read`] reads them.
    pub fn tail(&self, count: usize) -> Vec<String> {
        self.sinks.recent.tail(count)
    }
}

impl Sinks {
    /// A line of the service.
    fn take(&mut self, line: &Line<'_>, now: Instant) {
        if let Some(note) = self.rate.account(now) {
            self.put(WARNING, &note, now);
        }
        if self.rate.admits(now) {
            self.add(line, now);
        }
    }

    fn put(&mut self, level: u8, text: &str, now: Instant) {
        self.add(&Line { level, text: text.as_bytes(), continues: false }, now);
    }

    fn add(&mut self, line: &Line<'_>, now: Instant) {
        let clean = clean(line.text);
        if let Some(queue) = &mut self.syslog {
            queue.push(line.level, &clean, now);
        }
        self.text.push_str(&written(line, &clean, SystemTime::now()));
    }

    /// Writes the lines that were gathered: one write(2) for many.
    fn write(&mut self, now: Instant) {
        if self.text.is_empty() {
            return;
        }
        let text = std::mem::take(&mut self.text);
        let trouble = self.file.as_mut().and_then(|file| file.write(&text, now));
        self.recent.add(&text);
        if let Some(trouble) = trouble {
            let line = Line { level: WARNING, text: trouble.as_bytes(), continues: false };
            self.recent.add(&written(&line, &trouble, SystemTime::now()));
            if let Some(queue) = &mut self.syslog {
                queue.push(WARNING, &trouble, now);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::fd::OwnedFd;
    use std::os::unix::net::{UnixDatagram, UnixStream};
    use std::path::Path;
    use std::time::Duration;

    use foobar_tests::Sandbox;

    use super::super::line::read;
    use super::super::settings::{FileSettings, SyslogSettings};
    use super::*;

    fn settings(place: &Path) -> Settings {
        let logger = place.join("logger");
        Settings {
            syslog: Some(SyslogSettings { logger, facility: 3, ident: "app".to_owned() }),
            file: Some(FileSettings { path: place.join("file"), max_size: 1 << 20, max_age: None, keep: 2 }),
            recent: place.join("recent"),
            level: 6,
            level_prefix: true,
            line_max: 100,
            rate_interval: Duration::ZERO,
            rate_burst: 0,
        }
    }

    fn pipe() -> (File, UnixStream) {
        let (near, far) = UnixStream::pair().unwrap();
        near.set_nonblocking(true).unwrap();
        far.set_nonblocking(true).unwrap();
        (File::from(OwnedFd::from(near)), far)
    }

    fn texts(lines: &[String]) -> Vec<&str> {
        lines.iter().map(|line| read(line).unwrap().text).collect()
    }

    #[test]
    fn lines_of_both_streams_reach_all_three_places() {
        let sandbox = Sandbox::new("pump");
        let logger = UnixDatagram::bind(sandbox.path().join("logger")).unwrap();
        let ((out, mut program_out), (error, mut program_error)) = (pipe(), pipe());
        let mut pump = Pump::new(settings(sandbox.path()), [out, error]);
        assert_eq!((pump.sources().count(), pump.deadline(), pump.sink().is_some()), (2, None, false));
        pump.set_pid(Some(Pid::from_raw(7)));
        program_out.write_all(b"ready\nhalf").unwrap();
        program_error.write_all(b"<3>broken\n").unwrap();
        pump.readable(0, Instant::now());
        pump.readable(1, Instant::now());
        assert_eq!(texts(&pump.tail(10)), ["ready", "broken"]);
        pump.ended(Instant::now());
        pump.note(4, "ended", Instant::now());
        let file = std::fs::read_to_string(sandbox.path().join("file")).unwrap();
        let lines: Vec<_> =
            file.lines().map(|line| (read(line).unwrap().level, read(line).unwrap().text)).collect();
        std::fs::remove_file(sandbox.path().join("file")).unwrap();
        pump.reopen();
        pump.writable(Instant::now());
        pump.note(6, "anew", Instant::now());
        assert!(sandbox.path().join("file").exists());
        assert_eq!(lines, [("info", "ready"), ("err", "broken"), ("info", "half"), ("warning", "ended")]);
        let mut buffer = [0; 200];
        let length = logger.recv(&mut buffer).unwrap();
        let text = std::str::from_utf8(&buffer[..length]).unwrap();
        assert!(text.starts_with("<30>") && text.ends_with("app[7]: ready"), "{text}");
        drop(program_out);
        pump.readable(0, Instant::now());
        assert_eq!(pump.sources().count(), 1);
    }

    #[test]
    fn a_flood_leaves_room_for_others_and_is_counted() {
        let sandbox = Sandbox::new("pump-flood");
        let (out, mut program) = pipe();
        let limits =
            Settings { rate_interval: Duration::from_secs(30), rate_burst: 10, ..settings(sandbox.path()) };
        let mut pump = Pump::new(limits, [out]);
        let start = Instant::now();
        let mut lines = 0;
        for _ in 0..50 {
            while program.write(b"line of a flood\n").is_ok_and(|length| length == 16) {
                lines += 1;
            }
            pump.readable(0, start);
        }
        pump.ended(start);
        assert!(lines > 1000, "{lines}");
        // The flood is over, and nobody writes any more: the count is told all the same.
        assert_eq!(pump.sinks.rate.deadline(), Some(start + Duration::from_secs(30)));
        pump.tick(start + Duration::from_secs(30));
        let tail = pump.tail(2);
        let wanted = format!("{} lines dropped: there were more than 10 in 30 s", lines - 10);
        assert_eq!(texts(&tail), ["line of a flood", wanted.as_str()]);
        assert_eq!(pump.sinks.rate.deadline(), None);
    }
}

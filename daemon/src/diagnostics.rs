//! What programs say on their standard error, made into lines of the log: of bounded length, and no more of them in a second
//! than a logger should be given. Reads nothing itself.

use std::time::{Duration, Instant};

/// A longer line becomes several: with name and time each fits into a packet of syslog (RFC 3164, 1,024 bytes).
const LONGEST: usize = 900;
/// Lines that are logged in a second; further ones are counted.
const LINES: u32 = 200;
/// Bytes that are read in a second. Who writes more has to wait then: the master has better things to do.
const BYTES: usize = 1 << 20;
const SECOND: Duration = Duration::from_secs(1);

/// The stream of one server.
#[derive(Debug, Default)]
pub(crate) struct Diagnostics {
    /// A line whose end has not come yet.
    partial: Vec<u8>,
    /// When the second ends that began with the first byte.
    window: Option<Instant>,
    lines: u32,
    bytes: usize,
    dropped: u64,
}

impl Diagnostics {
    /// Takes what was read at `now`, and gives each line that is to be logged to `say`.
    pub(crate) fn take(&mut self, bytes: &[u8], now: Instant, say: &mut dyn FnMut(&str)) {
        self.window.get_or_insert(now + SECOND);
        self.bytes += bytes.len();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let mut rest = piece;
            while self.partial.len() + rest.len() > LONGEST + 1 {
                let (head, tail) = rest.split_at(LONGEST - self.partial.len());
                self.partial.extend_from_slice(head);
                self.flush(say);
                rest = tail;
            }
            self.partial.extend_from_slice(rest);
            if self.partial.len() > LONGEST || rest.ends_with(b"\n") {
                self.flush(say);
            }
        }
    }

    /// When [`Diagnostics::tick`] is due.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.window
    }

    /// The second is over: a line without an end is logged as it is, and what was dropped is told. True if reading may
    /// go on that was to rest.
    pub(crate) fn tick(&mut self, now: Instant, say: &mut dyn FnMut(&str)) -> bool {
        if self.window.is_none_or(|window| window > now) {
            return false;
        }
        let rested = self.rests();
        self.end(say);
        (self.window, self.lines, self.bytes) = (None, 0, 0);
        rested
    }

    /// Nothing more will come.
    pub(crate) fn end(&mut self, say: &mut dyn FnMut(&str)) {
        self.flush(say);
        if self.dropped > 0 {
            say(&format!("{} lines dropped, of more than {LINES} in a second", self.dropped));
            self.dropped = 0;
        }
    }

    /// Whether no more is to be read before the second is over.
    pub(crate) fn rests(&self) -> bool {
        self.bytes >= BYTES
    }

    fn flush(&mut self, say: &mut dyn FnMut(&str)) {
        let line = String::from_utf8_lossy(&self.partial);
        let line = line.trim_end_matches(['\n', '\r']);
        if line.is_empty() {
        } else if self.lines < LINES {
            self.lines += 1;
            say(line);
        } else {
            self.dropped += 1;
        }
        self.partial.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(diagnostics: &mut Diagnostics, bytes: &[u8], now: Instant) -> Vec<String> {
        let mut lines = Vec::new();
        diagnostics.take(bytes, now, &mut |line| lines.push(line.to_owned()));
        lines
    }

    #[test]
    fn lines_are_put_together_and_empty_ones_left_out() {
        let (mut it, now) = (Diagnostics::default(), Instant::now());
        assert_eq!(taken(&mut it, b"one\r\n\ntw", now), ["one"]);
        assert_eq!(taken(&mut it, b"o\nthree", now), ["two"]);
        let mut rest = Vec::new();
        assert!(!it.tick(now, &mut |_| panic!("too early")));
        assert!(!it.tick(now + SECOND, &mut |line| rest.push(line.to_owned())));
        assert_eq!((rest.as_slice(), it.due()), (["three".to_owned()].as_slice(), None));
    }

    #[test]
    fn a_line_without_end_becomes_several() {
        let (mut it, now) = (Diagnostics::default(), Instant::now());
        let lines = taken(&mut it, &[b'x'; 5 * LONGEST], now);
        assert!(lines.len() >= 4 && lines.iter().all(|line| line.len() == LONGEST), "{}", lines.len());
        let exact = [[b'y'; LONGEST].as_slice(), b"\n"].concat();
        let mut other = Diagnostics::default();
        assert_eq!(taken(&mut other, &exact, now), ["y".repeat(LONGEST)]);
        assert!(it.partial.len() <= LONGEST);
    }

    #[test]
    fn a_flood_is_counted_and_then_slowed_down() {
        let (mut it, now) = (Diagnostics::default(), Instant::now());
        assert_eq!(taken(&mut it, &b"flood\n".repeat(1000), now).len(), LINES as usize);
        assert!(!it.rests());
        assert!(taken(&mut it, &b"flood\n".repeat(BYTES / 6), now).is_empty());
        assert!(it.rests());
        let mut told = Vec::new();
        assert!(it.tick(now + SECOND, &mut |line| told.push(line.to_owned())), "reading goes on");
        let dropped = 1000 + BYTES / 6 - LINES as usize;
        assert_eq!(told, [format!("{dropped} lines dropped, of more than 200 in a second")]);
        assert_eq!(taken(&mut it, b"calm\n", now + SECOND), ["calm"]);
    }
}

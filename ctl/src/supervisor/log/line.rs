//! One line of a log as text: how it stands in a file, and how it is read from there. Nothing is written here.

use std::time::{SystemTime, UNIX_EPOCH};

use foobar_process::syslog::neutral;

use crate::clock;

/// The levels of syslog(3), by their numbers.
pub const LEVELS: [&str; 8] = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];

/// The level of what the supervisor itself says when something is wrong: warning.
pub const WARNING: u8 = 4;

/// A line as a service wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// 0 to 7, as in [`LEVELS`].
    pub level: u8,
    /// Without its line feed; any bytes.
    pub text: &'a [u8],
    /// Whether it goes on with a line that was too long.
    pub continues: bool,
}

/// Text that can neither forge a line nor command a terminal: control characters and bytes that are no UTF-8 become `#` and three
/// octal digits. A tab stays.
pub fn clean(text: &[u8]) -> String {
    let mut clean = String::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        for (index, part) in chunk.valid().split('\t').enumerate() {
            if index > 0 {
                clean.push('\t');
            }
            clean.push_str(&neutral(part));
        }
        for byte in chunk.invalid() {
            clean.push_str(&format!("#{byte:03o}"));
        }
    }
    clean
}

/// The line as it stands in a file, with its line feed: `2026-11-28T16:39:33.123456Z info text`. One that goes on with another has
/// a plus behind its level.
pub fn written(line: &Line<'_>, clean: &str, time: SystemTime) -> String {
    let level = LEVELS.get(usize::from(line.level)).unwrap_or(&"info");
    let plus = if line.continues { "+" } else { "" };
    format!("{} {level}{plus} {clean}\n", stamp(time))
}

/// RFC 3339 to the microsecond, always as long, so that the order of texts is that of times.
pub fn stamp(time: SystemTime) -> String {
    let micros = time.duration_since(UNIX_EPOCH).unwrap_or_default().subsec_micros();
    let mut text = clock::rfc3339(time);
    text.truncate(text.len() - 1);
    text + &format!(".{micros:06}Z")
}

/// A line of a file, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read<'a> {
    /// RFC 3339; two of them are in the order of their times.
    pub stamp: &'a str,
    /// As in [`LEVELS`].
    pub level: &'a str,
    /// Whether it goes on with a line that was too long.
    pub continues: bool,
    /// What the service wrote, cleaned.
    pub text: &'a str,
}

/// Takes a line of a file apart; none for what [`written`] did not write.
pub fn read(line: &str) -> Option<Read<'_>> {
    let (stamp, rest) = line.split_once(' ')?;
    let (level, text) = rest.split_once(' ')?;
    let (level, continues) = level.strip_suffix('+').map_or((level, false), |level| (level, true));
    let dated = stamp.len() == 27 && stamp.ends_with('Z') && stamp.as_bytes().get(10) == Some(&b'T');
    (dated && LEVELS.contains(&level)).then_some(Read { stamp, level, continues, text })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_line_is_read_as_it_was_written() {
        let line = Line { level: 3, text: b"a b", continues: true };
        let text = written(&line, "a b", UNIX_EPOCH + Duration::from_micros(1_000_000_000_000_042));
        assert_eq!(text, "2001-09-09T01:46:40.000042Z err+ a b\n");
        let found = read(text.trim_end()).unwrap();
        let wanted =
            Read { stamp: "2001-09-09T01:46:40.000042Z", level: "err", continues: true, text: "a b" };
        assert_eq!(found, wanted);
        for odd in ["", "x", "2001-09-09T01:46:40.000042Z", "2001-09-09T01:46:40.000042Z loud x", "a info x"]
        {
            assert_eq!(read(odd), None, "{odd}");
        }
    }

    #[test]
    fn no_bytes_command_a_terminal() {
        assert_eq!(clean(b"\ta\x1b[2J\r\0\xff\xc3\xa9\xc3"), "\ta#033[2J#015#000#377\u{e9}#303");
    }
}

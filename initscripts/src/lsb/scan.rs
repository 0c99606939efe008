//! Finds the block and its known keys in the bytes of a script, line by line, as insserv 1.24 does: the
//! first occurrence of a key counts, values end at the first byte that is not printable ASCII. It gives no
//! meaning to the values.

/// The longest piece of a line that insserv sees at once: its buffer is LINE_MAX bytes with a NUL.
const PIECE: usize = 2047;

/// A key that insserv or we act upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Key {
    Provides,
    RequiredStart,
    RequiredStop,
    ShouldStart,
    ShouldStop,
    StartBefore,
    StopAfter,
    DefaultStart,
    DefaultStop,
    Interactive,
}

impl Key {
    pub(crate) const COUNT: usize = 10;

    pub(crate) const ALL: [Key; Key::COUNT] = [
        Key::Provides,
        Key::RequiredStart,
        Key::RequiredStop,
        Key::ShouldStart,
        Key::ShouldStop,
        Key::StartBefore,
        Key::StopAfter,
        Key::DefaultStart,
        Key::DefaultStop,
        Key::Interactive,
    ];

    /// The spelling of the LSB, or of insserv(8) for its extensions.
    pub(crate) fn spelling(self) -> &'static str {
        match self {
            Key::Provides => "Provides",
            Key::RequiredStart => "Required-Start",
            Key::RequiredStop => "Required-Stop",
            Key::ShouldStart => "Should-Start",
            Key::ShouldStop => "Should-Stop",
            Key::StartBefore => "X-Start-Before",
            Key::StopAfter => "X-Stop-After",
            Key::DefaultStart => "Default-Start",
            Key::DefaultStop => "Default-Stop",
            Key::Interactive => "X-Interactive",
        }
    }

    /// Which key a spelling is: case does not matter, `_` is `-`, and some keys may have an `X-vendor-` prefix.
    pub(crate) fn recognize(spelling: &[u8]) -> Option<Key> {
        match *spelling.first()? | 0x20 {
            b'p' if spelling.eq_ignore_ascii_case(b"provides") => return Some(Key::Provides),
            b'r' => {
                return two(spelling, b"required", b"start", b"stop", Key::RequiredStart, Key::RequiredStop);
            }
            b'd' => return two(spelling, b"default", b"start", b"stop", Key::DefaultStart, Key::DefaultStop),
            b's' | b'i' | b'x' => {}
            _ => return None,
        }
        // All others end in one of these letters, and Short-Description, which every script has, does not.
        if !matches!(*spelling.last()? | 0x20, b't' | b'p' | b'e' | b'r') {
            return None;
        }
        let pairs = [
            (&b"should"[..], &b"start"[..], Key::ShouldStart),
            (b"should", b"stop", Key::ShouldStop),
            (b"start", b"before", Key::StartBefore),
            (b"stop", b"after", Key::StopAfter),
        ];
        let found =
            pairs.into_iter().find(|(first, second, _)| tail(spelling, first, second).is_some_and(is_vendor));
        match found {
            Some((_, _, key)) => Some(key),
            None => {
                strip_end(spelling, b"interactive").filter(|rest| is_vendor(rest)).map(|_| Key::Interactive)
            }
        }
    }
}

fn two(spelling: &[u8], first: &[u8], a: &[u8], b: &[u8], on_a: Key, on_b: Key) -> Option<Key> {
    // As nearly all are written.
    if let Some(key) = [on_a, on_b].into_iter().find(|key| key.spelling().as_bytes() == spelling) {
        return Some(key);
    }
    if tail(spelling, first, a).is_some_and(<[u8]>::is_empty) {
        return Some(on_a);
    }
    tail(spelling, first, b).filter(|rest| rest.is_empty()).map(|_| on_b)
}

/// What stands before `first[-_]+second`.
fn tail<'a>(spelling: &'a [u8], first: &[u8], second: &[u8]) -> Option<&'a [u8]> {
    let rest = strip_end(spelling, second)?;
    let kept = rest.len() - rest.iter().rev().take_while(|b| matches!(b, b'-' | b'_')).count();
    if kept == rest.len() { None } else { strip_end(&rest[..kept], first) }
}

fn strip_end<'a>(text: &'a [u8], end: &[u8]) -> Option<&'a [u8]> {
    let (rest, last) = text.split_at_checked(text.len().checked_sub(end.len())?)?;
    last.eq_ignore_ascii_case(end).then_some(rest)
}

/// Nothing, or `X-vendor`.
fn is_vendor(rest: &[u8]) -> bool {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    rest.is_empty() || matches!(rest, [b'x' | b'X', b'-' | b'_', more @ ..] if more.iter().all(plain))
}

/// The line `#` blanks key `:` blanks value, split; the value not yet cut.
pub(crate) fn split_line(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = skip_blanks(line.strip_prefix(b"#")?);
    let colon = rest.iter().position(|&b| b == b':')?;
    Some((&rest[..colon], skip_blanks(&rest[colon + 1..])))
}

/// Without blanks at the beginning.
pub(crate) fn skip_blanks(text: &[u8]) -> &[u8] {
    let blanks = text.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
    &text[blanks..]
}

/// The printable ASCII bytes at the beginning.
pub(crate) fn printable(text: &[u8]) -> &str {
    let length = text.iter().take_while(|b| matches!(b, 0x20..=0x7e)).count();
    std::str::from_utf8(&text[..length]).unwrap_or_default()
}

/// What one file yields.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fields<'a> {
    values: [Option<(&'a str, u32)>; Key::COUNT],
    /// The line of `### BEGIN INIT INFO`, counted from 1.
    pub begin: Option<u32>,
    /// The line of `### END INIT INFO`.
    pub end: Option<u32>,
}

impl<'a> Fields<'a> {
    /// Value and line number of a key; `None` when it is missing.
    pub(crate) fn get(&self, key: Key) -> Option<(&'a str, u32)> {
        self.values[key as usize]
    }

    /// Whether the block has both its ends.
    pub(crate) fn is_complete(&self) -> bool {
        self.begin.is_some() && self.end.is_some()
    }
}

/// Reads one file. `other` is called with the number and the bytes of each line of the block that holds none
/// of the known keys, or a key that was there before.
pub(crate) fn scan<'a>(text: &'a [u8], mut other: impl FnMut(u32, &'a [u8])) -> Fields<'a> {
    let mut fields = Fields::default();
    let mut number = 0;
    let mut fresh = true;
    for piece in pieces(text) {
        number += u32::from(fresh);
        fresh = piece.ends_with(b"\n");
        // Nearly no line has a NUL, and to see that there is none is quicker than to look for it.
        let line =
            if piece.contains(&0) { piece.split(|&b| b == 0).next().unwrap_or_default() } else { piece };
        if fields.begin.is_none() {
            if contains(line, b"### BEGIN INIT INFO") {
                fields.begin = Some(number);
            }
            continue;
        }
        let seen = take(&mut fields, line, number).unwrap_or_else(|| {
            other(number, line);
            line
        });
        if contains(seen, b"### END INIT INFO") {
            fields.end = Some(number);
            break;
        }
    }
    fields
}

/// Stores the value of a line's key; gives back what insserv still sees of the line.
fn take<'a>(fields: &mut Fields<'a>, line: &'a [u8], number: u32) -> Option<&'a [u8]> {
    let (spelling, value) = split_line(line)?;
    let key = Key::recognize(spelling)?;
    let slot = &mut fields.values[key as usize];
    if slot.is_some() {
        return None;
    }
    let value = printable(value);
    *slot = Some((value, number));
    // insserv ends the line after a value that is not empty.
    let end = value.as_ptr() as usize - line.as_ptr() as usize + value.len();
    Some(if value.is_empty() { line } else { &line[..end.min(line.len())] })
}

/// The lines with their newlines, as fgets(3) hands them out.
pub(crate) fn pieces(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let room = &rest[..rest.len().min(PIECE)];
        let length = room.iter().position(|&b| b == b'\n').map_or(room.len(), |at| at + 1);
        let (piece, more) = rest.split_at(length);
        rest = more;
        Some(piece)
    })
}

/// Whether `what` is in a line. Nearly no byte is its first one, so only these are looked at closely.
pub(crate) fn contains(line: &[u8], what: &[u8]) -> bool {
    let Some(&first) = what.first() else { return true };
    if line.starts_with(what) {
        return true;
    }
    let Some(mut rest) = line.get(1..).filter(|rest| rest.contains(&first)) else { return false };
    while let Some(at) = rest.iter().position(|byte| *byte == first) {
        if rest[at..].starts_with(what) {
            return true;
        }
        rest = &rest[at + 1..];
    }
    false
}

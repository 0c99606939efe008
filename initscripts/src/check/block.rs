//! The LSB header as lines with their numbers: unlike `lsb`, which reads it as insserv does, this keeps what
//! stricter readers stumble over.

use crate::lsb::scan::{self, Key};

const BEGIN: &str = "### BEGIN INIT INFO";
const END: &str = "### END INIT INFO";

/// Keys that only people read.
const SHORT_DESCRIPTION: &str = "Short-Description";
const DESCRIPTION: &str = "Description";

/// One key with its value.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub line: u32,
    /// As it is spelt.
    pub key: String,
    /// What insserv takes it for.
    pub known: Option<Key>,
    /// Without blanks around it.
    pub value: String,
    /// Written as LSB wants it.
    pub is_plain: bool,
}

impl Field {
    /// The name to compare and to tell: that of LSB where it is one of LSB's.
    pub(super) fn name(&self) -> String {
        match self.known {
            Some(known) => known.spelling().to_owned(),
            None => self.key.clone(),
        }
    }

    pub(super) fn is(&self, key: &str) -> bool {
        self.key.eq_ignore_ascii_case(key)
    }
}

/// A line with a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Oddity {
    /// First or last line with something around it.
    Frame,
    /// No comment.
    Torn,
    /// A comment of no kind.
    Stray,
    /// Another first line.
    Again,
}

/// The header of a script.
#[derive(Debug, Default)]
pub(super) struct Block {
    pub begin: Option<u32>,
    pub end: Option<u32>,
    pub fields: Vec<Field>,
    pub odd: Vec<(u32, Oddity)>,
}

impl Block {
    /// Finds the first block in a script, and what looks like another one.
    pub(super) fn read(text: &str) -> Block {
        let lines: Vec<&str> = text.lines().collect();
        let mut block = Block::default();
        let Some(first) = lines.iter().position(|line| line.contains(BEGIN)) else { return block };
        block.begin = Some(number(first));
        block.frame(first, lines[first], BEGIN);
        let last = lines[first + 1..].iter().position(|line| line.contains(END)).map(|at| first + 1 + at);
        block.end = last.map(number);
        if let Some(last) = last {
            block.frame(last, lines[last], END);
        }
        let mut in_description = false;
        for (at, line) in lines.iter().enumerate().take(last.unwrap_or(lines.len())).skip(first + 1) {
            if line.starts_with(BEGIN) {
                break;
            }
            if !line.starts_with('#') {
                block.odd.push((number(at), Oddity::Torn));
                // Without an end, the rest of the file would count as header.
                if last.is_none() {
                    break;
                }
                continue;
            }
            block.line(number(at), line, &mut in_description);
        }
        let again = lines.iter().enumerate().skip(first + 1).filter(|(_, line)| line.starts_with(BEGIN));
        block.odd.extend(again.map(|(at, _)| (number(at), Oddity::Again)));
        block
    }

    /// The first field of a key, which is the one that insserv takes.
    pub(super) fn get(&self, key: Key) -> Option<&Field> {
        self.fields.iter().find(|field| field.known == Some(key))
    }

    fn frame(&mut self, at: usize, line: &str, wanted: &str) {
        if line.trim_end() != wanted {
            self.odd.push((number(at), Oddity::Frame));
        }
    }

    fn line(&mut self, number: u32, line: &str, in_description: &mut bool) {
        if let Some((key, value)) = plain(line) {
            *in_description = key.eq_ignore_ascii_case(DESCRIPTION);
            self.field(number, key, value, true);
            return;
        }
        let continues = *in_description && (line.starts_with("#\t") || line.starts_with("#  "));
        match loose(line).filter(|(key, _)| !continues || Key::recognize(key.as_bytes()).is_some()) {
            Some((key, value)) => self.field(number, key, value, false),
            None if continues => {}
            None => self.odd.push((number, Oddity::Stray)),
        }
    }

    fn field(&mut self, line: u32, key: &str, value: &str, is_plain: bool) {
        let known = Key::recognize(key.as_bytes());
        let (key, value) = (key.to_owned(), value.trim().to_owned());
        self.fields.push(Field { line, key, known, value, is_plain });
    }
}

fn number(at: usize) -> u32 {
    u32::try_from(at + 1).unwrap_or(u32::MAX)
}

/// `#`, one blank, letters and `-`, `:`.
fn plain(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.strip_prefix("# ")?.split_once(':')?;
    let is_key = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphabetic() || c == '-');
    is_key.then_some((key, value))
}

/// What insserv, or a reader with good will, takes for a key.
fn loose(line: &str) -> Option<(&str, &str)> {
    let (key, _) = scan::split_line(line.as_bytes())?;
    let key = std::str::from_utf8(key).ok()?;
    let (_, value) = line.split_once(':')?;
    let known = Key::recognize(key.as_bytes()).is_some();
    let told = [SHORT_DESCRIPTION, DESCRIPTION].iter().any(|name| key.eq_ignore_ascii_case(name));
    (known || told).then_some((key, value))
}

//! The block as a value, with what is wrong with it.

use super::scan::{self, Key};
use super::words;
use crate::name::Runlevels;

/// An LSB header. Lists hold the words as insserv takes them; `None` is a key that is missing, which insserv
/// warns of, unlike one that is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Header {
    /// Names of the service, its own first.
    pub provides: Vec<String>,
    /// What must have been started before, facilities (`$network`) among them.
    pub required_start: Vec<String>,
    /// What must not be stopped before this.
    pub required_stop: Vec<String>,
    /// As `required_start`, when installed.
    pub should_start: Vec<String>,
    /// As `required_stop`, when installed.
    pub should_stop: Vec<String>,
    /// `X-Start-Before`: what starts after this (insserv).
    pub start_before: Vec<String>,
    /// `X-Stop-After`: what stops before this (insserv).
    pub stop_after: Vec<String>,
    /// Runlevels with a start link.
    pub default_start: Runlevels,
    /// Runlevels with a kill link.
    pub default_stop: Runlevels,
    /// `X-Interactive: true`: alone at its number, as it talks to the console.
    pub interactive: bool,
    /// One line.
    pub short_description: String,
    /// Any number of lines, without indentation.
    pub description: String,
}

/// Something in a header that does not do what it seems to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Counted from 1; 0 when it concerns the whole file.
    pub line: u32,
    /// What it is.
    pub trouble: Trouble,
}

/// What can be wrong with a header; the text says what insserv makes of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// There is no block.
    #[error("has no LSB header: add one between '### BEGIN INIT INFO' and '### END INIT INFO'")]
    NoHeader,
    /// The block does not end.
    #[error("'### END INIT INFO' is missing: insserv refuses to work until it is added")]
    NoEnd,
    /// A key that LSB wants.
    #[error("{0} is missing: add it, even if empty")]
    Missing(&'static str),
    /// `Provides:` without a name.
    #[error("Provides is empty: name the service")]
    NoName,
    /// A key for the second time.
    #[error("{0} was given before: only the first counts")]
    Twice(&'static str),
    /// Words behind an empty one.
    #[error("{key}: {lost:?} is lost behind two separators: use single blanks")]
    Lost {
        /// The key.
        key: &'static str,
        /// The words that insserv does not see.
        lost: String,
    },
    /// A runlevel that is none.
    #[error("{key}: {word:?} is not a runlevel and does not count: separate runlevels by blanks")]
    Runlevel {
        /// The key.
        key: &'static str,
        /// The word.
        word: String,
    },
    /// A key that nobody knows.
    #[error("{0:?} is not a known key and does not count")]
    Unknown(String),
    /// Neither a key nor a continuation.
    #[error("line is neither a key nor the continuation of a description")]
    Stray,
    /// `X-Interactive` that is not exactly `true`.
    #[error("X-Interactive: {0:?} does not count: only 'true' does")]
    NotTrue(String),
    /// A runlevel in both defaults.
    #[error("runlevels {0} are in Default-Start and in Default-Stop")]
    Overlap(Runlevels),
}

/// Reads the first block of a script. Never fails: a script without a header yields the empty one and a
/// diagnostic, as insserv goes on with it too.
#[must_use]
pub fn parse(script: &[u8]) -> (Header, Vec<Diagnostic>) {
    let mut reading = Reading::default();
    let fields = scan::scan(script, |number, line| reading.other(number, line));
    let Reading { mut header, mut found, .. } = reading;
    let whole = |trouble| Diagnostic { line: fields.begin.unwrap_or(0), trouble };
    if fields.begin.is_none() {
        return (Header::default(), vec![whole(Trouble::NoHeader)]);
    }
    if fields.end.is_none() {
        found.push(whole(Trouble::NoEnd));
    }
    for key in Key::ALL {
        let Some((value, line)) = fields.get(key) else {
            if is_demanded(key) {
                found.push(whole(Trouble::Missing(key.spelling())));
            }
            continue;
        };
        let mut note = |trouble| found.push(Diagnostic { line, trouble });
        match key {
            Key::DefaultStart => header.default_start = levels(key, value, &mut note),
            Key::DefaultStop => header.default_stop = levels(key, value, &mut note),
            Key::Interactive if value == "true" => header.interactive = true,
            Key::Interactive => note(Trouble::NotTrue(value.to_owned())),
            _ => *list_of(&mut header, key) = names(key, value, &mut note),
        }
    }
    let both: Runlevels = header.default_start.iter().filter(|&l| header.default_stop.contains(l)).collect();
    if !both.is_empty() {
        found.push(whole(Trouble::Overlap(both)));
    }
    found.sort_by_key(|diagnostic| diagnostic.line);
    (header, found)
}

fn is_demanded(key: Key) -> bool {
    use Key::{DefaultStart, DefaultStop, Provides, RequiredStart, RequiredStop};
    matches!(key, Provides | RequiredStart | RequiredStop | DefaultStart | DefaultStop)
}

fn list_of(header: &mut Header, key: Key) -> &mut Vec<String> {
    match key {
        Key::RequiredStart => &mut header.required_start,
        Key::RequiredStop => &mut header.required_stop,
        Key::ShouldStart => &mut header.should_start,
        Key::ShouldStop => &mut header.should_stop,
        Key::StartBefore => &mut header.start_before,
        Key::StopAfter => &mut header.stop_after,
        _ => &mut header.provides,
    }
}

fn names(key: Key, value: &str, note: &mut impl FnMut(Trouble)) -> Vec<String> {
    let words: Vec<String> = words::names(value).map(str::to_owned).collect();
    let lost: Vec<&str> = words::meant(value).skip(words.len()).collect();
    if !lost.is_empty() {
        note(Trouble::Lost { key: key.spelling(), lost: lost.join(" ") });
    }
    if words.is_empty() && key == Key::Provides {
        note(Trouble::NoName);
    }
    words
}

fn levels(key: Key, value: &str, note: &mut impl FnMut(Trouble)) -> Runlevels {
    let is_level = |word: &str| Runlevels::parse(word).is_ok() && word.len() == 1;
    for word in words::meant(value).filter(|word| !is_level(word)) {
        note(Trouble::Runlevel { key: key.spelling(), word: word.to_owned() });
    }
    match words::levels(value) {
        words::Levels::Known(set) => set,
        words::Levels::Fatal => Runlevels::NONE,
    }
}

/// The keys that only people read, and what belongs to none.
#[derive(Debug, Default)]
struct Reading {
    header: Header,
    found: Vec<Diagnostic>,
    /// The last line of the description so far; 0 when there is none.
    description_ends: u32,
}

impl Reading {
    fn other(&mut self, line: u32, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim_end();
        if text.contains("### END INIT INFO") || text == "#" {
            return;
        }
        if self.description_ends + 1 == line
            && line > 1
            && (text.starts_with("#\t") || text.starts_with("#  "))
        {
            self.header.description.push('\n');
            self.header.description.push_str(text[1..].trim_start());
            self.description_ends = line;
            return;
        }
        match scan::split_line(text.as_bytes()) {
            Some((key, _)) => self.key(line, &String::from_utf8_lossy(key), text),
            None => self.found.push(Diagnostic { line, trouble: Trouble::Stray }),
        }
    }

    fn key(&mut self, line: u32, key: &str, text: &str) {
        let value = text.split_once(':').map_or("", |(_, value)| value.trim());
        if key.eq_ignore_ascii_case("Short-Description") {
            value.clone_into(&mut self.header.short_description);
        } else if key.eq_ignore_ascii_case("Description") && self.description_ends == 0 {
            self.description_ends = line;
            value.clone_into(&mut self.header.description);
        } else if let Some(known) = Key::recognize(key.as_bytes()) {
            self.found.push(Diagnostic { line, trouble: Trouble::Twice(known.spelling()) });
        } else if !key.get(..2).is_some_and(|x| x.eq_ignore_ascii_case("X-")) {
            self.found.push(Diagnostic { line, trouble: Trouble::Unknown(key.to_owned()) });
        }
    }
}

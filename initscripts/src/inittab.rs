//! The entry of a service in /etc/inittab, by which init itself starts it and starts it again whenever it ends:
//! inittab(5), and the comments of the inittab that busybox has among its examples. Only text; the file is read and
//! edited elsewhere.

use std::collections::BTreeSet;

use crate::name::{Runlevel, Runlevels};
use crate::service::Service;
use crate::shell::{self, NotAWord};
use crate::step::checksum;

/// The file.
pub const PATH: &str = "/etc/inittab";

/// Longer ids are an error for init (inittab(5), "id").
const LONGEST_ID: usize = 4;

/// What stands in the first field for busybox: a terminal. A service has none, and does without the console.
const NO_TERMINAL: &str = "null";

/// Whose inittab it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// That of sysvinit: an id, runlevels, and the action `off`.
    SysV,
    /// That of busybox: a terminal in place of the id, no runlevels, and what is off is a comment.
    Busybox,
}

impl Dialect {
    /// The longest command: sysvinit leaves out an entry with a longer one, and busybox has this much room for it.
    #[must_use]
    pub fn longest_process(self) -> usize {
        match self {
            Dialect::SysV => 127,
            Dialect::Busybox => 255,
        }
    }
}

const OPENING: &str = "# Written by foobarctl for ";
const REST: &str = ". Changes by hand are kept: this checksum shows them: ";

/// Whether init runs an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// In its runlevels.
    On,
    /// The action is `off`, or another one that starts nothing again; for busybox we have put a `#` before it.
    Off,
    /// Somebody has put a `#` before it.
    Comment,
    /// Somebody has removed it; our comment is left.
    Gone,
}

/// Our entry for a service: a comment with a checksum, and the line that init reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Both lines as they stand in the file, with their newlines.
    pub text: Vec<u8>,
    /// The number of the second one, counted from 1.
    pub line: usize,
    /// Who is to read it.
    pub dialect: Dialect,
    /// Its first field.
    pub id: String,
    /// Its second field; what is no runlevel of ours is left out. The boot, where there are no runlevels.
    pub runlevels: Runlevels,
    /// Its third field.
    pub state: State,
    /// The command.
    pub process: String,
    /// Whether somebody has changed id or command.
    pub edited: bool,
}

impl Entry {
    /// The runlevels that init runs it in.
    #[must_use]
    pub fn active(&self) -> Runlevels {
        if self.state == State::On { self.runlevels } else { Runlevels::NONE }
    }
}

/// The four fields of a line.
struct Fields<'a> {
    id: &'a str,
    levels: &'a str,
    action: &'a str,
    process: &'a str,
}

fn fields(line: &str) -> Option<Fields<'_>> {
    let line = line.trim_start_matches([' ', '\t']);
    if line.starts_with('#') {
        return None;
    }
    let mut parts = line.splitn(4, ':');
    Some(Fields { id: parts.next()?, levels: parts.next()?, action: parts.next()?, process: parts.next()? })
}

/// The lines of a file with their newlines.
fn lines(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|&byte| byte == b'\n').collect()
}

/// Our entry for the service `name`.
#[must_use]
pub fn find(text: &[u8], name: &str) -> Option<Entry> {
    let opening = format!("{OPENING}{name}{REST}");
    let lines = lines(text);
    let at = lines.iter().position(|line| line.starts_with(opening.as_bytes()))?;
    let seal = String::from_utf8_lossy(&lines[at][opening.len()..]).trim_end().to_owned();
    let next = lines.get(at + 1).copied().unwrap_or_default();
    let shown = String::from_utf8_lossy(next).trim_end_matches(['\n', '\r']).to_owned();
    let bare = shown.trim_start_matches(['#', ' ', '\t']);
    let Some(found) = fields(bare).filter(|_| is_ours(&seal, bare) || !shown.starts_with('#')) else {
        return Some(Entry {
            text: lines[at].to_vec(),
            line: at + 1,
            dialect: Dialect::SysV,
            id: String::new(),
            runlevels: Runlevels::NONE,
            state: State::Gone,
            process: String::new(),
            edited: true,
        });
    };
    let own = is_ours(&seal, bare);
    // sysvinit has no entry without runlevels that is not off.
    let is_busybox = found.id == NO_TERMINAL && found.levels.is_empty() && found.action == "respawn";
    let state = match found.action {
        _ if shown.starts_with('#') && is_busybox && own => State::Off,
        _ if shown.starts_with('#') => State::Comment,
        "respawn" => State::On,
        _ => State::Off,
    };
    Some(Entry {
        text: [lines[at], next].concat(),
        line: at + 2,
        dialect: if is_busybox { Dialect::Busybox } else { Dialect::SysV },
        id: found.id.to_owned(),
        runlevels: match is_busybox {
            true => Runlevels::BOOT,
            false => found.levels.chars().filter_map(Runlevel::from_letter).collect(),
        },
        state,
        process: found.process.to_owned(),
        edited: !own || state == State::Comment || !matches!(found.action, "respawn" | "off"),
    })
}

fn is_ours(seal: &str, line: &str) -> bool {
    fields(line).is_some_and(|found| sum(found.id, found.process) == seal)
}

/// Runlevels and action are not in it: they are changed by `enable` and `disable`, and may be by anybody.
fn sum(id: &str, process: &str) -> String {
    format!("{:016x}", checksum(format!("{id}:{process}").as_bytes()))
}

/// The number of a line that is not ours and starts `program`, if there is one.
#[must_use]
pub fn stranger(text: &[u8], name: &str, program: &str) -> Option<usize> {
    let ours = find(text, name).map(|entry| entry.line);
    (1..).zip(lines(text)).find_map(|(number, line)| {
        let line = String::from_utf8_lossy(line);
        let process = fields(&line)?.process;
        let first = process.split_whitespace().find(|word| *word != "exec")?;
        (first == program && Some(number) != ours).then_some(number)
    })
}

/// The ids of all entries.
#[must_use]
pub fn ids(text: &[u8]) -> BTreeSet<String> {
    let lines = lines(text);
    let texts = lines.iter().map(|line| String::from_utf8_lossy(line));
    texts.filter_map(|line| fields(&line).map(|found| found.id.to_owned())).collect()
}

/// An id that nobody has, as like the name as four characters can be; for busybox what stands there.
#[must_use]
pub fn free_id(dialect: Dialect, taken: &BTreeSet<String>, name: &str) -> Option<String> {
    if dialect == Dialect::Busybox {
        return Some(NO_TERMINAL.to_owned());
    }
    const DIGITS: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let head = |length: usize| plain.chars().take(length).collect::<String>();
    let digit = |number: usize| char::from(DIGITS[number % DIGITS.len()]);
    let one = (0..DIGITS.len()).map(|n| format!("{}{}", head(LONGEST_ID - 1), digit(n)));
    let many = DIGITS.len() * DIGITS.len();
    let two = (0..many).map(|n| format!("{}{}{}", head(LONGEST_ID - 2), digit(n / DIGITS.len()), digit(n)));
    std::iter::once(head(LONGEST_ID)).chain(one).chain(two).find(|id| !taken.contains(id))
}

/// The command of an entry: init splits it at blanks, or hands it to a shell if there is a quote in it.
///
/// # Errors
/// [`NotAWord`] when a word cannot stand there.
pub fn process(service: &Service) -> Result<String, NotAWord> {
    let words = service.foreground_arguments.iter().chain(&service.arguments);
    let words = std::iter::once(&service.program).chain(words).map(|word| shell::quote(word));
    Ok(words.collect::<Result<Vec<String>, NotAWord>>()?.join(" "))
}

/// Both lines of an entry.
#[must_use]
pub fn render(
    dialect: Dialect,
    name: &str,
    id: &str,
    runlevels: Runlevels,
    on: bool,
    process: &str,
) -> String {
    let seal = sum(id, process);
    let line = line(dialect, id, runlevels, on, process);
    format!("{OPENING}{name}{REST}{seal}\n{line}")
}

/// The line that init reads.
fn line(dialect: Dialect, id: &str, runlevels: Runlevels, on: bool, process: &str) -> String {
    match dialect {
        Dialect::SysV => {
            let letters: String = runlevels.iter().map(Runlevel::letter).collect();
            let action = if on { "respawn" } else { "off" };
            format!("{id}:{letters}:{action}:{process}\n")
        }
        Dialect::Busybox => {
            let mark = if on { "" } else { "#" };
            format!("{mark}{id}::respawn:{process}\n")
        }
    }
}

/// The lines of an entry with other runlevels and action; what somebody has changed in it stays, and is seen.
#[must_use]
pub fn turned(entry: &Entry, runlevels: Runlevels, on: bool) -> Vec<u8> {
    let comment = lines(&entry.text).first().copied().unwrap_or_default();
    let line = line(entry.dialect, &entry.id, runlevels, on, &entry.process);
    [comment, line.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(text: &str) -> Runlevels {
        Runlevels::parse(text).unwrap_or_default()
    }

    #[test]
    fn what_is_written_is_found() {
        let text = render(Dialect::SysV, "myapp", "myap", levels("235"), true, "/usr/sbin/myapp -f 'a b'");
        let file = [b"1:2345:respawn:/sbin/getty tty1\n", text.as_bytes(), b"x\xff\n"].concat();
        let entry = find(&file, "myapp").unwrap_or_else(|| panic!("not found"));
        assert_eq!((entry.text.as_slice(), entry.line, entry.id.as_str()), (text.as_bytes(), 3, "myap"));
        assert_eq!((entry.runlevels, entry.state, entry.edited), (levels("235"), State::On, false));
        assert_eq!(find(&file, "my"), None);
        let off = turned(&entry, levels("2"), false);
        assert_eq!(
            off,
            render(Dialect::SysV, "myapp", "myap", levels("2"), false, "/usr/sbin/myapp -f 'a b'").as_bytes()
        );
    }

    #[test]
    fn what_was_changed_by_hand_is_seen() {
        let text = render(Dialect::SysV, "a", "a", levels("2"), true, "/a b");
        let of = |from: &str, to: &str| {
            let entry = find(text.replace(from, to).as_bytes(), "a").unwrap_or_else(|| panic!("not found"));
            (entry.state, entry.edited)
        };
        assert_eq!(of("/a b", "/a c"), (State::On, true));
        assert_eq!(of("a:2:", "z:2:"), (State::On, true));
        assert_eq!(of("a:2:", "a:3:"), (State::On, false), "runlevels are anybody's");
        assert_eq!(of("respawn", "off"), (State::Off, false));
        assert_eq!(of("respawn", "once"), (State::Off, true));
        assert_eq!(of("\na:2", "\n#a:2"), (State::Comment, true));
        assert_eq!(of("a:2:respawn:/a b\n", "#x\n"), (State::Gone, true));
        assert_eq!(of("a:2:respawn:/a b\n", ""), (State::Gone, true));
    }

    #[test]
    fn an_id_is_unique_and_of_four_characters() {
        let mut taken = BTreeSet::new();
        for number in 0..1200 {
            let id = free_id(Dialect::SysV, &taken, "my-application")
                .unwrap_or_else(|| panic!("none is free at {number}"));
            assert!((1..=4).contains(&id.len()), "{id}");
            taken.insert(id);
        }
        assert_eq!(free_id(Dialect::SysV, &BTreeSet::new(), "my-application"), Some("myap".to_owned()));
        assert_eq!(
            free_id(Dialect::SysV, &BTreeSet::from(["myap".to_owned()]), "my-application"),
            Some("mya0".to_owned())
        );
        assert_eq!(free_id(Dialect::SysV, &BTreeSet::new(), "x"), Some("x".to_owned()));
    }

    #[test]
    fn a_line_of_somebody_else_for_the_same_program_is_found() {
        let own = render(Dialect::SysV, "a", "a", levels("2"), true, "/usr/sbin/a b");
        let text =
            format!("{own}#z:2:respawn:/usr/sbin/a\nx:2:respawn:/usr/sbin/ab\ny:2:once:/usr/sbin/a c\n");
        assert_eq!(stranger(text.as_bytes(), "a", "/usr/sbin/a"), Some(5));
        assert_eq!(stranger(own.as_bytes(), "a", "/usr/sbin/a"), None);
        assert!(ids(text.as_bytes()).into_iter().eq(["a", "x", "y"].map(str::to_owned)));
    }

    #[test]
    fn busybox_has_no_runlevels_and_comments_out_what_is_off() {
        let text = render(Dialect::Busybox, "a", "null", Runlevels::BOOT, true, "/a b");
        assert!(text.ends_with("\nnull::respawn:/a b\n"), "{text}");
        let found = |text: &[u8]| find(text, "a").unwrap_or_else(|| panic!("not found"));
        let entry = found(text.as_bytes());
        assert_eq!((entry.dialect, entry.state, entry.edited), (Dialect::Busybox, State::On, false));
        assert_eq!(entry.active(), Runlevels::BOOT);
        let off = turned(&entry, Runlevels::BOOT, false);
        assert!(off.ends_with(b"\n#null::respawn:/a b\n"));
        let entry = found(&off);
        assert_eq!((entry.state, entry.edited, entry.text.as_slice()), (State::Off, false, off.as_slice()));
        assert_eq!(turned(&entry, Runlevels::BOOT, true), text.as_bytes());
        // Changed by hand, on and off.
        for (from, to) in [("/a b", "/a c"), ("null", "tty1"), ("respawn", "once"), ("\nnull", "\n#tty1")] {
            assert!(found(text.replace(from, to).as_bytes()).edited, "{to}");
        }
        // An id of sysvinit that happens to be that word.
        let own = render(Dialect::SysV, "a", "null", levels("2"), true, "/a");
        assert_eq!(found(own.as_bytes()).dialect, Dialect::SysV);
        assert_eq!(free_id(Dialect::Busybox, &ids(text.as_bytes()), "a"), Some("null".to_owned()));
    }
}

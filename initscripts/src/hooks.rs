//! Files of shell commands from which services are called, such as Slackware's rc.local: our lines in them, between two
//! marks. Every other byte stays. Which lines are wanted is decided in `plan/hooks.rs`, who else calls a script in `calls`.

use std::ops::Range;

use crate::calls::{Called, Texts};
use crate::link::Kind;

/// What a file has that we have made; it goes with the last of our lines, if nothing else has come into it.
pub const MADE: &str =
    "#!/bin/sh\n# Made by foobarctl, which removes it when nothing but this is left in it.\n";

/// How the first line of a block begins; the name of the service follows.
const BEGIN: &str = "# BEGIN foobarctl ";

/// And the last one.
const END: &str = "# END foobarctl ";

/// Our lines for one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block<'a> {
    /// The service.
    pub name: &'a str,
    /// Where they are, with the newline at their end if there is one.
    pub place: Range<usize>,
    /// Whether they are as we have written them.
    pub is_ours: bool,
}

/// Where new lines go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// Before the block with this number.
    Before(usize),
    /// After it.
    After(usize),
    /// To the end.
    End,
}

/// Lines of a file that are to be replaced, and what stands there afterwards.
pub type Edit = (Vec<u8>, Vec<u8>);

/// The lines that start a service or stop it. `script` is the path of its script as a word of the shell.
///
/// It is stopped even if it is not to be started any more: it may run.
#[must_use]
pub fn block(name: &str, script: &str, kind: Kind) -> String {
    let body = match kind {
        Kind::Start => format!("if [ -x {script} ]; then\n\t{script} start\nfi\n"),
        Kind::Kill => format!("if [ -f {script} ]; then\n\tsh {script} stop\nfi\n"),
    };
    format!("{BEGIN}{name}\n{body}{END}{name}\n")
}

/// Our blocks, in their order. One without its last line is that one line, changed by hand.
#[must_use]
pub fn blocks(text: &[u8], kind: Kind) -> Vec<Block<'_>> {
    let lines = lines(text);
    let is_begin = |line: &Range<usize>| text[line.clone()].starts_with(BEGIN.as_bytes());
    let mut found = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let first = &lines[at];
        at += 1;
        let name = word(text, first, BEGIN).filter(|name| !name.is_empty());
        let Some(name) = name else { continue };
        let rest = lines[at..].iter().take_while(|line| !is_begin(line));
        let last = rest.into_iter().position(|line| word(text, line, END) == Some(name));
        let last = last.map_or(at - 1, |more| at + more);
        at = last + 1;
        let place = first.start..lines[last].end;
        let is_ours = is_ours(&text[place.clone()], name, kind);
        found.push(Block { name, place, is_ours });
    }
    found
}

/// Whether it has the form of [`block`], whatever path the script has been given.
fn is_ours(text: &[u8], name: &str, kind: Kind) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    let test = if kind == Kind::Start { "if [ -x " } else { "if [ -f " };
    let script = text.lines().nth(1).and_then(|line| line.strip_prefix(test)?.strip_suffix(" ]; then"));
    script.is_some_and(|script| block(name, script, kind).trim_end() == text.trim_end_matches('\n'))
}

/// What a line has after a mark.
fn word<'a>(text: &'a [u8], line: &Range<usize>, mark: &str) -> Option<&'a str> {
    std::str::from_utf8(&text[line.clone()]).ok()?.strip_prefix(mark).map(str::trim_end)
}

/// Whether it is one of our lines that stop a service whether or not it may be started.
#[must_use]
pub fn stops_anyway(call: &Called, texts: &Texts) -> bool {
    let blocks = texts.get(call.file).map(|text| blocks(text, call.kind)).unwrap_or_default();
    call.kind == Kind::Kill && blocks.iter().any(|one| one.is_ours && one.name == call.name)
}

/// The edit that puts a new block into its slot.
///
/// A file that does not end with a newline does not end with one afterwards: so whoever takes the block out again gives back what there was.
#[must_use]
pub fn added(text: &[u8], blocks: &[Block<'_>], slot: Slot, new: &str) -> Edit {
    let place = |number: usize| blocks.get(number).map_or(text.len()..text.len(), |one| one.place.clone());
    let at = match slot {
        Slot::Before(number) => place(number).start,
        Slot::After(number) => place(number).end,
        Slot::End => end(text),
    };
    if at == text.len() && (text.is_empty() || text.ends_with(b"\n")) {
        return (Vec::new(), new.as_bytes().to_vec());
    }
    if at == text.len() {
        let old = &text[unique(text, last_line(text))..];
        return (old.to_vec(), [old, b"\n", new.trim_end().as_bytes()].concat());
    }
    // As much of what comes before as makes the place the only one of its kind.
    let (from, to) = around(text, at);
    (text[from..to].to_vec(), [&text[from..at], new.as_bytes(), &text[at..to]].concat())
}

/// The edit that takes a block out, or puts another into its place.
#[must_use]
pub fn replaced(text: &[u8], old: &Block<'_>, new: &str) -> Edit {
    let there = &text[old.place.clone()];
    let new = if there.ends_with(b"\n") { new } else { new.trim_end() };
    if !new.is_empty() || there.ends_with(b"\n") || old.place.start == 0 {
        return (there.to_vec(), new.as_bytes().to_vec());
    }
    // The newline before it was ours, too.
    let from = unique(text, last_line(&text[..old.place.start]));
    (text[from..old.place.end].to_vec(), text[from..old.place.start - 1].to_vec())
}

/// The line that a place is in, counted from 1.
#[must_use]
pub fn line(text: &[u8], place: usize) -> usize {
    1 + text[..place].iter().filter(|&&byte| byte == b'\n').count()
}

fn lines(text: &[u8]) -> Vec<Range<usize>> {
    let mut at = 0;
    let line = |line: &[u8]| {
        at += line.len();
        at - line.len()..at
    };
    text.split_inclusive(|&byte| byte == b'\n').map(line).collect()
}

/// Where the last line begins.
fn last_line(text: &[u8]) -> usize {
    lines(text).last().map_or(0, |line| line.start)
}

/// Where new lines at the end go: before a last `exit`, after which nothing is run.
fn end(text: &[u8]) -> usize {
    let is_code = |line: &Range<usize>| {
        let line = text[line.clone()].trim_ascii();
        !line.is_empty() && !line.starts_with(b"#")
    };
    let lines = lines(text);
    let Some(last) = lines.iter().rev().find(|line| is_code(line)) else { return text.len() };
    let code = text[last.clone()].trim_ascii_end();
    if code == b"exit" || code.starts_with(b"exit ") { last.start } else { text.len() }
}

/// The lines about a place as far as the file has them there first.
fn around(text: &[u8], at: usize) -> (usize, usize) {
    let to = text[at..].iter().position(|&byte| byte == b'\n').map_or(text.len(), |more| at + more + 1);
    let mut from = at;
    while first(text, &text[from..to]) != Some(from) {
        from = last_line(&text[..from]);
    }
    (from, to)
}

/// The last line begin up to `from` from which on the rest of the text is not there earlier.
fn unique(text: &[u8], mut from: usize) -> usize {
    while first(text, &text[from..]) != Some(from) {
        from = last_line(&text[..from]);
    }
    from
}

/// Where some lines are first, as [`crate::step::edited`] looks for them.
fn first(text: &[u8], part: &[u8]) -> Option<usize> {
    let mut starts = lines(text).into_iter().map(|line| line.start);
    starts.find(|&at| text[at..].starts_with(part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::edited;

    fn with(text: &[u8], names: &[&str]) -> Vec<u8> {
        names.iter().fold(text.to_vec(), |text, name| {
            let all = blocks(&text, Kind::Start);
            let new = block(name, &format!("/etc/rc.d/rc.{name}"), Kind::Start);
            let slot = match all.len() {
                0 => Slot::End,
                number => Slot::After(number - 1),
            };
            let (old, new) = added(&text, &all, slot, &new);
            edited(&text, &old, &new).unwrap()
        })
    }

    #[test]
    fn every_file_is_given_back_byte_for_byte() {
        let files: [&[u8]; 12] = [
            b"",
            b"\n",
            b"x",
            b"x\n",
            b"#!/bin/sh\n\xff latin\r\n\n\n",
            b"fi\nfi",
            b"fi\nfi\n",
            b"exit 0\nexit 0\n",
            b"a\nexit 0",
            b"a\nexit\n# end\n\n",
            b"\n\n\n\n",
            b"a\na\na\nexit 1\na\nexit 1",
        ];
        for file in files {
            let mut text = with(file, &["a", "b", "c"]);
            let names: Vec<String> =
                blocks(&text, Kind::Start).iter().map(|one| one.name.to_owned()).collect();
            assert_eq!(names, ["a", "b", "c"], "{}", String::from_utf8_lossy(&text));
            assert!(blocks(&text, Kind::Start).iter().all(|one| one.is_ours));
            for name in ["b", "a", "c"] {
                let all = blocks(&text, Kind::Start);
                let (old, new) = replaced(&text, all.iter().find(|one| one.name == name).unwrap(), "");
                text = edited(&text, &old, &new).unwrap();
            }
            assert_eq!(text, file, "{}", String::from_utf8_lossy(file));
        }
    }

    #[test]
    fn new_lines_come_before_the_end_of_the_script() {
        let text = with(b"a\nexit 0\nb\nexit 0\n", &["x"]);
        assert!(text.starts_with(b"a\nexit 0\nb\n# BEGIN") && text.ends_with(b"x\nexit 0\n"));
    }

    #[test]
    fn changed_and_half_blocks_are_seen() {
        let whole = block("x", "/etc/rc.d/rc.x", Kind::Kill);
        let is_ours = |text: &str| blocks(text.as_bytes(), Kind::Kill)[0].is_ours;
        assert!(is_ours(&whole) && is_ours(&whole.replace("/etc/", "'/my p/etc/").replace("rc.x", "rc.x'")));
        assert!(!is_ours(&whole.replace("stop", "stop &")));
        let half = format!("# BEGIN foobarctl y\n{whole}");
        let found = blocks(half.as_bytes(), Kind::Kill);
        assert_eq!(
            found.iter().map(|one| (one.name, one.is_ours)).collect::<Vec<_>>(),
            [("y", false), ("x", true)]
        );
        assert_eq!(found[0].place, 0..20);
    }
}

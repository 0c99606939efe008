//! How insserv cuts a value into words. A list of names ends at the first empty word, so two blanks, or a
//! comma and a blank, lose the rest; a list of runlevels goes on.

use crate::name::{Runlevel, Runlevels};

/// The bytes that part words, each by itself.
const SEPARATORS: [char; 4] = [' ', ',', ';', '\t'];

/// The words of a list of names, as insserv takes them.
pub(crate) fn names(value: &str) -> impl Iterator<Item = &str> {
    let mut rest = value;
    std::iter::from_fn(move || {
        // Each separator is one byte, and no part of another character.
        let is_end = |byte: &u8| matches!(byte, b' ' | b',' | b';' | b'\t');
        let length = rest.as_bytes().iter().position(is_end).unwrap_or(rest.len());
        let (word, more) = rest.split_at_checked(length)?;
        rest = more.get(1..).unwrap_or_default();
        Some(word).filter(|word| !word.is_empty())
    })
    .fuse()
}

/// All the pieces, empty ones too: how the lines of insserv.conf are cut.
pub(crate) fn pieces(value: &str) -> impl Iterator<Item = &str> {
    value.split(SEPARATORS)
}

/// What was meant: every word that is not empty.
pub(crate) fn meant(value: &str) -> impl Iterator<Item = &str> {
    value.split(SEPARATORS).filter(|word| !word.is_empty())
}

/// A list of runlevels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Levels {
    Known(Runlevels),
    /// `b` or `B`, on which insserv exits.
    Fatal,
}

/// The same for SUSE, where `B` is what runs once at boot, and `S` a single-user mode that has no links of services.
pub(crate) fn levels_of_suse(value: &str) -> Runlevels {
    let one = |word: &str| match word {
        "b" | "B" => Some(Runlevel::S),
        "s" | "S" => None,
        _ => word.parse().ok().filter(|_| word.len() == 1).and_then(Runlevel::from_letter),
    };
    pieces(value).filter_map(one).collect()
}

/// The runlevels of a value; words of more than one character, `2345`, do not count.
pub(crate) fn levels(value: &str) -> Levels {
    let mut set = Runlevels::NONE;
    for word in pieces(value) {
        let mut letters = word.chars();
        let (Some(letter), None) = (letters.next(), letters.next()) else { continue };
        match Runlevel::from_letter(letter) {
            Some(level) => set.insert(level),
            None if matches!(letter, 'b' | 'B') => return Levels::Fatal,
            None => {}
        }
    }
    Levels::Known(set)
}

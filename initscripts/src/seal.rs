//! The last line of a file that foobarctl wrote: a comment with a checksum of all lines before it, by
//! which a change made by hand is seen, and kept. It guards nothing against ill will.

use crate::step::checksum;

const OPENING: &str = "# Written by foobarctl. Changes by hand are kept: this checksum shows them: ";

/// Where a file comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Written by foobarctl and unchanged since.
    Ours,
    /// Written by foobarctl and changed since.
    Edited,
    /// Written by somebody else.
    Foreign,
}

/// The text with its seal as the last line. `#` must open a comment in it.
#[must_use]
pub fn add(text: &str) -> String {
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    let body = format!("{text}{end}");
    format!("{body}{OPENING}{:016x}\n", checksum(body.as_bytes()))
}

/// Where a file comes from, told by its seal.
#[must_use]
pub fn origin(file: &[u8]) -> Origin {
    let opening = OPENING.as_bytes();
    let Some(at) = file.windows(opening.len()).rposition(|window| window == opening) else {
        return Origin::Foreign;
    };
    let sealed = format!("{:016x}\n", checksum(&file[..at]));
    if file[at + opening.len()..] == *sealed.as_bytes() { Origin::Ours } else { Origin::Edited }
}

/// The text without its seal, if that is whole.
#[must_use]
pub fn remove(file: &str) -> String {
    let body = file.rfind(OPENING).filter(|_| origin(file.as_bytes()) == Origin::Ours);
    body.map_or(file, |at| &file[..at]).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_change_breaks_the_seal() {
        let sealed = add("a\nb");
        assert!(sealed.starts_with("a\nb\n# Written"));
        assert_eq!(origin(sealed.as_bytes()), Origin::Ours);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[at] ^= 1;
            assert_ne!(origin(&changed), Origin::Ours, "byte {at}");
        }
        assert_eq!(origin(format!("{sealed}c\n").as_bytes()), Origin::Edited);
        assert_eq!(origin(b"#!/bin/sh\n"), Origin::Foreign);
        assert_eq!(origin(b""), Origin::Foreign);
        assert_eq!(remove(&sealed), "a\nb\n");
        assert_eq!(remove("a\n"), "a\n");
    }
}

//! A link of a root as it was found, with numbers for names. What it means is said elsewhere.

use crate::link::{Kind, Link};
use crate::name::Runlevel;
use crate::symbols::Symbol;

/// A link as found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    /// What follows the two digits.
    pub name: Symbol,
    /// The last component of what it points to; `NONE` when it is no symbolic link at all.
    pub target: Symbol,
    /// The header of a target outside of init.d.
    pub head: u32,
    pub runlevel: Runlevel,
    pub kind: Kind,
    pub sequence: u8,
    /// Turned from S to K or back: on disk it still has the other letter.
    pub turned: bool,
}

impl Entry {
    pub(crate) fn new(link: &Link<&str>, name: Symbol, target: Symbol, head: u32) -> Entry {
        let &Link { runlevel, kind, sequence, .. } = link;
        Entry { name, target, head, runlevel, kind, sequence: sequence.get(), turned: false }
    }
}

//! The links in rcN.d: `S20foobar`, `K01foobar`. Only their names; where they lie and what they point to
//! is the layout's business.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use crate::name::{Runlevel, Sequence};

/// Whether the script is called with `start` or with `stop` when the runlevel is entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `S`
    Start,
    /// `K`
    Kill,
}

impl Kind {
    /// The first letter of the link.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Kind::Start => 'S',
            Kind::Kill => 'K',
        }
    }
}

/// The numbers of a service that waits for nothing in particular.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usual {
    /// Of start links.
    pub start: u8,
    /// Of kill links.
    pub stop: u8,
}

/// One link in the directory of one runlevel. It has its name for itself, or (`Link<&str>`) lends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Link<N = Arc<str>> {
    /// The directory it lies in.
    pub runlevel: Runlevel,
    /// Its letter.
    pub kind: Kind,
    /// Its number.
    pub sequence: Sequence,
    /// The rest of its name: that of the script, as found on disk.
    pub name: N,
}

impl<'a> Link<&'a str> {
    /// Reads the name of a directory entry; `None` when it is not `[SK][0-9][0-9]` and something.
    /// A third digit belongs to the name, as it does for rc.
    #[must_use]
    pub fn read(runlevel: Runlevel, entry: &'a str) -> Option<Link<&'a str>> {
        let kind = match entry.as_bytes().first()? {
            b'S' => Kind::Start,
            b'K' => Kind::Kill,
            _ => return None,
        };
        let digits = entry.get(1..3)?;
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let sequence = Sequence::new(digits.parse().ok()?).ok()?;
        Some(Link { runlevel, kind, sequence, name: entry.get(3..)? })
    }

    /// The same with a name of its own.
    #[must_use]
    pub fn owned(self) -> Link {
        let Link { runlevel, kind, sequence, name } = self;
        Link { runlevel, kind, sequence, name: name.into() }
    }
}

impl Link {
    /// As [`Link::read`], with a name of its own.
    #[must_use]
    pub fn parse(runlevel: Runlevel, entry: &str) -> Option<Link> {
        Link::read(runlevel, entry).map(Link::owned)
    }

    /// The same with a name that is this one's.
    #[must_use]
    pub fn lent(&self) -> Link<&str> {
        let Link { runlevel, kind, sequence, ref name } = *self;
        Link { runlevel, kind, sequence, name }
    }
}

impl<N: fmt::Display> Link<N> {
    /// The path below /etc: `rc2.d/S20foobar`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("rc{}.d/{self}", self.runlevel)
    }
}

impl<N: fmt::Display> fmt::Display for Link<N> {
    /// The name of the entry: `S20foobar`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char(self.kind.letter())?;
        self.sequence.fmt(f)?;
        write!(f, "{}", self.name)
    }
}

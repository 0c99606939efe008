//! Names of services, runlevels and sequence numbers: the words that links and headers are made of.
//! No knowledge of where they are stored.

use std::fmt::{self, Write as _};
use std::str::FromStr;
use std::sync::Arc;

/// Why a name, a runlevel or a sequence number was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Empty, or more than 64 bytes.
    #[error("service name {0:?} has {1} bytes: use 1 to 64")]
    Length(String, usize),
    /// A character that an init script's name cannot have.
    #[error(
        "service name {0:?} has the character {1:?}: use letters, digits, '.', '_', '+', '-' and begin with a letter or digit"
    )]
    Character(String, char),
    /// A name that insserv passes over, so that no link would ever be made.
    #[error("service name {0:?} is one that insserv skips: choose another")]
    Skipped(String),
    /// Not one of `0123456sS`.
    #[error("runlevel {0:?} does not exist: use 0 to 6 or S")]
    Runlevel(char),
    /// More than 99.
    #[error("sequence number {0} is too great: use 0 to 99")]
    Sequence(u32),
}

/// The name of a service, which is that of its init script: 1 to 64 bytes of `[A-Za-z0-9._+-]`, the first a
/// letter or digit, and none of the names that insserv or rc skip.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceName(Arc<str>);

impl ServiceName {
    /// The longest name, in bytes.
    pub const MAX: usize = 64;

    /// Checks a name.
    ///
    /// # Errors
    /// When it could not be the name of a script that is linked into runlevels.
    pub fn parse(name: &str) -> Result<ServiceName, NameError> {
        if name.is_empty() || name.len() > Self::MAX {
            return Err(NameError::Length(name.to_owned(), name.len()));
        }
        let plain = |c: char| c.is_ascii_alphanumeric();
        let bad = name.chars().enumerate().find(|&(i, c)| !(plain(c) || i > 0 && "._+-".contains(c)));
        if let Some((_, character)) = bad {
            return Err(NameError::Character(name.to_owned(), character));
        }
        if is_skipped(name) {
            return Err(NameError::Skipped(name.to_owned()));
        }
        Ok(ServiceName(name.into()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name, shared.
    #[must_use]
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl AsRef<str> for ServiceName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl FromStr for ServiceName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<ServiceName, NameError> {
        ServiceName::parse(name)
    }
}

/// Whether insserv 1.24 passes over a file of this name in /etc/init.d (insserv(8), "INIT SCRIPTS").
#[must_use]
pub fn is_skipped(name: &str) -> bool {
    let begins = ["README", "Makefile", "skeleton", "powerfail"];
    name.starts_with(|c| "$.#%_+-\\*[]^:()~".contains(c))
        || begins.iter().any(|b| name.starts_with(b))
        || matches!(name, "" | "core" | "rx" | "rc" | "rcS")
        || name.ends_with('~')
        || is_leftover(name)
}

/// Whether insserv takes a file for what an editor or a package manager left behind; this rule holds for
/// fragments in insserv.conf.d too.
#[must_use]
pub fn is_leftover(name: &str) -> bool {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let begins = ["rpm", "ba", "dpkg", "ucf"];
    let whole = ["old", "new", "org", "orig", "save", "swp", "core"];
    name.is_empty()
        || name.starts_with('.')
        || begins.iter().any(|b| extension.starts_with(b))
        || whole.contains(&extension)
        || name.rsplit_once(',').is_some_and(|(_, end)| end == "v")
}

/// A runlevel of System V init, with `S` for what runs once at boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[allow(missing_docs)]
pub enum Runlevel {
    R0,
    R1,
    R2,
    R3,
    R4,
    R5,
    R6,
    S,
}

impl Runlevel {
    /// All of them, in the order in which insserv goes through their directories.
    pub const ALL: [Runlevel; 8] = [
        Runlevel::R0,
        Runlevel::R1,
        Runlevel::R2,
        Runlevel::R3,
        Runlevel::R4,
        Runlevel::R5,
        Runlevel::R6,
        Runlevel::S,
    ];

    /// The letter in the name of the directory: `0` to `6`, `S`.
    #[must_use]
    pub fn letter(self) -> char {
        char::from(b"0123456S"[self as usize])
    }

    /// The runlevel of a letter; `s` is `S`.
    #[must_use]
    pub fn from_letter(letter: char) -> Option<Runlevel> {
        Runlevel::ALL.into_iter().find(|level| level.letter() == letter.to_ascii_uppercase())
    }

    /// Its place in [`Runlevel::ALL`].
    #[must_use]
    pub fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Runlevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char(self.letter())
    }
}

/// A set of runlevels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Runlevels(u8);

impl Runlevels {
    /// No runlevel.
    pub const NONE: Runlevels = Runlevels(0);
    /// Only `S`.
    pub const BOOT: Runlevels = Runlevels(0x80);
    /// `0` to `6`.
    pub const NORMAL: Runlevels = Runlevels(0x7f);

    /// Reads `2345`, `2 3 4 5` or `2,3,4,5`.
    ///
    /// # Errors
    /// On any other character.
    pub fn parse(text: &str) -> Result<Runlevels, NameError> {
        let mut set = Runlevels::NONE;
        for letter in text.chars().filter(|c| !matches!(c, ' ' | '\t' | ',')) {
            set.insert(Runlevel::from_letter(letter).ok_or(NameError::Runlevel(letter))?);
        }
        Ok(set)
    }

    /// Adds one.
    pub fn insert(&mut self, level: Runlevel) {
        self.0 |= 1 << level.index();
    }

    /// Whether it is in the set.
    #[must_use]
    pub fn contains(self, level: Runlevel) -> bool {
        self.0 & (1 << level.index()) != 0
    }

    /// A bit for each runlevel.
    pub(crate) fn bits(self) -> u8 {
        self.0
    }

    /// Whether the two sets share a runlevel.
    #[must_use]
    pub fn meets(self, other: Runlevels) -> bool {
        self.0 & other.0 != 0
    }

    /// What is in one of the two.
    #[must_use]
    pub fn union(self, other: Runlevels) -> Runlevels {
        Runlevels(self.0 | other.0)
    }

    /// What is in this and not in the other.
    #[must_use]
    pub fn without(self, other: Runlevels) -> Runlevels {
        Runlevels(self.0 & !other.0)
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The runlevels in order, `S` last.
    pub fn iter(self) -> impl Iterator<Item = Runlevel> {
        Runlevel::ALL.into_iter().filter(move |&level| self.contains(level))
    }
}

impl fmt::Display for Runlevels {
    /// Separated by single blanks, as LSB headers want them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, level) in self.iter().enumerate() {
            write!(f, "{}{level}", if i == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

impl FromIterator<Runlevel> for Runlevels {
    fn from_iter<I: IntoIterator<Item = Runlevel>>(levels: I) -> Runlevels {
        let mut set = Runlevels::NONE;
        levels.into_iter().for_each(|level| set.insert(level));
        set
    }
}

/// The two digits of a link's name: 0 to 99.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(u8);

impl Sequence {
    /// Checks the range.
    ///
    /// # Errors
    /// Above 99.
    pub fn new(number: u32) -> Result<Sequence, NameError> {
        match u8::try_from(number) {
            Ok(small) if small <= 99 => Ok(Sequence(small)),
            _ => Err(NameError::Sequence(number)),
        }
    }

    /// The number, or 99 if it is greater.
    #[must_use]
    pub fn clamped(number: u8) -> Sequence {
        Sequence(number.min(99))
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char(char::from(b'0' + self.0 / 10))?;
        f.write_char(char::from(b'0' + self.0 % 10))
    }
}

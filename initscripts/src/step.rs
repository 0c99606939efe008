//! The steps that a change to a root consists of, as values that can be printed, compared and carried
//! out. How they come about is in `plan`; who carries them out is the caller.

use std::fmt;

use serde::Serialize;

/// What a path must be, or not be, before a step may touch it. A step whose result is already there is
/// done; one that finds neither its result nor this has been overtaken by someone else's change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Before {
    /// Nothing is there.
    Absent,
    /// A regular file with this [`checksum`] of its bytes.
    File(#[serde(serialize_with = "hexadecimal")] u64),
    /// A symbolic link, whatever its text.
    Link,
}

/// One change of one path. Paths are absolute as the root sees them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum Step {
    /// Make a directory; its parent is there by then. It is no fault if it exists.
    MakeDir {
        /// The directory.
        path: String,
        /// Its permission bits.
        mode: u32,
    },
    /// Write a file at once and as a whole.
    Write {
        /// The file.
        path: String,
        /// Its permission bits.
        mode: u32,
        /// All of it.
        text: String,
        /// What it replaces.
        before: Before,
    },
    /// Make a symbolic link.
    Symlink {
        /// The link.
        path: String,
        /// Its text.
        target: String,
        /// What it replaces.
        before: Before,
    },
    /// Give a file or a symbolic link another name in the same directory.
    Rename {
        /// The new name, where nothing is.
        path: String,
        /// The old name.
        from: String,
        /// What is to be renamed.
        before: Before,
    },
    /// Remove a file or a symbolic link.
    Remove {
        /// The file or link.
        path: String,
        /// What is to be removed.
        before: Before,
    },
    /// Replace some lines of a file that is there; every other byte of it stays, and so do its permission bits.
    Edit {
        /// The file.
        path: String,
        /// The lines to replace, whole and with their newlines; none: `new` goes to the end of the file.
        #[serde(serialize_with = "lossy")]
        old: Vec<u8>,
        /// What stands there afterwards; none: the lines are removed.
        #[serde(serialize_with = "lossy")]
        new: Vec<u8>,
    },
    /// Give a file other permission bits.
    SetMode {
        /// The file.
        path: String,
        /// Its permission bits from then on.
        mode: u32,
        /// What is to have them.
        before: Before,
    },
    /// Remove a directory if it is empty.
    RemoveDir {
        /// The directory.
        path: String,
    },
}

impl Step {
    /// The path that it changes.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Step::MakeDir { path, .. }
            | Step::Write { path, .. }
            | Step::Symlink { path, .. }
            | Step::Rename { path, .. }
            | Step::Remove { path, .. }
            | Step::Edit { path, .. }
            | Step::SetMode { path, .. }
            | Step::RemoveDir { path } => path,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::MakeDir { path, mode } => write!(f, "mkdir   {path} (mode {mode:04o})"),
            Step::Write { path, mode, text, before } => {
                let verb = if *before == Before::Absent { "create " } else { "replace" };
                write!(f, "{verb} {path} (mode {mode:04o}, {} bytes)", text.len())
            }
            Step::Symlink { path, target, .. } => write!(f, "link    {path} -> {target}"),
            Step::Rename { path, from, .. } => write!(f, "rename  {from} to {path}"),
            Step::Remove { path, .. } => write!(f, "remove  {path}"),
            Step::Edit { path, old, new } => {
                let lines = |text: &[u8]| text.iter().filter(|&&byte| byte == b'\n').count();
                write!(f, "edit    {path} (lines: {} go, {} come)", lines(old), lines(new))
            }
            Step::SetMode { path, mode, .. } => write!(f, "chmod   {path} (mode {mode:04o})"),
            Step::RemoveDir { path } => write!(f, "rmdir   {path} (if empty)"),
        }
    }
}

/// A change of a root: its steps in an order in which a crash after any of them leaves a working machine,
/// and what was found on the way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// What to do, in this order. None: all is as it should be.
    pub steps: Vec<Step>,
    /// What was kept as it is, and other things to know, one sentence each.
    pub notes: Vec<String>,
}

impl Plan {
    /// Whether nothing is to be done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

impl fmt::Display for Plan {
    /// The dry run: one line a step, then one line a note.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            writeln!(f, "{step}")?;
        }
        for note in &self.notes {
            writeln!(f, "note: {note}")?;
        }
        Ok(())
    }
}

/// FNV-1a, 64 bits. It tells an edited text from the one that was written; it is no proof against someone who
/// wants it to be equal, and needs not be: whoever can edit the text can edit its checksum.
#[must_use]
pub fn checksum(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

fn lossy<S: serde::Serializer>(text: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&String::from_utf8_lossy(text))
}

fn hexadecimal<S: serde::Serializer>(sum: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format!("{sum:016x}"))
}

/// Why a file was not edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotEdited {
    /// It has the new lines already.
    AlreadySo,
    /// It has neither the old lines nor the new ones: somebody has changed it.
    Overtaken,
}

/// The text of a file after [`Step::Edit`].
///
/// # Errors
/// [`NotEdited`] when there is nothing to do, or it cannot be done.
pub fn edited(text: &[u8], old: &[u8], new: &[u8]) -> Result<Vec<u8>, NotEdited> {
    let at_line = |part: &[u8]| {
        let starts = (0..text.len()).filter(|&at| at == 0 || text[at - 1] == b'\n');
        starts.into_iter().find(|&at| text[at..].starts_with(part))
    };
    if old.is_empty() {
        if at_line(new).is_some() {
            return Err(NotEdited::AlreadySo);
        }
        let end: &[u8] = if text.is_empty() || text.ends_with(b"\n") { b"" } else { b"\n" };
        return Ok([text, end, new].concat());
    }
    match at_line(old) {
        Some(at) => Ok([&text[..at], new, &text[at + old.len()..]].concat()),
        None if !new.is_empty() && at_line(new).is_some() => Err(NotEdited::AlreadySo),
        None => Err(NotEdited::Overtaken),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_fnv_1a() {
        // The test vectors of the FNV specification (draft-eastlake-fnv).
        assert_eq!(checksum(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(checksum(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(checksum(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn an_edit_leaves_every_other_byte() {
        let text = b"a\xff\r\nold\n\0old\nno newline";
        assert_eq!(edited(text, b"old\n", b"new\n1\n"), Ok(b"a\xff\r\nnew\n1\n\0old\nno newline".to_vec()));
        assert_eq!(edited(text, b"old\n", b""), Ok(b"a\xff\r\n\0old\nno newline".to_vec()));
        assert_eq!(edited(text, b"", b"new\n"), Ok([&text[..], b"\nnew\n"].concat()));
        assert_eq!(edited(b"", b"", b"new\n"), Ok(b"new\n".to_vec()));
        assert_eq!(edited(b"x\nnew\n", b"", b"new\n"), Err(NotEdited::AlreadySo));
        assert_eq!(edited(b"x\nnew\n", b"old\n", b"new\n"), Err(NotEdited::AlreadySo));
        assert_eq!(edited(text, b"xx\n", b""), Err(NotEdited::Overtaken));
    }
}

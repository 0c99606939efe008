//! Conditions and asserts, which are looked at before a start: systemd.unit(5). Whether one holds is decided
//! elsewhere.

use std::fmt;

use super::capability::CapabilitySet;
use super::text::{BadValue, absolute_path, directory};
use super::words::words;

words! {
    /// What is looked at; the word is the rest of the keys `condition-...` and `assert-...`.
    Test, "condition" {
        /// The path is there.
        PathExists = "path-exists",
        /// A path that matches the pattern is there.
        PathExistsGlob = "path-exists-glob",
        /// The path is a directory.
        PathIsDirectory = "path-is-directory",
        /// The path is a symbolic link.
        PathIsSymbolicLink = "path-is-symbolic-link",
        /// A file system is mounted on the path.
        PathIsMountPoint = "path-is-mount-point",
        /// The file system of the path can be written.
        PathIsReadWrite = "path-is-read-write",
        /// The path is a directory with something in it.
        DirectoryNotEmpty = "directory-not-empty",
        /// The path is a file of more than 0 bytes.
        FileNotEmpty = "file-not-empty",
        /// The path is a file that can be executed.
        FileIsExecutable = "file-is-executable",
        /// The word, or an assignment to it, is on the kernel's command line.
        KernelCommandLine = "kernel-command-line",
        /// The machine is virtual (`yes`), a virtual machine (`vm`), a container (`container`), or neither with `!`.
        Virtualization = "virtualization",
        /// The capability is in our bounding set.
        Capability = "capability",
        /// The host has this name; * and ? match.
        Host = "host",
    }
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// What is looked at.
    pub test: Test,
    /// The path, pattern, word or name.
    pub argument: String,
    /// Prefix `!`: it holds when the test does not.
    pub negate: bool,
    /// Prefix `|`: of the conditions with it one must hold; of those without it all must.
    pub trigger: bool,
    /// Of `assert-...`: when it does not hold, the start fails. Else the start is skipped, which is no failure.
    pub assert: bool,
}

/// Reads the text of a condition, with its prefixes.
///
/// # Errors
/// [`BadValue`] for what the test cannot look at.
pub(crate) fn condition(test: Test, assert: bool, text: &str) -> Result<Condition, BadValue> {
    let (trigger, rest) = match text.strip_prefix('|') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (negate, rest) = match rest.trim_start().strip_prefix('!') {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let rest = rest.trim();
    let argument = match test {
        Test::FileNotEmpty | Test::FileIsExecutable => absolute_path(rest)?,
        Test::PathExists
        | Test::PathExistsGlob
        | Test::PathIsDirectory
        | Test::PathIsSymbolicLink
        | Test::PathIsMountPoint
        | Test::PathIsReadWrite
        | Test::DirectoryNotEmpty => directory(rest)?,
        Test::Capability => {
            CapabilitySet::one(rest)?;
            rest.to_owned()
        }
        Test::Virtualization => match rest {
            "yes" | "no" | "vm" | "container" => rest.to_owned(),
            _ => {
                return Err(BadValue::new(
                    format!("'{}' is nothing a machine can be", rest.escape_debug()),
                    "use yes, no, vm or container",
                ));
            }
        },
        Test::KernelCommandLine | Test::Host => match rest {
            "" => return Err(BadValue::new("the condition is empty", "write what it looks for")),
            _ => rest.to_owned(),
        },
    };
    Ok(Condition { test, argument, negate, trigger, assert })
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = |is_set, prefix| if is_set { prefix } else { "" };
        write!(f, "{}{}{}", prefix(self.trigger, "|"), prefix(self.negate, "!"), self.argument)
    }
}

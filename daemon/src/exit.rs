//! The exit codes of foobard, in one table, and the failure that carries one of them.
//! Not the LSB codes of the init script: foobarctl owns those, and these are chosen to agree with them.

use std::fmt;
use std::io;

/// With what the first process ends. The numbers are those of the LSB (section "Init Script Actions")
/// for the actions of an init script, so that a script may pass them on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It runs, it ran and ended when it was told to, or the check was good.
    Ok,
    /// Something failed that no other code names, such as a port that is taken.
    Error,
    /// The command line was not understood.
    Usage,
    /// A file, a port or an account needs more rights than the caller has.
    Permission,
    /// The configuration, or the user it names, is missing or broken.
    NotConfigured,
}

/// Every code with its number and the sentence of the manual.
pub const TABLE: [(Exit, u8, &str); 5] = [
    (Exit::Ok, 0, "running (or already running), stopped as told, or configuration good"),
    (Exit::Error, 1, "failed: the address is in use, a system call failed"),
    (Exit::Usage, 2, "bad option or argument"),
    (Exit::Permission, 4, "not permitted: file, port or account needs more rights"),
    (Exit::NotConfigured, 6, "configuration missing or broken, or its user does not exist"),
];

impl Exit {
    /// The number of the code.
    #[must_use]
    pub fn code(self) -> u8 {
        TABLE.iter().find(|row| row.0 == self).map_or(1, |row| row.1)
    }

    /// The code for a failed system call: want of rights is told apart from the rest.
    #[must_use]
    pub fn of(error: &io::Error) -> Exit {
        match error.kind() {
            io::ErrorKind::PermissionDenied => Exit::Permission,
            _ => Exit::Error,
        }
    }
}

/// Why the server did not start, or ended other than it was told to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What the process ends with.
    pub code: u8,
    /// The reason, one or several lines; the same text goes to standard error and to syslog.
    pub reason: String,
}

impl Failure {
    /// A failure with the code of `exit`.
    #[must_use]
    pub fn new(exit: Exit, reason: impl fmt::Display) -> Failure {
        Failure { code: exit.code(), reason: reason.to_string() }
    }

    /// A failed system call: `doing` says what was tried and on what.
    #[must_use]
    pub fn io(doing: impl fmt::Display, error: &io::Error) -> Failure {
        Failure::new(Exit::of(error), format_args!("{doing}: {error}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_stands_once() {
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(row.0.code(), row.1);
            assert!(TABLE[index + 1..].iter().all(|other| other.1 != row.1 && other.0 != row.0));
        }
    }

    #[test]
    fn want_of_rights_has_its_own_code() {
        assert_eq!(Exit::of(&io::ErrorKind::PermissionDenied.into()), Exit::Permission);
        assert_eq!(Exit::of(&io::ErrorKind::AddrInUse.into()), Exit::Error);
    }
}

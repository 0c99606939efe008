//! The exit codes of init scripts, once: LSB Core, "Init Script Actions". Scripts, help, manual and
//! foobarctl take numbers and words from here. Nothing here ends a process.

/// What the action `status` answers. LSB Core, "Init Script Actions", first table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// The service runs.
    Running,
    /// It does not run, but its PID file is still there.
    DeadPidFile,
    /// It does not run, but its lock file is still there.
    DeadLockFile,
    /// It does not run.
    NotRunning,
    /// It cannot be said: what would prove it is unreadable or not believable.
    Unknown,
}

impl Status {
    /// All of them, in the order of their codes.
    pub const ALL: [Status; 5] =
        [Status::Running, Status::DeadPidFile, Status::DeadLockFile, Status::NotRunning, Status::Unknown];

    /// The exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Status::Running => 0,
            Status::DeadPidFile => 1,
            Status::DeadLockFile => 2,
            Status::NotRunning => 3,
            Status::Unknown => 4,
        }
    }

    /// The words for it in comments, help and manual.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Status::Running => "running",
            Status::DeadPidFile => "dead, and its PID file exists",
            Status::DeadLockFile => "dead, and its lock file exists",
            Status::NotRunning => "not running",
            Status::Unknown => "unknown",
        }
    }

    /// The table as text, one code a line: `  code  words`. For help and manual.
    #[must_use]
    pub fn table() -> String {
        Status::ALL.map(|status| format!("  {}  {}\n", status.code(), status.words())).concat()
    }

    /// The status of an exit code, if LSB gives it a meaning.
    #[must_use]
    pub fn of(code: u8) -> Option<Status> {
        Status::ALL.into_iter().find(|status| status.code() == code)
    }
}

/// How every other action ends. LSB Core, "Init Script Actions", second table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// Done, or nothing was left to do: starting what runs and stopping what is stopped succeed.
    Ok,
    /// It failed, for a reason that has no code of its own.
    Error,
    /// An argument was missing, unknown or one too many.
    Usage,
    /// The service has no such feature, for example no reload.
    Unimplemented,
    /// The caller may not do this.
    Permission,
    /// The program is not on this machine.
    NotInstalled,
    /// The configuration is missing or broken.
    NotConfigured,
    /// It needed a running service, and there is none.
    NotRunning,
}

impl Action {
    /// All of them, in the order of their codes.
    pub const ALL: [Action; 8] = [
        Action::Ok,
        Action::Error,
        Action::Usage,
        Action::Unimplemented,
        Action::Permission,
        Action::NotInstalled,
        Action::NotConfigured,
        Action::NotRunning,
    ];

    /// The exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Action::Ok => 0,
            Action::Error => 1,
            Action::Usage => 2,
            Action::Unimplemented => 3,
            Action::Permission => 4,
            Action::NotInstalled => 5,
            Action::NotConfigured => 6,
            Action::NotRunning => 7,
        }
    }

    /// The words for it in comments, help and manual.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Action::Ok => "done, or nothing was left to do",
            Action::Error => "failed",
            Action::Usage => "invalid or excess argument",
            Action::Unimplemented => "unimplemented feature",
            Action::Permission => "not permitted",
            Action::NotInstalled => "program not installed",
            Action::NotConfigured => "not configured",
            Action::NotRunning => "not running",
        }
    }

    /// The table as text, one code a line: `  code  words`. For help and manual.
    #[must_use]
    pub fn table() -> String {
        Action::ALL.map(|action| format!("  {}  {}\n", action.code(), action.words())).concat()
    }

    /// What the exit code of a program that was to start means for the action. A program that knows
    /// the table (4, 5 and 6 say why it cannot start) is taken at its word; all others just failed,
    /// because 2, 3 and 7 would blame the caller of the script for what the program was given.
    #[must_use]
    pub const fn of_program(code: u8) -> Action {
        match code {
            0 => Action::Ok,
            4 => Action::Permission,
            5 => Action::NotInstalled,
            6 => Action::NotConfigured,
            _ => Action::Error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_the_positions_in_the_lsb_tables() {
        for (index, status) in Status::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(status.code()), index);
            assert_eq!(Status::of(status.code()), Some(status));
        }
        for (index, action) in Action::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(action.code()), index);
        }
        assert_eq!(Status::of(5), None);
    }

    #[test]
    fn a_program_is_believed_only_about_why_it_cannot_start() {
        let believed: Vec<u8> = (0..=255).filter(|&code| Action::of_program(code).code() == code).collect();
        assert_eq!(believed, [0, 1, 4, 5, 6]);
    }

    #[test]
    fn the_tables_have_a_line_for_every_code() {
        assert_eq!(Status::table().lines().count(), Status::ALL.len());
        assert_eq!(Action::table().lines().count(), Action::ALL.len());
    }
}

//! Sets of exit codes and signals, for what counts as success and what is not started again.

use super::text::BadValue;

/// Names of exit codes that mean the same everywhere: sysexits.h and the LSB's for init scripts. systemd.exec(5),
/// "Process Exit Codes", has them too.
pub const EXIT_NAMES: [(&str, u8); 24] = [
    ("SUCCESS", 0),
    ("FAILURE", 1),
    ("INVALIDARGUMENT", 2),
    ("NOTIMPLEMENTED", 3),
    ("NOPERMISSION", 4),
    ("NOTINSTALLED", 5),
    ("NOTCONFIGURED", 6),
    ("NOTRUNNING", 7),
    ("USAGE", 64),
    ("DATAERR", 65),
    ("NOINPUT", 66),
    ("NOUSER", 67),
    ("NOHOST", 68),
    ("UNAVAILABLE", 69),
    ("SOFTWARE", 70),
    ("OSERR", 71),
    ("OSFILE", 72),
    ("CANTCREAT", 73),
    ("IOERR", 74),
    ("TEMPFAIL", 75),
    ("PROTOCOL", 76),
    ("NOPERM", 77),
    ("CONFIG", 78),
    ("EXCEPTION", 255),
];

/// Signals that can end a process, without `SIG`.
const ENDING: [&str; 24] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
    "ALRM", "TERM", "STKFLT", "XCPU", "XFSZ", "VTALRM", "PROF", "IO", "PWR", "SYS", "POLL",
];

/// Ways in which a process ends.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExitSet {
    codes: Vec<u8>,
    signals: Vec<&'static str>,
}

impl ExitSet {
    /// Whether the exit code is in it.
    #[must_use]
    pub fn has_code(&self, code: u8) -> bool {
        self.codes.contains(&code)
    }

    /// Whether the signal of this name is in it, with or without `SIG`.
    #[must_use]
    pub fn has_signal(&self, name: &str) -> bool {
        self.signals.contains(&name.strip_prefix("SIG").unwrap_or(name))
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty() && self.signals.is_empty()
    }

    /// Adds an exit code.
    pub fn add_code(&mut self, code: u8) {
        if !self.codes.contains(&code) {
            self.codes.push(code);
        }
    }

    /// Adds what a word means: a number, the name of an exit code, or a signal with `SIG`.
    ///
    /// # Errors
    /// [`BadValue`] for a word that is none of them.
    pub fn add(&mut self, word: &str) -> Result<(), BadValue> {
        let signal = ENDING.into_iter().find(|known| word.strip_prefix("SIG") == Some(known));
        let named = EXIT_NAMES.iter().find(|(name, _)| *name == word).map(|(_, code)| *code);
        let number = word.parse::<u8>().ok().filter(|_| word.chars().all(|c| c.is_ascii_digit()));
        match (signal, named.or(number)) {
            (Some(signal), _) => {
                if !self.signals.contains(&signal) {
                    self.signals.push(signal);
                }
            }
            (None, Some(code)) => self.add_code(code),
            (None, None) => {
                return Err(BadValue::new(
                    format!("'{}' is no exit code and no signal", word.escape_debug()),
                    "write 0 to 255, a name such as \"TEMPFAIL\", or a signal such as \"SIGKILL\"",
                ));
            }
        }
        Ok(())
    }

    /// The codes, in the order they were added.
    #[must_use]
    pub fn codes(&self) -> &[u8] {
        &self.codes
    }

    /// The signals without `SIG`, in the order they were added.
    #[must_use]
    pub fn signals(&self) -> &[&'static str] {
        &self.signals
    }
}

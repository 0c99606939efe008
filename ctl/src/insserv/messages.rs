//! What insserv says, each line with its name before it: warnings unless `-q`, what it does with `-v`.

use std::fmt;
use std::io::{self, Write as _};

/// How much is said.
#[derive(Debug, Clone, Copy)]
pub struct Messages {
    /// `-q`
    pub silent: bool,
    /// How often `-v` was given; `-n` counts, too.
    pub verbose: u8,
}

impl Messages {
    /// Something is odd.
    pub fn warn(self, text: impl fmt::Display) {
        if !self.silent {
            complain(format_args!("warning: {text}"));
        }
    }

    /// Something is done.
    pub fn info(self, text: impl fmt::Display) {
        if self.verbose > 0 {
            complain(text);
        }
    }
}

/// One line to standard error; that it is closed is no error either.
pub fn complain(text: impl fmt::Display) {
    let _ = io::stderr().write_all(format!("insserv: {text}\n").as_bytes());
}

//! What the user sees: one line of text, or one JSON value, for one result. Without colours, so that a
//! log and a terminal get the same bytes. It decides nothing about exit codes.

use std::fmt;
use std::io::{self, Write as _};

use serde::Serialize;

use crate::cli::Format;

/// The face of one run: chosen by `--format`, `--quiet` and `--verbose`.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// Text for people or JSON for programs.
    pub format: Format,
    /// Results are not told; errors are.
    pub quiet: bool,
    /// Steps are told as well.
    pub verbose: bool,
}

impl Output {
    /// Tells a result: `text` is one or more lines without the last newline, `facts` the same for
    /// programs. In text, `--quiet` leaves it out; JSON is what was asked for and always comes.
    ///
    /// # Errors
    /// When standard output cannot be written; a reader that closed its end early is no error.
    pub fn result(&self, text: impl fmt::Display, facts: &impl Serialize) -> anyhow::Result<()> {
        match self.format {
            Format::Text if self.quiet => Ok(()),
            Format::Text | Format::Dot | Format::Svg => print(&text.to_string()),
            Format::Json => print(&serde_json::to_string_pretty(facts)?),
        }
    }

    /// Tells a step on the way, with `--verbose` only; to standard error, so that standard output stays
    /// the result alone.
    pub fn step(&self, text: impl fmt::Display) {
        if self.verbose {
            complain(text);
        }
    }

    /// Tells what the user should know although the verb goes on. Not silenced by `--quiet`: it is
    /// about something that will go wrong later.
    pub fn warn(&self, text: impl fmt::Display) {
        complain(format_args!("warning: {text}"));
    }
}

/// One line to standard error, with the program's name before it. Nothing can be done about a closed
/// standard error, so that is not an error either.
pub fn complain(text: impl fmt::Display) {
    let line = format!("foobarctl: {text}\n");
    let _ = io::stderr().write_all(line.as_bytes());
}

/// Text to standard output, with a last newline.
///
/// # Errors
/// When it cannot be written; a reader that closed its end early is no error.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut line = String::with_capacity(text.len() + 1);
    line.push_str(text);
    line.push('\n');
    // Not println!: it panics when the reader has gone.
    match io::stdout().write_all(line.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(anyhow::Error::new(error).context("cannot write to standard output"))
        }
        _ => Ok(()),
    }
}

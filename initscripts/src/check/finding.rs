//! What a finding is: a rule of the table, the place where it was broken, and what is so there.

use std::fmt;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; nothing goes wrong because of it on this machine.
    Note,
    /// Works, but not as it says, or not everywhere.
    Warning,
    /// A service does not start or stop, or not when it should, or somebody else decides about it.
    Error,
}

impl Severity {
    /// All of them, the least first.
    pub const ALL: [Severity; 3] = [Severity::Note, Severity::Warning, Severity::Error];

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// A row of the table of findings.
#[derive(Debug)]
pub struct Rule {
    /// What a finding is called: lower case with `-`, for `--explain` and for programs. It never changes.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The tags of lintian that mean the same, or a part of it.
    pub lintian: &'static [&'static str],
    /// What is so, in one line.
    pub title: &'static str,
    /// What happens because of it.
    pub effect: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
    /// Why it is so, with the source.
    pub explanation: &'static str,
}

/// A rule that is broken.
#[derive(Debug, Clone)]
pub struct Finding {
    /// Which.
    pub rule: &'static Rule,
    /// The script or service that it is about; empty for the machine.
    pub subject: String,
    /// The file, as the caller named it.
    pub file: String,
    /// Its line, counted from 1; 1 when it concerns the whole file.
    pub line: u32,
    /// What is so in this place.
    pub message: String,
    /// What happens because of it: the rule's, or what happens in the layout at hand.
    pub effect: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

impl Finding {
    /// A finding in a line of a file.
    #[must_use]
    pub fn new(
        rule: &'static Rule,
        subject: &str,
        file: &str,
        line: u32,
        message: impl Into<String>,
    ) -> Finding {
        let (subject, file) = (subject.to_owned(), file.to_owned());
        let Rule { effect, remedy, .. } = rule;
        Finding { rule, subject, file, line: line.max(1), message: message.into(), effect, remedy }
    }
}

impl fmt::Display for Finding {
    /// Two lines: `FILE:LINE: SEVERITY: MESSAGE [CODE]`, and what happens and what to do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding { rule, file, line, message, effect, remedy, .. } = self;
        writeln!(f, "{file}:{line}: {}: {message} [{}]", rule.severity, rule.code)?;
        write!(f, "    {effect}; {remedy}")
    }
}

impl fmt::Display for Rule {
    /// All that is known of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} ({}): {}", self.code, self.severity, self.title)?;
        writeln!(f, "  what happens: {}", self.effect)?;
        writeln!(f, "  remedy:       {}", self.remedy)?;
        write!(f, "  why:          {}", self.explanation)?;
        if !self.lintian.is_empty() {
            write!(f, "\n  lintian:      {}", self.lintian.join(", "))?;
        }
        Ok(())
    }
}

/// The findings about one file, while they are collected.
#[derive(Debug)]
pub(super) struct Report<'a> {
    pub subject: &'a str,
    pub file: &'a str,
    pub found: Vec<Finding>,
}

impl<'a> Report<'a> {
    pub(super) fn new(subject: &'a str, file: &'a str) -> Report<'a> {
        Report { subject, file, found: Vec::new() }
    }

    pub(super) fn add(&mut self, rule: &'static Rule, line: u32, message: impl Into<String>) {
        self.found.push(Finding::new(rule, self.subject, self.file, line, message));
    }

    /// What the title says is all there is to say.
    pub(super) fn plain(&mut self, rule: &'static Rule, line: u32) {
        self.add(rule, line, rule.title);
    }
}

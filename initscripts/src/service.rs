//! A service as plain values, and what each value may be. Text of it is read and written by
//! `description`; this file knows no TOML and no script.

use std::fmt;
use std::path::{Component, Path};
use std::time::Duration;

use crate::name::{Runlevel, Runlevels, ServiceName};

/// The longest time limit that a service may have.
pub const LONGEST_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// What the machine needs to know of a program that it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The name of the service, of its init script and of its first facility.
    pub name: ServiceName,
    /// One line for people.
    pub description: String,
    /// The program: an absolute path. Text, because a service file and a script are text.
    pub program: String,
    /// Its arguments, without the program itself. No shell looks at them.
    pub arguments: Vec<String>,
    /// How the program starts.
    pub kind: Kind,
    /// Where the program writes its PID, an absolute path.
    pub pid_file: String,
    /// The signal that makes it read its configuration again; none: it cannot.
    pub reload_signal: Option<SignalName>,
    /// The signal that asks it to end.
    pub stop_signal: SignalName,
    /// How long it may take until it is ready.
    pub start_timeout: Duration,
    /// How long it may take to end before it is killed.
    pub stop_timeout: Duration,
    /// The runlevels that it is started in; it is stopped in all others, see [`Service::default_stop`].
    pub runlevels: Runlevels,
    /// Facilities that it provides beside its name.
    pub provides: Vec<String>,
    /// Facilities that must be there before it starts.
    pub required_start: Vec<String>,
    /// Facilities that must be there until it has stopped.
    pub required_stop: Vec<String>,
    /// Facilities that it starts after, where they exist.
    pub should_start: Vec<String>,
    /// Facilities that it stops before, where they exist.
    pub should_stop: Vec<String>,
    /// Services that must not start before it.
    pub start_before: Vec<String>,
    /// Services that must not stop after it.
    pub stop_after: Vec<String>,
}

impl Service {
    /// A service of which only name and program are known; all else has its default.
    #[must_use]
    pub fn new(name: ServiceName, program: impl Into<String>) -> Service {
        let usual = || vec!["$remote_fs".to_owned(), "$syslog".to_owned()];
        Service {
            description: format!("the {name} service"),
            pid_file: format!("/var/run/{name}.pid"),
            name,
            program: program.into(),
            arguments: Vec::new(),
            kind: Kind::Forking,
            reload_signal: Some(SignalName("HUP")),
            stop_signal: SignalName("TERM"),
            start_timeout: Duration::from_secs(30),
            stop_timeout: Duration::from_secs(5),
            runlevels: [Runlevel::R2, Runlevel::R3, Runlevel::R4, Runlevel::R5].into_iter().collect(),
            provides: Vec::new(),
            required_start: usual(),
            required_stop: usual(),
            should_start: Vec::new(),
            should_stop: Vec::new(),
            start_before: Vec::new(),
            stop_after: Vec::new(),
        }
    }

    /// The runlevels that it is stopped in: halt, single user and reboot, and those of 2 to 5 that it is
    /// not started in when it is started in some of them, so that it never outlives a change of runlevel. LSB and lintian want 0, 1 and 6
    /// all or none; what starts in S or 1 runs in single user mode, and is stopped in 0 and 6 only.
    #[must_use]
    pub fn default_stop(&self) -> Runlevels {
        use Runlevel::{R0, R1, R2, R3, R4, R5, R6, S};
        let starts = |level| self.runlevels.contains(level);
        let multi_user = [R2, R3, R4, R5].into_iter().any(starts);
        let wanted = |level: Runlevel| match level {
            R0 | R6 => multi_user || starts(S) || starts(R1),
            R1 => multi_user && !starts(S) && !starts(R1),
            R2 | R3 | R4 | R5 => multi_user && !starts(S) && !starts(level),
            S => false,
        };
        [R0, R1, R2, R3, R4, R5, R6].into_iter().filter(|level| wanted(*level)).collect()
    }
}

/// How a program starts, in the words of systemd.service(5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The program puts itself into the background; when its first process exits with 0, it is ready and
    /// its PID file is there.
    Forking,
}

impl Kind {
    /// The word in a service file.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Kind::Forking => "forking",
        }
    }

    /// The kind of a word.
    ///
    /// # Errors
    /// [`BadValue`], which tells a misspelt word from a kind that needs the supervisor.
    pub fn parse(word: &str) -> Result<Kind, BadValue> {
        match word {
            "forking" => Ok(Kind::Forking),
            "simple" | "exec" | "oneshot" | "dbus" | "notify" | "notify-reload" | "idle" => {
                Err(BadValue::new(
                    format!("type '{word}' needs the supervisor, which this version does not have"),
                    "use a program that daemonizes itself, with type 'forking'",
                ))
            }
            _ => Err(BadValue::new(format!("unknown type '{word}'"), "the type is 'forking'")),
        }
    }
}

/// Signals that a service file may name, without `SIG`. Numbers are not accepted: they differ between
/// machines. KILL and STOP cannot be caught, so no program could obey them as a request.
pub const SIGNALS: [&str; 11] =
    ["HUP", "INT", "QUIT", "TERM", "USR1", "USR2", "ALRM", "CONT", "WINCH", "PWR", "URG"];

/// One of [`SIGNALS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignalName(&'static str);

impl SignalName {
    /// The signal of a name, with or without `SIG`.
    ///
    /// # Errors
    /// [`BadValue`] when it is none of [`SIGNALS`].
    pub fn parse(text: &str) -> Result<SignalName, BadValue> {
        let bare = text.strip_prefix("SIG").unwrap_or(text);
        SIGNALS.into_iter().find(|known| *known == bare).map(SignalName).ok_or_else(|| {
            BadValue::new(
                format!("'{text}' is no signal to use here"),
                format!("use one of {}", SIGNALS.join(", ")),
            )
        })
    }

    /// The name without `SIG`, as kill(1) takes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for SignalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIG{}", self.0)
    }
}

/// Why a value cannot be, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {remedy}")]
pub struct BadValue {
    /// What is wrong.
    pub what: String,
    /// What would be right.
    pub remedy: String,
}

impl BadValue {
    /// An error from its two halves.
    pub fn new(what: impl Into<String>, remedy: impl Into<String>) -> BadValue {
        BadValue { what: what.into(), remedy: remedy.into() }
    }
}

/// A path that can stand in a script and in one line of a message: absolute, no control characters, and
/// no `..`, which would make two names of one file.
///
/// # Errors
/// [`BadValue`] with what is wrong.
pub fn absolute_path(text: &str) -> Result<String, BadValue> {
    if !text.starts_with('/') {
        return Err(BadValue::new(format!("'{text}' is not an absolute path"), "let it begin with '/'"));
    }
    if text.ends_with('/') {
        return Err(BadValue::new(format!("'{text}' is a directory"), "name a file in it"));
    }
    if Path::new(text).components().any(|part| part == Component::ParentDir) {
        return Err(BadValue::new(format!("'{text}' goes up with '..'"), "write the path without it"));
    }
    no_control(text)?;
    Ok(text.to_owned())
}

/// An argument of a program: anything that execve(2) can carry, newlines included.
///
/// # Errors
/// [`BadValue`] for a NUL.
pub fn argument(text: &str) -> Result<String, BadValue> {
    if text.contains('\0') {
        return Err(BadValue::new("an argument cannot hold a NUL character", "remove it"));
    }
    Ok(text.to_owned())
}

/// A description: one line, not empty, and nothing that would open or close an LSB header.
///
/// # Errors
/// [`BadValue`] with what is wrong.
pub fn one_line(text: &str) -> Result<String, BadValue> {
    let text = text.trim();
    if text.is_empty() {
        return Err(BadValue::new("the description is empty", "say in one line what the service does"));
    }
    no_control(text)?;
    if text.contains("INIT INFO") {
        return Err(BadValue::new(
            "'INIT INFO' in a description would be read as the frame of the LSB header",
            "use other words",
        ));
    }
    Ok(text.to_owned())
}

fn no_control(text: &str) -> Result<(), BadValue> {
    match text.chars().find(|c| c.is_control()) {
        Some(bad) => Err(BadValue::new(
            format!("{text:?} holds the control character {bad:?}"),
            "remove it: this value stands on one line of the init script",
        )),
        None => Ok(()),
    }
}

/// A facility: a service name, or, where `system` allows it, a system facility such as `$network`.
///
/// # Errors
/// [`BadValue`] with what is wrong.
pub fn facility(text: &str, system: bool) -> Result<String, BadValue> {
    let name = match text.strip_prefix('$') {
        Some(_) if !system => {
            return Err(BadValue::new(
                format!("'{text}' is a system facility"),
                "name a service here: system facilities belong to the machine",
            ));
        }
        Some(name) => name,
        None => text,
    };
    let inner = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
    if name.is_empty() || !name.starts_with(|c: char| c.is_ascii_alphanumeric()) || !name.chars().all(inner) {
        return Err(BadValue::new(
            format!("{text:?} is no name of a service or facility"),
            "use letters, digits and . _ + -",
        ));
    }
    Ok(text.to_owned())
}

/// A time limit in whole seconds.
///
/// # Errors
/// [`BadValue`] when it is 0, negative, or longer than [`LONGEST_TIMEOUT`].
pub fn timeout(seconds: i64) -> Result<Duration, BadValue> {
    match u64::try_from(seconds) {
        Ok(seconds) if (1..=LONGEST_TIMEOUT.as_secs()).contains(&seconds) => Ok(Duration::from_secs(seconds)),
        _ => Err(BadValue::new(
            format!("{seconds} seconds are no time limit"),
            format!("use 1 to {}", LONGEST_TIMEOUT.as_secs()),
        )),
    }
}

/// Runlevels to start in: 1 to 5 and S, or none.
///
/// # Errors
/// [`BadValue`] for others, and for 0 and 6, in which services are only ever stopped.
pub fn start_levels(text: &str) -> Result<Runlevels, BadValue> {
    if text.is_empty() {
        return Ok(std::iter::empty().collect());
    }
    let levels = Runlevels::parse(text)
        .map_err(|error| BadValue::new(error.to_string(), "write them as in \"2345\", or \"\" for none"))?;
    if levels.contains(Runlevel::R0) || levels.contains(Runlevel::R6) {
        return Err(BadValue::new(
            format!("a service cannot start in '{text}': 0 halts and 6 reboots"),
            "use some of 1, 2, 3, 4, 5 and S",
        ));
    }
    Ok(levels)
}

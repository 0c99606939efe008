//! The arguments of the verbs that look at services, and of those that wait for one or signal it.

use clap::{Args, ValueEnum};

use crate::cli::Name;
use crate::reference;

// Arguments of `status`.
#[derive(Debug, Args)]
pub struct Status {
    /// The service.
    #[command(flatten)]
    pub service: Name,
    /// Print what each of its workers does, too
    #[arg(long)]
    pub workers: bool,
}

// Arguments of `logs`.
#[derive(Debug, Args)]
pub struct Logs {
    /// The service.
    #[command(flatten)]
    pub service: Name,
    /// Print what comes, too, until interrupted
    #[arg(long, short)]
    pub follow: bool,
    /// At most so many lines, the last ones; all if not given, but 10 with --follow
    #[arg(long, short = 'n', value_name = "N")]
    pub lines: Option<usize>,
    /// Only what was written since then: a time in UTC as in 2026-11-28 16:39, or a time span before now as in 10min
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
}

// Arguments of `list`.
#[derive(Debug, Args)]
pub struct List {
    /// Only services that foobarctl has a service file of
    #[arg(long)]
    pub ours: bool,
}

/// What can be waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Moment {
    /// It can do its work.
    Ready,
    /// It does not run, whatever the reason.
    Stopped,
    /// It has ended as it should not, and is not started again.
    Failed,
}

// Arguments of `wait`.
#[derive(Debug, Args)]
pub struct Await {
    /// The service.
    #[command(flatten)]
    pub service: Name,
    /// What to wait for
    #[arg(long = "for", value_enum, value_name = "STATE", default_value = "ready")]
    pub moment: Moment,
    /// For at most so many seconds; without an end if not given
    #[arg(long, value_name = "SECONDS")]
    pub timeout: Option<u64>,
}

// Arguments of `signal`.
#[derive(Debug, Args)]
pub struct Send {
    /// The signal by its name, such as USR1
    #[arg(value_name = "SIGNAL")]
    pub signal: String,
    /// Name of the service
    #[arg(default_value = reference::NAME)]
    pub name: String,
}

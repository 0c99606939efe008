//! The arguments of `check`.

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use foobar_initscripts::check::rules;

// Arguments of `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Services by name, scripts and service files by a path with a / in it; the whole machine if not given
    #[arg(value_name = "NAME|FILE")]
    pub targets: Vec<String>,
    /// Which findings make the exit code 1: these and all that are worse
    #[arg(long, value_enum, value_name = "SEVERITY", default_value = "error")]
    pub fail_on: FailOn,
    /// Run scripts that nobody but root can write with status, too
    #[arg(long)]
    pub ask: bool,
    /// Print what is behind a code, and check nothing
    #[arg(long, value_name = "CODE", value_parser = codes(), hide_possible_values = true)]
    #[arg(conflicts_with_all = ["targets", "ask", "fail_on"])]
    pub explain: Option<String>,
}

fn codes() -> PossibleValuesParser {
    rules::all().map(|rule| rule.code).collect::<Vec<_>>().into()
}

/// The least severity that `check` fails for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Errors.
    Error,
    /// Warnings and errors.
    Warning,
    /// Everything.
    Note,
    /// Nothing.
    Never,
}

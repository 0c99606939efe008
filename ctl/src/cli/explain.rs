//! The arguments of the verbs that explain the order.

use clap::{Args, ValueEnum};

use crate::cli::Name;

// Arguments of `why`.
#[derive(Debug, Args)]
pub struct Why {
    /// The service.
    #[command(flatten)]
    pub service: Name,
}

// Arguments of `graph`.
#[derive(Debug, Args)]
pub struct Graph {
    /// Only what has to do with this service
    #[arg(value_name = "NAME", required_if_eq_any([("diff", "install"), ("diff", "uninstall"), ("diff", "enable"), ("diff", "disable")]))]
    pub name: Option<String>,
    /// Runlevel to draw, 0 to 6 or S; boot and the default runlevel if not given
    #[arg(long, value_name = "LEVEL")]
    pub runlevel: Option<char>,
    /// Draw what is stopped, not what is started
    #[arg(long)]
    pub stop: bool,
    /// Draw what this verb would change, and touch nothing
    #[arg(long, value_name = "VERB", value_enum)]
    pub diff: Option<Difference>,
}

/// A change to be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Difference {
    /// `install NAME`
    Install,
    /// `uninstall NAME`
    Uninstall,
    /// `enable NAME`
    Enable,
    /// `disable NAME`
    Disable,
}

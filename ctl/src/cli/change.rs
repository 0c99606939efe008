//! The arguments of the verbs that change a tree.

use clap::Args;

use crate::cli::Name;

// Arguments of `install`.
#[derive(Debug, Args)]
pub struct Install {
    /// The service.
    #[command(flatten)]
    pub service: Name,
    /// Runlevels to start in, for example 2345; the service file's if not given
    #[arg(long, value_name = "LEVELS")]
    pub runlevels: Option<String>,
    /// Write an init script that works without foobarctl on the machine
    #[arg(long)]
    pub standalone: bool,
    /// Overwrite what was changed by hand or written by others
    #[arg(long)]
    pub force: bool,
}

// Arguments of `uninstall`.
#[derive(Debug, Args)]
pub struct Uninstall {
    /// The service.
    #[command(flatten)]
    pub service: Name,
    /// Remove files that were changed by hand and logs in a prefix, too
    #[arg(long)]
    pub purge: bool,
    /// Remove an init script that others wrote, too
    #[arg(long)]
    pub force: bool,
}

// Arguments of `enable`.
#[derive(Debug, Args)]
pub struct Enable {
    /// The service.
    #[command(flatten)]
    pub service: Name,
    /// Runlevels to start in; those of its init script's header if not given
    #[arg(long, value_name = "LEVELS")]
    pub runlevels: Option<String>,
}

// Arguments of `disable`.
#[derive(Debug, Args)]
pub struct Disable {
    /// The service.
    #[command(flatten)]
    pub service: Name,
    /// Runlevels not to start in; those of its init script's header if not given
    #[arg(long, value_name = "LEVELS")]
    pub runlevels: Option<String>,
}

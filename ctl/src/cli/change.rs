//! The arguments of the verbs that change a tree.

use clap::Args;

use crate::cli::Name;

// Arguments of `install`.
#[derive(Debug, Args, Default)]
pub struct Install {
    /// Name of the service, or a service file by a path with a / in it; foobar if not given
    #[arg(value_name = "NAME|FILE")]
    pub target: Option<String>,
    /// Runlevels to start in, for example 2345; the service file's if not given
    #[arg(long, value_name = "LEVELS")]
    pub runlevels: Option<String>,
    /// Write an init script that works without foobarctl on the machine
    #[arg(long)]
    pub standalone: bool,
    /// Have init itself start it and keep it running, by an entry in /etc/inittab instead of a script
    #[arg(long, conflicts_with = "standalone")]
    pub respawn: bool,
    /// Overwrite what was changed by hand or written by others
    #[arg(long)]
    pub force: bool,
    /// For the service file that is made of PROGRAM.
    #[command(flatten)]
    pub options: Options,
    /// Make the service file: this program is the service, and no shell looks at its arguments
    #[arg(last = true, value_name = "PROGRAM")]
    pub command: Vec<String>,
}

// Keys of the service file that is made of the command line.
#[derive(Debug, Args, Default)]
#[command(
    next_help_heading = "Keys of the service file that is made of PROGRAM (foobarctl help service-file)"
)]
pub struct Options {
    /// What the service is, in one line
    #[arg(long, value_name = "TEXT", requires = "command")]
    pub description: Option<String>,
    /// How it starts: exec, simple, notify, notify-reload, fd, forking or oneshot
    #[arg(long = "type", value_name = "TYPE", requires = "command")]
    pub kind: Option<String>,
    /// The account to run as
    #[arg(long, value_name = "USER", requires = "command")]
    pub user: Option<String>,
    /// The group to run as
    #[arg(long, value_name = "GROUP", requires = "command")]
    pub group: Option<String>,
    /// The working directory
    #[arg(long, value_name = "DIR", requires = "command")]
    pub working_directory: Option<String>,
    /// A variable of its environment; may be repeated
    #[arg(long, value_name = "NAME=VALUE", requires = "command")]
    pub env: Vec<String>,
    /// A file with variables; may be repeated
    #[arg(long, value_name = "FILE", requires = "command", allow_hyphen_values = true)]
    pub environment_file: Vec<String>,
    /// When it is started again: no, on-failure, always and others; always if not given, but no for oneshot and forking
    #[arg(long, value_name = "RULE", requires = "command")]
    pub restart: Option<String>,
    /// A service or facility to start after; may be repeated
    #[arg(long, value_name = "NAME", requires = "command")]
    pub after: Vec<String>,
    /// A service or facility that must be there; may be repeated
    #[arg(long, value_name = "NAME", requires = "command")]
    pub requires: Vec<String>,
    /// Where a forking program writes its PID
    #[arg(long, value_name = "FILE", requires = "command")]
    pub pid_file: Option<String>,
    /// Any other key; may be repeated
    #[arg(long, value_name = "KEY=VALUE", requires = "command")]
    pub set: Vec<String>,
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

//! The command line of foobard, and nothing done with it: from this one definition come parsing, help,
//! manual page and completions.

use std::path::PathBuf;

use clap::{CommandFactory as _, Parser, ValueEnum};

/// Where the configuration is looked for without `--config`.
pub const CONFIG: &str = "/etc/foobard.toml";
/// Where the PID file is written without `--pid-file`.
pub const PID_FILE: &str = "/var/run/foobar.pid";

/// A well-behaved SysV network daemon: echo (RFC 862) over TCP.
///
/// Without further options it detaches from its caller, and its first process returns when the daemon
/// accepts connections and its PID file is written. HUP reloads the configuration, TERM and INT finish
/// what runs and end, QUIT ends at once, USR1 reopens the log.
#[derive(Debug, Clone, PartialEq, Eq, Parser)]
#[command(name = "foobard", version, max_term_width = 100)]
pub struct Cli {
    /// Configuration to serve by
    #[arg(long, value_name = "FILE", default_value = CONFIG)]
    pub config: PathBuf,

    /// File that holds the PID of the daemon, locked while it lives
    #[arg(long, value_name = "FILE", default_value = PID_FILE)]
    pub pid_file: PathBuf,

    /// Read the configuration, say what is wrong with it, and end
    #[arg(long, conflicts_with_all = ["foreground", "init"])]
    pub check: bool,

    /// Do not detach, and log to standard error (for debugging)
    #[arg(long, conflicts_with = "init")]
    pub foreground: bool,

    /// Do not fork at all, and log to standard error and syslog (for a respawn line of /etc/inittab);
    /// while another foobard runs with the same PID file, wait for its end and take its place
    #[arg(long)]
    pub init: bool,

    /// Print the manual page (for packages)
    #[arg(long, hide = true, exclusive = true)]
    pub manual: bool,

    /// Print what a shell reads to complete these options (for packages)
    #[arg(long, hide = true, exclusive = true, value_enum, value_name = "SHELL")]
    pub completions: Option<Shell>,
}

/// Shells that completions are printed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// GNU bash.
    Bash,
    /// zsh.
    Zsh,
    /// fish.
    Fish,
}

/// The definition itself, for the manual page and the completions.
#[must_use]
pub fn command() -> clap::Command {
    Cli::command()
}

/// The same without the options that only packages use: completions would offer them to everybody.
#[must_use]
pub fn shown() -> clap::Command {
    let whole = command();
    let arguments = whole.get_arguments().filter(|argument| !argument.is_hide_set()).cloned();
    clap::Command::new("foobard").version(env!("CARGO_PKG_VERSION")).args(arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_holds_together() {
        command().debug_assert();
    }

    #[test]
    fn defaults_are_the_documented_paths() {
        let cli = Cli::try_parse_from(["foobard"]).unwrap();
        assert_eq!(cli.config, PathBuf::from(CONFIG));
        assert_eq!(cli.pid_file, PathBuf::from(PID_FILE));
        assert!(!cli.check && !cli.foreground && !cli.init);
    }

    #[test]
    fn what_excludes_each_other_is_refused() {
        for pair in [["--check", "--init"], ["--foreground", "--init"], ["--check", "--foreground"]] {
            assert!(Cli::try_parse_from(["foobard"].iter().chain(&pair)).is_err(), "{pair:?}");
        }
        assert!(Cli::try_parse_from(["foobard", "extra"]).is_err());
    }
}

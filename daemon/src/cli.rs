//! The command line of foobard, and nothing done with it: from this one definition come parsing, help,
//! manual page and completions.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{CommandFactory as _, FromArgMatches as _, Parser, ValueEnum};

/// Where the configuration is looked for without `--config`.
pub const CONFIG: &str = "/etc/foobard.toml";
/// Where the PID file is written without `--pid-file`.
pub const PID_FILE: &str = "/var/run/foobar.pid";

/// A well-behaved SysV network daemon: echo (RFC 862) over TCP.
///
/// Without further options it detaches from its caller, and its first process returns when the daemon
/// accepts connections and its PID file is written. HUP reloads the configuration, TERM and INT finish
/// what runs and end, QUIT ends at once, USR1 reopens the log, USR2 executes the program anew in place.
#[derive(Debug, Clone, PartialEq, Eq, Parser)]
#[command(name = "foobard", version, max_term_width = 100)]
pub struct Cli {
    /// Configuration to serve by
    #[arg(long, value_name = "FILE", default_value = CONFIG)]
    pub config: Option<PathBuf>,

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

/// What differs from daemon to daemon.
#[derive(Debug, Clone)]
pub struct Program {
    /// Its name.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// The sentence of `--help`; foobard's own if none is given.
    pub about: Option<&'static str>,
    /// The default of `--config`; none if there need not be a file.
    pub config: Option<PathBuf>,
    /// The default of `--pid-file`.
    pub pid_file: PathBuf,
}

impl Default for Program {
    /// foobard itself.
    fn default() -> Program {
        Program {
            name: "foobard",
            version: env!("CARGO_PKG_VERSION"),
            about: None,
            config: Some(PathBuf::from(CONFIG)),
            pid_file: PathBuf::from(PID_FILE),
        }
    }
}

/// Reads a command line, whose first word is the name of the program.
///
/// # Errors
/// What is to be printed instead, help and version among it.
pub fn parse(arguments: impl IntoIterator<Item = OsString>, program: &Program) -> Result<Cli, clap::Error> {
    Cli::from_arg_matches(&command(program).try_get_matches_from(arguments)?)
}

/// The definition itself, for parsing and for the manual page.
#[must_use]
pub fn command(program: &Program) -> clap::Command {
    // Made once or twice in the life of a process, and clap wants it for ever.
    let forever = |path: &Path| -> &'static str { path.display().to_string().leak() };
    let mut command = Cli::command().name(program.name).bin_name(program.name).version(program.version);
    if let Some(about) = program.about {
        command = command.about(about).long_about(None);
    }
    command
        .mut_arg("config", |arg| match &program.config {
            Some(path) => arg.default_value(forever(path)),
            None => arg.default_value(None::<&'static str>),
        })
        .mut_arg("pid_file", |arg| arg.default_value(forever(&program.pid_file)))
}

/// The same without the options that only packages use: completions would offer them to everybody.
#[must_use]
pub fn shown(program: &Program) -> clap::Command {
    let whole = command(program);
    let arguments = whole.get_arguments().filter(|argument| !argument.is_hide_set()).cloned();
    clap::Command::new(program.name).version(program.version).args(arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_holds_together() {
        command(&Program::default()).debug_assert();
        command(&Program { config: None, about: Some("x"), ..Program::default() }).debug_assert();
    }

    #[test]
    fn defaults_are_the_documented_paths() {
        let read = |program| parse([OsString::from("foobard")], &program).unwrap();
        let cli = read(Program::default());
        assert_eq!(cli.config, Some(PathBuf::from(CONFIG)));
        assert_eq!(cli.pid_file, PathBuf::from(PID_FILE));
        assert!(!cli.check && !cli.foreground && !cli.init);
        assert_eq!(read(Program { config: None, ..Program::default() }).config, None);
    }

    #[test]
    fn what_excludes_each_other_is_refused() {
        for pair in [["--check", "--init"], ["--foreground", "--init"], ["--check", "--foreground"]] {
            assert!(Cli::try_parse_from(["foobard"].iter().chain(&pair)).is_err(), "{pair:?}");
        }
        assert!(Cli::try_parse_from(["foobard", "extra"]).is_err());
    }
}

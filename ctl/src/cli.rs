//! The command line, once: parsing, `--help`, completions and manual pages all come from these types.
//! Nothing is done here.

mod change;
mod check;
mod explain;
mod file;
mod services;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use foobar_initscripts::layout;

pub use self::change::{Disable, Enable, Install, Uninstall};
pub use self::check::{Check, FailOn};
pub use self::explain::{Difference, Graph, Why};
pub use self::file::{Help, ServiceFile};
pub use self::services::{Await, List, Logs, Moment, Send, Status};
use crate::{reference, texts};

/// Puts programs under SysV init and controls them there.
///
/// A verb without a name means foobar, the reference service. A verb also takes the name of a service
/// that others installed; its own init script then does the work.
#[derive(Debug, Parser)]
#[command(name = "foobarctl", version, subcommand_required = true, disable_help_subcommand = true)]
#[command(subcommand_value_name = "VERB", subcommand_help_heading = "Verbs")]
pub struct Cli {
    /// Options of every verb.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// Options that every verb takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every verb", next_display_order = 100)]
pub struct Global {
    /// Work on the tree of another machine below DIR; nothing in it is started, stopped or signalled
    #[arg(long, global = true, value_name = "DIR", conflicts_with = "prefix")]
    pub root: Option<PathBuf>,
    /// Work on this machine with every path below DIR, for use without root
    #[arg(long, global = true, value_name = "DIR")]
    pub prefix: Option<PathBuf>,
    /// Layout of the tree; found by looking at the tree if not given
    #[arg(long, global = true, value_name = "NAME", value_parser = layouts())]
    pub layout: Option<String>,
    /// Print what would be done, and touch nothing
    #[arg(long, global = true)]
    pub dry_run: bool,
    /// Text for people or JSON for programs
    #[arg(long, global = true, value_enum, default_value = "text")]
    pub format: Format,
    /// Print no results in text, only notes, warnings and errors
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print each step too, to standard error
    #[arg(long, short, global = true)]
    pub verbose: bool,
}

fn layouts() -> PossibleValuesParser {
    layout::ALL.iter().map(|layout| layout.name).collect::<Vec<_>>().into()
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One line for one result.
    Text,
    /// One JSON value for one result.
    Json,
    /// A drawing for dot(1), of `graph`.
    Dot,
    /// A drawing for browsers, of `graph`.
    Svg,
}

// What `Args` has as documentation would replace that of its verb, so the structs below have comments.

// The service that a verb is about.
#[derive(Debug, Args)]
pub struct Name {
    /// Name of the service
    #[arg(default_value = reference::NAME)]
    pub name: String,
}

/// The verbs. Their arguments are defined only when one is used or explained: `status` must be quick.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Verb {
    /// Lay the service's files, init script, links and startpar files into the tree
    ///
    /// foobar comes with its service file and configuration. Any other service needs a service file: the one at its place in
    /// the tree, one that is named, or one that is made of a program and its arguments after --. Nothing is started. Each
    /// file is written as a whole, and an install that was killed is completed by the next one.
    Install(Box<Install>),
    /// Stop the service and take its script, links and unchanged files out of the tree
    ///
    /// What was written or changed by hand stays, and is named.
    Uninstall(Uninstall),
    /// Make the service start at boot
    ///
    /// Its kill links in the runlevels become start links, as with update-rc.d(8). It is not started now.
    Enable(Enable),
    /// Make the service not start at boot
    ///
    /// Its start links in the runlevels become kill links, as with update-rc.d(8). It is not stopped now.
    Disable(Disable),
    /// Start the service; returns when it is ready
    ///
    /// Starting what runs succeeds. A start that fails leaves nothing behind, and its reason goes to standard
    /// error and to syslog.
    Start(Name),
    /// Stop the service; returns when it is gone
    ///
    /// Only the process that is proven to be the service is signalled. One that does not end within the
    /// stop-timeout of its service file is killed, and that is a warning. Stopping what is stopped succeeds.
    Stop(Name),
    /// Stop the service if it runs, then start it
    Restart(Name),
    /// Restart the service if it runs, else leave it alone
    TryRestart(Name),
    /// Make the running service read its configuration again
    Reload(Name),
    /// Reload the service if it runs, or restart it if it cannot reload
    ForceReload(Name),
    /// Execute the program of the running service anew, in place
    ///
    /// For a new version of it: the process, its children and its sockets stay, and no connection is lost. The new
    /// program is rehearsed first; one that cannot take over is refused, and the old one stays.
    Upgrade(Name),
    /// Say whether the service runs
    ///
    /// And since when, and what it uses; of one that can be asked, its figures. Everybody may ask, but figures are
    /// for those who may control it.
    Status(Status),
    /// Print what a service writes
    ///
    /// Of a service that runs under the supervisor: from its log file and the old ones beside it, or, when its log goes to
    /// syslog alone, the last lines, which are kept for this. Each line has a stamp in UTC and a level.
    Logs(Logs),
    /// List the processes of the service
    ///
    /// As a tree, with what each has used so far. Whatever a service has started belongs to it, wherever it has gone.
    Ps(Name),
    /// Wait until the service is ready, stopped or has failed
    Wait(Await),
    /// Send a signal to the main process of the service
    Signal(Send),
    /// Say how long the services took to start
    ///
    /// From the call of their last start until they were ready, the longest first; of those that a supervisor holds.
    Blame,
    /// List every service of the machine
    ///
    /// With the runlevels that it is started and stopped in and, of services that foobarctl has a service file of,
    /// whether it runs.
    List(List),
    /// Say why a script has its number in the order of start and stop
    ///
    /// The chain of scripts that come before it, and for each the line of a header that asks for it. Scripts that wait
    /// for each other are named with a way out.
    Why(Why),
    /// Draw the order of start or stop
    ///
    /// Grouped by number: what has the same may run at the same time. As a tree, or with --format svg or dot as a
    /// drawing; of a whole runlevel, or of what has to do with one service; or what a change would make of it.
    Graph(Graph),
    /// Look for faults in init scripts, links and service files
    ///
    /// By itself, the whole machine; or some services by name; or files, which need not be installed. Nothing is
    /// changed.
    Check(Check),
    /// Print the service file, or the init script of a service that has none
    Cat(ServiceFile),
    /// Edit the service file
    ///
    /// With $VISUAL or $EDITOR, on a copy. What comes of it is checked before it takes the place of the old one; one with a
    /// fault never does.
    Edit(ServiceFile),
    /// Explain a verb, or the keys of service files
    Help(Help),
    /// Print the completions of a shell
    Completions(Completions),
    /// Write the manual pages
    Man(Man),
}

// Arguments of `completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Shells that completions are printed for.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Shell {
    /// GNU bash.
    Bash,
    /// zsh.
    Zsh,
    /// fish.
    Fish,
}

// Arguments of `man`.
#[derive(Debug, Args)]
pub struct Man {
    /// Directory of the tree to write the pages to; must exist
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
}

/// The definition with the long texts, which parsing a verb does not need.
pub fn full() -> clap::Command {
    let mut command = Cli::command().after_long_help(texts::help(None));
    let verbs: Vec<String> = command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    for name in verbs {
        let more = texts::help(Some(&name));
        command = command.mut_subcommand(name, |verb| verb.after_long_help(more));
    }
    command
}

/// The long help on a verb, or on foobarctl; none if there is no such verb.
pub fn long_help(verb: Option<&str>) -> Option<String> {
    let mut command = full();
    command.build();
    match verb {
        None => Some(command.render_long_help().to_string()),
        Some(verb) => command.find_subcommand_mut(verb).map(|verb| verb.render_long_help().to_string()),
    }
}

/// The verbs that init scripts call, with nothing but a name.
type Plain = fn(Name) -> Verb;
const PLAIN: [(&str, Plain); 7] = [
    ("status", |service| Verb::Status(Status { service, workers: false })),
    ("start", Verb::Start),
    ("stop", Verb::Stop),
    ("restart", Verb::Restart),
    ("try-restart", Verb::TryRestart),
    ("reload", Verb::Reload),
    ("force-reload", Verb::ForceReload),
];

/// Reads `[--quiet] [--prefix DIR] VERB [NAME]`, the lines that init scripts consist of, without building the
/// definition of all the others: that would cost more than the whole of `status`. A test holds it against
/// the definition.
fn plain(arguments: &[OsString]) -> Option<Cli> {
    let (quiet, rest) = match arguments.get(1..)? {
        [option, rest @ ..] if option == "--quiet" || option == "-q" => (true, rest),
        rest => (false, rest),
    };
    let (prefix, verb, name) = match rest {
        [option, prefix, verb, name @ ..] if option == "--prefix" => (Some(prefix), verb, name),
        [verb, name @ ..] => (None, verb, name),
        [] => return None,
    };
    let option_like = |text: &OsString| text.is_empty() || text.as_encoded_bytes().starts_with(b"-");
    if name.len() > 1 || name.iter().chain(prefix).any(option_like) {
        return None;
    }
    let (_, make) = PLAIN.iter().find(|(word, _)| verb == word)?;
    let name = name.first().map_or(Some(reference::NAME), |name| name.to_str())?.to_owned();
    let global = Global {
        root: None,
        prefix: prefix.map(PathBuf::from),
        layout: None,
        dry_run: false,
        format: Format::Text,
        quiet,
        verbose: false,
    };
    Some(Cli { global, verb: make(Name { name }) })
}

/// Reads the command line.
///
/// # Errors
/// Bad usage, and also help and version, which clap treats as errors that print to standard output.
pub fn parse(arguments: &[OsString]) -> Result<Cli, clap::Error> {
    if let Some(cli) = plain(arguments) {
        return Ok(cli);
    }
    Cli::try_parse_from(arguments).map_err(|error| match error.kind() {
        clap::error::ErrorKind::DisplayHelp => full().try_get_matches_from(arguments).err().unwrap_or(error),
        _ => error,
    })
}

/// Whether a command line that could not be read asks for `status`, whose exit codes mean something else.
pub fn asks_status(arguments: &[OsString]) -> bool {
    let lenient = Cli::command().ignore_errors(true).try_get_matches_from(arguments);
    lenient.is_ok_and(|found| found.subcommand_name() == Some("status"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Cli, clap::Error> {
        parse(&line.split_whitespace().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn the_definition_is_consistent() {
        full().debug_assert();
    }

    #[test]
    fn the_short_way_reads_what_the_definition_reads() {
        for (verb, _) in PLAIN {
            for line in [
                "V",
                "V x",
                "V stop",
                "--prefix /p V",
                "--prefix /p V x",
                "--prefix stop V V",
                "-q V",
                "--quiet V x",
            ] {
                let line = format!("foobarctl {}", line.replace('V', verb));
                let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
                let (short, long) = (plain(&words).unwrap(), Cli::try_parse_from(&words).unwrap());
                assert_eq!(format!("{short:?}"), format!("{long:?}"));
            }
        }
        for line in
            ["", "foobarctl", "foobarctl status -x", "foobarctl status a b", "foobarctl --prefix -p status x"]
        {
            let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
            assert!(plain(&words).is_none(), "{line}");
        }
        assert!(plain(&["foobarctl".into(), "status".into(), "".into()]).is_none());
    }

    #[test]
    fn a_verb_without_a_name_means_the_reference_service() {
        let cli = parsed("foobarctl status --format json").unwrap();
        assert!(matches!(cli.verb, Verb::Status(status) if status.service.name == "foobar"));
        assert_eq!(cli.global.format, Format::Json);
    }

    #[test]
    fn bad_usage_ends_with_code_2_and_help_with_0() {
        for line in ["foobarctl", "foobarctl frobnicate", "foobarctl stop a b", "foobarctl -q -v status"] {
            assert_eq!(parsed(line).unwrap_err().exit_code(), 2, "{line}");
        }
        let help = parsed("foobarctl status --help").unwrap_err();
        assert_eq!(help.exit_code(), 0);
        assert!(help.to_string().contains("cpu_time"), "{help}");
    }
}

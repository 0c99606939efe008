//! The foobarctl binary: reads the command line, has the verb carried out, and turns its end into one
//! line and an LSB exit code.
#![forbid(unsafe_code)]

mod apply;
mod cli;
mod clock;
mod command;
mod context;
mod control;
mod enabled;
mod failure;
mod gather;
mod inspect;
mod insserv;
mod journal;
mod launch;
mod lock;
mod machine;
mod output;
mod reference;
mod root;
mod scripts;
mod sources;
mod supervisor;
mod survey;
mod sys;
mod target;
mod texts;

use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use cli::{Cli, Format, Verb};
use command::lifecycle;
use context::Context;
use failure::Failure;
use foobar_initscripts::exit::{Action, Status};

#[global_allocator]
static MEMORY: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    sys::umask::set();
    let arguments: Vec<_> = std::env::args_os().collect();
    if arguments.first().is_some_and(|own| Path::new(own).file_name() == Some(OsStr::new("insserv"))) {
        let code = not_set_user_id().map(|()| insserv::run(arguments));
        return ExitCode::from(code.unwrap_or_else(|error| {
            output::complain(format_args!("{error:#}"));
            Action::Error.code()
        }));
    }
    if arguments.first().is_some_and(|own| own == supervisor::begin::NAME) {
        return ExitCode::from(supervisor::begin::supervise(&arguments));
    }
    let cli = match cli::parse(&arguments) {
        Ok(cli) => cli,
        Err(told) => return ExitCode::from(explain(&told, &arguments)),
    };
    let is_status = matches!(cli.verb, Verb::Status(_));
    match carry_out(cli) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            output::complain(format_args!("{error:#}"));
            // The codes of `status` have meanings of their own; whatever failed, the state is unknown.
            let code = if is_status { Status::Unknown.code() } else { Failure::action_of(&error).code() };
            ExitCode::from(code)
        }
    }
}

/// Prints help to standard output, or what is wrong with the command line to standard error.
fn explain(told: &clap::Error, arguments: &[OsString]) -> u8 {
    let printed = told.print();
    match (told.exit_code(), printed) {
        (0, Err(error)) if error.kind() != ErrorKind::BrokenPipe => Action::Error.code(),
        (0, _) => Action::Ok.code(),
        (_, _) if cli::asks_status(arguments) => Status::Unknown.code(),
        (_, _) => Action::Usage.code(),
    }
}

fn not_set_user_id() -> Result<()> {
    if machine::is_set_user_id() {
        return Err(Failure::error(
            Action::Permission,
            "foobarctl does not run set-user-id: take the bit off (chmod ug-s), and use sudo",
        ));
    }
    Ok(())
}

fn carry_out(cli: Cli) -> Result<u8> {
    not_set_user_id()?;
    let draws = matches!(cli.global.format, Format::Dot | Format::Svg);
    if draws && !matches!(cli.verb, Verb::Graph(_)) {
        return Err(Failure::error(Action::Usage, "--format dot and svg are for graph: use text or json"));
    }
    let context = Context::new(cli.global)?;
    let action = match cli.verb {
        Verb::Check(arguments) => return command::check::run(&context, &arguments),
        Verb::Status(status) => {
            return command::status::run(&context, &status.service.name, status.workers);
        }
        Verb::Upgrade(name) => return command::upgrade::run(&context, &name.name),
        Verb::Start(name) => return lifecycle::start(&context, &name.name),
        Verb::Stop(name) => return lifecycle::stop(&context, &name.name),
        Verb::Restart(name) => return lifecycle::restart(&context, &name.name),
        Verb::TryRestart(name) => return lifecycle::try_restart(&context, &name.name),
        Verb::Reload(name) => return lifecycle::reload(&context, &name.name),
        Verb::ForceReload(name) => return lifecycle::force_reload(&context, &name.name),
        Verb::Signal(send) => command::signal::run(&context, &send)?,
        Verb::Wait(arguments) => command::wait::run(&context, &arguments)?,
        Verb::Ps(name) => command::ps::run(&context, &name.name)?,
        Verb::Blame => command::blame::run(&context)?,
        Verb::Install(arguments) => command::install::run(&context, &arguments)?,
        Verb::Uninstall(arguments) => command::uninstall::run(&context, &arguments)?,
        Verb::Enable(arguments) => command::enable::enable(&context, &arguments)?,
        Verb::Disable(arguments) => command::enable::disable(&context, &arguments)?,
        Verb::List(arguments) => command::list::run(&context, &arguments)?,
        Verb::Why(arguments) => command::why::run(&context, &arguments)?,
        Verb::Logs(arguments) => command::logs::run(&context, &arguments)?,
        Verb::Graph(arguments) => command::graph::run(&context, &arguments)?,
        Verb::Cat(arguments) => command::cat::run(&context, &arguments)?,
        Verb::Edit(arguments) => command::edit::run(&context, &arguments)?,
        Verb::Help(arguments) => command::help::run(&arguments)?,
        Verb::Completions(arguments) => command::completions::run(&context, arguments.shell)?,
        Verb::Man(arguments) => command::man::run(&context, &arguments.directory)?,
    };
    Ok(action.code())
}

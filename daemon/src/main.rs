//! The foobard binary: options to server to exit code. All else is in the library.
#![forbid(unsafe_code)]

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use foobard::cli::Cli;
use foobard::config::Config;
use foobard::exit::{Exit, Failure};
use foobard::manual;
use foobard::server::{self, Mode, Options, Outcome};
use foobard::service::build::service;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(message) => {
            // Help and version go to standard output; a closed pipe there is no reason to panic.
            let _ = message.print();
            let exit = if message.use_stderr() { Exit::Usage } else { Exit::Ok };
            return ExitCode::from(exit.code());
        }
    };
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            for line in failure.reason.lines() {
                // Not eprintln!, which panics where nobody reads.
                let _ = writeln!(io::stderr(), "foobard: {line}");
            }
            ExitCode::from(failure.code)
        }
    }
}

fn run(cli: &Cli) -> Result<(), Failure> {
    if cli.manual {
        return print(manual::page());
    }
    if let Some(shell) = cli.completions {
        return print(manual::completions(shell));
    }
    let mode = match cli {
        Cli { foreground: true, .. } => Mode::Foreground,
        Cli { init: true, .. } => Mode::Init,
        _ => Mode::Detached,
    };
    let options = Options {
        config: Some(cli.config.clone()),
        defaults: Config::default(),
        settings: false,
        pid_file: cli.pid_file.clone(),
        mode,
    };
    if cli.check {
        for remark in server::check(&options, &service)? {
            say(&format!("{}: {remark}", cli.config.display()));
        }
        say(&format!("{}: configuration is good", cli.config.display()));
        return Ok(());
    }
    if let Outcome::AlreadyRunning(pid) = server::run(&options, &service)? {
        say(&format!("foobard is already running (PID {pid})"));
    }
    Ok(())
}

/// What is to become a file: a full disk is told. A reader that has seen enough is no failure.
fn print(text: io::Result<String>) -> Result<(), Failure> {
    let mut output = io::stdout().lock();
    match text.and_then(|text| output.write_all(text.as_bytes()).and_then(|()| output.flush())) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::io("cannot write to standard output", &error))
        }
        _ => Ok(()),
    }
}

fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

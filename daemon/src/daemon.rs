//! A daemon of your own: its name, its defaults, its service; the rest is the configuration's and the caller's.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use crate::cli::{self, Cli, Program};
use crate::config::{Config, Server};
use crate::exit::{Exit, Failure};
use crate::handler::{Handler, Services};
use crate::manual;
use crate::server::{self, Mode, Options, Outcome};

/// A network daemon in the making.
///
/// What can be said in the configuration file is said here by the same names: as fields of [`Config`] and [`Server`],
/// which are the defaults of the file.
#[derive(Debug, Clone)]
pub struct Daemon {
    program: Program,
    defaults: Config,
    settings: bool,
}

impl Daemon {
    /// A daemon with this name: it stands before each line of the log, in `/etc/NAME.toml` and in
    /// `/var/run/NAME.pid`.
    #[must_use]
    pub fn new(name: &'static str) -> Daemon {
        let program = Program {
            name,
            about: Some("A network daemon"),
            config: Some(PathBuf::from(format!("/etc/{name}.toml"))),
            pid_file: PathBuf::from(format!("/var/run/{name}.pid")),
            ..Program::default()
        };
        Daemon { program, defaults: Config { name, ..Config::default() }, settings: false }
    }

    /// foobard itself.
    #[must_use]
    pub fn foobard() -> Daemon {
        Daemon { program: Program::default(), defaults: Config::default(), settings: false }
    }

    /// A sentence for `--help`.
    #[must_use]
    pub fn about(mut self, about: &'static str) -> Daemon {
        self.program.about = Some(about);
        self
    }

    /// Its version, for `--version`: that of foobard if not given.
    #[must_use]
    pub fn version(mut self, version: &'static str) -> Daemon {
        self.program.version = version;
        self
    }

    /// Where the PID file is written without `--pid-file`.
    #[must_use]
    pub fn pid_file(mut self, path: impl Into<PathBuf>) -> Daemon {
        self.program.pid_file = path.into();
        self
    }

    /// The configuration file without `--config`. None: there need not be one, and the defaults are all.
    #[must_use]
    pub fn config(mut self, path: Option<PathBuf>) -> Daemon {
        self.program.config = path;
        self
    }

    /// What counts where the configuration file says nothing. The first of its servers is the pattern of those in the
    /// file.
    #[must_use]
    pub fn defaults(mut self, defaults: Config) -> Daemon {
        self.defaults = Config { name: self.program.name, ..defaults };
        self
    }

    /// The same for the one server of most daemons.
    #[must_use]
    pub fn server(mut self, server: Server) -> Daemon {
        self.defaults.servers = vec![server];
        self
    }

    /// Lets the configuration file have a table `[settings]` with keys of your own: see
    /// [`Settings::read`](crate::config::Settings::read).
    #[must_use]
    pub fn with_settings(mut self) -> Daemon {
        self.settings = true;
        self
    }

    /// Reads the command line of this process, which is that of foobard, and does what it says: to be called by `main`, before
    /// any thread is started, and to end with what it returns. In a detached start this returns in two processes.
    #[must_use]
    pub fn main(self, services: Services<'_>) -> ExitCode {
        self.main_with(std::env::args_os(), services)
    }

    /// [`Daemon::main`] for a daemon with one service: the same for all servers of the configuration.
    #[must_use]
    pub fn serve(self, handler: impl Handler + 'static) -> ExitCode {
        let handler: Arc<dyn Handler> = Arc::new(handler);
        self.main(&|_: &Server| Ok(Arc::clone(&handler)))
    }

    /// [`Daemon::main`] with a command line of the caller's; its first word is the name of the program.
    #[must_use]
    pub fn main_with(
        self,
        arguments: impl IntoIterator<Item = OsString>,
        services: Services<'_>,
    ) -> ExitCode {
        let cli = match cli::parse(arguments, &self.program) {
            Ok(cli) => cli,
            Err(message) => {
                // Help and version go to standard output; a closed pipe there is no reason to panic.
                let _ = message.print();
                let exit = if message.use_stderr() { Exit::Usage } else { Exit::Ok };
                return ExitCode::from(exit.code());
            }
        };
        let name = self.program.name;
        match self.run(cli, services) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => {
                for line in failure.reason.lines() {
                    // Not eprintln!, which panics where nobody reads.
                    let _ = writeln!(io::stderr(), "{name}: {line}");
                }
                ExitCode::from(failure.code)
            }
        }
    }

    fn run(self, cli: Cli, services: Services<'_>) -> Result<(), Failure> {
        if cli.manual {
            return print(manual::page(&self.program));
        }
        if let Some(shell) = cli.completions {
            return print(manual::completions(shell, &self.program));
        }
        let mode = match cli {
            Cli { foreground: true, .. } => Mode::Foreground,
            Cli { init: true, .. } => Mode::Init,
            _ => Mode::Detached,
        };
        let Daemon { program, defaults, settings } = self;
        let options = Options { config: cli.config, defaults, settings, pid_file: cli.pid_file, mode };
        if cli.check {
            let file =
                options.config.as_ref().map_or(program.name.to_owned(), |file| file.display().to_string());
            for remark in server::check(&options, services)? {
                say(&format!("{file}: {remark}"));
            }
            say(&format!("{file}: configuration is good"));
            return Ok(());
        }
        if let Outcome::AlreadyRunning(pid) = server::run(&options, services)? {
            say(&format!("{} is already running (PID {pid})", program.name));
        }
        Ok(())
    }
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

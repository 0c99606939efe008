//! The two servers of each model: foobard as it is shipped, and the bare loop in C.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use foobar_tests::{Sandbox, free_port, shipped, source_tree};

use super::answer;
use super::cores::Cores;
use super::exchange::Exchange;
use super::launch::Server;

/// Processes or threads of the pools.
pub const WORKERS: usize = 8;
/// Connections that may be served, and that may wait.
pub const CONNECTIONS: usize = 16_384;
/// Connections that may wait to be accepted: the default of net.core.somaxconn.
pub const BACKLOG: usize = 4_096;

/// A process model, by the name that foobard's configuration and the reference know.
#[derive(Debug, Clone, Copy)]
pub struct Model {
    /// The name.
    pub name: &'static str,
    /// How many connections can be held at once without one waiting for the end of another.
    pub holds: usize,
    /// What it needs beside its name in foobard's configuration.
    keys: &'static str,
}

/// All of them, in the order of the article, the modern way last. The pools are of [`WORKERS`], neither more nor less.
/// Delayed allocation takes its delay (20 ms in both) for each connection that is held, so that a large crowd gathers for
/// ever.
pub const MODELS: [Model; 7] = [
    Model { name: "iterative", holds: 1, keys: "" },
    Model { name: "fork", holds: usize::MAX, keys: "" },
    Model {
        name: "prefork",
        holds: WORKERS,
        keys: "start-workers = 8\nmin-spare = 1\nmax-spare = 8\nmax-workers = 8\n",
    },
    Model { name: "delayed", holds: 20, keys: "" },
    Model { name: "threads", holds: usize::MAX, keys: "" },
    Model { name: "prethreaded", holds: WORKERS, keys: "threads = 8\n" },
    Model { name: "event", holds: usize::MAX, keys: "event-workers = 1\n" },
];

/// What all servers are started from.
#[derive(Debug)]
pub struct Workshop {
    /// Configurations, outputs and programs built here.
    pub sandbox: Sandbox,
    /// Who runs where.
    pub cores: Cores,
    /// The program that super-servers execute.
    pub echo: PathBuf,
    foobard: PathBuf,
    reference: PathBuf,
}

impl Workshop {
    /// Builds the programs in C, and foobard unless there is one to be measured already.
    ///
    /// # Errors
    /// What the compiler said.
    pub fn new(cores: Cores, foobard: Option<&Path>) -> Result<Workshop, String> {
        let sandbox = Sandbox::new("bench-models");
        let sources = source_tree().join("daemon/benches/models");
        let reference = sandbox.path().join("reference");
        let echo = sandbox.path().join("echo");
        compile(&["-pthread"], &sources.join("reference.c"), &reference)?;
        let bare = ["-static", "-nostdlib", "-ffreestanding", "-fno-stack-protector"];
        // Another processor than those whose system calls are written down there: then with a C library.
        compile(&bare, &sources.join("echo.c"), &echo)
            .or_else(|_| compile(&["-DHOSTED"], &sources.join("echo.c"), &echo))?;
        let foobard = foobard.map_or_else(|| shipped().join("foobard"), Path::to_owned);
        Ok(Workshop { sandbox, cores, echo, foobard, reference })
    }

    /// The program under test.
    #[must_use]
    pub fn foobard(&self) -> &Path {
        &self.foobard
    }

    /// Starts the bare loop of `model`, or of "exec".
    ///
    /// # Errors
    /// Why it does not run.
    pub fn reference(&self, model: &str) -> Result<Server, String> {
        let port = free_port();
        let command = [
            self.reference.clone().into_os_string(),
            model.into(),
            port.to_string().into(),
            WORKERS.to_string().into(),
            self.echo.clone().into_os_string(),
        ];
        self.start("C", &command, port, &Exchange::Echo)
    }

    /// Starts foobard with `model`; `program` is executed for each connection if there is one.
    ///
    /// # Errors
    /// Why this build does not do that, or does not run.
    pub fn foobard_with(&self, model: &Model, program: Option<&Path>) -> Result<Server, String> {
        let port = free_port();
        let mut text = format!(
            "listen = \"127.0.0.1:{port}\"\nmodel = \"{}\"\nmax-connections = {CONNECTIONS}\n\
             backlog = {BACKLOG}\nlog = \"stderr\"\n{}",
            model.name, model.keys
        );
        if let Some(program) = program {
            let _ = writeln!(text, "service = \"exec\"\nprogram = \"{}\"", program.display());
        }
        let program = vec![self.foobard.clone().into_os_string()];
        self.start_ours("foobard", program, (port, &text), &Exchange::Echo)
    }

    /// Starts the HTTP server of foobard's library with `model`.
    ///
    /// # Errors
    /// Why it does not run.
    pub fn answerer(&self, model: &Model, exchange: &Exchange) -> Result<Server, String> {
        let port = free_port();
        let text = format!(
            "listen = \"127.0.0.1:{port}\"\nmodel = \"{}\"\nmax-connections = {CONNECTIONS}\n\
             backlog = {BACKLOG}\nlog = \"stderr\"\n{}",
            model.name, model.keys
        );
        let own = std::env::current_exe().map_err(|error| format!("cannot find itself: {error}"))?;
        let program = vec![own.into_os_string(), answer::WORD.into()];
        self.start_ours(&format!("foobard, {}", model.name), program, (port, &text), exchange)
    }

    fn start_ours(
        &self,
        name: &str,
        program: Vec<OsString>,
        (port, text): (u16, &str),
        exchange: &Exchange,
    ) -> Result<Server, String> {
        let config = self.write(&format!("foobard-{port}.toml"), text)?;
        let option = |name: &str| OsString::from(name);
        let mut command = program;
        command.extend([option("--config"), config.into()]);
        check(&command)?;
        command.extend([option("--foreground"), option("--pid-file")]);
        command.push(self.sandbox.path().join(format!("foobard-{port}.pid")).into());
        self.start(name, &command, port, exchange)
    }

    /// Starts any server of ours or of others.
    ///
    /// # Errors
    /// Why it does not run.
    pub fn start(
        &self,
        name: &str,
        command: &[OsString],
        port: u16,
        exchange: &Exchange,
    ) -> Result<Server, String> {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        Server::start(name, self.cores.server, command, address, exchange, self.sandbox.path())
    }

    /// Writes a configuration file that servers of root believe.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(&self, name: &str, text: &str) -> Result<PathBuf, String> {
        let path = self.sandbox.path().join(name);
        fs::write(&path, text)
            .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o644)))
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        Ok(path)
    }
}

/// Asks foobard whether it could serve by this configuration.
fn check(command: &[OsString]) -> Result<(), String> {
    let output = run(Command::new(&command[0]).args(&command[1..]).arg("--check"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    // The path of a file that is gone after the run helps nobody.
    let line = text.lines().next().unwrap_or("--check fails without a word");
    Err(line.split_once(".toml:").map_or(line, |(_, rest)| rest).to_owned())
}

fn compile(flags: &[&str], source: &Path, program: &Path) -> Result<(), String> {
    let output = run(Command::new("cc").args(["-O2", "-o"]).arg(program).args(flags).arg(source))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("cc {}: {}", source.display(), String::from_utf8_lossy(&output.stderr)))
}

fn run(command: &mut Command) -> Result<Output, String> {
    command
        .output()
        .map_err(|error| format!("cannot run {}: {error}", command.get_program().to_string_lossy()))
}

//! Who is measured. Each supervisor gets a directory with its services, numbered from 0; all hold the same program.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child as Process, Command, Stdio};
use std::time::Duration;

use foobar_tests::{shipped, until};

use super::child::Child;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Foobarctl,
    Runsv,
    S6,
    Daemontools,
    OpenRc,
    Supervisord,
}

impl Who {
    const ALL: [Who; 6] =
        [Who::Foobarctl, Who::Runsv, Who::S6, Who::Daemontools, Who::OpenRc, Who::Supervisord];

    const fn name(self) -> &'static str {
        match self {
            Who::Foobarctl => "foobarctl",
            Who::Runsv => "runsv",
            Who::S6 => "s6",
            Who::Daemontools => "daemontools",
            Who::OpenRc => "openrc",
            Who::Supervisord => "supervisord",
        }
    }

    /// Its program, and the package of Debian that has it.
    const fn program(self) -> (&'static str, &'static str) {
        match self {
            Who::Foobarctl => ("foobarctl", "foobarctl"),
            Who::Runsv => ("runsv", "runit"),
            Who::S6 => ("s6-supervise", "s6"),
            Who::Daemontools => ("supervise", "daemontools"),
            Who::OpenRc => ("supervise-daemon", "openrc"),
            Who::Supervisord => ("supervisord", "supervisor"),
        }
    }
}

/// A supervisor with its services.
pub struct Peer {
    who: Who,
    program: PathBuf,
    directory: PathBuf,
    child: PathBuf,
    fifo: PathBuf,
    services: usize,
    /// Those that do not go into the background.
    held: Vec<Process>,
}

/// All that can be had here; names what cannot.
pub fn all(directory: &Path, child: &Child) -> Vec<Peer> {
    let mut found = Vec::new();
    for who in Who::ALL {
        let (name, package) = who.program();
        let program = if who == Who::Foobarctl { Some(shipped().join(name)) } else { find(name) };
        match program {
            Some(program) => found.push(Peer {
                who,
                program,
                directory: directory.join(who.name()),
                child: child.program.clone(),
                fifo: child.fifo.clone(),
                services: 0,
                held: Vec::new(),
            }),
            None => println!("not here, so not compared: {name} (package {package})"),
        }
    }
    found
}

/// A program in PATH or /sbin.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    places.push(PathBuf::from("/sbin"));
    places.into_iter().map(|place| place.join(program)).find(|path| path.is_file())
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent)
        .and_then(|()| fs::write(path, text))
        .map_err(|error| format!("{}: {error}", path.display()))
}

impl Peer {
    pub const fn name(&self) -> &'static str {
        self.who.name()
    }

    pub fn is_ours(&self) -> bool {
        self.who == Who::Foobarctl
    }

    pub const fn services(&self) -> usize {
        self.services
    }

    fn service(&self, number: usize) -> String {
        format!("{}.{number}", self.name())
    }

    /// Starts it with so many services.
    pub fn start(&mut self, services: usize) -> Result<(), String> {
        self.services = services;
        match self.who {
            Who::Supervisord => return self.start_supervisord(),
            Who::OpenRc => {
                for directory in ["/run/openrc/options", "/run/openrc/daemons"] {
                    fs::create_dir_all(directory).map_err(|error| format!("{directory}: {error}"))?;
                }
            }
            Who::Foobarctl => {
                for directory in ["var/run", "run/foobar"] {
                    fs::create_dir_all(self.directory.join(directory)).map_err(|error| error.to_string())?;
                }
            }
            _ => {}
        }
        for number in 0..services {
            self.start_service(number)?;
        }
        Ok(())
    }

    fn start_service(&mut self, number: usize) -> Result<(), String> {
        let service = self.service(number);
        let (child, fifo) = (text(&self.child), text(&self.fifo));
        match self.who {
            Who::Foobarctl => {
                let file = self.directory.join(format!("etc/foobar/{service}.toml"));
                let lines = [
                    format!("program = {child:?}"),
                    format!("arguments = [{fifo:?}, {service:?}]"),
                    format!("pid-file = {:?}", self.directory.join(format!("var/run/{service}.pid"))),
                    "type = \"exec\"\nrestart = \"always\"\nrestart-delay = 0\nstart-limit-burst = 0"
                        .to_owned(),
                ];
                write(&file, &(lines.join("\n") + "\n"))?;
                self.run(&self.verb(number, "start"))
            }
            Who::OpenRc => self.run(&self.verb(number, "start")),
            _ => {
                let directory = self.directory.join(&service);
                let script = directory.join("run");
                write(&script, &format!("#!/bin/sh\nexec {child} {fifo} {service}\n"))?;
                fs::set_permissions(&script, fs::Permissions::from_mode(0o755))
                    .map_err(|error| format!("{}: {error}", script.display()))?;
                self.hold(&[text(&directory)])
            }
        }
    }

    fn start_supervisord(&mut self) -> Result<(), String> {
        let place = text(&self.directory);
        let mut config = format!(
            "[supervisord]\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile={place}/pid\nchildlogdir={place}\n\
             minfds=2048\n[unix_http_server]\nfile={place}/sock\n[supervisorctl]\nserverurl=unix://{place}/sock\n\
             [rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = \
             supervisor.rpcinterface:make_main_rpcinterface\n"
        );
        for number in 0..self.services {
            let service = self.service(number);
            config.push_str(&format!(
                "[program:{service}]\ncommand={} {} {service}\nautorestart=true\nstartsecs=0\n\
                 stdout_logfile=NONE\nstderr_logfile=NONE\n",
                text(&self.child),
                text(&self.fifo)
            ));
        }
        let file = self.directory.join("supervisord.conf");
        write(&file, &config)?;
        self.hold(&["-n".to_owned(), "-c".to_owned(), text(&file)])
    }

    /// Runs it as a child of ours.
    fn hold(&mut self, arguments: &[String]) -> Result<(), String> {
        let mut command = Command::new(&self.program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.held.push(command.spawn().map_err(|error| format!("{command:?}: {error}"))?);
        Ok(())
    }

    fn run(&self, words: &[String]) -> Result<(), String> {
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).envs(self.environment(words)).stdin(Stdio::null());
        let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim_end()))
    }

    /// What a command of its verbs needs in its environment.
    pub fn environment(&self, words: &[String]) -> Option<(&'static str, String)> {
        // supervise-daemon believes a name only from a script of OpenRC.
        (self.who == Who::OpenRc).then(|| ("RC_SVCNAME", words[1].clone()))
    }

    /// The command that does something with a service.
    fn verb(&self, number: usize, verb: &str) -> Vec<String> {
        let service = self.service(number);
        let directory = text(&self.directory.join(&service));
        let words: Vec<String> = match self.who {
            Who::Foobarctl => vec!["--prefix".to_owned(), text(&self.directory), verb.to_owned(), service],
            Who::OpenRc => {
                let pid_file = format!("/run/foobar-bench-{service}.pid");
                let mut words = vec![service.clone(), format!("--{verb}"), "--pidfile".to_owned(), pid_file];
                if verb == "start" {
                    words.extend(["--respawn-max", "0"].map(str::to_owned));
                    words.extend([text(&self.child), "--".to_owned(), text(&self.fifo), service]);
                }
                words
            }
            Who::S6 => {
                let options = if verb == "start" { ["-wu", "-u"] } else { ["-wD", "-d"] };
                options.map(str::to_owned).into_iter().chain([directory]).collect()
            }
            Who::Runsv => ["-w5", if verb == "start" { "start" } else { "stop" }]
                .map(str::to_owned)
                .into_iter()
                .chain([directory])
                .collect(),
            Who::Daemontools | Who::Supervisord => Vec::new(),
        };
        let program = match self.who {
            Who::S6 => find("s6-svc").unwrap_or_default(),
            Who::Runsv => find("sv").unwrap_or_default(),
            _ => self.program.clone(),
        };
        std::iter::once(text(&program)).chain(words).collect()
    }

    /// The commands that start and stop its last service and return when that is so, if it has such.
    pub fn verbs(&self) -> Option<[Vec<String>; 2]> {
        // svc does not wait at all, and supervisorctl is a program in Python whose start-up is all that would be seen.
        let waits = !matches!(self.who, Who::Daemontools | Who::Supervisord);
        waits.then(|| ["start", "stop"].map(|verb| self.verb(self.services - 1, verb)))
    }

    fn pid_file(&self, number: usize) -> Option<PathBuf> {
        let service = self.service(number);
        match self.who {
            Who::Foobarctl => Some(self.directory.join(format!("var/run/{service}.pid"))),
            Who::OpenRc => Some(PathBuf::from(format!("/run/foobar-bench-{service}.pid"))),
            _ => None,
        }
    }

    /// Its processes, without the services.
    pub fn supervisors(&self) -> Vec<i32> {
        let written = (0..self.services)
            .filter_map(|number| fs::read_to_string(self.pid_file(number)?).ok()?.trim().parse().ok());
        self.held.iter().filter_map(|held| i32::try_from(held.id()).ok()).chain(written).collect()
    }
}

impl Drop for Peer {
    /// Ends what was started: each supervisor by its own command, or by TERM, which ends its program too.
    fn drop(&mut self) {
        // All at once: some take seconds.
        std::thread::scope(|scope| {
            for number in (0..self.services).filter(|number| self.pid_file(*number).is_some()) {
                let this = &*self;
                scope.spawn(move || {
                    if let Err(why) = this.run(&this.verb(number, "stop")) {
                        eprintln!("left behind: {why}");
                    }
                });
            }
        });
        for (number, held) in self.held.iter_mut().enumerate() {
            // supervise would leave its program behind at TERM; the others end it, and then themselves.
            let (program, option, of) = match self.who {
                Who::Daemontools => {
                    ("svc", "-dx", text(&self.directory.join(format!("daemontools.{number}"))))
                }
                _ => ("kill", "-TERM", held.id().to_string()),
            };
            let _ = Command::new(program).args([option, &of]).status();
            let gone = || held.try_wait().ok().flatten();
            until("a supervisor to end", Duration::from_secs(10), gone);
        }
    }
}

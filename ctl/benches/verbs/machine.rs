//! The scratch machine of the measurement: services of every peer, their commands, and the clock around them.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use foobar_process::identity::Process;
use foobar_tests::{Sandbox, free_port, shipped};

/// How one candidate starts, stops and asks for one daemon.
pub struct Peer {
    /// For the tables.
    pub name: &'static str,
    start: Vec<String>,
    stop: Vec<String>,
    status: Vec<String>,
    pid_file: PathBuf,
    ready: Ready,
}

/// What tells that the daemon can do its work.
enum Ready {
    Connect(u16),
    File(PathBuf),
}

impl Peer {
    pub fn start(&self) -> &[String] {
        &self.start
    }

    pub fn stop(&self) -> &[String] {
        &self.stop
    }

    pub fn status(&self) -> &[String] {
        &self.status
    }
}

/// One temporary directory with everything in it.
pub struct Machine {
    sandbox: Sandbox,
    foobarctl: PathBuf,
    foobard: PathBuf,
}

/// Sees the end of a daemon at the moment it happens.
pub struct Watch {
    ended: mpsc::Receiver<Instant>,
}

impl Watch {
    /// From the daemon's end to `returned`.
    pub fn lag(&self, returned: Instant) -> Option<Duration> {
        let ended = self.ended.recv_timeout(Duration::from_secs(10)).ok()?;
        Some(returned.saturating_duration_since(ended))
    }
}

fn words(parts: &[&str]) -> Vec<String> {
    parts.iter().map(|part| (*part).to_owned()).collect()
}

impl Machine {
    pub fn new() -> Result<Machine, String> {
        let (foobarctl, foobard) = (shipped().join("foobarctl"), shipped().join("foobard"));
        let machine = Machine { sandbox: Sandbox::new("verbs"), foobarctl, foobard };
        let prefix = machine.prefix();
        for (name, program, arguments, pid_file) in [
            ("foobar", &machine.foobard, machine.foobard_arguments("foobar"), "foobar"),
            (
                "small",
                &std::env::current_exe().map_err(|error| error.to_string())?,
                machine.small("detach"),
                "small",
            ),
        ] {
            let pid_file = machine.pid_file(pid_file);
            let file = prefix.join(format!("etc/foobar/{name}.toml"));
            let list: Vec<String> = arguments.iter().map(|argument| format!("{argument:?}")).collect();
            write(
                &file,
                &format!(
                    "description = \"measured\"\nprogram = {program:?}\narguments = [{}]\npid-file = {pid_file:?}\n",
                    list.join(", ")
                ),
            )?;
            machine.run(&words(&[
                &machine.ctl(),
                "--prefix",
                &prefix.display().to_string(),
                "--quiet",
                "install",
                name,
            ]))?;
        }
        Ok(machine)
    }

    /// Which build is measured.
    pub fn build(&self) -> String {
        self.foobarctl.display().to_string()
    }

    fn ctl(&self) -> String {
        self.foobarctl.display().to_string()
    }

    fn prefix(&self) -> PathBuf {
        self.sandbox.path().join("machine")
    }

    fn pid_file(&self, name: &str) -> PathBuf {
        self.prefix().join(format!("var/run/{name}.pid"))
    }

    fn ready_file(&self, name: &str) -> PathBuf {
        self.prefix().join(format!("var/run/{name}.ready"))
    }

    /// A configuration and a port of its own for each foobard.
    fn foobard_arguments(&self, name: &str) -> Vec<String> {
        let config = self.prefix().join(format!("etc/{name}.conf"));
        let log = self.prefix().join(format!("var/log/{name}.log"));
        let port = free_port();
        let text = format!("listen = \"127.0.0.1:{port}\"\nlog = {log:?}\n");
        let _ = fs::create_dir_all(self.prefix().join("var/log"));
        let _ = fs::create_dir_all(self.prefix().join("var/run"));
        let _ = write(&config, &text).and_then(|()| write(&self.ready_file(name), &port.to_string()));
        words(&[
            "--config",
            &config.display().to_string(),
            "--pid-file",
            &self.pid_file(name).display().to_string(),
        ])
    }

    fn small(&self, kind: &str) -> Vec<String> {
        let name = format!("small-{kind}");
        let ready = self.ready_file(&name).display().to_string();
        let pid_file = if kind == "detach" { self.pid_file("small") } else { self.pid_file(&name) };
        words(&["--daemon", kind, &ready, &pid_file.display().to_string()])
    }

    fn port(&self, name: &str) -> Ready {
        Ready::Connect(
            fs::read_to_string(self.ready_file(name)).ok().and_then(|text| text.parse().ok()).unwrap_or(0),
        )
    }

    /// Those that are installed here.
    pub fn peers(&self) -> Vec<Peer> {
        let mut peers = vec![
            self.by_ctl("foobarctl", "foobar"),
            self.by_script(),
            self.by_ctl("foobarctl, small daemon", "small"),
        ];
        if Path::new("/sbin/start-stop-daemon").exists() {
            peers.push(self.by_ssd("start-stop-daemon", "ssd-foobard"));
            peers.push(self.by_ssd_small("start-stop-daemon, not waiting", "plain", None));
            peers.push(self.by_ssd_small(
                "start-stop-daemon --notify-await",
                "notify",
                Some("--notify-await"),
            ));
        } else {
            println!("not here, so not compared: start-stop-daemon");
        }
        if Path::new("/lib/lsb/init-functions").exists() && Path::new("/bin/dash").exists() {
            peers.extend(self.by_lsb().map_err(|why| println!("not compared: {why}")).ok());
        } else {
            println!("not here, so not compared: dash with /lib/lsb/init-functions");
        }
        peers
    }

    fn by_ctl(&self, name: &'static str, service: &str) -> Peer {
        let prefix = self.prefix().display().to_string();
        let verb = |verb: &str| words(&[&self.ctl(), "--prefix", &prefix, verb, service]);
        let ready = if service == "small" {
            Ready::File(self.ready_file("small-detach"))
        } else {
            self.port(service)
        };
        Peer {
            name,
            start: verb("start"),
            stop: verb("stop"),
            status: verb("status"),
            pid_file: self.pid_file(service),
            ready,
        }
    }

    fn by_script(&self) -> Peer {
        let script = self.prefix().join("etc/init.d/foobar").display().to_string();
        let verb = |verb: &str| words(&[&script, verb]);
        let name = "/etc/init.d/foobar";
        Peer {
            name,
            start: verb("start"),
            stop: verb("stop"),
            status: verb("status"),
            pid_file: self.pid_file("foobar"),
            ready: self.port("foobar"),
        }
    }

    fn by_ssd(&self, name: &'static str, service: &str) -> Peer {
        let arguments = self.foobard_arguments(service);
        let (pid_file, program) = (self.pid_file(service), self.foobard.display().to_string());
        let pid = pid_file.display().to_string();
        let tool = "/sbin/start-stop-daemon";
        let mut start = words(&[tool, "--start", "--quiet", "--pidfile", &pid, "--exec", &program, "--"]);
        start.extend(arguments);
        let stop = words(&[tool, "--stop", "--quiet", "--retry", "5", "--pidfile", &pid, "--exec", &program]);
        let status = words(&[tool, "--status", "--pidfile", &pid, "--exec", &program]);
        Peer { name, start, stop, status, pid_file, ready: self.port(service) }
    }

    fn by_ssd_small(&self, name: &'static str, kind: &str, option: Option<&str>) -> Peer {
        let service = format!("small-{kind}");
        let program = std::env::current_exe().unwrap_or_default().display().to_string();
        let pid_file = self.pid_file(&service);
        let pid = pid_file.display().to_string();
        let tool = "/sbin/start-stop-daemon";
        let mut start =
            words(&[tool, "--start", "--quiet", "--background", "--make-pidfile", "--pidfile", &pid]);
        start.extend(option.map(str::to_owned));
        start.extend(words(&["--exec", &program, "--"]));
        start.extend(self.small(kind));
        let stop = words(&[tool, "--stop", "--quiet", "--retry", "5", "--pidfile", &pid, "--exec", &program]);
        let status = words(&[tool, "--status", "--pidfile", &pid, "--exec", &program]);
        Peer { name, start, stop, status, pid_file, ready: Ready::File(self.ready_file(&service)) }
    }

    fn by_lsb(&self) -> Result<Peer, String> {
        let arguments = self.foobard_arguments("lsb").join(" ");
        let (program, pid) = (self.foobard.display().to_string(), self.pid_file("lsb").display().to_string());
        let script = self.prefix().join("etc/init.d/lsb");
        write(
            &script,
            &format!(
                "#!/bin/dash\n. /lib/lsb/init-functions\ncase \"$1\" in\n\
             start) start_daemon -p {pid} {program} {arguments} ;;\n\
             stop) killproc -p {pid} {program} ;;\n\
             status) status_of_proc -p {pid} {program} lsb ;;\nesac\n"
            ),
        )?;
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).map_err(|error| error.to_string())?;
        let verb = |verb: &str| words(&[&script.display().to_string(), verb]);
        let name = "dash script, LSB functions";
        Ok(Peer {
            name,
            start: verb("start"),
            stop: verb("stop"),
            status: verb("status"),
            pid_file: self.pid_file("lsb"),
            ready: self.port("lsb"),
        })
    }

    fn run(&self, command: &[String]) -> Result<(), String> {
        let output = Command::new(&command[0])
            .args(&command[1..])
            .output()
            .map_err(|error| format!("{command:?}: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("{command:?}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr)))
    }

    /// The time from call to return; a failure is a fault of the measurement and is told.
    pub fn time(&self, command: &[String]) -> Duration {
        self.time_until(command).0
    }

    /// The same, with the moment of the return.
    pub fn time_until(&self, command: &[String]) -> (Duration, Instant) {
        let begin = Instant::now();
        let status = Command::new(&command[0])
            .args(&command[1..])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        let end = Instant::now();
        if !status.as_ref().is_ok_and(std::process::ExitStatus::success) {
            eprintln!("failed: {command:?}: {status:?}");
        }
        (end - begin, end)
    }

    /// Whether the daemon of `peer` can do its work now; waits until it can, so that rounds do not mix.
    pub fn is_ready(&self, peer: &Peer) -> bool {
        let ready = || match &peer.ready {
            Ready::Connect(port) => {
                TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], *port)), Duration::from_secs(1))
                    .is_ok()
            }
            Ready::File(path) => path.exists(),
        };
        let at_once = ready();
        foobar_tests::until("the daemon to be ready", Duration::from_secs(10), || ready().then_some(()));
        if let Ready::File(path) = &peer.ready {
            let _ = fs::remove_file(path);
        }
        at_once
    }

    /// Begins to wait for the end of the daemon.
    pub fn watch(&self, peer: &Peer) -> Watch {
        let (sender, ended) = mpsc::channel();
        let pid = fs::read_to_string(&peer.pid_file).ok().and_then(|text| text.trim().parse().ok());
        let process = pid.and_then(|pid| Process::open(foobar_process::Pid::from_raw(pid)).ok().flatten());
        if let Some(process) = process {
            thread::spawn(move || {
                if process.wait_gone(Instant::now() + Duration::from_secs(10)).unwrap_or(false) {
                    let _ = sender.send(Instant::now());
                }
            });
        }
        Watch { ended }
    }

    pub fn start_all(&self, peers: &[Peer]) {
        for peer in peers {
            self.time(&peer.start);
            self.is_ready(peer);
        }
    }

    pub fn stop_all(&self, peers: &[Peer]) {
        for peer in peers {
            self.time(&peer.stop);
        }
    }
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let told = |error: std::io::Error| format!("{}: {error}", path.display());
    path.parent().map_or(Ok(()), fs::create_dir_all).map_err(told)?;
    fs::write(path, text).map_err(told)
}

//! Who is measured: each starts, stops and asks for one daemon of its own.

use std::env;
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::machine::{Machine, text, write};

const DPKG: &str = "/sbin/start-stop-daemon";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    /// foobarctl with foobard.
    Foobarctl,
    /// Our init script with foobard.
    Script,
    /// foobarctl with a small daemon that detaches itself.
    FoobarctlSmall,
    /// start-stop-daemon with foobard, which detaches itself: so it is ready when the command returns.
    Dpkg,
    /// start-stop-daemon puts foobard into the background and does not wait.
    DpkgBackground,
    /// start-stop-daemon puts a small daemon into the background and waits until it says that it is ready.
    DpkgNotify,
    /// dash and the LSB functions with foobard.
    Lsb,
}

/// How it is done.
pub struct Peer {
    pub who: Who,
    pub start: Vec<String>,
    pub stop: Vec<String>,
    pub status: Vec<String>,
    pub pid_file: PathBuf,
    ready: Ready,
}

/// What tells that the daemon can do its work.
enum Ready {
    Connect(u16),
    File(PathBuf),
}

impl Peer {
    /// Whether the daemon can do its work now; waits until it can, so that rounds do not mix.
    pub fn wait_ready(&self) -> bool {
        let ready = || match &self.ready {
            Ready::Connect(port) => {
                let address = SocketAddr::from(([127, 0, 0, 1], *port));
                TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok()
            }
            Ready::File(path) => path.exists(),
        };
        let at_once = ready();
        foobar_tests::until("the daemon to be ready", Duration::from_secs(10), || ready().then_some(()));
        if let Ready::File(path) = &self.ready {
            let _ = fs::remove_file(path);
        }
        at_once
    }
}

/// All that can be had here; names what cannot.
pub fn all(machine: &Machine) -> Result<Vec<Peer>, String> {
    let mut peers = ours(machine)?;
    if Path::new(DPKG).exists() {
        peers.push(dpkg(machine)?);
        peers.push(dpkg_background(machine)?);
        peers.push(dpkg_notify(machine)?);
    } else {
        println!("not here, so not compared: {DPKG}");
    }
    if [DPKG, "/lib/lsb/init-functions", "/bin/dash"].iter().all(|path| Path::new(path).exists()) {
        peers.push(lsb(machine)?);
    } else {
        println!("not here, so not compared: dash with /lib/lsb/init-functions");
    }
    Ok(peers)
}

/// The question of foobarctl's peer once more, for the exit code alone, as start-stop-daemon's.
pub fn quiet(peers: &[Peer]) -> Vec<String> {
    let mut command = peers
        .iter()
        .find(|peer| peer.who == Who::Foobarctl)
        .map_or_else(Vec::new, |peer| peer.status.clone());
    command.insert(command.len().min(1), "--quiet".to_owned());
    command
}

fn words(parts: &[&str]) -> Vec<String> {
    parts.iter().map(|part| (*part).to_owned()).collect()
}

fn ours(machine: &Machine) -> Result<Vec<Peer>, String> {
    let (arguments, port) = machine.foobard_arguments("foobar")?;
    machine.install("foobar", &machine.foobard(), &arguments)?;
    let itself = env::current_exe().map_err(|error| error.to_string())?;
    let pid_file = machine.pid_file("small");
    let ready = machine.path("var/run/small.ready");
    machine.install("small", &itself, &words(&["--daemon", "detach", &text(&ready), &text(&pid_file)]))?;

    let (program, prefix) = (text(&machine.foobarctl()), text(&machine.path("")));
    let script = text(&machine.path("etc/init.d/foobar"));
    let ctl = |verb: &str, name: &str| words(&[&program, "--prefix", &prefix, verb, name]);
    let by_ctl = |who, name: &str, ready| Peer {
        who,
        start: ctl("start", name),
        stop: ctl("stop", name),
        status: ctl("status", name),
        pid_file: machine.pid_file(name),
        ready,
    };
    let by_script = Peer {
        who: Who::Script,
        start: words(&[&script, "start"]),
        stop: words(&[&script, "stop"]),
        status: words(&[&script, "status"]),
        pid_file: machine.pid_file("foobar"),
        ready: Ready::Connect(port),
    };
    Ok(vec![
        by_ctl(Who::Foobarctl, "foobar", Ready::Connect(port)),
        by_script,
        by_ctl(Who::FoobarctlSmall, "small", Ready::File(ready)),
    ])
}

/// start-stop-daemon with the options of a careful init script: PID file and executable.
fn by_dpkg(
    who: Who,
    options: &[&str],
    program: &str,
    arguments: &[String],
    pid_file: PathBuf,
    ready: Ready,
) -> Peer {
    let pid = text(&pid_file);
    let of = |verb: &[&str]| words(&[&[DPKG], verb, &["--pidfile", &pid, "--exec", program]].concat());
    let mut start = of(&[&["--start", "--quiet"], options].concat());
    start.push("--".to_owned());
    start.extend_from_slice(arguments);
    Peer {
        who,
        start,
        stop: of(&["--stop", "--quiet", "--retry", "5"]),
        status: of(&["--status"]),
        pid_file,
        ready,
    }
}

fn dpkg(machine: &Machine) -> Result<Peer, String> {
    let (arguments, port) = machine.foobard_arguments("dpkg")?;
    let (program, pid_file) = (text(&machine.foobard()), machine.pid_file("dpkg"));
    Ok(by_dpkg(Who::Dpkg, &[], &program, &arguments, pid_file, Ready::Connect(port)))
}

fn dpkg_background(machine: &Machine) -> Result<Peer, String> {
    let (mut arguments, port) = machine.foobard_arguments("background")?;
    arguments.push("--foreground".to_owned());
    let (program, pid_file) = (text(&machine.foobard()), machine.pid_file("background-dpkg"));
    let options = ["--background", "--make-pidfile"];
    Ok(by_dpkg(Who::DpkgBackground, &options, &program, &arguments, pid_file, Ready::Connect(port)))
}

fn dpkg_notify(machine: &Machine) -> Result<Peer, String> {
    let program = text(&env::current_exe().map_err(|error| error.to_string())?);
    let ready = machine.path("var/run/notify.ready");
    let arguments = words(&["--daemon", "notify", &text(&ready)]);
    let options = ["--background", "--make-pidfile", "--notify-await"];
    Ok(by_dpkg(
        Who::DpkgNotify,
        &options,
        &program,
        &arguments,
        machine.pid_file("notify"),
        Ready::File(ready),
    ))
}

fn lsb(machine: &Machine) -> Result<Peer, String> {
    let (arguments, port) = machine.foobard_arguments("lsb")?;
    let (program, pid) = (text(&machine.foobard()), text(&machine.pid_file("lsb")));
    let script = machine.path("etc/init.d/lsb");
    write(
        &script,
        &format!(
            "#!/bin/dash\n. /lib/lsb/init-functions\ncase \"$1\" in\n\
             start) start_daemon -p {pid} {program} {} ;;\n\
             stop) killproc -p {pid} {program} ;;\n\
             status) status_of_proc -p {pid} {program} lsb ;;\nesac\n",
            arguments.join(" ")
        ),
    )?;
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).map_err(|error| error.to_string())?;
    let verb = |verb: &str| words(&[&text(&script), verb]);
    Ok(Peer {
        who: Who::Lsb,
        start: verb("start"),
        stop: verb("stop"),
        status: verb("status"),
        pid_file: machine.pid_file("lsb"),
        ready: Ready::Connect(port),
    })
}

//! The service as a whole: every value that a service file can say, and what cannot stand together.

use std::time::Duration;

use super::command::Commands;
use super::condition::Condition;
use super::execution::Execution;
use super::kind::Kind;
use super::logging::Logging;
use super::readiness::{Health, Probe, Readiness, Watchdog};
use super::restart::{Restart, When};
use super::schedule::CpuPolicy;
use super::signal::SignalName;
use super::socket::Socket;
use super::stop::{Confinement, StopMode};
use super::text::BadValue;
use super::words::Word as _;
use crate::name::{Runlevel, Runlevels, ServiceName};

/// What the machine needs to know of a program that it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The name of the service, of its init script and of its first facility.
    pub name: ServiceName,
    /// One line for people.
    pub description: String,
    /// The program: an absolute path. Text, because a service file and a script are text.
    pub program: String,
    /// Its arguments, without the program itself. No shell looks at them.
    pub arguments: Vec<String>,
    /// What goes before its arguments so that a forking program stays in the foreground; none: it cannot.
    pub foreground_arguments: Vec<String>,
    /// Whether $NAME and ${NAME} in the arguments are replaced, as systemd.service(5) says, for a service that the
    /// supervisor holds. Without the supervisor they never are.
    pub expand_arguments: bool,
    /// How the program starts, and when it is ready.
    pub kind: Kind,
    /// Whether the supervisor is wanted for a forking program that would not need it. See [`Service::is_supervised`].
    pub supervise: bool,
    /// For type forking, where the program writes its PID, an absolute path; empty, which needs the supervisor: nowhere. For
    /// all other types where the supervisor writes its own PID. See [`Service::controlling_pid_file`].
    pub pid_file: String,
    /// Where the supervisor of a forking program writes its own PID, an absolute path.
    pub supervisor_pid_file: String,
    /// Whether a oneshot service counts as running when its program has exited with success.
    pub remain_after_exit: bool,
    /// The commands beside the program.
    pub commands: Commands,
    /// Rights, limits and surroundings of program and commands.
    pub execution: Execution,
    /// What must hold for a start, in the order of the file.
    pub conditions: Vec<Condition>,
    /// Whether and how it is started again.
    pub restart: Restart,
    /// When it is ready.
    pub readiness: Readiness,
    /// How it is looked at while it runs.
    pub health: Health,
    /// The signs of life it must give.
    pub watchdog: Watchdog,
    /// Where its output goes.
    pub logging: Logging,
    /// The listening sockets that it is handed, in this order.
    pub sockets: Vec<Socket>,
    /// The signal that makes it read its configuration again; none: it cannot.
    pub reload_signal: Option<SignalName>,
    /// The signal that asks it to end.
    pub stop_signal: SignalName,
    /// Whom the stop-signal is for, and who is killed when it does not help.
    pub stop_mode: StopMode,
    /// Whether what is left after the stop-timeout is killed.
    pub send_sigkill: bool,
    /// Whether SIGHUP follows the stop-signal at once, for shells.
    pub send_sighup: bool,
    /// How much of the machine it may take.
    pub confinement: Confinement,
    /// How long it may take until it is ready; [`super::FOREVER`] is no limit.
    pub start_timeout: Duration,
    /// How long it may take to end before it is killed; [`super::FOREVER`] is no limit.
    pub stop_timeout: Duration,
    /// The runlevels that it is started in; it is stopped in all others, see [`Service::default_stop`].
    pub runlevels: Runlevels,
    /// Facilities that it provides beside its name.
    pub provides: Vec<String>,
    /// Services and facilities that it starts after and stops before, where they exist.
    pub after: Vec<String>,
    /// Services that it starts before and stops after.
    pub before: Vec<String>,
    /// As `after`; for units, which say so of services that they would like to have.
    pub wants: Vec<String>,
    /// Services and facilities without which it is not started; it starts after and stops before them.
    pub requires: Vec<String>,
    /// Facilities that must be there before it starts.
    pub required_start: Vec<String>,
    /// Facilities that must be there until it has stopped.
    pub required_stop: Vec<String>,
    /// Facilities that it starts after, where they exist.
    pub should_start: Vec<String>,
    /// Facilities that it stops before, where they exist.
    pub should_stop: Vec<String>,
    /// Services that must not start before it.
    pub start_before: Vec<String>,
    /// Services that must not stop after it.
    pub stop_after: Vec<String>,
}

impl Service {
    /// A service of which only name and program are known; all else has its default, and the type is exec.
    #[must_use]
    pub fn new(name: ServiceName, program: impl Into<String>) -> Service {
        Service::of_kind(name, program, Kind::Exec)
    }

    /// A service of which only name, program and type are known. The defaults of the type: programs of the types forking
    /// and notify-reload are reloaded with HUP, which would end many others.
    #[must_use]
    pub fn of_kind(name: ServiceName, program: impl Into<String>, kind: Kind) -> Service {
        let usual = || vec!["$remote_fs".to_owned(), "$syslog".to_owned()];
        Service {
            description: format!("the {name} service"),
            pid_file: format!("/var/run/{name}.pid"),
            supervisor_pid_file: format!("/var/run/{name}.supervisor.pid"),
            name,
            program: program.into(),
            arguments: Vec::new(),
            foreground_arguments: Vec::new(),
            expand_arguments: true,
            kind,
            supervise: false,
            remain_after_exit: false,
            commands: Commands::default(),
            execution: Execution::default(),
            conditions: Vec::new(),
            restart: Restart::default(),
            readiness: Readiness::default(),
            health: Health::default(),
            watchdog: Watchdog::default(),
            logging: Logging::default(),
            sockets: Vec::new(),
            reload_signal: matches!(kind, Kind::Forking | Kind::NotifyReload).then_some(SignalName::HUP),
            stop_signal: SignalName::TERM,
            stop_mode: StopMode::ControlGroup,
            send_sigkill: true,
            send_sighup: false,
            confinement: Confinement::default(),
            start_timeout: Duration::from_secs(30),
            stop_timeout: Duration::from_secs(5),
            runlevels: [Runlevel::R2, Runlevel::R3, Runlevel::R4, Runlevel::R5].into_iter().collect(),
            provides: Vec::new(),
            after: Vec::new(),
            before: Vec::new(),
            wants: Vec::new(),
            requires: Vec::new(),
            required_start: usual(),
            required_stop: usual(),
            should_start: Vec::new(),
            should_stop: Vec::new(),
            start_before: Vec::new(),
            stop_after: Vec::new(),
        }
    }

    /// Whether the supervisor holds it. A forking program holds itself, unless the service file asks for the supervisor or
    /// for anything that only the supervisor can give.
    #[must_use]
    pub fn is_supervised(&self) -> bool {
        self.kind != Kind::Forking || self.supervise || self.needs_supervisor()
    }

    /// Whether a value is not its default that has an effect under the supervisor alone.
    fn needs_supervisor(&self) -> bool {
        self.pid_file.is_empty()
            || self.remain_after_exit
            || self.stop_mode != StopMode::ControlGroup
            || !self.send_sigkill
            || self.send_sighup
            || !self.conditions.is_empty()
            || !self.sockets.is_empty()
            || self.commands != Commands::default()
            || self.execution != Execution::default()
            || self.restart != Restart::default()
            || self.readiness != Readiness::default()
            || self.health != Health::default()
            || self.watchdog != Watchdog::default()
            || self.logging != Logging::default()
            || self.confinement != Confinement::default()
    }

    /// The PID file by which it is judged whether the service runs: that of the program, or where there is a supervisor,
    /// the supervisor's.
    #[must_use]
    pub fn controlling_pid_file(&self) -> &str {
        if self.kind == Kind::Forking && self.is_supervised() {
            &self.supervisor_pid_file
        } else {
            &self.pid_file
        }
    }

    /// The PID file that the program itself writes, for a forking program under the supervisor that has one.
    #[must_use]
    pub fn main_pid_file(&self) -> Option<&str> {
        let has_one = self.kind == Kind::Forking && self.is_supervised() && !self.pid_file.is_empty();
        has_one.then_some(self.pid_file.as_str())
    }

    /// Whether its values can stand together.
    ///
    /// # Errors
    /// [`WrongTogether`] for the first that cannot.
    pub fn verify(&self) -> Result<(), WrongTogether> {
        let wrong =
            |key, what: &str, remedy: &str| Err(WrongTogether { key, error: BadValue::new(what, remedy) });
        if self.kind == Kind::Oneshot && matches!(self.restart.when, When::Always | When::OnSuccess) {
            let what = format!("'{}' would run a oneshot program without an end", self.restart.when.word());
            return wrong("restart", &what, "use \"no\", \"on-failure\" or another type");
        }
        if self.kind != Kind::Forking && self.pid_file.is_empty() {
            return wrong("pid-file", "it is empty", "name the file where the supervisor writes its PID");
        }
        if self.kind == Kind::Forking && self.is_supervised() && self.pid_file == self.supervisor_pid_file {
            return wrong("supervisor-pid-file", "the program writes its own PID there", "use another file");
        }
        if self.kind == Kind::NotifyReload && self.reload_signal.is_none() && self.commands.reload.is_empty()
        {
            return wrong("reload-signal", "type notify-reload needs one", "name the signal, as a rule HUP");
        }
        if self.execution.cpu_priority.is_some()
            && !self.execution.cpu_policy.is_some_and(CpuPolicy::has_priority)
        {
            return wrong(
                "cpu-priority",
                "only fifo and rr have one",
                "give cpu-policy = \"fifo\" or \"rr\" with it",
            );
        }
        if self.restart.steps > 0 && self.restart.max_delay.is_none_or(|longest| longest < self.restart.delay)
        {
            let what = "the delay has nothing to grow to";
            return wrong(
                "restart-steps",
                what,
                "give a restart-max-delay that is longer than restart-delay",
            );
        }
        let sockets = u32::try_from(self.sockets.len()).unwrap_or(u32::MAX);
        if self.kind == Kind::Fd && self.readiness.fd < 3_u32.saturating_add(sockets) {
            let what = format!("descriptor {} is one of the sockets", self.readiness.fd);
            return wrong("ready-fd", &what, &format!("use {} or higher", 3 + sockets));
        }
        self.verify_probes()
    }

    /// Whether each probe is about the program, and not about a socket that is held for it.
    fn verify_probes(&self) -> Result<(), WrongTogether> {
        let probes = [("ready", &self.readiness.probe), ("health", &self.health.probe)];
        for (what, probe) in probes.into_iter().filter_map(|(what, probe)| Some((what, probe.as_ref()?))) {
            let Some(socket) = self.sockets.iter().find(|socket| socket.satisfies(probe)) else { continue };
            let key = match (what, probe) {
                ("ready", Probe::Tcp(_)) => "ready-tcp",
                ("ready", Probe::Unix(_)) => "ready-unix",
                ("ready", _) => "ready-file",
                (_, Probe::Tcp(_)) => "health-tcp",
                (_, Probe::Unix(_)) => "health-unix",
                _ => "health-file",
            };
            let text = format!("the supervisor itself holds {}, before there is a program", socket.listen);
            let remedy = match what {
                "ready" => "use ready-http or ready-command, or have the program say it (type notify or fd)",
                _ => "use health-http, health-command or watchdog",
            };
            return Err(WrongTogether { key, error: BadValue::new(text, remedy) });
        }
        Ok(())
    }

    /// The runlevels that it is stopped in: halt, single user and reboot, and those of 2 to 5 that it is
    /// not started in when it is started in some of them, so that it never outlives a change of runlevel. LSB and lintian want 0, 1 and 6
    /// all or none; what starts in S or 1 runs in single user mode, and is stopped in 0 and 6 only.
    #[must_use]
    pub fn default_stop(&self) -> Runlevels {
        use Runlevel::{R0, R1, R2, R3, R4, R5, R6, S};
        let starts = |level| self.runlevels.contains(level);
        let multi_user = [R2, R3, R4, R5].into_iter().any(starts);
        let wanted = |level: Runlevel| match level {
            R0 | R6 => multi_user || starts(S) || starts(R1),
            R1 => multi_user && !starts(S) && !starts(R1),
            R2 | R3 | R4 | R5 => multi_user && !starts(S) && !starts(level),
            S => false,
        };
        [R0, R1, R2, R3, R4, R5, R6].into_iter().filter(|level| wanted(*level)).collect()
    }
}

/// Values of a service that cannot stand together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongTogether {
    /// The key to change.
    pub key: &'static str,
    /// What is wrong, and the remedy.
    pub error: BadValue,
}

/// Runlevels to start in: 1 to 5 and S, or none.
///
/// # Errors
/// [`BadValue`] for others, and for 0 and 6, in which services are only ever stopped.
pub fn start_levels(text: &str) -> Result<Runlevels, BadValue> {
    if text.is_empty() {
        return Ok(std::iter::empty().collect());
    }
    let levels = Runlevels::parse(text)
        .map_err(|error| BadValue::new(error.to_string(), "write them as in \"2345\", or \"\" for none"))?;
    if levels.contains(Runlevel::R0) || levels.contains(Runlevel::R6) {
        return Err(BadValue::new(
            format!("a service cannot start in '{text}': 0 halts and 6 reboots"),
            "use some of 1, 2, 3, 4, 5 and S",
        ));
    }
    Ok(levels)
}

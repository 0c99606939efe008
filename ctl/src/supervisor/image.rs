//! What a service file says of a program, as what is executed: settings, arguments and environment. Accounts and files are looked
//! up here, at each start; nothing is forked.

use std::ffi::CString;
use std::fs;
use std::path::{Path, PathBuf};

use foobar_initscripts::execute::{self, Ignored};
use foobar_initscripts::exit::Action;
use foobar_initscripts::service::{
    Command, CpuPolicy, Execution, IoClass, Resource as Limited, Service, Variable,
};
use foobar_process::Resource;
use foobar_process::execution::{Image, Limit, Settings, base_environment};
use foobar_process::privilege::Account;

/// Lines of one environment file that are told by their numbers; a file that is none at all has many.
const TOLD: usize = 5;

/// Why a program cannot be started, with the code of LSB.
#[derive(Debug)]
pub struct Refused(pub Action, pub String);

/// Settings of the program and of what runs beside it with its rights, and of what runs with ours.
#[derive(Debug)]
pub struct Settled {
    /// For the program.
    pub own: Settings,
    /// For commands with full rights.
    pub privileged: Settings,
}

/// Makes the settings of a service.
///
/// # Errors
/// An account that does not exist: [`Action::NotConfigured`].
pub fn settle(execution: &Execution) -> Result<Settled, Refused> {
    let (user, group) = (execution.user.as_deref(), execution.group.as_deref());
    let more = &execution.supplementary_groups;
    let account = if user.is_some() || group.is_some() || !more.is_empty() {
        let found = Account::of_service(user, group, more);
        Some(found.map_err(|error| Refused(Action::NotConfigured, error.to_string()))?)
    } else {
        None
    };
    let (working_directory, may_be_missing) = match &execution.working_directory {
        None => (PathBuf::from("/"), false),
        Some(wanted) => {
            let home = || account.as_ref().map_or_else(|| PathBuf::from("/"), |it| it.home().to_owned());
            (wanted.path.as_ref().map_or_else(home, PathBuf::from), wanted.optional)
        }
    };
    let own = Settings {
        umask: execution.umask.0,
        nice: execution.nice,
        io_priority: io_priority(execution),
        scheduler: execution
            .cpu_policy
            .map(|policy| (scheduler(policy), execution.cpu_priority.map_or(0, i32::from))),
        oom_score_adjust: execution.oom_score_adjust,
        limits: execution
            .limits
            .iter()
            .map(|(resource, limit)| Limit {
                resource: kernels(resource),
                soft: limit.soft.0,
                hard: limit.hard.0,
            })
            .collect(),
        root_directory: execution.root_directory.as_ref().map(PathBuf::from),
        working_directory,
        may_be_missing,
        account,
        bounding: execution.capability_bounding_set.map(|set| set.0),
        ambient: execution.ambient_capabilities.0,
        no_new_privileges: execution.no_new_privileges,
    };
    let privileged = Settings { umask: own.umask, ..Settings::default() };
    Ok(Settled { own, privileged })
}

fn io_priority(execution: &Execution) -> Option<(u8, u8)> {
    let class = match (execution.io_class, execution.io_priority) {
        (None, None) => return None,
        (None, Some(_)) | (Some(IoClass::BestEffort), _) => 2,
        (Some(IoClass::None), _) => 0,
        (Some(IoClass::Realtime), _) => 1,
        (Some(IoClass::Idle), _) => 3,
    };
    // Neither of the two has levels.
    let level = if class == 0 || class == 3 { 0 } else { execution.io_priority.unwrap_or(4) };
    Some((class, level))
}

/// The number of sched(7).
fn scheduler(policy: CpuPolicy) -> i32 {
    match policy {
        CpuPolicy::Other => 0,
        CpuPolicy::Fifo => 1,
        CpuPolicy::Rr => 2,
        CpuPolicy::Batch => 3,
        CpuPolicy::Idle => 5,
    }
}

fn kernels(resource: Limited) -> Resource {
    match resource {
        Limited::Cpu => Resource::RLIMIT_CPU,
        Limited::Fsize => Resource::RLIMIT_FSIZE,
        Limited::Data => Resource::RLIMIT_DATA,
        Limited::Stack => Resource::RLIMIT_STACK,
        Limited::Core => Resource::RLIMIT_CORE,
        Limited::Rss => Resource::RLIMIT_RSS,
        Limited::Nofile => Resource::RLIMIT_NOFILE,
        Limited::As => Resource::RLIMIT_AS,
        Limited::Nproc => Resource::RLIMIT_NPROC,
        Limited::Memlock => Resource::RLIMIT_MEMLOCK,
        Limited::Locks => Resource::RLIMIT_LOCKS,
        Limited::Sigpending => Resource::RLIMIT_SIGPENDING,
        Limited::Msgqueue => Resource::RLIMIT_MSGQUEUE,
        Limited::Nice => Resource::RLIMIT_NICE,
        Limited::Rtprio => Resource::RLIMIT_RTPRIO,
        Limited::Rttime => Resource::RLIMIT_RTTIME,
    }
}

/// Variables by name, each once.
#[derive(Debug, Clone, Default)]
pub struct Variables(Vec<(String, String)>, Vec<String>);

impl Variables {
    /// Sets one, in the place of a former value.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.retain(|row| row.0 != name);
        self.0.push((name.to_owned(), value.into()));
    }

    /// The value of one.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|row| row.0 == name).map(|row| row.1.as_str())
    }

    /// Lines of environment files that do not count, and why: the first of each file.
    pub fn ignored(&self) -> &[String] {
        &self.1
    }

    fn ignore(&mut self, path: &str, lines: &[Ignored]) {
        let told = lines.iter().take(TOLD).map(|it| format!("{path}:{}: ignored: {}", it.line, it.why));
        self.1.extend(told);
        if let Some(more) = lines.len().checked_sub(TOLD).filter(|more| *more > 0) {
            self.1.push(format!("{path}: {more} more lines are ignored: see foobarctl check"));
        }
    }
}

/// The environment of a start: the usual one, that of the account, that of the supervisor (`more`), that of the service file,
/// that of its files; each over those before.
///
/// # Errors
/// A file that must be there and cannot be read: [`Action::NotConfigured`].
pub fn environment(
    service: &Service,
    settings: &Settings,
    more: &[(&str, String)],
) -> Result<Variables, Refused> {
    let mut all = Variables::default();
    for (name, value) in base_environment() {
        if let (Ok(name), Ok(value)) = (name.into_string(), value.into_string()) {
            all.set(&name, value);
        }
    }
    if let Some(account) = &settings.account {
        all.set("HOME", account.home().display().to_string());
        all.set("SHELL", account.shell().display().to_string());
        all.set("LOGNAME", account.name());
        all.set("USER", account.name());
    }
    for (name, value) in more {
        all.set(name, value.clone());
    }
    for Variable { name, value } in &service.execution.environment {
        all.set(name, value.clone());
    }
    for file in &service.execution.environment_files {
        let text = match fs::read(&file.path) {
            Ok(text) => text,
            Err(error) if file.optional && error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => {
                let text = format!("cannot read the environment file {}: {error}", file.path);
                return Err(Refused(Action::NotConfigured, text));
            }
        };
        let (variables, ignored) = execute::parse_environment(&text);
        for Variable { name, value } in variables {
            all.set(&name, value);
        }
        all.ignore(&file.path, &ignored);
    }
    Ok(all)
}

/// What is executed for the program of a service.
///
/// # Errors
/// Text that execve(2) cannot carry.
pub fn of_program(service: &Service, variables: &Variables) -> Result<Image, Refused> {
    image(&service.program, &service.arguments, variables, service.expand_arguments)
}

/// What is executed for a command beside it.
///
/// # Errors
/// As [`of_program`].
pub fn of_command(command: &Command, variables: &Variables) -> Result<Image, Refused> {
    image(&command.program, &command.arguments, variables, !command.no_expansion)
}

fn image(
    program: &str,
    arguments: &[String],
    variables: &Variables,
    expands: bool,
) -> Result<Image, Refused> {
    let text = |text: &str| {
        CString::new(text).map_err(|_| {
            Refused(Action::NotConfigured, format!("{program}: a NUL in an argument or variable: remove it"))
        })
    };
    let mut words = vec![text(program)?];
    let expanded = expands.then(|| execute::expand(arguments, |name| variables.get(name)).arguments);
    for argument in expanded.as_deref().unwrap_or(arguments) {
        words.push(text(argument)?);
    }
    let environment =
        variables.0.iter().map(|(name, value)| text(&format!("{name}={value}"))).collect::<Result<_, _>>()?;
    Ok(Image { path: Path::new(program).to_owned(), arguments: words, environment, pid_variable: None })
}

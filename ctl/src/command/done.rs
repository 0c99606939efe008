//! How the verbs that control a service end: in words, and in facts for JSON. Nothing is done here.

use foobar_initscripts::exit::Action;
use foobar_initscripts::service::Service;
use foobar_process::Pid;
use foobar_process::stop::Ending;

use crate::context::Context;
use crate::control::again::Renewed;
use crate::control::look::numbered;
use crate::control::outcome::Started;
use crate::control::outcome::Stopped;
use crate::failure::Failure;

/// How a verb ended well, or would.
#[derive(Debug)]
pub struct Done {
    /// `running` or `stopped`.
    pub state: &'static str,
    /// Whether anything was done.
    pub changed: bool,
    /// The process that it is about.
    pub pid: Option<Pid>,
    /// The line for people.
    pub text: String,
}

impl Done {
    /// The end of a start. What the program said on the way is a warning.
    pub fn started(context: &Context, service: &Service, started: Started) -> Done {
        match started {
            Started::Already(pid) => Done::already(service, pid),
            Started::Finished(text) => Done { state: "stopped", changed: true, pid: None, text },
            Started::Now(pid, said) => {
                if !said.is_empty() {
                    context.output.warn(format_args!("{} said while it started: {said}", service.name));
                }
                let text = format!("started {}{}", service.name, numbered(pid));
                Done { state: "running", changed: true, pid, text }
            }
        }
    }

    /// The end of a restart by its supervisor.
    pub fn renewed(context: &Context, service: &Service, renewed: Renewed) -> Done {
        let mut done = Done::started(context, service, renewed.started);
        if let Some(pid) = renewed.old {
            done.text = format!("stopped {} (PID {pid}); {}", service.name, done.text);
        }
        done
    }

    /// The end of a start of what runs.
    pub fn already(service: &Service, pid: Option<Pid>) -> Done {
        let text = format!("{} is already running{}", service.name, numbered(pid));
        Done { state: "running", changed: false, pid, text }
    }

    /// The end of a stop.
    pub fn stopped(service: &Service, stopped: &Stopped) -> Done {
        let name = &service.name;
        let (changed, pid, text) = match stopped {
            Stopped::NotRunning => (false, None, format!("{name} is not running")),
            Stopped::Stale(pid) => (
                true,
                None,
                format!("{name} is not running; removed the PID file of process {pid}, which is dead"),
            ),
            Stopped::Orphans(ended) => {
                (true, None, format!("stopped {name}, whose supervisor was dead: ended {}", ended.join(", ")))
            }
            Stopped::Now(pid, ending) => {
                let how = if let Ending::Killed { .. } = ending { " by KILL" } else { "" };
                (true, *pid, format!("stopped {name}{}{how}", numbered(*pid)))
            }
        };
        Done { state: "stopped", changed, pid, text }
    }

    /// The end of a restart of what init starts again.
    pub fn kept(service: &Service, old: Option<Pid>, new: Pid) -> Done {
        let name = &service.name;
        let stopped = old.map(|pid| format!("stopped {name} (PID {pid}); ")).unwrap_or_default();
        let text = format!("{stopped}init started {name} (PID {new})");
        Done { state: "running", changed: true, pid: Some(new), text }
    }

    /// The end of a reload.
    pub fn reloaded(service: &Service, pid: Pid) -> Done {
        let text = format!("told {} (PID {pid}) to read its configuration again", service.name);
        Done { state: "running", changed: true, pid: Some(pid), text }
    }

    /// The same for a service that has told how it went.
    pub fn answered(pid: Option<Pid>, text: String) -> Done {
        Done { state: "running", changed: true, pid, text }
    }

    /// The end of a verb that leaves a stopped service alone.
    pub fn idle(service: &Service) -> Done {
        let text = format!("{} is not running, and stays so", service.name);
        Done { state: "stopped", changed: false, pid: None, text }
    }
}

/// Why nothing is reloaded or upgraded.
pub fn nothing_to_reload(service: &Service) -> anyhow::Error {
    Failure::error(Action::NotRunning, format!("{} is not running: start it instead", service.name))
}

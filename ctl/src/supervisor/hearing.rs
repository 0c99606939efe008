//! What follows from the signs that a program gives of itself, and whose word counts.

use std::io;
use std::time::{Duration, Instant};

use foobar_initscripts::exit::Action;
use foobar_initscripts::service::{Kind, NotifyAccess};
use foobar_process::Pid;
use foobar_process::identity::Process;
use foobar_process::ledger::Place;
use foobar_process::notify::{Datagram, Message, Sender};
use foobar_process::syslog::Priority;

use crate::supervisor::report::State;
use crate::supervisor::signs::access;
use crate::supervisor::unit::{Child, Phase, Unit};

/// Datagrams that are taken in one turn: a flood of them must not keep us from all else.
const TURN: usize = 64;

impl Unit {
    /// Hears what the program has said since the last turn.
    pub fn hear(&mut self) {
        if self.signs.has_newline() && self.phase == Phase::Starting {
            self.moment_of_type();
        }
        let before = self.report.status.clone();
        for _ in 0..TURN {
            let Some(datagram) = self.signs.next() else { break };
            if datagram.sender.is_none_or(|sender| !self.may_speak(&sender)) {
                self.refuse(&datagram);
                continue;
            }
            for message in &datagram.messages {
                self.told(message, &datagram);
            }
        }
        if self.report.status != before {
            self.tell();
        }
    }

    fn may_speak(&self, sender: &Sender) -> bool {
        let is =
            |child: &Option<Child>| child.as_ref().is_some_and(|child| child.process.pid() == sender.pid);
        match access(&self.service) {
            NotifyAccess::None => false,
            NotifyAccess::Main => is(&self.main),
            NotifyAccess::Exec => is(&self.main) || is(&self.command),
            NotifyAccess::All => self.is_member(sender.pid),
        }
    }

    fn is_member(&self, pid: Pid) -> bool {
        let sender = Sender { pid, uid: foobar_process::Uid::effective() };
        pid != Pid::this()
            && (self.group.as_ref().is_some_and(|group| group.holds(pid))
                || sender.descends_from(Pid::this()))
    }

    /// Somebody speaks who has no say. That is told once, for it may be meant well.
    fn refuse(&mut self, datagram: &Datagram) {
        if std::mem::replace(&mut self.signs.is_told_of_strangers, true) {
            return;
        }
        let who = match datagram.sender {
            Some(sender) if matches!(Process::open(sender.pid), Ok(None)) => format!(
                "process {}, which is gone, so that nobody can tell whose it was (let it wait, as systemd-notify does by BARRIER=1)",
                sender.pid
            ),
            Some(sender) => {
                format!("process {} of user {}, who has no say (notify-access)", sender.pid, sender.uid)
            }
            None => "a process of another namespace".to_owned(),
        };
        self.announce(Priority::Warning, &format!("not believed: a message of {who}; others are not told"));
    }

    fn told(&mut self, message: &Message, datagram: &Datagram) {
        let now = Instant::now();
        match message {
            Message::Ready => self.said_ready(),
            Message::Reloading => self.says_that_it_reloads(datagram),
            Message::Stopping if self.phase == Phase::Running && self.report.state != State::Stopping => {
                self.end_watch();
                // As for one that is told to: then it is killed.
                self.within(self.service.stop_timeout);
                self.enter(State::Stopping);
            }
            Message::Stopping => self.signs.watchdog.rest(),
            Message::Status(text) => self.report.status = Some(text.clone()).filter(|text| !text.is_empty()),
            Message::MainPid(pid) => self.named_main(*pid),
            Message::Errno(number) => {
                let error = io::Error::from_raw_os_error(*number);
                self.say(Priority::Warning, &format!("its program says that it has failed: {error}"));
            }
            Message::ExtendTimeout(more) => {
                if let (Some(deadline), Some(later)) = (self.deadline, now.checked_add(*more)) {
                    self.deadline =
                        Some(deadline.max(later)).filter(|_| self.phase != Phase::Resting).or(self.deadline);
                }
            }
            Message::KeepAlive if self.is_watched() => self.signs.watchdog.alive(now),
            Message::KeepAlive => {}
            Message::Trigger => self.lifeless("it asked for the action of its watchdog"),
            Message::WatchdogInterval(interval) => {
                self.signs.watchdog.change(*interval, self.is_watched().then_some(now));
            }
            Message::StoreDescriptors => {
                if !std::mem::replace(&mut self.signs.is_told_of_store, true) {
                    self.say(
                        Priority::Warning,
                        "it wants descriptors to be kept (FDSTORE), which they are not",
                    );
                }
            }
            // Its descriptor is closed with the datagram; the time is of a reload.
            Message::Barrier | Message::MonotonicTime(_) => {}
        }
    }

    /// Whether signs of life are due.
    fn is_watched(&self) -> bool {
        matches!(self.phase, Phase::Running | Phase::Reload(_)) && self.report.state != State::Stopping
    }

    fn said_ready(&mut self) {
        let notifies = matches!(self.service.kind, Kind::Notify | Kind::NotifyReload);
        if self.phase == Phase::Starting && notifies {
            self.moment_of_type();
        } else if matches!(self.phase, Phase::Reload(_)) && self.signs.reload_asked.is_none() {
            self.reload_is_over((Action::Ok, "it says that it has reloaded".to_owned()));
        } else if self.phase == Phase::Running && self.report.state == State::Reloading {
            self.enter(State::Running);
        }
    }

    fn says_that_it_reloads(&mut self, datagram: &Datagram) {
        let began = datagram.messages.iter().find_map(|message| match message {
            Message::MonotonicTime(time) => Some(*time),
            _ => None,
        });
        // What began before it was asked for is the answer to something else.
        if let (Some(asked), Some(began)) = (self.signs.reload_asked, began) {
            if began >= asked {
                self.signs.reload_asked = None;
            }
        } else if self.phase == Phase::Running {
            self.enter(State::Reloading);
        }
    }

    /// Waits for `RELOADING=1` and then `READY=1`, in answer to a signal that was sent after `asked` (of CLOCK_MONOTONIC).
    pub fn await_notified_reload(&mut self, asked: Duration) {
        self.signs.reload_asked = Some(asked);
        self.phase = Phase::Reload(usize::MAX);
        self.within(self.service.start_timeout);
        self.enter(State::Reloading);
    }

    /// The program says which process is its main one. It may name what comes from here, and nobody else.
    fn named_main(&mut self, pid: Pid) {
        if self.main.as_ref().is_some_and(|main| main.process.pid() == pid) {
            return;
        }
        let process = Process::open(pid).ok().flatten();
        // Looked at once it is pinned.
        let Some(process) = process.filter(|process| self.is_member(process.pid())) else {
            let text = format!(
                "not believed: its program names process {pid} as the main one, which is none of the service"
            );
            return self.say(Priority::Warning, &text);
        };
        let identity = foobar_process::identity::Identity {
            pid: process.pid(),
            start_ticks: process.start_ticks(),
            boot: self.boot,
        };
        if let Err(error) = self.ledger.write(Place::Main, Some(&identity)) {
            self.say(Priority::Warning, &format!("cannot write down its main process: {error}"));
        }
        let (began, what) = match self.main.take() {
            Some(main) => (main.began, main.what),
            None => (Instant::now(), self.service.program.clone()),
        };
        self.main = Some(Child { process, departing: None, began, what, may_fail: false, is_found: true });
        self.tell();
    }
}

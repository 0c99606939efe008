//! Signals, and what they ask for.

use std::time::{Duration, Instant};

use foobar_process::Signal;
use foobar_process::child;
use foobar_process::syslog::Priority;

use super::state::Master;
use crate::config::ModelName;
use crate::control::{self, Request};
use crate::ending::Ending;
use crate::event::{self, Event};
use crate::pool::Pool;
use crate::report;

impl Master<'_> {
    /// Reads one signal, if there is one, and does what it asks for.
    pub(super) fn take_signal(&mut self) {
        match self.ground.signals.next(Some(Instant::now())) {
            Ok(Some(signal)) => {
                if let Some(event) = event::from(signal) {
                    self.handle(event, signal);
                }
            }
            Ok(None) => {}
            Err(error) => self.say(Priority::Err, &format!("cannot read signals: {error}")),
        }
    }

    pub(super) fn handle(&mut self, event: Event, signal: Signal) {
        match event {
            Event::Reload => drop(self.reload()),
            Event::Upgrade => self.upgrade(None),
            Event::Stop => self.end(self.generation.config.grace, signal),
            Event::StopNow => self.end(Duration::ZERO, signal),
            Event::Reopen => {
                for problem in self.around.log.reopen() {
                    self.say(Priority::Warning, &problem);
                }
            }
            Event::Grow => self.adjust(1),
            Event::Shrink => self.adjust(-1),
            Event::ChildExited => self.reap(),
        }
    }

    pub(super) fn adjust(&mut self, by: i32) {
        for pool in self.pools.values().filter(|pool| !pool.is_retired()) {
            let server = &pool.task.server;
            // No other model has a number of workers that could be adjusted.
            if server.model != ModelName::Prefork {
                continue;
            }
            pool.adjust(by);
            let text = format!("{}: pool adjusted by {:+} workers", server.name, pool.task.board.adjusted());
            self.say(Priority::Notice, &text);
        }
    }

    /// Begins the end, or hastens it.
    pub(super) fn end(&mut self, grace: Duration, signal: Signal) {
        let now = Instant::now();
        if let Some(ending) = &mut self.ending {
            return ending.hasten(now + grace);
        }
        let workers = self.pools.values().map(Pool::alive).sum::<usize>() + self.elders.alive();
        self.say(Priority::Notice, &format!("stopping by {}, {workers} workers", signal.as_str()));
        if self.pools.values().any(Pool::is_unmanaged) {
            child::default_children();
            self.collect();
        }
        if self.upgrade.is_some() {
            self.refuse(1, "the daemon is ending");
        }
        self.ending = Some(Ending::new(now + grace, signal));
        self.elders.forget_gone();
        self.elders.hasten();
        let keys: Vec<(u64, u64)> = self.doors.iter().map(|row| (*row.0, *row.1)).collect();
        for (key, number) in keys {
            let backlog = self.pools.get(&number).map_or(0, |pool| pool.task.server.sockets.backlog);
            self.gate.last_call(key, backlog);
        }
        for pool in self.pools.values_mut() {
            pool.forget_gone();
            // Without a lifeline no worker can be started any more, which is no harm at the end.
            let _ = pool.finish();
        }
        self.remove_files();
    }

    /// Does what is asked for over the control socket.
    pub(super) fn converse(&mut self) {
        let Some(control) = &mut self.control else { return };
        for (caller, request) in control.turn() {
            match request {
                Request::Status => {
                    let told = report::status(&self.around.statistics, self.elders.alive());
                    let line = told.unwrap_or_else(|error| control::outcome(1, &error.to_string()));
                    if let Some(control) = &mut self.control {
                        control.answer(caller, &line);
                    }
                }
                Request::Reload => {
                    let (code, text) = self.reload();
                    self.tell(&[caller], code, &text);
                }
                Request::Upgrade => self.upgrade(Some(caller)),
            }
        }
    }

    /// Who waits is served no more.
    pub(super) fn close_doors(&mut self) {
        self.kept = None;
        for key in std::mem::take(&mut self.doors).into_keys() {
            self.gate.remove(key);
        }
    }

    /// The end of a server, or of one that never served.
    pub(crate) fn leave(&mut self) {
        if let Some(control) = self.control.take() {
            self.gate.unwatch(control.descriptor());
            control.remove();
        }
    }

    /// The files of Unix sockets go with the server.
    pub(super) fn remove_files(&self) {
        for listener in self.generation.listeners() {
            if let Err(error) = listener.remove_file() {
                self.say(Priority::Warning, &format!("cannot remove {listener}: {error}"));
            }
        }
    }
}

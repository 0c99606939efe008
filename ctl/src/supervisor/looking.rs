//! Looks at the service from outside: until it is ready, whether it is well, whether it gives its signs of life; and what follows.

use std::time::{Duration, Instant};

use foobar_initscripts::exit::Action;
use foobar_initscripts::service::{Command, Service};
use foobar_process::Signal;
use foobar_process::child::How;
use foobar_process::ledger::Place;
use foobar_process::syslog::Priority;

use crate::supervisor::ending::signal_of;
use crate::supervisor::image;
use crate::supervisor::policy::Cause;
use crate::supervisor::ready::health::{Health, Verdict};
use crate::supervisor::ready::looker::{Looker, Seen};
use crate::supervisor::unit::{Phase, Unit};

/// How long one look may take while the service becomes ready; the next one may see more.
const ONE_LOOK: Duration = Duration::from_secs(5);

impl Unit {
    /// Begins to look whether the service is ready, if its file says how; whether it does.
    pub fn look_first(&mut self) -> bool {
        let Service { readiness, .. } = &self.service;
        let Some(probe) = readiness.probe.clone() else { return false };
        let now = Instant::now();
        self.looks.first = Some(Looker::new(probe, readiness.http_status, now, readiness.interval, ONE_LOOK));
        true
    }

    /// The service is ready: now it must stay well, and give its signs of life.
    pub fn begin_watch(&mut self) {
        let now = Instant::now();
        self.looks.health = Health::new(&self.service.health, now);
        if self.main.is_some() {
            self.signs.watchdog.alive(now);
        }
    }

    /// Nothing is expected of it any more.
    pub fn end_watch(&mut self) {
        self.looks.end();
        self.signs.watchdog.rest();
    }

    /// Looks, if it is time.
    pub fn look(&mut self) {
        let now = Instant::now();
        if self.signs.watchdog.is_late(now) {
            let interval = self.service.watchdog.interval.unwrap_or_default().as_secs_f32();
            self.lifeless(&format!("it gave no sign of life within {interval} s (watchdog)"));
        }
        self.looks.departed();
        while let Some(seen) = self.looks.looker().map(|looker| looker.turn(now)) {
            match &seen {
                Seen::Nothing => return,
                Seen::Run(command) => self.run_look(command),
                Seen::Kill => self.looks.kill_command(),
                Seen::Passed | Seen::Failed(_) => {}
            }
            if self.looks.first.is_some() {
                self.looked_first(&seen);
            } else {
                self.looked_at_health(&seen);
            }
        }
    }

    fn looked_first(&mut self, seen: &Seen) {
        match seen {
            Seen::Passed => {
                (self.looks.first, self.looks.why) = (None, None);
                self.start_post(0);
            }
            Seen::Failed(why) => {
                let target = self.looks.first.as_ref().map(Looker::target).unwrap_or_default();
                self.looks.why = Some(format!("{target}: {why}"));
            }
            Seen::Nothing | Seen::Run(_) | Seen::Kill => {}
        }
    }

    fn looked_at_health(&mut self, seen: &Seen) {
        let Some(health) = &mut self.looks.health else { return };
        match health.judge(seen) {
            Verdict::Well => {}
            Verdict::WellAgain => self.announce(Priority::Notice, "it is well again"),
            Verdict::Unwell(times, why) => {
                self.announce(Priority::Warning, &format!("it is not well, {times} times in a row: {why}"));
            }
            Verdict::Lost(why) => {
                let times = self.service.health.failures;
                self.lifeless(&format!("it was not well {times} times in a row (health-failures): {why}"));
            }
        }
    }

    fn run_look(&mut self, command: &Command) {
        let settings = if command.privileged { &self.settled.privileged } else { &self.settled.own };
        let started = self.variables(&[]).and_then(|variables| {
            let image = image::of_command(command, &variables)?;
            self.launch(Place::Look, &image, settings, command.program.clone())
        });
        match started {
            Ok(child) => self.looks.begin_command(child.process, child.departing),
            Err(image::Refused(_, text)) => {
                if let Some(looker) = self.looks.looker() {
                    looker.command_ended(Err(text));
                }
            }
        }
    }

    /// It is lost: ended by the signal of the watchdog, and what follows is the matter of the restart rule.
    pub fn lifeless(&mut self, why: &str) {
        if !matches!(self.phase, Phase::Running | Phase::Reload(_)) {
            return;
        }
        self.announce(Priority::Err, &format!("{why}: ending it"));
        self.blame(Action::Error, why);
        let ran = self.main.as_ref().map_or(Duration::ZERO, |main| main.began.elapsed());
        self.note_end(How::Signal(Signal::SIGABRT), Cause::Watchdog, ran);
        self.drop_command();
        self.terminate_by(signal_of(self.service.watchdog.signal.name()));
    }
}

//! A restart that somebody has asked for: the service ends by the rules of its stop, and what is installed now starts it, by the service
//! file as it is then. Its sockets stay open all the while.

use foobar_initscripts::exit::Action;

use crate::supervisor::server::Request;
use crate::supervisor::unit::{Phase, Unit};

impl Unit {
    /// Begins it. Whoever has asked hears of it when the service is ready again, or will not be; at once with
    /// [`Action::NotRunning`] when something else must come to its end before.
    pub fn restart(&mut self, request: Request) {
        if let Some(why) = self.hinders_restart() {
            let text = format!("{} is not restarted now: {why}", self.service.name);
            return request.tell(&(Action::NotRunning, text));
        }
        self.again = Some(request);
        if self.phase == Phase::Resting {
            (self.phase, self.deadline) = (Phase::Renewing, None);
        } else {
            self.wind_up();
        }
    }

    /// What must come to its end before a restart.
    pub fn hinders_restart(&self) -> Option<&'static str> {
        if self.starter.is_some() || self.announced.is_some() {
            return Some("its start goes on");
        }
        if self.again.is_some() {
            return Some("another restart goes on");
        }
        (self.is_unwanted || self.has_finished || self.phase == Phase::Over).then_some("it is about to end")
    }
}

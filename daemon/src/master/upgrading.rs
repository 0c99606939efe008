//! How a master makes room for another version of its program, and how it takes the place of one.

use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd};
use std::sync::Arc;
use std::time::{Instant, UNIX_EPOCH};

use foobar_process::child::{self, How};
use foobar_process::syslog::Priority;

use super::state::Master;
use crate::board::Figures;
use crate::config::{self, Trust};
use crate::control::{self, Caller};
use crate::elders::{Bequest, Legacy};
use crate::handover::{ControlSocket, FORMAT, Handover};
use crate::pool::Pool;
use crate::upgrade::Upgrade;

impl Master<'_> {
    /// Somebody wants the program executed anew.
    pub(super) fn upgrade(&mut self, caller: Option<Caller>) {
        if self.ending.is_some() {
            return self.tell(caller.as_slice(), 1, "upgrade refused: the daemon is ending");
        }
        if let Some(upgrade) = &mut self.upgrade {
            return upgrade.callers.extend(caller);
        }
        let path = self.ground.program.path().display();
        self.say(Priority::Notice, &format!("upgrade: rehearsing {path}"));
        // Its end must be told, whatever the pools do with theirs.
        child::default_children();
        self.collect();
        let begun = Upgrade::begin(self.ground.program, &self.handover(&[]).0);
        match begun {
            Ok(mut upgrade) => {
                upgrade.callers.extend(caller);
                self.upgrade = Some(upgrade);
            }
            Err(error) => {
                let text = format!("upgrade refused, the old program stays: cannot rehearse: {error}");
                self.say(Priority::Err, &text);
                self.tell(caller.as_slice(), 1, &text);
            }
        }
    }

    /// The rehearsal has ended.
    pub(super) fn rehearsed(&mut self, how: How) {
        let Some(upgrade) = &mut self.upgrade else { return };
        if let Err((code, reason)) = upgrade.rehearsed(how) {
            self.refuse(code, &reason);
        }
    }

    /// All goes on as before.
    pub(super) fn refuse(&mut self, code: u8, reason: &str) {
        let text = format!("upgrade refused, the old program stays: {reason}");
        self.say(Priority::Err, &text);
        if let Some(upgrade) = self.upgrade.take() {
            self.tell(&upgrade.callers, code, &text);
        }
        if self.ending.is_none() {
            self.mind_children();
        }
    }

    /// Gives the process to the new program, if it is time for that.
    pub(super) fn tick_upgrade(&mut self, now: Instant) {
        let present = |number: &u64| self.pools.get(number).is_some_and(|pool| !pool.is_retired());
        // At other doors there is a last call, which would be lost.
        let idle = self.kept.is_none() && self.doors.values().all(present);
        let Some(upgrade) = &mut self.upgrade else { return };
        upgrade.tick(now);
        // Not with a connection in hand, whose handler would be gone: it is told to finish.
        if upgrade.is_due(idle, now) && self.in_hand.is_none() {
            self.replace();
        }
    }

    /// The workers leave when they have served what they have in hand, and this program does at once. Connections wait in
    /// the queues of the sockets meanwhile.
    fn replace(&mut self) {
        for door in std::mem::take(&mut self.doors).into_keys() {
            self.gate.remove(door);
        }
        for pool in self.pools.values_mut().filter(|pool| !pool.is_retired()) {
            pool.retire(0);
            pool.withdraw();
        }
        self.flush_diagnostics();
        let figures = self.around.statistics.all_figures();
        let (handover, left) = self.handover(&figures);
        let error = self.ground.program.take_over(&handover, left);
        // Still here: the same again, with new workers.
        let again = self.pools_of(&self.generation).and_then(|pools| self.enter(pools));
        if let Err(error) = again {
            self.say(Priority::Err, &format!("cannot listen: {error}"));
        }
        self.refuse(1, &error.to_string());
    }

    /// What the new program is to know, and the descriptors that it is to have.
    fn handover<'m>(&'m self, figures: &'m [(String, Arc<Figures>)]) -> (Handover, Vec<BorrowedFd<'m>>) {
        let mut left = vec![self.ground.pid_file.as_fd()];
        let mut leave = |descriptor: BorrowedFd<'m>| {
            left.push(descriptor);
            descriptor.as_raw_fd()
        };
        let control = self.control.as_ref();
        let waiting = self.upgrade.iter().flat_map(|upgrade| &upgrade.callers);
        let source = self.ground.source;
        let handover = Handover {
            format: FORMAT,
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            since: self.around.statistics.since().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
            generation: self.generation.number,
            root_only: source.trust == Trust::RootOnly,
            config_file: source.file.clone(),
            config: self.generation.text.clone(),
            pid_file: self.ground.pid_file.path().to_owned(),
            pid_file_descriptor: self.ground.pid_file.as_fd().as_raw_fd(),
            control: control.map(|it| ControlSocket {
                path: it.path().to_owned(),
                owner: it.owner(),
                descriptor: leave(it.door()),
            }),
            callers: waiting.filter_map(|caller| control?.stream(*caller)).map(&mut leave).collect(),
            sockets: self
                .generation
                .listeners()
                .map(|listener| (listener.address().to_string(), leave(listener.as_fd())))
                .collect(),
            figures: figures
                .iter()
                .filter_map(|(name, figures)| Some((name.clone(), leave(figures.memory()?))))
                .collect(),
            elders: self.bequests().map(|it| it.told(&mut leave)).collect(),
        };
        (handover, left)
    }

    /// All workers, those of the program before this one among them.
    fn bequests(&self) -> impl Iterator<Item = Bequest<'_>> {
        let own = self.pools.values().filter(|pool| pool.alive() > 0).filter_map(|pool| {
            Some(Bequest {
                server: &pool.task.server.name,
                lifeline: pool.private()?,
                pipe: pool.task.handler.diagnostics().ok().flatten(),
                workers: pool.bequest(),
            })
        });
        own.chain(self.elders.bequests())
    }

    /// Takes over workers of the program that was here before.
    ///
    /// # Errors
    /// Their pipe cannot be watched.
    pub(crate) fn adopt(&mut self, elders: Vec<Legacy>) -> io::Result<()> {
        let unmanaged = self.pools.values().any(Pool::is_unmanaged);
        for legacy in elders {
            self.numbers += 1;
            self.elders.enter(self.numbers, legacy, unmanaged);
            self.hear_elders(self.numbers)?;
        }
        // Those who ended while nobody was there to see it.
        self.reap();
        Ok(())
    }

    /// Tells those who waited for the upgrade that this is its outcome, and reads the configuration if it is another now.
    pub(crate) fn take_place(&mut self, callers: &[Caller], text: &str) {
        self.say(Priority::Notice, text);
        self.tell(callers, 0, text);
        let fresh = config::text(self.ground.source).ok();
        if fresh.is_some_and(|fresh| fresh != self.generation.text) {
            self.reload();
        }
    }

    /// Answers those who wait for an outcome.
    pub(super) fn tell(&mut self, callers: &[Caller], code: u8, text: &str) {
        if let Some(control) = &mut self.control {
            callers.iter().for_each(|caller| control.answer(*caller, &control::outcome(code, text)));
        }
    }
}

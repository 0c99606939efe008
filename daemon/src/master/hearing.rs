//! What the programs of the servers say on their standard error, on its way to the log.

use std::os::fd::BorrowedFd;
use std::time::Instant;

use foobar_process::syslog::Priority;
use nix::unistd::read;

use super::state::{HEARD, Master};
use crate::diagnostics::Diagnostics;
use crate::pool::Pool;

/// Read at a time.
const CHUNK: usize = 16 * 1024;

impl Master<'_> {
    /// Begins to hear the programs of a pool, if it has any.
    pub(super) fn hear(&mut self, number: u64, pool: &Pool) -> std::io::Result<()> {
        if let Some(pipe) = pool.task.handler.diagnostics()? {
            self.gate.watch(pipe, HEARD + number)?;
            self.heard.insert(number, Diagnostics::default());
        }
        Ok(())
    }

    /// The same for the programs of a group of elders.
    pub(super) fn hear_elders(&mut self, number: u64) -> std::io::Result<()> {
        if let Some((_, pipe)) = self.elders.pipe(number) {
            self.gate.watch(pipe, HEARD + number)?;
            self.heard.insert(number, Diagnostics::default());
        }
        Ok(())
    }

    /// There is something to hear.
    pub(super) fn listen(&mut self, number: u64) {
        self.read_diagnostics(number, Instant::now());
        if self.heard.get(&number).is_some_and(Diagnostics::rests) {
            if let Some(pipe) = self.pipe(number) {
                self.gate.unwatch(pipe);
            }
        }
    }

    /// What is due at `now`.
    pub(super) fn tick_diagnostics(&mut self, now: Instant) {
        let numbers: Vec<u64> = self.heard.keys().copied().collect();
        for number in numbers {
            let rested = self.with(number, |diagnostics, say| diagnostics.tick(now, say)).unwrap_or(false);
            let Some((name, pipe)) = self.source(number).filter(|_| rested) else { continue };
            // Without it nothing is heard, and the programs wait at a full pipe: not to be hidden.
            if let Err(error) = self.gate.watch(pipe, HEARD + number) {
                let text = format!("{name}: standard error is not read any more: {error}");
                self.say(Priority::Err, &text);
            }
        }
    }

    /// The last words of the programs of a pool that goes.
    pub(super) fn hear_out(&mut self, number: u64) {
        self.read_diagnostics(number, Instant::now());
        self.with(number, Diagnostics::end);
        if let Some(pipe) = self.pipe(number) {
            self.gate.unwatch(pipe);
        }
        self.heard.remove(&number);
    }

    /// What has been said so far goes to the log now: another program will go on hearing.
    pub(super) fn flush_diagnostics(&mut self) {
        let numbers: Vec<u64> = self.heard.keys().copied().collect();
        for number in numbers {
            self.read_diagnostics(number, Instant::now());
            self.with(number, Diagnostics::end);
        }
    }

    /// The same for all, when the server is over.
    pub(super) fn hear_all_out(&mut self) {
        let numbers: Vec<u64> = self.heard.keys().copied().collect();
        numbers.into_iter().for_each(|number| self.hear_out(number));
    }

    /// The reading ends of all pipes, which no worker may hold: who writes shall learn that nobody reads any more.
    pub(super) fn pipes(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.heard.keys().filter_map(|number| self.pipe(*number))
    }

    /// The name of the server and the pipe under a number.
    fn source(&self, number: u64) -> Option<(&str, BorrowedFd<'_>)> {
        match self.pools.get(&number) {
            Some(pool) => Some((&pool.task.server.name, pool.task.handler.diagnostics().ok().flatten()?)),
            None => self.elders.pipe(number),
        }
    }

    fn pipe(&self, number: u64) -> Option<BorrowedFd<'_>> {
        self.source(number).map(|row| row.1)
    }

    /// Does something with the lines under a number, and a way to log them.
    fn with<T>(
        &mut self,
        number: u64,
        act: impl FnOnce(&mut Diagnostics, &mut dyn FnMut(&str)) -> T,
    ) -> Option<T> {
        let mut diagnostics = self.heard.remove(&number)?;
        let name = self.source(number).map_or(String::new(), |row| row.0.to_owned());
        let result = act(&mut diagnostics, &mut |line| {
            self.around.log.write(Priority::Notice, &format!("{name}: {line}"));
        });
        self.heard.insert(number, diagnostics);
        Some(result)
    }

    /// Reads once: whoever says more is heard again at the next turn.
    fn read_diagnostics(&mut self, number: u64, now: Instant) {
        let Some(pipe) = self.pipe(number) else { return };
        let mut chunk = [0; CHUNK];
        let length = match read(pipe, &mut chunk) {
            Ok(0) => {
                // Only elders have an end: a pool keeps the other end of its pipe itself.
                self.gate.unwatch(pipe);
                return;
            }
            Ok(length) => length,
            // There is nothing to read.
            Err(_) => return,
        };
        self.with(number, |diagnostics, say| diagnostics.take(&chunk[..length], now, say));
    }
}

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
        for (number, diagnostics) in &mut self.heard {
            let Some(pool) = self.pools.get(number) else { continue };
            let name = &pool.task.server.name;
            let mut say = |line: &str| self.around.log.write(Priority::Notice, &format!("{name}: {line}"));
            if diagnostics.tick(now, &mut say) {
                if let Ok(Some(pipe)) = pool.task.handler.diagnostics() {
                    // Without it nothing is heard, and the programs wait at a full pipe: not to be hidden.
                    if let Err(error) = self.gate.watch(pipe, HEARD + number) {
                        let text = format!("{name}: standard error is not read any more: {error}");
                        self.around.log.write(Priority::Err, &text);
                    }
                }
            }
        }
    }

    /// The last words of the programs of a pool that goes.
    pub(super) fn hear_out(&mut self, number: u64) {
        self.read_diagnostics(number, Instant::now());
        if let Some(pipe) = self.pipe(number) {
            self.gate.unwatch(pipe);
        }
        let Some(pool) = self.pools.get(&number) else { return };
        let name = &pool.task.server.name;
        if let Some(mut diagnostics) = self.heard.remove(&number) {
            let say = |line: &str| self.around.log.write(Priority::Notice, &format!("{name}: {line}"));
            diagnostics.end(&mut { say });
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

    fn pipe(&self, number: u64) -> Option<BorrowedFd<'_>> {
        self.pools.get(&number)?.task.handler.diagnostics().ok().flatten()
    }

    /// Reads once: whoever says more is heard again at the next turn.
    fn read_diagnostics(&mut self, number: u64, now: Instant) {
        let Some(pool) = self.pools.get(&number) else { return };
        let Ok(Some(pipe)) = pool.task.handler.diagnostics() else { return };
        let Some(diagnostics) = self.heard.get_mut(&number) else { return };
        let name = &pool.task.server.name;
        let mut chunk = [0; CHUNK];
        // An error is that there is nothing to read.
        let length = read(pipe, &mut chunk).unwrap_or(0);
        let say = |line: &str| self.around.log.write(Priority::Notice, &format!("{name}: {line}"));
        diagnostics.take(&chunk[..length], now, &mut { say });
    }
}

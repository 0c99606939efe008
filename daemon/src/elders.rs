//! Workers of the program that this one has replaced: children of the same process still, and left to finish what they have
//! in hand. Of what they do nothing is known but their end.

use std::collections::{BTreeMap, HashMap};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use foobar_process::child::Exit;
use foobar_process::identity::Process;
use foobar_process::program::signal_group;
use foobar_process::{Pid, Signal};

use crate::handover::{Elder, ElderWorker};
use crate::service::exec::PATIENCE;

/// The workers of what was one pool.
#[derive(Debug)]
struct Group {
    /// The name of their server.
    name: String,
    /// The master's end of their lifeline; none when they are to end.
    lifeline: Option<OwnedFd>,
    /// What their programs say.
    pipe: Option<OwnedFd>,
    workers: HashMap<Pid, Worker>,
}

#[derive(Debug)]
struct Worker {
    /// Whether it leads a process group.
    program: bool,
    /// When its time is over, and by what it is ended then.
    due: Option<(Instant, Signal)>,
    /// Where nobody reaps: the process itself, since its number may become another's.
    process: Option<Process>,
}

/// A group as it was left to this program.
#[derive(Debug)]
pub(crate) struct Legacy {
    pub(crate) server: String,
    pub(crate) lifeline: OwnedFd,
    pub(crate) pipe: Option<OwnedFd>,
    pub(crate) workers: Vec<ElderWorker>,
}

/// A group as it is left to another program.
pub(crate) struct Bequest<'b> {
    pub(crate) server: &'b str,
    pub(crate) lifeline: BorrowedFd<'b>,
    pub(crate) pipe: Option<BorrowedFd<'b>>,
    pub(crate) workers: Vec<ElderWorker>,
}

impl<'b> Bequest<'b> {
    /// The same with the numbers that `leave` gives to the descriptors.
    pub(crate) fn told(self, leave: &mut impl FnMut(BorrowedFd<'b>) -> RawFd) -> Elder {
        Elder {
            server: self.server.to_owned(),
            lifeline: leave(self.lifeline),
            pipe: self.pipe.map(leave),
            workers: self.workers,
        }
    }
}

/// All of them, each group under a number.
#[derive(Debug, Default)]
pub(crate) struct Elders {
    groups: BTreeMap<u64, Group>,
}

impl Elders {
    /// Workers that go on as long as their lifeline is held; `unmanaged` if nobody will reap them.
    pub(crate) fn enter(&mut self, number: u64, legacy: Legacy, unmanaged: bool) {
        let now = Instant::now();
        let worker = |worker: ElderWorker| {
            let pid = Pid::from_raw(worker.pid);
            let process = match unmanaged {
                true => match Process::open(pid) {
                    Ok(None) => return None,
                    found => found.ok().flatten(),
                },
                false => None,
            };
            let due = worker.left_ms.map(|left| (now + Duration::from_millis(left), Signal::SIGTERM));
            Some((pid, Worker { program: worker.program, due, process }))
        };
        let Legacy { server, lifeline, pipe, workers } = legacy;
        let workers = workers.into_iter().filter_map(worker).collect();
        self.groups.insert(number, Group { name: server, lifeline: Some(lifeline), pipe, workers });
    }

    /// How many are there still.
    pub(crate) fn alive(&self) -> usize {
        self.groups.values().map(|group| group.workers.len()).sum()
    }

    /// Takes a child that has ended out of them.
    pub(crate) fn leave(&mut self, exit: Exit) {
        self.groups.values_mut().for_each(|group| drop(group.workers.remove(&exit.pid)));
    }

    /// The same where nobody reaps.
    pub(crate) fn forget_gone(&mut self) {
        let gone = |process: &Process| process.wait_gone(Instant::now()).unwrap_or(true);
        for group in self.groups.values_mut() {
            group.workers.retain(|_, worker| !worker.process.as_ref().is_some_and(gone));
        }
    }

    /// The groups that have no worker any more.
    pub(crate) fn empty(&self) -> Vec<u64> {
        let empty = self.groups.iter().filter(|(_, group)| group.workers.is_empty());
        empty.map(|(number, _)| *number).collect()
    }

    /// Forgets a group.
    pub(crate) fn remove(&mut self, number: u64) {
        self.groups.remove(&number);
    }

    /// What the programs of a group say, and the name of their server.
    pub(crate) fn pipe(&self, number: u64) -> Option<(&str, BorrowedFd<'_>)> {
        let group = self.groups.get(&number)?;
        Some((&group.name, group.pipe.as_ref()?.as_fd()))
    }

    /// The descriptors, which no worker may hold.
    pub(crate) fn private(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let groups = self.groups.values();
        groups.flat_map(|group| group.lifeline.iter().chain(&group.pipe)).map(|descriptor| descriptor.as_fd())
    }

    /// What another program is to know of each group.
    pub(crate) fn bequests(&self) -> impl Iterator<Item = Bequest<'_>> {
        let now = Instant::now();
        self.groups.values().filter(|group| !group.workers.is_empty()).filter_map(move |group| {
            let worker = |(pid, worker): (&Pid, &Worker)| {
                let left = worker.due.map(|(due, _)| due.saturating_duration_since(now));
                ElderWorker::new(*pid, worker.program, left)
            };
            Some(Bequest {
                server: &group.name,
                lifeline: group.lifeline.as_ref()?.as_fd(),
                pipe: group.pipe.as_ref().map(|pipe| pipe.as_fd()),
                workers: group.workers.iter().map(worker).collect(),
            })
        })
    }

    /// When the time of a program is over.
    pub(crate) fn overtime(&self) -> Option<Instant> {
        self.groups
            .values()
            .flat_map(|group| group.workers.values())
            .filter_map(|worker| Some(worker.due?.0))
            .min()
    }

    /// Ends the programs whose time is over: by TERM and then by KILL.
    pub(crate) fn end_overtime(&mut self, now: Instant) {
        for (pid, worker) in self.groups.values_mut().flat_map(|group| &mut group.workers) {
            if let Some((_, signal)) = worker.due.filter(|due| due.0 <= now) {
                signal_group(*pid, signal);
                worker.due = (signal == Signal::SIGTERM).then(|| (now + PATIENCE, Signal::SIGKILL));
            }
        }
    }

    /// The server ends: they finish the requests in flight, and no more.
    pub(crate) fn hasten(&mut self) {
        self.groups.values_mut().for_each(|group| group.lifeline = None);
    }

    /// Signals all of them. Those without a process were not yet waited for, so no number can be a stranger's.
    pub(crate) fn signal(&self, signal: Signal) {
        for (pid, worker) in self.groups.values().flat_map(|group| &group.workers) {
            // One that has ended this very moment is no concern.
            match &worker.process {
                Some(process) => drop(process.signal(signal)),
                None if worker.program => signal_group(*pid, signal),
                None => drop(nix::sys::signal::kill(*pid, signal)),
            }
        }
    }
}

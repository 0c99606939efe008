//! Deaths and whole cycles, peer after peer in each round, in an order that changes.

use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use foobar_process::Pid;
use foobar_process::Signal;
use foobar_process::identity::Process;
use rustix::time::{ClockId, clock_gettime};

use super::child::Child;
use super::peers::Peer;

const DEATHS: usize = 15;
const CYCLES: usize = 10;
/// A run that is shorter is a crash loop to some peers, which let a second pass before the next one.
const LONG: Duration = Duration::from_millis(1200);

/// Times of one thing.
#[derive(Debug, Clone, Default)]
pub struct Times(Vec<Duration>);

impl Times {
    /// Median and 90th percentile.
    pub fn millis(&self) -> [f64; 2] {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        [50, 90].map(|percent| {
            let at = sorted.len().saturating_sub(1) * percent / 100;
            sorted.get(at).copied().unwrap_or_default().as_secs_f64() * 1e3
        })
    }
}

/// Kills the program of the first service of each peer, and waits for its successor.
pub fn restarts(peers: &[Peer], child: &Child) -> Result<Vec<Times>, String> {
    let mut all = vec![Times::default(); peers.len()];
    for round in 0..DEATHS {
        std::thread::sleep(LONG);
        for at in 0..peers.len() {
            let index = (at + round) % peers.len();
            let service = format!("{}.0", peers[index].name());
            let pid = child.pid(&service).ok_or_else(|| format!("{service} does not run"))?;
            let process = Process::open(Pid::from_raw(pid)).ok().flatten();
            let process = process.ok_or_else(|| format!("{service}: process {pid} is gone"))?;
            let begin = monotonic();
            process.signal(Signal::SIGKILL).map_err(|error| format!("{service}: {error}"))?;
            let told = child.next(&service)?;
            let nanoseconds = u64::try_from(told.time - begin).unwrap_or(0);
            all[index].0.push(Duration::from_nanos(nanoseconds));
        }
    }
    Ok(all)
}

/// Stops and starts the last service of each peer that has commands for that; one whose commands fail is named.
pub fn cycles(peers: &[Peer], child: &Child) -> Vec<Option<[Times; 2]>> {
    let mut all: Vec<_> = peers.iter().map(|peer| peer.verbs().map(|_| <[Times; 2]>::default())).collect();
    for round in 0..CYCLES {
        // Peers that take a short run for a crash would wait in the next stop or start.
        std::thread::sleep(LONG);
        for at in 0..peers.len() {
            let index = (at + round) % peers.len();
            let peer = &peers[index];
            let Some(times) = &mut all[index] else { continue };
            if let Err(why) = cycle(peer, child, times) {
                eprintln!("left out: {why}");
                all[index] = None;
            }
        }
    }
    all
}

fn cycle(peer: &Peer, child: &Child, [started, stopped]: &mut [Times; 2]) -> Result<(), String> {
    let Some([start, stop]) = peer.verbs() else { return Ok(()) };
    stopped.0.push(time(peer, &stop)?);
    started.0.push(time(peer, &start)?);
    child.next(&format!("{}.{}", peer.name(), peer.services() - 1)).map(|_| ())
}

fn time(peer: &Peer, command: &[String]) -> Result<Duration, String> {
    let mut prepared = Command::new(&command[0]);
    prepared.args(&command[1..]).envs(peer.environment(command));
    prepared.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let begin = Instant::now();
    let status = prepared.status();
    let took = begin.elapsed();
    if status.as_ref().is_ok_and(ExitStatus::success) {
        return Ok(took);
    }
    Err(format!("{command:?}: {status:?}"))
}

fn monotonic() -> i64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}

//! One point: servers that take turns under the same load, several rounds of it, and the medians.

use std::time::{Duration, Instant};

use super::exchange::Exchange;
use super::histogram::Histogram;
use super::launch::Server;
use super::load::{Crowd, Mode};
use super::options::Times;
use super::sample::{Errors, Sample};
use super::stop;
use super::tree::{self, Memory};

/// How long a crowd may take to gather, and a server to come to rest after one.
const LIMIT: Duration = Duration::from_secs(20);
/// The generator has its core to itself: if it had to wait for it for more than this part of a round, others were running, and
/// not only the threads of the kernel that pass its packets on.
const DISTURBED: f64 = 0.05;
/// A server is at rest when it uses less than a tenth of this time.
const REST: Duration = Duration::from_millis(20);

/// What one server did under one load.
#[derive(Debug, Clone, Default)]
pub struct Point {
    /// Which server.
    pub server: String,
    /// Clients at once.
    pub clients: usize,
    /// Right answers a second.
    pub rate: f64,
    /// The rate divided by that of the first server of the comparison in the same round.
    pub ratio: Option<f64>,
    /// Between which two the middle half of those ratios lie: how much the median is worth.
    pub spread: Option<(f64, f64)>,
    /// Of all rounds together.
    pub latencies: Histogram,
    /// CPU time of the server for an answer, of all rounds together: the kernel counts that of ended workers in ticks, of which a
    /// single round has too few.
    pub cpu: Duration,
    /// The same of the first server, divided by it: above 1 is cheaper.
    pub cpu_ratio: Option<f64>,
    /// Rounds that do not count and were taken again, as others were running.
    pub repeated: usize,
    /// Share of its core that the server used. Well below 1 it is not the server that limits the rate.
    pub busy: f64,
    /// While all connections were held.
    pub memory: Option<Memory>,
    /// Clients that waited in vain through a whole window.
    pub waiting: u64,
    /// What went wrong.
    pub errors: Errors,
    /// Why there are no figures.
    pub failure: Option<String>,
}

/// One server in one round.
struct Round {
    sample: Sample,
    cpu: Duration,
    elapsed: Duration,
    /// For how long the generator had to wait for its core.
    waited: Duration,
    memory: Option<Memory>,
}

impl Round {
    fn rate(&self) -> f64 {
        self.sample.answers as f64 / self.sample.window.as_secs_f64().max(1e-9)
    }

    fn is_disturbed(&self) -> bool {
        self.waited.as_secs_f64() > self.elapsed.as_secs_f64() * DISTURBED
    }
}

/// Loads `servers` in turn with so many `clients`. The first is what the others are compared with.
///
/// # Errors
/// That the bench is to end. What a server fails in is told in its point.
pub fn compare(
    servers: &[&Server],
    exchange: &Exchange,
    mode: Mode,
    clients: usize,
    times: Times,
) -> Result<Vec<Point>, String> {
    let mut rounds: Vec<Vec<Round>> = servers.iter().map(|_| Vec::new()).collect();
    let mut failures: Vec<Option<String>> = vec![None; servers.len()];
    let (mut number, mut repeated, mut state) = (0, 0, clients as u64 + 1);
    while number < times.rounds {
        let order = shuffled(servers.len(), &mut state);
        let mut turn = Vec::new();
        for index in order.into_iter().filter(|index| failures[*index].is_none()).collect::<Vec<_>>() {
            match round(servers[index], exchange, mode, clients, times) {
                Ok(round) => turn.push((index, round)),
                Err(why) => failures[index] = Some(why),
            }
            stop::check()?;
        }
        // Of all servers alike, and not for ever on a machine that never is quiet.
        if repeated < times.rounds && turn.iter().any(|(_, round)| round.is_disturbed()) {
            repeated += 1;
            continue;
        }
        turn.into_iter().for_each(|(index, round)| rounds[index].push(round));
        number += 1;
    }
    let points = servers.iter().enumerate().map(|(index, server)| {
        let ratios = if index == 0 { Vec::new() } else { ratios(&rounds[index], &rounds[0]) };
        Point {
            server: server.name.clone(),
            clients,
            spread: middle_half(&ratios),
            ratio: median(ratios),
            cpu_ratio: Some(thrift(&rounds[index]) / thrift(&rounds[0]))
                .filter(|it| index > 0 && it.is_finite()),
            repeated,
            failure: failures[index].clone(),
            ..summary(&rounds[index])
        }
    });
    Ok(points.collect())
}

/// Who comes first, and who next: by chance, as a machine may pause after every so many connections, and whoever always came at that
/// moment would pay for all. By the same chance in each run.
fn shuffled(count: usize, state: &mut u64) -> Vec<usize> {
    let mut left: Vec<usize> = (0..count).collect();
    let mut order = Vec::new();
    while !left.is_empty() {
        // Knuth's generator, MMIX.
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        order.push(left.remove((*state >> 33) as usize % left.len()));
    }
    order
}

fn round(
    server: &Server,
    exchange: &Exchange,
    mode: Mode,
    clients: usize,
    times: Times,
) -> Result<Round, String> {
    let mut crowd = Crowd::new(server.address, clients, exchange, mode)?;
    if mode == Mode::Held {
        crowd.gather(LIMIT)?;
    }
    let before = tree::cpu(server.group());
    let waited = tree::own_wait();
    let begun = Instant::now();
    let (warm, window) = times.of(clients, mode);
    let sample = crowd.run(warm, window)?;
    let elapsed = begun.elapsed();
    let waited = tree::own_wait().saturating_sub(waited);
    let cpu = tree::cpu(server.group()).saturating_sub(before);
    let memory = (mode == Mode::Held).then(|| tree::memory(server.group()));
    drop(crowd);
    server.settle(exchange)?;
    rest(server)?;
    Ok(Round { sample, cpu, elapsed, waited, memory })
}

/// Waits until the processes of a crowd that has left are gone: the next server is not to pay for them.
fn rest(server: &Server) -> Result<(), String> {
    let deadline = Instant::now() + LIMIT;
    let mut before = tree::cpu(server.group());
    loop {
        stop::check()?;
        std::thread::sleep(REST);
        let now = tree::cpu(server.group());
        if now.abs_diff(before) < REST / 10 {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(format!("{} does not come to rest after its clients have left", server.name));
        }
        before = now;
    }
}

fn summary(rounds: &[Round]) -> Point {
    let mut point = Point::default();
    for round in rounds {
        point.latencies.merge(&round.sample.latencies);
        point.errors.merge(&round.sample.errors);
        point.waiting = point.waiting.max(round.sample.waiting);
        point.memory = round.memory.or(point.memory);
    }
    let of = |value: fn(&Round) -> f64| median(rounds.iter().map(value).collect()).unwrap_or(0.0);
    point.rate = of(Round::rate);
    point.busy = of(|round| round.cpu.as_secs_f64() / round.elapsed.as_secs_f64().max(1e-9));
    point.cpu = Duration::try_from_secs_f64(1.0 / thrift(rounds)).unwrap_or_default();
    point
}

/// Answers for a second of CPU time, of all rounds together.
fn thrift(rounds: &[Round]) -> f64 {
    let answers: u64 = rounds.iter().map(|round| round.sample.all).sum();
    let cpu: Duration = rounds.iter().map(|round| round.cpu).sum();
    answers as f64 / cpu.as_secs_f64().max(1e-9)
}

/// Of the rates, round by round, in ascending order.
fn ratios(rounds: &[Round], base: &[Round]) -> Vec<f64> {
    let pairs = rounds.iter().zip(base).filter(|(_, base)| base.rate() > 0.0);
    let mut ratios: Vec<f64> = pairs.map(|(round, base)| round.rate() / base.rate()).collect();
    ratios.sort_by(f64::total_cmp);
    ratios
}

fn middle_half(sorted: &[f64]) -> Option<(f64, f64)> {
    let outer = sorted.len() / 4;
    (outer > 0).then(|| (sorted[outer], sorted[sorted.len() - 1 - outer]))
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(values[middle]),
        _ => Some((values[middle - 1] + values[middle]) / 2.0),
    }
}

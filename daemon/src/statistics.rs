//! What is known of a running server as a whole: the scoreboards of all its pools, put together and made ready to be told.
//! How it is told, as JSON or as a page of metrics, is decided elsewhere.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::board::{Activity, BUCKETS, Board, Counter, Figures, Seen};
use crate::config::Server;

/// Where the boards are found. A worker has a copy of it as it was at the fork: the boards themselves are shared.
#[derive(Debug)]
pub struct Statistics {
    /// When the server was started; an upgrade does not change it.
    since: SystemTime,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    generation: u64,
    boards: Vec<Entry>,
    /// By the name of the server. Those of servers that a reload took away stay, for a later one may bring them back.
    figures: Vec<(String, Arc<Figures>)>,
    rates: Vec<Sample>,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    server: Arc<Server>,
    board: Arc<Board>,
}

/// How many connections a server had accepted at two moments.
#[derive(Debug)]
struct Sample {
    name: String,
    before: (Instant, u64),
    last: (Instant, u64),
}

/// The shortest time that a rate is told of.
const INTERVAL: Duration = Duration::from_secs(1);

/// A server as it is now.
#[derive(Debug)]
pub struct View {
    /// What the configuration says of it.
    pub server: Arc<Server>,
    /// Its workers, those of earlier generations that have not left yet behind the others.
    pub workers: Vec<Worker>,
    /// Connections that are being served.
    pub connections: u64,
    /// What only grows.
    pub figures: Arc<Figures>,
    /// Connections accepted in a second, and over how long that was looked at; none at the first look.
    pub rate: Option<(f64, Duration)>,
}

/// A context of execution of a server.
#[derive(Debug)]
pub struct Worker {
    /// What its slot says.
    pub seen: Seen,
    /// Whether it leaves when it has served what it has in hand.
    pub leaving: bool,
}

impl Statistics {
    /// Of a server that runs since then.
    #[must_use]
    pub fn new(since: SystemTime) -> Statistics {
        Statistics { since, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nobody panics between two changes that belong together.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the server was started.
    #[must_use]
    pub fn since(&self) -> SystemTime {
        self.since
    }

    /// The number of the generation that accepts.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.state().generation
    }

    pub(crate) fn set_generation(&self, number: u64) {
        self.state().generation = number;
    }

    /// The figures of the server with that name.
    ///
    /// # Errors
    /// No memory for new ones.
    pub(crate) fn figures(&self, name: &str) -> io::Result<Arc<Figures>> {
        let mut state = self.state();
        if let Some((_, figures)) = state.figures.iter().find(|row| row.0 == name) {
            return Ok(Arc::clone(figures));
        }
        let figures = Arc::new(Figures::new()?);
        state.figures.push((name.to_owned(), Arc::clone(&figures)));
        Ok(figures)
    }

    /// Figures that were begun before.
    pub(crate) fn adopt(&self, name: String, figures: Figures) {
        self.state().figures.push((name, Arc::new(figures)));
    }

    /// All figures, by the names of their servers.
    pub(crate) fn all_figures(&self) -> Vec<(String, Arc<Figures>)> {
        self.state().figures.clone()
    }

    /// A pool begins.
    pub(crate) fn enter(&self, number: u64, server: Arc<Server>, board: Arc<Board>) {
        self.state().boards.push(Entry { number, server, board });
    }

    /// A pool is no more.
    pub(crate) fn leave(&self, number: u64) {
        self.state().boards.retain(|entry| entry.number != number);
    }

    /// Each server that is served now, but not those that only serve figures.
    #[must_use]
    pub fn look(&self) -> Vec<View> {
        let mut state = self.state();
        let now = Instant::now();
        let State { boards, rates, .. } = &mut *state;
        let shown = |entry: &&Entry| !is_hidden(&entry.server);
        let present = boards.iter().filter(shown).filter(|entry| !entry.board.is_retired());
        present
            .map(|entry| {
                let mut same: Vec<&Entry> =
                    boards.iter().filter(|other| other.server.name == entry.server.name).collect();
                same.sort_by_key(|entry| (entry.board.is_retired(), entry.number));
                let workers: Vec<Worker> = same.iter().flat_map(|entry| workers(&entry.board)).collect();
                let figures = Arc::clone(entry.board.figures());
                View {
                    connections: workers.iter().map(|worker| held(&worker.seen)).sum(),
                    rate: rate(rates, &entry.server.name, now, figures.counted(Counter::Accepted)),
                    server: Arc::clone(&entry.server),
                    workers,
                    figures,
                }
            })
            .collect()
    }
}

/// The name of the server of figures begins as no configured name can.
pub(crate) const HIDDEN: &str = "(metrics)";

fn is_hidden(server: &Server) -> bool {
    server.name == HIDDEN
}

fn workers(board: &Board) -> impl Iterator<Item = Worker> {
    let leaving = board.is_retired();
    board.look().into_iter().map(move |seen| Worker { seen, leaving })
}

fn held(seen: &Seen) -> u64 {
    let busy = matches!(seen.activity, Activity::Reading | Activity::Serving);
    seen.connections.max(u64::from(busy))
}

/// The rate since the last look but one if the last is too recent to tell anything.
fn rate(rates: &mut Vec<Sample>, name: &str, now: Instant, accepted: u64) -> Option<(f64, Duration)> {
    let Some(sample) = rates.iter_mut().find(|sample| sample.name == name) else {
        rates.push(Sample { name: name.to_owned(), before: (now, accepted), last: (now, accepted) });
        return None;
    };
    if now - sample.last.0 >= INTERVAL {
        sample.before = std::mem::replace(&mut sample.last, (now, accepted));
    }
    let over = now - sample.before.0;
    let more = accepted.saturating_sub(sample.before.1);
    (over >= INTERVAL).then(|| (more as f64 / over.as_secs_f64(), over))
}

/// The time within which that share of all connections was served, rounded up to the bound of its bucket: the next power
/// of two microseconds. None where nothing was served, or where it is beyond the last bound.
#[must_use]
pub fn quantile(histogram: &[u64; BUCKETS], share: f64) -> Option<Duration> {
    let total: u64 = histogram.iter().sum();
    let wanted = ((total as f64 * share).ceil() as u64).max(1);
    let mut sum = 0;
    let found = histogram[..BUCKETS - 1].iter().position(|count| {
        sum += count;
        sum >= wanted
    });
    found.map(bound)
}

/// The upper bound of a bucket: what it counts lasted less. The last bucket has none.
#[must_use]
pub fn bound(bucket: usize) -> Duration {
    Duration::from_micros(1 << bucket.min(BUCKETS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_bounds_of_buckets() {
        let mut histogram = [0; BUCKETS];
        assert_eq!(quantile(&histogram, 0.5), None);
        histogram[10] = 98;
        histogram[20] = 2;
        assert_eq!(quantile(&histogram, 0.5), Some(Duration::from_micros(1024)));
        assert_eq!(quantile(&histogram, 0.98), Some(Duration::from_micros(1024)));
        assert_eq!(quantile(&histogram, 0.99), Some(Duration::from_micros(1 << 20)));
        histogram[BUCKETS - 1] = 1000;
        assert_eq!(quantile(&histogram, 0.99), None, "longer than any bound");
    }

    #[test]
    fn a_rate_is_told_of_a_second_at_least() {
        let (mut rates, now) = (Vec::new(), Instant::now());
        let second = Duration::from_secs(1);
        assert_eq!(rate(&mut rates, "a", now, 100), None);
        assert_eq!(rate(&mut rates, "a", now + second / 2, 150), None);
        assert_eq!(rate(&mut rates, "a", now + second * 2, 200), Some((50.0, second * 2)));
        let recent = rate(&mut rates, "a", now + second * 2 + second / 2, 300);
        assert_eq!(recent.map(|row| row.1), Some(second * 5 / 2), "the last look is too recent");
        assert_eq!(rate(&mut rates, "a", now + second * 4, 300), Some((50.0, second * 2)));
        assert_eq!(rate(&mut rates, "b", now, 1), None);
    }
}

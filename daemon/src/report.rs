//! What the control socket tells of a running server: one JSON document. Its keys keep their meaning; later versions may
//! add some. Durations are seconds, moments are RFC 3339 in UTC.
//!
//! ```json
//! {"version": "0.1.0", "pid": 4007, "generation": 2, "since": "2026-11-24T04:30:00Z", "uptime": 86400, "former": 0,
//!  "servers": [{
//!    "name": "main", "model": "prefork", "addresses": ["127.0.0.1:4007"],
//!    "connections": 1,
//!    "counters": {"accepted": 9, "refused": 0, "failed": 0, "received_bytes": 99, "sent_bytes": 99,
//!                 "workers_started": 4, "workers_crashed": 0},
//!    "latency": {"count": 8, "sum": 0.017, "p50": 0.002048, "p99": 0.008192, "buckets": [[0.002048, 7], [0.008192, 1]]},
//!    "rate": {"per_second": 0.5, "over": 10.0},
//!    "workers": [{"pid": 4008, "activity": "serving", "since": 0.2, "served": 3, "connections": 0,
//!                 "peer": "192.0.2.1:34567", "leaving": false}]}]}
//! ```
//!
//! `former` counts workers that an upgrade found and left to finish; their connections are not among those of a server.
//! A bucket holds the number of connections that lasted less than its bound and not less than half of it; empty ones are
//! left out, and the last, beyond nine hours, has the bound null. Null as well: a quantile of nothing or beyond the last
//! bound, the rate at the first look, the peer of a worker that serves none, or several, or one on a Unix socket.

use serde::Serialize;

use crate::board::{Activity, BUCKETS, Counter};
use crate::logfile;
use crate::statistics::{Statistics, View, Worker, bound, quantile};

/// The whole document.
#[derive(Debug, Serialize)]
struct Status {
    version: &'static str,
    pid: u32,
    generation: u64,
    since: String,
    uptime: u64,
    former: usize,
    servers: Vec<Server>,
}

#[derive(Debug, Serialize)]
struct Server {
    name: String,
    model: String,
    addresses: Vec<String>,
    connections: u64,
    counters: serde_json::Map<String, serde_json::Value>,
    latency: Latency,
    rate: Option<Rate>,
    workers: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Latency {
    count: u64,
    sum: f64,
    p50: Option<f64>,
    p99: Option<f64>,
    buckets: Vec<(Option<f64>, u64)>,
}

#[derive(Debug, Serialize)]
struct Rate {
    per_second: f64,
    over: f64,
}

#[derive(Debug, Serialize)]
struct Row {
    pid: u32,
    activity: &'static str,
    since: f64,
    served: u64,
    connections: u64,
    peer: Option<String>,
    leaving: bool,
}

/// The document on one line. `former`: see the front page.
///
/// # Errors
/// None in practice: it is written to memory.
pub fn status(statistics: &Statistics, former: usize) -> serde_json::Result<String> {
    serde_json::to_string(&Status {
        version: env!("CARGO_PKG_VERSION"),
        pid: std::process::id(),
        generation: statistics.generation(),
        since: logfile::stamp(statistics.since()),
        uptime: statistics.since().elapsed().unwrap_or_default().as_secs(),
        former,
        servers: statistics.look().iter().map(server).collect(),
    })
}

fn server(view: &View) -> Server {
    let histogram = view.figures.histogram();
    let bucket = |(index, count): (usize, &u64)| {
        (*count > 0).then(|| ((index < BUCKETS - 1).then(|| bound(index).as_secs_f64()), *count))
    };
    let counter = |(name, counter): (&str, Counter)| (name.to_owned(), view.figures.counted(counter).into());
    Server {
        name: view.server.name.clone(),
        model: view.server.model.to_string(),
        addresses: view.server.listen.iter().map(ToString::to_string).collect(),
        connections: view.connections,
        counters: Counter::ALL.into_iter().map(counter).collect(),
        latency: Latency {
            count: histogram.iter().sum(),
            sum: view.figures.lasted().as_secs_f64(),
            p50: quantile(&histogram, 0.5).map(|time| time.as_secs_f64()),
            p99: quantile(&histogram, 0.99).map(|time| time.as_secs_f64()),
            buckets: histogram.iter().enumerate().filter_map(bucket).collect(),
        },
        rate: view.rate.map(|(per_second, over)| Rate { per_second, over: over.as_secs_f64() }),
        workers: view.workers.iter().map(row).collect(),
    }
}

fn row(worker: &Worker) -> Row {
    let seen = &worker.seen;
    Row {
        pid: seen.pid,
        activity: word(seen.activity),
        since: seen.since.as_secs_f64(),
        served: seen.served,
        connections: seen.connections,
        peer: seen.peer.map(|peer| peer.to_string()),
        leaving: worker.leaving,
    }
}

/// The word for an activity, in JSON and in metrics.
pub(crate) fn word(activity: Activity) -> &'static str {
    Activity::ALL.iter().find(|row| row.1 == activity).map_or("?", |row| row.0)
}

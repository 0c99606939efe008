//! What a running service tells of itself, as lines for people. Where it comes from is no matter of this file.

use std::time::Duration;

use crate::clock;
use crate::control::call::{Figures, Server, Worker};

/// A line for each server, without the last newline.
pub fn lines(figures: &Figures) -> String {
    let one = |server: &Server| {
        let name = if figures.servers.len() > 1 { format!("{}: ", server.name) } else { String::new() };
        let latency = &server.latency;
        let mut line = format!("  {name}{} connections now, {} served", server.connections, latency.count);
        for (word, value) in [("p50", latency.p50), ("p99", latency.p99)] {
            if let Some(seconds) = value {
                line.push_str(&format!(", {word} {}", short(seconds)));
            }
        }
        line
    };
    let mut lines: Vec<String> = figures.servers.iter().map(one).collect();
    if figures.former > 0 {
        lines.push(format!("  {} workers of a former program finish what they have in hand", figures.former));
    }
    lines.join("\n")
}

/// The workers as a table, those who have been at it for longest first.
pub fn workers(figures: &Figures) -> String {
    let head = ["SERVER", "PID", "ACTIVITY", "FOR", "SERVED", "PEER"].map(str::to_owned);
    let mut rows = vec![head];
    for server in &figures.servers {
        let mut sorted: Vec<&Worker> = server.workers.iter().collect();
        sorted.sort_by(|one, other| {
            (one.activity == "idle").cmp(&(other.activity == "idle")).then(other.since.total_cmp(&one.since))
        });
        rows.extend(sorted.into_iter().map(|worker| row(server, worker)));
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..6).map(width).collect();
    let line = |row: &[String; 6]| {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(&format!("{cell:width$}  "));
        }
        format!("  {}", line.trim_end())
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn row(server: &Server, worker: &Worker) -> [String; 6] {
    let leaving = if worker.leaving { ", leaving" } else { "" };
    let peer = match (&worker.peer, worker.connections) {
        (Some(peer), _) => peer.clone(),
        (None, 0) => "-".to_owned(),
        (None, several) => format!("{several} connections"),
    };
    [
        server.name.clone(),
        worker.pid.to_string(),
        format!("{}{leaving}", worker.activity),
        short(worker.since),
        worker.served.to_string(),
        peer,
    ]
}

/// A duration in the unit that fits.
fn short(seconds: f64) -> String {
    match seconds {
        long if long >= 60.0 => clock::words(Duration::try_from_secs_f64(long).unwrap_or(Duration::MAX)),
        s if s >= 1.0 => format!("{s:.1} s"),
        ms if ms >= 0.001 => format!("{:.1} ms", ms * 1e3),
        us => format!("{:.0} us", us * 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        let text = r#"{"former": 0, "servers": [{"name": "main", "connections": 2,
            "latency": {"count": 9, "p50": 0.000512, "p99": 0.016384},
            "workers": [{"pid": 7, "activity": "idle", "since": 3.0, "served": 9, "connections": 0, "peer": null,
                         "leaving": false},
                        {"pid": 8, "activity": "serving", "since": 0.25, "served": 0, "connections": 0,
                         "peer": "192.0.2.1:9", "leaving": true}]}]}"#;
        let figures: Figures = serde_json::from_str(text).unwrap();
        assert_eq!(lines(&figures), "  2 connections now, 9 served, p50 512 us, p99 16.4 ms");
        let expected = "  SERVER  PID  ACTIVITY          FOR       SERVED  PEER\n  \
                          main    8    serving, leaving  250.0 ms  0       192.0.2.1:9\n  \
                          main    7    idle              3.0 s     9       -";
        assert_eq!(workers(&figures), expected);
        assert_eq!(short(3600.0), "1 h");
    }
}

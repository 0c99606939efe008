//! Medians of interleaved runs as a table of ratios, with the ratio that is wanted beside each.

use std::time::Duration;

/// The times of one thing measured.
#[derive(Clone, Default)]
pub struct Times(Vec<Duration>);

impl Times {
    pub fn push(&mut self, time: Duration) {
        self.0.push(time);
    }

    fn micros(&self, percent: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let at = sorted.len().saturating_sub(1) * percent / 100;
        sorted.get(at).copied().unwrap_or_default().as_secs_f64() * 1e6
    }
}

/// One line: what, and how long it took.
pub struct Row {
    name: String,
    times: Times,
    remark: String,
}

impl Row {
    pub fn new(name: &str, times: Times) -> Row {
        Row { name: name.to_owned(), times, remark: String::new() }
    }

    /// The same with some words at the end of the line.
    pub fn remark(self, remark: String) -> Row {
        Row { remark, ..self }
    }
}

/// Pairs of a peer and ours under one title.
pub struct Table {
    title: String,
    lines: Vec<String>,
    missed: Vec<String>,
}

impl Table {
    pub fn new(title: &str) -> Table {
        Table { title: title.to_owned(), lines: Vec::new(), missed: Vec::new() }
    }

    /// Ours beside a peer; `wanted` is the most that the ratio should be.
    pub fn compare(&mut self, peer: &Row, ours: Row, wanted: Option<f64>) {
        if peer.times.0.is_empty() || ours.times.0.is_empty() {
            return;
        }
        let ratio = ours.times.micros(50) / peer.times.micros(50);
        let verdict = match wanted {
            None => String::new(),
            Some(most) if ratio <= most => format!("{most} reached"),
            Some(most) => format!("{most} MISSED"),
        };
        if verdict.ends_with("MISSED") {
            self.missed.push(format!("{}, {} ({ratio:.3})", self.title, ours.name));
        }
        self.line(peer, 1.0, &peer.remark);
        self.line(&ours, ratio, &format!("{verdict}{}", ours.remark));
    }

    fn line(&mut self, row: &Row, ratio: f64, last: &str) {
        let (name, median, late) = (&row.name, row.times.micros(50), row.times.micros(90));
        self.lines.push(format!("  {name:<34} {median:>10.0} {late:>10.0} {ratio:>8.3}  {last}"));
    }

    /// Prints it; returns what is wanted and was missed.
    pub fn print(self) -> Vec<String> {
        if !self.lines.is_empty() {
            println!("\n{}", self.title);
            println!("  {:<34} {:>10} {:>10} {:>8}  at most", "", "median µs", "p90 µs", "ratio");
        }
        for line in self.lines {
            println!("{}", line.trim_end());
        }
        self.missed
    }
}

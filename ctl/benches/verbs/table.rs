//! Medians, and their ratios to one of the columns.

use std::time::Duration;

/// The times of one candidate.
pub struct Column {
    name: String,
    times: Vec<Duration>,
}

impl Column {
    pub fn new(name: &str) -> Column {
        Column { name: name.to_owned(), times: Vec::new() }
    }

    pub fn push(&mut self, time: Duration) {
        self.times.push(time);
    }

    fn at(&self, percent: usize) -> Duration {
        let mut sorted = self.times.clone();
        sorted.sort_unstable();
        sorted.get((sorted.len().saturating_sub(1)) * percent / 100).copied().unwrap_or_default()
    }
}

/// Prints one table; ratios are to the column named `base`.
pub fn print(title: &str, columns: &[Column], base: &str) {
    let base = columns.iter().find(|column| column.name == base).map(|column| column.at(50));
    println!("\n{title}\n    {:<34} {:>11} {:>11} {:>9}", "", "median µs", "p90 µs", "ratio");
    for column in columns {
        let (median, p90) = (column.at(50), column.at(90));
        let ratio = base.map_or(String::from("-"), |base| {
            format!("{:.3}", median.as_secs_f64() / base.as_secs_f64().max(f64::MIN_POSITIVE))
        });
        let micros = |time: Duration| time.as_secs_f64() * 1e6;
        println!("    {:<34} {:>11.0} {:>11.0} {:>9}", column.name, micros(median), micros(p90), ratio);
    }
}

//! Figures as text. Measures nothing.

use std::time::Duration;

use super::measure::Point;

/// What every model is to reach of its bare loop.
pub const WANTED: f64 = 0.95;

/// The points of one model, or of one group of peers, under one kind of load.
#[derive(Debug, Clone)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// In order of clients, then of servers.
    pub points: Vec<Point>,
}

/// Prints a table; `base` is what the ratios refer to, of the rate first and then of the answers for the same CPU time.
pub fn print(title: &str, base: &str, groups: &[Group]) {
    if groups.is_empty() {
        return;
    }
    println!("\n{title}\n");
    let of = format!("of {base}");
    println!(
        "  {:<28} {:>7} {:>10} {of:>12} {:>9} {:>9} {:>9} {:>8} {of:>12} {:>6}  remarks",
        "", "clients", "a second", "p50 µs", "p99 µs", "p99.9 µs", "CPU µs", "core"
    );
    for group in groups {
        println!("  {}", group.name);
        group.points.iter().for_each(line);
    }
}

fn line(point: &Point) {
    let head = format!("    {:<26} {:>7}", point.server, thousands(point.clients as f64));
    if let Some(why) = &point.failure {
        return println!("{head} {why}");
    }
    let micros = |part| point.latencies.percentile(part).map_or("-".to_owned(), micros);
    println!(
        "{head} {:>10} {:>12} {:>9} {:>9} {:>9} {:>8.1} {:>12} {:>5.0}%  {}",
        thousands(point.rate),
        ratio(point.ratio),
        micros(0.5),
        micros(0.99),
        micros(0.999),
        point.cpu.as_secs_f64() * 1e6,
        ratio(point.cpu_ratio),
        point.busy * 100.0,
        remarks(point)
    );
}

fn ratio(ratio: Option<f64>) -> String {
    ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default()
}

fn remarks(point: &Point) -> String {
    let mut remarks = Vec::new();
    if let Some((least, most)) = point.spread {
        remarks.push(format!("half of the rounds {least:.2}-{most:.2}"));
    }
    if point.repeated > 0 {
        remarks.push(format!("{} rounds taken again", point.repeated));
    }
    if point.errors.total() > 0 {
        remarks.push(format!("ERRORS: {}", point.errors));
    }
    if point.waiting > 0 {
        remarks.push(format!("{} clients waited in vain", thousands(point.waiting as f64)));
    }
    remarks.join("; ")
}

/// Prints what the servers need of memory while most connections are held; `idle` is what they need without clients, as
/// model, server and KiB.
pub fn print_memory(groups: &[Group], idle: &[(String, String, u64)]) {
    println!("\nMemory: PSS of all processes, without page tables, kernel stacks and socket buffers\n");
    println!(
        "  {:<28} {:>7} {:>10} {:>9} {:>10} {:>17}",
        "", "clients", "processes", "KiB idle", "KiB then", "KiB a connection"
    );
    for group in groups {
        println!("  {}", group.name);
        for (_, server, idle) in idle.iter().filter(|row| row.0 == group.name) {
            let last = group.points.iter().rfind(|point| point.server == *server && point.memory.is_some());
            let Some((point, memory)) = last.and_then(|point| Some((point, point.memory?))) else { continue };
            println!(
                "    {server:<26} {:>7} {:>10} {:>9} {:>10} {:>17.2}",
                thousands(point.clients as f64),
                thousands(memory.processes as f64),
                thousands(*idle as f64),
                thousands(memory.kib as f64),
                memory.kib.saturating_sub(*idle) as f64 / point.clients as f64
            );
        }
    }
}

/// Prints which models reach what is wanted of them, by rate and by CPU time, and where those that do not fall short.
pub fn print_verdict(tables: &[(&str, &[Group])]) {
    println!("\nWanted: {WANTED} of the bare loop of the same model\n");
    for (load, groups) in tables {
        for group in *groups {
            let rate = short_of(group, |point| point.ratio);
            let cpu = short_of(group, |point| point.cpu_ratio);
            if let (Some(rate), Some(cpu)) = (rate, cpu) {
                println!("    {:<12} {load:<18} rate: {rate}; CPU: {cpu}", group.name);
            }
        }
    }
}

/// Where a ratio is lower than wanted; none if there is no ratio at all.
fn short_of(group: &Group, ratio: fn(&Point) -> Option<f64>) -> Option<String> {
    let rated = group.points.iter().filter_map(|point| Some((ratio(point)?, point.clients)));
    let all: Vec<(f64, usize)> = rated.collect();
    let short = all.iter().filter(|(ratio, _)| *ratio < WANTED);
    let told: Vec<String> =
        short.map(|(ratio, clients)| format!("{ratio:.2} at {}", thousands(*clients as f64))).collect();
    match told.len() {
        _ if all.is_empty() => None,
        0 => Some("reached".to_owned()),
        _ => Some(told.join(", ")),
    }
}

/// With a comma between thousands.
#[must_use]
pub fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn micros(duration: Duration) -> String {
    thousands(duration.as_secs_f64() * 1e6)
}

//! `blame`: how long the services that a supervisor holds took to be ready, by what their supervisors wrote down.

use anyhow::Result;
use foobar_initscripts::exit::Action;
use foobar_initscripts::name::ServiceName;
use serde::Serialize;

use crate::context::Context;
use crate::supervisor::place::{self, Place};
use crate::supervisor::report::State;

/// One service; `--format json` prints a list of these.
#[derive(Debug, Serialize)]
struct Row {
    service: String,
    /// How it is now.
    state: State,
    /// When its last start was asked for, in seconds since boot.
    called: f64,
    /// Seconds from then until it was ready; null: it never was.
    took: Option<f64>,
}

/// Lists them, the longest first.
///
/// # Errors
/// When the run directories cannot be read.
pub fn run(context: &Context) -> Result<Action> {
    context.must_be_live("blame")?;
    let names = match std::fs::read_dir(place::all(&context.root)) {
        Ok(entries) => entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect(),
        // Nothing was started since boot.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let row = |name: &String| {
        let name = ServiceName::parse(name).ok()?;
        let report = Place::of(&context.root, &name).report()?;
        let (called, took) = (report.start.called, report.start.took);
        Some(Row { service: report.service, state: report.state, called, took })
    };
    let mut rows: Vec<Row> = names.iter().filter_map(row).collect();
    let cost = |row: &Row| row.took.unwrap_or(f64::INFINITY);
    rows.sort_by(|one, other| {
        cost(other).total_cmp(&cost(one)).then_with(|| one.service.cmp(&other.service))
    });
    context.output.result(table(&rows), &rows)?;
    Ok(Action::Ok)
}

fn table(rows: &[Row]) -> String {
    if rows.is_empty() {
        return "no supervisor has started anything since boot".to_owned();
    }
    let line = |row: &Row| match row.took {
        Some(seconds) => format!("{:>9.3} s  {}", seconds, row.service),
        None => format!("{:>11}  {} ({})", "-", row.service, row.state.word()),
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

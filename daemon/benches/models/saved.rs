//! What the graph is drawn from, kept in a file: so that a long measurement can be made in parts, each while the machine is
//! quiet. One line a point: load, model, server, clients, answers a second, and within how many nanoseconds 99 % came.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use super::measure::Point;
use super::servers::MODELS;
use super::table::Group;

/// Adds what was measured to the end of the file.
///
/// # Errors
/// What the file system says.
pub fn save(path: &Path, loads: &[(&str, &[Group])]) -> Result<(), String> {
    let mut text = String::new();
    for (load, groups) in loads {
        for (group, point) in groups.iter().flat_map(|group| group.points.iter().map(move |it| (group, it))) {
            let within = point.latencies.percentile(0.99).unwrap_or_default().as_nanos();
            if point.failure.is_none() {
                let (server, clients, rate) = (&point.server, point.clients, point.rate);
                let _ = writeln!(text, "{load}\t{}\t{server}\t{clients}\t{rate}\t{within}", group.name);
            }
        }
    }
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
}

/// What such a file holds of `load`; of points measured twice the later.
///
/// # Errors
/// It cannot be read, or a line is none of ours.
pub fn load(path: &Path, load: &str) -> Result<Vec<Group>, String> {
    let text =
        fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let mut groups: Vec<Group> =
        MODELS.iter().map(|model| Group { name: model.name.to_owned(), points: Vec::new() }).collect();
    for (number, line) in text.lines().enumerate() {
        let fields: Vec<&str> = line.split('\t').collect();
        if fields[0] != load {
            continue;
        }
        let wrong = || format!("{}:{}: no point of a measurement", path.display(), number + 1);
        let group = fields.get(1).and_then(|name| groups.iter_mut().find(|group| group.name == *name));
        let (group, point) = (group.ok_or_else(wrong)?, point(&fields).ok_or_else(wrong)?);
        group.points.retain(|old| old.server != point.server || old.clients != point.clients);
        group.points.push(point);
        group.points.sort_by_key(|point| point.clients);
    }
    Ok(groups)
}

fn point(fields: &[&str]) -> Option<Point> {
    let [_, _, server, clients, rate, within] = fields else { return None };
    let mut point = Point {
        server: (*server).to_owned(),
        clients: clients.parse().ok()?,
        rate: rate.parse().ok()?,
        ..Point::default()
    };
    point.latencies.record(Duration::from_nanos(within.parse().ok()?));
    Some(point)
}

//! From figures to the panels of the graph: which curve in which colour, and in which words.

use super::graph::{Line, Panel, draw};
use super::measure::Point;
use super::table::{Group, thousands};

/// One for each model; they can be told apart by those who do not see all colours as well.
const COLOURS: [&str; 7] = ["#0072b2", "#d55e00", "#00875f", "#b8478f", "#c48a00", "#3a9fd8", "#222222"];

/// The whole graph as SVG.
#[must_use]
pub fn of(short: &[Group], held: &[Group]) -> String {
    let rate = |point: &Point| Some(point.rate).filter(|rate| *rate > 0.0);
    let latency = |point: &Point| point.latencies.percentile(0.99).map(|it| it.as_secs_f64() * 1e6);
    let panels = [
        panel("Short connections a second", thousands, short, rate),
        panel("Short connections: 99 % are answered within", time, short, latency),
        panel("Held connections: requests a second", thousands, held, rate),
        panel("Held connections: 99 % are answered within", time, held, latency),
    ];
    draw(
        "foobard's process models",
        "Echo of 64 bytes on loopback; the server on one core, its clients on another. Both axes are logarithmic.",
        &panels,
    )
}

fn panel(title: &str, unit: fn(f64) -> String, groups: &[Group], value: fn(&Point) -> Option<f64>) -> Panel {
    let mut lines = Vec::new();
    for (group, colour) in groups.iter().zip(COLOURS) {
        let of = |ours: bool| -> Vec<(f64, f64)> {
            let points = group.points.iter().filter(|point| (point.server == "foobard") == ours);
            points
                .filter(|point| point.failure.is_none())
                .filter_map(|point| Some((point.clients as f64, value(point)?)))
                .collect()
        };
        let (ours, bare) = (of(true), of(false));
        // A model that foobard does not have yet is shown by what C makes of it, and says so.
        let lonely = ours.is_empty().then(|| format!("{} in C", group.name));
        lines.push(Line { label: lonely, colour, faint: true, points: bare });
        lines.push(Line { label: Some(group.name.clone()), colour, faint: false, points: ours });
    }
    Panel { title: title.to_owned(), unit, lines }
}

/// Microseconds in the unit that needs the fewest digits.
fn time(micros: f64) -> String {
    match micros {
        micros if micros < 999.5 => format!("{micros:.0} µs"),
        micros if micros < 999_500.0 => format!("{:.0} ms", micros / 1e3),
        micros => format!("{:.0} s", micros / 1e6),
    }
}

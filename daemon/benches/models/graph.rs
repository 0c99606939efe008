//! The graph: throughput and latency over the number of clients, as SVG. Knows lines and axes, no servers.

use std::fmt::Write as _;

use super::table::thousands;

/// A curve.
#[derive(Debug, Clone)]
pub struct Line {
    /// At its end; none for a curve that is told by another's label.
    pub label: Option<String>,
    /// Its colour.
    pub colour: &'static str,
    /// Thin and dashed, in the background.
    pub faint: bool,
    /// x and y, both above zero.
    pub points: Vec<(f64, f64)>,
}

/// One pair of axes.
#[derive(Debug, Clone)]
pub struct Panel {
    /// Above it.
    pub title: String,
    /// How a value of the y axis is written.
    pub unit: fn(f64) -> String,
    /// The curves.
    pub lines: Vec<Line>,
}

const WIDTH: f64 = 1180.0;
const HEAD: f64 = 96.0;
const FOOT: f64 = 24.0;
/// Of one panel, from the left of its axis to the right of its labels.
const PANEL: (f64, f64) = (560.0, 400.0);
/// Of the plot within its panel: left, top, width, height.
const PLOT: (f64, f64, f64, f64) = (78.0, 46.0, 370.0, 296.0);
/// Between two labels.
const LABEL_STEP: f64 = 15.0;

/// Draws `panels`, two in a row.
#[must_use]
pub fn draw(title: &str, subtitle: &str, panels: &[Panel]) -> String {
    let height = HEAD + FOOT + PANEL.1 * panels.len().div_ceil(2) as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"DejaVu Sans, Verdana, Helvetica, Arial, sans-serif\" font-size=\"12\" fill=\"#333\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>\n\
         <text x=\"30\" y=\"40\" font-size=\"21\" font-weight=\"bold\" fill=\"#111\">{}</text>\n\
         <text x=\"30\" y=\"63\" fill=\"#666\">{}</text>\n",
        escaped(title),
        escaped(subtitle)
    );
    legend(&mut svg);
    for (index, panel) in panels.iter().enumerate() {
        let x = 20.0 + (index % 2) as f64 * (PANEL.0 + 20.0);
        let y = HEAD + (index / 2) as f64 * PANEL.1;
        let _ = writeln!(svg, "<g transform=\"translate({x} {y})\">");
        panel.draw(&mut svg);
        svg.push_str("</g>\n");
    }
    svg.push_str("</svg>\n");
    svg
}

fn legend(svg: &mut String) {
    svg.push_str(
        "<g font-size=\"12\" fill=\"#444\"><line x1=\"880\" y1=\"36\" x2=\"916\" y2=\"36\" stroke=\"#444\" stroke-width=\"2.4\"/>\
         <circle cx=\"898\" cy=\"36\" r=\"3.4\" fill=\"#444\"/><text x=\"924\" y=\"40\">foobard</text>\
         <line x1=\"1000\" y1=\"36\" x2=\"1036\" y2=\"36\" stroke=\"#444\" stroke-width=\"1.4\" stroke-dasharray=\"5 4\" \
         opacity=\"0.7\"/><text x=\"1044\" y=\"40\">bare loop in C</text></g>\n",
    );
}

/// From values to places, both logarithmic.
struct Scale {
    x: (f64, f64),
    y: (f64, f64),
}

impl Scale {
    fn of(lines: &[Line]) -> Option<Scale> {
        let all = || lines.iter().flat_map(|line| &line.points);
        let range = |value: fn(&(f64, f64)) -> f64| {
            let least = all().map(value).fold(f64::INFINITY, f64::min);
            let most = all().map(value).fold(0.0, f64::max);
            (least > 0.0 && least.is_finite()).then(|| (least.log10(), most.log10()))
        };
        let (x, y) = (range(|point| point.0)?, range(|point| point.1)?);
        // At least a decade, and some air above and below.
        let middle = f64::midpoint(y.0, y.1);
        let half = ((y.1 - y.0) / 2.0 + 0.12).max(0.5);
        Some(Scale { x: (x.0, x.1.max(x.0 + 1.0)), y: (middle - half, middle + half) })
    }

    fn x(&self, value: f64) -> f64 {
        PLOT.0 + (value.log10() - self.x.0) / (self.x.1 - self.x.0) * PLOT.2
    }

    fn y(&self, value: f64) -> f64 {
        PLOT.1 + (self.y.1 - value.log10()) / (self.y.1 - self.y.0) * PLOT.3
    }

    /// The round values within the range of y: 1, 10, 100, or with 2 and 5 in between if there is room.
    fn marks(&self) -> Vec<f64> {
        let steps: &[f64] = if self.y.1 - self.y.0 < 2.2 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let decades = (self.y.0.floor() as i32)..=(self.y.1.ceil() as i32);
        let marks = decades.flat_map(|decade| steps.iter().map(move |step| step * 10_f64.powi(decade)));
        marks.filter(|mark| (self.y.0..=self.y.1).contains(&mark.log10())).collect()
    }
}

impl Panel {
    fn draw(&self, svg: &mut String) {
        let (left, top, width, height) = PLOT;
        let _ = writeln!(
            svg,
            "<text x=\"{left}\" y=\"22\" font-size=\"14\" font-weight=\"bold\" fill=\"#222\">{}</text>",
            escaped(&self.title)
        );
        let Some(scale) = Scale::of(&self.lines) else {
            let _ = writeln!(svg, "<text x=\"{left}\" y=\"60\">nothing was measured</text>");
            return;
        };
        self.axes(svg, &scale);
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" fill=\"#555\">clients at the same time</text>",
            left + width / 2.0,
            top + height + 40.0
        );
        for line in self.lines.iter().filter(|line| line.faint).chain(self.lines.iter().filter(|l| !l.faint))
        {
            curve(svg, &scale, line);
        }
        self.labels(svg, &scale);
    }

    fn axes(&self, svg: &mut String, scale: &Scale) {
        let (left, top, width, height) = PLOT;
        svg.push_str("<g stroke=\"#e3e3e3\" stroke-width=\"1\">");
        let marks = scale.marks();
        for mark in &marks {
            let y = scale.y(*mark);
            let _ = write!(svg, "<line x1=\"{left}\" y1=\"{y:.1}\" x2=\"{}\" y2=\"{y:.1}\"/>", left + width);
        }
        let decades: Vec<f64> = (0..=(scale.x.1 + 1e-9) as i32).map(|power| 10_f64.powi(power)).collect();
        for decade in &decades {
            let x = scale.x(*decade);
            let _ = write!(svg, "<line x1=\"{x:.1}\" y1=\"{top}\" x2=\"{x:.1}\" y2=\"{}\"/>", top + height);
        }
        svg.push_str("</g>\n<g fill=\"#555\">");
        for mark in &marks {
            let y = scale.y(*mark) + 4.0;
            let text = (self.unit)(*mark);
            let _ = write!(svg, "<text x=\"{}\" y=\"{y:.1}\" text-anchor=\"end\">{text}</text>", left - 9.0);
        }
        for decade in &decades {
            let (x, y) = (scale.x(*decade), top + height + 19.0);
            let text = thousands(*decade);
            let _ = write!(svg, "<text x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\">{text}</text>");
        }
        svg.push_str("</g>\n");
        let bottom = top + height;
        let _ = writeln!(
            svg,
            "<path d=\"M{left} {top}V{bottom}H{}\" fill=\"none\" stroke=\"#888\"/>",
            left + width
        );
    }

    /// Beside the end of each curve, pushed apart where several end in one place.
    fn labels(&self, svg: &mut String, scale: &Scale) {
        let mut ends: Vec<(f64, f64, &Line)> = Vec::new();
        for line in self.lines.iter().filter(|line| line.label.is_some()) {
            if let Some((x, y)) = line.points.last() {
                ends.push((scale.x(*x), scale.y(*y), line));
            }
        }
        ends.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        for group in ends.chunk_by(|a, b| (a.0 - b.0).abs() < 40.0) {
            let places = apart(&group.iter().map(|end| end.1).collect::<Vec<_>>());
            for ((x, y, line), place) in group.iter().zip(places) {
                let (colour, label) = (line.colour, escaped(line.label.as_deref().unwrap_or_default()));
                let text =
                    format!("<text x=\"{:.1}\" y=\"{:.1}\" font-weight=\"bold\"", x + 17.0, place + 4.0);
                // White below the letters keeps them legible across a curve. Two elements, since not every
                // viewer knows paint-order.
                let _ = writeln!(
                    svg,
                    "<path d=\"M{:.1} {y:.1}L{:.1} {place:.1}\" stroke=\"{colour}\" stroke-width=\"0.8\" \
                     opacity=\"0.6\"/>\n{text} stroke=\"#fff\" stroke-width=\"3\" stroke-linejoin=\"round\" \
                     fill=\"#fff\">{label}</text>\n{text} fill=\"{colour}\">{label}</text>",
                    x + 5.0,
                    x + 14.0,
                );
            }
        }
    }
}

/// Moves `wanted`, which ascends, as little as needed for a label each.
fn apart(wanted: &[f64]) -> Vec<f64> {
    let mut places = wanted.to_vec();
    // Neighbours that are too close part by half of what is missing each, until none are.
    for _ in 0..200 {
        for index in 1..places.len() {
            let missing = LABEL_STEP - (places[index] - places[index - 1]);
            if missing > 0.0 {
                places[index - 1] -= missing / 2.0;
                places[index] += missing / 2.0;
            }
        }
    }
    places
}

fn curve(svg: &mut String, scale: &Scale, line: &Line) {
    let mut path = String::new();
    for (index, (x, y)) in line.points.iter().enumerate() {
        let _ = write!(path, "{}{:.1} {:.1}", if index == 0 { "M" } else { "L" }, scale.x(*x), scale.y(*y));
    }
    let colour = line.colour;
    let style = if line.faint {
        "stroke-width=\"1.4\" stroke-dasharray=\"5 4\" opacity=\"0.6\""
    } else {
        "stroke-width=\"2.4\""
    };
    let _ = writeln!(
        svg,
        "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-linejoin=\"round\" {style}/>"
    );
    let (radius, fill) = if line.faint { (2.2, "#fff") } else { (3.4, colour) };
    for (x, y) in &line.points {
        let (x, y) = (scale.x(*x), scale.y(*y));
        let _ = write!(
            svg,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\" fill=\"{fill}\" stroke=\"{colour}\"/>"
        );
    }
    svg.push('\n');
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

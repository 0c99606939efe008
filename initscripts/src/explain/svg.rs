//! Pictures as SVG 1.1, written by hand: lanes of one number each from left to right, and under them the curves of
//! what waits for what. Whoever rests the pointer on a curve reads the line of the header that asks for it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::picture::{Arrow, Item, Mark, Picture};

/// All lengths are in pixels. The letters are of one width, so that boxes fit without being measured.
const LETTER: f64 = 7.3;
const BOX: f64 = 20.0;
const ROW: f64 = 27.0;
const PAD: f64 = 8.0;
/// Between lanes, where curves can be told apart, and between the columns of one lane.
const GAP: f64 = 64.0;
const COLUMN: f64 = 14.0;
const MARGIN: f64 = 16.0;
/// Title, and numbers of lanes.
const TITLE: f64 = 26.0;
const NUMBER: f64 = 24.0;

const STYLE: &str = "text{font:12px monospace;fill:#222}\
.title{font-size:15px;font-weight:bold}.number{font-size:13px;fill:#777;text-anchor:middle}\
.lane{fill:#f4f5f7}.item{fill:#fff;stroke:#8a93a5}.all{fill:#e8ecf8}\
.interactive{stroke-width:2.5}\
.added{fill:#dcf5dc;stroke:#2a8a2a}.removed{fill:#fbe0e0;stroke:#c03030}\
.moved{fill:#fff3cf;stroke:#b08000}.arrow{fill:none;stroke:#5b6fa8;stroke-opacity:.45;stroke-width:1.1}\
.arrow.added{fill:none;stroke:#2a8a2a;stroke-opacity:1}.arrow.removed{fill:none;stroke:#c03030;stroke-dasharray:5 3}\
.arrow.back{stroke:#c03030;stroke-width:2;stroke-opacity:1}\
.arrow:hover{stroke:#d04000;stroke-width:3;stroke-opacity:1}";

/// Where a box is.
#[derive(Debug, Clone, Copy)]
struct Spot {
    x: f64,
    y: f64,
    width: f64,
}

/// One document with the pictures below each other; without a last newline.
#[must_use]
pub fn svg(pictures: &[Picture]) -> String {
    let mut body = String::new();
    let (mut width, mut height): (f64, f64) = (240.0, MARGIN);
    for picture in pictures {
        let (wide, high) = draw(picture, height, &mut body);
        width = width.max(wide);
        height += high + MARGIN;
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\">\n<style>{STYLE}</style>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{body}</svg>"
    )
}

/// Draws one picture; gives back how wide and high it is.
fn draw(picture: &Picture, top: f64, out: &mut String) -> (f64, f64) {
    let _ = writeln!(
        out,
        "<text class=\"title\" x=\"{MARGIN}\" y=\"{:.0}\">{}</text>",
        top + 14.0,
        escaped(&picture.title)
    );
    let rows = rows(picture);
    let order = ordered(picture);
    let leads: BTreeSet<&str> = picture.arrows.iter().map(|arrow| arrow.first.as_str()).collect();
    let (mut spots, mut lanes, mut boxes) = (BTreeMap::new(), String::new(), String::new());
    let (mut x, mut high) = (MARGIN, 0.0_f64);
    for (lane, mut items) in picture.lanes.iter().zip(order) {
        let start = x;
        let columns = items.len().div_ceil(rows).max(1);
        if columns > 1 {
            // What others wait for stands in the last column, so that few curves pass under boxes.
            items.sort_by_key(|item| leads.contains(item.name.as_str()));
        }
        for column in items.chunks(items.len().div_ceil(columns).max(1)) {
            let longest = column.iter().map(|item| label(item).chars().count()).max().unwrap_or(0);
            let width = longest as f64 * LETTER + 2.0 * PAD;
            for (row, item) in column.iter().enumerate() {
                let spot = Spot { x, y: top + TITLE + NUMBER + row as f64 * ROW, width };
                spots.insert(item.name.as_str(), spot);
                write_box(item, lane.sequence, spot, &mut boxes);
            }
            high = high.max(NUMBER + column.len() as f64 * ROW);
            x += width + COLUMN;
        }
        x -= COLUMN;
        let _ = writeln!(
            lanes,
            "<rect class=\"lane\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"@HIGH@\" rx=\"6\"/>\
             <text class=\"number\" x=\"{:.1}\" y=\"{:.1}\">{:02}</text>",
            start - 6.0,
            top + TITLE,
            x - start + 12.0,
            f64::midpoint(start, x),
            top + TITLE + 16.0,
            lane.sequence
        );
        x += GAP;
    }
    out.push_str(&lanes.replace("@HIGH@", &format!("{high:.1}")));
    for arrow in &picture.arrows {
        if let (Some(from), Some(to)) = (spots.get(arrow.first.as_str()), spots.get(arrow.then.as_str())) {
            write_arrow(arrow, *from, *to, out);
        }
    }
    out.push_str(&boxes);
    (x - GAP + MARGIN, TITLE + high)
}

/// How many boxes stand above each other at most: the more there are, the more a lane gets, to keep it all about
/// twice as wide as high.
fn rows(picture: &Picture) -> usize {
    let count = picture.items().count();
    let longest = picture.lanes.iter().map(|lane| lane.items.len()).max().unwrap_or(0);
    let even = (count as f64 * 2.5).sqrt().ceil() as usize;
    longest.min(even.max(10)).max(1)
}

/// The scripts of each lane from top to bottom: each near those it waits for, so that few curves cross.
fn ordered(picture: &Picture) -> Vec<Vec<&Item>> {
    let mut near: [BTreeMap<&str, Vec<&str>>; 2] = [BTreeMap::new(), BTreeMap::new()];
    for Arrow { first, then, .. } in &picture.arrows {
        near[0].entry(then).or_default().push(first);
        near[1].entry(first).or_default().push(then);
    }
    let mut lanes: Vec<Vec<&Item>> = picture.lanes.iter().map(|lane| lane.items.iter().collect()).collect();
    let mut heights = BTreeMap::new();
    lanes.iter().for_each(|lane| place(lane, &mut heights));
    for round in 0..4 {
        let near = &near[round % 2];
        for step in 0..lanes.len() {
            let at = if round % 2 == 0 { step } else { lanes.len() - 1 - step };
            let wish = |name: &str| {
                let others = near.get(name).map(Vec::as_slice).unwrap_or_default();
                let sum: f64 = others.iter().filter_map(|other| heights.get(*other)).sum();
                let own = heights.get(name).copied().unwrap_or(0.0);
                if others.is_empty() { own } else { sum / others.len() as f64 }
            };
            let mut wished: Vec<(f64, &Item)> =
                lanes[at].iter().map(|item| (wish(&item.name), *item)).collect();
            wished.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.name.cmp(&b.1.name)));
            lanes[at] = wished.into_iter().map(|(_, item)| item).collect();
            place(&lanes[at], &mut heights);
        }
    }
    lanes
}

/// How far down each stands in its lane, from 0 to 1.
fn place<'a>(lane: &[&'a Item], heights: &mut BTreeMap<&'a str, f64>) {
    for (at, item) in lane.iter().enumerate() {
        heights.insert(item.name.as_str(), at as f64 / lane.len() as f64);
    }
}

fn label(item: &Item) -> String {
    match item.mark {
        Mark::Moved(was) => format!("{} ({was:02} before)", item.name),
        _ => item.name.clone(),
    }
}

fn write_box(item: &Item, sequence: u8, spot: Spot, out: &mut String) {
    let mut class = String::from("item");
    let mut more = String::new();
    for (is, word, words) in [
        (item.all, " all", ", before or after all others ($all)"),
        (item.interactive, " interactive", ", interactive: nothing else may start beside it"),
    ] {
        if is {
            class.push_str(word);
            more.push_str(words);
        }
    }
    // Last, as of two colours the last counts.
    class.push_str(self::class(item.mark));
    let _ = writeln!(
        out,
        "<g><title>{}, number {sequence:02}{more}</title><rect class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" \
         width=\"{:.1}\" height=\"{BOX}\" rx=\"4\"/><text x=\"{:.1}\" y=\"{:.1}\">{}</text></g>",
        escaped(&item.name),
        spot.x,
        spot.y,
        spot.width,
        spot.x + PAD,
        spot.y + 14.0,
        escaped(&label(item))
    );
}

fn write_arrow(arrow: &Arrow, from: Spot, to: Spot, out: &mut String) {
    let (x1, y1) = (from.x + from.width, from.y + BOX / 2.0);
    let (x2, y2) = (to.x, to.y + BOX / 2.0);
    let back = if x2 < x1 && arrow.mark != Mark::Removed { " back" } else { "" };
    let bend = ((x2 - x1).abs() / 2.0).clamp(20.0, 90.0);
    let _ = writeln!(
        out,
        "<path class=\"arrow{}{back}\" d=\"M{x1:.1} {y1:.1}C{:.1} {y1:.1} {:.1} {y2:.1} {x2:.1} {y2:.1}\">\
         <title>{} before {}: {}</title></path>",
        class(arrow.mark),
        x1 + bend,
        x2 - bend,
        escaped(&arrow.first),
        escaped(&arrow.then),
        escaped(&arrow.place.to_string())
    );
}

fn class(mark: Mark) -> &'static str {
    match mark {
        Mark::Same => "",
        Mark::Added => " added",
        Mark::Removed => " removed",
        Mark::Moved(_) => " moved",
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // XML has no other control characters.
            letter if letter.is_control() => out.push(' '),
            letter => out.push(letter),
        }
    }
    out
}

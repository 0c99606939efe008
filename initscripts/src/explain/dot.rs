//! Pictures in the language of Graphviz, dot(1).

use std::fmt::Write as _;

use super::picture::{Mark, Picture};

/// One graph with a cluster for each picture; without a last newline.
#[must_use]
pub fn dot(pictures: &[Picture]) -> String {
    let mut out = String::from("digraph order {\n  rankdir=LR;\n  node [shape=box, style=rounded];\n");
    for (at, picture) in pictures.iter().enumerate() {
        let node = |name: &str| quoted(&format!("{at}/{name}"));
        let _ = writeln!(out, "  subgraph cluster_{at} {{\n    label={};", quoted(&picture.title));
        for lane in &picture.lanes {
            let number = quoted(&format!("{at}/{:02}", lane.sequence));
            let _ = writeln!(out, "    {{\n      rank=same;");
            let _ = writeln!(out, "      {number} [label=\"{:02}\", shape=plaintext];", lane.sequence);
            for item in &lane.items {
                let mut more = style(item.mark).to_owned();
                if item.all {
                    more.push_str(", peripheries=2");
                }
                let _ = writeln!(out, "      {} [label={}{more}];", node(&item.name), quoted(&item.name));
            }
            out.push_str("    }\n");
        }
        for pair in picture.lanes.windows(2) {
            let number = |lane: usize| quoted(&format!("{at}/{:02}", pair[lane].sequence));
            let _ = writeln!(out, "    {} -> {} [style=invis];", number(0), number(1));
        }
        for arrow in &picture.arrows {
            let tip = quoted(&arrow.place.to_string());
            let more = style(arrow.mark);
            let _ =
                writeln!(out, "    {} -> {} [tooltip={tip}{more}];", node(&arrow.first), node(&arrow.then));
        }
        out.push_str("  }\n");
    }
    out.push('}');
    out
}

fn style(mark: Mark) -> &'static str {
    match mark {
        Mark::Same => "",
        Mark::Added => ", color=darkgreen, fontcolor=darkgreen",
        Mark::Removed => ", color=red, fontcolor=red",
        Mark::Moved(_) => ", color=darkorange, fontcolor=darkorange",
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', " "))
}

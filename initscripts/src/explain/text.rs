//! A picture as a tree for a terminal.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::picture::{Item, Mark, Picture};

/// A tree of lanes, their scripts, and what each of these waits for; without a last newline.
#[must_use]
pub fn text(picture: &Picture) -> String {
    let mut out = picture.title.clone();
    let mut before: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for arrow in &picture.arrows {
        let sign = match arrow.mark {
            Mark::Added => "+",
            Mark::Removed => "-",
            Mark::Same | Mark::Moved(_) => "",
        };
        before.entry(&arrow.then).or_default().push(format!("{sign}{}", arrow.first));
    }
    before.values_mut().for_each(|names| names.sort());
    if picture.lanes.is_empty() {
        out.push_str("\n`-- nothing");
    }
    for (at, lane) in picture.lanes.iter().enumerate() {
        let last = at + 1 == picture.lanes.len();
        let (branch, bar) = if last { ("`--", "    ") } else { ("|--", "|   ") };
        let _ = write!(out, "\n{branch} {:02}", lane.sequence);
        for (at, item) in lane.items.iter().enumerate() {
            let branch = if at + 1 == lane.items.len() { "`--" } else { "|--" };
            let _ = write!(out, "\n{bar}{branch} {}", label(item, before.get(item.name.as_str())));
        }
    }
    out
}

fn label(item: &Item, before: Option<&Vec<String>>) -> String {
    let mut label = match item.mark {
        Mark::Same => String::new(),
        Mark::Added => "+ ".to_owned(),
        Mark::Removed => "- ".to_owned(),
        Mark::Moved(_) => "~ ".to_owned(),
    };
    label.push_str(&item.name);
    if let Mark::Moved(was) = item.mark {
        let _ = write!(label, " (was {was:02})");
    }
    if item.interactive {
        label.push_str(" [interactive]");
    }
    if item.all {
        label.push_str(" [$all]");
    }
    if let Some(before) = before {
        let _ = write!(label, " <- {}", before.join(", "));
    }
    label
}

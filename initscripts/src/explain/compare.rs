//! The difference between two pictures of one runlevel, as a picture with marks.

use std::collections::{BTreeMap, BTreeSet};

use super::picture::{Arrow, Item, Mark, Picture};

/// What `after` has, marked where it differs from `before`, and what is gone.
#[must_use]
pub fn compare(before: &Picture, after: &Picture) -> Picture {
    let numbers = |picture: &Picture| -> BTreeMap<String, u8> {
        picture.items().map(|(sequence, item)| (item.name.clone(), sequence)).collect()
    };
    let (old, new) = (numbers(before), numbers(after));
    let mark = |sequence: u8, name: &str| match old.get(name) {
        None => Mark::Added,
        Some(&was) if was != sequence => Mark::Moved(was),
        Some(_) => Mark::Same,
    };
    let mut items: Vec<(u8, Item)> = after
        .items()
        .map(|(sequence, item)| (sequence, Item { mark: mark(sequence, &item.name), ..item.clone() }))
        .collect();
    let gone = before.items().filter(|(_, item)| !new.contains_key(&item.name));
    items.extend(gone.map(|(sequence, item)| (sequence, Item { mark: Mark::Removed, ..item.clone() })));
    let pair = |arrow: &Arrow| (arrow.first.clone(), arrow.then.clone());
    let pairs = |picture: &Picture| picture.arrows.iter().map(pair).collect::<BTreeSet<_>>();
    let (old, new) = (pairs(before), pairs(after));
    let kept = after.arrows.iter().map(|arrow| {
        let mark = if old.contains(&pair(arrow)) { Mark::Same } else { Mark::Added };
        Arrow { mark, ..arrow.clone() }
    });
    let gone = before.arrows.iter().filter(|arrow| !new.contains(&pair(arrow)));
    let gone = gone.map(|arrow| Arrow { mark: Mark::Removed, ..arrow.clone() });
    let arrows = kept.chain(gone).collect();
    Picture::new(after.title.clone(), items, arrows)
}

//! Keys by name, and the key that was meant.

use super::distance::distance;
use super::key::Key;
use super::table::{TOPICS, all};

/// The key of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Key> {
    // Topic by topic, not over all(): status reads a service file on each call, and this is what it does most there.
    TOPICS.iter().find_map(|topic| topic.keys.iter().find(|key| key.name == name))
}

/// The key that `name` is likely to mean, if any: that of the directive of systemd, or the one whose name is nearest.
#[must_use]
pub fn nearest(name: &str) -> Option<&'static Key> {
    let of_unit = all().find(|key| !key.directive.is_empty() && key.directive.eq_ignore_ascii_case(name));
    let name = name.to_ascii_lowercase().replace('_', "-");
    let limit = (name.len() / 3).clamp(1, 4);
    let near = || {
        all()
            .map(|key| (distance(&name, key.name), key))
            .filter(|(distance, key)| *distance <= limit || key.name.replace('-', "") == name)
            .min_by_key(|(distance, _)| *distance)
            .map(|(_, key)| key)
    };
    of_unit.or_else(near)
}

//! Links that point nowhere. insserv removes them while it reads, even when it refuses in the end.

use super::error::OrderError;
use crate::entry::Entry;
use crate::installed::Installed;
use crate::link::Link;
use crate::name::Runlevel;
use crate::symbols::NONE;

/// All of them, in the order in which insserv comes across them.
#[must_use]
pub fn dangling(installed: &Installed) -> Vec<Link> {
    until(installed, |_| false)
}

/// Those that insserv has removed by the time that it finds this reason to refuse.
#[must_use]
pub fn dangling_before(installed: &Installed, error: &OrderError) -> Vec<Link> {
    match error {
        OrderError::FacilityLoop { .. } | OrderError::NoArgument => Vec::new(),
        // It reads the header of a link's script when it comes to the link, and stops there.
        OrderError::NoEnd { script } => {
            until(installed, |entry| installed.names.name(entry.target) == script)
        }
        _ => dangling(installed),
    }
}

fn until(installed: &Installed, stop: impl Fn(&Entry) -> bool) -> Vec<Link> {
    let in_order = Runlevel::ALL
        .into_iter()
        .flat_map(|level| installed.links.iter().filter(move |entry| entry.runlevel == level));
    let read = in_order.take_while(|entry| !stop(entry));
    let lost = read.filter(|entry| entry.head == NONE && installed.files.get(entry.target).is_none());
    lost.map(|entry| installed.link(entry).owned()).collect()
}

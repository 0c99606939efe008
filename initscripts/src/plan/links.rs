//! What all ways of numbering links have in common: roots as they would be, and the steps from some links to
//! others. Who wants which links is decided in `insserv` and `numbers`.

use std::collections::BTreeSet;

use super::request::{Existing, Found};
use crate::files::File;
use crate::installed::{Installed, ScriptFile, Tier};
use crate::layout::Layout;
use crate::link::{Kind, Link};
use crate::lsb::scan::Key;
use crate::name::Runlevels;
use crate::step::{Before, Step};

/// The root as if it had this script, in the place that its name gives it if the others are sorted.
pub(super) fn with_script(installed: &Installed, name: &str, text: &[u8]) -> Installed {
    let mut changed = without_script(installed, name);
    changed.add_script(&ScriptFile::regular(name, text));
    let Installed { names, files, .. } = &mut changed;
    files.sort_in_last(|symbol| names.name(symbol));
    changed
}

/// The root as if it had no such script.
pub(super) fn without_script(installed: &Installed, name: &str) -> Installed {
    let mut changed = installed.clone();
    changed.remove_script(name);
    changed
}

/// The root as if the service had no links.
pub(super) fn without_links(installed: &Installed, name: &str) -> Installed {
    let mut changed = installed.clone();
    let Installed { names, links, .. } = &mut changed;
    links.retain(|link| names.name(link.name) != name);
    changed
}

/// The runlevels that the header of a script has for starting: that of the administrator's override, of the script,
/// or of the vendor's override, whichever comes first, as for update-rc.d.
pub(super) fn default_start(installed: &Installed, name: &str) -> Option<Runlevels> {
    let names = &installed.names;
    let overriding = |tier: Tier| {
        let found = installed.overrides.iter().find(|o| o.tier == tier && names.name(o.name) == name);
        found.map(|o| o.head)
    };
    let own = || installed.file(name).map(|file| file.head);
    let head = overriding(Tier::Administrator).or_else(own).or_else(|| overriding(Tier::Vendor))?;
    installed.heads.get(head as usize)?.start.filter(|levels| !levels.is_empty())
}

/// What to say when a service goes, or is not to start: who starts and requires it.
pub(super) fn note_of_who_requires(installed: &Installed, name: &str) -> Option<String> {
    let Installed { names, files, heads, words, .. } = installed;
    let is_started = |own: &str| installed.links().any(|link| link.kind == Kind::Start && &*link.name == own);
    let requires = |file: &&File| {
        let Some(head) = heads.get(file.head as usize) else { return false };
        words[head.range(Key::RequiredStart)].iter().any(|word| names.name(*word) == name)
    };
    let others: Vec<&str> = files
        .iter()
        .filter(requires)
        .map(|file| names.name(file.name))
        .filter(|other| *other != name && is_started(other))
        .collect();
    let verb = if others.len() == 1 { "requires it and starts" } else { "require it and start" };
    (!others.is_empty()).then(|| format!("without {name}: {} {verb} all the same", others.join(", ")))
}

/// Whether one of startpar's files names the service as a target.
pub(super) fn is_target(name: &str, layout: &Layout, existing: &Existing) -> bool {
    let Some(depend) = &layout.depend else { return false };
    let names_it = |path: &str| match existing.get(path) {
        Some(Found::File { text, .. }) => String::from_utf8_lossy(text)
            .lines()
            .filter_map(|line| line.strip_prefix("TARGETS ="))
            .any(|targets| targets.split_whitespace().any(|target| target == name)),
        _ => false,
    };
    [depend.boot, depend.start, depend.stop].into_iter().any(names_it)
}

/// Steps for links and startpar's files, in the three groups between which other steps may stand.
#[derive(Debug, Default)]
pub(super) struct LinkSteps {
    /// New links, and the directories for them.
    pub make: Vec<Step>,
    /// startpar's files.
    pub depend: Vec<Step>,
    /// Links that are no longer wanted.
    pub remove: Vec<Step>,
}

/// What turns some links into others.
pub(super) fn difference(
    layout: &Layout,
    existing: &Existing,
    old: &BTreeSet<Link>,
    new: &BTreeSet<Link>,
) -> LinkSteps {
    let mut steps = LinkSteps::default();
    let mut made = BTreeSet::new();
    for link in new.difference(old) {
        let directory = layout.runlevel_dir(link.runlevel);
        if !existing.contains_key(&directory) && made.insert(directory.clone()) {
            steps.make.push(Step::MakeDir { path: directory, mode: 0o755 });
        }
        let target = layout.target(&link.name);
        steps.make.push(Step::Symlink { path: layout.link(link), target, before: Before::Absent });
    }
    for link in old.difference(new) {
        steps.remove.push(Step::Remove { path: layout.link(link), before: Before::Link });
    }
    steps
}

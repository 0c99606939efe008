//! Links in the directories of runlevels: made when a service is installed, turned from start to kill and back,
//! removed before its script. Which numbers they have is decided in `insserv` and `numbers`.

use std::collections::BTreeSet;

use super::insserv;
use super::links::{self, LinkSteps};
use super::moved;
use super::numbers;
use super::put::{drop_file, is_foreign, is_kept, put};
use super::request::{Existing, Found, Install, PlanError, Toggle, Uninstall};
use crate::installed::Installed;
use crate::layout::Layout;
use crate::layout::facts::{Numbers, SysV};
use crate::link::{Kind, Link};
use crate::name::{Runlevel, Runlevels};
use crate::order::{Argument, Change};
use crate::script;
use crate::step::Plan;

/// A layout with links in directories of runlevels, and what there is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tree<'a> {
    pub sysv: SysV,
    pub layout: &'a Layout,
    pub installed: &'a Installed,
    pub existing: &'a Existing,
}

impl Tree<'_> {
    /// Writes the script and then its links.
    pub(super) fn install(self, wish: &Install<'_>, plan: &mut Plan) -> Result<(), PlanError> {
        let Tree { layout, installed, existing, .. } = self;
        let name = wish.service.name.as_str();
        let elsewhere = wish.service.runlevels.without(layout.runlevels.iter().copied().collect());
        if !elsewhere.is_empty() {
            return Err(PlanError::NotALevel { runlevels: elsewhere, layout: layout.name });
        }
        let wanted = script::render(wish.service, layout, wish.style, wish.caller)?;
        let path = layout.script(name);
        let written = put(&path, 0o755, wanted.clone(), existing, wish.force, plan);
        let header = match existing.get(&path) {
            Some(Found::File { text, .. }) if !written => text.clone(),
            _ => wanted.into_bytes(),
        };
        let mut after = links::with_script(installed, name, &header);
        match self.standing(name, &after) {
            Standing::None => {}
            Standing::Unfinished => after = links::without_links(&after, name),
            Standing::Other if wish.set_runlevels || wish.force => after = links::without_links(&after, name),
            Standing::Other => plan.notes.push(format!(
                "{name} keeps its links, which are not those of its header: --runlevels or --force replaces them"
            )),
        }
        let LinkSteps { make, depend, remove } =
            self.steps(&after, &Change::add(name).forced(), name, plan)?;
        plan.steps.extend(make);
        plan.steps.extend(depend);
        plan.steps.extend(remove);
        Ok(())
    }

    /// Takes the links out, and then the script.
    pub(super) fn uninstall(self, wish: &Uninstall<'_>, plan: &mut Plan) -> Result<(), PlanError> {
        let Tree { layout, installed, existing, .. } = self;
        let name = wish.name.as_str();
        let script = layout.script(name);
        let mut after = links::without_links(installed, name);
        match existing.get(&script) {
            Some(found) if is_foreign(found) && !wish.force => {
                return Err(PlanError::NotOurs { path: script });
            }
            Some(found) if is_kept(found) && !wish.purge && !wish.force => {}
            _ => after = links::without_script(&after, name),
        }
        let LinkSteps { make, depend, remove } =
            self.steps(&after, &Change::nothing().forced(), name, plan)?;
        let own = [Some(script.clone()), Some(layout.service_file(name)), layout.moved_file(name)];
        let ours = own.iter().flatten().any(|path| existing.contains_key(path));
        let linked = installed.links().any(|link| &*link.name == name);
        if ours || linked {
            plan.notes.extend(links::note_of_who_requires(installed, name));
            plan.steps.extend(make);
            plan.steps.extend(depend);
            plan.steps.extend(remove);
        }
        drop_file(&script, wish.purge || wish.force, existing, plan);
        Ok(())
    }

    /// Turns start links into kill links, or back.
    pub(super) fn toggle(self, wish: &Toggle<'_>, kind: Kind, plan: &mut Plan) -> Result<(), PlanError> {
        let name = wish.name.as_str();
        let path = self.layout.script(name);
        if !self.installed.has_script(name) {
            return Err(PlanError::NoScript { path });
        }
        let asked = match wish.runlevels {
            Some(levels) => levels,
            None => self.default_start(name).ok_or(PlanError::NoRunlevels { path })?,
        };
        let fixed: Runlevels = [Runlevel::R0, Runlevel::R1, Runlevel::R6].into_iter().collect();
        for level in asked.iter().filter(|level| fixed.contains(*level)) {
            plan.notes.push(format!(
                "links in runlevel {level} are not turned: it halts, reboots or is for repair"
            ));
        }
        let levels = asked.without(fixed);
        if self.sysv.numbers == Numbers::Suse {
            return self.toggle_both(name, levels, kind, plan);
        }
        let is_meant = |link: &Link| &*link.name == name && levels.contains(link.runlevel);
        if !self.installed.links().any(|link| is_meant(&link)) {
            return Err(PlanError::NoLinks { name: name.to_owned(), runlevels: asked });
        }
        let mut after = self.installed.clone();
        after.turn_links(name, levels, kind);
        let LinkSteps { make, depend, remove } =
            self.steps(&after, &Change::add(name).forced(), name, plan)?;
        if kind == Kind::Kill && !make.is_empty() {
            plan.notes.extend(links::note_of_who_requires(self.installed, name));
        }
        plan.steps.extend(make);
        plan.steps.extend(depend);
        plan.steps.extend(remove);
        Ok(())
    }

    /// On SUSE a service that does not start in a runlevel has no links there at all.
    fn toggle_both(
        self,
        name: &str,
        levels: Runlevels,
        kind: Kind,
        plan: &mut Plan,
    ) -> Result<(), PlanError> {
        let own = self.installed.links().filter(|link| &*link.name == name && link.kind == Kind::Start);
        let now: Runlevels = own.map(|link| link.runlevel).collect();
        let wanted = if kind == Kind::Start { now.union(levels) } else { now.without(levels) };
        let stops = wanted.without([Runlevel::R0, Runlevel::R1, Runlevel::R6].into_iter().collect());
        let argument = Argument { name: name.to_owned(), start: Some(wanted), stop: Some(stops) };
        let arguments = if wanted.is_empty() { Vec::new() } else { vec![argument] };
        let change = Change { arguments, ..Change::default() }.forced();
        let after = links::without_links(self.installed, name);
        let LinkSteps { make, depend, remove } = self.steps(&after, &change, name, plan)?;
        if kind == Kind::Kill && !remove.is_empty() {
            plan.notes.extend(links::note_of_who_requires(self.installed, name));
        }
        plan.steps.extend(make);
        plan.steps.extend(depend);
        plan.steps.extend(remove);
        Ok(())
    }

    /// The runlevels that a script wants to start in. `chkconfig NAME on` takes 2 to 5 for one that says nothing.
    fn default_start(self, name: &str) -> Option<Runlevels> {
        if !matches!(self.sysv.numbers, Numbers::Chkconfig(_)) {
            return links::default_start(self.installed, name);
        }
        let usual = [Runlevel::R2, Runlevel::R3, Runlevel::R4, Runlevel::R5];
        let (said, _) = self.installed.default_levels(name);
        Some(if said.is_empty() { usual.into_iter().collect() } else { said })
    }

    /// What turns the links that there are into those that `change` makes of `wish`, which is the root as it is to
    /// be taken for.
    fn steps(
        self,
        wish: &Installed,
        change: &Change,
        name: &str,
        plan: &mut Plan,
    ) -> Result<LinkSteps, PlanError> {
        let Tree { sysv, layout, installed, existing } = self;
        match sysv.numbers {
            Numbers::Insserv | Numbers::Suse => {
                insserv::steps(layout, existing, installed, wish, change, name, plan)
            }
            Numbers::Chkconfig(_) | Numbers::Fixed(_) => {
                moved::steps(sysv, layout, existing, installed, wish, (change, name), plan)
            }
        }
    }

    /// On an arranged machine startpar's files are written after all links, so a service that has links and is
    /// in one of the files was installed completely, and what is missing was removed by someone.
    fn standing(self, name: &str, after: &Installed) -> Standing {
        let (start, stop) = after.default_levels(name);
        let wanted = numbers::levels(self.sysv, self.layout, start, stop);
        let ours = self.installed.links().filter(|link| &*link.name == name);
        let there: BTreeSet<_> = ours.map(|link| (link.runlevel, link.kind)).collect();
        if there.is_empty() || there == wanted {
            Standing::None
        } else if there.is_subset(&wanted) && !links::is_target(name, self.layout, self.existing) {
            Standing::Unfinished
        } else {
            Standing::Other
        }
    }
}

/// The links that a service has, beside those that its header wants.
enum Standing {
    /// None, or exactly those.
    None,
    /// Some of those: an installation was killed before it had made them all.
    Unfinished,
    /// Others too, such as a start link turned into a kill link: an administrator's choice.
    Other,
}

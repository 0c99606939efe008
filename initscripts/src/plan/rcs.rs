//! Scripts that have their number in their own name, `S50name`, as busybox's rcS starts them and rcK stops them. One
//! that is disabled is called `K50name`: rcS and rcK, which look for `S??*`, pass over it, and it keeps its number.

use super::links;
use super::numbers::Needs;
use super::put::{drop_file, is_foreign, put};
use super::request::{Existing, Found, Install, PlanError, Toggle, Uninstall};
use crate::installed::Installed;
use crate::layout::Layout;
use crate::layout::facts::Rcs;
use crate::link::{Kind, Link};
use crate::script;
use crate::step::{Plan, Step};

/// Such a layout, and what there is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tree<'a> {
    pub rcs: Rcs,
    pub layout: &'a Layout,
    pub installed: &'a Installed,
    pub existing: &'a Existing,
}

impl Tree<'_> {
    /// Writes the script under a number that its dependencies allow, or under the one that it has.
    pub(super) fn install(self, wish: &Install<'_>, plan: &mut Plan) -> Result<(), PlanError> {
        let Tree { rcs, layout, installed, existing } = self;
        if wish.set_runlevels {
            return Err(PlanError::WithoutLevels { layout: layout.name });
        }
        let name = wish.service.name.as_str();
        let wanted = script::render(wish.service, layout, wish.style, wish.caller)?;
        let there = self.one(name)?;
        let (path, renamed) = match &there {
            None => {
                let after = links::with_script(installed, name, wanted.as_bytes());
                let number = Needs::new(&after, name)?.single(&after, name, rcs.usual, plan);
                (layout.numbered(Kind::Start, number, name), None)
            }
            Some((path, Some(link))) if link.kind == Kind::Start => (path.clone(), None),
            Some((path, link)) if wish.force => {
                let number = link.as_ref().map_or(rcs.usual, |link| link.sequence.get());
                (layout.numbered(Kind::Start, number, name), Some(path))
            }
            Some((path, _)) => {
                plan.notes
                    .push(format!("{name} stays disabled as {path}: enable or --force starts it again"));
                (path.clone(), None)
            }
        };
        match renamed.and_then(|old| existing.get(old).map(|found| (old, found))) {
            None => {
                put(&path, 0o755, wanted, existing, wish.force, plan);
            }
            Some((old, found)) => {
                // Renamed first: at no time there are two.
                let before = found.before();
                plan.steps.push(Step::Rename { path: path.clone(), from: old.clone(), before });
                let after = Existing::from([(path.clone(), found.clone())]);
                put(&path, 0o755, wanted, &after, wish.force, plan);
            }
        }
        Ok(())
    }

    /// Removes the script.
    pub(super) fn uninstall(self, wish: &Uninstall<'_>, plan: &mut Plan) -> Result<(), PlanError> {
        for path in self.layout.scripts_in(self.installed, wish.name.as_str()) {
            plan.notes.extend(links::note_of_who_requires(self.installed, wish.name.as_str()));
            match self.existing.get(&path) {
                Some(found) if is_foreign(found) && !wish.force => return Err(PlanError::NotOurs { path }),
                _ => drop_file(&path, wish.purge || wish.force, self.existing, plan),
            }
        }
        Ok(())
    }

    /// Renames the script.
    pub(super) fn toggle(self, wish: &Toggle<'_>, kind: Kind, plan: &mut Plan) -> Result<(), PlanError> {
        let name = wish.name.as_str();
        if wish.runlevels.is_some() {
            return Err(PlanError::WithoutLevels { layout: self.layout.name });
        }
        let Some((path, link)) = self.one(name)? else {
            return Err(PlanError::NoScript { path: self.layout.script(name) });
        };
        let number = match (link, kind) {
            (Some(link), kind) if link.kind == kind => return Ok(()),
            (Some(link), _) => link.sequence.get(),
            // Without a number nobody starts it.
            (None, Kind::Kill) => return Ok(()),
            (None, Kind::Start) => self.rcs.usual,
        };
        let Some(found) = self.existing.get(&path).filter(|found| **found != Found::Directory) else {
            return Err(PlanError::NoScript { path });
        };
        if kind == Kind::Kill {
            plan.notes.extend(links::note_of_who_requires(self.installed, name));
        }
        let before = found.before();
        plan.steps.push(Step::Rename { path: self.layout.numbered(kind, number, name), from: path, before });
        Ok(())
    }

    /// The one script of a service, with its number.
    fn one(self, name: &str) -> Result<Option<(String, Option<Link>)>, PlanError> {
        let mut paths = self.layout.scripts_in(self.installed, name);
        if paths.len() > 1 {
            return Err(PlanError::Several { paths: paths.join(" and ") });
        }
        let link = self.installed.links().find(|link| &*link.name == name);
        Ok(paths.pop().map(|path| (path, link)))
    }
}

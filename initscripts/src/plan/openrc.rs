//! Services of OpenRC: a script, and a link to it in the directory of a named runlevel, as rc-update(8) makes it.

use super::put::{drop_file, is_foreign, offer, put};
use super::request::{Existing, Found, Install, PlanError, Toggle, Uninstall, ancestors};
use crate::layout::Layout;
use crate::layout::facts::OpenRc;
use crate::link::Kind;
use crate::openrc;
use crate::script;
use crate::step::{Before, Plan, Step};

/// Such a layout, and what there is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tree<'a> {
    pub openrc: OpenRc,
    pub layout: &'a Layout,
    pub existing: &'a Existing,
}

impl Tree<'_> {
    /// Makes the link, then the script: so a script that has no link is one that somebody has disabled.
    pub(super) fn install(self, wish: &Install<'_>, plan: &mut Plan) -> Result<(), PlanError> {
        if wish.set_runlevels {
            return Err(PlanError::WithoutLevels { layout: self.layout.name });
        }
        let name = wish.service.name.as_str();
        let wanted = script::render(wish.service, self.layout, wish.style, wish.caller)?;
        let path = self.layout.script(name);
        let is_there = self.existing.contains_key(&path);
        let settings = openrc::settings(wish.service, self.openrc, wish.style)?;
        offer(&self.layout.defaults_file(name), settings, self.existing, plan);
        if let Some(level) = openrc::level(wish.service.runlevels).filter(|_| self.enabled(name).is_empty()) {
            if is_there && !wish.force {
                plan.notes.push(format!("{name} stays disabled: enable or --force starts it again"));
            } else {
                self.link(name, level, plan);
            }
        }
        put(&path, 0o755, wanted, self.existing, wish.force, plan);
        Ok(())
    }

    /// Removes the links, then the script and its settings.
    pub(super) fn uninstall(self, wish: &Uninstall<'_>, plan: &mut Plan) -> Result<(), PlanError> {
        let name = wish.name.as_str();
        let path = self.layout.script(name);
        if self.existing.get(&path).is_some_and(|found| is_foreign(found) && !wish.force) {
            return Err(PlanError::NotOurs { path });
        }
        self.unlink(name, plan);
        drop_file(&path, wish.purge || wish.force, self.existing, plan);
        let settings = self.layout.defaults_file(name);
        // One without a trace of ours may belong to anybody.
        if self.existing.get(&settings).is_some_and(|found| !is_foreign(found)) {
            drop_file(&settings, wish.purge, self.existing, plan);
        }
        Ok(())
    }

    /// Makes the link or removes it.
    pub(super) fn toggle(self, wish: &Toggle<'_>, kind: Kind, plan: &mut Plan) -> Result<(), PlanError> {
        let name = wish.name.as_str();
        if wish.runlevels.is_some() {
            return Err(PlanError::WithoutLevels { layout: self.layout.name });
        }
        let path = self.layout.script(name);
        if !self.existing.contains_key(&path) {
            return Err(PlanError::NoScript { path });
        }
        match kind {
            Kind::Kill => self.unlink(name, plan),
            Kind::Start if self.enabled(name).is_empty() => {
                let wanted = match self.existing.get(&path) {
                    // Scripts of others say nothing of it, as a rule.
                    Some(Found::File { text, .. }) => openrc::level_of(text),
                    _ => None,
                };
                self.link(name, wanted.unwrap_or(openrc::DEFAULT), plan);
            }
            Kind::Start => {}
        }
        Ok(())
    }

    /// The links of a service.
    fn enabled(self, name: &str) -> Vec<String> {
        let mut paths = self.openrc.links(name);
        paths.retain(|path| self.existing.contains_key(path));
        paths
    }

    fn link(self, name: &str, level: &str, plan: &mut Plan) {
        let path = format!("{}/{name}", self.openrc.directory(level));
        for directory in ancestors(&path) {
            let is_made = plan.steps.iter().any(|step| step.path() == directory);
            if !self.existing.contains_key(&directory) && !is_made {
                plan.steps.push(Step::MakeDir { path: directory, mode: 0o755 });
            }
        }
        plan.steps.push(Step::Symlink { path, target: self.layout.target(name), before: Before::Absent });
    }

    fn unlink(self, name: &str, plan: &mut Plan) {
        for path in self.enabled(name) {
            match self.existing.get(&path) {
                Some(Found::Directory) | None => {}
                Some(found) => plan.steps.push(Step::Remove { before: found.before(), path }),
            }
        }
    }
}

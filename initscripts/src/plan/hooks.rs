//! Slackware's way: a script that runs if it is executable, and a few lines in the files from which services are
//! started and stopped that are not the machine's own. What the lines are is in `crate::hooks`.

use super::links;
use super::numbers::Needs;
use super::put::{drop_file, is_foreign, put};
use super::request::{Existing, Found, Install, PlanError, Toggle, Uninstall};
use crate::calls::{self, Texts};
use crate::hooks::{self, Block, Edit, MADE, Slot};
use crate::installed::Installed;
use crate::layout::Layout;
use crate::layout::facts::Hooks;
use crate::layout::slackware::MULTI_USER;
use crate::link::Kind;
use crate::material::path as word;
use crate::name::Runlevels;
use crate::script;
use crate::step::{Before, Plan, Step, checksum, edited};

/// Such a layout, and what there is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tree<'a> {
    pub hooks: Hooks,
    pub layout: &'a Layout,
    pub installed: &'a Installed,
    pub existing: &'a Existing,
}

/// What is wanted of a file that calls services.
struct Wish<'a> {
    name: &'a str,
    /// The path of the script as a word of the shell.
    script: String,
    /// Whether lines that are missing are added: where there is a script without them, somebody has taken them out.
    add: bool,
    force: bool,
}

impl Tree<'_> {
    /// Adds the lines, then writes the script, which is called by them from then on.
    pub(super) fn install(self, wish: &Install<'_>, plan: &mut Plan) -> Result<(), PlanError> {
        let service = wish.service;
        let name = service.name.as_str();
        self.must_be_free(name)?;
        self.must_be_all(wish.set_runlevels.then_some(service.runlevels))?;
        let wanted = script::render(service, self.layout, wish.style, wish.caller)?;
        let path = self.layout.script(name);
        let there = self.existing.get(&path);
        let is_off = matches!(there, Some(Found::File { mode, .. }) if mode & 0o100 == 0);
        if there.is_none() && !service.runlevels.is_empty() && !is_multi_user(service.runlevels) {
            let (levels, file) = (service.runlevels, self.hooks.start);
            plan.notes.push(format!(
                "{name} is for the runlevels {levels}, and {file} makes no difference between {MULTI_USER}"
            ));
        }
        let prefix = wish.caller.prefix.as_deref().unwrap_or_default();
        let hook = Wish {
            name,
            script: word(&format!("{prefix}{path}"))?,
            add: there.is_none() || wish.force,
            force: wish.force,
        };
        let after = Tree { installed: &links::with_script(self.installed, name, wanted.as_bytes()), ..self };
        for kind in [Kind::Kill, Kind::Start] {
            after.hook(&hook, kind, plan)?;
            self.must_be_run(kind, plan);
        }
        let on = if service.runlevels.is_empty() { 0o644 } else { 0o755 };
        let mode = match there {
            Some(_) if !wish.force && is_off => {
                if on == 0o755 {
                    plan.notes.push(format!("{name} stays disabled: enable or --force starts it again"));
                }
                0o644
            }
            Some(_) if !wish.force => 0o755,
            _ => on,
        };
        put(&path, mode, wanted, self.existing, wish.force, plan);
        Ok(())
    }

    /// Takes the lines out, then removes the script.
    pub(super) fn uninstall(self, wish: &Uninstall<'_>, plan: &mut Plan) -> Result<(), PlanError> {
        let name = wish.name.as_str();
        self.must_be_free(name)?;
        let path = self.layout.script(name);
        if self.existing.get(&path).is_some_and(|found| is_foreign(found) && !wish.force) {
            return Err(PlanError::NotOurs { path });
        }
        for kind in [Kind::Start, Kind::Kill] {
            self.unhook(name, kind, wish.purge || wish.force, plan);
        }
        drop_file(&path, wish.purge || wish.force, self.existing, plan);
        Ok(())
    }

    /// Sets the executable bits of the script, or takes them away. What nobody calls is called from then on.
    pub(super) fn toggle(self, wish: &Toggle<'_>, kind: Kind, plan: &mut Plan) -> Result<(), PlanError> {
        let name = wish.name.as_str();
        self.must_be_free(name)?;
        self.must_be_all(wish.runlevels)?;
        let path = self.layout.script(name);
        let Some(found @ Found::File { mode, .. }) = self.existing.get(&path) else {
            return Err(PlanError::NoScript { path });
        };
        if kind == Kind::Start && !self.is_called(name) {
            let hook = Wish { name, script: word(&path)?, add: true, force: false };
            for kind in [Kind::Kill, Kind::Start] {
                self.hook(&hook, kind, plan)?;
            }
        }
        if (mode & 0o100 != 0) != (kind == Kind::Start) {
            let mode = if kind == Kind::Start { mode | 0o111 } else { mode & !0o111 };
            plan.steps.push(Step::SetMode { path, mode, before: found.before() });
        }
        Ok(())
    }

    /// What the machine itself is booted by is no service.
    fn must_be_free(self, name: &str) -> Result<(), PlanError> {
        let path = self.layout.script(name);
        if self.layout.is_script_of(&path, name) {
            return Ok(());
        }
        Err(PlanError::Reserved { path, layout: self.layout.name })
    }

    fn must_be_all(self, runlevels: Option<Runlevels>) -> Result<(), PlanError> {
        match runlevels {
            Some(levels) if !is_multi_user(levels) => {
                Err(PlanError::OneForAll { layout: self.layout.name, file: self.hooks.start })
            }
            _ => Ok(()),
        }
    }

    /// Notes if the lines are written into the wind, in a tree that has what init runs.
    fn must_be_run(self, kind: Kind, plan: &mut Plan) {
        let (file, when) =
            (self.file(kind), if kind == Kind::Start { "at boot" } else { "when the machine goes down" });
        let mut roots = self.hooks.roots.iter().filter(|root| root.kind == kind);
        let is_there = roots.any(|root| matches!(self.existing.get(root.path), Some(Found::File { .. })));
        if is_there && !self.is_run(file) {
            plan.notes
                .push(format!("nothing runs {file} {when}: have it called as Slackware's own files do"));
        }
    }

    fn file(self, kind: Kind) -> &'static str {
        match kind {
            Kind::Start => self.hooks.start,
            Kind::Kill => self.hooks.stop,
        }
    }

    /// Has a script called by the file from which services are started or stopped.
    fn hook(self, wish: &Wish<'_>, kind: Kind, plan: &mut Plan) -> Result<(), PlanError> {
        let file = self.file(kind);
        let wanted = hooks::block(wish.name, &wish.script, kind);
        match self.existing.get(file) {
            Some(Found::File { mode, text }) => {
                if let Some((old, new)) = self.edit(wish, kind, text, &wanted, plan)? {
                    plan.steps.push(Step::Edit { path: file.to_owned(), old, new });
                }
                if mode & 0o111 == 0 {
                    let why = "is not executable, so nothing in it is run";
                    plan.notes.push(format!("{file} {why}: chmod +x {file}"));
                }
            }
            None if wish.add => {
                let (path, text) = (file.to_owned(), format!("{MADE}{wanted}"));
                plan.steps.push(Step::Write { path, mode: 0o755, text, before: Before::Absent });
            }
            None => plan.notes.push(missing(file, wish.name)),
            Some(_) => {
                let verb = if kind == Kind::Start { "start" } else { "stop" };
                let remedy = format!("call {} {verb} in it yourself", wish.script);
                plan.notes.push(format!("{file} is no regular file and is kept: {remedy}"));
            }
        }
        Ok(())
    }

    /// What is to be changed in such a file; none if it is as it should be, or as somebody wants it.
    fn edit(
        self,
        wish: &Wish<'_>,
        kind: Kind,
        text: &[u8],
        wanted: &str,
        plan: &mut Plan,
    ) -> Result<Option<Edit>, PlanError> {
        let Wish { name, script, add, force } = wish;
        let file = self.file(kind);
        let all = hooks::blocks(text, kind);
        if let Some(own) = all.iter().find(|one| one.name == *name) {
            if own.is_ours || *force {
                return Ok(Some(hooks::replaced(text, own, wanted)).filter(|(old, new)| old != new));
            }
            let line = hooks::line(text, own.place.start);
            plan.notes.push(format!(
                "the lines of {name} in {file}, line {line}, were changed by hand and are kept: --force writes them anew"
            ));
            return Ok(None);
        }
        match (self.calls(file, name).first(), add) {
            (Some(line), true) => {
                let what = format!("{file}, line {line}, calls {script} already");
                plan.notes.push(format!("{what}: nothing is added to it"));
            }
            (Some(_), false) => {}
            (None, false) => plan.notes.push(missing(file, name)),
            (None, true) => {
                let slot = self.slot(name, &all, kind, plan)?;
                return Ok(Some(hooks::added(text, &all, slot, wanted)));
            }
        }
        Ok(None)
    }

    /// Takes the lines out of a file, and the file away if it is as it was made for them.
    fn unhook(self, name: &str, kind: Kind, whatever: bool, plan: &mut Plan) {
        let file = self.file(kind);
        let Some(Found::File { text, .. }) = self.existing.get(file) else { return };
        let mut rest = text.clone();
        let mut steps = Vec::new();
        loop {
            let all = hooks::blocks(&rest, kind);
            let own = all.iter().find(|one| one.name == name && (one.is_ours || whatever));
            let Some((old, new)) = own.map(|own| hooks::replaced(&rest, own, "")) else { break };
            let Ok(without) = edited(&rest, &old, &new) else { break };
            steps.push(Step::Edit { path: file.to_owned(), old, new });
            rest = without;
        }
        if let Some(own) = hooks::blocks(&rest, kind).iter().find(|one| one.name == name) {
            let line = hooks::line(&rest, own.place.start);
            plan.notes.push(format!(
                "the lines of {name} in {file}, line {line}, were changed by hand and are kept: --purge removes them"
            ));
        }
        if !steps.is_empty() && rest == MADE.as_bytes() {
            steps = vec![Step::Remove { path: file.to_owned(), before: Before::File(checksum(text)) }];
        }
        plan.steps.append(&mut steps);
    }

    /// Where the lines of a service go among ours: what it needs is started before it and stopped after it.
    fn slot(self, name: &str, all: &[Block<'_>], kind: Kind, plan: &mut Plan) -> Result<Slot, PlanError> {
        let needs = Needs::new(self.installed, name)?;
        let place = |other: &str| all.iter().position(|one| one.name == other);
        let needed: Vec<&str> =
            needs.of(kind).filter(|(_, then)| *then == name).map(|(first, _)| first).collect();
        let needing: Vec<&str> =
            needs.of(kind).filter(|(first, _)| *first == name).map(|(_, then)| then).collect();
        let (before, after) = if kind == Kind::Start { (&needed, &needing) } else { (&needing, &needed) };
        let floor = before.iter().filter_map(|other| place(other)).max();
        let ceiling = after.iter().filter_map(|other| place(other)).min();
        if let (Some(floor), Some(ceiling)) = (floor, ceiling) {
            if ceiling < floor {
                let (file, first, second) = (self.file(kind), all[ceiling].name, all[floor].name);
                plan.notes.push(format!(
                    "{name} belongs between {second} and {first}, and in {file} these are the other way round: move their lines"
                ));
                return Ok(Slot::After(floor));
            }
        }
        if kind == Kind::Start {
            let is_there = |other: &&&str| place(other).is_none() && self.installed.has_script(other);
            plan.notes.extend(needing.iter().filter(is_there).map(|other| {
                let file = self.hooks.start;
                format!("{other} wants to be started after {name}, and what {file} starts comes last of all")
            }));
        }
        Ok(match (floor, ceiling, kind) {
            (_, Some(ceiling), Kind::Start) => Slot::Before(ceiling),
            (Some(floor), _, Kind::Kill) => Slot::After(floor),
            _ if all.is_empty() => Slot::End,
            (_, None, Kind::Start) => Slot::After(all.len() - 1),
            (None, _, Kind::Kill) => Slot::Before(0),
        })
    }

    /// Whether any file starts it.
    fn is_called(self, name: &str) -> bool {
        let called = calls::order(self.layout, &self.hooks, &self.texts(false));
        called.iter().any(|one| one.name == name && one.kind == Kind::Start)
    }

    /// Whether such a file is run when the machine boots or goes down, if it can be.
    fn is_run(self, file: &str) -> bool {
        calls::reached(self.layout, &self.hooks, &self.texts(true)).contains(&file)
    }

    /// The texts of the files that call scripts; with those that are not there yet.
    fn texts(self, all: bool) -> Texts {
        let text = |path: &'static str| match self.existing.get(path) {
            Some(Found::File { text, .. }) => Some((path.to_owned(), text.clone())),
            None if all => Some((path.to_owned(), Vec::new())),
            _ => None,
        };
        self.hooks.files().filter_map(text).collect()
    }

    /// The lines of a file that call the script of a service.
    fn calls(self, file: &str, name: &str) -> Vec<usize> {
        let Some(Found::File { text, .. }) = self.existing.get(file) else { return Vec::new() };
        let calls = calls::in_file(text, self.layout.script_dir, self.hooks.prefix);
        calls.iter().filter(|call| call.name == name).map(|call| call.line).collect()
    }
}

fn is_multi_user(levels: Runlevels) -> bool {
    Runlevels::parse(MULTI_USER) == Ok(levels)
}

fn missing(file: &str, name: &str) -> String {
    format!("{file} has no lines of {name}, which somebody has taken out: --force adds them")
}

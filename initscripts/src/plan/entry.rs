//! What is done with an entry in /etc/inittab that is there: taken out, turned on and off. What makes one is in
//! `respawn`.

use super::request::{Existing, Found, PlanError, Toggle};
use crate::description;
use crate::inittab::{self, Dialect, PATH, State};
use crate::layout::Layout;
use crate::link::Kind;
use crate::name::Runlevels;
use crate::step::{Plan, Step};

/// The step that takes the entry of a service out of the file; a note for one that was changed by hand, unless
/// `whatever` it is.
pub(super) fn remove(name: &str, whatever: bool, existing: &Existing, plan: &mut Plan) {
    let Some(Found::File { text, .. }) = existing.get(PATH) else { return };
    let Some(entry) = inittab::find(text, name) else { return };
    if entry.edited && entry.state != State::Gone && !whatever {
        plan.notes.push(format!(
            "the entry of {name} in {PATH}, line {}, was changed by hand and is kept: --purge removes it",
            entry.line
        ));
        return;
    }
    plan.steps.push(Step::Edit { path: PATH.to_owned(), old: entry.text, new: Vec::new() });
}

/// The plan that enables or disables a service that has an entry; none if it has not.
pub(super) fn toggle(
    wish: &Toggle<'_>,
    kind: Kind,
    layout: &Layout,
    existing: &Existing,
) -> Option<Result<Plan, PlanError>> {
    let Some(Found::File { text, .. }) = existing.get(PATH) else { return None };
    let entry = inittab::find(text, wish.name.as_str()).filter(|entry| entry.state != State::Gone)?;
    if entry.dialect == Dialect::Busybox && wish.runlevels.is_some() {
        return Some(Err(PlanError::WithoutLevels { layout: layout.name }));
    }
    let levels = match kind {
        Kind::Start if entry.dialect == Dialect::Busybox => Runlevels::BOOT,
        Kind::Start => {
            let usual = || entry.runlevels.union(of_service_file(wish, layout, existing));
            entry.active().union(wish.runlevels.unwrap_or_else(usual))
        }
        Kind::Kill => wish.runlevels.map_or(Runlevels::NONE, |levels| entry.active().without(levels)),
    };
    if kind == Kind::Start && levels.is_empty() {
        return Some(Err(PlanError::NoRunlevels { path: PATH.to_owned() }));
    }
    let mut plan = Plan::default();
    if levels != entry.active() {
        // What is off keeps its runlevels, to be found again.
        let shown = if levels.is_empty() { entry.runlevels } else { levels };
        let new = inittab::turned(&entry, shown, !levels.is_empty());
        plan.steps.push(Step::Edit { path: PATH.to_owned(), old: entry.text, new });
    }
    Some(Ok(plan))
}

fn of_service_file(wish: &Toggle<'_>, layout: &Layout, existing: &Existing) -> Runlevels {
    let path = layout.service_file(wish.name.as_str());
    let Some(Found::File { text, .. }) = existing.get(&path) else { return Runlevels::NONE };
    let text = String::from_utf8_lossy(text);
    description::parse(wish.name, &text, &path).map_or(Runlevels::NONE, |service| service.runlevels)
}

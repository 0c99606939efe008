//! `graph`: draws the order of a runlevel, or what a change would make of it. It chooses what is drawn; how, the
//! library knows.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;
use foobar_initscripts::calls;
use foobar_initscripts::exit::Action;
use foobar_initscripts::explain::{self, Loop, Mark, Picture};
use foobar_initscripts::installed::Installed;
use foobar_initscripts::layout::Layout;
use foobar_initscripts::layout::facts::Scheme;
use foobar_initscripts::link::Kind;
use foobar_initscripts::name::Runlevel;
use foobar_initscripts::order::{self, Change, Outline};
use foobar_initscripts::plan::{self, Plan};
use serde::Serialize;

use crate::cli::{Difference, Format, Graph, Install, Name, Uninstall};
use crate::command::compose::Given;
use crate::command::{enable, install, uninstall};
use crate::context::Context;
use crate::failure::Failure;
use crate::scripts;
use crate::survey;

/// What `--format json` prints.
#[derive(Debug, Serialize)]
struct Facts<'a> {
    pictures: &'a [Picture],
    loops: &'a [Loop],
}

/// Draws.
pub fn run(context: &Context, arguments: &Graph) -> Result<Action> {
    let layout = context.layout()?;
    Context::must_have_numbers(layout, "graph")?;
    let kind = if arguments.stop { Kind::Kill } else { Kind::Start };
    let installed = survey::installed(&context.root, layout)?;
    if arguments.stop && matches!(layout.scheme, Scheme::Rcs(_)) {
        let text =
            format!("--stop: in the layout {} all is stopped in the opposite order of starting", layout.name);
        return Err(Failure::error(Action::Usage, text));
    }
    let now = outline(context, &installed, layout, None)?;
    let planned = match (arguments.diff, &arguments.name) {
        (Some(verb), Some(name)) => {
            let plan = difference(context, layout, verb, name)?;
            Some(outline(context, &explain::after(&installed, layout, &plan), layout, Some(&plan))?)
        }
        _ => None,
    };
    if let Some(name) = arguments.name.as_deref() {
        if now.find(name).is_none() && planned.is_none() {
            return Err(Failure::error(
                Action::NotInstalled,
                format!("{name} is no script in {}: see 'foobarctl list'", layout.script_dir),
            ));
        }
    }
    let mut pictures = Vec::new();
    for level in levels(context, layout, arguments)? {
        let picture = |outline: &Outline| explain::picture(outline, layout, level, kind);
        let picture = match &planned {
            Some(planned) => explain::compare(&picture(&now), &picture(planned)),
            None => picture(&now),
        };
        pictures.push(match &arguments.name {
            Some(name) => related(picture, name),
            None => picture,
        });
    }
    // One without anything says so, but not beside others.
    if pictures.iter().any(|picture| !picture.lanes.is_empty()) {
        pictures.retain(|picture| !picture.lanes.is_empty());
    }
    let loops: Vec<Loop> = explain::loops(planned.as_ref().unwrap_or(&now), layout)
        .into_iter()
        .filter(|found| found.stopping == arguments.stop)
        .collect();
    if context.output.format != Format::Json {
        loops.iter().for_each(|found| context.output.warn(found));
    }
    let text = match context.output.format {
        Format::Dot => explain::dot(&pictures),
        Format::Svg => explain::svg(&pictures),
        Format::Text | Format::Json => pictures.iter().map(explain::text).collect::<Vec<_>>().join("\n\n"),
    };
    context.output.result(text, &Facts { pictures: &pictures, loops: &loops })?;
    Ok(Action::Ok)
}

/// The order, after a plan if there is one: as insserv computes it or, where it does not, as the links or lines have it.
fn outline(
    context: &Context,
    installed: &Installed,
    layout: &Layout,
    plan: Option<&Plan>,
) -> Result<Outline> {
    let computed = order::outline(installed, &Change::nothing().forced())
        .map_err(|error| Failure::error(Action::Error, error.to_string()))?;
    if layout.has_insserv_order() {
        return Ok(computed);
    }
    if let Scheme::Hooks(hooks) = layout.scheme {
        let mut machine = scripts::machine(&context.root, layout, &hooks)?;
        if let Some(plan) = plan {
            machine = machine.after(layout, &hooks, plan);
        }
        let order = calls::order(layout, &hooks, &machine.texts);
        return Ok(explain::counted(computed, &order, &machine.on));
    }
    Ok(explain::linked(computed, installed, layout))
}

/// What has to do with a service, and all that a change touches.
fn related(picture: Picture, name: &str) -> Picture {
    let mut wanted: BTreeSet<String> = picture.around(name);
    let changed = picture.items().filter(|(_, item)| item.mark != Mark::Same);
    wanted.extend(changed.map(|(_, item)| item.name.clone()));
    picture.only(|name| wanted.contains(name))
}

/// The runlevel that was asked for, or boot and what comes after it.
fn levels(context: &Context, layout: &Layout, arguments: &Graph) -> Result<Vec<Runlevel>> {
    let there = match layout.scheme {
        Scheme::Hooks(_) => &Runlevel::ALL,
        _ => layout.levels(),
    };
    if let Some(letter) = arguments.runlevel {
        let level = Runlevel::from_letter(letter).filter(|level| there.contains(level));
        return level.map(|level| vec![level]).ok_or_else(|| {
            Failure::error(Action::Usage, format!("--runlevel: {letter} is no runlevel: use 0 to 6 or S"))
        });
    }
    if arguments.stop {
        return Ok(vec![Runlevel::R0, Runlevel::R6]);
    }
    let table = context.root.read(Path::new("/etc/inittab"))?.map(|(text, _)| text).unwrap_or_default();
    let table = String::from_utf8_lossy(&table);
    let default = table.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let mut fields = line.split(':').skip(1);
        let level = fields.next()?.chars().next()?;
        fields.next().filter(|action| *action == "initdefault")?;
        Runlevel::from_letter(level)
    });
    let shown = [Runlevel::S, default.unwrap_or(Runlevel::R2)];
    Ok(shown.into_iter().filter(|level| there.contains(level)).collect())
}

/// What a verb would do, with none of its options.
fn difference(context: &Context, layout: &Layout, verb: Difference, name: &str) -> Result<Plan> {
    let service = || Name { name: name.to_owned() };
    let name = Context::name(name)?;
    match verb {
        Difference::Install => {
            let given = Given { name, text: None };
            install::planned(context, layout, &given, &Install::default()).map(|(plan, _)| plan)
        }
        Difference::Uninstall => {
            let wish = Uninstall { service: service(), purge: false, force: false };
            uninstall::planned(context, layout, &name, None, &wish)
        }
        Difference::Enable => enable::planned(context, layout, &name, None, plan::enable),
        Difference::Disable => enable::planned(context, layout, &name, None, plan::disable),
    }
}

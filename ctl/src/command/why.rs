//! `why`: says why a script has its number, for start and for stop. It reads and tells; what the reasons are is found
//! by the library.

use std::path::Path;

use anyhow::Result;
use foobar_initscripts::calls;
use foobar_initscripts::exit::Action;
use foobar_initscripts::explain::{self, Calling, Loop, Standing};
use foobar_initscripts::installed::Installed;
use foobar_initscripts::layout::Layout;
use foobar_initscripts::layout::facts::{Hooks, Numbers, Scheme, SysV};
use foobar_initscripts::link::{Kind, Link};
use foobar_initscripts::order::{self, Change, Outline};
use serde::Serialize;

use crate::cli::Why;
use crate::context::Context;
use crate::enabled;
use crate::failure::Failure;
use crate::scripts;
use crate::survey;

/// What `--format json` prints.
#[derive(Debug, Serialize)]
struct Facts<'a> {
    service: &'a str,
    start: Option<&'a explain::Why>,
    stop: Option<&'a explain::Why>,
    /// Links that have another number than the order gives now, as `rc2.d/S20foo`.
    other_numbers: Vec<String>,
    loops: Vec<&'a Loop>,
}

/// What `--format json` prints where numbers are not computed.
#[derive(Debug, Serialize)]
struct Numbered<'a> {
    layout: &'static str,
    orders: &'a [Standing],
}

/// What `--format json` prints where lines are the order.
#[derive(Debug, Serialize)]
struct Lines<'a> {
    layout: &'static str,
    orders: &'a [Calling],
}

/// Explains both numbers of a script.
pub fn run(context: &Context, arguments: &Why) -> Result<Action> {
    let name = arguments.service.name.as_str();
    let layout = context.layout()?;
    if let Scheme::Hooks(hooks) = layout.scheme {
        return called(context, layout, &hooks, name);
    }
    Context::must_have_numbers(layout, "why")?;
    let installed = survey::installed(&context.root, layout)?;
    let outline = order::outline(&installed, &Change::nothing().forced())
        .map_err(|error| Failure::error(Action::Error, error.to_string()))?;
    let Some(node) = outline.find(name) else {
        return Err(Failure::error(
            Action::NotInstalled,
            format!(
                "{name} is no script in {} and nothing waits for it: see 'foobarctl list'",
                layout.script_dir
            ),
        ));
    };
    if !layout.has_insserv_order() {
        return standing(context, layout, &installed, outline, node);
    }
    let [start, stop] = [Kind::Start, Kind::Kill].map(|kind| explain::why(&outline, layout, node, kind));
    let numbers = |link: &Link| match link.kind {
        Kind::Start => start.as_ref().map(|why| why.sequence),
        Kind::Kill => stop.as_ref().map(|why| why.sequence),
    };
    let own = enabled::link_names(&context.root, layout)?.into_iter().filter(|link| &*link.name == name);
    let others: Vec<String> = own
        .filter(|link| numbers(link).is_some_and(|number| number != link.sequence.get()))
        .map(|link| link.path())
        .collect();
    let all = explain::loops(&outline, layout);
    let loops: Vec<&Loop> =
        all.iter().filter(|found| found.knot.iter().any(|member| member == name)).collect();

    let mut lines: Vec<String> = [&start, &stop].into_iter().flatten().map(ToString::to_string).collect();
    if lines.is_empty() {
        lines.push(format!("{name} has no number: neither links nor its header name a runlevel"));
    }
    if !others.is_empty() {
        lines.push(format!(
            "another number is in {}: the next change to the order, or insserv, renames them",
            others.join(", ")
        ));
    }
    lines.extend(loops.iter().map(ToString::to_string));
    let facts =
        Facts { service: name, start: start.as_ref(), stop: stop.as_ref(), other_numbers: others, loops };
    context.output.result(lines.join("\n"), &facts)?;
    Ok(Action::Ok)
}

/// Where nothing computes numbers: which they are, and what they have to do for.
fn standing(
    context: &Context,
    layout: &Layout,
    installed: &Installed,
    outline: Outline,
    node: usize,
) -> Result<Action> {
    let outline = explain::linked(outline, installed, layout);
    let kinds = if layout.runlevels.is_empty() { &[Kind::Start][..] } else { &[Kind::Start, Kind::Kill] };
    let told: Vec<Standing> =
        kinds.iter().map(|kind| explain::standing(&outline, installed, layout, node, *kind)).collect();
    let mut lines: Vec<String> = told.iter().map(ToString::to_string).collect();
    lines.push(rule(layout));
    context.output.result(lines.join("\n"), &Numbered { layout: layout.name, orders: &told })?;
    Ok(Action::Ok)
}

/// Where there are no numbers, but lines that call services one after the other: which they are.
fn called(context: &Context, layout: &'static Layout, hooks: &Hooks, name: &str) -> Result<Action> {
    let installed = survey::installed(&context.root, layout)?;
    let calls = calls::order(layout, hooks, &scripts::callers(&context.root, hooks)?);
    if !installed.has_script(name) && !calls.iter().any(|one| one.name == name) {
        return Err(Failure::error(
            Action::NotInstalled,
            format!("{name} has no {} and nobody calls it: see 'foobarctl list'", layout.script(name)),
        ));
    }
    let outline = order::outline(&installed, &Change::nothing().forced())
        .map_err(|error| Failure::error(Action::Error, error.to_string()))?;
    let told: Vec<Calling> =
        [Kind::Start, Kind::Kill].map(|kind| explain::calling(&outline, &calls, layout, name, kind)).into();
    let mut lines: Vec<String> = told.iter().map(ToString::to_string).collect();
    let script = layout.script(name);
    if !scripts::is_script(&context.root, Path::new(&script))? {
        let why = if installed.has_script(name) { "is not executable" } else { "does not exist" };
        lines.push(format!("{script} {why}, so it is not started"));
    }
    lines.push(rule(layout));
    context.output.result(lines.join("\n"), &Lines { layout: layout.name, orders: &told })?;
    Ok(Action::Ok)
}

/// Where the numbers of a layout come from.
fn rule(layout: &Layout) -> String {
    let name = layout.name;
    match layout.scheme {
        Scheme::SysV(SysV { numbers: Numbers::Chkconfig(_), .. }) => format!(
            "in the layout {name} a number is that of the line '# chkconfig:', or one more than that of what it needs"
        ),
        Scheme::SysV(SysV { numbers: Numbers::Fixed(usual), .. }) => format!(
            "in the layout {name} numbers are given by hand; a new service gets S{} and K{} where its neighbours allow it",
            usual.start, usual.stop
        ),
        Scheme::SysV(SysV { numbers: Numbers::Insserv | Numbers::Suse, .. }) => {
            format!("in the layout {name} insserv gives numbers")
        }
        Scheme::Rcs(rcs) => format!(
            "in the layout {name} the number is part of the script's name, and all is stopped in the opposite order; a \
             new service gets S{} where its neighbours allow it",
            rcs.usual
        ),
        Scheme::OpenRc(_) => {
            format!(
                "in the layout {name} there are no numbers: OpenRC orders services by depend() in their scripts"
            )
        }
        Scheme::Hooks(hooks) => format!(
            "in the layout {name} there are no numbers: services start in the order of the lines that call them, those of \
             {} last of all, and those of {} stop them first",
            hooks.start, hooks.stop
        ),
    }
}

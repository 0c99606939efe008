//! `install`: lays a service into a tree: its service file, its init script, its links and startpar's files.

use std::path::Path;

use anyhow::Result;
use foobar_initscripts::description;
use foobar_initscripts::exit::Action;
use foobar_initscripts::inittab::{self, Dialect};
use foobar_initscripts::layout::Layout;
use foobar_initscripts::name::{Runlevels, ServiceName};
use foobar_initscripts::plan::{self, Extra, Plan};
use foobar_initscripts::script::{Caller, Style};
use foobar_initscripts::seal::{self, Origin};
use foobar_initscripts::service::{Service, start_levels};
use foobar_initscripts::step::Step;

use crate::cli::Install;
use crate::command::change::{self, Change};
use crate::command::compose::{self, Given};
use crate::context::Context;
use crate::control::{kept, stop};
use crate::failure::Failure;
use crate::lock::TreeLock;
use crate::reference;
use crate::root::{Root, Scope};
use crate::survey;
use crate::target;

/// The service to install, and the texts that are still to be written.
struct Wanted {
    service: Service,
    service_file: Option<String>,
    extras: Vec<Extra>,
}

/// Installs a service.
pub fn run(context: &Context, arguments: &Install) -> Result<Action> {
    let given = compose::given(context, arguments)?;
    let name = &given.name;
    context.may_change("install")?;
    let layout = context.layout()?;
    let _lock = if context.dry_run { None } else { Some(TreeLock::acquire(&context.root)?) };
    let (plan, runlevels) = planned(context, layout, &given, arguments)?;
    if plan.steps.iter().any(|step| step.path() == inittab::PATH) {
        return respawned(context, layout, name, &plan, runlevels);
    }
    let written =
        plan.steps.iter().map(|step| step.path()).find(|path| layout.is_script_of(path, name.as_str()));
    let script = written.map_or_else(|| layout.script(name.as_str()), str::to_owned);
    let is_off =
        |step: &Step| matches!(step, Step::Write { path, mode, .. } if *path == script && mode & 0o111 == 0);
    let when = match layout.runlevels {
        _ if plan.steps.iter().any(is_off) => "switched off".to_owned(),
        [] => "starts at boot".to_owned(),
        _ => format!("runlevels {runlevels}"),
    };
    let change = Change {
        verb: "install",
        name,
        done: format!(
            "installed {name} in {} ({}, {when})",
            context.root.outside(Path::new(&script)).display(),
            change::count(&plan),
        ),
        idle: format!("{name} is installed already, nothing to do"),
    };
    let action = change::carry_out(context, layout, &change, &plan)?;
    change::warn_of_other_init(context, layout);
    Ok(action)
}

/// The end of an installation into /etc/inittab: init starts the service at once, so whoever runs makes room.
fn respawned(
    context: &Context,
    layout: &Layout,
    name: &ServiceName,
    plan: &Plan,
    runlevels: Runlevels,
) -> Result<Action> {
    let is_new = kept::entry(&context.root, name.as_str())?.is_none();
    if is_new && !context.dry_run && context.root.scope() == Scope::Machine {
        if let Some(service) = target::service(&context.root, name)? {
            stop::stop(context, &service)?;
        }
    }
    let levels = match kept::dialect(&context.root, layout)? {
        Dialect::SysV => format!(", runlevels {runlevels}"),
        Dialect::Busybox => String::new(),
    };
    let change = Change {
        verb: "install",
        name,
        done: format!(
            "installed {name} in {} ({}{levels}), for init to keep it running",
            context.root.outside(Path::new(inittab::PATH)).display(),
            change::count(plan),
        ),
        idle: format!("{name} is installed already, nothing to do"),
    };
    let action = change::carry_out(context, layout, &change, plan)?;
    change::warn_of_other_init(context, layout);
    Ok(action)
}

/// What is to be done, and the runlevels that the service then has.
///
/// # Errors
/// Those of the plan, and of a service file that is missing or has faults.
pub fn planned(
    context: &Context,
    layout: &Layout,
    given: &Given,
    arguments: &Install,
) -> Result<(Plan, Runlevels)> {
    let name = &given.name;
    if arguments.respawn && context.root.scope() == Scope::Prefix {
        let why = "--respawn does not go with --prefix: no init reads the inittab of a prefix";
        return Err(Failure::error(Action::Usage, why.to_owned()));
    }
    let levels = arguments.runlevels.as_deref().map(levels).transpose()?;
    let wanted = wanted(context, layout, given, arguments.force, levels)?;
    let style = if arguments.standalone { Style::Standalone } else { Style::Thin };
    let wish = plan::Install {
        service: &wanted.service,
        service_file: wanted.service_file.as_deref(),
        extras: &wanted.extras,
        style,
        caller: &caller(&context.root, layout)?,
        set_runlevels: levels.is_some(),
        force: arguments.force,
    };
    let extras: Vec<&str> = wanted.extras.iter().map(|extra| extra.path.as_str()).collect();
    let installed = survey::installed(&context.root, layout)?;
    let existing = survey::existing(&context.root, plan::watched(layout, &installed, name, &extras))?;
    let plan = if arguments.respawn || kept::entry(&context.root, name.as_str())?.is_some() {
        let taken = kept::other_ids(&context.root)?;
        plan::respawn(&wish, kept::dialect(&context.root, layout)?, &taken, layout, &installed, &existing)
    } else {
        plan::install(&wish, layout, &installed, &existing)
    };
    let mut plan = plan.map_err(|error| change::refused(&error))?;
    if arguments.standalone && kept::entry(&context.root, name.as_str())?.is_some() {
        let why = format!(
            "{name} keeps its entry in {}: to have an init script, uninstall it first",
            inittab::PATH
        );
        plan.notes.push(why);
    }
    Ok((plan, wanted.service.runlevels))
}

/// Runlevels that the user has typed.
///
/// # Errors
/// [`Action::Usage`].
pub fn levels(text: &str) -> Result<Runlevels> {
    start_levels(text).map_err(|error| Failure::error(Action::Usage, format!("--runlevels: {error}")))
}

fn wanted(
    context: &Context,
    layout: &Layout,
    given: &Given,
    force: bool,
    levels: Option<Runlevels>,
) -> Result<Wanted> {
    let (root, name) = (&context.root, &given.name);
    let reference = reference::texts(root, layout, name)?;
    let path = layout.service_file(name.as_str());
    let shown = root.outside(Path::new(&path)).display().to_string();
    let (service, file) = match (&given.text, &reference) {
        (Some(text), _) => {
            let text = with_runlevels_of(text, levels);
            let is_news = force || is_news(root, &path, &text)?;
            (parse(name, &text, &shown)?, is_news.then_some(text))
        }
        (None, texts) => match (target::service(root, name)?, texts) {
            (Some(service), _) => (service, None),
            (None, Some(texts)) => {
                let text = texts.service_file.clone();
                (parse(name, &text, &shown)?, Some(text))
            }
            (None, None) => return Err(no_service_file(name, &shown)),
        },
    };
    let mut wanted = Wanted {
        service,
        service_file: file,
        extras: reference.map(|texts| texts.extras).unwrap_or_default(),
    };
    if let Some(levels) = levels.filter(|levels| *levels != wanted.service.runlevels) {
        let old = match wanted.service_file.take() {
            Some(text) => text,
            None => unsealed(root, &path)?,
        };
        wanted.service.runlevels = levels;
        // What an administrator wrote is kept by the plan, which says so, or changed in this line alone.
        let new = with_runlevels(&old, levels);
        if !parse(name, &new, &shown).is_ok_and(|service| service == wanted.service) {
            return Err(Failure::error(
                Action::NotConfigured,
                format!(
                    "cannot find the key runlevels in {shown}: write it as runlevels = \"{}\"",
                    digits(levels)
                ),
            ));
        }
        wanted.service_file = Some(new);
    }
    Ok(wanted)
}

fn no_service_file(name: &ServiceName, shown: &str) -> anyhow::Error {
    Failure::error(
        Action::NotConfigured,
        format!(
            "there is no service file {shown}: have it made of a program (foobarctl install {name} -- PROGRAM), or write \
             one; foobarctl help service-file explains its keys"
        ),
    )
}

/// Whether a text that the command line gives is another than the one in the tree.
///
/// # Errors
/// [`Action::NotConfigured`] when that was changed by hand, which is not to be lost.
fn is_news(root: &Root, path: &str, text: &str) -> Result<bool> {
    let Some((there, _)) = root.read(Path::new(path))? else { return Ok(true) };
    if seal::origin(&there) == Origin::Ours {
        return Ok(true);
    }
    if there == text.as_bytes() {
        return Ok(false);
    }
    let shown = root.outside(Path::new(path)).display().to_string();
    Err(Failure::error(
        Action::NotConfigured,
        format!("{shown} was written by hand and says otherwise: edit it, or replace it with --force"),
    ))
}

fn with_runlevels_of(text: &str, levels: Option<Runlevels>) -> String {
    levels.map_or_else(|| text.to_owned(), |levels| with_runlevels(text, levels))
}

fn parse(name: &ServiceName, text: &str, shown: &str) -> Result<Service> {
    description::parse(name, text, shown)
        .map_err(|error| Failure::error(Action::NotConfigured, error.to_string()))
}

/// The service file, without the seal if that is valid.
fn unsealed(root: &Root, path: &str) -> Result<String> {
    let bytes = root.read(Path::new(path))?.map(|(bytes, _)| bytes).unwrap_or_default();
    Ok(seal::remove(&String::from_utf8(bytes).unwrap_or_default()))
}

/// Runlevels as they are typed and written.
fn digits(levels: Runlevels) -> String {
    levels.iter().map(|level| level.letter()).collect()
}

/// The text of a service file with other runlevels.
fn with_runlevels(text: &str, levels: Runlevels) -> String {
    let line = format!("runlevels = \"{}\"", digits(levels));
    let is_key =
        |line: &str| line.strip_prefix("runlevels").is_some_and(|rest| rest.trim_start().starts_with('='));
    let mut lines: Vec<&str> =
        text.lines().map(|old| if is_key(old) { line.as_str() } else { old }).collect();
    if !lines.contains(&line.as_str()) {
        // What follows a table would be a key of that.
        let end = lines.iter().position(|line| line.trim_start().starts_with('[')).unwrap_or(lines.len());
        lines.insert(end, &line);
    }
    format!("{}\n", lines.join("\n"))
}

/// How the init script will call us: this executable, or in the tree of another machine the packaged one.
///
/// # Errors
/// [`Action::Usage`] when a path cannot stand in a script.
fn caller(root: &Root, layout: &Layout) -> Result<Caller> {
    if root.scope() == Scope::Offline {
        return Ok(Caller::of(layout));
    }
    let prefix = if root.scope() == Scope::Prefix { Some(reference::text(root.base())?) } else { None };
    Ok(Caller { foobarctl: reference::text(&std::env::current_exe()?)?, prefix })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_runlevels_replace_the_line_or_add_it() {
        let levels = levels("35").unwrap();
        assert_eq!(with_runlevels("a = 1\nrunlevels = \"2345\"\n", levels), "a = 1\nrunlevels = \"35\"\n");
        assert_eq!(with_runlevels("a = 1", levels), "a = 1\nrunlevels = \"35\"\n");
        assert_eq!(with_runlevels("a = 1\n[[b]]\n", levels), "a = 1\nrunlevels = \"35\"\n[[b]]\n");
    }
}

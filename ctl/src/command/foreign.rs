//! Verbs of services that others installed: their own init script does the work, run as service(8) runs
//! it: from `/`, with a clean environment, its exit code passed on.

use std::path::Path;

use anyhow::Context as _;
use foobar_initscripts::exit::Action;
use foobar_initscripts::name::ServiceName;
use serde::Serialize;

use crate::cli::Format;
use crate::context::Context;
use crate::failure::Failure;
use crate::launch;
use crate::output::Output;

/// What `--format json` prints of an action.
#[derive(Debug, Serialize)]
struct Ran<'a> {
    service: &'a str,
    ours: bool,
    action: &'a str,
    dry_run: bool,
    script: String,
    code: u8,
}

/// Runs `SCRIPT VERB`, its output going where ours goes, and returns its exit code.
///
/// # Errors
/// When it cannot be run, or a signal ended it.
pub fn act(context: &Context, name: &ServiceName, script: &Path, verb: &str) -> anyhow::Result<u8> {
    let path = context.root.outside(script);
    let script = path.display().to_string();
    let facts = |code| Ran {
        service: name.as_str(),
        ours: false,
        action: verb,
        dry_run: context.dry_run,
        script: script.clone(),
        code,
    };
    if context.dry_run {
        context.output.result(format_args!("would run {script} {verb}"), &facts(Action::Ok.code()))?;
        return Ok(Action::Ok.code());
    }
    context.output.step(format_args!("running {script} {verb}"));
    let (code, said) = run(&path, verb, context.output)?;
    if context.output.format == Format::Json {
        if !said.is_empty() {
            context.output.step(said);
        }
        context.output.result("", &facts(code))?;
    }
    Ok(code)
}

/// Runs `SCRIPT status`; returns its exit code, and what it said when that must not go to our standard
/// output.
///
/// # Errors
/// As [`act`].
pub fn status(script: &Path, output: Output) -> anyhow::Result<(u8, String)> {
    output.step(format_args!("running {} status", script.display()));
    run(script, "status", output)
}

fn run(path: &Path, verb: &str, output: Output) -> anyhow::Result<(u8, String)> {
    let is_shown = output.format == Format::Text && !output.quiet;
    let (status, said) = launch::script(path, verb, is_shown).with_context(|| {
        format!("cannot run {} {verb}; is its first line the path of a shell?", path.display())
    })?;
    let code = status.code().and_then(|code| u8::try_from(code).ok()).ok_or_else(|| {
        Failure::error(Action::Error, format!("{} {verb} did not end by itself: {status}", path.display()))
    })?;
    Ok((code, said))
}

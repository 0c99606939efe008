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
    script: String,
    code: u8,
}

/// Runs `SCRIPT VERB`, its output going where ours goes, and returns its exit code.
///
/// # Errors
/// When it cannot be run, or a signal ended it.
pub fn act(context: &Context, name: &ServiceName, script: &Path, verb: &str) -> anyhow::Result<u8> {
    let path = context.root.outside(script);
    if context.dry_run {
        let facts = Ran { service: name.as_str(), ours: false, action: verb, script: shown(&path), code: 0 };
        context.output.result(format_args!("would run {} {verb}", path.display()), &facts)?;
        return Ok(Action::Ok.code());
    }
    let json = context.output.format == Format::Json;
    let (code, said) = run(&path, verb, json)?;
    if json {
        context.output.step(said.trim_end());
        let facts = Ran { service: name.as_str(), ours: false, action: verb, script: shown(&path), code };
        context.output.result("", &facts)?;
    }
    Ok(code)
}

/// Runs `SCRIPT status`; returns its exit code, and what it said when that must not go to our standard
/// output.
///
/// # Errors
/// As [`act`].
pub fn status(script: &Path, output: Output) -> anyhow::Result<(u8, String)> {
    run(script, "status", output.format == Format::Json)
}

fn run(path: &Path, verb: &str, catch: bool) -> anyhow::Result<(u8, String)> {
    let (status, said) = launch::script(path, verb, catch).with_context(|| {
        format!("cannot run {} {verb}; is its first line the path of a shell?", path.display())
    })?;
    let code = status.code().and_then(|code| u8::try_from(code).ok()).ok_or_else(|| {
        Failure::error(Action::Error, format!("{} {verb} did not end by itself: {status}", path.display()))
    })?;
    Ok((code, said))
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

//! `completions`: what a shell reads to complete foobarctl's command line.

use clap_complete::{generate, shells};
use foobar_initscripts::exit::Action;
use serde::Serialize;

use crate::cli::{self, Shell};
use crate::context::Context;

/// What `--format json` prints.
#[derive(Debug, Serialize)]
struct Facts<'a> {
    action: &'a str,
    text: &'a str,
}

/// Prints the completions of a shell.
pub fn run(context: &Context, shell: Shell) -> anyhow::Result<Action> {
    let (mut command, mut text) = (cli::full(), Vec::new());
    match shell {
        Shell::Bash => generate(shells::Bash, &mut command, "foobarctl", &mut text),
        Shell::Zsh => generate(shells::Zsh, &mut command, "foobarctl", &mut text),
        Shell::Fish => generate(shells::Fish, &mut command, "foobarctl", &mut text),
    }
    let text = String::from_utf8(text)?;
    let text = text.trim_end();
    context.output.result(text, &Facts { action: "completions", text })?;
    Ok(Action::Ok)
}

//! `completions`: what a shell reads to complete foobarctl's command line.

use std::io::Write as _;

use clap_complete::{generate, shells};
use foobar_initscripts::exit::Action;

use crate::cli::{self, Shell};

/// Prints the completions of a shell.
pub fn run(shell: Shell) -> anyhow::Result<Action> {
    let (mut command, mut text) = (cli::full(), Vec::new());
    match shell {
        Shell::Bash => generate(shells::Bash, &mut command, "foobarctl", &mut text),
        Shell::Zsh => generate(shells::Zsh, &mut command, "foobarctl", &mut text),
        Shell::Fish => generate(shells::Fish, &mut command, "foobarctl", &mut text),
    }
    std::io::stdout().write_all(&text)?;
    Ok(Action::Ok)
}

//! `man`: the manual pages, made from the definition of the command line. foobarctl(8), and one page for
//! each verb.

use std::path::Path;

use anyhow::Context as _;
use clap_mangen::Man;
use foobar_initscripts::exit::Action;
use serde::Serialize;

use crate::cli;
use crate::output::Output;

/// What `--format json` prints.
#[derive(Debug, Serialize)]
struct Written {
    pages: Vec<String>,
}

/// Writes all pages into `directory`.
///
/// # Errors
/// When a page cannot be written.
pub fn run(directory: &Path, output: Output) -> anyhow::Result<Action> {
    let mut command = cli::full();
    command.build();
    let mut pages = vec![write(directory, command.clone(), "foobarctl.8")?];
    for verb in command.get_subcommands() {
        let page = format!("foobarctl-{}.8", verb.get_name());
        pages.push(write(directory, verb.clone(), &page)?);
    }
    let text = format!("wrote {} manual pages to {}", pages.len(), directory.display());
    output.result(text, &Written { pages })?;
    Ok(Action::Ok)
}

fn write(directory: &Path, command: clap::Command, name: &str) -> anyhow::Result<String> {
    let path = directory.join(name);
    let page = Man::new(command)
        .section("8")
        .source(concat!("foobar ", env!("CARGO_PKG_VERSION")))
        .manual("System Administration");
    let mut text = Vec::new();
    page.render(&mut text)?;
    std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path.display().to_string())
}

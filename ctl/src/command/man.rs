//! `man`: the manual pages, made from the definition of the command line. foobarctl(8), one page for each verb, and
//! foobar-service(5) from the table of keys.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use foobar_initscripts::exit::Action;
use foobar_initscripts::plan::{Found, Plan};
use foobar_initscripts::step::{Before, Step, checksum};
use serde::Serialize;

use crate::apply;
use crate::cli;
use crate::context::Context;
use crate::failure::Failure;
use crate::root::Scope;
use crate::survey;
use crate::texts::{self, service_file};

/// What `--format json` prints.
#[derive(Debug, Serialize)]
struct Written<'a> {
    action: &'a str,
    dry_run: bool,
    changed: bool,
    pages: Vec<String>,
}

/// Writes all pages into `directory`, a path of the tree.
///
/// # Errors
/// When a page cannot be written.
pub fn run(context: &Context, directory: &Path) -> Result<Action> {
    let directory = in_tree(context, directory)?;
    let pages = pages(Path::new(&directory))?;
    let existing = survey::existing(&context.root, pages.iter().map(|(path, _)| path))?;
    let mut plan = Plan::default();
    for (path, text) in &pages {
        let before = match existing.get(path) {
            None => Before::Absent,
            Some(Found::File { text: there, .. }) if there == text.as_bytes() => continue,
            Some(Found::File { text: there, .. }) => Before::File(checksum(there)),
            Some(Found::Directory | Found::Other) => Before::Link,
        };
        plan.steps.push(Step::Write { path: path.clone(), mode: 0o644, text: text.clone(), before });
    }
    if !context.dry_run {
        apply::run(&context.root, &plan, &[PathBuf::from(&directory)].into(), context.output)?;
    }
    let shown = |path: &str| context.root.outside(Path::new(path)).display().to_string();
    let written = if context.dry_run { "would write" } else { "wrote" };
    let text =
        format!("{written} {} of {} manual pages to {}", plan.steps.len(), pages.len(), shown(&directory));
    let facts = Written {
        action: "man",
        dry_run: context.dry_run,
        changed: !plan.is_empty(),
        pages: pages.iter().map(|(path, _)| shown(path)).collect(),
    };
    context.output.result(text, &facts)?;
    Ok(Action::Ok)
}

/// A directory that the user named, as an absolute path of the tree.
fn in_tree(context: &Context, directory: &Path) -> Result<String> {
    let absolute = match context.root.scope() {
        Scope::Machine => std::path::absolute(directory)?,
        Scope::Prefix | Scope::Offline => Path::new("/").join(directory),
    };
    let text = absolute.to_str().map(str::to_owned);
    let text = text.ok_or_else(|| {
        Failure::error(Action::Usage, format!("{absolute:?} is not UTF-8: use a directory with another name"))
    })?;
    context
        .root
        .directory(&absolute)
        .map_err(|error| context.root.about("cannot write to", &absolute, &error))?;
    Ok(text)
}

/// Path and text of all pages.
fn pages(directory: &Path) -> Result<Vec<(String, String)>> {
    let mut command = cli::full();
    command.build();
    let verbs: Vec<String> = command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    let mut pages = vec![("foobarctl.8".to_owned(), page(command.clone(), None, &verbs)?)];
    for verb in command.get_subcommands() {
        let name = verb.get_name();
        pages.push((format!("foobarctl-{name}.8"), page(verb.clone(), Some(name), &verbs)?));
    }
    pages.push((format!("{}.5", service_file::PAGE), service_page()?));
    let full = |name: &str| directory.join(name).display().to_string();
    Ok(pages.into_iter().map(|(name, text)| (full(&name), text)).collect())
}

fn page(command: clap::Command, verb: Option<&str>, verbs: &[String]) -> io::Result<String> {
    let man = Man::new(command)
        .section("8")
        .source(concat!("foobar ", env!("CARGO_PKG_VERSION")))
        .manual("System Administration");
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    if verb.is_none() {
        man.render_subcommands_section(&mut text)?;
    }
    man.render_options_section(&mut text)?;
    let mut more = Roff::new();
    for section in texts::sections(verb) {
        more.control("SH", [section.title]);
        lay_out(&mut more, &section.text);
    }
    more.control("SH", ["SEE ALSO"]);
    more.text(see_also(verb, verbs));
    more.to_writer(&mut text)?;
    String::from_utf8(text).map_err(io::Error::other)
}

/// foobar-service(5), which is about no verb.
fn service_page() -> io::Result<String> {
    let mut roff = Roff::new();
    let source = concat!("foobar ", env!("CARGO_PKG_VERSION"));
    roff.control("TH", [service_file::PAGE, "5", "", source, "File Formats"]);
    roff.control("SH", ["NAME"]);
    roff.text([roman(format!("{} - {}", service_file::PAGE, service_file::ABOUT))]);
    for section in service_file::sections() {
        roff.control("SH", [section.title.to_uppercase().as_str()]);
        lay_out(&mut roff, &section.text);
    }
    roff.control("SH", ["SEE ALSO"]);
    roff.text([
        bold("foobarctl"),
        roman("(8), "),
        bold("foobarctl-install"),
        roman("(8), "),
        bold("foobarctl-check"),
        roman("(8)"),
    ]);
    let mut text = Vec::new();
    roff.to_writer(&mut text)?;
    String::from_utf8(text).map_err(io::Error::other)
}

/// Paragraphs are filled, lines that begin with a blank are not.
fn lay_out(roff: &mut Roff, text: &str) {
    let mut is_table = false;
    for line in text.lines() {
        if line.starts_with(' ') != is_table {
            is_table = !is_table;
            roff.control(if is_table { "nf" } else { "fi" }, []);
        }
        roff.text([roman(line)]);
    }
    if is_table {
        roff.control("fi", []);
    }
}

fn see_also(verb: Option<&str>, verbs: &[String]) -> Vec<clap_mangen::roff::Inline> {
    let ours = match verb {
        None => verbs.iter().map(|verb| format!("foobarctl-{verb}")).collect(),
        Some(_) => vec!["foobarctl".to_owned()],
    };
    let others = ["foobard", "service", "update-rc.d", "insserv", "init"].map(str::to_owned);
    let mut line = vec![bold(service_file::PAGE), roman("(5)")];
    for page in ours.into_iter().chain(others) {
        if !line.is_empty() {
            line.push(roman(", "));
        }
        line.extend([bold(page), roman("(8)")]);
    }
    line
}

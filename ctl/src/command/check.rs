//! `check`: the linter for one script, one service, or the machine. What is read, and how it is told; what is wrong
//! is decided by foobar-initscripts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Result;
use foobar_initscripts::check::elsewhere;
use foobar_initscripts::check::finding::{Finding, Rule, Severity};
use foobar_initscripts::check::meaning::{self, Facts as _};
use foobar_initscripts::check::surroundings;
use foobar_initscripts::check::tree::{Script, Tree, What};
use foobar_initscripts::check::{depend, file, links, order, rules, script, service, state};
use foobar_initscripts::exit::Action;
use foobar_initscripts::layout::Layout;
use foobar_initscripts::layout::facts::Scheme;
use foobar_initscripts::name::ServiceName;
use foobar_initscripts::order::{Change, arrange, outline};
use foobar_initscripts::service::Service;
use serde::Serialize;

use crate::cli::{Check, FailOn};
use crate::context::Context;
use crate::control::kept;
use crate::failure::Failure;
use crate::inspect::meaning::Surroundings;
use crate::inspect::{called, live, tree};
use crate::machine;
use crate::output;
use crate::root::Scope;
use crate::survey;

/// What `--format json` prints; the help describes it.
#[derive(Debug, Serialize)]
struct Facts<'a> {
    checked: usize,
    errors: usize,
    warnings: usize,
    notes: usize,
    findings: Vec<Row<'a>>,
}

#[derive(Debug, Serialize)]
struct Row<'a> {
    code: &'a str,
    severity: &'a str,
    service: Option<&'a str>,
    file: &'a str,
    line: u32,
    message: &'a str,
    effect: &'a str,
    remedy: &'a str,
}

/// What `--explain --format json` prints.
#[derive(Debug, Serialize)]
struct Explained<'a> {
    code: &'a str,
    severity: &'a str,
    title: &'a str,
    effect: &'a str,
    remedy: &'a str,
    explanation: &'a str,
    lintian: &'a [&'a str],
}

/// Looks, and tells what was found; the exit code says whether it was bad enough.
pub fn run(context: &Context, arguments: &Check) -> Result<u8> {
    if let Some(rule) = arguments.explain.as_deref().and_then(rules::find) {
        explain(context, rule)?;
        return Ok(Action::Ok.code());
    }
    if arguments.ask {
        context.must_be_live("check --ask")?;
    }
    let (files, names): (Vec<&String>, Vec<&String>) =
        arguments.targets.iter().partition(|target| is_path(target));
    let mut checked = 0;
    let mut found = Vec::new();
    for target in files {
        found.extend(lone(context, target)?);
        checked += 1;
    }
    if !names.is_empty() || arguments.targets.is_empty() {
        let wanted = names.into_iter().map(|name| Context::name(name)).collect::<Result<BTreeSet<_>>>()?;
        let mut machine = Machine::read(context)?;
        machine.check(&wanted, arguments.ask)?;
        checked += machine.checked;
        found.append(&mut machine.found);
    }
    found.sort_by(|a, b| (&a.file, a.line, a.rule.code).cmp(&(&b.file, b.line, b.rule.code)));
    found.dedup_by(|a, b| {
        (&a.file, a.line, a.rule.code, &a.message) == (&b.file, b.line, b.rule.code, &b.message)
    });
    tell(context, checked, &found)?;
    let limit = match arguments.fail_on {
        FailOn::Error => Severity::Error,
        FailOn::Warning => Severity::Warning,
        FailOn::Note => Severity::Note,
        FailOn::Never => return Ok(Action::Ok.code()),
    };
    let is_bad = found.iter().any(|finding| finding.rule.severity >= limit);
    Ok(if is_bad { Action::Error.code() } else { Action::Ok.code() })
}

fn explain(context: &Context, rule: &Rule) -> Result<()> {
    let facts = Explained {
        code: rule.code,
        severity: rule.severity.word(),
        title: rule.title,
        effect: rule.effect,
        remedy: rule.remedy,
        explanation: rule.explanation,
        lintian: rule.lintian,
    };
    context.output.result(rule, &facts)
}

fn tell(context: &Context, checked: usize, found: &[Finding]) -> Result<()> {
    let count = |severity| found.iter().filter(|finding| finding.rule.severity == severity).count();
    let (errors, warnings, notes) = (count(Severity::Error), count(Severity::Warning), count(Severity::Note));
    let rows = found.iter().map(|finding| Row {
        code: finding.rule.code,
        severity: finding.rule.severity.word(),
        service: Some(finding.subject.as_str()).filter(|subject| !subject.is_empty()),
        file: &finding.file,
        line: finding.line,
        message: &finding.message,
        effect: finding.effect,
        remedy: finding.remedy,
    });
    let mut text: String = found.iter().map(|finding| format!("{finding}\n")).collect();
    let some = |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
    text.push_str(&format!(
        "checked {}: {}, {}, {}",
        some(checked, "script and service file")
            .replace("script and service files", "scripts and service files"),
        some(errors, "error"),
        some(warnings, "warning"),
        some(notes, "note")
    ));
    context.output.result(text, &Facts { checked, errors, warnings, notes, findings: rows.collect() })
}

/// Whether an argument means a file and not a service.
fn is_path(target: &str) -> bool {
    target.contains('/') || target.ends_with(".toml")
}

/// A file by itself, which need not be installed.
fn lone(context: &Context, target: &str) -> Result<Vec<Finding>> {
    let path = match context.root.scope() {
        Scope::Machine => std::path::absolute(target)?,
        Scope::Prefix | Scope::Offline => Path::new("/").join(target),
    };
    let Some((text, _)) = context.root.read(&path)? else {
        let shown = tree::show(&context.root, &path);
        let message =
            format!("there is no file {shown}: name a script, a service file or an installed service");
        return Err(Failure::error(Action::NotInstalled, message));
    };
    // On this machine as it was typed, which is what editors and CI want to find again.
    let shown = if context.root.scope() == Scope::Machine {
        target.to_owned()
    } else {
        tree::show(&context.root, &path)
    };
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if let Some(name) = name.strip_suffix(".toml") {
        return Ok(match service::read(&Context::name(name)?, &shown, &text) {
            Ok(service) => of_service(&service, &shown, &text, &Surroundings::of(&context.root)),
            Err(fault) => vec![*fault],
        });
    }
    Ok(script::check(
        &script::Subject { name, file: &shown, text: &text },
        &surroundings::Surroundings::default(),
    ))
}

/// What is wrong with a service file that could be read.
fn of_service(service: &Service, shown: &str, text: &[u8], around: &Surroundings<'_>) -> Vec<Finding> {
    let mut found = meaning::check(service, shown, &String::from_utf8_lossy(text), around);
    // Below a root directory of its own the program is not where it seems to be.
    let below = service.execution.root_directory.as_deref().unwrap_or_default().trim_end_matches('/');
    if !around.has_program(&format!("{below}{}", service.program)) {
        found.push(service::without_program(service, shown, text));
    }
    found
}

/// The machine, or some of its services.
struct Machine<'a> {
    context: &'a Context,
    layout: &'static Layout,
    tree: Tree,
    /// The services that have a script.
    scripts: BTreeSet<String>,
    /// Service files, with their paths in the tree; those with a fault as none.
    services: BTreeMap<ServiceName, Option<Service>>,
    found: Vec<Finding>,
    checked: usize,
}

impl<'a> Machine<'a> {
    fn read(context: &'a Context) -> Result<Machine<'a>> {
        let layout = context.layout()?;
        let (tree, found) = tree::read(&context.root, layout);
        let scripts = tree.scripts.iter().map(|script| service_of(layout, &script.name).to_owned()).collect();
        Ok(Machine { context, layout, tree, scripts, services: BTreeMap::new(), found, checked: 0 })
    }

    /// Checks all services, or those that are wanted.
    fn check(&mut self, wanted: &BTreeSet<ServiceName>, ask: bool) -> Result<()> {
        self.service_files()?;
        self.must_exist(wanted)?;
        self.files();
        self.order();
        let layout = self.layout;
        let is_one_of = |layout: &Layout, file: &str| {
            wanted.iter().any(|wanted| wanted.as_str() == service_of(layout, file))
        };
        self.found.retain(|finding| elsewhere::holds(finding.rule, layout));
        self.found.iter_mut().for_each(|finding| elsewhere::adapt(finding, layout));
        if !wanted.is_empty() {
            self.found.retain(|finding| is_one_of(layout, &finding.subject));
        }
        let is_wanted = |file: &str| wanted.is_empty() || is_one_of(layout, file);
        let count = |number: &usize, _: &str| number + 1;
        let scripts =
            self.tree.scripts.iter().filter(|script| script.is_eligible()).map(|script| script.name.as_str());
        let files = self.services.keys().map(ServiceName::as_str);
        self.checked = scripts.chain(files).filter(|name| is_wanted(name)).fold(0, |n, name| count(&n, name));
        if ask {
            let asked: Vec<Script> =
                self.tree.scripts.iter().filter(|script| is_wanted(&script.name)).cloned().collect();
            asked.iter().for_each(|script| self.ask(script));
        }
        Ok(())
    }

    fn must_exist(&self, wanted: &BTreeSet<ServiceName>) -> Result<()> {
        let has_link = |name: &str| self.tree.entries.iter().any(|entry| entry.name.get(3..) == Some(name));
        let missing = wanted.iter().find(|name| {
            !self.scripts.contains(name.as_str())
                && !has_link(name.as_str())
                && !self.services.contains_key(*name)
        });
        let Some(name) = missing else { return Ok(()) };
        let script = tree::show(&self.context.root, Path::new(&self.layout.script(name.as_str())));
        Err(Failure::error(
            Action::NotInstalled,
            format!("{name} is not installed: there is no {script}; for a file elsewhere write ./{name}"),
        ))
    }

    fn service_files(&mut self) -> Result<()> {
        let root = &self.context.root;
        let around = Surroundings::of(root);
        for entry in root.names(Path::new(self.layout.service_dir))? {
            let name = entry.to_str().and_then(|entry| entry.strip_suffix(".toml"));
            let Some(name) = name.and_then(|name| ServiceName::parse(name).ok()) else { continue };
            let path = PathBuf::from(self.layout.service_file(name.as_str()));
            let shown = tree::show(root, &path);
            let (text, facts) = match root.read(&path) {
                Ok(Some(read)) => read,
                Ok(None) => continue,
                Err(error) => {
                    self.found.push(order::unreadable(&shown, &error.to_string()));
                    self.services.insert(name, None);
                    continue;
                }
            };
            self.found.extend(service::writable(
                name.as_str(),
                &shown,
                facts.mode,
                facts.owner,
                trusted(self.context),
            ));
            let service = match service::read(&name, &shown, &text) {
                Ok(service) => service,
                Err(fault) => {
                    self.found.push(*fault);
                    self.services.insert(name, None);
                    continue;
                }
            };
            self.found.extend(of_service(&service, &shown, &text, &around));
            let has_entry = kept::entry(root, name.as_str()).is_ok_and(|entry| entry.is_some());
            if !has_entry && !self.scripts.contains(name.as_str()) {
                self.found.push(service::without_script(&service, &shown));
            }
            if root.is_live() {
                self.found.extend(live::pid_file_of(root, &service));
            }
            self.services.insert(name, Some(service));
        }
        Ok(())
    }

    /// Each script as a file and as a text, and what belongs to it.
    fn files(&mut self) {
        let root = &self.context.root;
        let is_numbered = matches!(self.layout.scheme, Scheme::Rcs(_));
        let around = order::surroundings(&self.tree).numbered(is_numbered);
        let linked = links::linked(&self.tree);
        let trusted = trusted(self.context);
        let mut found = Vec::new();
        for one in &self.tree.scripts {
            found.extend(file::check(one, linked.contains(one.name.as_str()), trusted));
            if !matches!(one.what, What::File { .. }) || !one.is_eligible() {
                continue;
            }
            found.extend(script::check(
                &script::Subject { name: &one.name, file: &one.file, text: &one.text },
                &around,
            ));
            let absent = script::interpreter(&one.text).filter(|path| !live::has_program(root, path));
            found.extend(absent.map(|path| state::no_interpreter(&one.name, &one.file, &path)));
            let service = service_of(self.layout, &one.name);
            let name = ServiceName::parse(service).ok();
            let ours = name.as_ref().and_then(|name| self.services.get(name));
            let service = ours.and_then(Option::as_ref);
            found.extend(service::check_script(one, service, ours.is_some(), self.layout));
            let defaults = PathBuf::from(self.layout.defaults_file(service_of(self.layout, &one.name)));
            if let Ok(Some((text, _))) = root.read(&defaults) {
                found.extend(state::defaults(&one.name, &tree::show(root, &defaults), &text));
            }
            if service.is_none() && root.is_live() {
                found.extend(live::pid_files(root, one));
            }
        }
        self.found.append(&mut found);
    }

    /// Links and dependencies.
    fn order(&mut self) {
        if let Scheme::SysV(_) = self.layout.scheme {
            self.found.extend(links::check(&self.tree));
        }
        let installed = match survey::installed(&self.context.root, self.layout) {
            Ok(installed) => installed,
            Err(error) => {
                let directory = tree::show(&self.context.root, Path::new(self.layout.script_dir));
                return self.found.push(order::unreadable(&directory, &error.to_string()));
            }
        };
        if let Scheme::Hooks(hooks) = self.layout.scheme {
            let ours = self.services.keys().map(ToString::to_string).collect();
            let outline = outline(&installed, &Change::nothing().forced()).unwrap_or_default();
            match called::check(&self.context.root, self.layout, &hooks, &outline, &ours) {
                Ok(found) => self.found.extend(found),
                Err(error) => self.found.push(order::unreadable(hooks.start, &error.to_string())),
            }
        }
        let arrangement = arrange(&installed, &Change::nothing().forced());
        let found = order::check(&self.tree, &arrangement);
        self.found.extend(found.into_iter().filter(|finding| finding.file != tree::BUILT_IN));
        if let Ok(arrangement) = &arrangement {
            self.found.extend(depend::check(&self.tree, arrangement));
        }
    }

    /// Runs a script with `status`, if that is safe.
    fn ask(&mut self, script: &Script) {
        let output = self.context.output;
        let file = &script.file;
        if let Some(reason) = live::reason_not_to_ask(&self.context.root, script) {
            return output.step(format_args!("not asking {file}: {reason}"));
        }
        if self.context.dry_run {
            return output::complain(format_args!("would run {file} status"));
        }
        output.step(format_args!("running {file} status"));
        match live::ask(script) {
            Ok(finding) => self.found.extend(finding),
            Err(error) => output.warn(format_args!("cannot run {file} status: {error}")),
        }
    }
}

/// The service that a script belongs to, by the name of its file.
fn service_of<'a>(layout: &Layout, file: &'a str) -> &'a str {
    layout.script_name(file).map_or(file, |(name, _)| name)
}

/// Who may own scripts beside root: below a prefix, we ourselves; in the tree of another machine, who unpacked it.
fn trusted(context: &Context) -> u32 {
    match context.root.scope() {
        Scope::Machine => 0,
        Scope::Prefix => machine::user(),
        Scope::Offline => context.root.facts(Path::new("/")).ok().flatten().map_or(0, |top| top.owner),
    }
}

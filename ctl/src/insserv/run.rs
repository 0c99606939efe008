//! One run of insserv: read, order, refuse or carry out. Links are made before others are removed, and each file is
//! written as a whole, so that a machine that loses its power in between still boots.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use foobar_initscripts::installed::Installed;
use foobar_initscripts::link::{Kind, Link};
use foobar_initscripts::name::{Runlevel, Runlevels};
use foobar_initscripts::order::{self, Action, Arrangement, Change, OrderError};
use foobar_initscripts::plan::{Found, Plan};
use foobar_initscripts::step::{Before, Step, checksum};
use foobar_process::footprint;

use super::messages::{Messages, complain};
use super::options::{self, Options, Told};
use super::places::Places;
use crate::apply;
use crate::cli::Format;
use crate::gather;
use crate::lock::TreeLock;
use crate::output::{self, Output};
use crate::root::{Root, Scope, is_missing};
use crate::survey;

/// Does what the command line says; the exit code is insserv's, 0 or 1.
pub fn run(arguments: Vec<OsString>) -> u8 {
    let done = match options::parse(arguments.into_iter().skip(1)) {
        Ok(options) => carry_out(options),
        Err(Told::Help(text)) => output::print(&text),
        Err(Told::Wrong(text)) => Err(anyhow!(text)),
    };
    match done {
        Ok(()) => 0,
        Err(error) => {
            complain(format_args!("{error:#}"));
            1
        }
    }
}

/// insserv tells of steps by itself.
const OUTPUT: Output = Output { format: Format::Text, quiet: true, verbose: false };

/// With so many scripts what the program itself takes of the memory is worth giving back.
const MANY: usize = 1_000;

/// One run.
struct Run {
    root: Root,
    places: Places,
    change: Change,
    touch: bool,
    messages: Messages,
}

fn carry_out(mut options: Options) -> Result<()> {
    if options.recursive {
        bail!("-e is not supported: name all the scripts that are to be enabled");
    }
    if options.upstart_job.is_some() {
        bail!("-u is not supported: there is no upstart that could have jobs; leave the option out");
    }
    let root = Root::open(Scope::Machine, Path::new("/"))?;
    let (places, arguments) = Places::find(&root, &mut options)?;
    let change = Change {
        action: if options.remove { Action::Remove } else { Action::Add },
        arguments,
        force: options.force,
        defaults: options.default,
    };
    let verbose = options.verbose.saturating_add(u8::from(options.dry_run));
    let messages = Messages { silent: options.silent, verbose };
    let touch = !options.dry_run && !options.show_all;
    let show_all = options.show_all;
    drop(options);
    Run { root, places, change, touch, messages }.order(show_all)
}

impl Run {
    fn order(mut self, show_all: bool) -> Result<()> {
        let beside = Path::new(&self.places.sources.scripts).join("..");
        let _lock = if self.touch { Some(TreeLock::acquire_in(&self.root, &beside)?) } else { None };
        if !self.touch {
            // What is not there insserv would make; without that it reads no further.
            let there = |path: &str| self.root.directory(Path::new(path)).is_ok();
            let count = self.places.sources.links.iter().take_while(|(_, path)| there(path)).count();
            self.places.sources.links.truncate(count);
        }
        self.root.directory(Path::new(&self.places.sources.scripts)).map_err(|error| {
            self.root.about("cannot open", Path::new(&self.places.sources.scripts), &error)
        })?;
        let installed = gather::gathered(&self.root, &self.places.sources)?;
        self.places.check(&self.root, &installed, &self.change.arguments)?;
        self.warn_of_conf()?;
        let many = installed.count() >= MANY;
        // What was needed to read them; the memory is needed now for what they say,
        let _ = many && footprint::release_program();
        let arranged = order::arrange(&installed, &self.change);
        // and then for what is written.
        let _ = many && footprint::release_program();
        if !matches!(arranged, Err(OrderError::FacilityLoop { .. })) {
            self.make_directories()?;
        }
        // insserv has done so by the time that it finds a reason to refuse.
        let gone = match &arranged {
            Ok(_) => order::dangling(&installed),
            Err(error) => order::dangling_before(&installed, error),
        };
        self.remove(gone.iter().map(Link::lent))?;
        let arrangement = arranged?;
        for warning in &arrangement.warnings {
            self.messages.warn(warning);
        }
        if show_all {
            let table = self.table(&installed)?;
            if !table.is_empty() {
                output::print(&table)?;
            }
        }
        self.relink(&arrangement, &gone)?;
        let Arrangement { boot, start, stop, .. } = arrangement;
        drop(installed);
        self.write_depend([("boot", boot), ("start", start), ("stop", stop)])
    }

    fn warn_of_conf(&self) -> Result<()> {
        let Some(insserv) = &self.places.sources.insserv else { return Ok(()) };
        if self.root.facts(Path::new(&insserv.conf))?.is_none() {
            self.messages.warn(format_args!("{} does not exist: no facility is defined in it", insserv.conf));
        }
        Ok(())
    }

    fn make_directories(&self) -> Result<()> {
        let mut plan = Plan::default();
        for (level, path) in &self.places.sources.links {
            if let Err(error) = self.root.directory(Path::new(path)) {
                if !is_missing(&error) {
                    return Err(self.root.about("cannot open", Path::new(path), &error).into());
                }
                self.messages.info(format_args!("creating directory '{}/../rc{level}.d'", self.places.shown));
                plan.steps.push(Step::MakeDir { path: path.clone(), mode: 0o755 });
            }
        }
        self.carry_out(&plan)
    }

    fn remove<'a>(&self, links: impl Iterator<Item = Link<&'a str>> + Clone) -> Result<()> {
        self.apply(links, |link| {
            self.messages.info(format_args!("remove service {}", self.shown(&link)));
            Step::Remove { path: self.path(link), before: Before::Link }
        })
    }

    fn relink(&self, arrangement: &Arrangement<'_>, gone: &[Link]) -> Result<()> {
        self.apply(arrangement.added(), |link| {
            let target = ["../init.d/", link.name].concat();
            self.messages.info(format_args!("enable service {target} -> {}", self.shown(&link)));
            Step::Symlink { path: self.path(link), target, before: Before::Absent }
        })?;
        let gone: BTreeSet<Link<&str>> = gone.iter().map(Link::lent).collect();
        self.remove(arrangement.removed().filter(|link| !gone.contains(link)))
    }

    fn write_depend(&self, texts: [(&str, String); 3]) -> Result<()> {
        let directory = self.places.depend.display().to_string();
        if !self.touch {
            self.messages.info(format_args!(
                "dryrun, not creating depend.boot, depend.start, and depend.stop in {directory}/."
            ));
            return Ok(());
        }
        if let Err(error) = self.root.directory(&self.places.depend) {
            let error = self.root.about("cannot open", &self.places.depend, &error);
            self.messages
                .warn(format_args!("{error}: startpar's files are not written, name another with -i"));
            return Ok(());
        }
        let files = texts.map(|(name, text)| (format!("{directory}/.depend.{name}"), text));
        let existing = survey::existing(&self.root, files.iter().map(|(path, _)| path))?;
        let mut plan = Plan::default();
        for (path, text) in files {
            self.messages.info(format_args!("creating {path}"));
            let before = match existing.get(&path) {
                None => Before::Absent,
                Some(Found::File { text, .. }) => Before::File(checksum(text)),
                Some(Found::Directory | Found::Other) => Before::Link,
            };
            plan.steps.push(Step::Write { path, mode: 0o644, text, before });
        }
        self.carry_out(&plan)
    }

    /// The lines of `-s`: letter, number, runlevels, script.
    fn table(&self, installed: &Installed) -> Result<String> {
        let outline = order::outline(installed, &self.change)?;
        let mut lines = Vec::new();
        let [starts, stops] = outline.greatest;
        for (kind, greatest) in [(Kind::Kill, stops), (Kind::Start, starts)] {
            if greatest == 0 {
                continue;
            }
            for node in &outline.nodes {
                let place = node.place(kind);
                let Some(script) = node.script.as_deref().filter(|_| !place.levels.is_empty()) else {
                    continue;
                };
                lines.push(format!("{}:{:02}:{}:{script}", kind.letter(), place.sequence, place.levels));
            }
        }
        Ok(lines.join("\n"))
    }

    fn carry_out(&self, plan: &Plan) -> Result<()> {
        if !self.touch || plan.is_empty() {
            return Ok(());
        }
        let parents = plan.steps.iter().filter_map(|step| Path::new(step.path()).parent());
        let places: BTreeSet<PathBuf> = parents.map(Path::to_owned).collect();
        apply::run(&self.root, plan, &places, OUTPUT)
    }

    /// Has a step carried out for each link, and holds no more than one: there may be a hundred thousand.
    fn apply<'a>(
        &self,
        links: impl Iterator<Item = Link<&'a str>> + Clone,
        step: impl Fn(Link<&'a str>) -> Step,
    ) -> Result<()> {
        let levels: Runlevels = links.clone().map(|link| link.runlevel).collect();
        if levels.is_empty() {
            return Ok(());
        }
        if !self.touch {
            links.for_each(|link| drop(step(link)));
            return Ok(());
        }
        let places: BTreeSet<PathBuf> = levels.iter().map(|level| self.places.links(level).into()).collect();
        apply::each(&self.root, links.clone().count(), links.map(step), &places, OUTPUT)
    }

    fn path(&self, link: Link<&str>) -> String {
        let directory = self.places.links(link.runlevel);
        // A string takes all that is written to it.
        let mut path = String::with_capacity(directory.len() + "/S00".len() + link.name.len());
        path.push_str(directory);
        let _ = write!(path, "/{link}");
        path
    }

    /// As insserv shows it.
    fn shown<'a>(&'a self, link: &'a Link<&str>) -> Shown<'a> {
        Shown { scripts: &self.places.shown, link }
    }
}

/// A link as insserv shows it; written out only where somebody reads it.
struct Shown<'a> {
    scripts: &'a str,
    link: &'a Link<&'a str>,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level: Runlevel = self.link.runlevel;
        write!(f, "{}/../rc{level}.d/{}", self.scripts, self.link)
    }
}

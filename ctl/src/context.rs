//! What every verb is given: the tree, the layout that was asked for, and how to talk. Made once from the
//! options that all verbs have.

use std::path::Path;

use foobar_initscripts::exit::Action;
use foobar_initscripts::layout::{self, Layout, LayoutError};
use foobar_initscripts::name::ServiceName;

use crate::cli::Global;
use crate::failure::Failure;
use crate::machine;
use crate::output::Output;
use crate::root::{Root, Scope};
use crate::survey;

/// The surroundings of one run.
#[derive(Debug)]
pub struct Context {
    /// The tree we manage.
    pub root: Root,
    /// How to talk.
    pub output: Output,
    /// Tell, and touch nothing.
    pub dry_run: bool,
    layout: Option<&'static Layout>,
}

impl Context {
    /// From the options.
    ///
    /// # Errors
    /// [`Action::Usage`] when `--root` or `--prefix` is no directory, or there is no such layout.
    pub fn new(global: Global) -> anyhow::Result<Context> {
        let (scope, base) = match (&global.root, &global.prefix) {
            (Some(root), _) => (Scope::Offline, root.as_path()),
            (None, Some(prefix)) => (Scope::Prefix, prefix.as_path()),
            (None, None) => (Scope::Machine, Path::new("/")),
        };
        let root = Root::open(scope, base)
            .map_err(|error| Failure::error(Action::Usage, format!("{error}; name an existing directory")))?;
        let layout = global.layout.as_deref().map(layout::by_name).transpose();
        let layout = layout.map_err(|error| Failure::error(Action::Usage, error.to_string()))?;
        let output = Output { format: global.format, quiet: global.quiet, verbose: global.verbose };
        Ok(Context { root, output, dry_run: global.dry_run, layout })
    }

    /// The layout: the one that was asked for, or what the tree looks like. A prefix without any marks
    /// is new and gets the default.
    ///
    /// # Errors
    /// [`Action::NotConfigured`] when the tree is not recognised.
    pub fn layout(&self) -> anyhow::Result<&'static Layout> {
        if let Some(layout) = self.layout {
            return Ok(layout);
        }
        match layout::detect(&survey::clues(&self.root)?) {
            Ok(found) => Ok(found),
            Err(LayoutError::Unrecognised) if self.root.scope() == Scope::Prefix => Ok(layout::DEFAULT),
            Err(error) => {
                Err(Failure::error(Action::NotConfigured, format!("{}: {error}", self.root.base().display())))
            }
        }
    }

    /// Refuses to explain numbers where there are none.
    ///
    /// # Errors
    /// [`Action::Unimplemented`], with who knows the order instead.
    pub fn must_have_numbers(layout: &Layout, verb: &str) -> anyhow::Result<()> {
        if layout.has_numbers() {
            return Ok(());
        }
        let why = "services have no numbers, and depend() of their scripts orders them";
        let text =
            format!("{verb} has nothing to show: in the layout {} {why}: ask rc-depend(8)", layout.name);
        Err(Failure::error(Action::Unimplemented, text))
    }

    /// A service name that the user has typed.
    ///
    /// # Errors
    /// [`Action::Usage`], with what is wrong with it.
    pub fn name(text: &str) -> anyhow::Result<ServiceName> {
        ServiceName::parse(text).map_err(|error| Failure::error(Action::Usage, error.to_string()))
    }

    /// Refuses to change this machine's own tree as an ordinary user, before anything is tried.
    ///
    /// # Errors
    /// [`Action::Permission`], with the two ways out.
    pub fn may_change(&self, verb: &str) -> anyhow::Result<()> {
        if self.dry_run || self.root.scope() != Scope::Machine || machine::is_root() {
            return Ok(());
        }
        Err(Failure::error(
            Action::Permission,
            format!(
                "{verb} changes this machine, which only root may do: use sudo, or --prefix DIR for a directory of yours"
            ),
        ))
    }

    /// Refuses to touch processes of a tree that does not run here.
    ///
    /// # Errors
    /// [`Action::Usage`].
    pub fn must_be_live(&self, verb: &str) -> anyhow::Result<()> {
        if self.root.is_live() {
            return Ok(());
        }
        Err(Failure::error(
            Action::Usage,
            format!(
                "{verb} does not go with --root: {} is the tree of another machine, where nothing runs; use \
                 --prefix for a directory of this one",
                self.root.base().display()
            ),
        ))
    }
}

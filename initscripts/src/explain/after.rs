//! A root as it will be when a plan has been carried out.

use crate::installed::{Installed, ScriptFile};
use crate::layout::Layout;
use crate::link::Link;
use crate::step::{Plan, Step};

/// The scripts and links that a plan leaves behind; what else it writes has no part in the order.
#[must_use]
pub fn after(installed: &Installed, layout: &Layout, plan: &Plan) -> Installed {
    let mut changed = installed.clone();
    let script = |path: &str| {
        let name = path.strip_prefix(layout.script_dir)?.strip_prefix('/')?;
        (!name.contains('/') && !name.starts_with('.')).then(|| name.to_owned())
    };
    let link = |path: &str| {
        layout.runlevels.iter().find_map(|level| {
            let directory = layout.runlevel_dir(*level);
            Link::parse(*level, path.strip_prefix(&directory)?.strip_prefix('/')?)
        })
    };
    for step in &plan.steps {
        match step {
            Step::Write { path, text, .. } => {
                if let Some(name) = script(path) {
                    changed.remove_script(&name);
                    changed.add_script(&ScriptFile::regular(&name, text.as_bytes()));
                }
            }
            Step::Symlink { path, target, .. } => {
                if let Some(link) = link(path) {
                    changed.add_link(link.runlevel, &link.to_string(), target);
                }
            }
            Step::Remove { path, .. } => {
                if let Some(name) = script(path) {
                    changed.remove_script(&name);
                } else if let Some(link) = link(path) {
                    changed.remove_link(&link);
                }
            }
            Step::MakeDir { .. } | Step::RemoveDir { .. } => {}
        }
    }
    changed
}

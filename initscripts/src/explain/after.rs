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
        let (name, _) = layout.script_name(name)?;
        (!name.contains('/') && !name.starts_with('.')).then(|| name.to_owned())
    };
    let link = |path: &str| {
        layout.levels().iter().find_map(|level| {
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
                if let Some(link) = link(path) {
                    changed.remove_link(&link);
                    changed.add_link(link.runlevel, &link.to_string(), &layout.target(&link.name));
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
                }
                if let Some(link) = link(path) {
                    changed.remove_link(&link);
                }
            }
            Step::Rename { path, from, .. } => {
                if let Some(old) = link(from) {
                    changed.remove_link(&old);
                }
                if let Some(new) = link(path) {
                    changed.add_link(new.runlevel, &new.to_string(), &layout.target(&new.name));
                }
            }
            Step::MakeDir { .. } | Step::RemoveDir { .. } | Step::Edit { .. } | Step::SetMode { .. } => {}
        }
    }
    changed
}

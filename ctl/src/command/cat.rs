//! `cat`: the service file as it is.

use std::path::Path;

use anyhow::Result;
use foobar_initscripts::exit::Action;
use serde::Serialize;

use crate::cli::ServiceFile;
use crate::context::Context;
use crate::failure::Failure;
use crate::scripts;

/// What `--format json` prints.
#[derive(Debug, Serialize)]
struct Facts<'a> {
    service: &'a str,
    path: String,
    text: &'a str,
}

/// Prints the service file, or the init script that somebody else wrote, below a comment with its path.
///
/// # Errors
/// [`Action::NotInstalled`] when there is neither.
pub fn run(context: &Context, arguments: &ServiceFile) -> Result<Action> {
    let name = Context::name(&arguments.name)?;
    let layout = context.layout()?;
    let root = &context.root;
    let (file, script) = (layout.service_file(name.as_str()), layout.script(name.as_str()));
    let found = match root.read(Path::new(&file))? {
        Some((text, _)) => Some((file.as_str(), text)),
        None if scripts::is_script(root, Path::new(&script))? => {
            root.read(Path::new(&script))?.map(|(text, _)| (script.as_str(), text))
        }
        None => None,
    };
    let outside = |path: &str| root.outside(Path::new(path)).display().to_string();
    let Some((path, bytes)) = found else {
        return Err(Failure::error(
            Action::NotInstalled,
            format!("{name} is not installed: there is neither {} nor {}", outside(&file), outside(&script)),
        ));
    };
    let text = String::from_utf8_lossy(&bytes);
    let facts = Facts { service: name.as_str(), path: outside(path), text: &text };
    context.output.result(format!("# {}\n{}", outside(path), text.trim_end()), &facts)?;
    Ok(Action::Ok)
}

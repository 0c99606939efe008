//! The reference service foobar: its service file and the configuration of its program, as shipped,
//! with the paths of the tree that they go to. Texts only; nothing is written here.

use std::path::{Path, PathBuf};

use foobar_initscripts::exit::Action;
use foobar_initscripts::layout::Layout;
use foobar_initscripts::name::ServiceName;
use foobar_initscripts::plan::Extra;

use crate::failure::Failure;
use crate::root::{Root, Scope};

/// The name of the reference service.
pub const NAME: &str = "foobar";

const SERVICE_FILE: &str = include_str!("../../packaging/foobar.toml");
const CONFIGURATION: &str = include_str!("../../packaging/foobard.toml");

/// Where the shipped texts say that things are.
const PROGRAM: &str = "/usr/sbin/foobard";
const CONFIGURATION_PATH: &str = "/etc/foobard.toml";
const PID_FILE: &str = "/var/run/foobar.pid";
const LOG: &str = "log = \"syslog\"";

/// The texts for one tree.
#[derive(Debug)]
pub struct Reference {
    /// The service file.
    pub service_file: String,
    /// What comes with it: the configuration of foobard.
    pub extras: Vec<Extra>,
}

/// The texts for the service `name`; `None` when we ship none of that name.
///
/// # Errors
/// When a path of the prefix cannot stand in a file.
pub fn texts(root: &Root, layout: &Layout, name: &ServiceName) -> anyhow::Result<Option<Reference>> {
    if name.as_str() != NAME {
        return Ok(None);
    }
    let mut service_file = replaced(SERVICE_FILE, PROGRAM, &program(root))?;
    let mut configuration = CONFIGURATION.to_owned();
    if root.scope() == Scope::Prefix {
        for path in [CONFIGURATION_PATH, PID_FILE] {
            service_file = replaced(&service_file, path, &root.outside(Path::new(path)))?;
        }
        let log = root.outside(Path::new(&log_file(layout)));
        configuration = configuration.replace(LOG, &format!("log = {}", quoted(&log)?));
    }
    let extras = vec![Extra { path: CONFIGURATION_PATH.to_owned(), mode: 0o644, text: configuration }];
    Ok(Some(Reference { service_file, extras }))
}

/// The log that the shipped configuration of the service `name` has written in this tree, if not syslog.
pub fn log(root: &Root, layout: &Layout, name: &ServiceName) -> Option<String> {
    (name.as_str() == NAME && root.scope() == Scope::Prefix).then(|| log_file(layout))
}

fn log_file(layout: &Layout) -> String {
    format!("{}/foobard.log", layout.log_dir)
}

/// Beside foobarctl, where that runs from a place of its own; in /usr/sbin on any other machine.
fn program(root: &Root) -> PathBuf {
    let beside = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join("foobard")));
    match beside {
        Some(beside) if root.is_live() && beside.exists() => beside,
        _ => PathBuf::from(PROGRAM),
    }
}

fn replaced(text: &str, from: &str, to: &Path) -> anyhow::Result<String> {
    Ok(text.replace(&format!("\"{from}\""), &quoted(to)?))
}

/// A path as a TOML basic string.
fn quoted(path: &Path) -> anyhow::Result<String> {
    Ok(format!("\"{}\"", text(path)?.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// A path as text that can stand in service files and scripts.
///
/// # Errors
/// [`Action::Usage`] when it cannot.
pub fn text(path: &Path) -> anyhow::Result<String> {
    let refuse =
        |why| Failure::error(Action::Usage, format!("{path:?} {why}: use a directory with another name"));
    let text = path.to_str().ok_or_else(|| refuse("is not UTF-8, so it cannot stand in a service file"))?;
    if text.chars().any(char::is_control) {
        return Err(refuse("has a control character, so it cannot stand in an init script"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use foobar_initscripts::description;
    use foobar_initscripts::layout::DEFAULT;

    #[test]
    fn the_shipped_texts_name_the_paths_that_are_replaced() {
        for path in [PROGRAM, CONFIGURATION_PATH, PID_FILE] {
            assert!(SERVICE_FILE.contains(&format!("\"{path}\"")), "{path}");
        }
        assert!(CONFIGURATION.contains(LOG));
    }

    #[test]
    fn a_prefix_with_quotes_and_blanks_comes_back_from_the_service_file() {
        let sandbox = foobar_tests::Sandbox::new("reference");
        let odd = sandbox.path().join("a \"b\" $(c) \\d");
        std::fs::create_dir(&odd).unwrap();
        let root = Root::open(Scope::Prefix, &odd).unwrap();
        let name = ServiceName::parse(NAME).unwrap();
        let texts = texts(&root, DEFAULT, &name).unwrap().unwrap();
        let service = description::parse(&name, &texts.service_file, "x").unwrap();
        assert_eq!(service.pid_file, root.outside(Path::new(PID_FILE)).to_str().unwrap());
        assert_eq!(service.arguments[1], root.outside(Path::new(CONFIGURATION_PATH)).to_str().unwrap());
    }
}

//! The service file that `install NAME -- PROGRAM ARGUMENTS` asks for, and the one that `install FILE` names.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use anyhow::Result;
use foobar_initscripts::compose::{Typed, compose};
use foobar_initscripts::exit::Action;
use foobar_initscripts::name::ServiceName;
use foobar_initscripts::seal;

use crate::cli::Install;
use crate::context::Context;
use crate::failure::Failure;
use crate::inspect::live;
use crate::reference;
use crate::root::{Root, Scope};

/// Where programs are looked for when nothing says so, and in the tree of another machine.
const USUAL_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A service to install: its name, and its service file when the command line gives one.
#[derive(Debug)]
pub struct Given {
    /// The name.
    pub name: ServiceName,
    /// The text of the service file; none: the tree has it, or we ship it.
    pub text: Option<String>,
}

/// What the command line says about the service.
///
/// # Errors
/// [`Action::Usage`] for values that cannot be, [`Action::NotInstalled`] for a program that is not there,
/// [`Action::NotConfigured`] for a file that cannot be read.
pub fn given(context: &Context, arguments: &Install) -> Result<Given> {
    let target = arguments.target.as_deref().unwrap_or(reference::NAME);
    if arguments.command.is_empty() {
        return if target.contains('/') || target.ends_with(".toml") {
            from_file(Path::new(target))
        } else {
            Ok(Given { name: Context::name(target)?, text: None })
        };
    }
    let usage = |text: String| Failure::error(Action::Usage, text);
    let Some(name) = arguments.target.as_deref().filter(|name| *name != reference::NAME) else {
        return Err(usage(format!(
            "a program needs a name as a service, and {} is that of the reference service: foobarctl install NAME -- \
             PROGRAM",
            reference::NAME
        )));
    };
    let name = Context::name(name)?;
    let (_, text) = compose(&name, &typed(context, &name, arguments)?)
        .map_err(|error| usage(format!("cannot make a service file of {name}: {error}")))?;
    Ok(Given { name, text: Some(text) })
}

/// A service file that lies somewhere on this machine; it is named after the service.
fn from_file(path: &Path) -> Result<Given> {
    let shown = path.display().to_string().escape_debug().to_string();
    let name = path.file_stem().and_then(OsStr::to_str).unwrap_or_default();
    if path.extension() != Some(OsStr::new("toml")) {
        return Err(Failure::error(
            Action::Usage,
            format!("{shown} is no service file: their names are NAME.toml"),
        ));
    }
    let name = Context::name(name)?;
    let text = fs::read_to_string(path)
        .map_err(|error| Failure::error(Action::NotConfigured, format!("cannot read {shown}: {error}")))?;
    foobar_initscripts::description::parse(&name, &text, &shown)
        .map_err(|error| Failure::error(Action::NotConfigured, error.to_string()))?;
    Ok(Given { name, text: Some(seal::remove(&text)) })
}

/// The keys and values of the service file.
fn typed(context: &Context, name: &ServiceName, arguments: &Install) -> Result<Vec<(String, Typed)>> {
    let mut keys: Vec<(String, Typed)> = Vec::new();
    let [program, rest @ ..] = arguments.command.as_slice() else { return Ok(keys) };
    let program = resolve(&context.root, program)?;
    keys.push(("program".to_owned(), Typed::Text(program)));
    if !rest.is_empty() {
        keys.push(("arguments".to_owned(), Typed::Words(rest.to_vec())));
    }
    let options = &arguments.options;
    let texts = [
        ("description", &options.description),
        ("type", &options.kind),
        ("user", &options.user),
        ("group", &options.group),
        ("working-directory", &options.working_directory),
        ("pid-file", &options.pid_file),
        ("restart", &options.restart),
    ];
    for (key, text) in texts {
        keys.extend(text.clone().map(|text| (key.to_owned(), Typed::Text(text))));
    }
    let lists = [
        ("environment", &options.env),
        ("environment-file", &options.environment_file),
        ("after", &options.after),
        ("requires", &options.requires),
    ];
    for (key, words) in lists.into_iter().filter(|(_, words)| !words.is_empty()) {
        keys.push((key.to_owned(), Typed::Words(words.clone())));
    }
    for text in &options.set {
        let (key, value) = text.split_once('=').ok_or_else(|| {
            Failure::error(Action::Usage, format!("--set {text}: write it as --set KEY=VALUE"))
        })?;
        keys.push((key.trim().to_owned(), Typed::Text(value.to_owned())));
    }
    if let Some(levels) = &arguments.runlevels {
        keys.push(("runlevels".to_owned(), Typed::Text(levels.clone())));
    }
    usual(context, name, &mut keys)?;
    Ok(keys)
}

/// What a service that is installed by one line has unless the line says otherwise: it is started again when it ends, and
/// below a prefix its PID file is there.
fn usual(context: &Context, name: &ServiceName, keys: &mut Vec<(String, Typed)>) -> Result<()> {
    let value = |keys: &[(String, Typed)], name: &str| {
        keys.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    };
    let kind = value(keys, "type");
    let is = |word: &str| kind == Some(Typed::Text(word.to_owned()));
    if !is("oneshot") && !is("forking") && value(keys, "restart").is_none() {
        keys.push(("restart".to_owned(), Typed::Text("always".to_owned())));
    }
    let words = value(keys, "arguments");
    let has_dollar =
        matches!(&words, Some(Typed::Words(words)) if words.iter().any(|word| word.contains('$')));
    // Whoever typed it has a shell, which has left this one alone: so it is meant as it is.
    if has_dollar && value(keys, "expand-arguments").is_none() {
        keys.push(("expand-arguments".to_owned(), Typed::Text("false".to_owned())));
    }
    if context.root.scope() == Scope::Prefix {
        for (key, file) in
            [("pid-file", format!("{name}.pid")), ("supervisor-pid-file", format!("{name}.supervisor.pid"))]
        {
            let wanted = key == "pid-file" || is("forking");
            if wanted && value(keys, key).is_none() {
                let path = context.root.outside(&Path::new("/var/run").join(file));
                keys.push((key.to_owned(), Typed::Text(reference::text(&path)?)));
            }
        }
    }
    Ok(())
}

/// The program as an absolute path: with a `/` in it as it is named, else the first of its name on the path.
fn resolve(root: &Root, program: &str) -> Result<String> {
    let refuse = |text: String| Err(Failure::error(Action::NotInstalled, text));
    if program.chars().any(char::is_control) {
        return refuse(format!("there is no program {program:?}: its name has control characters"));
    }
    if !program.contains('/') {
        let own = std::env::var("PATH").ok().filter(|_| root.is_live());
        let path = own.unwrap_or_else(|| USUAL_PATH.to_owned());
        let mut places = path.split(':').filter(|place| place.starts_with('/'));
        let found = places.find_map(|place| {
            let candidate = format!("{}/{program}", place.trim_end_matches('/'));
            live::has_program(root, &candidate).then_some(candidate)
        });
        return match found {
            Some(found) => Ok(found),
            None => refuse(format!(
                "there is no program {program} in {path}: install it, or write its whole path"
            )),
        };
    }
    if !root.is_live() && !program.starts_with('/') {
        return Err(Failure::error(
            Action::Usage,
            format!(
                "{program} is relative, which means nothing in another machine's tree: write its whole path"
            ),
        ));
    }
    let absolute = if program.starts_with('/') {
        program.to_owned()
    } else {
        reference::text(&std::path::absolute(program)?)?
    };
    if live::has_program(root, &absolute) {
        return Ok(absolute);
    }
    let shown =
        if root.scope() == Scope::Offline { root.outside(Path::new(&absolute)) } else { absolute.into() };
    if shown.is_file() {
        return refuse(format!(
            "{0} cannot be executed: chmod +x {0}, or name its interpreter first",
            shown.display()
        ));
    }
    refuse(format!("there is no program {}: install it first", shown.display()))
}

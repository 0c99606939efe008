//! `edit`: changes the service file with an editor. What comes of it is read first, and takes the place of the old one only
//! when there is no fault in it.

use std::ffi::OsString;
use std::fs::{self, DirBuilder};
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use foobar_initscripts::description;
use foobar_initscripts::exit::Action;
use foobar_initscripts::name::ServiceName;
use foobar_initscripts::plan::Plan;
use foobar_initscripts::script::header;
use foobar_initscripts::service::Service;
use foobar_initscripts::step::{Before, Step, checksum};
use foobar_initscripts::{check, seal};

use crate::cli::ServiceFile;
use crate::command::change::{self, Change};
use crate::context::Context;
use crate::failure::Failure;
use crate::lock::TreeLock;

/// Edits.
///
/// # Errors
/// [`Action::NotInstalled`] without a service file; [`Action::NotConfigured`] for a fault in what was written, which is kept
/// and named; those of the editor.
pub fn run(context: &Context, arguments: &ServiceFile) -> Result<Action> {
    let name = Context::name(&arguments.name)?;
    context.may_change("edit")?;
    let layout = context.layout()?;
    let path = layout.service_file(name.as_str());
    let shown = context.root.outside(Path::new(&path)).display().to_string();
    let Some((old, facts)) = context.root.read(Path::new(&path))? else {
        return Err(Failure::error(
            Action::NotInstalled,
            format!("there is no service file {shown}: foobarctl install {name} -- PROGRAM makes one"),
        ));
    };
    let copy = Copy::new(&name, &seal::remove(&String::from_utf8_lossy(&old)))?;
    let (text, service) = edited(&name, copy)?;
    let mut plan = Plan::default();
    if text != seal::remove(&String::from_utf8_lossy(&old)) {
        let before = Before::File(checksum(&old));
        plan.steps.push(Step::Write { path: path.clone(), mode: facts.mode & 0o777, text, before });
    }
    let _lock = if context.dry_run { None } else { Some(TreeLock::acquire(&context.root)?) };
    let change = Change {
        verb: "edit",
        name: &name,
        done: format!("wrote {shown}{}", remains(&name, &shown, &old, &service)),
        idle: format!("{shown} is unchanged"),
    };
    change::carry_out(context, layout, &change, &plan)
}

/// What is to be done for the change to have its effect.
fn remains(name: &ServiceName, shown: &str, old: &[u8], new: &Service) -> String {
    let old = check::service::read(name, shown, old);
    let is_other =
        old.map_or(true, |old| header(&old) != header(new) || old.is_supervised() != new.is_supervised());
    let install = if is_other {
        format!("foobarctl install {name} brings it into the init script, ")
    } else {
        String::new()
    };
    format!("; {install}foobarctl restart {name} brings it into effect")
}

/// The text that the editor leaves, and what it says. On a terminal there is another try for one with a fault.
fn edited(name: &ServiceName, copy: Copy) -> Result<(String, Service)> {
    loop {
        edit(&copy.file)?;
        let text = fs::read_to_string(&copy.file)
            .with_context(|| format!("cannot read {} again", copy.file.display()))?;
        match description::parse(name, &text, &copy.file.display().to_string()) {
            Ok(service) => {
                copy.remove();
                return Ok((text, service));
            }
            Err(error) if again(&error.to_string())? => {}
            Err(error) => {
                return Err(Failure::error(
                    Action::NotConfigured,
                    format!("{error}; the service file is what it was, and what you wrote is kept"),
                ));
            }
        }
    }
}

/// Whether the user wants to go on.
fn again(fault: &str) -> Result<bool> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(false);
    }
    write!(io::stderr(), "{fault}\nedit again? [Y/n] ")?;
    let mut answer = String::new();
    let count = io::stdin().lock().read_line(&mut answer)?;
    Ok(count > 0 && !answer.trim().eq_ignore_ascii_case("n"))
}

/// A copy that nobody else can read or write.
struct Copy {
    directory: PathBuf,
    file: PathBuf,
}

impl Copy {
    /// In a new directory; its name in it is that of the service file, by which editors know what it is.
    fn new(name: &ServiceName, text: &str) -> Result<Copy> {
        let place = std::env::temp_dir();
        for number in 0..100 {
            let directory = place.join(format!("foobarctl-edit-{}-{number}", std::process::id()));
            match DirBuilder::new().mode(0o700).create(&directory) {
                Ok(()) => {
                    let file = directory.join(format!("{name}.toml"));
                    fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
                    return Ok(Copy { directory, file });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    return Err(error).with_context(|| format!("cannot make {}", directory.display()));
                }
            }
        }
        Err(Failure::error(
            Action::Error,
            format!("cannot make a directory in {}: too many foobarctl-edit-* are there", place.display()),
        ))
    }

    /// Takes the copy away, with what the editor may have left beside it.
    fn remove(self) {
        // What cannot be removed is of no use to anybody, and readable by nobody else.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Runs the editor. As with other programs the variables hold a command, which may have options.
fn edit(file: &Path) -> Result<()> {
    let named = |name| std::env::var_os(name).filter(|text| !text.is_empty());
    let mut line = named("VISUAL").or_else(|| named("EDITOR")).unwrap_or_else(|| OsString::from("vi"));
    let shown = line.to_string_lossy().into_owned();
    line.push(" \"$1\"");
    let status = Command::new("/bin/sh").arg("-c").arg(line).arg("sh").arg(file).status();
    let status = status.context("cannot run the editor through /bin/sh")?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::error(
        Action::Error,
        format!(
            "the editor {shown:?} ended with {status}, so the service file is what it was; your copy is {}; \
             set VISUAL or EDITOR for another one",
            file.display()
        ),
    ))
}

//! A service as an init script: the template of the layout with the LSB header and the values filled in.
//! The shell code is in `templates/`; here only values become text.

use crate::exit::{Action, Status};
use crate::layout::Layout;
use crate::layout::facts::Dialect;
use crate::lsb::{self, chkconfig};
use crate::material::path;
pub use crate::material::{Caller, ScriptError, Style, header};
use crate::name::Runlevels;
use crate::openrc;
use crate::seal;
use crate::service::Service;
use crate::shell;

/// The init script, sealed (see [`seal`]).
///
/// # Errors
/// [`ScriptError`] when a path or an argument cannot stand in a script.
pub fn render(
    service: &Service,
    layout: &Layout,
    style: Style,
    caller: &Caller,
) -> Result<String, ScriptError> {
    let text = match style {
        Style::Thin if layout.dialect == Dialect::OpenRc => openrc::thin(service, layout, caller)?,
        Style::Thin => thin(service, layout, caller)?,
        Style::Standalone if service.is_supervised() => {
            return Err(ScriptError::Supervised(service.name.to_string()));
        }
        Style::Standalone if layout.dialect == Dialect::OpenRc => openrc::standalone(service, layout)?,
        Style::Standalone => standalone(service, layout, caller)?,
    };
    Ok(seal::add(&text))
}

fn thin(service: &Service, layout: &Layout, caller: &Caller) -> Result<String, ScriptError> {
    let options = match &caller.prefix {
        Some(prefix) => format!("--prefix {} ", path(prefix)?),
        None => String::new(),
    };
    let foobarctl = path(&caller.foobarctl)?;
    let (header, status, actions) = (block(service, layout), status_codes(), action_codes());
    let not_installed = Action::NotInstalled.code().to_string();
    let values = [
        ("HEADER", header.as_str()),
        ("NAME", service.name.as_str()),
        ("STATUS_CODES", &status),
        ("ACTION_CODES", &actions),
        ("FOOBARCTL", &foobarctl),
        ("OPTIONS", &options),
        ("USAGE", &Action::Usage.code().to_string()),
        ("UNKNOWN", &Status::Unknown.code().to_string()),
        ("NOT_INSTALLED", &not_installed),
    ];
    Ok(shell::fill(layout.thin, &values)?)
}

fn standalone(service: &Service, layout: &Layout, caller: &Caller) -> Result<String, ScriptError> {
    let mut arguments = String::new();
    for argument in &service.arguments {
        arguments.push(' ');
        arguments.push_str(&shell::quote(argument)?);
    }
    let reload = service.reload_signal.map_or("", |signal| signal.name());
    let action = |action: Action| action.code().to_string();
    let status = |status: Status| status.code().to_string();
    // Of templates/lock.sh, where the layout has lock files.
    let call = |line: &str| layout.lock_dir.map_or_else(String::new, |_| format!("\n{line}"));
    let values = [
        ("HEADER", block(service, layout)),
        ("NAME", service.name.to_string()),
        (
            "SELF",
            if layout.dialect == Dialect::Buildroot {
                "$DAEMON".to_owned()
            } else {
                service.name.to_string()
            },
        ),
        ("STATUS_CODES", status_codes()),
        ("ACTION_CODES", action_codes()),
        ("DAEMON", daemon(service, layout)),
        ("PROGRAM", path(&service.program)?),
        ("ARGUMENTS", arguments),
        ("PID_FILE", pid_file(service, layout)?),
        ("START_TIMEOUT", service.start_timeout.as_secs().to_string()),
        ("STOP_TIMEOUT", service.stop_timeout.as_secs().to_string()),
        ("STOP_SIGNAL", service.stop_signal.name().to_owned()),
        ("RELOAD_SIGNAL", reload.to_owned()),
        ("LOCK", lock(service, layout, caller)?),
        ("REMEMBER", call("\tremember")),
        ("REMEMBER_TOO", call("\t\tremember")),
        ("FORGET", call("\tforget")),
        ("FORGET_TOO", call("\t\tforget")),
        ("FORGOTTEN", call(&format!("\tforgotten \"$state\" && return {}", status(Status::DeadLockFile)))),
        ("RUNNING", status(Status::Running)),
        ("DEAD", status(Status::DeadPidFile)),
        ("STOPPED", status(Status::NotRunning)),
        ("UNKNOWN", status(Status::Unknown)),
        ("OK", action(Action::Ok)),
        ("ERROR", action(Action::Error)),
        ("USAGE", action(Action::Usage)),
        ("UNIMPLEMENTED", action(Action::Unimplemented)),
        ("PERMISSION", action(Action::Permission)),
        ("NOT_INSTALLED", action(Action::NotInstalled)),
        ("NOT_CONFIGURED", action(Action::NotConfigured)),
        ("NOT_RUNNING", action(Action::NotRunning)),
    ];
    let values: Vec<(&str, &str)> = values.iter().map(|(slot, value)| (*slot, value.as_str())).collect();
    Ok(shell::fill(layout.standalone, &values)?)
}

/// The header without its last newline, which the template has.
fn block(service: &Service, layout: &Layout) -> String {
    let header = header(service);
    let mut text = lsb::render(&header).trim_end().to_owned();
    if layout.dialect == Dialect::Suse {
        let letter = |line: &str| match line.strip_prefix("# Default-Start:") {
            Some(levels) => format!("# Default-Start:{}", levels.replace('S', "B")),
            None => line.to_owned(),
        };
        text = text.lines().map(letter).collect::<Vec<_>>().join("\n");
    }
    if let Dialect::Chkconfig(usual) = layout.dialect {
        let line = chkconfig::Line { levels: header.default_start.without(Runlevels::BOOT), usual };
        let description = &header.short_description;
        text.push_str(&format!("\n#\n# chkconfig: {line}\n# description: {description}\n#"));
    }
    text
}

/// The variables by which Buildroot's rules know a script.
fn daemon(service: &Service, layout: &Layout) -> String {
    if layout.dialect != Dialect::Buildroot {
        return String::new();
    }
    let name = &service.name;
    let mut text = format!("DAEMON=\"{name}\"\n");
    if has_usual_pid_file(service) {
        text.push_str("PIDFILE=\"/var/run/$DAEMON.pid\"\n");
    }
    text
}

fn pid_file(service: &Service, layout: &Layout) -> Result<String, ScriptError> {
    if layout.dialect == Dialect::Buildroot && has_usual_pid_file(service) {
        return Ok("$PIDFILE".to_owned());
    }
    path(&service.pid_file)
}

fn has_usual_pid_file(service: &Service) -> bool {
    service.pid_file == format!("/var/run/{}.pid", service.name)
}

/// Where rc stops only what has a lock file, the functions that keep it.
fn lock(service: &Service, layout: &Layout, caller: &Caller) -> Result<String, ScriptError> {
    let Some(directory) = layout.lock_dir else { return Ok(String::new()) };
    let prefix = caller.prefix.as_deref().unwrap_or_default();
    let file = path(&format!("{prefix}{directory}/{}", service.name))?;
    let stopped = Status::NotRunning.code().to_string();
    Ok(shell::fill(include_str!("../templates/lock.sh"), &[("LOCK_FILE", &file), ("STOPPED", &stopped)])?)
}

fn status_codes() -> String {
    comment(Status::ALL.map(|status| (status.code(), status.words())))
}

fn action_codes() -> String {
    comment(Action::ALL.map(|action| (action.code(), action.words())))
}

fn comment<const N: usize>(codes: [(u8, &str); N]) -> String {
    codes.map(|(code, words)| format!("#   {code}  {words}")).join("\n")
}

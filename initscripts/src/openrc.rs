//! A service as a script for openrc-run(8): depend() from the facilities of the service, and the values of the two
//! templates. The shell code is in `templates/`.

use std::collections::BTreeMap;

use crate::exit::Action;
use crate::layout::Layout;
use crate::layout::facts::OpenRc;
use crate::lsb;
use crate::material::{self, Caller, ScriptError, Style};
use crate::name::Runlevels;
use crate::seal;
use crate::service::Service;
use crate::shell;

/// What OpenRC knows the facilities of LSB by. They are used and not needed: a need for what nobody provides keeps a
/// service from starting, and Debian has no localmount.
const FACILITIES: [(&str, &[&str]); 9] = [
    ("$local_fs", &["localmount"]),
    ("$remote_fs", &["localmount", "netmount"]),
    ("$network", &["net"]),
    ("$named", &["dns"]),
    ("$syslog", &["logger"]),
    ("$portmap", &["rpcbind"]),
    ("$time", &["clock"]),
    ("$mail-transport-agent", &["mta"]),
    ("$x-display-manager", &["xdm"]),
];

/// Where services go that say nothing else.
pub const DEFAULT: &str = "default";

/// What stands before the runlevel in a script of ours.
const LEVEL_LINE: &str = "# Runlevel: ";

/// The runlevel of OpenRC that stands for the numbers: what is started in S belongs to boot.
#[must_use]
pub fn level(levels: Runlevels) -> Option<&'static str> {
    let usual = Runlevels::parse("2345").unwrap_or_default();
    match () {
        () if levels.meets(usual) => Some(DEFAULT),
        () if levels.meets(Runlevels::BOOT) => Some("boot"),
        () if !levels.is_empty() => Some("single"),
        () => None,
    }
}

/// The runlevel that a script of ours is for.
#[must_use]
pub fn level_of(script: &[u8]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(script);
    let name = text.lines().find_map(|line| line.strip_prefix(LEVEL_LINE))?.trim().to_owned();
    [DEFAULT, "boot", "single"].into_iter().find(|level| *level == name)
}

/// The keywords of depend(), in the order in which they are written.
const KEYWORDS: [&str; 5] = ["provide", "need", "use", "after", "before"];

/// The body of depend(): a line for each keyword that has names.
#[must_use]
pub fn depend(header: &lsb::Header) -> String {
    let mut found: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut add = |keyword: &'static str, name: &str| {
        let names = found.entry(keyword).or_default();
        if !names.iter().any(|there| there == name) {
            names.push(name.to_owned());
        }
    };
    header
        .provides
        .iter()
        .skip(1)
        .filter(|name| !name.starts_with('$'))
        .for_each(|name| add("provide", name));
    let lists = [
        (&header.required_start, "need"),
        (&header.should_start, "use"),
        // OpenRC stops in the reverse order of starts, so what is to stop later starts before.
        (&header.required_stop, "after"),
        (&header.should_stop, "after"),
        (&header.start_before, "before"),
        (&header.stop_after, "before"),
    ];
    for (names, keyword) in lists {
        for name in names {
            let optional = name.strip_prefix('+');
            let plain = optional.unwrap_or(name);
            match FACILITIES.iter().find(|(facility, _)| *facility == plain) {
                Some((_, means)) if keyword == "need" || keyword == "use" => {
                    means.iter().for_each(|name| add("use", name));
                }
                Some((_, means)) => means.iter().for_each(|name| add(keyword, name)),
                None if plain == "$all" => add(if keyword == "before" { "before" } else { "after" }, "*"),
                None if plain.starts_with('$') => {}
                None if optional.is_some() && keyword == "need" => add("use", plain),
                None => add(keyword, plain),
            }
        }
    }
    // What is needed or used is started after anyway.
    let known: Vec<String> =
        ["need", "use"].iter().filter_map(|word| found.get(word)).flatten().cloned().collect();
    if let Some(after) = found.get_mut("after") {
        after.retain(|name| !known.contains(name));
    }
    let needed = found.get("need").cloned().unwrap_or_default();
    if let Some(used) = found.get_mut("use") {
        used.retain(|name| !needed.contains(name));
    }
    let line = |keyword: &&str| {
        let names = found.get(keyword).filter(|names| !names.is_empty())?;
        Some(format!("\t{keyword} {}", names.join(" ")))
    };
    let lines: Vec<String> = KEYWORDS.iter().filter_map(line).collect();
    if lines.is_empty() { "\t:".to_owned() } else { lines.join("\n") }
}

/// The values that both templates have.
fn common(service: &Service) -> Result<Vec<(&'static str, String)>, ScriptError> {
    let header = material::header(service);
    // A glob in depend() is OpenRC's, which does not want it to be quoted; the shell would expand it.
    let depend = depend(&header).replace(" *", " \"*\"");
    Ok(vec![
        ("LEVEL", level(service.runlevels).unwrap_or("none").to_owned()),
        ("NAME", service.name.to_string()),
        ("DESCRIPTION", shell::quote(&service.description)?),
        ("DEPEND", depend),
    ])
}

/// The script that calls foobarctl.
///
/// # Errors
/// [`ScriptError`] when a value cannot stand in it.
pub(crate) fn thin(service: &Service, layout: &Layout, caller: &Caller) -> Result<String, ScriptError> {
    let options = match &caller.prefix {
        Some(prefix) => format!("--prefix {} ", material::path(prefix)?),
        None => String::new(),
    };
    let mut values = common(service)?;
    values.push(("FOOBARCTL", material::path(&caller.foobarctl)?));
    values.push(("OPTIONS", options));
    values.push(("NOT_INSTALLED", Action::NotInstalled.code().to_string()));
    fill(layout.thin, &values)
}

/// The script that needs no foobarctl.
///
/// # Errors
/// [`ScriptError`] when a value cannot stand in it.
pub(crate) fn standalone(service: &Service, layout: &Layout) -> Result<String, ScriptError> {
    let reload = service.reload_signal.map_or("", |signal| signal.name());
    let mut values = common(service)?;
    values.extend([
        ("PROGRAM", material::path(&service.program)?),
        ("PID_FILE", material::path(&service.pid_file)?),
        ("DEFAULTS", layout.defaults_file(service.name.as_str())),
        ("COMMAND_ARGS", shell::quote(&command_args(service)?)?),
        ("RETRY", retry(service)),
        ("RELOAD_SIGNAL", reload.to_owned()),
        ("UNIMPLEMENTED", Action::Unimplemented.code().to_string()),
    ]);
    fill(layout.standalone, &values)
}

/// The file of settings that the script of a service has read before it, with nothing set.
///
/// # Errors
/// [`ScriptError`] when a value cannot stand in it.
pub(crate) fn settings(service: &Service, openrc: OpenRc, style: Style) -> Result<String, ScriptError> {
    let name = ("NAME", service.name.to_string());
    let text = match style {
        Style::Thin => fill(openrc.settings, &[name])?,
        Style::Standalone => {
            let arguments = command_args(service)?;
            // A second line would be no comment any more.
            let shown = if arguments.contains(char::is_control) { String::new() } else { arguments };
            let values = [name, ("COMMAND_ARGS", shell::quote(&shown)?), ("RETRY", retry(service))];
            fill(openrc.standalone_settings, &values)?
        }
    };
    Ok(seal::add(&text))
}

/// The arguments as a shell reads them.
fn command_args(service: &Service) -> Result<String, ScriptError> {
    let words = service.arguments.iter().map(|argument| shell::quote(argument));
    Ok(words.collect::<Result<Vec<String>, _>>()?.join(" "))
}

/// How start-stop-daemon is to stop the program.
fn retry(service: &Service) -> String {
    format!("{}/{}/KILL/2", service.stop_signal.name(), service.stop_timeout.as_secs())
}

fn fill(template: &str, values: &[(&'static str, String)]) -> Result<String, ScriptError> {
    let values: Vec<(&str, &str)> = values.iter().map(|(slot, value)| (*slot, value.as_str())).collect();
    Ok(shell::fill(template, &values)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facilities_become_what_openrc_calls_them() {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let header = lsb::Header {
            provides: words("a b $c"),
            required_start: words("$remote_fs $syslog $network db +cache"),
            required_stop: words("$remote_fs $syslog db late"),
            should_start: words("$named soft $odd"),
            start_before: words("web"),
            stop_after: words("web zope"),
            ..lsb::Header::default()
        };
        let wanted = "\tprovide b\n\tneed db\n\tuse localmount netmount logger net cache dns soft\n\tafter late\n\tbefore web zope";
        assert_eq!(depend(&header), wanted);
        assert_eq!(depend(&lsb::Header::default()), "\t:");
        let all = lsb::Header { should_start: words("$all"), ..lsb::Header::default() };
        assert_eq!(depend(&all), "\tafter *");
    }
}

//! What the keys of a service file say against the machine that they are for: accounts, programs, directories; and keys
//! that say nothing. What is there is asked of [`Facts`].

use super::finding::{Finding, Report};
use super::rules::service as rules;
use crate::execute::{Ignored, parse_environment};
use crate::service::{Command, IoClass, Kind, Output, Probe, Service, When};

/// What is asked of the machine, or of the tree of one. Paths are as the service file has them.
pub trait Facts {
    /// Whether the account of this name is there; none: the accounts cannot be read.
    fn has_account(&self, name: &str) -> Option<bool>;
    /// Whether the group of this name is there; none: the groups cannot be read.
    fn has_group(&self, name: &str) -> Option<bool>;
    /// Whether a regular file that can be executed is there.
    fn has_program(&self, path: &str) -> bool;
    /// Whether a directory is there.
    fn has_directory(&self, path: &str) -> bool;
    /// What a file holds; none: it is not there, or cannot be read.
    fn text(&self, path: &str) -> Option<Vec<u8>>;
    /// Whether others than root, or us, can write the directory; one that is not there nobody can.
    fn is_exposed(&self, directory: &str) -> bool;
}

/// What is wrong with a service whose file could be read. `text` is that file, `file` its name for the findings.
pub fn check(service: &Service, file: &str, text: &str, facts: &impl Facts) -> Vec<Finding> {
    let mut about = About { report: Report::new(service.name.as_str(), file), keys: keys(text) };
    accounts(service, facts, &mut about);
    if service.execution.root_directory.is_none() {
        // Below another root they are looked for when it is the root.
        commands(service, facts, &mut about);
        directories(service, facts, &mut about);
    }
    places(service, facts, &mut about);
    unused(service, &mut about);
    about.report.found
}

struct About<'a> {
    report: Report<'a>,
    /// Keys of the file, with their lines.
    keys: Vec<(&'a str, u32)>,
}

impl About<'_> {
    fn line(&self, key: &str) -> Option<u32> {
        self.keys.iter().find(|(known, _)| *known == key).map(|(_, line)| *line)
    }

    fn say(&mut self, rule: &'static super::finding::Rule, key: &str, message: impl Into<String>) {
        self.report.add(rule, self.line(key).unwrap_or(1), message);
    }
}

/// The keys before the first table. Each begins a line, or the text would not have been read.
fn keys(text: &str) -> Vec<(&str, u32)> {
    (1..)
        .zip(text.lines())
        .take_while(|(_, line)| !line.trim_start().starts_with("[["))
        .filter_map(|(number, line)| Some((line.split_once('=')?.0.trim().trim_matches('"'), number)))
        .collect()
}

fn accounts(service: &Service, facts: &impl Facts, about: &mut About<'_>) {
    let is_number = |name: &str| name.chars().all(|c| c.is_ascii_digit());
    let execution = &service.execution;
    let users = execution.user.iter().map(|name| ("user", name));
    let sockets = || service.sockets.iter();
    let users = users.chain(sockets().filter_map(|socket| Some(("socket", socket.user.as_ref()?))));
    for (key, name) in users.filter(|(_, name)| !is_number(name)) {
        if facts.has_account(name) == Some(false) {
            about.say(&rules::SERVICE_ACCOUNT_UNKNOWN, key, format!("{key}: there is no account {name}"));
        }
    }
    let groups = execution.group.iter().map(|name| ("group", name));
    let more = execution.supplementary_groups.iter().map(|name| ("supplementary-groups", name));
    let groups = groups.chain(more);
    let groups = groups.chain(sockets().filter_map(|socket| Some(("socket", socket.group.as_ref()?))));
    for (key, name) in groups.filter(|(_, name)| !is_number(name)) {
        if facts.has_group(name) == Some(false) {
            about.say(&rules::SERVICE_ACCOUNT_UNKNOWN, key, format!("{key}: there is no group {name}"));
        }
    }
}

fn commands(service: &Service, facts: &impl Facts, about: &mut About<'_>) {
    let probe = |key, probe: &'_ Option<Probe>| match probe {
        Some(Probe::Command(command)) => vec![(key, command.clone())],
        _ => Vec::new(),
    };
    let lists = [
        ("start-pre", &service.commands.start_pre),
        ("start-post", &service.commands.start_post),
        ("reload-command", &service.commands.reload),
        ("stop-command", &service.commands.stop),
        ("stop-post", &service.commands.stop_post),
    ];
    let beside =
        lists.into_iter().flat_map(|(key, list)| list.iter().map(move |command| (key, command.clone())));
    let all: Vec<(&str, Command)> = beside
        .chain(probe("ready-command", &service.readiness.probe))
        .chain(probe("health-command", &service.health.probe))
        .collect();
    for (key, command) in all {
        if !command.ignore_failure && !facts.has_program(&command.program) {
            let message = format!("{key}: {} is no file that can be executed", command.program);
            about.say(&rules::SERVICE_COMMAND_ABSENT, key, message);
        }
    }
}

fn directories(service: &Service, facts: &impl Facts, about: &mut About<'_>) {
    let Some(directory) = &service.execution.working_directory else { return };
    let Some(path) = directory.path.as_deref().filter(|_| !directory.optional) else { return };
    // One that is made for the service at its start need not be there before.
    let made = &service.execution.directories;
    let is_made = [
        ("/run", &made.runtime),
        ("/var/lib", &made.state),
        ("/var/cache", &made.cache),
        ("/var/log", &made.logs),
    ]
    .iter()
    .any(|(above, sort)| sort.names.iter().any(|name| path == format!("{above}/{name}")));
    if !is_made && !facts.has_directory(path) {
        let message = format!("working-directory: there is no directory {path}");
        about.say(&rules::SERVICE_DIRECTORY_ABSENT, "working-directory", message);
    }
}

fn places(service: &Service, facts: &impl Facts, about: &mut About<'_>) {
    if let Some(path) = &service.execution.root_directory {
        if !facts.has_directory(path) {
            let message = format!("root-directory: there is no directory {path}");
            about.say(&rules::SERVICE_DIRECTORY_ABSENT, "root-directory", message);
        }
    }
    environment_files(service, facts, about);
    let pid_file = service.controlling_pid_file();
    let directory = pid_file.rsplit_once('/').map_or("/", |(directory, _)| directory);
    if facts.is_exposed(if directory.is_empty() { "/" } else { directory }) {
        let is_program = pid_file == service.pid_file;
        let key = if is_program { "pid-file" } else { "supervisor-pid-file" };
        let message = format!("{key}: others than root can write {directory}");
        about.say(&rules::SERVICE_PID_FILE_EXPOSED, key, message);
    }
}

fn environment_files(service: &Service, facts: &impl Facts, about: &mut About<'_>) {
    for file in &service.execution.environment_files {
        let Some(text) = facts.text(&file.path) else {
            if !file.optional {
                let message = format!("environment-file: there is no file {} that can be read", file.path);
                about.say(&rules::SERVICE_ENVIRONMENT_ABSENT, "environment-file", message);
            }
            continue;
        };
        for Ignored { line, why } in parse_environment(&text).1 {
            let line = u32::try_from(line).unwrap_or(u32::MAX);
            let rule = &rules::SERVICE_ENVIRONMENT_IGNORED;
            let subject = about.report.subject;
            about.report.found.push(Finding::new(rule, subject, &file.path, line, why));
        }
    }
}

/// Keys that are given and mean nothing beside the others, and what is missing.
fn unused(service: &Service, about: &mut About<'_>) {
    let execution = &service.execution;
    let made = &execution.directories;
    let to_file = matches!(service.logging.output, Output::File | Output::Both);
    let to_syslog = matches!(service.logging.output, Output::Syslog | Output::Both);
    let restarts = service.restart.when != When::No || !service.restart.force.is_empty();
    let is_page = |probe: &Option<Probe>| matches!(probe, Some(Probe::Http(_)));
    let is_watched = service.watchdog.interval.is_some() || service.health.probe.is_some();
    let is_supervised = service.is_supervised();
    let no_priority = matches!(execution.io_class, Some(IoClass::Idle | IoClass::None));
    let rows: [(&[&str], bool, &str); 17] = [
        (&["log-file", "log-max-size", "log-max-age", "log-keep"], to_file, "log-output is not file or both"),
        (&["log-facility", "log-ident"], to_syslog, "log-output is not syslog or both"),
        (
            &[
                "restart-delay",
                "restart-max-delay",
                "restart-steps",
                "start-limit-interval",
                "start-limit-burst",
                "restart-prevent-exit-status",
            ],
            restarts,
            "restart is no",
        ),
        (&["ready-http-status"], is_page(&service.readiness.probe), "there is no ready-http"),
        (&["ready-interval"], service.readiness.probe.is_some(), "there is no probe"),
        (&["ready-fd"], service.kind == Kind::Fd, "the type is not fd"),
        (&["health-http-status"], is_page(&service.health.probe), "there is no health-http"),
        (
            &["health-interval", "health-timeout", "health-failures"],
            service.health.probe.is_some(),
            "there is no probe of health",
        ),
        (&["watchdog-signal"], is_watched, "there is neither watchdog nor probe of health"),
        (&["remain-after-exit"], service.kind == Kind::Oneshot, "the type is not oneshot"),
        (
            &["supervisor-pid-file"],
            service.kind == Kind::Forking && is_supervised,
            "it is for a forking program with a supervisor",
        ),
        (&["expand-arguments"], is_supervised, "there is no supervisor"),
        (&["io-priority"], !no_priority, "the io-class has no priorities"),
        (
            &["runtime-directory-mode", "runtime-directory-preserve"],
            !made.runtime.names.is_empty(),
            "there is no runtime-directory",
        ),
        (&["state-directory-mode"], !made.state.names.is_empty(), "there is no state-directory"),
        (&["cache-directory-mode"], !made.cache.names.is_empty(), "there is no cache-directory"),
        (&["logs-directory-mode"], !made.logs.names.is_empty(), "there is no logs-directory"),
    ];
    for (keys, has_effect, why) in rows {
        for key in keys.iter().filter(|_| !has_effect) {
            if about.line(key).is_some() {
                about.say(&rules::SERVICE_KEY_UNUSED, key, format!("{key} has no effect: {why}"));
            }
        }
    }
}

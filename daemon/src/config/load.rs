//! From a path to a [`Config`]: opening with care, parsing, and every fault with its place.

use std::borrow::Cow;
use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::{ConfigError, Fault};
use super::keys::{KEYS, Key, Setter};
use super::nearest::nearest;
use super::place::place;
use super::rules;
use super::settings::Settings;
use super::value::{Config, Server};
use crate::address::Address;
use crate::exit::Exit;

/// No sane configuration is longer, and a daemon must not read /dev/zero to its end.
const MOST_BYTES: u64 = 1 << 20;

/// Whose configuration files are believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Started by root: the file must be root's, and nobody else may be able to write it.
    RootOnly,
    /// Started by an ordinary user, who may do to himself what he likes.
    Anyone,
}

/// Where configurations come from: the same for the life of a server.
#[derive(Debug, Clone)]
pub struct Source {
    /// The file, as an absolute path; none: the defaults are all.
    pub file: Option<PathBuf>,
    /// Decided at start: after a drop of privileges the process no longer looks like root's.
    pub trust: Trust,
    /// What counts where the file says nothing. The first of its servers is the model of those in the file.
    pub defaults: Config,
    /// Whether the file may have a table `[settings]`.
    pub settings: bool,
}

/// Reads and checks the file of `source`. The bytes that are checked are those that are used: it is read once.
///
/// # Errors
/// Everything that is wrong with it; exit code 6, or 4 where rights are the matter.
pub fn load(source: &Source) -> Result<Config, Box<ConfigError>> {
    understand(text(source)?.as_deref(), source)
}

/// The text of the file, if there is one.
///
/// # Errors
/// It cannot be read or believed.
pub(crate) fn text(source: &Source) -> Result<Option<String>, Box<ConfigError>> {
    let Some(file) = &source.file else { return Ok(None) };
    let whole = |exit, message| ConfigError::whole(file.clone(), exit, message, &source.defaults);
    let bytes = read(file, source.trust).map_err(|(exit, message)| whole(exit, message))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let (line, column) =
            place(&String::from_utf8_lossy(error.as_bytes()), error.utf8_error().valid_up_to());
        whole(Exit::NotConfigured, format!("line {line}, column {column} is not UTF-8: save it as UTF-8"))
    })?;
    Ok(Some(text))
}

/// The configuration that a text says, or the defaults.
///
/// # Errors
/// All faults.
pub(crate) fn understand(text: Option<&str>, source: &Source) -> Result<Config, Box<ConfigError>> {
    match text {
        Some(text) => parse(text, source.file.as_deref().unwrap_or(Path::new("")), source),
        None => Ok(source.defaults.clone()),
    }
}

fn read(file: &Path, trust: Trust) -> Result<Vec<u8>, (Exit, String)> {
    // Without O_NONBLOCK a FIFO in the file's place would hang the boot.
    let opened = OpenOptions::new()
        .read(true)
        .custom_flags((OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC).bits())
        .open(file)
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                (Exit::NotConfigured, "no such file: write it, or name another with --config".to_owned())
            }
            std::io::ErrorKind::PermissionDenied => {
                (Exit::Permission, format!("cannot read it: {error}: let the daemon's account read it"))
            }
            _ => (Exit::NotConfigured, format!("cannot read it: {error}")),
        })?;
    believe(&opened, trust).map_err(|message| (Exit::NotConfigured, message))?;
    let mut bytes = Vec::new();
    let failed = |error| (Exit::NotConfigured, format!("cannot read it: {error}"));
    opened.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err((Exit::NotConfigured, format!("longer than {MOST_BYTES} bytes: is it the right file?")));
    }
    Ok(bytes)
}

fn believe(opened: &File, trust: Trust) -> Result<(), String> {
    let metadata = opened.metadata().map_err(|error| format!("cannot examine it: {error}"))?;
    if !metadata.is_file() {
        return Err("not a regular file: name one with --config".to_owned());
    }
    if trust == Trust::Anyone {
        return Ok(());
    }
    if metadata.uid() != 0 {
        return Err(format!(
            "belongs to uid {}, who could make root do anything: chown root it",
            metadata.uid()
        ));
    }
    // A file of group root that the group may write is root's business.
    let others = if metadata.gid() == 0 { 0o002 } else { 0o022 };
    if metadata.mode() & others != 0 {
        return Err(format!("mode {:04o} lets others write it: chmod go-w it", metadata.mode() & 0o7777));
    }
    Ok(())
}

/// Checks `text`; `file` is named in messages only, and that of `source` is not read.
///
/// # Errors
/// All faults, and the configuration as far as it could be read.
pub fn parse(text: &str, file: &Path, source: &Source) -> Result<Config, Box<ConfigError>> {
    let (table, broken) = DeTable::parse_recoverable(text);
    let faults: Vec<Fault> = broken
        .iter()
        .map(|error| Fault {
            place: error.span().map(|span| place(text, span.start)),
            key: String::new(),
            message: error.message().to_owned(),
        })
        .collect();
    let mut common = source.defaults.servers.first().cloned().unwrap_or_default();
    if source.settings {
        common.settings = Settings::new(file.to_owned(), text);
    }
    let mut reader = Reader { text, faults, config: source.defaults.clone(), common, own: source.settings };
    reader.read(table.get_ref(), &source.defaults.servers);
    let Reader { mut faults, config, .. } = reader;
    if faults.is_empty() {
        return Ok(config);
    }
    faults.sort_by_key(|fault| fault.place);
    faults.dedup_by(|one, other| one.place.is_some() && one.place == other.place);
    Err(Box::new(ConfigError { file: file.to_owned(), faults, exit: Exit::NotConfigured, so_far: config }))
}

/// A configuration in the making.
struct Reader<'t> {
    text: &'t str,
    faults: Vec<Fault>,
    config: Config,
    /// What stands before the `[[server]]` tables, and counts for each of them.
    common: Server,
    /// Whether there may be settings of the author's own.
    own: bool,
}

/// The name of the tables, of which there may be several.
const SERVER: &str = "server";
const SETTINGS: &str = "settings";
const METRICS: &str = "metrics";

impl Reader<'_> {
    fn read(&mut self, table: &DeTable<'_>, defaults: &Vec<Server>) {
        let mut tables = None;
        for (name, value) in table {
            let written: &str = name.get_ref();
            match KEYS.iter().find(|key| key.name == written).map(|key| (key, key.set)) {
                Some((key, Setter::Daemon(set))) => {
                    let result = set(&mut self.config, value.get_ref());
                    self.note(key, value, result);
                }
                Some((key, Setter::Server(set))) => {
                    let result = set(&mut self.common, value.get_ref());
                    self.note(key, value, result);
                }
                None if written == SERVER => tables = Some(value),
                None if written == SETTINGS && self.own => {}
                None => self.unknown(name, value, KEYS.iter().map(|key| key.name).chain([SERVER])),
            }
        }
        if self.config.group.is_some() && self.config.user.is_none() {
            let place = table.iter().find(|row| row.0.get_ref() == "group").map(|row| row.0.span().start);
            self.fault(place, "group", "stands without user: name the account as well".to_owned());
        }
        self.config.servers.clear();
        match tables {
            // Nothing but defaults may be several servers.
            None if table
                .iter()
                .all(|row| KEYS.iter().all(|key| key.name != row.0.get_ref() || !key.of_server())) =>
            {
                let settings = self.common.settings.clone();
                self.config.servers.clone_from(defaults);
                self.config.servers.iter_mut().for_each(|server| server.settings = settings.clone());
            }
            None => {
                let whole = self.common.clone();
                self.add(whole, None);
            }
            Some(value) => self.servers(value),
        }
        if let Some((place, message)) = rules::together(&self.config.servers) {
            self.fault(None, SERVER, format!("{place}: {message}"));
        }
        let served = |address: &Address| self.config.servers.iter().any(|it| it.listen.contains(address));
        if self.config.metrics.as_ref().is_some_and(served) {
            let place = table.iter().find(|row| row.0.get_ref() == METRICS).map(|row| row.0.span().start);
            self.fault(place, METRICS, "a server listens on this address: write another".to_owned());
        }
    }

    fn servers(&mut self, value: &Spanned<DeValue<'_>>) {
        let list = value.get_ref().as_array().filter(|list| !list.is_empty());
        let Some(list) = list else {
            let message = "a list of tables is wanted: begin each with [[server]]".to_owned();
            return self.fault(Some(value.span().start), SERVER, message);
        };
        for (index, item) in list.iter().enumerate() {
            let start = Some(item.span().start);
            let Some(table) = item.get_ref().as_table() else {
                self.fault(start, SERVER, "a table is wanted: begin it with [[server]]".to_owned());
                continue;
            };
            let mut server = Server { name: format!("server{}", index + 1), ..self.common.clone() };
            for (name, value) in table {
                let written: &str = name.get_ref();
                match KEYS.iter().find(|key| key.name == written).map(|key| (key, key.set)) {
                    Some((key, Setter::Server(set))) => {
                        let result = set(&mut server, value.get_ref());
                        self.note(key, value, result);
                    }
                    Some((key, Setter::Daemon(_))) => {
                        let message = "counts for the whole daemon: write it before the first [[server]]";
                        self.fault(Some(name.span().start), key.name, message.to_owned());
                    }
                    None => {
                        let known = KEYS.iter().filter(|key| key.of_server()).map(|key| key.name);
                        self.unknown(name, value, known);
                    }
                }
            }
            self.add(server, start);
        }
    }

    /// Takes a server that makes sense.
    fn add(&mut self, server: Server, place: Option<usize>) {
        for (key, message) in rules::alone(&server) {
            self.fault(place, key, message);
        }
        self.config.servers.push(server);
    }

    fn note(&mut self, key: &Key, value: &Spanned<DeValue<'_>>, result: Result<(), String>) {
        if let Err(message) = result {
            self.fault(Some(value.span().start), key.name, message);
        }
    }

    fn unknown<'k>(
        &mut self,
        name: &Spanned<Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
        known: impl Iterator<Item = &'k str> + Clone,
    ) {
        let written: &str = name.get_ref();
        // A key that the parser could not make sense of has been reported already.
        if written.is_empty() {
            return;
        }
        let kind = if value.get_ref().is_table() { "table" } else { "key" };
        let message = match nearest(written, known.clone()) {
            Some(near) => format!("unknown {kind}: did you mean {near}?"),
            None => format!("unknown {kind}: the keys are {}", known.collect::<Vec<_>>().join(", ")),
        };
        self.fault(Some(name.span().start), written, message);
    }

    fn fault(&mut self, offset: Option<usize>, key: &str, message: String) {
        let place = offset.map(|offset| place(self.text, offset));
        self.faults.push(Fault { place, key: key.to_owned(), message });
    }
}

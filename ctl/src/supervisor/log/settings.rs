//! What the log of one service is to be like, resolved: each name and place is known.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// The place of an old file: `.1` is the youngest.
pub fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    PathBuf::from(name)
}

/// The file that lines are written to.
#[derive(Debug, Clone)]
pub struct FileSettings {
    /// Where; old ones lie beside it as `.1`, `.2` and so on.
    pub path: PathBuf,
    /// It is not to become longer than this, in bytes.
    pub max_size: u64,
    /// It is not to become older than this.
    pub max_age: Option<Duration>,
    /// How many old ones are kept.
    pub keep: u32,
}

/// The logger that lines are sent to.
#[derive(Debug, Clone)]
pub struct SyslogSettings {
    /// Its socket.
    pub logger: PathBuf,
    /// The facility by its number.
    pub facility: u8,
    /// What the service is called there.
    pub ident: String,
}

/// All of it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// None: not to syslog.
    pub syslog: Option<SyslogSettings>,
    /// None: not to a file.
    pub file: Option<FileSettings>,
    /// Where the last lines are kept.
    pub recent: PathBuf,
    /// The level of lines that name none, by its number.
    pub level: u8,
    /// Whether lines may name one.
    pub level_prefix: bool,
    /// The length at which lines are split, in bytes.
    pub line_max: usize,
    /// At most `rate_burst` lines in this time; 0: all.
    pub rate_interval: Duration,
    /// See `rate_interval`; 0: all.
    pub rate_burst: u32,
}

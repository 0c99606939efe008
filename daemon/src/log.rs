//! The daemon's own messages: to syslog, to a file, to standard error, as configured and as the way of
//! running asks for. Opened while the process has its privileges, opened anew when told.

use std::io::{self, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};

use foobar_process::Pid;
use foobar_process::privilege::Account;
use foobar_process::syslog::{Options, Priority, Syslog, neutral};

use crate::config::{Config, LogTarget};
use crate::logfile::LogFile;

/// What is logged to beside, or instead of, the configured target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Also {
    /// A daemon: the configured target alone.
    Nothing,
    /// Debugging in the foreground: standard error alone.
    StderrOnly,
    /// Under init: the configured target, standard error and syslog.
    StderrAndSyslog,
}

/// An open log.
#[derive(Debug)]
pub struct Log {
    also: Also,
    /// Of a file that is made, so that it can be opened again after the drop of privileges.
    owner: Option<Account>,
    sinks: Mutex<Sinks>,
}

/// Where messages go, and by which configuration.
#[derive(Debug)]
struct Sinks {
    config: Config,
    stderr: bool,
    syslog: Option<Syslog>,
    file: Option<LogFile>,
}

impl Log {
    /// Opens the log that `config` asks for. To be called before privileges are dropped.
    ///
    /// # Errors
    /// Why the log file could not be opened, with its name.
    pub fn open(config: &Config, also: Also, owner: Option<Account>) -> Result<Log, (String, io::Error)> {
        let sinks = Sinks::open(config, also, owner.as_ref())?;
        Ok(Log { also, owner, sinks: Mutex::new(sinks) })
    }

    fn sinks(&self) -> MutexGuard<'_, Sinks> {
        // A thread that panicked while it wrote has left nothing half done.
        self.sinks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes one message. Control characters are made visible, so that no text can forge a line.
    pub fn write(&self, priority: Priority, text: &str) {
        let mut sinks = self.sinks();
        if let Some(syslog) = &sinks.syslog {
            syslog.send(priority, text);
        }
        let name = sinks.config.name;
        let tag = || format!("{name}[{}]:", Pid::this());
        if sinks.stderr {
            let _ = writeln!(io::stderr(), "{} {}", tag(), neutral(text));
        }
        if let Some(file) = &mut sinks.file {
            file.write(&tag(), &neutral(text));
        }
    }

    /// Looks for the logger now, for it may be out of reach soon.
    pub fn connect(&self) {
        if let Some(syslog) = &self.sinks().syslog {
            // None there: it may come later.
            let _ = syslog.connect();
        }
    }

    /// Goes over to what a reloaded `config` asks for. The old log stays if that fails.
    ///
    /// # Errors
    /// Why the log file could not be opened.
    pub fn follow(&self, config: &Config) -> Result<(), String> {
        let same_file = match (&config.log, &self.sinks().config.log) {
            (LogTarget::File(new), LogTarget::File(old)) => new == old,
            _ => false,
        };
        // The same file need not be opened again, which after a drop of privileges may not be possible.
        let kept = if same_file { self.sinks().file.take() } else { None };
        let opened = match kept {
            Some(file) => Ok(Sinks { file: Some(file), ..Sinks::without_file(config, self.also) }),
            None => Sinks::open(config, self.also, self.owner.as_ref()),
        };
        let mut sinks = opened.map_err(|(what, error)| format!("{what}: {error}"))?;
        let mut old = self.sinks();
        let syslog = |config: &Config| (config.syslog_socket.clone(), config.syslog_facility);
        // As with the file: in a chroot the logger cannot be found a second time.
        if sinks.syslog.is_some() && old.syslog.is_some() && syslog(config) == syslog(&old.config) {
            sinks.syslog = old.syslog.take();
        }
        *old = sinks;
        Ok(())
    }

    /// Opens file and syslog anew, for they may have been moved away or restarted. Returns what did not
    /// succeed; the old one is kept then.
    pub fn reopen(&self) -> Vec<String> {
        let mut sinks = self.sinks();
        if sinks.syslog.is_some() {
            let anew = syslog_of(&sinks.config);
            // Whoever cannot be found, as in a chroot, has not been restarted either.
            if anew.connect().is_ok() {
                sinks.syslog = Some(anew);
            }
        }
        let Some(path) = sinks.file.as_ref().map(|file| file.path().to_owned()) else { return Vec::new() };
        match LogFile::open(&path, self.owner.as_ref()) {
            Ok(file) => {
                sinks.file = Some(file);
                Vec::new()
            }
            Err(error) => vec![format!(
                "cannot open {} anew: {error}: still writing to the old file; let the daemon's account write there",
                path.display()
            )],
        }
    }
}

impl Sinks {
    fn open(config: &Config, also: Also, owner: Option<&Account>) -> Result<Sinks, (String, io::Error)> {
        let mut sinks = Sinks::without_file(config, also);
        if let (LogTarget::File(path), true) = (&config.log, also != Also::StderrOnly) {
            let file = LogFile::open(path, owner)
                .map_err(|error| (format!("cannot open the log {}", path.display()), error))?;
            sinks.file = Some(file);
        }
        Ok(sinks)
    }

    fn without_file(config: &Config, also: Also) -> Sinks {
        let syslog = match also {
            Also::Nothing => config.log == LogTarget::Syslog,
            Also::StderrOnly => false,
            Also::StderrAndSyslog => true,
        };
        Sinks {
            config: config.clone(),
            stderr: config.log == LogTarget::Stderr || also != Also::Nothing,
            syslog: syslog.then(|| syslog_of(config)),
            file: None,
        }
    }
}

fn syslog_of(config: &Config) -> Syslog {
    let options = Options { pid: true, ..Options::default() };
    Syslog::open(config.name, config.syslog_facility, options).logger(&config.syslog_socket)
}

/// Says why a start failed to syslog, wherever the daemon would have logged: the boot messages may have
/// scrolled away, or nobody was there to read them.
pub fn announce(config: &Config, reason: &str) {
    let syslog = syslog_of(config);
    for line in reason.lines() {
        syslog.send(Priority::Err, line);
    }
}

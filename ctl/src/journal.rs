//! What failed goes to syslog as well, in the same words: at boot nobody reads standard error.

use foobar_initscripts::name::ServiceName;
use foobar_process::syslog::{Facility, Options, Priority, Syslog};

/// Writes that `verb` has failed for a service. A machine without syslog loses it; the error itself is
/// on standard error.
pub fn failure(name: &ServiceName, verb: &str, error: &anyhow::Error) {
    let options = Options { pid: true, ..Options::default() };
    let log = Syslog::open("foobarctl", Facility::Daemon, options);
    log.send(Priority::Err, &format!("{verb} {name}: {error:#}"));
}

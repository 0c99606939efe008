//! What failed goes to syslog as well, in the same words: at boot nobody reads standard error. A machine
//! without syslog loses it; the words are on standard error already.

use foobar_initscripts::name::ServiceName;
use foobar_process::syslog::{Facility, Options, Priority, Syslog};

/// Writes that `verb` has failed for a service.
pub fn failure(name: &ServiceName, verb: &str, error: &anyhow::Error) {
    send(Priority::Err, &format!("{verb} {name}: {error:#}"));
}

/// Writes what went otherwise than it should.
pub fn warning(text: &str) {
    send(Priority::Warning, text);
}

fn send(priority: Priority, text: &str) {
    let options = Options { pid: true, ..Options::default() };
    Syslog::open("foobarctl", Facility::Daemon, options).send(priority, text);
}

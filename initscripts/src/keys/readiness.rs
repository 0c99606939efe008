//! Keys: how it is seen that the service is ready, and stays well.

use super::key::{Key, key};
use super::read::{self, Fault, Item};
use super::write::{Toml as _, basic_string};
use crate::service::{
    BadValue, NotifyAccess, Probe, SignalName, StatusRange, Word as _, absolute_path, command, http_probe,
    pause, tcp_probe, timeout, unix_probe,
};

/// A probe: one of several keys gives it.
macro_rules! probe {
    ($name:literal, $meaning:literal, $owner:ident, $check:expr, $variant:pat) => {
        Key {
            name: $name,
            directive: "",
            meaning: $meaning,
            words: "a string",
            set: |service, item| set(&mut service.$owner.probe, item, $check),
            get: |service| service.$owner.probe.as_ref().filter(|probe| matches!(probe, $variant)).map(toml),
        }
    };
}

fn set(
    slot: &mut Option<Probe>,
    item: &Item<'_>,
    check: impl Fn(&str) -> Result<Probe, BadValue>,
) -> Result<(), Fault> {
    let probe = read::text(item, check)?;
    if slot.is_some() {
        return Err((item.span(), "there is a probe already: keep one of them".to_owned()));
    }
    *slot = Some(probe);
    Ok(())
}

fn toml(probe: &Probe) -> String {
    basic_string(&match probe {
        Probe::Tcp(address) => address.to_string(),
        Probe::Unix(path) | Probe::File(path) => path.clone(),
        Probe::Http(page) => page.to_string(),
        Probe::Command(command) => command.to_string(),
    })
}

/// Readiness.
pub(super) const READY: &[Key] = &[
    probe!(
        "ready-tcp",
        "ready when, after what its type says, this TCP address accepts a connection",
        readiness,
        tcp_probe,
        Probe::Tcp(_)
    ),
    probe!("ready-unix", "ready when this Unix socket does", readiness, unix_probe, Probe::Unix(_)),
    probe!(
        "ready-http",
        "ready when this page is answered with ready-http-status",
        readiness,
        http_probe,
        Probe::Http(_)
    ),
    probe!(
        "ready-command",
        "ready when this command line exits with 0",
        readiness,
        |text| command(text).map(Probe::Command),
        Probe::Command(_)
    ),
    probe!(
        "ready-file",
        "ready when this path is there",
        readiness,
        |text| absolute_path(text).map(Probe::File),
        Probe::File(_)
    ),
    key!(Text "ready-http-status" "" "the status that the page must have, or a range", readiness.http_status, StatusRange::parse),
    key!(Span "ready-interval" "" "how long after a look that failed the next one is taken", readiness.interval, interval),
    key!(Number "ready-fd" "" "the descriptor on which a service of type fd writes a newline when it is ready", readiness.fd, 3_u32..=1023),
    key!(Text "notify-access" "NotifyAccess" "whose messages of sd_notify are believed: none, main, exec, all; main if not given; others than the main process must wait until they are heard, as systemd-notify does",
        readiness.notify_access, NotifyAccess::parse),
];

/// Health and watchdog.
pub(super) const HEALTH: &[Key] = &[
    probe!(
        "health-tcp",
        "well while this TCP address accepts a connection",
        health,
        tcp_probe,
        Probe::Tcp(_)
    ),
    probe!("health-unix", "well while this Unix socket does", health, unix_probe, Probe::Unix(_)),
    probe!(
        "health-http",
        "well while this page is answered with health-http-status",
        health,
        http_probe,
        Probe::Http(_)
    ),
    probe!(
        "health-command",
        "well while this command line exits with 0",
        health,
        |text| command(text).map(Probe::Command),
        Probe::Command(_)
    ),
    probe!(
        "health-file",
        "well while this path is there",
        health,
        |text| absolute_path(text).map(Probe::File),
        Probe::File(_)
    ),
    key!(Text "health-http-status" "" "the status that the page must have, or a range", health.http_status, StatusRange::parse),
    key!(Span "health-interval" "" "how often it is looked at", health.interval, interval),
    key!(Span "health-timeout" "" "how long a look may take", health.timeout, interval),
    key!(Number "health-failures" "" "after how many failures in a row it is ended, as by its watchdog", health.failures, 1_u32..=1000),
    key!(Span "watchdog" "WatchdogSec" "how often it must say WATCHDOG=1", watchdog.interval, timeout),
    key!(Text "watchdog-signal" "WatchdogSignal" "the signal that it gets when it does not", watchdog.signal, SignalName::parse),
];

/// An interval, which must not be nothing.
fn interval(span: std::time::Duration) -> Result<std::time::Duration, BadValue> {
    let span = pause(span)?;
    if span < std::time::Duration::from_millis(1) {
        return Err(BadValue::new(
            format!("{} is too short", span.toml().unwrap_or_default()),
            "use at least \"1ms\"",
        ));
    }
    Ok(span)
}

//! Keys: how the service is reloaded, stopped, and started again.

use super::key::{Key, key};
use super::read;
use super::write::Toml as _;
use crate::service::{SignalName, StopMode, When, Word as _, pause, timeout};

/// Reload and stop.
pub(super) const STOP: &[Key] = &[
    Key {
        name: "reload-signal",
        directive: "ReloadSignal",
        meaning: "the signal that makes it read its configuration again; \"\" if none does; HUP for the types forking and notify-reload",
        words: "a string",
        set: |service, item| {
            service.reload_signal = read::text(item, |text| match text {
                "" => Ok(None),
                _ => SignalName::parse(text).map(Some),
            })?;
            Ok(())
        },
        get: |service| service.reload_signal.toml().or_else(|| Some("\"\"".to_owned())),
    },
    key!(Text "stop-signal" "KillSignal" "the signal that asks it to end", stop_signal, SignalName::parse),
    key!(Text "stop-mode" "KillMode" "whom it is for, and who is killed at last; control-group: all its processes; mixed: the main process, then all; process: the main process alone",
        stop_mode, StopMode::parse),
    key!(Flag "send-sigkill" "SendSIGKILL" "whether what is left after the stop-timeout is killed", send_sigkill),
    key!(Flag "send-sighup" "SendSIGHUP" "whether HUP follows the stop-signal, for shells", send_sighup),
    key!(Span "start-timeout" "TimeoutStartSec" "how long it may take until it is ready", start_timeout, timeout),
    key!(Span "stop-timeout" "TimeoutStopSec" "how long it may take to end before it is killed", stop_timeout, timeout),
];

/// Restart.
pub(super) const RESTART: &[Key] = &[
    key!(Text "restart" "Restart" "after which ends it is started again: no, on-success, on-failure, on-abnormal, on-watchdog, on-abort, always",
        restart.when, When::parse),
    key!(Span "restart-delay" "RestartSec" "how long to wait before that", restart.delay, pause),
    key!(Span "restart-max-delay" "RestartMaxDelaySec" "what the wait grows to in restart-steps steps",
        restart.max_delay, pause),
    key!(Number "restart-steps" "RestartSteps" "in how many steps it grows; 0: it does not", restart.steps, 0_u32..=1000),
    key!(Span "start-limit-interval" "StartLimitIntervalSec" "given up when it is started more than start-limit-burst times in this time; 0: never",
        restart.interval, pause),
    key!(Number "start-limit-burst" "StartLimitBurst" "how many starts that are, counted anew when somebody asks for a start or restart; 0: no limit", restart.burst, 0_u32..=1_000_000),
    key!(Exits "success-exit-status" "SuccessExitStatus" "ends that are no failure, beside code 0, HUP, INT, TERM and PIPE",
        restart.success),
    key!(Exits "restart-prevent-exit-status" "RestartPreventExitStatus" "ends after which it is never started again",
        restart.prevent),
    key!(Exits "restart-force-exit-status" "RestartForceExitStatus" "ends after which it always is", restart.force),
];

//! Keys: what is executed.

use super::key::{Key, key};
use super::read;
use crate::service::{self, BadValue, Kind};

/// The program.
pub(super) const KEYS: &[Key] = &[
    key!(Text "description" "Description" "what the service is, in one line", description, service::one_line),
    key!(Text "program" "ExecStart" "the program, an absolute path", program, service::absolute_path),
    key!(List "arguments" "" "its arguments, one string each; no shell looks at them",
        arguments, service::argument),
    key!(List "foreground-arguments" "" "what goes before them so that the program stays in the foreground, for install --respawn",
        foreground_arguments, service::argument),
    key!(Flag "expand-arguments" "" "whether $NAME and ${NAME} in them are replaced from the environment, under the supervisor",
        expand_arguments),
    key!(Text "type" "Type" "how it starts; exec: ready when it is executed; simple: at once; notify, notify-reload: when it says READY=1; fd: when it writes a newline to ready-fd; oneshot: when it has ended; forking: its first process exits with 0 when it is ready and its PID file is there",
        kind, Kind::of),
    key!(Flag "remain-after-exit" "RemainAfterExit" "whether a service of type oneshot counts as running when its program has ended with success",
        remain_after_exit),
    key!(Flag "supervise" "" "whether a forking program gets a supervisor, which other types always have",
        supervise),
    key!(Text "pid-file" "PIDFile" "where a forking program writes its PID, or the supervisor of another its own; \"\" for a forking program that writes none",
        pid_file, pid_file),
    key!(Text "supervisor-pid-file" "" "where the supervisor of a forking program writes its own PID",
        supervisor_pid_file, service::absolute_path),
];

/// The commands beside it.
pub(super) const COMMANDS: &[Key] = &[
    key!(List "start-pre" "ExecStartPre" "command lines before the program; prefix -: may fail, +: with full rights, :: no variables",
        commands.start_pre, service::command),
    key!(List "start-post" "ExecStartPost" "command lines when it is ready", commands.start_post, service::command),
    key!(List "reload-command" "ExecReload" "command lines that reload it, in place of the reload-signal; $MAINPID is its process",
        commands.reload, service::command),
    key!(List "stop-command" "ExecStop" "command lines that stop it, before the stop-signal", commands.stop, service::command),
    key!(List "stop-post" "ExecStopPost" "command lines when it is gone", commands.stop_post, service::command),
];

fn pid_file(text: &str) -> Result<String, BadValue> {
    if text.is_empty() { Ok(String::new()) } else { service::absolute_path(text) }
}

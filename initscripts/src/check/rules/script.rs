//! The text of a script below its header.

use super::define::rules;

rules! {
INTERPRETER_MISSING = "interpreter-missing" Error [],
    "the first line names no interpreter",
    "startpar, which executes scripts itself, cannot start it; a shell may",
    "let the first line be #!/bin/sh",
    "execve(2) knows scripts by '#!'; only shells go on by guessing";

INTERPRETER_USR = "interpreter-usr" Note ["init.d-script-uses-usr-interpreter"],
    "the interpreter is in /usr",
    "the script fails where /usr is mounted late, and when its package was removed but its script was left",
    "use /bin/sh",
    "scripts in /etc are configuration and outlive their package; only essential interpreters are always there";

INTERPRETER_ABSENT = "interpreter-absent" Error [],
    "the interpreter is not on this machine",
    "the script cannot run, and the message names the script, which is there",
    "install the interpreter, or correct the first line",
    "execve(2) answers ENOENT for the interpreter as for the script";

SKELETON = "skeleton" Warning ["init.d-script-contains-skeleton-template-content"],
    "holds sentences of the example that it was made from",
    "nobody can tell what in it is meant and what was left over",
    "replace what the example says about itself",
    "Debian's skeleton describes itself so that the description is replaced";

DEFAULTS_UNTESTED = "defaults-untested" Warning ["init.d-script-sourcing-without-test"],
    "reads a file of /etc/default without looking whether it is there",
    "a shell ends where '.' finds no file, so the service does not start once an administrator removed it",
    "write: [ -r FILE ] && . FILE",
    "'.' is a special built-in, whose failure ends the shell (POSIX, 'Consequences of Shell Errors'); these files may be \
     removed (Debian Policy 9.3.2)";

ACTION_MISSING = "action-missing" Error ["init.d-script-does-not-implement-required-option"],
    "an action that every init script has is missing",
    "service(8), invoke-rc.d(8) and package scripts that ask for it fail",
    "add it to the case of the script",
    "start, stop, restart and force-reload must be there (LSB Core, 'Init Script Actions'; Debian Policy 9.3.2)";

STATUS_MISSING = "status-missing" Warning ["init.d-script-does-not-implement-status-option"],
    "the action status is missing",
    "no tool can ask whether the service runs",
    "add it, with the exit codes 0, 1, 3 and 4 of LSB; status_of_proc of /lib/lsb/init-functions does it",
    "LSB Core demands status; cluster managers and configuration tools rely on its exit code";

ACTION_ADVERTISED = "action-advertised" Warning [],
    "the usage line names an action that the script does not have",
    "who reads the usage and calls it gets the usage again",
    "add the action, or take it out of the usage line",
    "the words of a usage line are not compared with the case below it by anybody";

INIT_D_SCRIPT_ARGUMENT = "init-d-script-argument" Note
    ["init.d-script-does-not-implement-required-option", "init.d-script-does-not-implement-status-option",
     "init.d-script-does-not-source-init-functions"],
    "init-d-script is an argument of the interpreter",
    "it works, and tools that look at the interpreter see a shell script without actions",
    "let the first line be #!/usr/bin/env /lib/init/init-d-script",
    "init-d-script(5) brings all actions with it; Linux hands on everything behind the interpreter as one argument";

FUNCTIONS_MISSING = "functions-missing" Note ["init.d-script-does-not-source-init-functions"],
    "does not read /lib/lsb/init-functions",
    "its messages look unlike others at boot, and under systemd a direct call bypasses the manager",
    "add: . /lib/lsb/init-functions",
    "the functions are where distributions adapt init scripts (LSB Core, 'Init Script Functions')";

STATUS_UNANSWERED = "status-unanswered" Warning ["init.d-script-does-not-implement-status-option"],
    "asked for status, it explains its usage",
    "no tool can ask whether the service runs",
    "add the action status",
    "found by running the script with status, because of --ask";

STATUS_CODE = "status-code" Warning [],
    "asked for status, it ends with a code that LSB gives no meaning",
    "tools take the service for something it is not",
    "end with 0 when it runs, 1 or 2 when it is dead and left a file, 3 when it does not run, 4 when that is not known",
    "LSB Core, 'Init Script Actions', first table; found by running the script with status, because of --ask";

STATUS_HANGS = "status-hangs" Error [],
    "asked for status, it does not come to an end",
    "whoever asks waits for ever",
    "find out what it waits for: sh -x SCRIPT status",
    "it was given 10 seconds and then killed; found because of --ask";
}

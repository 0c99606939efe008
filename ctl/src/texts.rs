//! What the help and the manual pages say beyond usage and options, once for both. Tables come from where
//! their facts are: exit codes, keys of service files, paths of the layout.

mod section;
pub mod service_file;

use foobar_initscripts::check::finding::Severity;
use foobar_initscripts::check::rules;
use foobar_initscripts::exit::{Action, Status};
use foobar_initscripts::layout::DEFAULT;
use foobar_initscripts::name::Runlevel;

use self::section::Section;

/// The sections of a verb, or of foobarctl itself.
pub fn sections(verb: Option<&str>) -> Vec<Section> {
    let section = |title, text: &str| Section { title, text: text.to_owned() };
    let mut found = match verb {
        None => vec![
            section("EXAMPLES", EXAMPLES),
            section("AS INSSERV", INSSERV),
            Section { title: "FILES", text: files() },
        ],
        Some("install") => vec![
            section("WHAT IS KEPT", KEPT),
            section("RESPAWN", RESPAWN),
            section("SERVICE FILE", SERVICE_FILE),
            section("JSON", CHANGE_JSON),
        ],
        Some("uninstall" | "enable" | "disable") => vec![section("JSON", CHANGE_JSON)],
        Some("start" | "restart" | "try-restart") => {
            vec![section("ENVIRONMENT", ENVIRONMENT), section("JSON", ACTION_JSON)]
        }
        Some("upgrade") => vec![section("NOTES", UPGRADE), section("JSON", ACTION_JSON)],
        Some("reload" | "force-reload") => vec![section("NOTES", RELOAD), section("JSON", ACTION_JSON)],
        Some("stop") => vec![section("JSON", ACTION_JSON)],
        Some("status") => vec![section("JSON", STATUS_JSON), section("SUPERVISION", SUPERVISION_JSON)],
        Some("wait") => vec![section("JSON", WAIT_JSON)],
        Some("ps") => vec![section("JSON", PS_JSON)],
        Some("blame") => vec![section("JSON", BLAME_JSON)],
        Some("signal") => vec![section("JSON", ACTION_JSON)],
        Some("logs") => vec![section("EXAMPLES", LOGS_EXAMPLES), section("JSON", LOGS_JSON)],
        Some("list") => vec![section("JSON", LIST_JSON)],
        Some("why") => vec![section("EXAMPLES", WHY_EXAMPLES), section("JSON", WHY_JSON)],
        Some("graph") => vec![section("EXAMPLES", GRAPH_EXAMPLES), section("JSON", GRAPH_JSON)],
        Some("check") => vec![
            section("EXAMPLES", CHECK_EXAMPLES),
            section("WHAT IS ASKED", CHECK_ASK),
            Section { title: "FINDINGS", text: findings() },
            section("JSON", CHECK_JSON),
        ],
        Some(_) => Vec::new(),
    };
    let codes = match verb {
        None => format!("Of status:\n{}Of all other verbs:\n{}", Status::table(), Action::table()),
        Some("status") => Status::table(),
        Some("check") => check_codes(),
        Some(_) => Action::table(),
    };
    found.push(Section { title: "EXIT STATUS", text: codes });
    found
}

/// The sections as the end of a help text.
pub fn help(verb: Option<&str>) -> String {
    let sections = sections(verb);
    let texts = sections.iter().map(|section| format!("{}:\n{}", section.title, section.text.trim_end()));
    texts.collect::<Vec<_>>().join("\n\n")
}

const EXAMPLES: &str = "\
Any program becomes a service:
  foobarctl install myapp --runlevels 2345 --user www-data -- /usr/bin/python3 /srv/app.py
  foobarctl start myapp
  foobarctl status myapp
One that puts itself into the background, from a service file of its own (foobarctl help service-file):
  foobarctl install ./myapp.toml
The reference service, as an ordinary user, in a directory to try things out:
  foobarctl --prefix ~/try install
  foobarctl --prefix ~/try start
Into the image of another machine, which need not run:
  foobarctl --root /mnt/image install --standalone";

const INSSERV: &str = "\
Under the name insserv foobarctl takes the options of insserv(8) 1.24 and leaves the same links, startpar files
and exit codes behind, so that update-rc.d(8) and packages work on top of it:
  dpkg-divert --divert /sbin/insserv.distrib --rename /sbin/insserv
  ln -s /usr/sbin/foobarctl /sbin/insserv
Not as insserv: -e and -u are refused; -p without -i writes startpar's files beside the scripts, not into
/etc/init.d of this machine; the configuration is not looked for below the working directory; a link or file
that cannot be written is an error.";

fn files() -> String {
    let name = "NAME";
    let lines = [
        (DEFAULT.service_file(name), "the service file, see foobar-service(5)"),
        (DEFAULT.script(name), "the init script, which calls foobarctl"),
        (DEFAULT.runlevel_dir(Runlevel::R2).replace('2', "?"), "its links in the runlevels"),
        (format!("{}/.depend.*", DEFAULT.script_dir), "the order for startpar(8), where insserv(8) is used"),
        (
            format!("{}/{name}.pid", DEFAULT.pid_dir),
            "the PID of the running service, unless it says otherwise",
        ),
        (format!("{}/{name}.pid.lock", DEFAULT.pid_dir), "the proof of it, and the lock of a start"),
    ];
    lines.map(|(path, what)| format!("  {path:<26} {what}")).join("\n")
}

const SERVICE_FILE: &str = "\
What is written for PROGRAM has the keys that were given and those that everybody looks for. foobar-service(5), which foobarctl
help service-file prints, explains all of them; foobarctl cat and edit show and change it. The program may be named
without its path: it is looked for as the shell would, with --root in the tree.";

const KEPT: &str = "\
What was changed by hand stays, and is named: an edited service file or init script, a start link that was
turned into a kill link, an entry of /etc/inittab. --force overwrites it. The configuration of foobard is written only if there is
none. A second install has nothing to do.";

const RESPAWN: &str = "\
With --respawn the service has no init script: init starts it in its runlevels by an entry in /etc/inittab, at
once, and again whenever it ends (inittab(5)). Two lines are added to the file, and nothing else of it changes;
then init is told to read it (telinit q). foreground-arguments of the service file are what keeps the program
from going into the background. enable and disable turn the entry on and off, with --runlevels in some
runlevels only, and init then starts or ends the service; start and restart ask init; stop is refused, as init
would start it again. Another install keeps the entry; uninstall removes it. The entry is written as the init of the
tree reads it, sysvinit or busybox: busybox has no runlevels, an entry that is off is a comment there, and it is told by
the signal HUP to process 1.";

/// All codes, the worst first.
fn findings() -> String {
    let mut text = "Each finding has a code, which --explain tells more of:\n".to_owned();
    for severity in Severity::ALL.into_iter().rev() {
        text.push_str(&format!("Of severity {severity}:\n"));
        for rule in rules::all().filter(|rule| rule.severity == severity) {
            text.push_str(&format!("  {:<25} {}\n", rule.code, rule.title));
        }
    }
    text
}

fn check_codes() -> String {
    let rest = Action::table();
    let rest = rest.lines().skip(2).map(|line| format!("{line}\n")).collect::<String>();
    format!(
        "  0  nothing was found that is as bad as --fail-on says\n  1  something was, or it failed\n{rest}"
    )
}

const LOGS_EXAMPLES: &str = "\
What it has written in the last hour, and all that comes:
  foobarctl logs myapp --since 1h -f
The last 50 lines for a program:
  foobarctl --format json logs myapp -n 50";

const LOGS_JSON: &str = "\
An object with service, file (where the lines are from), is_whole_log (false: only the last lines are kept there) and
lines, a list of objects with time (RFC 3339 in UTC), level (as in syslog(3)), continues (whether it goes on with the
line before, which was too long) and text. Time and level are null of a line that somebody else has written there.
With --follow each of these objects is printed for itself, one a line.";

const WHY_EXAMPLES: &str = "\
Why it starts so late, line by line:
  foobarctl why cron
In the image of another machine:
  foobarctl --root /mnt/image why cron";

const WHY_JSON: &str = "\
With --format json the answer is one object with these keys:
  service        name
  start, stop    the explanation of its number, or null: sequence, runlevels, linked, and as chain all that
                 comes before it, each with sequence, name and reason
  other_numbers  list of its links that have another number than that
  loops          list of the loops that it is in: turns, and as way_out the place of the one to give up";

const GRAPH_EXAMPLES: &str = "\
The whole boot, as a tree and as a picture:
  foobarctl graph
  foobarctl graph --format svg >boot.svg
  foobarctl graph --format dot --runlevel 5 | dot -Tpdf >boot.pdf
What has to do with one service when the machine is halted:
  foobarctl graph cron --stop --runlevel 0
What would change if a service were installed:
  foobarctl graph --diff install myapp
In the tree a script stands behind + if it is added, - if it goes, ~ if its number changes; behind <- stands what
it waits for, without what follows from that; $all waits for all others, or these for it.";

const GRAPH_JSON: &str = "\
With --format json the answer is one object with these keys:
  pictures   list of title, lanes (sequence, items) and arrows (first, then, place)
  loops      list of the loops, as of foobarctl-why(8)";

const CHECK_EXAMPLES: &str = "\
The machine, a service of it, a script that is not installed yet:
  foobarctl check
  foobarctl check cron
  foobarctl check --fail-on warning debian/myapp.init ./myapp.toml
The image of another machine, as an object for a program:
  foobarctl --root /mnt/image check --format json";

const CHECK_ASK: &str = "\
Scripts are read and not run. With --ask a script is run with status if its text has that action and if
nobody but root can write it or a directory above it; it gets the environment of service(8) and 10 seconds.
Why a script is not asked is said with --verbose.";

const CHECK_JSON: &str = "\
With --format json the answer is one object with these keys:
  checked    number of scripts and service files
  errors     number of findings of that severity; warnings and notes likewise
  findings   list of objects:
    code       what it is called; codes are never renamed
    severity   error, warning or note
    service    the service that it is about, null for the machine
    file       path of the file
    line       line in it, 1 if it is about the file as a whole
    message    what is so
    effect     what happens because of it
    remedy     what to do
With --explain it is code, severity, title, effect, remedy, explanation and lintian, the tags of
lintian(1) that mean the same.
Keys may be added in later versions; none of these will change its meaning.";

const SUPERVISION_JSON: &str = "\
The object supervision has these keys, null where it is not known. Who may not control the service reads them
from the file that its supervisor writes at each change, so that only log and processes of others are missing.
  schema        1; it changes when a key changes its meaning
  service       name
  state         starting, running, reloading, stopping, restarting (it waits for its next start), done (a oneshot
                service that counts as running), stopped or failed (and not started again)
  since         when that began, RFC 3339 in UTC; since_boot: the same in seconds since boot
  lasted        seconds since then
  supervisor    PID of the supervisor, null when it has ended; main: PID of the main process
  status        what the service says of itself
  reason        why it failed, or was not started
  restarts      how often it was started again by the rule of its service file since somebody has asked for its start
  requested_restarts  how often somebody has asked for a restart since its supervisor began; after each restarts and the
                starts of start-limit-burst are counted anew
  last_exit     how the program last ended: code, signal, cause (watchdog, time-limit, not-started), at
  invocation    the INVOCATION_ID in the environment of its processes
  control_group the directory of its control group
  start         called (seconds since boot) and took (seconds from then until it was ready)
  killed        processes that had to be killed at its last end
  sockets       what it listens on for the service
  cpu_time, memory, tasks  of all its processes: seconds, bytes, threads
  processes     list of pid, depth (in the tree), command, cpu_time, memory, threads
  orphans       processes that run although their supervisor was killed
  runlevels     those that it is started in, as in foobarctl-list(8)
  file_changed  whether the service file has changed since the start
  log           the last lines of its log";

const WAIT_JSON: &str = "\
With --format json the answer is one object with the keys service, state (what was waited for) and message.";

const PS_JSON: &str = "\
With --format json the answer is one object with the keys service, supervisor (its PID, null if there is none) and
processes, a list of objects with pid, depth (in the tree), command, cpu_time (seconds), memory (bytes) and threads.";

const BLAME_JSON: &str = "\
With --format json the answer is a list of objects with the keys service, state (as supervision.state of status),
called (seconds since boot when the last start was asked for) and took (seconds until it was ready, or null).";

const ENVIRONMENT: &str = "\
The program gets a clean environment: a fixed PATH, and LANG, LANGUAGE, LC_ALL, LC_CTYPE, LC_MESSAGES,
LC_TIME and TZ of the caller. It works in /, with default signals and no open file. Its standard
input and output are /dev/null; what it writes to standard error until it is ready is printed, and is
the reason when it fails.";

const RELOAD: &str = "\
A service with a control socket beside its PID file (foobard has one, NAME.sock) is asked over it, and the
outcome is waited for: a configuration that it refuses is a failure, with its reason. Any other service is
told by a signal, and nobody waits for its answer: whether it took the new configuration stands in its log.";

const UPGRADE: &str = "\
Of a service that a supervisor holds, the supervisor is exchanged for the foobarctl that is installed now, and the
program of the service notices nothing. Of one that holds itself:
The service must have a control socket beside its PID file, as foobard has. Connections that are being
served are served to their end by the workers of the former program; new ones wait for a moment at most.
The program is looked for at the path by which it was started. A changed configuration is read afterwards.
The signal USR2 does the same without an answer.";

const CHANGE_JSON: &str = "\
With --format json the answer is one object with these keys:
  service    name
  action     the verb
  changed    whether anything was changed, or would be
  dry_run    whether nothing was touched because of --dry-run
  message    the line that --format text prints
  root       the directory that the paths are below
  steps      list of what was done or would be: step, path and what belongs to it
  notes      list of what was kept, and other things to know";

const ACTION_JSON: &str = "\
With --format json the answer is one object with these keys, null where it is not known. There is none
when the verb fails: the reason is on standard error.
  service    name
  ours       whether foobarctl has a service file of it; if not, its init script was called, and the
             keys are service, ours, action, dry_run, script and code
  action     the verb
  dry_run    whether nothing was touched because of --dry-run
  state      running or stopped
  changed    whether the verb changed that, or told the service anything
  pid        process ID of the service; of one that a supervisor holds, that of its main process
  message    the line that --format text prints";

const STATUS_JSON: &str = "\
With --format json the answer is one object with these keys, null where it is not known:
  service    name
  ours       whether foobarctl has a service file of it; if not, its init script was asked
  code       the exit code
  state      running, dead-pid-file, dead-lock-file, not-running or unknown
  message    the line that --format text prints
  pid        process ID of the running service; of one that a supervisor holds, that of its main process, and
             null if it has none
  since      when it was started, RFC 3339 in UTC; of one that a supervisor holds, as supervision.since
  uptime     seconds since then
  cpu_time   seconds of processor time used so far
  memory     bytes resident in memory
  pid_file   path of its PID file
  respawn    whether init keeps it running, by an entry in /etc/inittab
  figures    what the service tells of itself over its control socket, null if it has none or none for the
             caller. foobard's: version, pid, generation (of its configuration), since, uptime, former
             (workers left by an upgrade), and servers, a list of objects with name, model, addresses,
             connections (now), counters, latency (of connections: count, sum, p50, p99, buckets),
             rate (connections accepted per second) and workers (pid, activity, since, served,
             connections, peer, leaving). Durations are seconds.
  supervision  what is known of a service that a supervisor holds, see below; null of all others
Keys may be added in later versions; none of these will change its meaning.";

const LIST_JSON: &str = "\
With --format json the answer is a list of objects with these keys, null where it is not known. The
scripts of others are not run for it, so their state is not known.
  service    name
  ours       whether foobarctl has a service file of it
  start      runlevels that it is started in, as the layout writes them: 2345, B (SUSE), boot default (OpenRC)
  stop       runlevels that it is stopped in
  state      as of status
  supervision  how its supervisor says that it is, see status; null if none holds it
  pid        as of status
  since      as of status
  respawn    whether it has an entry in /etc/inittab, by which init keeps it running";

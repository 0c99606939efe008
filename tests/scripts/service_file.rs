//! Service files: what is read, what is refused and where, and that writing and reading are inverse.

use foobar_initscripts::description::{parse, render};
use foobar_initscripts::keys;
use foobar_initscripts::name::{Runlevel, Runlevels};
use foobar_initscripts::service::{Kind, Service};

use crate::{foobar, name};

#[test]
fn the_shipped_file_has_the_promised_values() {
    let service = foobar();
    assert_eq!(service.program, "/usr/sbin/foobard");
    assert_eq!(service.pid_file, "/var/run/foobar.pid");
    assert_eq!(service.runlevels.to_string(), "2 3 4 5");
    assert_eq!(service.default_stop().to_string(), "0 1 6");
    assert_eq!((service.start_timeout.as_secs(), service.stop_timeout.as_secs()), (30, 5));
    assert_eq!(service.kind, Kind::Forking);
    assert!(!service.is_supervised());
}

#[test]
fn a_program_is_enough() {
    let service = parse(&name("x"), "program = \"/bin/x\"", "x.toml").unwrap();
    assert_eq!(service, Service::new(name("x"), "/bin/x"));
    assert_eq!(service.pid_file, "/var/run/x.pid");
    for key in keys::all().filter(|key| !key.is_required()) {
        let Some(default) = key.default(&name("x")) else { continue };
        let line = format!("program = \"/bin/x\"\n{} = {default}\n", key.name);
        assert_eq!(parse(&name("x"), &line, "x.toml").unwrap(), service, "{}", key.name);
    }
    assert_eq!(keys::find("program").and_then(|key| key.default(&name("x"))), None);
}

#[test]
fn what_is_written_is_read_back() {
    let mut service = foobar();
    service.description = "dæmon \"x\" \\ #".to_owned();
    service.arguments = ["", "-n", "a b", "it's \"x\"", "line\nbreak\ttab", "\u{7f}\u{1}", "${x}`y`"]
        .map(String::from)
        .to_vec();
    service.program = "/opt/a b/ü'\"$x".to_owned();
    service.reload_signal = None;
    service.runlevels = Runlevels::NONE;
    service.provides = vec!["a".to_owned(), "b".to_owned()];
    service.start_before = vec!["$network".to_owned()];
    assert_eq!(parse(&name("foobar"), &render(&service), "x").unwrap(), service);
    assert_eq!(parse(&name("foobar"), &render(&foobar()), "x").unwrap(), foobar());
}

/// Text of a service file, and the error that it must give.
const REFUSED: &[(&str, &str)] = &[
    ("", "x:1:1: the key 'program' is missing: name the program, program = \"/usr/sbin/...\""),
    (
        "program = \"/bin/x\"\nstop-signel = \"TERM\"",
        "x:2:1: unknown key 'stop-signel': did you mean 'stop-signal'?",
    ),
    ("\n  pid_file = \"/x\"", "x:2:3: unknown key 'pid_file': did you mean 'pid-file'?"),
    ("PidFile = \"/x\"", "x:1:1: unknown key 'PidFile': did you mean 'pid-file'?"),
    (
        "[Service]\nprogram = \"/bin/x\"",
        "x:1:2: unknown key 'Service': a service file has no tables, its keys stand alone",
    ),
    ("program = \"bin/x\"", "x:1:11: program: 'bin/x' is not an absolute path: let it begin with '/'"),
    ("program = \"/bin/\"", "x:1:11: program: '/bin/' is a directory: name a file in it"),
    ("program = \"/bin/../x\"", "x:1:11: program: '/bin/../x' goes up with '..': write the path without it"),
    (
        "program = \"/bin/x\\ny\"",
        "x:1:11: program: \"/bin/x\\ny\" holds the control character '\\n': remove it: this value stands on one line of the init script",
    ),
    ("program = 5", "x:1:11: program: this is a number: write a string"),
    ("arguments = [\"a\", 5]", "x:1:19: arguments: this is a number: write a string"),
    ("arguments = \"a\"", "x:1:13: arguments: this is a string: write a list of strings"),
    ("arguments = [\"a\\u0000b\"]", "x:1:14: arguments: an argument cannot hold a NUL character: remove it"),
    (
        "start-timeout = 0",
        "x:1:17: start-timeout: 0 seconds are no time limit: use 1 to 86400, or \"infinity\"",
    ),
    (
        "stop-timeout = -1",
        "x:1:16: stop-timeout: -1 is no time span: write seconds, or a time span as in \"1min 30s\"",
    ),
    (
        "stop-timeout = 0.25",
        "x:1:16: stop-timeout: 0.25 seconds are no time limit: use 1 to 86400, or \"infinity\"",
    ),
    (
        "type = \"forkin\"",
        "x:1:8: type: unknown type 'forkin': use one of exec, simple, notify, notify-reload, fd, forking, oneshot",
    ),
    (
        "stop-signal = \"KILL\"",
        "x:1:15: stop-signal: 'KILL' is no signal to use here: use one of HUP, INT, QUIT, TERM, USR1, USR2, ALRM, CONT, WINCH, PWR, URG, ABRT",
    ),
    (
        "runlevels = \"0235\"",
        "x:1:13: runlevels: a service cannot start in '0235': 0 halts and 6 reboots: use some of 1, 2, 3, 4, 5 and S",
    ),
    (
        "runlevels = \"2x\"",
        "x:1:13: runlevels: runlevel 'x' does not exist: use 0 to 6 or S: write them as in \"2345\", or \"\" for none",
    ),
    (
        "provides = [\"$x\"]",
        "x:1:13: provides: '$x' is a system facility: name a service here: system facilities belong to the machine",
    ),
    (
        "should-start = [\"a b\"]",
        "x:1:17: should-start: \"a b\" is no name of a service or facility: use letters, digits and . _ + -",
    ),
    (
        "description = \"### END INIT INFO\"",
        "x:1:15: description: 'INIT INFO' in a description would be read as the frame of the LSB header: use other words",
    ),
    (
        "description = \" \"",
        "x:1:15: description: the description is empty: say in one line what the service does",
    ),
];

#[test]
fn what_cannot_be_is_refused_where_it_stands() {
    for (text, wanted) in REFUSED {
        let error = parse(&name("y"), text, "x").map_err(|error| error.to_string());
        assert_eq!(error, Err((*wanted).to_owned()), "{text}");
    }
}

#[test]
fn broken_toml_is_refused_with_its_line() {
    for (text, line) in
        [("program = ", 1), ("program = \"/bin/x\"\n= 5", 2), ("a = 1\na = 2", 2), ("\n\n\"", 3)]
    {
        let error = parse(&name("y"), text, "x").unwrap_err();
        assert_eq!((error.line, error.path.as_str()), (line, "x"), "{error}");
    }
}

#[test]
fn stop_levels_complement_start_levels() {
    let cases = [
        ("2345", "0 1 6"),
        ("35", "0 1 2 4 6"),
        ("12345", "0 6"),
        ("S", "0 6"),
        ("1", "0 6"),
        ("", ""),
        ("5", "0 1 2 3 4 6"),
    ];
    for (start, stop) in cases {
        let mut service = foobar();
        service.runlevels = Runlevels::parse(start).unwrap();
        assert_eq!(service.default_stop().to_string(), stop, "{start}");
        assert!(!service.runlevels.meets(service.default_stop()));
        assert!(!service.default_stop().contains(Runlevel::S));
    }
}

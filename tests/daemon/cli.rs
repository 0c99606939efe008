//! The command line: check, version, help, and what is refused.

use std::fs;
use std::process::{Command, Stdio};

use foobar_tests::Sandbox;

use crate::support::{Setup, program};

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn check_says_good_and_touches_nothing() {
    let setup = Setup::new("check", "grace = 4");
    let output = setup.run(&["--check"]);
    assert!(output.status.success());
    assert_eq!(text(&output.stdout), format!("{}: configuration is good\n", setup.config().display()));
    assert!(setup.messages().is_empty());
    let mut left: Vec<_> =
        fs::read_dir(setup.sandbox.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["foobard.toml", "log.sock"]);
}

#[test]
fn check_tells_every_fault_with_its_place() {
    let setup = Setup::new("check-bad", "");
    let cases = [
        ("lisen = 1", "1:1: lisen: unknown key: did you mean listen?"),
        ("Max_Connections = 1", "1:1: Max_Connections: unknown key: did you mean max-connections?"),
        ("colour = 1", "1:1: colour: unknown key: the keys are name, listen, model,"),
        ("[listen]", "1:1: listen: a text in quotes is wanted, not table"),
        ("listen = []", "1:10: listen: the list is empty"),
        ("listen = \"localhost:4007\"", "1:10: listen: \"localhost:4007\" is no numeric address"),
        ("listen = \"127.0.0.1\"", "1:10: listen:"),
        ("listen = \"127.0.0.1:0\"", "has port 0"),
        ("listen = [\"[::1]:1\", \"[::1]:1\"]", "stands twice"),
        ("model = \"prefrok\"", "1:9: model: \"prefrok\" is not known: write iterative or fork"),
        ("user = 0", "1:8: user: a text in quotes is wanted, not integer"),
        ("group = \"daemon\"", "1:1: group: stands without user"),
        ("max-connections = 0", "1:19: max-connections: a whole number from 1 to 1000000 is wanted, not 0"),
        ("max-connections = \"9\"", "not string"),
        ("backlog = 65536", "1:11: backlog:"),
        ("grace = 99999999999999999999", "1:9: grace:"),
        ("log = \"file\"", "1:7: log: \"file\" is no target"),
        ("syslog-facility = \"deamon\"", "is no facility"),
        ("syslog-socket = \"log\"", "is not an absolute path"),
        ("open-files = 1", "1:14: open-files:"),
        ("umask = 22", "1:9: umask: write 22 in octal: \"022\""),
        ("grace = 1\n\nä = 2", "3:1:"),
        ("log = \"/ä\"\ngrace = 1\ngrace = 2", "3:1: duplicate key"),
        ("grace = 1\r\nlisen = 1\r\n", "2:1: lisen:"),
        ("\u{feff}lisen = 1", "lisen: unknown key"),
        ("grace = 1\0", "1:"),
        ("user = \"no-such-user\"", "user \"no-such-user\" does not exist"),
    ];
    for (content, wanted) in cases {
        fs::write(setup.config(), content).unwrap();
        let output = setup.run(&["--check"]);
        assert_eq!(output.status.code(), Some(6), "{content:?}: {output:?}");
        let stderr = text(&output.stderr);
        assert!(stderr.contains(wanted), "{content:?}: {stderr}");
        assert!(stderr.lines().all(|line| line.starts_with("foobard: ")), "{stderr}");
    }
    // Not UTF-8, and too long.
    fs::write(setup.config(), b"grace = 1\nlog = \"\xff\"").unwrap();
    assert!(text(&setup.run(&["--check"]).stderr).contains("line 2, column 8 is not UTF-8"));
    fs::write(setup.config(), "#".repeat(2 << 20)).unwrap();
    assert!(text(&setup.run(&["--check"]).stderr).contains("longer than"));
}

#[test]
fn check_takes_what_is_good() {
    let setup = Setup::new("check-good", "");
    let good = [
        "",
        "# nothing but a comment, without a line feed at the end",
        "\u{feff}grace = 1",
        "grace = 1\r\nmodel = \"iterative\"\r\n",
        "umask = 0o027",
        "listen = [\"0.0.0.0:4007\", \"[::]:4007\"]",
        "log = \"/var/log/foobard.log\"\nidle-timeout = 0\nsyslog-facility = \"local7\"\nopen-files = 4096",
    ];
    for content in good {
        fs::write(setup.config(), content).unwrap();
        let output = setup.run(&["--check"]);
        assert!(output.status.success(), "{content:?}: {output:?}");
    }
    fs::write(setup.config(), "grace = 5").unwrap();
    let output = setup.run(&["--check"]);
    assert!(text(&output.stdout).contains("grace = 5 is not below the 5 seconds"), "{output:?}");
}

#[test]
fn the_shipped_configuration_is_good_and_tells_the_defaults() {
    let setup = Setup::new("shipped", "");
    let shipped = include_str!("../../packaging/foobard.toml");
    fs::write(setup.config(), shipped).unwrap();
    assert!(setup.run(&["--check"]).status.success());
    for key in foobard::config::KEYS {
        let written = shipped.lines().find_map(|line| {
            line.trim_start_matches("# ").strip_prefix(key.name)?.strip_prefix(" = ").map(str::to_owned)
        });
        let written = written.unwrap_or_else(|| panic!("{} is not in packaging/foobard.toml", key.name));
        if !key.default.is_empty() {
            assert_eq!(written, key.default, "{}", key.name);
        }
    }
}

#[test]
fn version_and_help_go_to_standard_output() {
    let output = Command::new(program()).arg("--version").output().unwrap();
    assert!(output.status.success());
    assert_eq!(text(&output.stdout), format!("foobard {}\n", env!("CARGO_PKG_VERSION")));
    let output = Command::new(program()).arg("--help").output().unwrap();
    assert!(output.status.success());
    let help = text(&output.stdout);
    for option in ["--config", "--pid-file", "--check", "--foreground", "--init", "--version"] {
        assert!(help.contains(option), "{option} is not in the help");
    }
}

#[test]
fn the_manual_page_tells_every_key_signal_and_code() {
    let sandbox = Sandbox::new("manual");
    let page = sandbox.path().join("foobard.8");
    let output = Command::new(program()).arg("--manual").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    fs::write(&page, &output.stdout).unwrap();
    let source = text(&output.stdout).replace('\\', "").replace("*(Aq", "'");
    for key in foobard::config::KEYS {
        let default = if key.default.is_empty() { String::new() } else { format!(" = {}", key.default) };
        let entry = format!("\n.TP\nfB{}fR{default}\n{}\n", key.name, key.meaning);
        assert!(source.contains(&entry), "{entry} is not in {source}");
    }
    for (signal, _, meaning) in foobard::event::TABLE {
        assert!(source.contains(&format!("fB{}fR\n{meaning}\n", signal.as_str())), "{signal}");
    }
    for (_, code, meaning) in foobard::exit::TABLE {
        assert!(source.contains(&format!("fB{code}fR\n{meaning}\n")), "{code}");
    }
    for option in ["--config", "--pid-file", "--check", "--foreground", "--init"] {
        assert!(source.contains(option), "{option}");
    }
    assert!(!source.contains("--completions"), "only packages need it");
    match Command::new("groff").args(["-ww", "-man", "-Tutf8"]).arg(&page).output() {
        Ok(output) => assert_eq!(text(&output.stderr), ""),
        Err(_) => foobar_tests::skip("groff is not installed"),
    }
}

#[test]
fn completions_are_offered_by_each_shell() {
    let sandbox = Sandbox::new("completions");
    for shell in ["bash", "zsh", "fish"] {
        let output = Command::new(program()).args(["--completions", shell]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let script = text(&output.stdout);
        for option in ["pid-file", "foreground", "init", "check"] {
            assert!(script.contains(option), "{option} is not in {script}");
        }
        assert!(!script.contains("completions") && !script.contains("manual"), "{script}");
        let file = sandbox.path().join(shell);
        fs::write(&file, script).unwrap();
        match Command::new(shell).arg("-n").arg(&file).output() {
            Ok(output) => assert!(output.status.success() && output.stderr.is_empty(), "{output:?}"),
            Err(_) => foobar_tests::skip(&format!("{shell} is not installed")),
        }
    }
    // And bash comes to the one option that begins so.
    let script = ". \"$1\"; COMP_WORDS=(foobard --fore); COMP_CWORD=1; _foobard foobard --fore foobard; echo \"${COMPREPLY[@]}\"";
    let mut bash = Command::new("bash");
    match bash.args(["-c", script, "bash"]).arg(sandbox.path().join("bash")).output() {
        Ok(output) => assert_eq!(text(&output.stdout), "--foreground\n", "{output:?}"),
        Err(_) => foobar_tests::skip("bash is not installed"),
    }
    let output = Command::new(program()).args(["--completions", "tcsh"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn bad_usage_is_code_2() {
    for arguments in
        [&["--colour"][..], &["start"], &["--check", "--init"], &["--config"], &["--pid-file", "--"]]
    {
        let output = Command::new(program()).args(arguments).stdin(Stdio::null()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty());
    }
}

#[test]
fn a_closed_output_is_no_panic() {
    let setup = Setup::new("closed", "");
    let shell = |script: &str| {
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(script).arg("sh").arg(program()).arg("--config").arg(setup.config());
        command.stdin(Stdio::null()).output().unwrap().status.code()
    };
    assert_eq!(shell("exec \"$@\" --check >&-"), Some(0));
    assert_eq!(shell("exec \"$@\" --check >/dev/full"), Some(0));
    assert_eq!(shell("exec \"$@\" --nonsense 2>/dev/full"), Some(2));
    assert_eq!(shell("exec \"$1\" --manual >/dev/full"), Some(1), "a page that is cut is no page");
    fs::write(setup.config(), "lisen = 1").unwrap();
    assert_eq!(shell("exec \"$@\" --check 2>/dev/full"), Some(6));
    assert_eq!(shell("exec \"$@\" --check 2>&- >&- <&-"), Some(6));
    // Whoever reads no further has seen enough of the page.
    let mut pipe = Command::new("/bin/sh");
    pipe.args(["-c", "{ \"$0\" --manual || echo failed >&2; } | :", program()]);
    assert_eq!(text(&pipe.output().unwrap().stderr), "");
}

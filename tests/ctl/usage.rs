//! The command line: bad usage, names that cannot be, help, completions, manual pages.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use foobar_tests::Sandbox;

use crate::support::{FOOBARCTL, Prefix, Ran, ctl, is_root};

#[test]
fn bad_usage_ends_with_2_and_says_why() {
    for arguments in [
        &[][..],
        &["frobnicate"],
        &["stop", "a", "b"],
        &["--format", "xml", "list"],
        &["--root", "/", "--prefix", "/", "list"],
        &["install", "--runlevels"],
        &["--quiet", "--verbose", "list"],
        &["start", "-foobar"],
        &["stop", "status", "x"],
    ] {
        let ran = ctl(arguments).expect(2);
        assert!(!ran.err.is_empty() && ran.out.is_empty(), "{arguments:?}: {ran:#?}");
    }
}

#[test]
fn bad_usage_of_status_is_an_unknown_state() {
    // 2 would be a dead service with a lock file.
    for arguments in [
        &["status", "a", "b"][..],
        &["--format", "xml", "status"],
        &["--root", "/", "--prefix", "/", "status"],
        &["status", "--layout", "amiga"],
        &["--prefix", "/nonexistent/place", "status"],
    ] {
        let ran = ctl(arguments).expect(4);
        assert!(!ran.err.is_empty() && ran.out.is_empty(), "{arguments:?}: {ran:#?}");
    }
}

#[test]
fn a_program_without_even_its_own_name_is_bad_usage() {
    // An empty argument list (CVE-2021-4034) cannot be made with std; an empty name can.
    let mut command = Command::new(FOOBARCTL);
    std::os::unix::process::CommandExt::arg0(&mut command, "");
    Ran::of(&mut command).expect(2);
}

#[test]
fn names_that_could_do_harm_are_refused_and_shown_safely() {
    let prefix = Prefix::empty("names");
    let long = "x".repeat(65);
    for name in
        ["../x", "a b", "$(reboot)", "a\nb", "'", "\"", "", "a/b", "\u{1b}[2J", "foo.dpkg-old", "x~", &long]
    {
        for verb in ["start", "stop", "install", "uninstall", "enable"] {
            let ran = prefix.ctl(&[verb, "--", name]).expect(2);
            assert_eq!(ran.err.lines().count(), 1, "{ran:#?}");
            assert!(!ran.err.contains('\u{1b}'), "{ran:#?}");
        }
        // 2 would be a lock file left behind; the state of what has no name is not known.
        prefix.ctl(&["status", "--", name]).expect(4);
    }
}

#[test]
fn a_tree_that_is_no_directory_is_named() {
    let sandbox = Sandbox::new("tree");
    let file = sandbox.path().join("file");
    fs::write(&file, "").unwrap();
    for option in ["--root", "--prefix"] {
        let ran = ctl(&[option, file.to_str().unwrap(), "list"]).expect(2);
        assert!(ran.err.contains(file.to_str().unwrap()), "{ran:#?}");
        ctl(&[option, "/nonexistent/place", "list"]).expect(2);
    }
}

#[test]
fn an_unknown_layout_is_answered_with_the_known_ones() {
    let prefix = Prefix::empty("layout");
    for arguments in [&["list"][..], &["start"], &["man", "/tmp"]] {
        let ran = prefix.ctl(&[&["--layout", "amiga"], arguments].concat()).expect(2);
        assert!(ran.err.contains("debian"), "{ran:#?}");
    }
}

#[test]
fn a_tree_of_no_known_layout_is_not_guessed_at() {
    let sandbox = Sandbox::new("unknown");
    let root = sandbox.path().to_str().unwrap();
    let ran = ctl(&["--root", root, "install"]).expect(6);
    assert!(ran.err.contains("--layout"), "{ran:#?}");
    ctl(&["--root", root, "--layout", "debian", "install"]).expect(0);
}

#[test]
fn help_tells_the_exit_codes_and_the_keys_of_json() {
    let help = ctl(&["--help"]).expect(0);
    assert!(help.out.contains("not permitted") && help.out.contains("force-reload"), "{}", help.out);
    for line in
        help.out.lines().skip_while(|line| *line != "Verbs:").skip(1).take_while(|line| !line.is_empty())
    {
        let (verb, about) = line.trim().split_once(' ').unwrap();
        let own = ctl(&[verb, "--help"]).expect(0).out;
        assert!(own.starts_with(about.trim()), "{verb}: {own}");
        assert!(own.contains("EXIT STATUS"), "{verb}: {own}");
    }
    let status = ctl(&["status", "--help"]).expect(0);
    for key in ["service", "code", "state", "pid", "since", "uptime", "cpu_time", "memory", "pid_file"] {
        assert!(status.out.contains(key), "{key}: {}", status.out);
    }
}

#[test]
fn completions_are_ones_that_their_shell_can_read() {
    let sandbox = Sandbox::new("completions");
    for shell in ["bash", "zsh", "fish"] {
        let text = ctl(&["completions", shell]).expect(0).out;
        assert!(text.contains("try-restart") && text.contains("runlevels"), "{shell}");
        let path = sandbox.path().join(shell);
        fs::write(&path, text).unwrap();
        match Command::new(shell).arg("-n").arg(&path).output() {
            Ok(output) => assert!(output.status.success(), "{shell}: {output:?}"),
            Err(_) => foobar_tests::skip(&format!("{shell} is not installed")),
        }
    }
}

#[test]
fn there_is_a_manual_page_for_every_verb_with_every_option() {
    let sandbox = Sandbox::new("man");
    ctl(&["man", sandbox.path().to_str().unwrap()]).expect(0);
    let main = fs::read_to_string(sandbox.path().join("foobarctl.8")).unwrap();
    for verb in [
        "install",
        "uninstall",
        "enable",
        "disable",
        "start",
        "stop",
        "restart",
        "try-restart",
        "reload",
        "force-reload",
        "status",
        "list",
        "completions",
        "cat",
        "edit",
        "help",
        "man",
    ] {
        let page = fs::read_to_string(sandbox.path().join(format!("foobarctl-{verb}.8"))).unwrap();
        assert!(page.contains(".TH foobarctl-"), "{page}");
        assert!(page.contains("prefix"), "{verb}: the options of every verb are missing");
        assert!(page.contains(".SH \"EXIT STATUS\"") && page.contains(".SH \"SEE ALSO\""), "{page}");
        assert!(!page.contains("Arguments of"), "{page}");
        assert!(main.replace('\\', "").contains(&format!("foobarctl-{verb}(8)")), "{main}");
    }
    assert!(main.contains("not permitted"), "the exit codes are missing");
    let keys = fs::read_to_string(sandbox.path().join("foobar-service.5")).unwrap().replace('\\', "");
    let help = ctl(&["help", "service-file"]).expect(0).out;
    for key in foobar_initscripts::keys::all() {
        assert!(keys.contains(&format!("\n  {} = ", key.name)), "{} is missing: {keys}", key.name);
        assert!(help.contains(&format!("\n  {} = ", key.name)), "{} is missing: {help}", key.name);
    }
    for page in ["foobarctl.8", "foobarctl-install.8", "foobar-service.5"] {
        match Command::new("groff").args(["-ww", "-man", "-Tutf8"]).arg(sandbox.path().join(page)).output() {
            Ok(output) => assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{page}"),
            Err(_) => foobar_tests::skip("groff is not installed"),
        }
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error_and_a_full_disk_is_one() {
    let prefix = Prefix::installed("pipe");
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "\"$0\" --prefix \"$1\" list | :", FOOBARCTL]).arg(prefix.sandbox.path());
    assert_eq!(Ran::of(&mut shell).expect(0).err, "");
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = prefix.command(&["list"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("standard output"));
    for arguments in [&["--help"][..], &["completions", "bash"], &["--version"]] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = prefix.command(arguments).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let mut shell = Command::new("/bin/sh");
        shell
            .args(["-c", "foobarctl=$0; { \"$foobarctl\" \"$@\"; echo $? >&2; } | :", FOOBARCTL])
            .args(arguments);
        assert_eq!(Ran::of(&mut shell).expect(0).err, "0\n", "{arguments:?}");
    }
}

#[test]
fn a_set_user_id_copy_refuses_to_run() {
    if !is_root() {
        return foobar_tests::skip("making a set-user-id program needs root");
    }
    let sandbox = Sandbox::new("setuid");
    fs::set_permissions(sandbox.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let copy = sandbox.path().join("foobarctl");
    // By another process: a child of another test may still hold what this one writes.
    Ran::of(Command::new("cp").arg(FOOBARCTL).arg(&copy)).expect(0);
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o4755)).unwrap();
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
        .arg(&copy)
        .args(["stop", "foobar"]);
    let ran = Ran::of(&mut command).expect(4);
    assert!(ran.err.contains("set-user-id"), "{ran:#?}");
}

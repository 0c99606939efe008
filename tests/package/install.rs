//! The install script puts things where it says, and takes every one of them away again.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use foobar_tests::{Sandbox, Testbed, shipped, source_tree};

fn install(arguments: &[&str], root: &Path) -> Output {
    let mut command = Command::new("sh");
    command.arg(source_tree().join("packaging/install.sh")).args(arguments);
    command.arg("--from").arg(shipped()).env("DESTDIR", root).output().unwrap()
}

fn files(root: &Path) -> Vec<String> {
    let output = Command::new("find")
        .args([".", "-type", "f", "-printf", "%m %P\n"])
        .current_dir(root)
        .output()
        .unwrap();
    let mut lines: Vec<String> =
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn what_is_installed_can_be_taken_away() {
    let sandbox = Sandbox::new("install");
    let output = install(&["--prefix", "/opt/foobar"], sandbox.path());
    assert!(output.status.success(), "{output:?}");
    let installed = files(sandbox.path());
    for file in [
        "755 opt/foobar/sbin/foobard",
        "755 opt/foobar/sbin/foobarctl",
        "644 opt/foobar/share/man/man8/foobarctl.8",
        "644 opt/foobar/share/man/man8/foobard.8",
        "644 opt/foobar/share/man/man5/foobar-service.5",
        "644 opt/foobar/share/bash-completion/completions/foobarctl",
        "644 opt/foobar/share/bash-completion/completions/foobard",
        "644 opt/foobar/share/zsh/site-functions/_foobarctl",
        "644 opt/foobar/share/zsh/site-functions/_foobard",
        "644 opt/foobar/share/fish/vendor_completions.d/foobarctl.fish",
        "644 opt/foobar/share/fish/vendor_completions.d/foobard.fish",
        "644 opt/foobar/share/doc/foobar/examples/foobard.toml",
    ] {
        assert!(installed.iter().any(|line| line == file), "{file} is missing: {installed:#?}");
    }
    assert!(installed.iter().all(|line| line.contains(" opt/foobar/")), "{installed:#?}");
    // Again, over what is there: nothing half written, nothing more.
    assert!(install(&["--prefix=/opt/foobar"], sandbox.path()).status.success());
    assert_eq!(files(sandbox.path()), installed);
    assert!(install(&["--prefix", "/opt/foobar", "--uninstall"], sandbox.path()).status.success());
    assert_eq!(files(sandbox.path()), Vec::<String>::new());
}

#[test]
fn what_it_installs_below_usr_local_comes_up_at_boot() {
    let Some(mut bed) = Testbed::new("local") else { return };
    let sandbox = Sandbox::new("local");
    // The other way to name the directory: as an argument, as make has it.
    let mut command = Command::new("sh");
    command.arg(source_tree().join("packaging/install.sh")).arg("--from").arg(shipped());
    command.arg(format!("DESTDIR={}", sandbox.path().display())).env_remove("DESTDIR");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    for program in ["usr/local/sbin/foobard", "usr/local/sbin/foobarctl"] {
        bed.put(&format!("/{program}"), &fs::read(sandbox.path().join(program)).unwrap(), 0o755);
    }
    let output = bed.offline("/usr/local/sbin/foobarctl install");
    assert!(output.status.success(), "{output:?}");
    // rc's PATH does not lead there.
    bed.boot();
    bed.ok("foobarctl status");
    let pid = bed.ok("cat /run/foobar.pid");
    assert_eq!(bed.ok(&format!("readlink /proc/{pid}/exe")), "/usr/local/sbin/foobard");
    bed.ok("foobarctl uninstall --purge");
    assert_eq!(bed.run("pgrep -x foobard").stdout, "");
}

#[test]
fn bad_usage_is_refused_before_anything_is_written() {
    let sandbox = Sandbox::new("usage");
    for arguments in [&["--prefix", "relative"][..], &["--frobnicate"], &["--prefix"]] {
        let mut command = Command::new("sh");
        command
            .arg(source_tree().join("packaging/install.sh"))
            .args(arguments)
            .env("DESTDIR", sandbox.path());
        assert_eq!(command.output().unwrap().status.code(), Some(2), "{arguments:?}");
    }
    assert_eq!(files(sandbox.path()), Vec::<String>::new());
}

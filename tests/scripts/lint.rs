//! The generated scripts before the linters of the trade: `sh -n`, shellcheck, checkbashisms, lintian.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use foobar_initscripts::layout::ALL;
use foobar_initscripts::layout::debian::DEBIAN;
use foobar_initscripts::name::Runlevels;
use foobar_initscripts::script::{Caller, Style, render};
use foobar_initscripts::service::{Kind, Service};
use foobar_tests::{Sandbox, skip};

use crate::shells::{is_installed, shells, streams};
use crate::{foobar, name};

/// Services whose values are as awkward as they may be.
fn services() -> Vec<Service> {
    let mut awkward =
        Service::of_kind(name("awkward.name_1+2-3"), "/opt/a b/$(id)/`x`/it's \"q\"/-n=1", Kind::Forking);
    awkward.description = "### it's \"$(quoted)\" `here` \\ and 100% *".to_owned();
    awkward.arguments =
        ["", "-n", "a b", "$HOME", "it's", "line\nbreak", "`id`", "*", "\\"].map(String::from).to_vec();
    awkward.pid_file = "/run/a b/$x's.pid".to_owned();
    awkward.provides = vec!["other".to_owned()];
    awkward.should_start = vec!["$network".to_owned(), "foobar".to_owned()];
    awkward.start_before = vec!["cron".to_owned()];
    awkward.reload_signal = None;
    let mut boot = Service::of_kind(name("early"), "/sbin/early", Kind::Forking);
    boot.runlevels = Runlevels::BOOT;
    vec![foobar(), awkward, boot]
}

/// Every kind of script of every service, as executable files in a directory.
fn scripts(sandbox: &Sandbox) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for (layout, service) in ALL.iter().flat_map(|layout| services().into_iter().map(move |s| (layout, s))) {
        let callers = [
            Caller::of(layout),
            Caller { foobarctl: "/opt/it's/foobarctl".into(), prefix: Some("/tmp/a $b".into()) },
        ];
        for (number, caller) in callers.iter().enumerate() {
            for style in [Style::Thin, Style::Standalone] {
                // Standalone scripts do not know who calls foobarctl.
                if style == Style::Standalone && number > 0 {
                    continue;
                }
                let file = format!("{}-{number}-{}-{style:?}.sh", service.name, layout.name);
                let path = sandbox.path().join(file);
                fs::write(&path, render(&service, layout, style, caller).unwrap()).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
                paths.push(path);
            }
        }
    }
    paths
}

fn must_be_silent(what: &str, output: &Output) {
    assert!(output.status.success() && streams(output).is_empty(), "{what}:\n{}", streams(output));
}

#[test]
fn every_shell_can_read_them() {
    let sandbox = Sandbox::new("lint-shells");
    for script in scripts(&sandbox) {
        for shell in shells() {
            let output = shell.command().arg("-n").arg(&script).output().unwrap();
            must_be_silent(&format!("{} -n {}", shell.name, script.display()), &output);
        }
    }
}

/// Whether a script holds values that are meant to look like mistakes.
fn is_awkward(script: &Path) -> bool {
    let name = script.file_name().unwrap().to_string_lossy();
    name.starts_with("awkward") || name.contains("-1-")
}

#[test]
fn shellcheck_is_silent() {
    if !is_installed("shellcheck") {
        return skip("shellcheck is not installed");
    }
    let sandbox = Sandbox::new("lint-shellcheck");
    let (awkward, usual): (Vec<_>, Vec<_>) = scripts(&sandbox).into_iter().partition(|path| is_awkward(path));
    let check = || {
        let mut command = Command::new("shellcheck");
        command.args(["--norc", "--shell=sh", "--severity=style"]);
        command
    };
    let (openrc, usual): (Vec<_>, Vec<_>) =
        usual.into_iter().partition(|path| path.to_string_lossy().contains("openrc"));
    must_be_silent("shellcheck", &check().args(&usual).output().unwrap());
    // Some variables are there for openrc-run, which reads the script.
    must_be_silent("shellcheck", &check().arg("--exclude=SC2034").args(&openrc).output().unwrap());
    // Values such as '$(id)' look like expansions that somebody forgot to let happen; they are not.
    must_be_silent(
        "shellcheck",
        &check().arg("--exclude=SC2016,SC1003,SC2034").args(&awkward).output().unwrap(),
    );
    for script in usual.iter().chain(&openrc).chain(&awkward) {
        let text = fs::read_to_string(script).unwrap();
        assert!(!text.contains("shellcheck disable"), "{}", script.display());
    }
}

#[test]
fn checkbashisms_is_silent() {
    if !is_installed("checkbashisms") {
        return skip("checkbashisms is not installed");
    }
    let sandbox = Sandbox::new("lint-checkbashisms");
    // It loses its way in quoted quotes, which the shells do not.
    let scripts: Vec<_> = scripts(&sandbox).into_iter().filter(|path| !is_awkward(path)).collect();
    must_be_silent(
        "checkbashisms",
        &Command::new("checkbashisms").args(["-p", "-f"]).args(&scripts).output().unwrap(),
    );
}

/// Builds a package that holds `script` as /etc/init.d/foobar, registered and marked as Policy wants.
fn package(folder: &Path, script: &str) -> PathBuf {
    let tree = folder.join("tree");
    let put = |path: &str, text: &str, mode: u32| {
        let path = tree.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    };
    put("etc/init.d/foobar", script, 0o755);
    put("DEBIAN/conffiles", "/etc/init.d/foobar\n", 0o644);
    put("DEBIAN/postinst", "#!/bin/sh\nset -e\nupdate-rc.d foobar defaults >/dev/null\n", 0o755);
    put("DEBIAN/postrm", "#!/bin/sh\nset -e\nupdate-rc.d foobar remove >/dev/null\n", 0o755);
    let control = "Package: foobar\nVersion: 0.1-1\nArchitecture: all\nMaintainer: Foo Bar <foo@example.org>\n\
                   Section: admin\nPriority: optional\nDescription: service under test\n A package for a test.\n";
    put("DEBIAN/control", control, 0o644);
    let file = folder.join("foobar.deb");
    let built = Command::new("dpkg-deb")
        .args(["--root-owner-group", "--build"])
        .arg(&tree)
        .arg(&file)
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", streams(&built));
    file
}

/// The tags that lintian has for a script, but the one that wants a systemd unit beside it.
fn tags(script: &str) -> Vec<String> {
    let sandbox = Sandbox::new("lintian");
    let file = package(sandbox.path(), script);
    let output = Command::new("lintian")
        .args(["--no-cfg", "--display-info", "--pedantic", "--display-experimental", "--allow-root"])
        .arg(file)
        .output()
        .unwrap();
    let text = streams(&output);
    assert!(text.contains("foobar: "), "lintian did not look at the package:\n{text}");
    text.lines()
        .filter(|line| line.contains("etc/init.d/") && !line.contains("missing-systemd-service"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn lintian_has_nothing_to_say_of_the_scripts() {
    if !is_installed("lintian") || !is_installed("dpkg-deb") {
        return skip("lintian is not installed");
    }
    for style in [Style::Thin, Style::Standalone] {
        let script = render(&foobar(), &DEBIAN, style, &Caller::of(&DEBIAN)).unwrap();
        assert_eq!(tags(&script), Vec::<String>::new(), "{style:?}");
    }
    let lame = tags("#!/bin/sh\necho start\n");
    assert!(lame.len() > 3, "lintian finds the faults of a lame script: {lame:?}");
}

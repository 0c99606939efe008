//! The linter beside lintian on the same scripts, and on scripts that must not be found fault with.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use foobar_initscripts::check::rules;
use foobar_initscripts::layout::debian::DEBIAN;
use foobar_initscripts::name::{Runlevels, ServiceName};
use foobar_initscripts::script::{Caller, Style, render};
use foobar_initscripts::service::{Kind, Service};
use foobar_tests::{Sandbox, skip};

use super::scripts::ROWS;
use super::tree::{GOOD, text};
use crate::support::ctl;

/// Scripts by name.
type Scripts = BTreeMap<String, Vec<u8>>;

/// Tags and codes by script.
type Found = BTreeMap<String, BTreeSet<String>>;

/// Tags of lintian's check init-d that are about the scripts and files of a package, and not about an init script: what
/// maintainer scripts call, which files are configuration, which other inits are served.
const OF_PACKAGES: [&str; 12] = [
    "directory-in-etc-sv-directory-without-executable-run-script",
    "duplicate-updaterc.d-calls-in-postinst",
    "duplicate-updaterc.d-calls-in-postrm",
    "init.d-script-not-marked-as-conffile",
    "output-of-updaterc.d-not-redirected-to-dev-null",
    "package-supports-alternative-init-but-no-init.d-script",
    "postrm-contains-additional-updaterc.d-calls",
    "postrm-does-not-call-updaterc.d-for-init.d-script",
    "preinst-calls-updaterc.d",
    "prerm-calls-updaterc.d",
    "upstart-job-in-etc-init.d-not-registered-via-update-rc.d",
    "duplicate-updaterc.d-calls-in-prerm",
];

/// Tags of other checks that are about init scripts.
const OF_SCRIPTS: [&str; 3] = [
    "init-script-is-not-a-file",
    "init.d-script-does-not-source-init-functions",
    "non-standard-file-permissions-for-etc-init.d-script",
];

fn tool(name: &str) -> bool {
    Path::new("/usr/bin").join(name).exists()
}

/// The corpus, and the scripts of the table of this test under names of their own.
fn scripts() -> Option<Scripts> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/reference/corpus/initd");
    if !corpus.is_dir() {
        skip("the corpus of init scripts is not beside the checkout");
        return None;
    }
    let mut scripts = Scripts::new();
    for entry in fs::read_dir(corpus).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().split_once("__").unwrap().1.to_owned();
        scripts.insert(name, fs::read(path).unwrap());
    }
    assert!(scripts.len() > 100, "only {} scripts in the corpus", scripts.len());
    for (number, row) in ROWS.iter().enumerate() {
        for (letter, by) in [("a", row.2), ("b", row.3)] {
            let name = format!("case{number}{letter}");
            let text = GOOD.replacen(row.1, by, 1).replace("good", &name);
            scripts.insert(name, text.into_bytes());
        }
    }
    Some(scripts)
}

/// A package that holds the scripts, registered and marked as Debian Policy wants.
fn package(folder: &Path, scripts: &Scripts) -> PathBuf {
    let tree = folder.join("tree");
    let put = |path: &str, text: &[u8], mode: u32| {
        let path = tree.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let (mut conffiles, mut postinst, mut postrm) =
        (String::new(), "#!/bin/sh\nset -e\n".to_owned(), "#!/bin/sh\nset -e\n".to_owned());
    for (name, text) in scripts {
        put(&format!("etc/init.d/{name}"), text, 0o755);
        conffiles.push_str(&format!("/etc/init.d/{name}\n"));
        postinst.push_str(&format!("update-rc.d {name} defaults >/dev/null\n"));
        postrm.push_str(&format!("update-rc.d {name} remove >/dev/null\n"));
    }
    put("DEBIAN/conffiles", conffiles.as_bytes(), 0o644);
    put("DEBIAN/postinst", postinst.as_bytes(), 0o755);
    put("DEBIAN/postrm", postrm.as_bytes(), 0o755);
    let control = "Package: foobar\nVersion: 0.1-1\nArchitecture: all\nMaintainer: Foo Bar <foo@example.org>\n\
                   Section: admin\nPriority: optional\nDescription: scripts under test\n A package for a test.\n";
    put("DEBIAN/control", control.as_bytes(), 0o644);
    let file = folder.join("foobar.deb");
    let built = Command::new("dpkg-deb")
        .args(["--root-owner-group", "--build"])
        .arg(&tree)
        .arg(&file)
        .output()
        .unwrap();
    assert!(built.status.success(), "{built:?}");
    file
}

/// The names of lintian's tags that are about init scripts.
fn known_tags() -> BTreeSet<String> {
    let mut found: BTreeSet<String> = OF_SCRIPTS.map(str::to_owned).into();
    for folder in fs::read_dir("/usr/share/lintian/tags").unwrap() {
        let Ok(files) = fs::read_dir(folder.unwrap().path()) else { continue };
        for path in files.map(|file| file.unwrap().path()) {
            let text = fs::read_to_string(&path).unwrap_or_default();
            if text.lines().any(|line| line == "Check: init-d") {
                found.insert(path.file_stem().unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found
}

/// What lintian says of each script.
fn lintian(package: &Path) -> Found {
    let output = Command::new("lintian")
        .args(["--no-cfg", "--display-info", "--pedantic", "--display-experimental", "--allow-root"])
        .args(["--tag-display-limit", "0", "--check-part", "init-d,systemd,files/init"])
        .arg(package)
        .output()
        .unwrap();
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut found = Found::new();
    for line in out.lines() {
        let mut words = line.split(' ').skip(2);
        let (Some(tag), Some((_, rest))) = (words.next(), line.split_once("[etc/init.d/")) else { continue };
        let name = rest.split([':', ']']).next().unwrap();
        found.entry(name.to_owned()).or_default().insert(tag.to_owned());
    }
    assert!(found.len() > 50, "lintian has looked at few scripts: {output:?}");
    found
}

/// Our findings on each script.
fn ours(folder: &Path, scripts: &Scripts) -> Found {
    let mut arguments = vec!["--format", "json", "check", "--fail-on", "never"];
    let files: Vec<String> =
        scripts.keys().map(|name| folder.join(name).to_str().unwrap().to_owned()).collect();
    for (file, text) in files.iter().zip(scripts.values()) {
        fs::write(file, text).unwrap();
    }
    arguments.extend(files.iter().map(String::as_str));
    let mut found = Found::new();
    for finding in ctl(&arguments).expect(0).json()["findings"].as_array().unwrap() {
        let name = text(finding, "file").rsplit('/').next().unwrap().to_owned();
        found.entry(name).or_default().insert(text(finding, "code"));
    }
    found
}

#[test]
fn nothing_that_lintian_finds_in_an_init_script_is_missed() {
    if !tool("lintian") || !tool("dpkg-deb") {
        return skip("lintian is not installed");
    }
    let Some(scripts) = scripts() else { return };
    let sandbox = Sandbox::new("check-lintian");
    let theirs = lintian(&package(sandbox.path(), &scripts));
    fs::create_dir(sandbox.path().join("scripts")).unwrap();
    let ours = ours(&sandbox.path().join("scripts"), &scripts);
    let known = known_tags();
    let nothing = BTreeSet::new();
    let (mut missed, mut compared, mut tags) = (Vec::new(), 0, BTreeSet::new());
    for (name, found) in &theirs {
        let codes = ours.get(name).unwrap_or(&nothing);
        for tag in found.iter().filter(|tag| known.contains(*tag) && !OF_PACKAGES.contains(&tag.as_str())) {
            let mut meant = rules::all().filter(|rule| rule.lintian.contains(&tag.as_str()));
            if !meant.any(|rule| codes.contains(rule.code)) {
                missed.push(format!("{name}: {tag}, where we have {codes:?}"));
            }
            compared += 1;
            tags.insert(tag);
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
    assert!(compared > 60 && tags.len() > 20, "only {compared} findings of {tags:?} were compared");
}

#[test]
fn every_tag_of_lintian_about_init_scripts_has_a_code() {
    if !Path::new("/usr/share/lintian/tags").is_dir() {
        return skip("lintian is not installed");
    }
    let mapped: BTreeSet<&str> = rules::all().flat_map(|rule| rule.lintian.iter().copied()).collect();
    let known = known_tags();
    assert!(known.len() > 30, "{known:?}");
    let open: Vec<&String> = known
        .iter()
        .filter(|tag| !mapped.contains(tag.as_str()) && !OF_PACKAGES.contains(&tag.as_str()))
        .collect();
    assert!(open.is_empty(), "no code says what these say: {open:?}");
    let gone: Vec<&&str> = mapped.iter().filter(|tag| !known.contains(**tag)).collect();
    assert!(gone.is_empty(), "lintian has no such tags: {gone:?}");
}

#[test]
fn our_own_scripts_give_no_finding() {
    let sandbox = Sandbox::new("check-own");
    let name = |text: &str| ServiceName::parse(text).unwrap();
    let mut awkward =
        Service::of_kind(name("awkward.name_1+2-3"), "/opt/a b/$(id)/it's \"q\"", Kind::Forking);
    awkward.arguments = ["", "a b", "$HOME", "line\nbreak", "*"].map(String::from).to_vec();
    awkward.provides = vec!["other".to_owned()];
    awkward.should_start = vec!["$network".to_owned()];
    awkward.start_before = vec!["cron".to_owned()];
    awkward.reload_signal = None;
    let mut early = Service::of_kind(name("early"), "/sbin/early", Kind::Forking);
    early.runlevels = Runlevels::BOOT;
    let mut files = Vec::new();
    for service in [Service::of_kind(name("foobar"), "/usr/sbin/foobard", Kind::Forking), awkward, early] {
        for (number, style) in [Style::Thin, Style::Standalone].into_iter().enumerate() {
            let folder = sandbox.path().join(format!("{number}"));
            fs::create_dir_all(&folder).unwrap();
            let file = folder.join(service.name.as_str());
            fs::write(&file, render(&service, &DEBIAN, style, &Caller::of(&DEBIAN)).unwrap()).unwrap();
            files.push(file.to_str().unwrap().to_owned());
        }
    }
    let arguments: Vec<&str> = files.iter().map(String::as_str).collect();
    let ran = ctl(&[&["check", "--fail-on", "note"][..], &arguments].concat()).expect(0);
    assert!(ran.out.starts_with("checked 6 "), "{ran:#?}");
}

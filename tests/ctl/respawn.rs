//! `install --respawn` in the tree of another machine; on a running one it is in `tests/boot`.

use std::fs;

use foobar_tests::Sandbox;

use crate::support::{Prefix, Ran, ctl, picture, same};

const TABLE: &str = "id:2:initdefault:\n1:2345:respawn:/sbin/getty tty1\n";

fn machine(name: &str) -> Sandbox {
    let sandbox = Sandbox::new(name);
    for directory in ["etc/init.d", "etc/rc2.d", "etc/rcS.d", "etc/inittab.d"] {
        fs::create_dir_all(sandbox.path().join(directory)).unwrap();
    }
    fs::write(sandbox.path().join("etc/inittab"), TABLE).unwrap();
    fs::write(sandbox.path().join("etc/inittab.d/more.tab"), "foob:2:off:/x\n").unwrap();
    sandbox
}

fn offline(sandbox: &Sandbox, arguments: &[&str]) -> Ran {
    ctl(&[&["--root", sandbox.path().to_str().unwrap()][..], arguments].concat())
}

fn table(sandbox: &Sandbox) -> String {
    fs::read_to_string(sandbox.path().join("etc/inittab")).unwrap()
}

#[test]
fn it_is_installed_listed_disabled_enabled_and_uninstalled() {
    let machine = machine("respawn");
    let before = picture(machine.path());
    let dry = offline(&machine, &["install", "--respawn", "--dry-run"]).expect(0);
    assert!(dry.out.contains("edit    /etc/inittab (lines: 0 go, 2 come)"), "{dry:#?}");
    same("dry run", &before, &picture(machine.path()));
    let ran = offline(&machine, &["install", "--respawn", "--runlevels", "235"]).expect(0);
    assert!(ran.out.contains("etc/inittab") && ran.err.is_empty(), "{ran:#?}");
    assert!(table(&machine).starts_with(TABLE));
    assert!(table(&machine).ends_with(
        "\nfoo0:235:respawn:/usr/sbin/foobard --init --config /etc/foobard.toml --pid-file /var/run/foobar.pid\n"
    ));
    for again in [&["install", "--respawn"][..], &["install"]] {
        assert_eq!(offline(&machine, again).expect(0).out, "foobar is installed already, nothing to do\n");
    }
    assert!(!machine.path().join("etc/init.d/foobar").exists());
    let row = || offline(&machine, &["list", "--format", "json"]).expect(0).json()[0].clone();
    assert_eq!((&row()["start"], &row()["respawn"]), (&"235".into(), &true.into()));
    assert!(offline(&machine, &["list"]).expect(0).out.contains("respawned by init"));
    let check = offline(&machine, &["check", "foobar", "--format", "json"]).json();
    let missing = check["findings"].as_array().unwrap().iter().any(|f| f["code"] == "service-not-installed");
    assert!(!missing, "{check:#}");

    let installed = picture(machine.path());
    assert_eq!(offline(&machine, &["disable"]).expect(0).out, "disabled foobar (1 change)\n");
    assert!(table(&machine).contains("\nfoo0:235:off:"));
    assert_eq!(row()["start"], "");
    assert_eq!(offline(&machine, &["disable"]).expect(0).out, "foobar is disabled already, nothing to do\n");
    offline(&machine, &["enable"]).expect(0);
    same("enable after disable", &installed, &picture(machine.path()));

    offline(&machine, &["uninstall"]).expect(0);
    assert_eq!(table(&machine), TABLE);
    assert!(!machine.path().join("etc/foobar").exists());
    assert!(offline(&machine, &["uninstall"]).expect(0).out.contains("nothing to do"));
}

#[test]
fn what_cannot_be_is_refused_and_nothing_is_touched() {
    let machine = machine("respawn-refused");
    let file = machine.path().join("etc/foobar/myapp.toml");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, "program = \"/usr/sbin/myapp\"\ntype = \"forking\"\n").unwrap();
    let refused = |arguments: &[&str], code: i32, words: &str| {
        let before = picture(machine.path());
        let ran = offline(&machine, arguments).expect(code);
        assert!(ran.err.contains(words), "{ran:#?}");
        same(words, &before, &picture(machine.path()));
    };
    refused(&["install", "myapp", "--respawn"], 6, "foreground-arguments in its service file");
    refused(&["install", "--respawn", "--standalone"], 2, "--standalone");
    let long = "x".repeat(120);
    fs::write(
        &file,
        format!("program = \"/{long}\"\ntype = \"forking\"\nforeground-arguments = [\"--fore\"]\n"),
    )
    .unwrap();
    refused(&["install", "myapp", "--respawn"], 6, "up to 127 bytes");
    fs::write(machine.path().join("etc/inittab"), format!("{TABLE}x:2:respawn:/usr/sbin/foobard -f\n"))
        .unwrap();
    refused(&["install", "--respawn"], 1, "/etc/inittab, line 3, starts /usr/sbin/foobard already");
    fs::remove_file(machine.path().join("etc/inittab")).unwrap();
    refused(&["install", "--respawn"], 6, "/etc/inittab does not exist");
    fs::write(machine.path().join("etc/inittab"), TABLE).unwrap();
    fs::write(&file, "program = \"/usr/sbin/myapp\"\n").unwrap();
    refused(&["install", "myapp", "--respawn"], 6, "the supervisor keeps myapp running");
    let prefix = Prefix::empty("respawn-prefix");
    assert!(prefix.ctl(&["install", "--respawn"]).expect(2).err.contains("--prefix"));
}

#[test]
fn a_line_that_was_changed_by_hand_outlives_uninstall() {
    let machine = machine("respawn-edited");
    offline(&machine, &["install", "--respawn"]).expect(0);
    let mine = table(&machine).replace("--init", "--init --mine");
    fs::write(machine.path().join("etc/inittab"), &mine).unwrap();
    let ran = offline(&machine, &["uninstall"]).expect(0);
    assert!(ran.err.contains("the entry of foobar in /etc/inittab, line 4, was changed by hand"), "{ran:#?}");
    assert_eq!(table(&machine), mine);
    offline(&machine, &["uninstall", "--purge"]).expect(0);
    assert_eq!(table(&machine), TABLE);
}

/// The tree of a machine with busybox's init, as Buildroot makes it.
fn buildroot(name: &str) -> Sandbox {
    let sandbox = Sandbox::new(name);
    fs::create_dir_all(sandbox.path().join("etc/init.d")).unwrap();
    crate::support::executable(&sandbox.path().join("etc/init.d/rcS"), "#!/bin/sh\n");
    fs::write(sandbox.path().join("etc/inittab"), BUSYBOX).unwrap();
    sandbox
}

const BUSYBOX: &str =
    "null::sysinit:/bin/mount -t proc proc /proc\n::respawn:/sbin/getty -L console 0 vt100\n";

#[test]
fn busyboxs_table_is_written_as_busybox_reads_it() {
    let machine = buildroot("respawn-busybox");
    let before = picture(machine.path());
    let refused = offline(&machine, &["install", "--respawn", "--runlevels", "2345"]).expect(2);
    assert!(refused.err.contains("has no runlevels"), "{refused:#?}");
    same("refused", &before, &picture(machine.path()));
    let told = offline(&machine, &["install", "--respawn"]).expect(0).out;
    assert!(told.contains("etc/inittab (") && !told.contains("runlevel"), "{told}");
    const LINE: &str =
        "null::respawn:/usr/sbin/foobard --init --config /etc/foobard.toml --pid-file /var/run/foobar.pid\n";
    assert!(table(&machine).starts_with(BUSYBOX) && table(&machine).ends_with(&format!("\n{LINE}")));
    for again in [&["install", "--respawn"][..], &["install"]] {
        assert_eq!(offline(&machine, again).expect(0).out, "foobar is installed already, nothing to do\n");
    }
    let installed = picture(machine.path());
    let row = || offline(&machine, &["list", "--format", "json"]).expect(0).json()[0].clone();
    assert_eq!((&row()["start"], &row()["respawn"]), (&"S".into(), &true.into()));

    offline(&machine, &["disable"]).expect(0);
    assert!(table(&machine).ends_with(&format!("\n#{LINE}")), "{}", table(&machine));
    assert_eq!(row()["start"], "");
    assert_eq!(offline(&machine, &["disable"]).expect(0).out, "foobar is disabled already, nothing to do\n");
    let kept = offline(&machine, &["install"]).expect(0);
    assert!(kept.err.contains("foobar stays disabled in /etc/inittab"), "{kept:#?}");
    assert!(offline(&machine, &["enable", "--runlevels", "3"]).expect(2).err.contains("has no runlevels"));
    offline(&machine, &["enable"]).expect(0);
    same("enable after disable", &installed, &picture(machine.path()));

    // Two services have two lines, which differ in nothing but the command.
    let other = "program = \"/bin/other\"\ntype = \"forking\"\nforeground-arguments = [\"-f\"]\n";
    fs::write(machine.path().join("etc/foobar/other.toml"), other).unwrap();
    offline(&machine, &["install", "other", "--respawn"]).expect(0);
    assert!(table(&machine).ends_with("\nnull::respawn:/bin/other -f\n"), "{}", table(&machine));
    offline(&machine, &["uninstall", "other", "--purge"]).expect(0);
    same("one of two is gone", &installed, &picture(machine.path()));

    let mine = table(&machine).replace("--init", "--init --mine");
    fs::write(machine.path().join("etc/inittab"), &mine).unwrap();
    let kept = offline(&machine, &["uninstall"]).expect(0);
    assert!(kept.err.contains("line 4, was changed by hand"), "{kept:#?}");
    assert_eq!(table(&machine), mine);
    offline(&machine, &["uninstall", "--purge"]).expect(0);
    assert_eq!(table(&machine), BUSYBOX);
}

#[test]
fn the_dialect_is_that_of_the_init_of_the_tree() {
    let init = |machine: &Sandbox, target: &str| {
        fs::create_dir_all(machine.path().join("sbin")).unwrap();
        fs::create_dir_all(machine.path().join("bin")).unwrap();
        fs::write(machine.path().join("bin/busybox"), "").unwrap();
        std::os::unix::fs::symlink(target, machine.path().join("sbin/init")).unwrap();
    };
    // A Buildroot may have sysvinit, and a machine with links in rcN.d busybox.
    let odd = buildroot("respawn-sysv-of-buildroot");
    fs::create_dir_all(odd.path().join("lib")).unwrap();
    fs::write(odd.path().join("lib/sysvinit"), "").unwrap();
    init(&odd, "/lib/sysvinit");
    offline(&odd, &["install", "--respawn", "--runlevels", "3"]).expect(0);
    assert!(table(&odd).contains("\nfoob:3:respawn:"), "{}", table(&odd));
    let other = machine("respawn-busybox-of-debian");
    init(&other, "../bin/busybox");
    offline(&other, &["install", "--respawn"]).expect(0);
    assert!(table(&other).contains("\nnull::respawn:"), "{}", table(&other));
    // Another init since: the entry is written anew, as that one reads it.
    fs::remove_file(other.path().join("sbin/init")).unwrap();
    offline(&other, &["install"]).expect(0);
    assert!(table(&other).contains("\nfoo0:2345:respawn:") && !table(&other).contains("null::"));
}

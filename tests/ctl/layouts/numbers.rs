//! The numbers of links where insserv does not give them.

use std::os::unix::fs::symlink;

use super::roots::Root;

/// A service that waits for some, with these lines more in its service file.
fn service(root: &Root, name: &str, more: &str) {
    let text = format!("program = \"/usr/sbin/{name}\"\n{more}");
    root.write(&format!("etc/foobar/{name}.toml"), &text);
}

fn numbers(root: &Root, directory: &str, script: &str) -> Vec<String> {
    let names = std::fs::read_dir(root.path(directory)).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.get(3..) == Some(script)).map(|name| name[..3].to_owned()).collect()
}

#[test]
fn chkconfigs_numbers_follow_dependencies_through_others() {
    let root = Root::redhat();
    service(&root, "late", "required-start = [\"crond\"]\nrequired-stop = [\"rsyslog\"]\n");
    root.ctl(&["install", "late"]).expect(0);
    assert_eq!(numbers(&root, "etc/rc.d/rc3.d", "late"), ["S91"]);
    assert_eq!(numbers(&root, "etc/rc.d/rc0.d", "late"), ["K50"]);
    // zope needs foobar, and proxy zope: both move up for starting and down for stopping.
    root.ctl(&["install", "foobar"]).expect(0);
    for (script, start, stop) in [("foobar", "S50", "K50"), ("zope", "S51", "K49"), ("proxy", "S52", "K48")] {
        assert_eq!(numbers(&root, "etc/rc.d/rc3.d", script), [start], "{script}");
        assert_eq!(numbers(&root, "etc/rc.d/rc0.d", script), [stop], "{script}");
    }
    // A dependency counts although it is off in a runlevel of the service; chkconfig forgets it then.
    service(&root, "part", "required-start = [\"zope\"]\n");
    root.ctl(&["install", "part"]).expect(0);
    assert_eq!(numbers(&root, "etc/rc.d/rc2.d", "part"), ["S52"]);
}

#[test]
fn a_loop_ends_and_leaves_the_other_scripts_alone() {
    let root = Root::redhat();
    service(&root, "foobar", "required-start = [\"proxy\"]\n");
    root.ctl(&["install", "foobar"]).expect(0);
    assert_eq!(numbers(&root, "etc/rc.d/rc3.d", "crond"), ["S90"]);
    assert_eq!(numbers(&root, "etc/rc.d/rc3.d", "network"), ["S10"]);
}

#[test]
fn fixed_numbers_give_way_to_dependencies_and_move_nobody() {
    let root = Root::lfs();
    root.ctl(&["install"]).expect(0);
    // After the network, S20, and before zope, S45, which needs it; K between zope, K20, and the network, K80.
    assert_eq!(numbers(&root, "etc/rc.d/rc3.d", "foobar"), ["S44"]);
    assert_eq!(numbers(&root, "etc/rc.d/rc6.d", "foobar"), ["K50"]);
    assert_eq!(numbers(&root, "etc/rc.d/rc3.d", "zope"), ["S45"]);
    service(&root, "squeezed", "required-start = [\"zope\"]\nstart-before = [\"sshd\"]\n");
    let ran = root.ctl(&["install", "squeezed"]).expect(0);
    assert!(ran.err.contains("S46") && ran.err.contains("sshd") && ran.err.contains("after"), "{ran:#?}");
    assert_eq!(numbers(&root, "etc/rc.d/rc3.d", "squeezed"), ["S46"]);
}

#[test]
fn a_number_that_an_administrator_has_chosen_stays() {
    let root = Root::lfs();
    root.ctl(&["install"]).expect(0);
    std::fs::rename(root.path("etc/rc.d/rc3.d/S44foobar"), root.path("etc/rc.d/rc3.d/S33foobar")).unwrap();
    let before = root.picture();
    root.ctl(&["install"]).expect(0);
    assert_eq!(root.picture(), before);
    // A half made installation is completed.
    std::fs::remove_file(root.path("etc/rc.d/rc4.d/S44foobar")).unwrap();
    root.ctl(&["install"]).expect(0);
    assert_eq!(numbers(&root, "etc/rc.d/rc4.d", "foobar").len(), 1);
    // A start link turned into a kill link is a choice.
    std::fs::remove_file(root.path("etc/rc.d/rc5.d/S44foobar")).unwrap_or_default();
    for number in numbers(&root, "etc/rc.d/rc5.d", "foobar") {
        std::fs::remove_file(root.path(&format!("etc/rc.d/rc5.d/{number}foobar"))).unwrap();
    }
    symlink("../init.d/foobar", root.path("etc/rc.d/rc5.d/K50foobar")).unwrap();
    let ran = root.ctl(&["install"]).expect(0);
    assert!(ran.err.contains("keeps its links"), "{ran:#?}");
    assert_eq!(numbers(&root, "etc/rc.d/rc5.d", "foobar"), ["K50"]);
}

#[test]
fn a_runlevel_that_a_layout_does_not_have_is_refused() {
    let root = Root::redhat();
    let ran = root.ctl(&["install", "--runlevels", "S"]).expect(6);
    assert!(ran.err.contains("redhat has no runlevel S"), "{ran:#?}");
    let root = Root::busybox();
    root.ctl(&["install", "--runlevels", "2345"]).expect(2);
}

#[test]
fn buildroots_numbers_follow_dependencies_too() {
    let root = Root::busybox();
    root.ctl(&["install"]).expect(0);
    assert!(root.path("etc/init.d/S50foobar").is_file());
    service(&root, "late", "required-start = [\"last\"]\n");
    let ran = root.ctl(&["install", "late"]).expect(0);
    assert!(root.path("etc/init.d/S99late").is_file());
    assert!(ran.err.contains("last") && ran.err.contains("before"), "{ran:#?}");
    service(&root, "early", "required-start = [\"network\"]\nstart-before = [\"dropbear\"]\n");
    root.ctl(&["install", "early"]).expect(0);
    assert!(root.path("etc/init.d/S49early").is_file(), "{}", root.picture());
}

#[test]
fn what_chkconfig_would_leave_where_it_moved_it_goes_back() {
    let root = Root::redhat();
    let before = root.picture();
    root.ctl(&["install"]).expect(0);
    let record = std::fs::read_to_string(root.path("etc/foobar/foobar.moved")).unwrap();
    assert!(
        record.contains("\n3 S50zope S51zope\n") && record.contains("\n0 K49proxy K48proxy\n"),
        "{record}"
    );
    root.ctl(&["install", "--force"]).expect(0);
    root.ctl(&["disable"]).expect(0);
    root.ctl(&["uninstall", "--purge"]).expect(0);
    assert_eq!(root.picture(), before);

    // What somebody has moved since is his; and nothing goes back beyond what it needs.
    root.ctl(&["install"]).expect(0);
    std::fs::rename(root.path("etc/rc.d/rc3.d/S51zope"), root.path("etc/rc.d/rc3.d/S70zope")).unwrap();
    std::fs::rename(root.path("etc/rc.d/rc5.d/S52proxy"), root.path("etc/rc.d/rc5.d/S60proxy")).unwrap();
    root.ctl(&["uninstall", "--purge"]).expect(0);
    assert_eq!(numbers(&root, "etc/rc.d/rc3.d", "zope"), ["S70"]);
    assert_eq!(numbers(&root, "etc/rc.d/rc5.d", "zope"), ["S50"]);
    assert_eq!(numbers(&root, "etc/rc.d/rc3.d", "proxy"), ["S52"], "it needs zope, which is later");
    assert_eq!(numbers(&root, "etc/rc.d/rc5.d", "proxy"), ["S60"]);
    assert_eq!(numbers(&root, "etc/rc.d/rc0.d", "proxy"), ["K49"]);
    assert!(!root.path("etc/foobar").exists());
}

#[test]
fn a_service_with_nothing_but_kill_links_gets_a_start_number_of_its_own() {
    let root = Root::lfs();
    let only_kills = |name: &str, number: &str| {
        for level in "23456S01".chars() {
            for there in numbers(&root, &format!("etc/rc.d/rc{level}.d"), name) {
                std::fs::remove_file(root.path(&format!("etc/rc.d/rc{level}.d/{there}{name}"))).unwrap();
            }
            if level != 'S' {
                let link = root.path(&format!("etc/rc.d/rc{level}.d/{number}{name}"));
                symlink(format!("../init.d/{name}"), link).unwrap();
            }
        }
    };
    // By the book's own numbers, which add up to 100.
    only_kills("sysklogd", "K90");
    root.ctl(&["enable", "sysklogd"]).expect(0);
    assert_eq!(numbers(&root, "etc/rc.d/rc3.d", "sysklogd"), ["S10"]);
    assert_eq!(numbers(&root, "etc/rc.d/rc6.d", "sysklogd"), ["K90"]);
    // K20 would be before foobar, which it needs.
    root.ctl(&["install"]).expect(0);
    only_kills("zope", "K20");
    root.ctl(&["enable", "zope", "--runlevels", "345"]).expect(0);
    assert_eq!(numbers(&root, "etc/rc.d/rc3.d", "zope"), ["S45"]);
    // Turned by us, with the number of its start: it has that again.
    root.ctl(&["disable", "zope", "--runlevels", "345"]).expect(0);
    root.ctl(&["enable", "zope", "--runlevels", "345"]).expect(0);
    assert_eq!(numbers(&root, "etc/rc.d/rc3.d", "zope"), ["S45"]);
    assert_eq!(numbers(&root, "etc/rc.d/rc0.d", "zope"), ["K20"]);
}

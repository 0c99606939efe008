//! `why`, `graph` and `check` where insserv does not give the numbers: what is so, and not what insserv would do.

use super::roots::Root;

/// Fails unless `text` has these lines, in this order; blanks around them do not count.
#[track_caller]
fn has(text: &str, lines: &[&str]) {
    let mut rest = text.lines().map(str::trim);
    for line in lines {
        assert!(rest.any(|there| there == *line), "there is no {line:?} in its place in:\n{text}");
    }
}

#[test]
fn why_tells_numbers_and_neighbours() {
    let root = Root::lfs();
    root.ctl(&["install"]).expect(0);
    let told = root.ctl(&["why", "foobar"]).expect(0).out;
    has(
        &told,
        &[
            "foobar starts as S44 (2345)",
            "has to come after network, which has S10 (2), S20 (345)",
            "/etc/rc.d/init.d/foobar:4: Required-Start: $network",
            "has to come before zope, which has S45 (345)",
            "foobar stops as K50 (016)",
            "has to come after zope, which has K20 (0126)",
            "has to come before network, which has K80 (016)",
        ],
    );
    assert!(!told.contains("insserv") && told.contains("numbers are given by hand"), "{told}");
    std::fs::rename(root.path("etc/rc.d/rc3.d/S44foobar"), root.path("etc/rc.d/rc3.d/S15foobar")).unwrap();
    let told = root.ctl(&["why", "foobar"]).expect(0).out;
    has(&told, &["has to come after network, which has S10 (2), S20 (345) - and does not"]);
    let facts = root.ctl(&["--format", "json", "why", "foobar"]).expect(0).json();
    assert_eq!(facts["orders"][0]["numbers"][0]["number"], "S15");

    let root = Root::busybox();
    root.ctl(&["install"]).expect(0);
    let told = root.ctl(&["why", "foobar"]).expect(0).out;
    has(
        &told,
        &[
            "foobar starts as S50 (S)",
            "has to come after network, which has S40 (S)",
            "/etc/init.d/S50foobar:4: Required-Start: $network",
            "has to come before last, which has S99 (S)",
            "/etc/init.d/S99last:4: Required-Start: foobar",
        ],
    );
    assert!(told.contains("opposite order"), "{told}");

    let root = Root::redhat();
    root.ctl(&["install"]).expect(0);
    let told = root.ctl(&["why", "zope"]).expect(0).out;
    has(&told, &["zope starts as S51 (35)", "has to come after foobar, which has S50 (2345)"]);
    assert!(told.contains("# chkconfig:"), "{told}");
}

#[test]
fn graph_draws_the_numbers_that_are_there() {
    let root = Root::redhat();
    root.ctl(&["install"]).expect(0);
    let lanes =
        ["|-- 10", "|-- 12", "|-- 50", "`-- foobar <- network, rsyslog", "|-- 51", "|-- 52", "`-- 90"];
    let drawn = root.ctl(&["graph", "--runlevel", "3"]).expect(0).out;
    for lane in lanes {
        assert!(drawn.contains(lane), "{lane}:\n{drawn}");
    }
    let ran = root.ctl(&["graph", "--runlevel", "S"]).expect(2);
    assert!(ran.err.contains("no runlevel"), "{ran:#?}");

    let root = Root::busybox();
    let drawn = root.ctl(&["graph", "--diff", "install", "foobar"]).expect(0).out;
    assert!(
        drawn.starts_with("start at boot") && drawn.contains("-- 50") && drawn.contains("foobar"),
        "{drawn}"
    );
    let ran = root.ctl(&["graph", "--stop"]).expect(2);
    assert!(ran.err.contains("opposite order"), "{ran:#?}");
}

/// The codes of the findings about a service.
fn codes(root: &Root, name: &str) -> Vec<String> {
    let facts = root.ctl(&["--format", "json", "check", name]).json();
    let found = facts["findings"].as_array().unwrap_or_else(|| panic!("{facts}")).clone();
    found.iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn check_has_nothing_to_say_of_our_scripts_and_finds_wrong_numbers() {
    // What is missing in every tree of a test.
    let usual = ["service-program-absent", "interpreter-absent"];
    for root in [Root::redhat(), Root::lfs(), Root::busybox(), Root::suse(), Root::openrc()] {
        for style in [&["install"][..], &["install", "--standalone", "--force"]] {
            root.ctl(style).expect(0);
            let found = codes(&root, "foobar");
            assert!(found.iter().all(|code| usual.contains(&code.as_str())), "{found:?}\n{}", root.picture());
        }
    }
    let root = Root::lfs();
    root.ctl(&["install"]).expect(0);
    std::fs::rename(root.path("etc/rc.d/rc3.d/S44foobar"), root.path("etc/rc.d/rc3.d/S15foobar")).unwrap();
    assert!(codes(&root, "foobar").contains(&"order-wrong".to_owned()));
    let root = Root::busybox();
    root.ctl(&["install"]).expect(0);
    std::fs::rename(root.path("etc/init.d/S50foobar"), root.path("etc/init.d/S15foobar")).unwrap();
    assert!(codes(&root, "foobar").contains(&"order-wrong".to_owned()));
}

#[test]
fn check_tells_what_happens_in_the_layout_at_hand() {
    let header = "### BEGIN INIT INFO\n# Provides: odd\n# Required-Start: network  nobody\n# Default-Start: B\n\
                  ### END INIT INFO\n";
    let script = format!(
        "#!/bin/sh\n{header}case $1 in start) ;; stop) ;; restart) ;; force-reload) ;; status) ;; esac\n"
    );
    let said = |root: &Root, path: &str, name: &str| {
        crate::support::executable(&root.path(path), &script);
        let facts = root.ctl(&["--format", "json", "check", name]).json();
        facts["findings"].as_array().unwrap_or_else(|| panic!("{facts}")).clone()
    };
    for (root, path) in [(Root::redhat(), "etc/rc.d/init.d/odd"), (Root::lfs(), "etc/rc.d/init.d/odd")] {
        let found = said(&root, path, "odd");
        let cut = found.iter().find(|finding| finding["code"] == "list-cut");
        let cut = cut.unwrap_or_else(|| panic!("{found:#?}"));
        assert!(cut["effect"].as_str().unwrap().starts_with("foobarctl ends the list"), "{cut}");
        assert!(found.iter().all(|finding| !finding.to_string().contains("insserv")), "{found:#?}");
        // B is of no meaning there, and keeps nobody else from being installed.
        assert!(found.iter().any(|finding| finding["code"] == "level-b"), "{found:#?}");
        root.ctl(&["install"]).expect(0);
    }
    // SUSE has both: insserv, and B.
    let found = said(&Root::suse(), "etc/init.d/odd", "odd");
    let cut = found.iter().find(|finding| finding["code"] == "list-cut");
    assert!(cut.is_some_and(|cut| cut["effect"].as_str().unwrap().starts_with("insserv ends")), "{found:#?}");
    assert!(!found.iter().any(|finding| finding["code"] == "level-b"), "{found:#?}");
}

#[test]
fn who_requires_what_goes_is_named_and_a_disabled_need_is_found() {
    for root in [Root::redhat(), Root::lfs(), Root::suse()] {
        root.ctl(&["install"]).expect(0);
        for verb in ["disable", "enable", "uninstall"] {
            let ran = root.ctl(&[verb]).expect(0);
            let told = ran.err.contains("note: without foobar: zope requires it and starts all the same");
            assert_eq!(told, verb != "enable", "{ran:#?}");
        }
    }
    let root = Root::busybox();
    root.ctl(&["install"]).expect(0);
    let ran = root.ctl(&["disable"]).expect(0);
    assert!(ran.err.contains("last requires it and starts all the same"), "{ran:#?}");
    let facts = root.ctl(&["--format", "json", "check", "last"]).json();
    let found = facts["findings"].as_array().unwrap();
    let need = found.iter().find(|finding| finding["code"] == "requirement-levels");
    assert!(need.is_some_and(|need| need["message"] == "K50foobar is disabled"), "{facts:#}");
}

#[test]
fn check_sees_a_script_of_openrc_that_is_not_of_its_service_file() {
    let root = Root::openrc();
    root.ctl(&["install"]).expect(0);
    assert!(!codes(&root, "foobar").contains(&"script-outdated".to_owned()));
    let text = std::fs::read_to_string(root.path("etc/foobar/foobar.toml")).unwrap();
    root.write("etc/foobar/foobar.toml", &text.replace("start-before = []", "start-before = [\"web\"]"));
    assert!(codes(&root, "foobar").contains(&"script-outdated".to_owned()));
}

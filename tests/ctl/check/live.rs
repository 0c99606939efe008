//! Codes that only a running machine shows: PID files, and scripts that are asked.

use std::fs;
use std::process::{Command, Stdio};

use super::tree::{GOOD, Tree, codes};

/// Codes that are shown here.
pub const CODES: [&str; 6] = [
    "pid-file-stale",
    "pid-file-bad",
    "pid-file-writable",
    "status-unanswered",
    "status-code",
    "status-hangs",
];

/// A tree with one script that has its PID file in it.
fn live() -> (Tree, String) {
    let tree = Tree::new();
    let base = fs::canonicalize(tree.sandbox.path()).unwrap();
    tree.spoil("/var/run/good.pid", &format!("{}/run/$NAME.pid\nX=", base.display()));
    let text = fs::read_to_string(tree.path("etc/init.d/good")).unwrap();
    tree.script("good", &text.replace("PIDFILE=", "NAME=good\nPIDFILE="));
    tree.write("run/good.pid", "", 0o644);
    (tree, base.join("run/good.pid").display().to_string())
}

/// The number of a process that has ended.
fn ended() -> u32 {
    let mut child = Command::new("true").stdin(Stdio::null()).spawn().unwrap();
    let pid = child.id();
    child.wait().unwrap();
    pid
}

#[test]
fn pid_files_are_looked_at() {
    let (tree, file) = live();
    let pid = |text: String, mode, code: Option<&str>| {
        tree.write("run/good.pid", &text, mode);
        let ran = tree.check_live(&["--format", "json", "--fail-on", "never", "good"]).expect(0);
        let found = codes(&ran);
        assert_eq!(
            found.iter().map(String::as_str).collect::<Vec<_>>(),
            Vec::from_iter(code),
            "{text:?}: {ran:#?}"
        );
        if code.is_some() {
            assert_eq!(ran.json()["findings"][0]["file"], file.as_str());
        }
    };
    pid(format!("{}\n", std::process::id()), 0o644, None);
    pid(format!("{}\nmore\n", std::process::id()), 0o644, None);
    pid(String::new(), 0o644, None);
    pid(format!("{}\n", ended()), 0o644, Some("pid-file-stale"));
    pid("-1\n".to_owned(), 0o644, Some("pid-file-bad"));
    pid("0\n".to_owned(), 0o644, Some("pid-file-bad"));
    pid("good\n".to_owned(), 0o644, Some("pid-file-bad"));
    pid(format!("{}\n", std::process::id()), 0o666, Some("pid-file-writable"));
    let offline = codes(&tree.check(&["--format", "json", "--fail-on", "never", "good"]).expect(0));
    assert!(offline.is_empty(), "nothing runs in the tree of another machine: {offline:?}");
}

/// A script that answers status so, and writes that it was run.
fn asked(tree: &Tree, answer: &str) {
    let mark = tree.path("asked").display().to_string();
    tree.spoil(
        "status) status_of_proc -p $PIDFILE /usr/sbin/good good",
        &format!("status) echo $1 >>{mark}; {answer}"),
    );
}

#[test]
fn a_script_is_asked_only_when_told_to_and_only_for_its_status() {
    for (answer, code) in [
        ("exit 0", None),
        ("exit 3", None),
        ("exit 4", None),
        ("echo Usage: none; exit 3", Some("status-unanswered")),
        ("exit 5", Some("status-code")),
        ("kill -9 $$", Some("status-code")),
    ] {
        let tree = Tree::new();
        asked(&tree, answer);
        tree.check_live(&["good"]).expect(0);
        assert!(!tree.path("asked").exists(), "a script was run without --ask");
        let ran = tree.check_live(&["--format", "json", "--ask", "--fail-on", "never", "good"]).expect(0);
        assert_eq!(fs::read_to_string(tree.path("asked")).unwrap(), "status\n");
        let found = codes(&ran);
        assert_eq!(
            found.iter().map(String::as_str).collect::<Vec<_>>(),
            Vec::from_iter(code),
            "{answer}: {ran:#?}"
        );
    }
}

#[test]
fn a_script_that_does_not_answer_is_ended() {
    let tree = Tree::new();
    // A fifo that nobody writes to.
    asked(&tree, "mkfifo $0.fifo; read line <$0.fifo");
    let ran = tree.check_live(&["--format", "json", "--ask", "good"]).expect(1);
    assert!(codes(&ran).contains("status-hangs"), "{ran:#?}");
}

#[test]
fn a_script_that_others_could_have_written_is_not_asked() {
    let unsafe_ways: [fn(&Tree); 4] = [
        |tree| tree.write("etc/init.d/good", fs::read(tree.path("etc/init.d/good")).unwrap(), 0o775),
        |tree| {
            let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o777);
            fs::set_permissions(tree.path("etc/init.d"), permissions).unwrap();
        },
        |tree| tree.write("etc/init.d/good", fs::read(tree.path("etc/init.d/good")).unwrap(), 0o644),
        // Whether it has status cannot be told.
        |tree| {
            tree.script(
                "good",
                &GOOD
                    .replace("status)", "st*)")
                    .replace("$0 stop", &format!("touch {}", tree.path("asked").display())),
            )
        },
    ];
    for spoil in unsafe_ways {
        let tree = Tree::new();
        asked(&tree, "exit 0");
        spoil(&tree);
        let ran = tree.check_live(&["--ask", "--verbose", "--fail-on", "never", "good"]).expect(0);
        assert!(!tree.path("asked").exists(), "it was asked: {ran:#?}");
        assert!(ran.err.contains("not asking"), "{ran:#?}");
    }
    let tree = Tree::new();
    asked(&tree, "exit 0");
    let ran = tree.check_live(&["--ask", "--dry-run", "good"]).expect(0);
    assert!(ran.err.contains("would run") && !tree.path("asked").exists(), "{ran:#?}");
    let ran = tree.check(&["--ask", "good"]).expect(2);
    assert!(ran.err.contains("--root"), "{ran:#?}");
}

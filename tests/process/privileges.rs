//! Giving up root, looked at from outside, and the names that must not be taken for an account. DESIGN section 5.

use foobar_process::privilege::{Account, PrivilegeError};

use crate::program::{as_nobody, copy_of_subject, is_root, run};

#[test]
fn all_ids_and_groups_are_those_of_the_user() {
    if !is_root() {
        return;
    }
    let (code, output, errors) = run(&["assume", "nobody"]);
    assert_eq!(code, Some(0), "{errors}");
    let field =
        |name: &str| output.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
    let account = Account::lookup("nobody", None).unwrap();
    assert_eq!(field("Uid:"), [account.uid().to_string().as_str(); 4].join("\t"));
    assert_eq!(field("Gid:"), [account.gid().to_string().as_str(); 4].join("\t"));
    assert_eq!(field("Groups:"), account.gid().to_string());
    for set in ["CapInh:", "CapPrm:", "CapEff:", "CapAmb:"] {
        assert_eq!(u64::from_str_radix(&field(set), 16).unwrap(), 0, "{set}");
    }
}

#[test]
fn a_daemon_that_gave_up_root_empties_its_pid_file() {
    if !is_root() {
        return;
    }
    use crate::program::{Daemon, LIMIT, state};
    let sandbox = foobar_tests::Sandbox::new("dropped");
    let path = sandbox.path().join("foobar.pid");
    let daemon = Daemon::start(&path, &["user=nobody"]);
    assert_eq!(state(&path), format!("running {} Record", daemon.pid()));
    assert_eq!(daemon.process.owner().unwrap(), Account::lookup("nobody", None).unwrap().uid());
    daemon.process.signal(foobar_process::Signal::SIGTERM).unwrap();
    assert!(daemon.process.wait_gone(std::time::Instant::now() + LIMIT).unwrap());
    assert_eq!(std::fs::read(&path).unwrap(), b"");
    assert_eq!(state(&path), "stopped");
}

#[test]
fn numbers_are_no_names() {
    for text in
        ["-1", "4294967295", "0", "0x0", "+0", "", "12abc", "a:b", "../etc/passwd", "a/b", "a\nb", "a\0b"]
    {
        let error = Account::lookup(text, None).unwrap_err();
        assert!(matches!(error, PrivilegeError::NotAName(_)), "{text:?}: {error}");
        let error = Account::lookup("root", Some(text)).unwrap_err();
        assert!(matches!(error, PrivilegeError::NotAName(_)), "group {text:?}: {error}");
    }
}

#[test]
fn who_does_not_exist_is_named_with_a_remedy() {
    let error = Account::lookup("no-such-user", None).unwrap_err().to_string();
    assert!(error.starts_with("user \"no-such-user\" does not exist: create it"), "{error}");
    let error = Account::lookup("root", Some("no-such-group")).unwrap_err().to_string();
    assert!(error.starts_with("group \"no-such-group\" does not exist: create it"), "{error}");
}

#[test]
fn an_ordinary_user_cannot_become_another() {
    if !is_root() {
        return;
    }
    let sandbox = foobar_tests::Sandbox::new("ordinary");
    let copy = copy_of_subject(sandbox.path());
    let attempt = |user: &str| {
        let output = as_nobody(&copy).args(["assume", user]).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert!(attempt("nobody").0, "nothing has to change");
    let (done, said) = attempt("daemon");
    assert!(!done && said.contains("only root can become user \"daemon\""), "{said}");
}

//! The drop of privileges, as /proc tells it. Without root there is nothing to drop.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use foobar_process::Signal;
use foobar_tests::until;
use nix::unistd::{Uid, User};

use crate::support::{LIMIT, Setup, exchange, request, status_of};

fn root() -> bool {
    let root = Uid::effective().is_root();
    if !root {
        foobar_tests::skip("only root can drop privileges");
    }
    root
}

#[test]
fn master_and_workers_become_the_user_in_all_respects() {
    if !root() {
        return;
    }
    let nobody = User::from_name("nobody").unwrap().unwrap();
    let setup = Setup::new("drop", "user = \"nobody\"");
    let daemon = setup.start();
    let mut stream = daemon.connect();
    exchange(&mut stream, b"x");
    let worker = daemon.wait_workers(1)[0];
    for pid in [daemon.pid, worker] {
        assert_eq!(status_of(pid, "Uid"), [nobody.uid.to_string().as_str(); 4].join("\t"));
        assert_eq!(status_of(pid, "Gid"), [nobody.gid.to_string().as_str(); 4].join("\t"));
        let groups = status_of(pid, "Groups");
        assert!(groups.split_whitespace().all(|group| group != "0"), "root's groups are left: {groups}");
        for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
            assert_eq!(status_of(pid, set), "0000000000000000", "{set}");
        }
    }
    let metadata = setup.pid_file().metadata().unwrap();
    assert_eq!(
        (metadata.uid(), metadata.permissions().mode() & 0o7777),
        (0, 0o644),
        "the PID file stays root's"
    );
    drop(stream);
    daemon.stop();
    // It may not remove the file in a directory of root's: empty means stopped just as well.
    assert_eq!(fs::read(setup.pid_file()).unwrap(), b"");
    let again = setup.start();
    request(&setup.address, b"and it starts again");
    again.stop();
}

#[test]
fn a_group_of_its_own_is_taken() {
    if !root() {
        return;
    }
    let setup = Setup::new("group", "user = \"nobody\"\ngroup = \"daemon\"");
    let daemon = setup.start();
    let group = nix::unistd::Group::from_name("daemon").unwrap().unwrap().gid.to_string();
    assert_eq!(daemon.status("Gid"), [group.as_str(); 4].join("\t"));
    daemon.stop();
}

#[test]
fn a_port_of_root_is_bound_before_the_drop_only() {
    if !root() {
        return;
    }
    let setup = Setup::new("port", "");
    let address = setup.address.replace(":4007", ":407");
    setup.configure_at(&format!("[\"{}\", \"{address}\"]", setup.address), "user = \"nobody\"");
    let daemon = setup.start();
    request(&address, b"hello");
    // The same again is kept; another one cannot be had any more.
    daemon.signal(Signal::SIGHUP);
    setup.logged("configuration reloaded");
    request(&address, b"hello");
    let other = setup.address.replace(":4007", ":408");
    setup.configure_at(&format!("\"{other}\""), "user = \"nobody\"");
    daemon.signal(Signal::SIGHUP);
    assert!(setup.logged("reload refused").contains("ports below 1024 are root's"));
    request(&address, b"still served");
    daemon.stop();
}

#[test]
fn the_log_file_is_the_users_and_can_be_opened_again() {
    if !root() {
        return;
    }
    let setup = Setup::new("log-owner", "");
    let directory = setup.path("logs");
    fs::create_dir(&directory).unwrap();
    let log = directory.join("foobard.log");
    setup.configure(&format!("user = \"nobody\"\nlog = \"{}\"", log.display()));
    let daemon = setup.start();
    let nobody = User::from_name("nobody").unwrap().unwrap();
    let metadata = log.metadata().unwrap();
    assert_eq!((metadata.uid(), metadata.permissions().mode() & 0o7777), (nobody.uid.as_raw(), 0o640));
    // As logrotate with "create 0640 nobody": moved away, made anew, USR1.
    fs::rename(&log, directory.join("foobard.log.1")).unwrap();
    fs::write(&log, "").unwrap();
    std::os::unix::fs::chown(&log, Some(nobody.uid.as_raw()), Some(nobody.gid.as_raw())).unwrap();
    daemon.signal(Signal::SIGUSR1);
    daemon.stop();
    let text = fs::read_to_string(&log).unwrap();
    assert!(text.ends_with(": stopped by SIGTERM\n"), "{text}");
    // Without "create" the new file cannot be made in root's directory: said, and the old one is written on.
    let daemon = setup.start();
    let old = directory.join("foobard.log.2");
    fs::rename(&log, &old).unwrap();
    daemon.signal(Signal::SIGUSR1);
    until("the reason in the old log", LIMIT, || {
        fs::read_to_string(&old).unwrap().contains("still writing to the old file").then_some(())
    });
    daemon.stop();
}

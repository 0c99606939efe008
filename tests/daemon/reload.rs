//! HUP: the next generation beside the old one, or all as it was; nobody is refused meanwhile.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use foobar_process::Signal;
use foobar_tests::until;
use nix::unistd::Uid;

use crate::support::{LIMIT, Setup, exchange, own_address, request};

#[test]
fn a_new_address_is_served_and_the_old_one_closed() {
    for model in ["model = \"fork\"", "model = \"iterative\""] {
        let setup = Setup::new("move", model);
        let daemon = setup.start();
        let mut old = daemon.connect();
        exchange(&mut old, b"x");
        let new = own_address();
        setup.configure_at(&format!("\"{new}\""), model);
        daemon.signal(Signal::SIGHUP);
        let line = setup.logged("configuration reloaded");
        assert!(line.contains("generation 2") && line.contains(&new), "{line}");
        // The client of the old address is served to its end, and its worker keeps no address alive.
        exchange(&mut old, b"still served");
        if model.contains("fork") {
            request(&new, b"hello");
            until("the end of the old address", LIMIT, || TcpStream::connect(&setup.address).err());
            exchange(&mut old, b"still served");
        }
        drop(old);
        request(&new, b"hello");
        until("the end of the old address", LIMIT, || TcpStream::connect(&setup.address).err());
        daemon.stop();
        setup.nothing_left();
    }
}

#[test]
fn a_broken_configuration_is_refused_with_its_reason() {
    let setup = Setup::new("broken", "");
    let daemon = setup.start();
    let taken = std::net::TcpListener::bind(own_address()).unwrap();
    let taken = taken.local_addr().unwrap();
    let cases = [
        ("model = \"prefrok\"", "prefrok"),
        ("max-connections = 0", "from 1 to 1000000"),
        ("lisen = 1", "did you mean listen?"),
        ("grace = ", "foobard.toml:3:"),
        ("log = \"/nonexistent/directory/log\"", "cannot open the log /nonexistent/directory/log"),
    ];
    for (extra, reason) in cases {
        setup.configure(&format!("{extra}\n"));
        daemon.signal(Signal::SIGHUP);
        let line = setup.logged("reload refused, the old configuration stays");
        assert!(line.contains(reason), "{reason:?} not in {line:?}");
        request(&setup.address, b"still served");
    }
    setup.configure_at(&format!("[\"{}\", \"{taken}\"]", setup.address), "");
    daemon.signal(Signal::SIGHUP);
    let line = setup.logged("reload refused");
    assert!(line.contains(&format!("cannot listen on {taken}")), "{line}");
    fs::remove_file(setup.config()).unwrap();
    daemon.signal(Signal::SIGHUP);
    assert!(setup.logged("reload refused").contains("no such file"));
    request(&setup.address, b"still served");
    // And mended it is taken.
    setup.configure("");
    daemon.signal(Signal::SIGHUP);
    setup.logged("configuration reloaded: generation 2");
    daemon.stop();
}

#[test]
fn a_new_value_counts_for_new_connections() {
    let setup = Setup::new("value", "idle-timeout = 300");
    let daemon = setup.start();
    let mut old = daemon.connect();
    exchange(&mut old, b"x");
    setup.configure("idle-timeout = 1");
    daemon.signal(Signal::SIGHUP);
    setup.logged("configuration reloaded");
    let mut new = daemon.connect();
    exchange(&mut new, b"x");
    assert!(crate::support::is_cut(&mut new), "silent for a second");
    exchange(&mut old, b"the old one keeps its five minutes");
}

#[test]
fn what_needs_a_restart_is_said() {
    let setup = Setup::new("restart", "");
    let daemon = setup.start();
    setup.configure("umask = \"077\"\ngrace = 9");
    daemon.signal(Signal::SIGHUP);
    let messages = until("both remarks", LIMIT, || {
        static SEEN: std::sync::Mutex<Vec<String>> = std::sync::Mutex::new(Vec::new());
        let mut seen = SEEN.lock().unwrap();
        seen.extend(setup.messages());
        (seen.iter().any(|line| line.contains("umask was changed")) && seen.len() >= 4)
            .then(|| seen.join("\n"))
    });
    assert!(messages.contains("grace = 9 is not below the 5 seconds"), "{messages}");
    assert_eq!(daemon.status("Umask"), "0022");
}

#[test]
fn reloads_under_load_fail_nobody() {
    let setup = Setup::new("load", "");
    let daemon = setup.start();
    let done = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..3)
        .map(|_| {
            let (address, done) = (setup.address.clone(), Arc::clone(&done));
            thread::spawn(move || {
                let mut count = 0;
                while !done.load(Ordering::Relaxed) {
                    request(&address, b"under load");
                    count += 1;
                }
                count
            })
        })
        .collect();
    // From model to model and back, with clients all the time; each is awaited, so that none merges with the next.
    for generation in 2..42 {
        let model = if generation % 2 == 0 { "iterative" } else { "fork" };
        setup.configure(&format!("model = \"{model}\""));
        daemon.signal(Signal::SIGHUP);
        let line = setup.logged("configuration reloaded");
        assert!(line.contains(&format!("generation {generation}, model {model}")), "{line}");
    }
    done.store(true, Ordering::Relaxed);
    // A failed request has panicked in its thread.
    let served: u32 = clients.into_iter().map(|client| client.join().unwrap()).sum();
    assert!(served > 40, "{served} requests during 40 reloads");
    daemon.stop();
}

#[test]
fn a_storm_of_reloads_is_weathered() {
    let setup = Setup::new("hups", "");
    let daemon = setup.start();
    for _ in 0..1000 {
        daemon.signal(Signal::SIGHUP);
    }
    request(&setup.address, b"hello");
    daemon.stop();
    setup.nothing_left();
}

#[test]
fn reload_and_stop_do_not_wait_behind_a_slow_client() {
    let setup = Setup::new("slow", "model = \"iterative\"");
    let daemon = setup.start();
    let mut slow = daemon.connect();
    exchange(&mut slow, b"x");
    setup.configure("model = \"fork\"");
    daemon.signal(Signal::SIGHUP);
    setup.logged("configuration reloaded: generation 2, model fork");
    exchange(&mut slow, b"still served, in place");
    drop(slow);
    let mut first = daemon.connect();
    exchange(&mut first, b"x");
    daemon.wait_workers(1);
    daemon.stop();
}

#[test]
fn a_file_that_others_can_write_is_refused_to_root() {
    if !Uid::effective().is_root() {
        return foobar_tests::skip("only root has others to fear");
    }
    let setup = Setup::new("writable", "");
    let daemon = setup.start();
    fs::set_permissions(setup.config(), fs::Permissions::from_mode(0o666)).unwrap();
    daemon.signal(Signal::SIGHUP);
    assert!(setup.logged("reload refused").contains("lets others write it: chmod go-w"));
    daemon.stop();
    setup.messages();
    let output = setup.run(&[]);
    assert_eq!(output.status.code(), Some(6));
    assert!(String::from_utf8_lossy(&output.stderr).contains("mode 0666 lets others write it"), "{output:?}");
    // Not even the logger that it names is believed.
    assert!(setup.messages().is_empty());
    setup.nothing_left();
}

#[test]
fn after_the_drop_the_rule_of_root_still_holds() {
    if !Uid::effective().is_root() {
        return foobar_tests::skip("only root can drop privileges");
    }
    let setup = Setup::new("dropped", "user = \"nobody\"");
    let daemon = setup.start();
    fs::set_permissions(setup.config(), fs::Permissions::from_mode(0o666)).unwrap();
    daemon.signal(Signal::SIGHUP);
    assert!(setup.logged("reload refused").contains("lets others write it"));
    fs::set_permissions(setup.config(), fs::Permissions::from_mode(0o600)).unwrap();
    daemon.signal(Signal::SIGHUP);
    assert!(setup.logged("reload refused").contains("let the daemon's account read it"));
    fs::set_permissions(setup.config(), fs::Permissions::from_mode(0o644)).unwrap();
    daemon.signal(Signal::SIGHUP);
    setup.logged("configuration reloaded");
    daemon.stop();
}

//! Upgrade in place: another program in the same process, with everything that others rely on, and nobody who noticed.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use foobar_process::Signal;
use foobar_process::probe::{self, Expect, Proof, State};
use foobar_tests::{executable, until};
use nix::unistd::Uid;

use crate::control::{answer, ask, call};
use crate::support::{Daemon, LIMIT, Setup, exchange, own_address, program, request, stat};

/// A program of the setup's own, which can be replaced.
fn installed(setup: &Setup) -> PathBuf {
    let path = setup.path("foobard");
    install(setup);
    path
}

/// A new file at that path, as a package manager does it. By another process: a file that is being written cannot be
/// executed, and a test beside this one may be forking just now.
fn install(setup: &Setup) {
    let (new, path) = (setup.path("foobard.dpkg-new"), setup.path("foobard"));
    assert!(Command::new("cp").arg(program()).arg(&new).status().unwrap().success());
    fs::rename(new, path).unwrap();
}

fn start(setup: &Setup) -> Daemon {
    let mut command = Command::new(installed(setup));
    command.args(setup.command().get_args());
    setup.start_by(&mut command)
}

/// Clients that make one request after the other until the flag is set; each failure is a panic in its thread.
fn load(setup: &Setup, clients: usize) -> (Arc<AtomicBool>, Vec<JoinHandle<u32>>) {
    let done = Arc::new(AtomicBool::new(false));
    let client = || {
        let (address, done) = (setup.address.clone(), Arc::clone(&done));
        thread::spawn(move || {
            let mut count = 0;
            while !done.load(Ordering::Relaxed) {
                request(&address, b"under load");
                count += 1;
            }
            count
        })
    };
    let threads = (0..clients).map(|_| client()).collect();
    (done, threads)
}

fn upgraded(setup: &Setup, generation: u64) {
    let told = ask(setup, "upgrade");
    assert_eq!((&told["ok"], &told["code"]), (&true.into(), &0.into()), "{told}");
    let text = told["message"].as_str().unwrap();
    assert!(
        text.starts_with("upgraded from version ") && text.contains(&format!("generation {generation},")),
        "{text}"
    );
}

/// A program that has been executed is another file now.
fn inode(pid: i32) -> u64 {
    std::os::unix::fs::MetadataExt::ino(&fs::metadata(format!("/proc/{pid}/exe")).unwrap())
}

#[test]
fn no_request_fails_under_any_model() {
    for model in ["fork", "prefork", "event", "threads", "prethreaded", "delayed", "iterative"] {
        let setup = Setup::new("upgrade", &format!("model = \"{model}\""));
        let daemon = start(&setup);
        let started = stat(daemon.pid).unwrap()[19].clone();
        // One who is there all the time; who has the only worker cannot be.
        let mut guest = (model != "iterative").then(|| daemon.connect());
        guest.iter_mut().for_each(|stream| exchange(stream, b"before"));
        let (done, clients) = load(&setup, 3);
        for generation in 2..6 {
            let before = inode(daemon.pid);
            install(&setup);
            upgraded(&setup, generation);
            assert_ne!(inode(daemon.pid), before, "{model}: another program");
            guest.iter_mut().for_each(|stream| exchange(stream, b"still there"));
        }
        done.store(true, Ordering::Relaxed);
        let served: u32 = clients.into_iter().map(|client| client.join().unwrap()).sum();
        assert!(served > 20, "{model}: {served} requests");
        // Whoever looks for the daemon finds the same one.
        assert_eq!(fs::read_to_string(setup.pid_file()).unwrap(), format!("{}\n", daemon.pid));
        assert_eq!(stat(daemon.pid).unwrap()[19], started, "{model}: not the same process");
        let state = probe::look(&setup.pid_file(), &Expect::default()).unwrap();
        assert!(matches!(state, State::Running { proof: Proof::Record, .. }), "{model}: {state:?}");
        let again = setup.command().output().unwrap();
        assert!(String::from_utf8_lossy(&again.stdout).contains("already running"), "{model}: {again:?}");
        // The guest is one of a former program; its worker leaves with it.
        if guest.take().is_some() {
            until("the end of the former workers", LIMIT, || {
                (ask(&setup, "status")["former"] == 0).then_some(())
            });
        }
        let status = ask(&setup, "status");
        let accepted = status["servers"][0]["counters"]["accepted"].as_u64().unwrap();
        assert!(accepted >= u64::from(served), "{model}: figures go on: {accepted} of {served}");
        daemon.stop();
        setup.nothing_left();
        assert!(!setup.path("foobar.sock").exists());
    }
}

#[test]
fn a_program_that_cannot_take_over_is_refused_and_the_old_one_stays() {
    let setup = Setup::new("refused", "");
    let daemon = start(&setup);
    let path = setup.path("foobard");
    let script = |text: &str| {
        let new = setup.path("foobard.new");
        executable(&new, text);
        fs::rename(new, &path).unwrap();
    };
    let mut guest = daemon.connect();
    exchange(&mut guest, b"x");
    let witness = setup.path("witness");
    let garbage = format!("touch {}\n", witness.display());
    let cases: [(&str, &dyn Fn(), &str); 6] = [
        (
            "one that says yes to everything",
            &|| script("#!/bin/sh\nexit 0\n"),
            "no version that can take over",
        ),
        (
            "one that fails",
            &|| script("#!/bin/sh\necho 'sh: no such library' >&2\nexit 127\n"),
            "no such library",
        ),
        ("one that dies", &|| script("#!/bin/sh\nkill -SEGV $$\n"), "SIGSEGV without a word"),
        ("no program at all", &|| script(&garbage), "cannot execute"),
        (
            "a file that is not executable",
            &|| {
                install(&setup);
                fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
            },
            "ermission denied",
        ),
        ("nothing", &|| fs::remove_file(&path).unwrap(), "No such file"),
    ];
    for (what, make, reason) in cases {
        make();
        let told = ask(&setup, "upgrade");
        assert_eq!((&told["ok"], &told["code"]), (&false.into(), &1.into()), "{what}: {told}");
        let text = told["message"].as_str().unwrap();
        assert!(text.starts_with("upgrade refused, the old program stays: "), "{what}: {text}");
        assert!(text.contains(reason), "{what}: {text}");
        assert!(setup.logged("upgrade refused").contains(reason), "{what}");
        request(&setup.address, b"still served");
        exchange(&mut guest, b"in place");
    }
    assert!(!witness.exists(), "a file without a header was given to a shell");
    assert_eq!(ask(&setup, "status")["generation"], 1);
    // And mended it is taken, by signal this time.
    install(&setup);
    daemon.signal(Signal::SIGUSR2);
    setup.logged("upgraded from version");
    exchange(&mut guest, b"in place");
    request(&setup.address, b"served anew");
    daemon.stop();
}

#[test]
fn a_broken_configuration_refuses_the_upgrade() {
    let setup = Setup::new("refused-config", "");
    let daemon = start(&setup);
    setup.configure("model = \"prefrok\"");
    let told = ask(&setup, "upgrade");
    assert_eq!((&told["ok"], &told["code"]), (&false.into(), &6.into()), "{told}");
    assert!(told["message"].as_str().unwrap().contains("prefrok"), "{told}");
    request(&setup.address, b"still served");
    assert_eq!(ask(&setup, "status")["generation"], 1);
    // A changed one that is good is read as soon as the new program is there.
    let (old, new) = (setup.address.clone(), own_address());
    setup.configure_at(&format!("\"{new}\""), "model = \"prefork\"");
    upgraded(&setup, 2);
    until("the new address", LIMIT, || (ask(&setup, "status")["generation"] == 3).then_some(()));
    request(&new, b"hello");
    until("the end of the old one", LIMIT, || std::net::TcpStream::connect(&old).err());
    daemon.stop();
}

#[test]
fn several_who_ask_at_once_have_one_upgrade_and_all_an_answer() {
    let setup = Setup::new("several", "");
    let daemon = start(&setup);
    let mut callers: Vec<_> = (0..5).map(|_| call(&setup)).collect();
    for caller in &mut callers {
        caller.write_all(b"upgrade\n").unwrap();
    }
    for mut caller in callers {
        assert_eq!(answer(&mut caller)["ok"], true);
    }
    let generation = ask(&setup, "status")["generation"].as_u64().unwrap();
    assert!((2..=6).contains(&generation), "{generation}");
    daemon.stop();
}

#[test]
fn who_dropped_privileges_upgrades_without_them() {
    if !Uid::effective().is_root() {
        return foobar_tests::skip("only root can drop privileges");
    }
    let setup = Setup::new("dropped-upgrade", "user = \"nobody\"\nmodel = \"prefork\"");
    fs::set_permissions(setup.sandbox.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let low = setup.address.replace(":4007", ":407");
    setup.configure_at(
        &format!("[\"{}\", \"{low}\"]", setup.address),
        "user = \"nobody\"\nmodel = \"prefork\"",
    );
    let daemon = start(&setup);
    install(&setup);
    upgraded(&setup, 2);
    assert!(daemon.status("Uid").starts_with("65534"));
    // The port of root's could not be bound again, and need not be.
    request(&low, b"hello");
    // The rule of root still holds, though nothing looks like root any more.
    fs::set_permissions(setup.config(), fs::Permissions::from_mode(0o666)).unwrap();
    let told = ask(&setup, "upgrade");
    assert!(told["message"].as_str().unwrap().contains("lets others write it"), "{told}");
    fs::set_permissions(setup.config(), fs::Permissions::from_mode(0o644)).unwrap();
    // A program that the account may not execute is refused.
    fs::set_permissions(setup.path("foobard"), fs::Permissions::from_mode(0o700)).unwrap();
    let told = ask(&setup, "upgrade");
    assert!(told["message"].as_str().unwrap().contains("ermission denied"), "{told}");
    request(&setup.address, b"still served");
    daemon.stop();
    assert_eq!(fs::read(setup.pid_file()).unwrap(), b"");
}

#[test]
fn term_after_an_upgrade_lets_the_former_workers_finish() {
    for model in ["fork", "prefork", "event"] {
        let setup = Setup::new("upgrade-term", &format!("model = \"{model}\""));
        let daemon = start(&setup);
        let mut guest = daemon.connect();
        exchange(&mut guest, b"x");
        upgraded(&setup, 2);
        until("one former worker", LIMIT, || (ask(&setup, "status")["former"] == 1).then_some(()));
        // In flight when TERM comes.
        guest.write_all(b"in flight").unwrap();
        daemon.signal(Signal::SIGTERM);
        let mut back = [0; 9];
        guest.read_exact(&mut back).unwrap();
        assert_eq!(&back, b"in flight");
        daemon.wait_gone();
        assert_eq!(guest.read(&mut back).unwrap(), 0, "closed in good order");
        setup.nothing_left();
    }
}

#[test]
fn workers_of_the_former_program_die_with_the_daemon() {
    let setup = Setup::new("upgrade-kill", "model = \"prefork\"");
    let daemon = start(&setup);
    let mut guest = daemon.connect();
    exchange(&mut guest, b"x");
    upgraded(&setup, 2);
    daemon.signal(Signal::SIGKILL);
    daemon.wait_gone();
    until("the end of all workers", LIMIT, || {
        let left = crate::support::processes_with(setup.pid_file().to_str().unwrap());
        left.is_empty().then_some(())
    });
}

#[test]
fn signals_of_the_moment_are_not_lost() {
    // Each time at another point of the rehearsal, the exchange of programs, or the begin of the new one.
    for turn in 0..12 {
        let setup = Setup::new("upgrade-signals", "");
        let daemon = start(&setup);
        daemon.signal(Signal::SIGUSR2);
        for _ in 0..turn * 3 {
            request(&setup.address, b"a moment");
        }
        daemon.signal(Signal::SIGTERM);
        daemon.wait_gone();
        setup.nothing_left();
    }
}

#[test]
fn programs_of_exec_are_heard_and_ended_by_the_next_program() {
    let setup = Setup::new("upgrade-exec", "");
    let script = setup.path("serve");
    executable(&script, "#!/bin/sh\nread line\necho \"heard $line\" >&2\necho \"$line\"\n");
    let extra = format!("service = \"exec\"\nprogram = \"{}\"\ntotal-timeout = 3", script.display());
    setup.configure(&extra);
    let daemon = start(&setup);
    let mut guest = daemon.connect();
    daemon.wait_workers(1);
    let mut stuck = daemon.connect();
    daemon.wait_workers(2);
    upgraded(&setup, 2);
    guest.write_all(b"across\n").unwrap();
    let mut back = String::new();
    guest.read_to_string(&mut back).unwrap();
    assert_eq!(back, "across\n", "standard error has a reader");
    setup.logged("heard across");
    // The limit of time that began under the old program ends under the new one.
    assert_eq!(stuck.read_to_end(&mut Vec::new()).unwrap(), 0);
    daemon.wait_workers(0);
    let burnt = stat(daemon.pid).unwrap()[11].parse::<u64>().unwrap();
    assert!(burnt < 100, "the master spins at the end of the pipe: {burnt} ticks");
    daemon.stop();
}

#[test]
fn the_variable_of_an_upgrade_means_nothing_by_itself() {
    let setup = Setup::new("upgrade-variable", "");
    for (value, reason) in [
        ("take:99", "Bad file descriptor"),
        ("nonsense", "is not understood: unset it"),
        ("take:0", "standard streams"),
    ] {
        let output = setup.command().env("FOOBARD_UPGRADE", value).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(text.contains(reason), "{value}: {text}");
    }
    setup.nothing_left();
}

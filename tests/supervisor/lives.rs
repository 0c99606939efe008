//! A whole life: start, status, the death of the program, stop, and nothing left.

use foobar_tests::until;

use crate::support::{LIMIT, Prefix, alive, gone, kill};

#[test]
fn a_program_in_the_foreground_is_a_service() {
    let prefix = Prefix::new("life");
    prefix.shell("it", "echo hello; echo world >&2; sleep 1000 & exec sleep 1001", "");
    prefix.ctl(&["status", "it"]).expect(3);
    let ran = prefix.ctl(&["start", "it"]).expect(0);
    let (supervisor, main) = (prefix.supervisor("it"), prefix.main("it"));
    assert_eq!(ran.out, format!("started it (PID {main})\n"));
    assert_eq!(prefix.ctl(&["start", "it"]).expect(0).out, format!("it is already running (PID {main})\n"));
    let listed = prefix.ctl(&["--layout", "debian", "--format", "json", "list"]).expect(0).json();
    let row = listed.as_array().unwrap().iter().find(|row| row["service"] == "it").unwrap().clone();
    assert_eq!((&row["pid"], &row["since"]), (&main.into(), &prefix.supervision("it")["since"]));
    until("both lines", LIMIT, || {
        let view = prefix.supervision("it");
        (view["log"].as_array().unwrap().len() == 2 && view["processes"].as_array().unwrap().len() == 2)
            .then_some(())
    });
    let text = prefix.ctl(&["status", "it"]).expect(0).out;
    assert!(text.starts_with(&format!("it is running (PID {main}) since ")), "{text}");
    for part in [
        &format!("supervisor {supervisor}"),
        "sleep 1001",
        "sleep 1000",
        " info hello",
        " info world",
        "2 tasks",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("has changed"), "{text}");
    prefix.shell("it", "exec sleep 1001", "");
    assert!(prefix.ctl(&["status", "it"]).out.contains("has changed since the start"));
    let all: Vec<u64> = prefix.supervision("it")["processes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["pid"].as_u64().unwrap())
        .collect();
    let would = prefix.ctl(&["--dry-run", "stop", "it"]).expect(0).out;
    assert!(would.contains(&format!("it (PID {main})")), "{would}");
    let json = prefix.ctl(&["--format", "json", "stop", "it"]).expect(0).json();
    assert_eq!((&json["pid"], &json["message"]), (&main.into(), &format!("stopped it (PID {main})").into()));
    for pid in all {
        assert!(!alive(pid as u32), "{pid} is left");
    }
    prefix.ctl(&["status", "it"]).expect(3);
    assert_eq!(prefix.supervision("it")["state"], "stopped");
    assert!(!prefix.path("var/run/it.sup.pid").exists() && !prefix.path("var/run/it.sup.sock").exists());
    assert!(prefix.ctl(&["stop", "it"]).expect(0).out.contains("is not running"));
}

#[test]
fn a_oneshot_service_ends_with_its_work_or_counts_as_running() {
    let prefix = Prefix::new("oneshot");
    let more = "type = \"oneshot\"\n";
    prefix.shell("once", &format!("echo x >>{}", prefix.show("count")), more);
    assert_eq!(prefix.ctl(&["start", "once"]).expect(0).out, "once has done its work\n");
    prefix.ctl(&["status", "once"]).expect(3);
    prefix.ctl(&["start", "once"]).expect(0);
    assert_eq!(prefix.text("count"), "x\nx\n");
    let more = format!(
        "{more}remain-after-exit = true\nstop-command = [\"/bin/rm {}\"]\nstop-post = [\"/bin/touch {}\"]\n",
        prefix.show("count"),
        prefix.show("after")
    );
    prefix.shell("stays", "true", &more);
    assert_eq!(prefix.ctl(&["start", "stays"]).expect(0).out, "started stays\n");
    assert!(
        prefix.ctl(&["status", "stays"]).expect(0).out.contains("has done its work, and counts as running")
    );
    prefix.ctl(&["stop", "stays"]).expect(0);
    assert!(!prefix.path("count").exists() && prefix.path("after").exists());
    prefix.shell("fails", "echo no disk; exit 6", "type = \"oneshot\"\n");
    let ran = prefix.ctl(&["start", "fails"]).expect(6);
    assert_eq!(ran.err, "foobarctl: fails did not start: its program ended with exit code 6: no disk\n");
}

#[test]
fn a_forking_program_is_found_with_and_without_a_pid_file() {
    let prefix = Prefix::new("forking");
    let pid_file = prefix.show("var/run/daemon.pid");
    let daemon = "sleep 1000 & echo $! >PIDFILE.new; mv PIDFILE.new PIDFILE".replace("PIDFILE", &pid_file);
    let more =
        format!("type = \"forking\"\nsupervise = true\npid-file = {pid_file:?}\nrestart = \"always\"\n");
    prefix.shell("with", &daemon, &more);
    prefix.shell("without", "sleep 1000 &", "type = \"forking\"\npid-file = \"\"\n");
    for name in ["with", "without"] {
        prefix.ctl(&["start", name]).expect(0);
        let main = prefix.main(name);
        until("the daemon to be itself", LIMIT, || {
            std::fs::read_to_string(format!("/proc/{main}/cmdline")).ok()?.starts_with("sleep").then_some(())
        });
    }
    let first = prefix.main("with");
    kill(first, "KILL");
    until("another daemon", LIMIT, || {
        prefix.supervision("with")["main"].as_u64().filter(|pid| *pid != u64::from(first))
    });
    let second = prefix.main("with");
    let only = prefix.main("without");
    kill(only, "KILL");
    prefix.await_state("without", "failed");
    prefix.ctl(&["stop", "with"]).expect(0);
    gone(second);
}

#[test]
fn nothing_is_left_of_one_that_is_uninstalled() {
    let prefix = Prefix::new("uninstalled");
    let before = files(prefix.sandbox.path());
    let script = "echo $$; exec sleep 1000";
    prefix.ctl(&["install", "gone", "--set", "log-output=file", "--", "sh", "-c", script]).expect(0);
    prefix.ctl(&["start", "gone"]).expect(0);
    let main = prefix.main("gone");
    // Typed words are meant as they are, dollar signs too.
    assert_eq!(prefix.text("var/log/gone.log").split_ascii_whitespace().last(), Some(&*main.to_string()));
    let ran = prefix.ctl(&["uninstall", "gone", "--purge"]).expect(0);
    assert!(ran.out.contains("after stopping it"), "{ran:#?}");
    gone(main);
    assert_eq!(files(prefix.sandbox.path()), before);
}

fn files(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found.sort_unstable();
    found
}

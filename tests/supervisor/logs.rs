//! What becomes of the words of a program: files and their rotation, floods, the verb `logs`.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use foobar_tests::until;

use crate::support::{LIMIT, Prefix, kill};

fn texts(log: &str) -> Vec<String> {
    let text = |line: &str| line.splitn(3, ' ').nth(2).unwrap_or_default().to_owned();
    log.lines().map(text).collect()
}

#[test]
fn a_flood_into_a_small_file_loses_no_line_over_rotations() {
    let prefix = Prefix::new("logs-rotation");
    let file = prefix.show("app.log");
    let more =
        format!("log-output = \"file\"\nlog-file = {file:?}\nlog-max-size = \"64K\"\nlog-keep = 1000\n");
    prefix.shell("it", "seq 1 200000; echo end; exec sleep 1000", &more);
    prefix.ctl(&["start", "it"]).expect(0);
    until("the last line", LIMIT, || {
        fs::read_to_string(&file).is_ok_and(|text| text.ends_with(" info end\n")).then_some(())
    });
    let all = texts(&prefix.ctl(&["logs", "it"]).expect(0).out);
    assert_eq!((all.len(), all.last().map(String::as_str)), (200_001, Some("end")));
    assert!(all[..200_000].iter().enumerate().all(|(index, line)| *line == (index + 1).to_string()));
    let longest = fs::read_dir(prefix.sandbox.path()).unwrap().flatten();
    let longest = longest.filter(|entry| entry.file_name().to_string_lossy().starts_with("app.log"));
    assert!(longest.map(|entry| entry.metadata().unwrap().len()).all(|length| length <= 64 << 10));
    let ran = prefix.ctl(&["logs", "it", "-n", "2"]).expect(0);
    assert_eq!(texts(&ran.out), ["200000", "end"]);
    let json = prefix.ctl(&["--format", "json", "logs", "it", "-n", "1"]).expect(0).json();
    assert_eq!((&json["is_whole_log"], &json["lines"][0]["text"]), (&true.into(), &"end".into()));
    assert_eq!(json["lines"][0]["level"], "info");
    assert!(prefix.ctl(&["logs", "it", "--since", "2099-01-01"]).expect(0).out.is_empty());
    assert_eq!(texts(&prefix.ctl(&["logs", "it", "--since", "1h"]).expect(0).out).len(), 200_001);
    prefix.ctl(&["logs", "it", "--since", "tomorrow"]).expect(2);
}

#[test]
fn what_comes_is_followed() {
    let prefix = Prefix::new("logs-follow");
    prefix.shell(
        "it",
        "echo one; read x <fifo; echo two; exec sleep 1000",
        &format!("working-directory = {:?}\n", prefix.show("")),
    );
    assert!(std::process::Command::new("mkfifo").arg(prefix.path("fifo")).status().unwrap().success());
    prefix.ctl(&["logs", "it", "-f"]).expect(7);
    prefix.ctl(&["start", "it"]).expect(0);
    let mut follower = prefix.command(&["logs", "it", "-f"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.next().unwrap().ends_with(" info one"));
    fs::write(prefix.path("fifo"), "\n").unwrap();
    assert!(lines.next().unwrap().ends_with(" info two"));
    kill(follower.id(), "TERM");
    follower.wait().unwrap();
}

#[test]
fn the_last_lines_outlive_program_and_supervisor() {
    let prefix = Prefix::new("logs-after");
    let more = "log-output = \"null\"\nlog-level-prefix = true\n";
    prefix.shell("it", "echo '<3>broken'; printf '\\033[31mred'; exit 1", more);
    prefix.ctl(&["start", "it"]);
    prefix.await_state("it", "failed");
    let ran = prefix.ctl(&["logs", "it"]).expect(0);
    assert!(ran.out.contains(" err broken\n") && ran.out.contains(" info #033[31mred\n"), "{ran:#?}");
    assert!(ran.err.contains("only the last lines of it are kept"), "{ran:#?}");
}

#[test]
fn a_rate_is_kept_and_what_was_too_much_is_counted() {
    let prefix = Prefix::new("logs-rate");
    let more = "log-output = \"null\"\nlog-rate-interval = \"300ms\"\nlog-rate-burst = 5\n";
    prefix.shell("it", "seq 1 1000; exec sleep 1000", more);
    prefix.ctl(&["start", "it"]).expect(0);
    let note = until("the count", LIMIT, || {
        let all = texts(&prefix.ctl(&["logs", "it"]).out);
        all.into_iter().find(|line| line.contains("lines dropped"))
    });
    assert!(note.contains("there were more than 5 in 0.3 s"), "{note}");
}

#[test]
fn a_full_disk_stops_nobody_and_is_told() {
    if !crate::support::is_root() {
        return foobar_tests::skip("needs root, to mount a small file system");
    }
    let prefix = Prefix::new("logs-full");
    let disk = Disk::mount(&prefix, "disk", "64k");
    let file = disk.path.join("app.log").display().to_string();
    let go = prefix.show("go");
    let more = format!("log-output = \"file\"\nlog-file = {file:?}\n");
    prefix.shell(
        "it",
        &format!("seq 1 50000; while ! test -e {go}; do sleep 0.05; done; echo room; exec sleep 1000"),
        &more,
    );
    prefix.ctl(&["start", "it"]).expect(0);
    let told = || {
        texts(
            &prefix.supervision("it")["log"]
                .as_array()
                .unwrap()
                .iter()
                .map(|line| format!("{}\n", line.as_str().unwrap()))
                .collect::<String>(),
        )
    };
    until("the end of the flood", LIMIT, || told().iter().any(|line| line == "50000").then_some(()));
    let log = fs::read_to_string(&file).unwrap();
    assert!(log.ends_with('\n'), "no half line");
    assert_eq!(texts(&log).iter().filter(|line| line.parse::<u32>().is_err()).count(), 0);
    assert!(log.len() > 30_000);
    let kept = log.lines().count();
    fs::File::create(&file).unwrap();
    fs::write(&go, "").unwrap();
    let note = until("the count", LIMIT, || {
        let all = texts(&fs::read_to_string(&file).unwrap());
        all.contains(&"room".to_owned()).then(|| all[0].clone())
    });
    assert_eq!(note, format!("{} lines dropped: they could not be written", 50_000 - kept));
    prefix.ctl(&["stop", "it"]).expect(0);
}

/// A small file system, gone at the end.
struct Disk {
    path: std::path::PathBuf,
}

impl Disk {
    fn mount(prefix: &Prefix, below: &str, size: &str) -> Disk {
        let path = prefix.path(below);
        fs::create_dir_all(&path).unwrap();
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(&path)
            .status();
        assert!(mounted.unwrap().success());
        Disk { path }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.path).status();
    }
}

#[test]
fn a_full_run_keeps_nobody_from_living() {
    if !crate::support::is_root() {
        return foobar_tests::skip("needs root, to mount a small file system");
    }
    let prefix = Prefix::new("logs-run-full");
    let disk = Disk::mount(&prefix, "run", "64k");
    prefix.shell("it", "seq 1 20; exec sleep 1000", "restart = \"always\"\nrestart-delay = \"0\"\n");
    prefix.ctl(&["start", "it"]).expect(0);
    let main = prefix.main("it");
    let fill = format!("cat /dev/zero >{}/fill", disk.path.display());
    let mut full = std::process::Command::new("sh");
    let _ = full.args(["-c", &fill]).stderr(Stdio::null()).status().unwrap();
    kill(main, "KILL");
    until("another main process", LIMIT, || {
        let view = prefix.supervision("it");
        let is_other = view["main"].as_u64().is_some_and(|pid| pid != u64::from(main));
        (is_other && view["state"] == "running").then_some(())
    });
    until("its words", LIMIT, || {
        let log = prefix.supervision("it")["log"].to_string();
        log.contains(" info 20").then_some(())
    });
    prefix.ctl(&["stop", "it"]).expect(0);
}

//! Supervisors that are killed: what they leave is found and ended by the next start or stop, and never joined by a second copy.

use foobar_tests::until;

use crate::support::{LIMIT, Prefix, alive, gone, kill};

#[test]
fn the_orphan_of_a_killed_supervisor_is_ended() {
    let prefix = Prefix::new("orphan");
    // One that has nothing of us in its environment, and one that leaves its parent.
    let script =
        format!("env -i sleep 1000 & (setsid sleep 1000 &); echo on >{}; exec sleep 1001", prefix.show("on"));
    prefix.shell("it", &script, "restart = \"always\"\n");
    for verb in ["start", "stop", "restart"] {
        prefix.ctl(&["start", "it"]).expect(0);
        let all: Vec<u32> = until("all three", LIMIT, || {
            let view = prefix.supervision("it");
            let pids: Vec<u32> = view["processes"]
                .as_array()?
                .iter()
                .map(|line| line["pid"].as_u64().unwrap() as u32)
                .collect();
            (pids.len() == 3).then_some(pids)
        });
        let (main, supervisor) = (prefix.main("it"), prefix.supervisor("it"));
        kill(supervisor, "KILL");
        gone(supervisor);
        assert!(alive(main));
        let text = prefix.ctl(&["status", "it"]).expect(1).out;
        assert!(text.contains(&format!("process {main} still runs without a supervisor")), "{text}");
        let ran = prefix.ctl(&[verb, "it"]).expect(0);
        assert!(
            format!("{}{}", ran.out, ran.err).contains(&format!("process {main} (sleep 1001)")),
            "{ran:#?}"
        );
        for pid in all {
            assert!(!alive(pid), "{pid} is left");
        }
        if verb == "stop" {
            prefix.ctl(&["status", "it"]).expect(3);
        } else {
            prefix.ctl(&["status", "it"]).expect(0);
        }
    }
}

/// How often it is killed; more by FOOBAR_TORMENTS.
fn torments() -> u64 {
    std::env::var("FOOBAR_TORMENTS").ok().and_then(|count| count.parse().ok()).unwrap_or(150)
}

/// Pauses that are different each time: a linear congruential generator.
fn pause(seed: &mut u64) -> std::time::Duration {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    std::time::Duration::from_micros((*seed >> 33) % 20_000)
}

/// Mains of the service: sleeps with an argument of its own.
fn copies(mark: &str) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line == format!("/bin/sleep\0{mark}\0").as_bytes() && alive(*pid)
    })
    .collect()
}

#[test]
fn killed_at_any_moment_there_is_never_a_second_copy_nor_none() {
    let prefix = Prefix::new("torment");
    let mark = format!("1{:07}", std::process::id());
    prefix.service(
        "it",
        &format!("program = \"/bin/sleep\"\narguments = [\"{mark}\"]\nrestart = \"always\"\nrestart-delay = 0\nstart-limit-burst = 0\n"),
    );
    let mark = mark.as_str();
    let only = || {
        let all = copies(mark);
        assert!(all.len() <= 1, "{} copies: {all:?}", all.len());
        all.first().copied()
    };
    let mut seed = 42;
    for round in 0..torments() {
        let pid_file = prefix.path("var/run/it.sup.pid");
        let supervisor = || std::fs::read_to_string(&pid_file).ok()?.trim().parse::<u32>().ok();
        let mut starting = prefix
            .command(&["start", "it"])
            .stderr(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // Somewhere on the way of the start, or after it.
        std::thread::park_timeout(pause(&mut seed));
        let victims: Vec<u32> = match round % 4 {
            0 => only().into_iter().collect(),
            1 => supervisor().into_iter().collect(),
            2 => supervisor().into_iter().chain(only()).collect(),
            _ => vec![starting.id()],
        };
        for pid in victims.into_iter().filter(|pid| alive(*pid)) {
            let mut kill = std::process::Command::new("kill");
            let _ = kill.args(["-s", "KILL", &pid.to_string()]).stderr(std::process::Stdio::null()).status();
            // A process is killed some time after the signal was sent, and a start in between finds it alive.
            gone(pid);
        }
        starting.wait().unwrap();
        only();
        prefix.ctl(&["start", "it"]).expect(0);
        until("one copy", LIMIT, only);
        if round % 3 == 0 {
            prefix.ctl(&["stop", "it"]).expect(0);
            assert_eq!(copies(mark), Vec::<u32>::new(), "round {round}");
        }
    }
}

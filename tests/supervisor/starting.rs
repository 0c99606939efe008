//! Starts: those that fail say why at once, with the code of LSB, and leave nothing; commands run in their order.

use std::time::{Duration, Instant};

use foobar_tests::until;

use crate::support::{LIMIT, Prefix, gone, is_root, kill};

#[track_caller]
fn fails(prefix: &Prefix, name: &str, code: i32, words: &[&str]) {
    let begin = Instant::now();
    let ran = prefix.ctl(&["start", name]).expect(code);
    assert!(begin.elapsed() < Duration::from_secs(10), "it took {:?}", begin.elapsed());
    for word in words {
        assert!(ran.err.contains(word), "{word}: {ran:#?}");
    }
    assert!(prefix.processes().is_empty(), "left: {:?}", prefix.processes());
    assert!(!prefix.path(&format!("var/run/{name}.sup.pid")).exists());
    let text = prefix.ctl(&["status", name]).expect(3).out;
    assert!(text.contains("failed since"), "{text}");
}

#[test]
fn a_start_that_fails_says_why_at_once() {
    let prefix = Prefix::new("fails");
    prefix.shell("dies", "echo reading x; echo cannot read x >&2; exit 6", "type = \"notify\"\n");
    fails(&prefix, "dies", 6, &["dies did not start: its program ended with exit code 6", "cannot read x"]);
    prefix.shell("crashes", "kill -SEGV $$", "type = \"notify\"\n");
    fails(&prefix, "crashes", 1, &["its program was ended by SIGSEGV; it gave no reason"]);
    prefix.service("missing", "program = \"/nonexistent/program\"\n");
    fails(&prefix, "missing", 5, &["cannot run /nonexistent/program: No such file", "install it"]);
    prefix.service("data", "program = \"/etc/passwd\"\n");
    fails(&prefix, "data", 4, &["cannot run /etc/passwd: Permission denied"]);
    prefix.shell("nowhere", "true", "working-directory = \"/nonexistent\"\n");
    fails(&prefix, "nowhere", 6, &["changing the working directory (working-directory): No such file"]);
    prefix.shell("slow", "echo waiting; exec sleep 1000", "type = \"notify\"\nstart-timeout = 1\n");
    fails(&prefix, "slow", 1, &["it was not ready within 1 s", "waiting"]);
    prefix.shell("before", "true", "start-pre = [\"/bin/sh -c 'echo no key; exit 4'\"]\n");
    fails(&prefix, "before", 1, &["start-pre /bin/sh failed: exit code 4: no key"]);
    prefix.shell("after", "exec sleep 1000", "start-post = [\"/bin/false\"]\n");
    fails(&prefix, "after", 1, &["start-post /bin/false failed: exit code 1"]);
}

#[test]
fn an_account_that_does_not_exist_is_never_root() {
    let prefix = Prefix::new("nobody");
    for key in ["user", "group"] {
        prefix.shell("who", "exec sleep 1000", &format!("{key} = \"nosuchbody\"\n"));
        let ran = prefix.ctl(&["start", "who"]).expect(6);
        assert!(ran.err.contains("\"nosuchbody\" does not exist"), "{ran:#?}");
    }
    if !is_root() {
        foobar_tests::skip("becoming another user needs root");
    }
}

#[test]
fn commands_run_before_beside_and_after_the_program() {
    let prefix = Prefix::new("commands");
    let say = |word: &str| format!("\"/bin/sh -c 'echo {word} $MAINPID >>{}'\"", prefix.show("said"));
    let more = format!(
        "start-pre = [{}, \"-/bin/false\"]\nstart-post = [{}]\nreload-command = [{}]\nstop-command = [{}]\nstop-post = [{}]\n",
        say("pre"),
        say("post"),
        say("reload"),
        say("stop"),
        say("stopped:$SERVICE_RESULT:$EXIT_CODE:$EXIT_STATUS")
    );
    prefix.shell("it", "exec sleep 1000", &more);
    prefix.ctl(&["start", "it"]).expect(0);
    let main = prefix.main("it");
    let ran = prefix.ctl(&["reload", "it"]).expect(0);
    assert!(ran.out.contains("its reload-command has ended with success"), "{ran:#?}");
    // The same by a signal, as others do it.
    kill(prefix.supervisor("it"), "HUP");
    foobar_tests::until("the second reload", crate::support::LIMIT, || {
        (prefix.text("said").matches("reload").count() == 2).then_some(())
    });
    prefix.await_state("it", "running");
    prefix.ctl(&["stop", "it"]).expect(0);
    let wanted =
        format!("pre\npost {main}\nreload {main}\nreload {main}\nstop {main}\nstopped:signal:killed:TERM\n");
    let said = prefix.text("said").replace("pre \n", "pre\n").replace(":TERM \n", ":TERM\n");
    assert_eq!(said, wanted);
}

#[test]
fn signals_are_passed_on() {
    let prefix = Prefix::new("signals");
    let script = format!(
        "for s in HUP USR1 USR2 QUIT; do trap \"echo $s >>{}\" $s; done; echo on >{}; while :; do sleep 1000 & wait; done",
        prefix.show("got"),
        prefix.show("on")
    );
    prefix.shell("it", &script, "reload-signal = \"HUP\"\n");
    prefix.ctl(&["start", "it"]).expect(0);
    prefix.text("on");
    let supervisor = prefix.supervisor("it");
    for (count, signal) in ["USR1", "USR2", "QUIT"].into_iter().enumerate() {
        kill(supervisor, signal);
        foobar_tests::until(signal, crate::support::LIMIT, || {
            (prefix.text("got").lines().count() == count + 1).then_some(())
        });
    }
    assert!(prefix.ctl(&["reload", "it"]).expect(0).out.contains("sent SIGHUP to process"));
    foobar_tests::until("HUP", crate::support::LIMIT, || {
        (prefix.text("got") == "USR1\nUSR2\nQUIT\nHUP\n").then_some(())
    });
}

#[test]
fn a_stop_ends_a_start_that_would_go_on() {
    let prefix = Prefix::new("start-stopped");
    prefix.shell("it", "exec sleep 1000", "type = \"notify\"\nstart-timeout = \"600s\"\n");
    let mut start = prefix.command(&["start", "it"]);
    let start = start.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let path = prefix.path("run/foobar/it/state");
    let main = foobar_tests::until("its program", crate::support::LIMIT, || {
        let state: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).ok()?).ok()?;
        state["main"].as_u64()
    });
    let begun = std::time::Instant::now();
    prefix.ctl(&["stop", "it"]).expect(0);
    assert!(begun.elapsed() < crate::support::LIMIT, "{:?}", begun.elapsed());
    assert!(!crate::support::alive(main as u32));
    let output = start.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(1) && told.contains("told to stop before it was ready"), "{told}");
    prefix.ctl(&["status", "it"]).expect(3);
}

#[test]
fn who_stops_a_start_does_not_stop_the_service() {
    let prefix = Prefix::new("start-stopped");
    let file = prefix.show("ready");
    prefix.shell(
        "it",
        "echo here; exec sleep 1000",
        &format!("ready-file = {file:?}\nreload-signal = \"HUP\"\n"),
    );
    let mut starting = prefix.command(&["start", "it"]).spawn().unwrap();
    let supervisor = until("the supervisor", LIMIT, || {
        let view = prefix.supervision("it");
        (view["state"] == "starting" && view["main"].is_u64()).then(|| prefix.supervisor("it"))
    });
    // The process that became the supervisor, and waits for it as long as the start lasts.
    let children = format!("/proc/{0}/task/{0}/children", starting.id());
    let starter = std::fs::read_to_string(children).unwrap();
    let starter: u32 = starter.split_whitespace().next().unwrap().parse().unwrap();
    assert!(starter != supervisor);
    kill(starter, "STOP");
    std::fs::write(&file, "").unwrap();
    let view = until("it to be ready, and its supervisor to answer", LIMIT, || {
        Some(prefix.supervision("it")).filter(|view| view["start"]["took"].is_number())
    });
    // Nobody has been told yet.
    assert_eq!(view["state"], "starting", "{view:#}");
    prefix.ctl(&["reload", "it"]).expect(1);
    assert!(view["log"].to_string().contains("here"), "{view:#}");
    assert!(starting.try_wait().unwrap().is_none());
    kill(starter, "CONT");
    assert!(starting.wait().unwrap().success());
    assert_eq!(prefix.supervision("it")["state"], "running");
    // One that is killed then leaves nothing that nobody knows of.
    prefix.ctl(&["stop", "it"]).expect(0);
    std::fs::remove_file(&file).unwrap();
    let mut starting = prefix.command(&["start", "it"]).spawn().unwrap();
    let main = until("the next", LIMIT, || {
        let view = prefix.supervision("it");
        view["main"].as_u64().filter(|_| view["state"] == "starting")
    });
    let children = format!("/proc/{0}/task/{0}/children", starting.id());
    let starter = std::fs::read_to_string(children).unwrap();
    kill(starter.split_whitespace().next().unwrap().parse().unwrap(), "STOP");
    std::fs::write(&file, "").unwrap();
    until("it to be ready", LIMIT, || prefix.supervision("it")["start"]["took"].as_f64());
    kill(starter.split_whitespace().next().unwrap().parse().unwrap(), "KILL");
    gone(main as u32);
    // Whoever has started that one reports it or starts another, which is known.
    starting.wait().unwrap();
    prefix.ctl(&["start", "it"]).expect(0);
    assert_eq!(prefix.supervision("it")["state"], "running");
    assert_ne!(u64::from(prefix.main("it")), main);
}

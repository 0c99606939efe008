//! Services that are ready when something outside can be seen of them, or when they write a newline; and looks at their health.

use std::fs;

use foobar_tests::{free_port, until};

use crate::support::{LIMIT, Prefix};

#[test]
fn ready_is_when_the_newline_comes() {
    let prefix = Prefix::new("ready-fd");
    prefix.shell("three", "echo busy >&3; exec 3>&-; exec sleep 1000", "type = \"fd\"\n");
    prefix.ctl(&["start", "three"]).expect(0);
    let more = "type = \"fd\"\nready-fd = 7\nstart-timeout = \"1s\"\n";
    prefix.shell("seven", "echo >&7; exec sleep 1000", more);
    prefix.ctl(&["start", "seven"]).expect(0);
    prefix.shell("silent", "printf x >&7; exec sleep 1000", more);
    prefix.ctl(&["start", "silent"]).expect(1);
}

#[test]
fn ready_is_when_a_file_or_a_command_says_so() {
    let prefix = Prefix::new("ready-file");
    let file = prefix.show("there");
    let more = format!("ready-file = {file:?}\nready-interval = \"20ms\"\nstart-timeout = \"20s\"\n");
    prefix.shell("file", &format!("sleep 0.3; echo; touch {file}; exec sleep 1000"), &more);
    prefix.ctl(&["start", "file"]).expect(0);
    assert!(prefix.path("there").exists());
    let tries = prefix.show("tries");
    let script = format!("echo x >>{tries}; test $(wc -l <{tries}) -ge 3");
    let more = format!("ready-command = {:?}\nready-interval = \"10ms\"\n", format!("/bin/sh -c {script:?}"));
    prefix.shell("command", "exec sleep 1000", &more);
    prefix.ctl(&["start", "command"]).expect(0);
    assert_eq!(fs::read_to_string(&tries).unwrap().lines().count(), 3);
}

#[test]
fn ready_is_when_an_address_accepts_and_a_page_answers() {
    let prefix = Prefix::new("ready-tcp");
    let (tcp, http) = (free_port(), free_port());
    let listen = |port: u16| format!("TCP-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr");
    let script = format!("sleep 0.3; exec socat {} EXEC:cat", listen(tcp));
    prefix.shell("tcp", &script, &format!("ready-tcp = \"127.0.0.1:{tcp}\"\nready-interval = \"20ms\"\n"));
    prefix.ctl(&["start", "tcp"]).expect(0);
    let answer = prefix.show("answer");
    fs::write(&answer, "HTTP/1.0 503 no\r\n\r\n").unwrap();
    let script = format!("exec socat {} SYSTEM:'cat {answer}'", listen(http));
    let more = format!(
        "ready-http = \"http://127.0.0.1:{http}/up\"\nready-interval = \"20ms\"\nstart-timeout = \"1s\"\n"
    );
    prefix.shell("http", &script, &more);
    let ran = prefix.ctl(&["start", "http"]).expect(1);
    assert!(ran.err.contains("the answer has status 503, and not 200-399"), "{ran:#?}");
    fs::write(&answer, "HTTP/1.0 204 yes\r\n\r\n").unwrap();
    prefix.ctl(&["start", "http"]).expect(0);
}

#[test]
fn who_dies_before_it_is_ready_has_failed_at_once() {
    let prefix = Prefix::new("ready-dies");
    let more = format!("ready-file = {:?}\nstart-timeout = \"600s\"\n", prefix.show("never"));
    prefix.shell("it", "echo no configuration >&2; exit 6", &more);
    let ran = prefix.ctl(&["start", "it"]).expect(6);
    assert!(ran.err.contains("exit code 6") && ran.err.contains("no configuration"), "{ran:#?}");
}

#[test]
fn who_is_unwell_too_often_is_started_again() {
    let prefix = Prefix::new("health");
    let well = prefix.show("well");
    let more = format!(
        "health-file = {well:?}\nhealth-interval = \"50ms\"\nhealth-failures = 3\nrestart = \"on-failure\"\nrestart-delay = \"0\"\n"
    );
    prefix.shell("it", &format!("echo >{well}; exec sleep 1000"), &more);
    prefix.ctl(&["start", "it"]).expect(0);
    let main = prefix.main("it");
    until("the file", LIMIT, || prefix.path("well").exists().then_some(()));
    fs::remove_file(&well).unwrap();
    let view = until("another main process", LIMIT, || {
        let view = prefix.supervision("it");
        (view["main"].as_u64().is_some_and(|pid| pid != u64::from(main))).then_some(view)
    });
    assert_eq!((&view["last_exit"]["cause"], &view["restarts"]), (&"watchdog".into(), &1.into()), "{view:#}");
    let log = prefix.ctl(&["logs", "it"]).out;
    assert!(log.contains("it was not well 3 times in a row"), "{log}");
}

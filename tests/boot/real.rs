//! Programs of Debian, unchanged, from service files written for this, under a real sysvinit: each is started, is ready, reloads, is
//! killed and comes again, and is stopped with nothing left. Their own init scripts are not used.

use std::fs;
use std::time::Duration;

use foobar_tests::{Testbed, skip, until};
use serde_json::Value;

use crate::debs;
use crate::system::with_programs;

const PACKAGES: [&str; 5] = ["nginx-light", "redis-server", "postgresql", "openssh-server", "python3"];

/// PostgreSQL recovers after it was killed.
const LIMIT: Duration = Duration::from_secs(60);

/// A program and how it is seen to work.
struct Program {
    name: &'static str,
    file: &'static str,
    /// Succeeds, inside, while the service can do its work.
    works: &'static str,
    /// The exit code of a reload.
    reload: i32,
    /// What no process of it is called any more when it is stopped, for `pgrep -f`.
    pattern: &'static str,
}

const PROGRAMS: [Program; 7] = [
    Program {
        name: "my-nginx",
        file: "program = \"/usr/sbin/nginx\"\narguments = [\"-g\", \"daemon off;\"]\nready-tcp = \"127.0.0.1:80\"\n\
               start-pre = [\"/usr/sbin/nginx -t -q\"]\nreload-signal = \"HUP\"\nstop-signal = \"QUIT\"\n",
        works: "bash -c 'exec 3<>/dev/tcp/127.0.0.1/80; printf \"GET / HTTP/1.0\\r\\n\\r\\n\" >&3; grep -q \"200 OK\" <&3'",
        reload: 0,
        pattern: "^nginx",
    },
    Program {
        name: "my-nginx-forking",
        file: "program = \"/usr/sbin/nginx\"\ntype = \"forking\"\npid-file = \"/run/nginx.pid\"\nsupervise = true\n\
               stop-signal = \"QUIT\"\n",
        works: "bash -c 'exec 3<>/dev/tcp/127.0.0.1/80; printf \"GET / HTTP/1.0\\r\\n\\r\\n\" >&3; grep -q \"200 OK\" <&3'",
        reload: 0,
        pattern: "^nginx",
    },
    Program {
        name: "my-redis",
        file: "program = \"/usr/bin/redis-server\"\narguments = [\"--supervised\", \"systemd\", \"--dir\", \"/var/lib/redis\"]\n\
               type = \"notify\"\nuser = \"redis\"\n",
        works: "[ \"$(redis-cli ping)\" = PONG ]",
        reload: 3,
        pattern: "^/usr/bin/redis-server",
    },
    Program {
        name: "my-postgres",
        file: "program = \"/usr/lib/postgresql/15/bin/postgres\"\n\
               arguments = [\"-D\", \"/var/lib/postgresql/15/main\", \"-c\", \"config_file=/etc/postgresql/15/main/postgresql.conf\"]\n\
               type = \"notify\"\nuser = \"postgres\"\nruntime-directory = [\"postgresql\"]\nreload-signal = \"HUP\"\n\
               stop-signal = \"INT\"\n",
        works: "setpriv --reuid=postgres --regid=postgres --clear-groups psql -d postgres -Atc 'select 1' | grep -qx 1",
        reload: 0,
        pattern: "postgres",
    },
    Program {
        name: "my-rsyslog",
        file: "program = \"/usr/sbin/rsyslogd\"\narguments = [\"-n\", \"-iNONE\"]\ntype = \"notify\"\nreload-signal = \"HUP\"\n\
               log-output = \"null\"\n",
        works: "logger -t tried it-works && for try in 1 2 3 4 5 6 7 8 9 10; do grep -q 'tried: it-works' /var/log/syslog && exit 0; \
                sleep 0.2; done; exit 1",
        reload: 0,
        pattern: "rsyslogd",
    },
    Program {
        name: "my-sshd",
        file: "program = \"/usr/sbin/sshd\"\narguments = [\"-D\"]\ntype = \"notify\"\nruntime-directory = [\"sshd\"]\n\
               start-pre = [\"/usr/sbin/sshd -t\"]\nreload-signal = \"HUP\"\n",
        works: "bash -c 'exec 3<>/dev/tcp/127.0.0.1/22; read -r line <&3; case $line in SSH-2.0*) exit 0;; esac; exit 1'",
        reload: 0,
        pattern: "^sshd:|/usr/sbin/sshd",
    },
    Program {
        name: "my-python",
        file: "program = \"/usr/bin/python3\"\narguments = [\"-m\", \"http.server\", \"8000\"]\nuser = \"nobody\"\n\
               working-directory = \"/usr/share\"\nready-http = \"http://127.0.0.1:8000/\"\nready-interval = \"50ms\"\n",
        works: "bash -c 'exec 3<>/dev/tcp/127.0.0.1/8000; printf \"GET / HTTP/1.0\\r\\n\\r\\n\" >&3; grep -q \"200 OK\" <&3'",
        reload: 3,
        pattern: "http.server",
    },
];

#[test]
fn programs_of_debian_live_under_the_supervisor() {
    let Some(mut bed) = with_packages("real") else { return };
    bed.boot();
    bed.ok("/etc/init.d/rsyslog stop");
    for program in &PROGRAMS {
        live(&bed, program);
    }
    // One of them through the whole machine: its links start and stop it.
    bed.ok("foobarctl install my-redis --runlevels 2345");
    bed.reboot();
    until("redis after the boot", LIMIT, || (bed.run("redis-cli ping").stdout == "PONG\n").then_some(()));
    bed.shutdown();
}

/// With the packages, none of whose services was started.
fn with_packages(name: &str) -> Option<Testbed> {
    let bed = with_programs(name)?;
    let Some(files) = debs::fetched(&bed, &PACKAGES) else {
        skip("nginx, redis, PostgreSQL, sshd and Python cannot be fetched: apt-get needs a Debian mirror");
        return None;
    };
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        bed.put(&format!("/debs/{name}"), &fs::read(&file).unwrap(), 0o644);
    }
    bed.put("/usr/sbin/policy-rc.d", b"#!/bin/sh\nexit 101\n", 0o755);
    // Some must be configured before others are unpacked.
    let install = "export DEBIAN_FRONTEND=noninteractive LC_ALL=C\n\
                   for pass in 1 2 3; do dpkg --unpack --skip-same-version /debs/*.deb && break; dpkg --configure -a; done\n\
                   dpkg --configure -a && rm -r /debs || exit 1\n\
                   for name in nginx redis-server postgresql ssh; do update-rc.d $name disable || exit 1; done";
    let output = bed.offline(install);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    Some(bed)
}

/// The whole life of one program.
fn live(bed: &Testbed, program: &Program) {
    let name = program.name;
    let file = format!("{}restart = \"always\"\nrestart-delay = \"100ms\"\n", program.file);
    bed.put(&format!("/etc/foobar/{name}.toml"), file.as_bytes(), 0o644);
    bed.ok(&format!("foobarctl start {name}"));
    // Ready is ready: it works at the first try.
    bed.ok(program.works);
    let before = supervision(bed, name);
    assert_eq!(before["state"], "running", "{before:#}");
    let ran = bed.run(&format!("foobarctl reload {name}"));
    assert_eq!(ran.status, program.reload, "{ran:?}");
    until(&format!("{name} after its reload"), LIMIT, || (bed.run(program.works).status == 0).then_some(()));
    bed.ok(&format!("kill -KILL {}", supervision(bed, name)["main"]));
    until(&format!("{name} to be back"), LIMIT, || {
        let view = supervision(bed, name);
        (view["state"] == "running" && view["restarts"] == 1 && view["main"] != before["main"]).then_some(())
    });
    until(&format!("{name} to work again"), LIMIT, || (bed.run(program.works).status == 0).then_some(()));
    let text = bed.ok(&format!("foobarctl status {name}"));
    assert!(text.contains("is running") && text.contains("SIGKILL"), "{text}");
    bed.ok(&format!("foobarctl stop {name}"));
    assert_eq!(left(bed, program.pattern), "", "left of {name}");
    assert_eq!(bed.run(&format!("foobarctl status {name}")).status, 3);
}

/// The processes with `pattern` in their command lines, but for those that look for it.
fn left(bed: &Testbed, pattern: &str) -> String {
    bed.run(&format!("pgrep -af '{pattern}' | grep -v pgrep")).stdout
}

fn supervision(bed: &Testbed, name: &str) -> Value {
    let ran = bed.run(&format!("foobarctl --format json status {name}"));
    let json: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    json["supervision"].clone()
}

#[test]
fn rude_programs_are_held_and_ended() {
    let Some(mut bed) = with_programs("rude") else { return };
    bed.boot();
    let put = |name: &str, script: &str, more: &str| {
        let text = format!(
            "program = \"/bin/sh\"\narguments = [\"-c\", {script:?}]\nexpand-arguments = false\n{more}"
        );
        bed.put(&format!("/etc/foobar/{name}.toml"), text.as_bytes(), 0o644);
    };
    let stopped = |name: &str, pattern: &str| {
        let ran = bed.run(&format!("foobarctl stop {name}"));
        assert_eq!(ran.status, 0, "{ran:?}");
        assert_eq!(left(&bed, pattern), "", "left of {name}");
        ran.stderr
    };

    put("deaf", "trap '' TERM INT HUP; while :; do sleep 987; done", "stop-timeout = \"1s\"\n");
    bed.ok("foobarctl start deaf");
    let told = stopped("deaf", "sleep 987");
    assert!(told.contains("did not end within 1 s of SIGTERM, killed"), "{told}");

    put("still", "kill -STOP $$; sleep 986", "stop-timeout = \"5s\"\n");
    bed.ok("foobarctl start still");
    stopped("still", "sleep 986");

    put("closed", "exec 0<&- 1>&- 2>&-; exec sleep 985", "");
    bed.ok("foobarctl start closed");
    stopped("closed", "sleep 985");

    // It fills its pipe and never reads: the supervisor reads all of it.
    put("loud", "yes loud | head -c 5000000; exec sleep 984", "log-output = \"null\"\n");
    bed.ok("foobarctl start loud");
    until("the end of the noise", LIMIT, || (bed.run("pgrep -xf 'sleep 984'").status == 0).then_some(()));
    stopped("loud", "sleep 984");

    // A daemon of the old kind: two forks, a session of its own, no PID file.
    let legacy = "type = \"forking\"\npid-file = \"\"\nrestart = \"always\"\nrestart-delay = \"100ms\"\n";
    put("legacy", "(setsid sh -c 'exec sleep 983' >/dev/null 2>&1 &)", legacy);
    bed.ok("foobarctl start legacy");
    let main = supervision(&bed, "legacy")["main"].clone();
    assert_eq!(bed.ok("pgrep -xf 'sleep 983'"), main.to_string());
    bed.ok(&format!("kill -KILL {main}"));
    until("the next one", LIMIT, || {
        let view = supervision(&bed, "legacy");
        (view["state"] == "running" && view["main"] != main && !view["main"].is_null()).then_some(())
    });
    stopped("legacy", "sleep 983");

    // Two limits: where the kernel counts no tasks of a group, the processes of a user are still counted.
    let bomb = "bomb() { bomb | bomb & }; bomb; exec sleep 982";
    put(
        "bomb",
        bomb,
        "tasks-max = 30\nuser = \"games\"\nlimit-nproc = 40\nlog-output = \"null\"\nstop-timeout = \"2s\"\n",
    );
    bed.ok("foobarctl start bomb");
    let count = bed.ok("ps -u games -o pid= | wc -l").trim().parse::<u32>().unwrap();
    assert!(count <= 40, "{count}");
    stopped("bomb", "bomb");
    assert_eq!(bed.run("pgrep -u games").status, 1);
}

#[test]
fn what_is_said_while_no_logger_runs_arrives_later() {
    let Some(mut bed) = with_programs("no-logger") else { return };
    bed.boot();
    bed.ok("/etc/init.d/rsyslog stop");
    let text = "program = \"/bin/sh\"\narguments = [\"-c\", \"echo while nobody listened; exec sleep 981\"]\n\
                log-facility = \"local0\"\nlog-ident = \"talker\"\n";
    bed.put("/etc/foobar/talker.toml", text.as_bytes(), 0o644);
    bed.ok("foobarctl start talker");
    let main = supervision(&bed, "talker")["main"].clone();
    until("its word", LIMIT, || {
        bed.run("foobarctl logs talker").stdout.contains("while nobody listened").then_some(())
    });
    bed.ok("/etc/init.d/rsyslog start");
    let wanted = format!("talker[{main}]: while nobody listened");
    until("the line in syslog", LIMIT, || bed.read("/var/log/syslog")?.contains(&wanted).then_some(()));
    bed.ok("foobarctl stop talker");
}

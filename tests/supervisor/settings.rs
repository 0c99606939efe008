//! What a service file sets is so in the program: read back from /proc by the program itself.

use crate::support::{Prefix, is_root};

#[test]
fn settings_are_those_of_the_service_file() {
    if !is_root() {
        return foobar_tests::skip("other users, capabilities and priorities need root");
    }
    let prefix = Prefix::new("settings");
    std::fs::set_permissions(prefix.sandbox.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777))
        .unwrap();
    let file = prefix.show("seen");
    let script = format!(
        "{{ umask; pwd; id -u; id -g; id -G; nice; ulimit -n; ulimit -Hn; ulimit -c; cat /proc/self/oom_score_adj; \
         grep -E '^(CapBnd|CapAmb|CapEff|NoNewPrivs|SigBlk|SigIgn):' /proc/self/status; ls /proc/self/fd | wc -l; \
         ionice; chrt -p $$; env | sort; echo end; }} >{file} 2>&1; exec sleep 1000"
    );
    let more = "user = \"daemon\"\ngroup = \"nogroup\"\nsupplementary-groups = [\"tty\"]\nworking-directory = \"/usr\"\numask = \"0027\"\n\
        nice = 5\nlimit-nofile = \"100:200\"\nlimit-core = 0\noom-score-adjust = 321\nno-new-privileges = true\n\
        capability-bounding-set = [\"CAP_NET_BIND_SERVICE\", \"CAP_KILL\", \"CAP_SETUID\", \"CAP_SETGID\", \"CAP_SETPCAP\"]\n\
        ambient-capabilities = [\"CAP_NET_BIND_SERVICE\"]\nio-class = \"idle\"\ncpu-policy = \"batch\"\n\
        environment = [\"WORD=two words\", \"PATH=/usr/bin:/bin\"]\n";
    prefix.shell("it", &script, more);
    prefix.ctl(&["start", "it"]).expect(0);
    let text = foobar_tests::until("all of it", crate::support::LIMIT, || {
        Some(prefix.text("seen")).filter(|text| text.ends_with("end\n"))
    });
    let lines: Vec<&str> = text.lines().collect();
    let tty = String::from_utf8(
        std::process::Command::new("getent").args(["group", "tty"]).output().unwrap().stdout,
    )
    .unwrap();
    let tty = tty.split(':').nth(2).unwrap();
    assert_eq!(lines[..4], ["0027", "/usr", "1", "65534"], "{text}");
    assert!(lines[4].split(' ').any(|gid| gid == tty), "{text}");
    assert_eq!(lines[5..10], ["5", "100", "200", "0", "321"], "{text}");
    for line in [
        "CapBnd:\t00000000000005e0",
        "CapAmb:\t0000000000000400",
        "CapEff:\t0000000000000400",
        "NoNewPrivs:\t1",
        "SigBlk:\t0000000000000000",
        "SigIgn:\t0000000000000000",
        "idle",
        "USER=daemon",
        "WORD=two words",
        "PATH=/usr/bin:/bin",
    ] {
        assert!(lines.contains(&line), "{line}: {text}");
    }
    assert!(text.contains("SCHED_BATCH") && text.contains("INVOCATION_ID="), "{text}");
    assert!(!text.contains("CARGO"), "the caller's environment is not passed on: {text}");
}

#[test]
fn variables_come_from_files_and_go_into_arguments() {
    let prefix = Prefix::new("variables");
    std::fs::write(
        prefix.path("defaults"),
        "# words\nOPTIONS=\"-a -b\"\nNAME='it''s'\nOVER=file\nexport MORE=x\nif true\n",
    )
    .unwrap();
    let text = format!(
        "program = \"/bin/sh\"\narguments = [\"-c\", \"printf '%s|' \\\"$0\\\" \\\"$@\\\" >{seen}; echo >>{seen}; exec sleep 1000\", \
         \"zero\", \"$OPTIONS\", \"${{NAME}}\", \"x${{OVER}}\", \"$$5\", \"${{NOTHING}}\"]\nenvironment = [\"OVER=key\"]\n\
         environment-file = [\"{file}\", \"-/nonexistent\"]\n",
        seen = prefix.show("seen"),
        file = prefix.show("defaults")
    );
    prefix.service("it", &text);
    prefix.ctl(&["start", "it"]).expect(0);
    assert_eq!(prefix.text("seen"), "zero|-a|-b|its|xfile|$5||\n");
    let log = prefix.ctl(&["logs", "it"]).expect(0).out;
    let file = prefix.show("defaults");
    for told in [":5: ignored: 'export MORE' is no name of a variable", ":6: ignored: it has no '='"] {
        assert_eq!(log.matches(&format!(" warning {file}{told}\n")).count(), 1, "{log}");
    }
    prefix.ctl(&["stop", "it"]).expect(0);
    std::fs::remove_file(prefix.path("defaults")).unwrap();
    let ran = prefix.ctl(&["start", "it"]).expect(6);
    assert!(ran.err.contains("cannot read the environment file"), "{ran:#?}");
}

#[test]
fn tasks_are_limited_where_there_is_a_control_group() {
    let prefix = Prefix::new("tasks");
    // In a shell of its own: a fork that fails is the end of the one that tried.
    let bomb = format!(
        "(i=0; while [ $i -lt 50 ]; do sleep 1000 & i=$((i+1)); done) 2>{}; exec sleep 1000",
        prefix.show("err")
    );
    prefix.shell("it", &bomb, "tasks-max = 20\n");
    prefix.ctl(&["start", "it"]).expect(0);
    if !is_root() {
        return foobar_tests::skip("control groups need root");
    }
    let text = foobar_tests::until("a fork that fails", crate::support::LIMIT, || {
        Some(prefix.text("err")).filter(|text| !text.is_empty())
    });
    assert!(text.contains("fork") || text.contains("Cannot"), "{text}");
    prefix.ctl(&["stop", "it"]).expect(0);
}

#[test]
fn directories_are_made_and_conditions_looked_at() {
    let prefix = Prefix::new("directories");
    let script =
        format!("echo $RUNTIME_DIRECTORY $STATE_DIRECTORY >{}; exec sleep 1000", prefix.show("seen"));
    let more = "runtime-directory = [\"app\", \"more/app\"]\nruntime-directory-mode = \"0750\"\nstate-directory = [\"app\"]\n";
    prefix.shell("it", &script, more);
    prefix.ctl(&["start", "it"]).expect(0);
    let [one, two, state] = ["run/app", "run/more/app", "var/lib/app"].map(|below| prefix.show(below));
    assert_eq!(prefix.text("seen"), format!("{one}:{two} {state}\n"));
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&one).unwrap());
    assert_eq!(mode & 0o7777, 0o750);
    prefix.ctl(&["stop", "it"]).expect(0);
    assert!(!prefix.path("run/app").exists() && prefix.path("var/lib/app").exists());
    let key = format!("\"{}\"", prefix.show("license"));
    prefix.shell("if", "exec sleep 1000", &format!("condition-path-exists = [{key}]\n"));
    let ran = prefix.ctl(&["start", "if"]).expect(0);
    assert!(ran.out.starts_with("if was not started: condition-path-exists ="), "{ran:#?}");
    prefix.ctl(&["status", "if"]).expect(3);
    prefix.shell("must", "exec sleep 1000", &format!("assert-path-exists = [{key}]\n"));
    assert!(prefix.ctl(&["start", "must"]).expect(6).err.contains("assert-path-exists ="));
    std::fs::write(prefix.path("license"), "").unwrap();
    for name in ["if", "must"] {
        prefix.ctl(&["start", name]).expect(0);
        prefix.ctl(&["status", name]).expect(0);
    }
}

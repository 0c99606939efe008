//! A PID that changed hands: the daemon died and a stranger got its very number. In a PID namespace of its own, where the
//! next number can be chosen. DESIGN section 4, point 6.

use std::process::Command;

use foobar_tests::{Sandbox, skip};

use crate::program::subject;

/// Runs inside the namespace as its PID 1: starts a daemon, kills it, lets a stranger take its number, looks, stops.
const SCRIPT: &str = r#"
subject=$1 file=$2
echo 400 >/proc/sys/kernel/pid_max 2>/dev/null || true
"$subject" daemon "$file" >/dev/null || exit 10
old=$(cat "$file")
# Identity is a number and a start time, which the kernel tells in ticks of 10 ms: the stranger starts in another.
read -r begun _ </proc/uptime
while read -r now _ </proc/uptime; [ "$now" = "$begun" ]; do :; done
kill -KILL "$old"
# PID 1 is this shell: `wait` reaps the orphan, so that its number is free.
while [ -d "/proc/$old" ]; do wait; done
echo $((old - 1)) >/proc/sys/kernel/ns_last_pid 2>/dev/null || [ "$(cat /proc/sys/kernel/pid_max)" -le 400 ] || exit 77
tries=0
while :; do
    "$subject" patient >"$file.out" & new=$!
    [ "$new" = "$old" ] && break
    kill -KILL "$new"; wait "$new" 2>/dev/null
    tries=$((tries + 1)); [ "$tries" -lt 2000 ] || exit 77
    echo $((old - 1)) >/proc/sys/kernel/ns_last_pid 2>/dev/null
done
echo "number $old: was the daemon, is the stranger"
"$subject" look "$file"
: >"$file.lock"
"$subject" look "$file"
touch "$file"
"$subject" look "$file"
"$subject" daemon "$file" | sed "s/[0-9][0-9]*/N/"
kill -0 "$new" && echo "the stranger lives"
cat "$file.out"
"#;

#[test]
fn a_stranger_with_the_daemons_number_is_not_the_daemon() {
    let sandbox = Sandbox::new("reuse");
    let path = sandbox.path().join("foobar.pid");
    let mut unshare = Command::new("unshare");
    if !foobar_process::Uid::effective().is_root() {
        unshare.args(["--user", "--map-root-user"]);
    }
    unshare.args(["--pid", "--fork", "--mount-proc", "--kill-child", "bash", "-c", SCRIPT, "bash"]);
    let output = match unshare.arg(subject()).arg(&path).output() {
        Ok(output) if !matches!(output.status.code(), Some(0 | 10)) => {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            return skip(&format!("no PID namespace in which a number can be chosen: {said}"));
        }
        Ok(output) => output,
        Err(error) => return skip(&format!("needs unshare of util-linux: {error}")),
    };
    let said = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = said.lines().collect();
    let number = lines[0].strip_prefix("number ").and_then(|line| line.split(':').next()).unwrap();
    let dead = format!("dead {number}");
    // By the record; without the record; with the file touched after the stranger's start: dead each time.
    assert_eq!(lines[1..4], [dead.as_str(), dead.as_str(), dead.as_str()], "{said}");
    assert_eq!(lines[4..], ["started (PID N)", "the stranger lives", "patient"], "{said}");
}

//! Ending daemons that are deaf, stopped or dead already, by pidfd and without one. DESIGN section 4, points 6, 8 and 9.

use std::time::{Duration, Instant};

use foobar_process::Signal;
use foobar_process::child::command as clean_command;
use foobar_process::identity::{Mechanism, Process};
use foobar_process::stop::{Ending, StopError, StopPolicy, stop};

use crate::program::{Canary, LIMIT, Running, as_nobody, copy_of_subject, is_root};

fn soon() -> StopPolicy {
    StopPolicy { signal: Signal::SIGTERM, grace: Duration::from_millis(100), kill_grace: LIMIT }
}

/// The process of `running`, held in each of the two ways.
fn both(running: &Running) -> [Process; 2] {
    let pinned = Process::open(running.pid()).unwrap().unwrap();
    let plain = Process::open_without_pidfd(running.pid()).unwrap().unwrap();
    assert_eq!((pinned.mechanism(), plain.mechanism()), (Mechanism::PidFd, Mechanism::StartTime));
    assert_eq!(pinned.start_ticks(), plain.start_ticks());
    [pinned, plain]
}

#[test]
fn what_follows_the_request_ends_by_it() {
    for way in 0..2 {
        let running = Running::start(clean("sleep", "1000"));
        let process = &both(&running)[way];
        let policy = StopPolicy { grace: LIMIT, ..soon() };
        assert!(matches!(stop(process, &policy).unwrap(), Ending::Ended { .. }));
        // Not reaped yet: a zombie is gone.
        assert!(!process.is_alive());
        assert!(Process::open(running.pid()).unwrap().is_none());
        assert!(Process::open_without_pidfd(running.pid()).unwrap().is_none());
        // And nothing more can reach it.
        assert_eq!(process.signal(Signal::SIGTERM).err().map(|error| error.raw_os_error()), gone_error(way));
        assert!(
            matches!(stop(process, &soon()).unwrap(), Ending::Ended { .. }),
            "stopping the dead succeeds"
        );
    }
}

/// A pidfd of a zombie still takes signals, which do nothing; without one they are refused.
fn gone_error(way: usize) -> Option<Option<i32>> {
    (way == 1).then_some(Some(nix::libc::ESRCH))
}

fn clean(program: &str, argument: &str) -> std::process::Command {
    let mut command = clean_command(program);
    command.arg(argument);
    command
}

#[test]
fn what_ignores_the_request_is_killed_and_that_is_told() {
    for way in 0..2 {
        let running = Running::subject(&["deaf"]);
        let process = &both(&running)[way];
        let begin = Instant::now();
        match stop(process, &soon()).unwrap() {
            Ending::Killed { after } => {
                assert!(after >= Duration::from_millis(100) && after <= begin.elapsed())
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_stopped_process_can_follow_the_request() {
    let running = Running::start(clean("sleep", "1000"));
    let process = Process::open(running.pid()).unwrap().unwrap();
    process.signal(Signal::SIGSTOP).unwrap();
    let policy = StopPolicy { grace: LIMIT, ..soon() };
    assert!(matches!(stop(&process, &policy).unwrap(), Ending::Ended { .. }));
}

#[test]
fn stop_returns_when_the_process_ends_and_not_at_a_tick() {
    let mut lags = Vec::new();
    for _ in 0..40 {
        let mut running = Running::start(clean("sleep", "1000"));
        let process = Process::open(running.pid()).unwrap().unwrap();
        // The time of the end itself, by the parent's wait in another thread.
        let ended = std::thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                running.child().wait().unwrap();
                Instant::now()
            });
            stop(&process, &StopPolicy { grace: LIMIT, ..soon() }).unwrap();
            let returned = Instant::now();
            returned.saturating_duration_since(waiter.join().unwrap())
        });
        lags.push(ended);
    }
    lags.sort();
    eprintln!("stop returns after the end: median {:?}, worst {:?}", lags[20], lags[39]);
    // What looks now and then is late as a rule; what waits is late when others have the processors.
    assert!(lags[10] < Duration::from_millis(5), "a quarter: {:?}", lags[10]);
}

#[test]
fn a_process_of_somebody_else_is_not_ours_to_stop() {
    if !is_root() {
        return;
    }
    let mut canary = Canary::start();
    let sandbox = foobar_tests::Sandbox::new("not-ours");
    let copy = copy_of_subject(sandbox.path());
    let output = as_nobody(&copy).arg("stop").arg(canary.pid().to_string()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains(&format!("not permitted to signal process {}", canary.pid())), "{said}");
    canary.assert_untouched();
    let survived = StopError::Survived { pid: canary.pid(), waited: Duration::from_secs(2) };
    assert!(survived.to_string().contains("2 s after KILL"));
}

#[test]
fn waiting_has_a_deadline() {
    let running = Running::subject(&["deaf"]);
    for process in both(&running) {
        let begin = Instant::now();
        assert!(!process.wait_gone(begin + Duration::from_millis(30)).unwrap());
        assert!(begin.elapsed() >= Duration::from_millis(30));
        assert!(!process.wait_gone(Instant::now()).unwrap());
    }
}

#[test]
fn usage_of_this_process_is_plausible() {
    let own = Process::open(foobar_process::Pid::this()).unwrap().unwrap();
    let usage = foobar_process::usage::usage(&own).unwrap();
    assert!(usage.memory > 100_000 && usage.memory < 1 << 32, "{usage:?}");
    assert!(usage.started.elapsed().unwrap() < Duration::from_secs(3600), "{usage:?}");
    assert!((0.0..10_000.0).contains(&usage.cpu_percent), "{usage:?}");
    let ended = Running::start(clean("true", ""));
    let process = Process::open(ended.pid()).unwrap();
    if let Some(process) = process {
        assert!(process.wait_gone(Instant::now() + LIMIT).unwrap());
        assert_eq!(foobar_process::usage::usage(&process), None);
    }
}

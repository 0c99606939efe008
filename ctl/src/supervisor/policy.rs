//! Whether a program that has ended is started again, and when: a pure function of the rule, of what was before and of the
//! time. `Restart=` and `StartLimit...=` of systemd.service(5) and systemd.unit(5). It starts nothing.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use foobar_initscripts::service::{Restart, When};
use foobar_process::child::How;

/// A program that ran for this long and ends is started again at once, if its service file leaves the delay as it is: the pause
/// is there to slow down what fails again and again.
const LONG_RUN: Duration = Duration::from_secs(10);

/// Why a program has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// By itself, or by a signal of somebody.
    Itself,
    /// It gave no sign of life in time.
    Watchdog,
    /// It was not ready, or not gone, in time.
    TimeLimit,
    /// It could not be executed, or a command that belongs to its start has failed.
    NotStarted,
}

/// An end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Exit code or signal.
    pub how: How,
    /// Why.
    pub cause: Cause,
    /// How long it has run.
    pub ran: Duration,
}

/// What follows from an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is started again after a pause.
    Again(Duration),
    /// It was started too often in too short a time.
    GiveUp,
    /// It stays as it is.
    Stay,
}

/// The starts so far.
#[derive(Debug, Default)]
pub struct History {
    /// Those within the interval of the rule.
    starts: VecDeque<Instant>,
    /// How often it was started again since it last ran for long.
    row: u32,
}

impl History {
    /// Whether there was one.
    pub fn is_begun(&self) -> bool {
        !self.starts.is_empty()
    }

    /// Notes a start; what `rule` does not count need not be remembered.
    pub fn started(&mut self, rule: &Restart, now: Instant) {
        let is_old = |start: &Instant| now.saturating_duration_since(*start) >= rule.interval;
        while self.starts.len() > rule.burst as usize || self.starts.front().is_some_and(is_old) {
            self.starts.pop_front();
        }
        self.starts.push_back(now);
    }

    /// How many seconds ago each start was that is remembered.
    pub fn ages(&self, now: Instant) -> Vec<f64> {
        self.starts.iter().map(|start| now.saturating_duration_since(*start).as_secs_f64()).collect()
    }

    /// The history of [`History::ages`].
    pub fn aged(ages: &[f64], now: Instant) -> History {
        let before = |age: &f64| now.checked_sub(Duration::try_from_secs_f64(*age).ok()?);
        History { starts: ages.iter().filter_map(before).collect(), row: 0 }
    }

    fn within(&self, interval: Duration, now: Instant) -> usize {
        self.starts.iter().filter(|start| now.saturating_duration_since(**start) < interval).count()
    }
}

/// Whether an end is a clean one: exit code 0, one of the four signals that ask politely, or what the service file has more.
#[must_use]
pub fn is_clean(rule: &Restart, ended: &Ended) -> bool {
    if ended.cause != Cause::Itself {
        return false;
    }
    match ended.how {
        How::Code(code) => code == 0 || u8::try_from(code).is_ok_and(|code| rule.success.has_code(code)),
        How::Signal(signal) => {
            let name = signal.as_str();
            ["SIGHUP", "SIGINT", "SIGTERM", "SIGPIPE"].contains(&name) || rule.success.has_signal(name)
        }
    }
}

/// Decides.
#[must_use]
pub fn decide(rule: &Restart, history: &mut History, ended: &Ended, now: Instant) -> Verdict {
    if !wanted(rule, ended) {
        return Verdict::Stay;
    }
    let limited = rule.burst > 0 && !rule.interval.is_zero();
    if limited && history.within(rule.interval, now) >= rule.burst as usize {
        return Verdict::GiveUp;
    }
    if ended.ran >= LONG_RUN.max(rule.max_delay.unwrap_or_default()) {
        history.row = 0;
        if rule.delay == Restart::default().delay {
            history.row = 1;
            return Verdict::Again(Duration::ZERO);
        }
    }
    let pause = pause(rule, history.row);
    history.row = history.row.saturating_add(1);
    Verdict::Again(pause)
}

fn wanted(rule: &Restart, ended: &Ended) -> bool {
    let in_set = |set: &foobar_initscripts::service::ExitSet| match ended.how {
        _ if ended.cause != Cause::Itself => false,
        How::Code(code) => u8::try_from(code).is_ok_and(|code| set.has_code(code)),
        How::Signal(signal) => set.has_signal(signal.as_str()),
    };
    if in_set(&rule.prevent) {
        return false;
    }
    if in_set(&rule.force) {
        return true;
    }
    let clean = is_clean(rule, ended);
    let by_signal = matches!(ended.how, How::Signal(_)) && ended.cause == Cause::Itself;
    match rule.when {
        When::No => false,
        When::Always => true,
        When::OnSuccess => clean,
        When::OnFailure => !clean,
        When::OnAbnormal => {
            (by_signal && !clean) || matches!(ended.cause, Cause::Watchdog | Cause::TimeLimit)
        }
        When::OnWatchdog => ended.cause == Cause::Watchdog,
        When::OnAbort => by_signal && !clean,
    }
}

/// Grows from `delay` to `max_delay` by the same factor at each of `steps`.
fn pause(rule: &Restart, row: u32) -> Duration {
    match rule.max_delay {
        Some(most) if rule.steps > 0 && most > rule.delay => {
            let least = rule.delay.max(Duration::from_micros(1)).as_secs_f64();
            let share = f64::from(row.min(rule.steps)) / f64::from(rule.steps);
            let grown = least * (most.as_secs_f64() / least).powf(share);
            Duration::try_from_secs_f64(grown).unwrap_or(most).clamp(rule.delay, most)
        }
        _ => rule.delay,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use foobar_process::Signal;

    fn ended(how: How, cause: Cause) -> Ended {
        Ended { how, cause, ran: Duration::from_secs(1) }
    }

    /// The table of systemd.service(5), "Restart=".
    #[test]
    fn each_rule_restarts_after_its_ends() {
        let ends = [
            ended(How::Code(0), Cause::Itself),
            ended(How::Signal(Signal::SIGTERM), Cause::Itself),
            ended(How::Code(1), Cause::Itself),
            ended(How::Signal(Signal::SIGSEGV), Cause::Itself),
            ended(How::Signal(Signal::SIGKILL), Cause::TimeLimit),
            ended(How::Signal(Signal::SIGABRT), Cause::Watchdog),
            ended(How::Code(127), Cause::NotStarted),
        ];
        for (when, wanted) in [
            (When::No, [false; 7]),
            (When::Always, [true; 7]),
            (When::OnSuccess, [true, true, false, false, false, false, false]),
            (When::OnFailure, [false, false, true, true, true, true, true]),
            (When::OnAbnormal, [false, false, false, true, true, true, false]),
            (When::OnWatchdog, [false, false, false, false, false, true, false]),
            (When::OnAbort, [false, false, false, true, false, false, false]),
        ] {
            let rule = Restart { when, ..Restart::default() };
            for (end, wanted) in ends.iter().zip(wanted) {
                let verdict = decide(&rule, &mut History::default(), end, Instant::now());
                assert_eq!(matches!(verdict, Verdict::Again(_)), wanted, "{when:?} {end:?}");
            }
        }
    }

    #[test]
    fn codes_that_are_named_count_for_more() {
        let mut rule = Restart { when: When::OnFailure, ..Restart::default() };
        rule.success.add("75").unwrap();
        rule.prevent.add("SIGSEGV").unwrap();
        rule.force.add("0").unwrap();
        for (how, wanted) in [
            (How::Code(75), false),
            (How::Code(76), true),
            (How::Code(0), true),
            (How::Signal(Signal::SIGSEGV), false),
        ] {
            let end = ended(how, Cause::Itself);
            let verdict = decide(&rule, &mut History::default(), &end, Instant::now());
            assert_eq!(matches!(verdict, Verdict::Again(_)), wanted, "{how:?}");
        }
        assert!(is_clean(&rule, &ended(How::Code(75), Cause::Itself)));
    }

    #[test]
    fn too_many_starts_in_the_interval_end_it() {
        let rule = Restart { when: When::Always, ..Restart::default() };
        let (mut history, begin) = (History::default(), Instant::now());
        let end = ended(How::Code(1), Cause::Itself);
        for second in 0..5 {
            history.started(&rule, begin + Duration::from_secs(second));
        }
        let at = |second| begin + Duration::from_secs(second);
        assert_eq!(decide(&rule, &mut history, &end, at(5)), Verdict::GiveUp);
        // The first of them is out of the interval by then.
        assert!(matches!(decide(&rule, &mut history, &end, at(10)), Verdict::Again(_)));
        let unlimited = Restart { burst: 0, ..rule };
        assert!(matches!(decide(&unlimited, &mut history, &end, at(5)), Verdict::Again(_)));
    }

    #[test]
    fn the_pause_grows_to_its_bound_and_falls_after_a_long_run() {
        let seconds = Duration::from_secs;
        let rule = Restart {
            when: When::Always,
            delay: seconds(1),
            max_delay: Some(seconds(16)),
            steps: 4,
            burst: 0,
            ..Restart::default()
        };
        let (mut history, now) = (History::default(), Instant::now());
        let mut end = ended(How::Code(1), Cause::Itself);
        let mut next = |end: &Ended| match decide(&rule, &mut history, end, now) {
            Verdict::Again(pause) => pause.as_secs_f64().round() as u64,
            other => panic!("{other:?}"),
        };
        assert_eq!([(); 6].map(|()| next(&end)), [1, 2, 4, 8, 16, 16]);
        end.ran = seconds(60);
        assert_eq!(next(&end), 1);
    }

    #[test]
    fn the_usual_pause_is_left_out_after_a_long_run() {
        let rule = Restart { when: When::OnFailure, ..Restart::default() };
        let mut end = ended(How::Signal(Signal::SIGKILL), Cause::Itself);
        let usual = Verdict::Again(rule.delay);
        assert_eq!(decide(&rule, &mut History::default(), &end, Instant::now()), usual);
        end.ran = LONG_RUN;
        let at_once = Verdict::Again(Duration::ZERO);
        assert_eq!(decide(&rule, &mut History::default(), &end, Instant::now()), at_once);
    }
}

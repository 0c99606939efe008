//! Thousands of random cases. `FOOBAR_ORDER_SEED` and `FOOBAR_ORDER_CASES` choose others or more;
//! `FOOBAR_ORDER_SECONDS` bounds the time (45 by default).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::case::Case;
use crate::{insserv, random};

/// How a comparison came out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub done: u32,
    pub refused: u32,
    /// insserv crashed or read freed memory, so there is nothing to compare.
    pub undefined: u32,
}

/// How one run came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Run {
    Done,
    Refused,
    Undefined,
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn random_cases_equal_insserv() {
    if !insserv::is_installed() {
        return;
    }
    let seed = setting("FOOBAR_ORDER_SEED", 1);
    let count = setting("FOOBAR_ORDER_CASES", 4_000);
    let deadline = Instant::now() + Duration::from_secs(setting("FOOBAR_ORDER_SECONDS", 45));
    let next = AtomicU64::new(0);
    let work = || {
        let mut tally = Tally::default();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count || Instant::now() > deadline {
                return Ok((tally, number));
            }
            let case_seed = seed.wrapping_mul(1_000_003).wrapping_add(number);
            let case = random::case(case_seed);
            match case.compare() {
                Ok(more) => {
                    tally.done += more.done;
                    tally.refused += more.refused;
                    tally.undefined += more.undefined;
                }
                Err(_) => {
                    next.store(count, Ordering::Relaxed);
                    eprintln!("case {case_seed} differs; making it smaller");
                    return Err(explain(case_seed, case));
                }
            }
        }
    };
    let results: Result<Vec<(Tally, u64)>, String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let results = results.unwrap_or_else(|why| panic!("{why}"));
    let sum = |of: fn(&Tally) -> u32| results.iter().map(|(tally, _)| of(tally)).sum::<u32>();
    let (done, refused, undefined) = (sum(|t| t.done), sum(|t| t.refused), sum(|t| t.undefined));
    let cases = results.iter().map(|(_, number)| number).min().unwrap();
    eprintln!(
        "{cases} cases from seed {seed}: {done} runs equal, {refused} refused by both, {undefined} undefined"
    );
    assert!(done > refused, "too few runs were done to prove anything");
}

fn explain(seed: u64, case: Case) -> String {
    let small = shrink(case);
    let why = small.compare().map_or_else(|why| why, |_| "does not fail any more".to_owned());
    format!("case {seed} differs; smallest:\n{small}\n{why}")
}

/// Drops what can be dropped while the difference stays.
fn shrink(case: Case) -> Case {
    let mut best = case;
    loop {
        let smaller = candidates(&best).into_iter().find(|candidate| candidate.compare().is_err());
        match smaller {
            Some(smaller) => best = smaller,
            None => return best,
        }
    }
}

fn candidates(case: &Case) -> Vec<Case> {
    let mut all = Vec::new();
    let mut add = |change: &dyn Fn(&mut Case)| {
        let mut candidate = case.clone();
        change(&mut candidate);
        all.push(candidate);
    };
    for at in 0..case.steps.len() {
        add(&|c| drop(c.steps.remove(at)));
    }
    for at in 0..case.scripts.len() {
        add(&|c| drop(c.scripts.remove(at)));
    }
    for at in 0..case.overrides.len() {
        add(&|c| drop(c.overrides.remove(at)));
    }
    for at in 0..case.fragments.len() {
        add(&|c| drop(c.fragments.remove(at)));
    }
    for at in 0..case.conf.len() {
        add(&|c| drop(c.conf.remove(at)));
    }
    for at in 0..case.scripts.len() {
        for line in 0..case.scripts[at].lines.len() {
            add(&|c| drop(c.scripts[at].lines.remove(line)));
            let text = &case.scripts[at].lines[line];
            if let Some((rest, _)) = text.rsplit_once(' ').filter(|_| text.starts_with("# ")) {
                add(&|c| rest.clone_into(&mut c.scripts[at].lines[line]));
            }
        }
    }
    for at in 0..case.steps.len() {
        if let crate::case::Step::Run(change) = &case.steps[at] {
            for argument in 0..change.arguments.len() {
                add(&|c| {
                    if let crate::case::Step::Run(change) = &mut c.steps[at] {
                        change.arguments.remove(argument);
                    }
                });
            }
        }
    }
    all
}

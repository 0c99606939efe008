//! Ordering of 100 to 20,000 scripts without loops: foobarctl as it is shipped, called by the name insserv, beside the
//! insserv that is installed, and beside a floor: a C program that reads the same scripts and links, sorts, and writes the
//! same links (order/floor.c; it does not remove any). Whole processes in memory, interleaved; medians. Prints; asserts no time.
//!
//! `cargo bench -p foobar-initscripts --bench order` builds and measures what is shipped, or with `-- /PATH/foobarctl` that
//! one. insserv needs the square of what it is given: it is left out where it would take minutes, unless it is asked for
//! (`-- insserv`). `-- random` and `-- layered` measure one of the two kinds of trees.
#![forbid(unsafe_code)]
#![allow(clippy::disallowed_methods, reason = "the library is pure, its bench is not")]
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on stops")]

mod order {
    pub mod programs;
    pub mod tree;
}

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use foobar_initscripts::installed::{Installed, ScriptFile};
use foobar_initscripts::order::{Change, arrange};

use order::programs::{Programs, Verb, peak, time, time_floor};
use order::tree::{Shape, Tree};

const SIZES: [usize; 6] = [100, 1_000, 2_000, 5_000, 10_000, 20_000];

/// The runs of a tree, one after the other, and whether the floor does them as well.
const RUNS: [(&str, Verb, bool); 3] =
    [("first", Verb::Link, true), ("again", Verb::Link, true), ("remove", Verb::Remove, false)];

/// What is wanted: at most this multiple of the floor, at most so many KiB for so many scripts, and of insserv's time
/// at least this part by number of scripts.
const FLOOR: f64 = 1.5;
const PEAK: (usize, u64) = (5_000, 5_000);
const WANTED: [(usize, f64); 2] = [(2_000, 50.0), (5_000, 200.0)];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let says = |wanted: &str| words.iter().any(|word| word == wanted);
    let all = says("insserv");
    let given = words.iter().find(|word| word.starts_with('/'));
    let programs = Programs::new(given.map(Path::new));
    let chosen = [(Shape::Random, "random"), (Shape::Layered, "layered")];
    let chosen = chosen.iter().filter(|(_, word)| says(word) || !(says("random") || says("layered")));
    for &(shape, _) in chosen {
        let most = if all { usize::MAX } else { insserv_most(shape) };
        println!("\n{shape:?}; insserv up to {most} scripts");
        println!(
            "{:>6} {:>6} {:>10} {:>10} {:>8} {:>10} {:>11} {:>9} {:>9} {:>9} {:>9}",
            "N",
            "run",
            "floor ms",
            "ours ms",
            "x floor",
            "us/script",
            "insserv ms",
            "x ours",
            "x floor",
            "peak KiB",
            "order ms"
        );
        for count in SIZES {
            let theirs = programs.insserv.as_deref().filter(|_| count <= most);
            let links = theirs.map(|program| {
                let tree = Tree::new(shape, count);
                let [first, again, remove] = RUNS.map(|(_, verb, _)| verb);
                let linked = [time(program, &tree, count, first), time(program, &tree, count, again)];
                let links = tree.links();
                ([linked[0], linked[1], time(program, &tree, count, remove)], links)
            });
            rows(&programs, shape, count, links.as_ref());
        }
    }
    println!(
        "\nwanted: at most {FLOOR} of the floor and, for {} scripts, {} KiB; insserv's time {WANTED:?} of ours, as far as the \
         floor itself is so far below it. `!`: missed; `=`: the floor does not reach it either.",
        PEAK.0, PEAK.1
    );
}

/// Beyond this insserv takes minutes.
fn insserv_most(shape: Shape) -> usize {
    if shape == Shape::Random { 5_000 } else { 2_000 }
}

/// First runs, runs that find nothing to do, and runs that remove everything.
fn rows(programs: &Programs, shape: Shape, count: usize, theirs: Option<&([Duration; 3], Vec<String>)>) {
    let rounds = (100_000 / count).clamp(9, 25);
    let mut ours = RUNS.map(|_| Vec::new());
    let mut floors = RUNS.map(|_| Vec::new());
    let mut same = true;
    for round in 0..rounds {
        let (tree, plain) = (Tree::new(shape, count), Tree::new(shape, count));
        for (at, (_, verb, has_floor)) in RUNS.into_iter().enumerate() {
            if verb == Verb::Remove {
                let links = tree.links();
                same &= programs.floor.is_none() || plain.links() == links;
                same &= theirs.is_none_or(|(_, theirs)| *theirs == links);
            }
            let floor = programs.floor.as_deref().filter(|_| has_floor);
            // Each is first in every other round.
            if round % 2 == 0 {
                ours[at].push(time(&programs.ours(), &tree, count, verb));
            }
            floors[at].extend(floor.map(|program| time_floor(program, &plain)));
            if round % 2 == 1 {
                ours[at].push(time(&programs.ours(), &tree, count, verb));
            }
        }
        same &= tree.links().is_empty();
    }
    let tree = Tree::new(shape, count);
    let computed = compute(&tree, count);
    for (at, (run, verb, _)) in RUNS.into_iter().enumerate() {
        // Of the two that ran one after the other, as the machine is not always equally quick.
        let pairs = ours[at].iter().zip(&floors[at]);
        let beside = median_of(pairs.map(|(own, floor)| ratio(*own, *floor)).collect());
        let (own, floor) = (median(&mut ours[at]).unwrap(), median(&mut floors[at]));
        let theirs = theirs.map(|(times, _)| times[at]);
        // A shorter run is over before it has been looked at often enough.
        let peak = (count >= 1_000).then(|| peak(&programs.ours(), &tree, count, verb));
        println!(
            "{count:>6} {run:>6} {:>10} {:>10.1} {:>8} {:>10.1} {:>11} {:>9} {:>9} {:>9} {:>9}{}",
            floor.map_or(String::new(), |floor| format!("{:.1}", ms(floor))),
            ms(own),
            beside.map_or(String::new(), beside_floor),
            ms(own) * 1e3 / count as f64,
            theirs.map_or(String::new(), |theirs| format!("{:.0}", ms(theirs))),
            theirs.map_or(String::new(), |theirs| beside_insserv(count, verb, own, floor, theirs)),
            theirs.zip(floor).map_or(String::new(), |(theirs, floor)| format!("{:.0}", ratio(theirs, floor))),
            peak.map_or(String::new(), |peak| {
                format!("{peak}{}", if count == PEAK.0 && peak > PEAK.1 { "!" } else { "" })
            }),
            if at == 0 { format!("{:.1}", ms(computed)) } else { String::new() },
            if same { "" } else { "  LINKS DIFFER" }
        );
    }
}

fn beside_floor(ratio: f64) -> String {
    format!("{ratio:.2}{}", if ratio > FLOOR { "!" } else { "" })
}

fn beside_insserv(
    count: usize,
    verb: Verb,
    own: Duration,
    floor: Option<Duration>,
    theirs: Duration,
) -> String {
    let wanted = WANTED.iter().find(|(at, _)| *at == count && verb == Verb::Link);
    let wanted = wanted.map_or(0.0, |(_, wanted)| *wanted);
    let mark = match ratio(theirs, own) {
        reached if reached >= wanted => "",
        _ if floor.is_some_and(|floor| ratio(theirs, floor) < wanted) => "=",
        _ => "!",
    };
    format!("{:.0}{mark}", ratio(theirs, own))
}

fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn median(all: &mut [Duration]) -> Option<Duration> {
    all.sort();
    all.get(all.len() / 2).copied()
}

fn median_of(mut ratios: Vec<f64>) -> Option<f64> {
    ratios.sort_by(f64::total_cmp);
    ratios.get(ratios.len() / 2).copied()
}

/// The computation alone: headers read and all put in order, nothing read or written.
fn compute(tree: &Tree, count: usize) -> Duration {
    let names: Vec<String> = (0..count).map(|at| format!("s{at}")).collect();
    let texts: Vec<Vec<u8>> =
        names.iter().map(|name| fs::read(tree.path("etc/init.d").join(name)).unwrap()).collect();
    let conf = fs::read(tree.path("etc/insserv.conf")).unwrap();
    let mut change = Change::nothing();
    names.iter().for_each(|name| change.arguments.append(&mut Change::add(name).arguments));
    let mut times: Vec<Duration> = (0..5)
        .map(|_| {
            let begin = Instant::now();
            let mut installed = Installed::new();
            installed.add_conf(&conf);
            for (name, text) in names.iter().zip(&texts) {
                installed.add_script(&ScriptFile::regular(name, text));
            }
            assert_eq!(arrange(&installed, &change).unwrap().added().count(), count * 7);
            begin.elapsed()
        })
        .collect();
    median(&mut times).unwrap()
}

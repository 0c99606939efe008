//! Random cases, small and nasty: few names, so that they collide; all keys; aliases, ghosts, loops, `$all`,
//! interactive scripts, overrides, and an administrator who changes links by hand.

use foobar_initscripts::name::{Runlevel, Runlevels};
use foobar_initscripts::order::{Action, Argument, Change};

use crate::case::{Case, Script, Step};

/// A small generator (xorshift64*), so that a seed gives the same cases everywhere.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit.max(1)
    }

    /// True in one of `times` cases.
    pub fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

const NAMES: [&str; 12] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
const GHOSTS: [&str; 4] = ["x", "y", "z", "networking"];
const FACILITIES: [&str; 5] = ["$one", "$two", "$three", "$unknown", "$null"];

/// How wild a case is.
#[derive(Debug, Clone, Copy)]
struct Taste {
    loops: bool,
    reverse: bool,
    all: bool,
    interactive: bool,
    aliases: bool,
    broken: bool,
    boot: bool,
}

/// The case of a seed.
pub fn case(seed: u64) -> Case {
    let mut random = Random::new(seed);
    let r = &mut random;
    let taste = Taste {
        loops: r.one_in(5),
        reverse: r.one_in(2),
        all: r.one_in(4),
        interactive: r.one_in(4),
        aliases: r.one_in(3),
        broken: r.one_in(6),
        boot: r.one_in(2),
    };
    let count = 3 + r.below(10);
    let mut scripts: Vec<Script> = (0..count).map(|at| script(r, at, taste)).collect();
    for at in (1..scripts.len()).rev() {
        scripts.swap(at, r.below(at + 1));
    }
    let overrides = if r.one_in(8) { vec![(r.below(2), script(r, 0, taste))] } else { Vec::new() };
    let fragments =
        if r.one_in(6) { vec![("frag".to_owned(), vec![facility(r, taste)])] } else { Vec::new() };
    let conf = (0..r.below(6)).map(|_| facility(r, taste)).collect();
    let steps = steps(r, count);
    Case { conf, fragments, scripts, overrides, steps }
}

fn script(r: &mut Random, at: usize, taste: Taste) -> Script {
    let name = NAMES[at].to_owned();
    if r.one_in(if taste.broken { 6 } else { 40 }) {
        return Script { name, lines: Vec::new() };
    }
    let mut lines = vec!["### BEGIN INIT INFO".to_owned()];
    if !r.one_in(if taste.broken { 8 } else { 60 }) {
        lines.push(format!("# Provides: {}", provides(r, at, taste)));
    }
    for key in ["Required-Start", "Required-Stop", "Should-Start", "Should-Stop"] {
        if !r.one_in(8) {
            lines.push(format!("# {key}: {}", list(r, at, taste)));
        }
    }
    for key in ["X-Start-Before", "X-Stop-After"] {
        if taste.reverse && r.one_in(4) {
            let from = if taste.loops { 0 } else { at + 1 };
            let target =
                if from >= NAMES.len() || r.one_in(5) { r.pick(&GHOSTS) } else { r.pick(&NAMES[from..]) };
            lines.push(format!("# {key}: {target}"));
        }
    }
    if taste.interactive && r.one_in(3) {
        lines.push("# X-Interactive: true".to_owned());
    }
    lines.push(format!("# Default-Start: {}", start_levels(r, taste)));
    lines.push(format!("# Default-Stop: {}", stop_levels(r)));
    if !(taste.broken && r.one_in(12)) {
        lines.push("### END INIT INFO".to_owned());
    }
    if r.one_in(6) {
        let last = lines.len() - 1;
        lines.swap(1 + r.below(last.saturating_sub(1)), 1);
    }
    Script { name, lines }
}

fn provides(r: &mut Random, at: usize, taste: Taste) -> String {
    let own = if taste.aliases && r.one_in(8) { r.pick(&NAMES) } else { NAMES[at] };
    let mut text = own.to_owned();
    if taste.aliases && r.one_in(3) {
        let alias = match r.below(6) {
            0 => r.pick(&NAMES).to_owned(),
            1 => r.pick(&GHOSTS).to_owned(),
            2 => r.pick(&FACILITIES).to_owned(),
            _ => format!("{own}2"),
        };
        text = format!("{text} {alias}");
    }
    text
}

/// What a script may depend on: names before its own, unless loops are wanted.
fn list(r: &mut Random, at: usize, taste: Taste) -> String {
    let mut words = Vec::new();
    for _ in 0..r.below(4) {
        let word = match r.below(14) {
            0 | 1 => r.pick(&FACILITIES).to_owned(),
            2 => r.pick(&GHOSTS).to_owned(),
            3 if taste.all => "$all".to_owned(),
            4 => format!("+{}", r.pick(&NAMES)),
            5 if taste.aliases => format!("{}2", r.pick(&NAMES)),
            _ if taste.loops => r.pick(&NAMES).to_owned(),
            _ if at == 0 => continue,
            _ => r.pick(&NAMES[..at]).to_owned(),
        };
        words.push(word);
    }
    let separator = if taste.broken { r.pick(&[" ", "  ", ", ", ",", "\t"]) } else { " " };
    words.join(separator)
}

fn start_levels(r: &mut Random, taste: Taste) -> &'static str {
    match r.below(10) {
        0 => "",
        1 => "3 5",
        2 => "2",
        3 if taste.broken => r.pick(&["2345", "2 3, 4", "b", "s", "2 23 5"]),
        4 if taste.boot => "S 2",
        5..=8 if taste.boot => "S",
        _ => "2 3 4 5",
    }
}

fn stop_levels(r: &mut Random) -> &'static str {
    r.pick(&["0 1 6", "0 1 6", "0 6", "", "1", "0 1 2 6", "S 0"])
}

fn facility(r: &mut Random, taste: Taste) -> String {
    if taste.interactive && r.one_in(4) {
        return format!("<interactive> {}", r.pick(&NAMES));
    }
    let name = r.pick(&FACILITIES[..4]);
    let words: Vec<String> = (0..r.below(4))
        .map(|_| match r.below(6) {
            0 => r.pick(&FACILITIES).to_owned(),
            1 => r.pick(&GHOSTS).to_owned(),
            2 => r.pick(&NAMES).to_owned(),
            _ => format!("+{}", r.pick(&NAMES)),
        })
        .collect();
    format!("{name} {}", words.join(" "))
}

fn steps(r: &mut Random, count: usize) -> Vec<Step> {
    let mut steps = Vec::new();
    for _ in 0..2 + r.below(5) {
        let name = NAMES[r.below(count)].to_owned();
        let level = r.pick(&Runlevel::ALL);
        match r.below(12) {
            0 => steps.push(Step::Turn(name, level)),
            1 => steps.push(Step::Renumber(name, level, r.below(60) as u8)),
            2 => steps.push(Step::Delete(name)),
            _ => steps.push(Step::Run(change(r, count))),
        }
    }
    steps
}

fn change(r: &mut Random, count: usize) -> Change {
    let action = if r.one_in(5) { Action::Remove } else { Action::Add };
    let wanted = match r.below(4) {
        0 => count,
        1 => 0,
        _ => 1 + r.below(3),
    };
    let mut names: Vec<&str> = NAMES[..count].to_vec();
    while names.len() > wanted.max(usize::from(action == Action::Remove)) {
        names.remove(r.below(names.len()));
    }
    for at in (1..names.len()).rev() {
        names.swap(at, r.below(at + 1));
    }
    let odd = r.one_in(12);
    let mut levels =
        || (odd && r.one_in(2)).then(|| Runlevels::parse(["3", "2 5", "S", "0 1"][r.below(4)]).unwrap());
    let arguments: Vec<Argument> = names
        .into_iter()
        .map(|name| Argument { name: name.to_owned(), start: levels(), stop: levels() })
        .collect();
    Change { action, arguments, force: r.below(5) < 4, defaults: r.one_in(8) }
}

//! Dependencies over the whole machine: what nobody provides, what starts too late, loops, facilities without
//! members.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::Finding;
use super::rules::{files, machine as rules};
use super::surroundings::Surroundings;
use super::tree::{Placed, Script, Text, Tree, What};
use crate::conf::{self, Directive};
use crate::link::Kind;
use crate::lsb::scan::Key;
use crate::name::Runlevels;
use crate::order::{Arrangement, OrderError, Warning};
use crate::symbols::Symbols;

/// The facilities of insserv.conf, with the place of each first definition.
type Facilities = BTreeMap<String, (String, u32, Vec<String>)>;

/// Checks the order. `arrangement` is what a forced run of insserv without arguments would lead to.
#[must_use]
pub fn check(tree: &Tree, arrangement: &Result<Arrangement<'_>, OrderError>) -> Vec<Finding> {
    let machine = Machine::new(tree);
    let mut found = Vec::new();
    for placed in &machine.placed {
        machine.requirements(placed, &mut found);
        machine.numbers(placed, &mut found);
    }
    machine.facilities_without_members(&mut found);
    match arrangement {
        Ok(arrangement) => {
            found.extend(arrangement.warnings.iter().filter_map(|warning| machine.warning(warning)))
        }
        Err(OrderError::FacilityLoop { facility }) => {
            let (file, line) =
                machine.facilities.get(facility).map_or(("insserv.conf", 1), |(file, line, _)| (file, *line));
            let message = format!("{facility} contains itself");
            found.push(Finding::new(&rules::CONF_LOOP, "", file, line, message));
        }
        Err(_) => {}
    }
    found
}

/// What a machine says about each of its scripts.
#[must_use]
pub fn surroundings(tree: &Tree) -> Surroundings {
    let machine = Machine::new(tree);
    let start = [Key::RequiredStart, Key::ShouldStart];
    let stop = [Key::RequiredStop, Key::ShouldStop];
    let names = machine.facilities.keys();
    let making = names.clone().map(|name| (name.clone(), machine.closure(name, start))).collect();
    let ending = ["$local_fs", "$remote_fs"].iter().flat_map(|name| machine.closure(name, stop)).collect();
    Surroundings { defined: names.cloned().collect(), making, ending, installed: true, numbered: false }
}

fn facilities(conf: &[Text]) -> Facilities {
    let mut all = Facilities::new();
    for Text { file, text } in conf {
        for (number, line) in (1..).zip(text.split(|&byte| byte == b'\n')) {
            let mut names = Symbols::default();
            for directive in conf::parse(line, &mut |word| names.intern(word)) {
                if let Directive::Facility(name, words) = directive {
                    let entry = all.entry(names.name(name).to_owned());
                    let (_, _, members) = entry.or_insert_with(|| (file.clone(), number, Vec::new()));
                    members.extend(
                        words.iter().map(|word| names.name(*word).to_owned()).filter(|word| !word.is_empty()),
                    );
                }
            }
        }
    }
    all
}

/// One dependency of a script: the key that has it, the word, and whether it must be met.
type Need<'a> = (Key, &'a str, bool);

struct Machine<'a> {
    placed: Vec<Placed<'a>>,
    /// Name of a service to the place of its script.
    providers: BTreeMap<String, usize>,
    facilities: Facilities,
    /// Scripts that nobody can run.
    off: BTreeSet<&'a str>,
}

impl<'a> Machine<'a> {
    fn new(tree: &'a Tree) -> Machine<'a> {
        let placed = tree.placed();
        let mut providers = BTreeMap::new();
        for (at, one) in placed.iter().enumerate() {
            for name in one.provides() {
                providers.entry(name.to_owned()).or_insert(at);
            }
        }
        let is_file = |script: &&Script| matches!(script.what, What::File { .. }) && !script.is_eligible();
        let off = tree.scripts.iter().filter(is_file).map(|script| script.name.as_str()).collect();
        Machine { placed, providers, facilities: facilities(&tree.conf), off }
    }

    fn provider(&self, word: &str) -> Option<&Placed<'a>> {
        self.providers.get(word.strip_prefix('+').unwrap_or(word)).map(|at| &self.placed[*at])
    }

    /// The words of a facility down to names of services; a name with `+` need not be there.
    fn members<'b>(&'b self, facility: &str, seen: &mut BTreeSet<&'b str>) -> Vec<&'b str> {
        let Some((name, (_, _, words))) = self.facilities.get_key_value(facility) else { return Vec::new() };
        if !seen.insert(name) {
            return Vec::new();
        }
        let each = words.iter().map(|word| match word.starts_with('$') {
            true => self.members(word, seen),
            false => vec![word.as_str()],
        });
        each.collect::<Vec<_>>().concat()
    }

    /// What a word of a header stands for, itself or the members of a facility.
    fn expand<'b>(&'b self, word: &'b str) -> Vec<&'b str> {
        if word.starts_with('$') { self.members(word, &mut BTreeSet::new()) } else { vec![word] }
    }

    /// The scripts of a facility, and all that they depend on by some keys.
    fn closure(&self, facility: &str, keys: [Key; 2]) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut todo: Vec<&Placed<'_>> =
            self.expand(facility).into_iter().filter_map(|name| self.provider(name)).collect();
        while let Some(placed) = todo.pop() {
            if !found.insert(placed.script.name.clone()) {
                continue;
            }
            let words = needs(placed).into_iter().filter(|(key, _, _)| keys.contains(key));
            let inner: Vec<&str> = words.flat_map(|(_, word, _)| self.expand(word)).collect();
            todo.extend(inner.into_iter().filter_map(|name| self.provider(name)));
        }
        found
    }

    fn requirements(&self, placed: &Placed<'_>, found: &mut Vec<Finding>) {
        let start = placed.levels(Kind::Start);
        for word in &placed.header.required_start {
            for name in self.expand(word) {
                let via = if word == name { String::new() } else { format!(", which {word} names") };
                match self.provider(name) {
                    None if name.starts_with('+') => {}
                    None if self.off.contains(name) => {
                        let message = format!("the script of {name}{via} is not executable");
                        found.push(placed.finding(&rules::REQUIREMENT_MISSING, Key::RequiredStart, message));
                    }
                    None => {
                        let message = format!("no script provides {name}{via}");
                        found.push(placed.finding(&rules::REQUIREMENT_MISSING, Key::RequiredStart, message));
                    }
                    Some(needed) if needed.script.name == placed.script.name || word.starts_with('$') => {}
                    Some(needed) => {
                        let has = needed.levels(Kind::Start);
                        let missing = start.without(has);
                        let at_boot = has.meets(Runlevels::BOOT) && !start.meets(Runlevels::BOOT);
                        if !missing.is_empty() && !at_boot {
                            let message = format!("{} does not start in {missing}", needed.script.name);
                            found.push(placed.finding(
                                &rules::REQUIREMENT_LEVELS,
                                Key::RequiredStart,
                                message,
                            ));
                        }
                    }
                }
            }
        }
    }

    /// Links whose numbers contradict the header.
    fn numbers(&self, placed: &Placed<'_>, found: &mut Vec<Finding>) {
        let header = &placed.header;
        // The words, and whether the script comes after them.
        let lists = [
            (Kind::Start, Key::RequiredStart, &header.required_start, true),
            (Kind::Start, Key::ShouldStart, &header.should_start, true),
            (Kind::Start, Key::StartBefore, &header.start_before, false),
            (Kind::Kill, Key::RequiredStop, &header.required_stop, false),
            (Kind::Kill, Key::ShouldStop, &header.should_stop, false),
            (Kind::Kill, Key::StopAfter, &header.stop_after, true),
        ];
        for (kind, key, words, is_after) in lists {
            let mut told = BTreeSet::new();
            for other in
                words.iter().flat_map(|word| self.expand(word)).filter_map(|name| self.provider(name))
            {
                if other.script.name == placed.script.name || !told.insert(&other.script.name) {
                    continue;
                }
                let (first, second) = if is_after { (other, placed) } else { (placed, other) };
                let wrong: Runlevels = wrong_levels(first, second, kind);
                if !wrong.is_empty() {
                    let verb = if kind == Kind::Start { "starts" } else { "stops" };
                    let message = format!(
                        "{} {verb} before {} in {wrong}, and {} has it the other way round",
                        second.script.name,
                        first.script.name,
                        key.spelling()
                    );
                    found.push(placed.finding(&rules::ORDER_WRONG, key, message));
                }
            }
        }
    }

    fn facilities_without_members(&self, found: &mut Vec<Finding>) {
        let mut waiting: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for placed in self.placed.iter().filter(|placed| placed.is_linked()) {
            for (_, word, _) in
                needs(placed).into_iter().filter(|(_, word, must)| *must && word.starts_with('$'))
            {
                waiting.entry(word).or_default().insert(&placed.script.name);
            }
        }
        for (facility, scripts) in waiting {
            let Some((file, line, _)) = self.facilities.get(facility) else { continue };
            let members = self.expand(facility);
            if members.into_iter().all(|name| self.provider(name).is_none()) {
                let scripts: Vec<&str> = scripts.into_iter().collect();
                let message = format!("{facility} has no script here; wanted by {}", scripts.join(", "));
                found.push(Finding::new(&rules::FACILITY_EMPTY, "", file, *line, message));
            }
        }
    }

    fn warning(&self, warning: &Warning) -> Option<Finding> {
        match warning {
            Warning::Loop { cycle, stopping } => Some(self.cycle(cycle, *stopping)),
            Warning::AlreadyProvided { script, service, owner } => {
                let placed = self.placed.iter().find(|placed| placed.script.name == *script)?;
                let message = format!("{service} is provided by {owner} as well");
                Some(placed.finding(&rules::PROVIDED_TWICE, Key::Provides, message))
            }
            // Told with their lines by others.
            Warning::NoHeader { .. }
            | Warning::UnknownFacility { .. }
            | Warning::Overridden { .. }
            | Warning::Undefined { .. }
            | Warning::Dangling { .. } => None,
        }
    }

    /// Names each step of the loop with its line.
    fn cycle(&self, cycle: &[String], stopping: bool) -> Finding {
        let steps: Vec<(String, Option<(&Placed<'_>, Key)>)> = cycle
            .windows(2)
            .map(|pair| {
                let reason = self.reason(&pair[0], &pair[1], stopping);
                let place = reason.map(|(placed, key)| {
                    format!(" ({}:{}, {})", placed.file, placed.line(key), key.spelling())
                });
                (format!("{} before {}{}", pair[0], pair[1], place.unwrap_or_default()), reason)
            })
            .collect();
        let told: Vec<&str> = steps.iter().map(|(text, _)| text.as_str()).collect();
        let action = if stopping { "stopping" } else { "starting" };
        let message = format!("{action} goes in a circle: {}", told.join(", "));
        match steps.iter().find_map(|(_, reason)| *reason) {
            Some((placed, key)) => placed.finding(&rules::LOOP, key, message),
            None => Finding::new(&rules::LOOP, "", "insserv.conf", 1, message),
        }
    }

    /// The key that makes `first` come before `second`.
    fn reason(&self, first: &str, second: &str, stopping: bool) -> Option<(&Placed<'a>, Key)> {
        let of = |name: &str| self.placed.iter().find(|placed| placed.script.name == name);
        let names = |word: &str, name: &str| {
            self.expand(word).iter().any(|inner| {
                inner.trim_start_matches('+') == name
                    || self.provider(inner).is_some_and(|placed| placed.script.name == name)
            })
        };
        let has = |placed: &Placed<'_>, keys: [Key; 2], name: &str| {
            let all = needs(placed);
            all.into_iter()
                .find(|(key, word, _)| keys.contains(key) && names(word, name))
                .map(|(key, _, _)| key)
        };
        let (after, before) = match stopping {
            false => ([Key::RequiredStart, Key::ShouldStart], [Key::StartBefore; 2]),
            true => ([Key::StopAfter; 2], [Key::RequiredStop, Key::ShouldStop]),
        };
        let later = of(second).and_then(|placed| Some((placed, has(placed, after, first)?)));
        later.or_else(|| of(first).and_then(|placed| Some((placed, has(placed, before, second)?))))
    }
}

/// All words of a header that make an order.
fn needs<'a>(placed: &'a Placed<'_>) -> Vec<Need<'a>> {
    let header = &placed.header;
    let lists = [
        (Key::RequiredStart, &header.required_start, true),
        (Key::RequiredStop, &header.required_stop, true),
        (Key::ShouldStart, &header.should_start, false),
        (Key::ShouldStop, &header.should_stop, false),
        (Key::StartBefore, &header.start_before, false),
        (Key::StopAfter, &header.stop_after, false),
    ];
    lists
        .into_iter()
        .flat_map(|(key, words, must)| words.iter().map(move |word| (key, word.as_str(), must)))
        .collect()
}

/// The runlevels in which `second` comes before `first`. Of equal numbers the names decide.
fn wrong_levels(first: &Placed<'_>, second: &Placed<'_>, kind: Kind) -> Runlevels {
    let common = first.levels(kind).iter().filter(|level| second.numbers.contains_key(&(kind, *level)));
    let place = |placed: &Placed<'_>, level| {
        (placed.numbers.get(&(kind, level)).copied(), placed.script.name.clone())
    };
    common.filter(|&level| place(first, level) > place(second, level)).collect()
}

/// Checks an override by itself.
#[must_use]
pub fn check_override(name: &str, file: &Text) -> Option<Finding> {
    let fields = crate::lsb::scan::scan(&file.text, |_, _| {});
    let message = match (fields.begin, fields.end) {
        (Some(_), Some(_)) => return None,
        (Some(_), None) => "the LSB header does not end",
        (None, _) => "there is no LSB header",
    };
    Some(Finding::new(&rules::OVERRIDE_BROKEN, name, &file.file, fields.begin.unwrap_or(1), message))
}

/// A file of the machine that could not be read.
#[must_use]
pub fn unreadable(file: &str, why: &str) -> Finding {
    Finding::new(&files::UNREADABLE, "", file, 1, format!("cannot be read: {why}"))
}

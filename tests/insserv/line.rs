//! Command lines for one and the same change: options short, long, shortened and joined, before and after the
//! scripts; scripts by name, by path, relative or not; other directories; trials.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use foobar_initscripts::name::Runlevels;
use foobar_initscripts::order::{Action, Argument, Change};

use crate::random::Random;

/// A command line, `@` standing for the tree.
#[derive(Debug, Clone)]
pub struct Line {
    /// The directory to run in, below the tree.
    pub from: &'static str,
    words: Vec<String>,
}

impl Line {
    /// Some line for a change, always the same one.
    pub fn of(change: &Change) -> Line {
        let mut hasher = DefaultHasher::new();
        format!("{change:?}").hash(&mut hasher);
        let mut random = Random::new(hasher.finish());
        let r = &mut random;
        let mut words = Vec::new();
        for (wanted, spellings) in [
            (change.action == Action::Remove, &["-r", "--remove", "--rem"][..]),
            (change.force, &["-f", "--force", "-f -f"]),
            (change.defaults, &["-d", "--default", "--def"]),
            (r.one_in(10), &["-n", "--dry-run", "--dryrun", "-nq"]),
            (r.one_in(8), &["-s", "--show-all", "--showall"]),
            (r.one_in(8), &["-v", "-vv", "--verbose", "-q"]),
        ] {
            if wanted {
                words.extend(r.pick(spellings).split(' ').map(str::to_owned));
            }
        }
        let depend =
            r.pick(&["-i @/etc/init.d", "-i@/etc/init.d/", "--insserv-dir=@/etc/init.d", "-i @/depend"]);
        words.extend(depend.split(' ').map(str::to_owned));
        match r.below(10) {
            0 => words.extend(["-c".to_owned(), "@/etc/insserv.conf".to_owned()]),
            1 => words.push("--config=@/other.conf".to_owned()),
            2 => words.push("--conf=@/no.conf".to_owned()),
            _ => {}
        }
        match r.below(8) {
            0 => words.push("-o@/etc/insserv/overrides".to_owned()),
            1 => words.extend(["--override".to_owned(), "@/usr/share/insserv/overrides".to_owned()]),
            _ => {}
        }
        let from = r.pick(&["", "etc", "etc/init.d", "etc/rc2.d"]);
        let scripts = scripts(r, change, from, &mut words);
        if r.one_in(5) {
            words.splice(0..0, scripts);
        } else {
            words.extend(scripts);
        }
        Line { from, words }
    }

    /// The words for a tree.
    pub fn words(&self, tree: &str) -> Vec<String> {
        self.words.iter().map(|word| word.replace('@', tree)).collect()
    }

    /// If warnings are turned off: the same words with warnings, and without doing anything.
    pub fn loud_trial(&self, tree: &str) -> Option<Vec<String>> {
        let quiet = |word: &&String| matches!(word.as_str(), "-q" | "-nq");
        self.words.iter().any(|word| quiet(&word)).then(|| {
            let loud = self.words.iter().filter(|word| !quiet(word));
            loud.map(|word| word.replace('@', tree)).chain(["-n".to_owned()]).collect()
        })
    }

    /// Whether it only tries.
    pub fn prints(&self) -> bool {
        self.words.iter().any(|word| word == "-s" || word.starts_with("--show"))
    }
}

fn scripts(r: &mut Random, change: &Change, from: &str, words: &mut Vec<String>) -> Vec<String> {
    let near = match from {
        "" => "etc/init.d",
        "etc" => "init.d",
        "etc/init.d" => ".",
        _ => "../init.d",
    };
    let paths = ["@/etc/init.d", near];
    if change.arguments.is_empty() && r.one_in(2) {
        // The directory alone stands for itself; `.` has no slash, and is looked for in the other one.
        let path = r.pick(&paths);
        return vec![if path == "." { "./".to_owned() } else { format!("{path}{}", r.pick(&["", "/"])) }];
    }
    let path = r.pick(&paths);
    let directory = r.one_in(3) && !change.arguments.is_empty();
    if !directory {
        let spelling = r.pick(&["-p", "--path=", "--pa="]);
        words.push(format!("{spelling}{path}{}", r.pick(&["", "/"])));
    }
    let name = |at: usize, argument: &Argument| {
        let with_path = directory && at == 0;
        format!("{}{}", if with_path { format!("{path}/") } else { String::new() }, given(argument))
    };
    change.arguments.iter().enumerate().map(|(at, argument)| name(at, argument)).collect()
}

/// A script with the runlevels that are given to it.
fn given(argument: &Argument) -> String {
    let levels = |levels: Runlevels| levels.to_string().replace(' ', ",");
    let start = argument.start.map_or(String::new(), |set| format!(",start={}", levels(set)));
    let stop = argument.stop.map_or(String::new(), |set| format!(",stop={}", levels(set)));
    format!("{}{start}{stop}", argument.name)
}

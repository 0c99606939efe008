//! After each run the library's prediction is compared with what insserv did.

use foobar_initscripts::order::{Change, Warning, arrange};

use crate::case::{Case, Step};
use crate::differential::{Run, Tally};
use crate::insserv::{self, Ending};
use crate::tree::{OVERRIDES, Outcome, Tree};

impl Case {
    /// Does all steps.
    ///
    /// # Errors
    /// With the first difference, in words.
    pub fn compare(&self) -> Result<Tally, String> {
        let tree = self.write();
        let mut tally = Tally::default();
        for (number, step) in self.steps.iter().enumerate() {
            match step {
                Step::Turn(name, level) => tree.turn(name, *level),
                Step::Renumber(name, level, sequence) => tree.renumber(name, *level, *sequence),
                Step::Delete(name) => {
                    let _ = std::fs::remove_file(tree.path("etc/init.d").join(name));
                }
                Step::Run(change) => {
                    let known = |name: &String| tree.path("etc/init.d").join(name).exists();
                    if !change.arguments.iter().all(|argument| known(&argument.name)) {
                        continue;
                    }
                    match compare_run(&tree, change).map_err(|why| format!("step {number}: {why}"))? {
                        Run::Done => tally.done += 1,
                        Run::Refused => tally.refused += 1,
                        // The tree is not a defined one any more.
                        Run::Undefined => return Ok(Tally { undefined: 1, ..tally }),
                    }
                }
            }
        }
        Ok(tally)
    }

    fn write(&self) -> Tree {
        let tree = Tree::new();
        tree.write("etc/insserv.conf", format!("{}\n", self.conf.join("\n")).as_bytes());
        for (name, lines) in &self.fragments {
            tree.write(&format!("etc/insserv.conf.d/{name}"), format!("{}\n", lines.join("\n")).as_bytes());
        }
        for script in &self.scripts {
            tree.script(&script.name, script.text().as_bytes());
        }
        for (tier, script) in &self.overrides {
            tree.write(&format!("{}/{}", OVERRIDES[*tier].1, script.name), script.text().as_bytes());
        }
        tree
    }
}

/// One run by both.
pub fn compare_run(tree: &Tree, change: &Change) -> Result<Run, String> {
    let before = tree.outcome();
    let installed = tree.survey();
    let ours = arrange(&installed, change);
    let (ending, said) = insserv::run(tree, change);
    let after = tree.outcome();
    match (ours, ending) {
        (_, Ending::Crashed) => Ok(Run::Undefined),
        (Ok(ours), _) if ours.warnings.iter().any(|w| matches!(w, Warning::Undefined { .. })) => {
            Ok(Run::Undefined)
        }
        (Ok(ours), Ending::Done) => {
            let ours = Outcome::of(&ours);
            if ours == after { Ok(Run::Done) } else { Err(difference(&before, &ours, &after, &said)) }
        }
        (Err(_), Ending::Refused) => Ok(Run::Refused),
        (Ok(_), Ending::Refused) => Err(format!("insserv refused, we did not:\n{said}")),
        (Err(error), Ending::Done) => Err(format!("we refused ({error}), insserv did not:\n{said}")),
    }
}

fn difference(before: &Outcome, ours: &Outcome, theirs: &Outcome, said: &str) -> String {
    let only = |a: &Outcome, b: &Outcome| a.links.difference(&b.links).cloned().collect::<Vec<_>>().join(" ");
    let mut text = format!(
        "before: {}\nonly ours: {}\nonly insserv's: {}\n",
        before.links.iter().cloned().collect::<Vec<_>>().join(" "),
        only(ours, theirs),
        only(theirs, ours)
    );
    for (name, a, b) in [
        ("boot", &ours.boot, &theirs.boot),
        ("start", &ours.start, &theirs.start),
        ("stop", &ours.stop, &theirs.stop),
    ] {
        if a != b {
            text += &format!(".depend.{name}, ours:\n{a}insserv's:\n{b}");
        }
    }
    text + "insserv said:\n" + said
}

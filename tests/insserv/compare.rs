//! Does a case with both programs.

use foobar_initscripts::order::Change;

use crate::case::{Case, Step};
use crate::differential::{Run, Tally};
use crate::insserv::{run_ours, run_theirs};
use crate::line::Line;
use crate::pair::{OVERRIDES, Pair, Picture};

impl Case {
    /// Does all steps.
    ///
    /// # Errors
    /// With the first difference, in words.
    pub fn compare(&self) -> Result<Tally, String> {
        let pair = self.write();
        let mut tally = Tally::default();
        for (number, step) in self.steps.iter().enumerate() {
            match step {
                Step::Turn(name, level) => pair.turn(name, *level),
                Step::Renumber(name, level, sequence) => pair.renumber(name, *level, *sequence),
                Step::Delete(name) => pair.each(|tree| {
                    let _ = std::fs::remove_file(tree.join("etc/init.d").join(name));
                }),
                Step::Run(change) => {
                    match compare_run(&pair, change).map_err(|why| format!("step {number}: {why}"))? {
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

    fn write(&self) -> Pair {
        let pair = Pair::new();
        let conf = format!("{}\n", self.conf.join("\n"));
        pair.write("etc/insserv.conf", conf.as_bytes());
        pair.write("other.conf", format!("$one +k\n{conf}").as_bytes());
        for (name, lines) in &self.fragments {
            pair.write(&format!("etc/insserv.conf.d/{name}"), format!("{}\n", lines.join("\n")).as_bytes());
        }
        for script in &self.scripts {
            pair.script(&script.name, script.text().as_bytes());
        }
        for (tier, script) in &self.overrides {
            pair.write(&format!("{}/{}", OVERRIDES[*tier], script.name), script.text().as_bytes());
        }
        pair
    }
}

/// One run by both.
pub fn compare_run(pair: &Pair, change: &Change) -> Result<Run, String> {
    let line = Line::of(change);
    let [our_tree, their_tree] = &pair.trees;
    let words = |tree: &std::path::Path| line.words(tree.to_str().unwrap());
    // With `-q` ours does not say that there is nothing to compare, so it is asked once more, without doing anything.
    let asked = line.loud_trial(our_tree.to_str().unwrap());
    let asked = asked.map(|words| run_ours(&our_tree.join(line.from), &words));
    let ours = run_ours(&our_tree.join(line.from), &words(our_tree));
    let theirs = run_theirs(&their_tree.join(line.from), &words(their_tree));
    let said = String::from_utf8_lossy(&ours.stderr);
    let undefined =
        |stderr: &[u8]| String::from_utf8_lossy(stderr).contains("is provided by several of the scripts");
    // Insserv goes on with freed memory there, and may do anything.
    if theirs.status.code().is_none() || undefined(&asked.as_ref().unwrap_or(&ours).stderr) {
        return Ok(Run::Undefined);
    }
    let heard =
        || format!("{line:?}\nours said:\n{said}insserv:\n{}", String::from_utf8_lossy(&theirs.stderr));
    if ours.status.code() != theirs.status.code() {
        return Err(format!("{:?}, not {:?}: {}", ours.status.code(), theirs.status.code(), heard()));
    }
    let (our_picture, their_picture) = (Picture::of(our_tree), Picture::of(their_tree));
    if our_picture != their_picture {
        return Err(format!("{}{}", our_picture.difference(&their_picture), heard()));
    }
    if line.prints() && ours.stdout != theirs.stdout {
        let text = |output: &[u8]| String::from_utf8_lossy(output).into_owned();
        return Err(format!("prints\n{}not\n{}{}", text(&ours.stdout), text(&theirs.stdout), heard()));
    }
    Ok(if ours.status.success() { Run::Done } else { Run::Refused })
}

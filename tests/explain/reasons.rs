//! Why a script has its number.

use std::collections::BTreeMap;

use foobar_initscripts::explain::{Reason, loops, why};
use foobar_initscripts::installed::{Installed, ScriptFile, Tier};
use foobar_initscripts::layout::DEFAULT;
use foobar_initscripts::link::Kind;
use foobar_initscripts::order::outline;

use crate::case::{Case, Step};
use crate::random;
use crate::root::{SCRIPTS, compare, order, stock};

#[test]
fn every_script_of_a_small_debian() {
    let order = order(&stock());
    let mut lines = Vec::new();
    for name in SCRIPTS.iter().map(|(name, _)| *name).chain(["networking"]) {
        let node = order.find(name).unwrap();
        for kind in [Kind::Start, Kind::Kill] {
            lines.extend(why(&order, DEFAULT, node, kind).map(|why| format!("{why}\n")));
        }
    }
    compare("why.txt", &lines.concat());
    assert_eq!(order.find("nosuch"), None);
}

/// A root in memory, with the texts of its files by path, and the changes to explain in it.
fn root(case: &Case) -> (Installed, BTreeMap<String, String>) {
    let mut installed = Installed::new();
    let mut texts = BTreeMap::new();
    installed.add_conf(case.conf.join("\n").as_bytes());
    for script in &case.scripts {
        let gone = case.steps.iter().any(|step| matches!(step, Step::Delete(name) if *name == script.name));
        if !gone {
            installed.add_script(&ScriptFile::regular(&script.name, script.text().as_bytes()));
            texts.insert(format!("/etc/init.d/{}", script.name), script.text());
        }
    }
    for (tier, script) in &case.overrides {
        let (tier, directory) = match tier {
            0 => (Tier::Administrator, "/etc/insserv/overrides"),
            _ => (Tier::Vendor, "/usr/share/insserv/overrides"),
        };
        installed.add_override(tier, &script.name, script.text().as_bytes());
        texts.insert(format!("{directory}/{}", script.name), script.text());
    }
    for step in &case.steps {
        match step {
            Step::Turn(name, level) => {
                installed.add_link(*level, &format!("K01{name}"), &format!("../init.d/{name}"))
            }
            Step::Renumber(name, level, number) => {
                installed.add_link(*level, &format!("S{number:02}{name}"), &format!("../init.d/{name}"));
            }
            Step::Run(_) | Step::Delete(_) => {}
        }
    }
    (installed, texts)
}

#[test]
fn each_reason_stands_in_the_line_that_is_named() {
    let (mut steps, mut unclear, mut all) = (0, 0, 0);
    for seed in 0..3_000 {
        let case = random::case(seed);
        let (installed, texts) = root(&case);
        let changes = case.steps.iter().filter_map(|step| match step {
            Step::Run(change) => Some(change.clone().forced()),
            _ => None,
        });
        for change in changes {
            // A name that was deleted, or a runlevel B: nothing is ordered then.
            let Ok(order) = outline(&installed, &change) else { continue };
            let looped = order.looped != [false; 2] || !loops(&order, DEFAULT).is_empty();
            for kind in [Kind::Start, Kind::Kill] {
                for node in 0..order.nodes.len() {
                    let Some(why) = why(&order, DEFAULT, node, kind) else { continue };
                    assert!(why.chain.is_sorted_by(|a, b| a.sequence < b.sequence), "{case}\n{why}");
                    for step in &why.chain {
                        let Reason::Header(place) = &step.reason else { continue };
                        let text = texts.get(&place.file).unwrap_or_else(|| panic!("{}\n{case}", place.file));
                        let line = text.lines().nth(place.line as usize - 1).unwrap();
                        let found = line.contains(place.key) && line.contains(&place.word);
                        assert!(found, "seed {seed}: {line}\n{why}\n{case}");
                        steps += 1;
                    }
                    if !looped {
                        all += 1;
                        unclear += u32::from(why.chain.iter().any(|step| step.reason == Reason::Unclear));
                    }
                }
            }
        }
    }
    assert!(steps > 20_000, "only {steps} reasons were looked at");
    eprintln!("{steps} reasons looked up; {unclear} of {all} numbers without loops have none");
    assert!(unclear * 1_000 < all, "{unclear} of {all} numbers have no reason");
}

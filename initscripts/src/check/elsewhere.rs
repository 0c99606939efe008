//! Which rules hold where Debian's insserv does not order, and what follows from them there. Most faults are faults
//! everywhere; these are what insserv alone, or Debian alone, makes of a script.

use super::finding::{Finding, Rule};
use super::rules::{files, header, machine, script, values};
use crate::layout::Layout;
use crate::layout::facts::{Numbers, Scheme, SysV};

/// What is usual, or without effect, in other layouts: facilities that scripts provide, scripts with nothing but
/// chkconfig's line, functions of other names, runlevels that mean different things; and a script goes by the name of its file there.
static OF_DEBIAN: [&Rule; 7] = [
    &header::HEADER_MISSING,
    &header::KEY_MISSING,
    &values::PROVIDES_FACILITY,
    &values::PROVIDES_OTHER,
    &values::STARTS_PARTLY,
    &script::FUNCTIONS_MISSING,
    &machine::LINKS_DIFFER,
];

/// What SUSE's insserv does not mind: it knows B, does not read Default-Stop, and makes both links.
static NOT_OF_SUSE: [&Rule; 5] = [
    &values::LEVEL_B,
    &values::START_AND_STOP,
    &values::STOPS_AT_BOOT,
    &values::STOPS_PARTLY,
    &machine::LINK_BOTH,
];

/// What nobody but insserv does.
static OF_INSSERV: [&Rule; 1] = [&files::ALIAS_SKIPPED];

/// What is usual where lines call scripts: the executable bit is a switch, and a line knows what its script can do.
static NOT_OF_LINES: [&Rule; 4] =
    [&files::NOT_EXECUTABLE, &files::MODE_UNUSUAL, &script::ACTION_MISSING, &script::STATUS_MISSING];

/// Whether a rule holds in a tree of this layout.
#[must_use]
pub fn holds(rule: &Rule, layout: &Layout) -> bool {
    let is_in = |rules: &[&Rule]| rules.iter().any(|of| of.code == rule.code);
    match layout.scheme {
        _ if layout.has_insserv_order() => true,
        _ if is_in(&OF_DEBIAN) => false,
        Scheme::SysV(SysV { numbers: Numbers::Suse, .. }) => !is_in(&NOT_OF_SUSE),
        Scheme::Hooks(_) if is_in(&NOT_OF_LINES) => false,
        _ => !is_in(&OF_INSSERV),
    }
}

/// What is to be said of a rule where insserv has no part.
struct Said {
    rule: &'static Rule,
    effect: &'static str,
    remedy: &'static str,
}

macro_rules! said {
    ($($topic:ident::$rule:ident: $effect:literal $(, $remedy:literal)?;)*) => {
        static SAID: &[Said] = &[$(Said {
            rule: &$topic::$rule,
            effect: $effect,
            remedy: said!(@or $($remedy)?),
        }),*];
    };
    (@or) => { "" };
    (@or $remedy:literal) => { $remedy };
}

// foobarctl reads headers everywhere as insserv does. No remedy: that of the rule.
said! {
files::NOT_EXECUTABLE: "it cannot be started";
files::NOT_A_FILE: "nothing can be started by it, and links to it do nothing";
files::NAME_SKIPPED: "foobarctl takes it for a leftover; whoever starts scripts by number or link may run it all the same";
header::HEADER_FRAME: "foobarctl takes the line, other readers see no header or no end of it";
header::HEADER_OPEN: "foobarctl cannot tell what the script depends on, and other readers see no header";
header::HEADER_TORN: "foobarctl reads on behind it, other readers end the header there";
header::KEY_TWICE: "foobarctl takes the first, others the last";
header::KEY_FORM: "foobarctl reads it as a key, other readers do not";
machine::LINK_DANGLING: "nothing is started or stopped by it";
machine::LINK_OUTSIDE: "rc follows it, and whoever looks among the scripts does not know it";
machine::LINK_MISNAMED: "rc runs the script, and whoever goes by names takes the link for one of another",
    "remove it, and let foobarctl enable make the link";
machine::LINK_NOT_SYMBOLIC: "rc runs it, and nobody sees it among the scripts, so it is neither ordered nor disabled";
machine::NOT_LINKED: "it is never started at boot", "foobarctl enable, or leave it if it is started by hand";
machine::REQUIREMENT_MISSING: "it starts without what it requires";
machine::REQUIREMENT_LEVELS: "it starts there without what it requires";
machine::ORDER_WRONG: "it fails, or the other has gone when it stops",
    "give one of the two a number on the right side of the other's";
machine::LOOP: "whatever their numbers, one of them starts before what it depends on",
    "take one of the dependencies out of a header";
machine::FACILITY_EMPTY: "they wait for nothing, which is right if nothing has to be waited for",
    "install what makes the facility, or name the script itself in the header";
script::INTERPRETER_MISSING: "it cannot be executed by itself; a shell may run it";
values::LIST_CUT: "foobarctl ends the list at the first empty word, so the dependencies behind it do not count";
values::VALUE_CUT: "foobarctl ends the value there, so the dependencies behind it do not count";
values::SEPARATOR: "foobarctl parts them, chkconfig and others take them for one word";
values::LEVELS_UNSPLIT: "foobarctl ignores the word, so it makes no link in any of these runlevels";
values::LEVEL_B: "the runlevel is ignored";
values::START_AND_STOP: "rc stops the service and starts it again there, or goes by one of the two";
values::FACILITY_UNKNOWN: "the dependency is ignored, so the service may start before what it needs",
    "correct the spelling, or name the script itself";
values::ALL_IGNORED: "the word is ignored, so nothing waits for the script";
values::REQUIRES_ITSELF: "the dependency is dropped";
}

/// Has a finding say what happens in this layout.
pub fn adapt(finding: &mut Finding, layout: &Layout) {
    match layout.scheme {
        Scheme::SysV(SysV { numbers: Numbers::Suse, .. })
            if finding.rule.code == machine::NOT_LINKED.code =>
        {
            finding.remedy = "foobarctl enable or insserv NAME, or leave it if it is started by hand";
        }
        Scheme::Rcs(_) if finding.rule.code == machine::REQUIREMENT_LEVELS.code => {
            // There are no runlevels, and a name with its number means the file.
            let needed = finding.message.split(' ').next().unwrap_or_default();
            finding.message = format!("{needed} is disabled");
            (finding.effect, finding.remedy) = ("it starts without what it requires", "enable that, too");
            return;
        }
        _ => {}
    }
    if layout.has_insserv() {
        return;
    }
    let Some(said) = SAID.iter().find(|said| said.rule.code == finding.rule.code) else { return };
    finding.effect = said.effect;
    if !said.remedy.is_empty() {
        finding.remedy = said.remedy;
    }
    if said.rule.code == files::NAME_SKIPPED.code {
        finding.message = "has a name that editors and package managers leave behind".to_owned();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::rules;
    use crate::layout::busybox::BUSYBOX;
    use crate::layout::debian::DEBIAN;
    use crate::layout::suse::SUSE;

    #[test]
    fn where_insserv_has_no_part_no_finding_speaks_of_it() {
        let foreign = ["insserv", "startpar", "update-rc.d", "/etc/init.d/.depend"];
        // These are of files that only insserv and startpar have.
        let own = ["conf-loop", "depend-missing", "depend-stale", "override-broken"];
        let mut adapted = 0;
        for rule in rules::all().filter(|rule| holds(rule, &BUSYBOX) && !own.contains(&rule.code)) {
            let mut finding = Finding::new(rule, "a", "/a", 1, rule.title);
            adapt(&mut finding, &BUSYBOX);
            adapted += usize::from(finding.effect != rule.effect);
            for text in [&finding.message, finding.effect, finding.remedy] {
                assert!(!foreign.iter().any(|word| text.contains(word)), "{}: {text}", rule.code);
            }
            for layout in [&DEBIAN, &SUSE] {
                let mut finding = Finding::new(rule, "a", "/a", 1, rule.title);
                adapt(&mut finding, layout);
                assert_eq!(finding.effect, rule.effect);
                let debians = layout == &DEBIAN;
                assert!(finding.remedy == rule.remedy || !debians && rule.remedy.contains("update-rc.d"));
            }
        }
        assert!(adapted > 15, "{adapted}");
    }
}

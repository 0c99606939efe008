//! Where the order is that of lines in files that init runs, and that run others: which script is called where. Nothing is
//! run to find that out, so a line counts even if a condition keeps it from being reached.

use std::collections::{BTreeMap, BTreeSet};

use crate::layout::Layout;
use crate::layout::facts::Hooks;
use crate::link::Kind;
use crate::name::Runlevels;
use crate::step::{Plan, Step, edited};

/// A line that calls a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call<'a> {
    /// Which line, counted from 1.
    pub line: usize,
    /// The service.
    pub name: &'a str,
}

/// A script that is called at boot or when the machine goes down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// The service.
    pub name: String,
    /// Whether it is started or stopped.
    pub kind: Kind,
    /// The runlevels.
    pub levels: Runlevels,
    /// The file that calls it.
    pub file: &'static str,
    /// The line there, counted from 1.
    pub line: usize,
}

/// The texts of files that may be run, by their paths.
pub type Texts = BTreeMap<String, Vec<u8>>;

/// What decides who is called, and may run then.
#[derive(Debug, Clone, Default)]
pub struct Machine {
    /// The files that may be run.
    pub texts: Texts,
    /// The services with a script that may be run.
    pub on: BTreeSet<String>,
}

impl Machine {
    /// The same when a plan has been carried out.
    #[must_use]
    pub fn after(mut self, layout: &Layout, hooks: &Hooks, plan: &Plan) -> Machine {
        for step in &plan.steps {
            let path = step.path();
            let file = path.strip_prefix(layout.script_dir).and_then(|file| file.strip_prefix('/'));
            let service = file.and_then(|file| layout.script_name(file)).map(|(name, _)| name.to_owned());
            match step {
                Step::Write { mode, text, .. } if mode & 0o111 != 0 => {
                    if hooks.files().any(|file| file == path) {
                        self.texts.insert(path.to_owned(), text.clone().into_bytes());
                    }
                    self.on.extend(service);
                }
                Step::SetMode { mode, .. } if mode & 0o111 != 0 => self.on.extend(service),
                Step::Write { .. } | Step::SetMode { .. } | Step::Remove { .. } => {
                    self.texts.remove(path);
                    self.on.retain(|name| Some(name) != service.as_ref());
                }
                Step::Edit { old, new, .. } => {
                    if let Some(text) = self.texts.get_mut(path) {
                        *text = edited(text, old, new).unwrap_or_else(|_| text.clone());
                    }
                }
                Step::MakeDir { .. }
                | Step::RemoveDir { .. }
                | Step::Symlink { .. }
                | Step::Rename { .. } => {}
            }
        }
        self
    }
}

/// All that is called, in the order in which that happens; what one file calls in several lines, at the first of them.
#[must_use]
pub fn order(layout: &Layout, hooks: &Hooks, texts: &Texts) -> Vec<Called> {
    let mut found = Vec::new();
    for root in hooks.roots {
        let levels = Runlevels::parse(root.runlevels).unwrap_or_default();
        let walk = Walk { layout, hooks, texts, kind: root.kind, levels };
        walk.enter(root.path, &mut Vec::new(), &mut found);
    }
    found
}

/// The way through the files of one root.
struct Walk<'a> {
    layout: &'a Layout,
    hooks: &'a Hooks,
    texts: &'a Texts,
    kind: Kind,
    levels: Runlevels,
}

impl Walk<'_> {
    fn enter(&self, file: &'static str, seen: &mut Vec<&'static str>, found: &mut Vec<Called>) {
        let Some(text) = self.texts.get(file).filter(|_| !seen.contains(&file)) else { return };
        seen.push(file);
        for Call { line, name } in in_file(text, self.layout.script_dir, self.hooks.prefix) {
            let path = self.layout.script(name);
            if let Some(inner) = self.hooks.inner.iter().find(|inner| **inner == path) {
                self.enter(inner, seen, found);
                continue;
            }
            let (kind, levels) = (self.kind, self.levels);
            let is_known = |one: &Called| one.name == name && one.file == file && one.levels == levels;
            // What boots the machine is no service.
            if self.layout.is_script_of(&path, name) && !found.iter().any(is_known) {
                found.push(Called { name: name.to_owned(), kind, levels, file, line });
            }
        }
    }
}

/// The files that are run, by init or by one that is.
#[must_use]
pub fn reached(layout: &Layout, hooks: &Hooks, texts: &Texts) -> Vec<&'static str> {
    let mut seen = Vec::new();
    for root in hooks.roots {
        let walk = Walk { layout, hooks, texts, kind: root.kind, levels: Runlevels::NONE };
        walk.enter(root.path, &mut seen, &mut Vec::new());
    }
    seen
}

/// The scripts that a file calls: their paths outside comments.
#[must_use]
pub fn in_file<'a>(text: &'a [u8], directory: &str, prefix: &str) -> Vec<Call<'a>> {
    let path = format!("{directory}/{prefix}");
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.split(|&byte| byte == b'\n')) {
        let code = line.trim_ascii_start();
        if code.starts_with(b"#") {
            continue;
        }
        let ends = (path.len()..code.len()).filter(|&at| code[..at].ends_with(path.as_bytes()));
        for at in ends {
            let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || b"._+-".contains(byte);
            let length = code[at..].iter().take_while(is_part).count();
            let name = std::str::from_utf8(&code[at..at + length]).unwrap_or_default();
            if !name.is_empty() {
                found.push(Call { line: number, name });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::facts::Scheme;
    use crate::layout::slackware::SLACKWARE;

    #[test]
    fn calls_are_paths_outside_comments() {
        let text = b"# /etc/rc.d/rc.no\n. /etc/rc.d/rc.a start;/etc/rc.d/rc.b\n\tsh '/etc/rc.d/rc.c-d' \xff\n/etc/rc.d/rc.";
        let found: Vec<(usize, &str)> =
            in_file(text, "/etc/rc.d", "rc.").iter().map(|call| (call.line, call.name)).collect();
        assert_eq!(found, [(2, "a"), (2, "b"), (3, "c-d")]);
    }

    #[test]
    fn files_are_followed_in_the_order_of_their_lines() {
        let Scheme::Hooks(hooks) = SLACKWARE.scheme else { panic!("{SLACKWARE:?}") };
        let file = |name: &str, calls: &str| {
            let lines: String =
                calls.split(' ').map(|name| format!("[ -x /etc/rc.d/rc.{name} ]\n")).collect();
            (format!("/etc/rc.d/rc.{name}"), lines.into_bytes())
        };
        let mut texts = Texts::from([
            file("M", "a local b b"),
            file("local", "c M local a"),
            file("6", "b"),
            file("local_shutdown", "c"),
        ]);
        let told = |texts: &Texts| -> Vec<String> {
            let all = order(&SLACKWARE, &hooks, texts);
            all.iter()
                .map(|one| format!("{}{}:{}{}", one.name, one.line, one.levels, one.kind.letter()))
                .collect()
        };
        assert_eq!(told(&texts), ["a1:2 3 4 5S", "c1:2 3 4 5S", "a4:2 3 4 5S", "b3:2 3 4 5S", "b1:0 6K"]);
        // Nobody runs rc.local_shutdown here.
        assert!(!reached(&SLACKWARE, &hooks, &texts).contains(&hooks.stop));
        texts.extend([file("6", "local_shutdown b")]);
        assert!(reached(&SLACKWARE, &hooks, &texts).contains(&hooks.stop));
        assert!(told(&texts).contains(&"c1:0 6K".to_owned()));
    }
}

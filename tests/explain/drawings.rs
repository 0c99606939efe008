//! Pictures of the order.

use foobar_initscripts::explain::{Mark, Picture, after, compare as difference, dot, picture, svg, text};
use foobar_initscripts::layout::DEFAULT;
use foobar_initscripts::link::Kind;
use foobar_initscripts::name::Runlevel;
use foobar_initscripts::plan::Plan;
use foobar_initscripts::step::{Before, Step};

use crate::root::{self, compare, link, order, scripts, stock};

fn pictures() -> Vec<Picture> {
    let order = order(&stock());
    [(Runlevel::S, Kind::Start), (Runlevel::R2, Kind::Start), (Runlevel::R0, Kind::Kill)]
        .map(|(level, kind)| picture(&order, DEFAULT, level, kind))
        .to_vec()
}

#[test]
fn a_small_debian_in_three_forms() {
    let pictures = pictures();
    compare("tree.txt", &pictures.iter().map(|picture| text(picture) + "\n").collect::<String>());
    compare("order.dot", &dot(&pictures));
    compare("order.svg", &svg(&pictures));
}

#[test]
fn what_a_plan_changes_is_marked() {
    let now = stock();
    let text_of = root::text(&[
        "Provides: new",
        "Required-Start: $remote_fs",
        "X-Start-Before: rsyslog",
        "Default-Start: 2",
    ]);
    let link = |path: &str| Step::Symlink {
        path: format!("/etc/rc2.d/{path}"),
        target: format!("../init.d/{}", &path[3..]),
        before: Before::Absent,
    };
    let remove = |path: &str| Step::Remove { path: path.to_owned(), before: Before::Link };
    let script = Step::Write {
        path: "/etc/init.d/new".to_owned(),
        mode: 0o755,
        text: text_of,
        before: Before::Absent,
    };
    let plan = Plan {
        steps: vec![script, link("S01new"), remove("/etc/rc2.d/S03mail"), remove("/etc/init.d/mail")],
        notes: Vec::new(),
    };
    let picture = |root| picture(&order(root), DEFAULT, Runlevel::R2, Kind::Start);
    let both = difference(&picture(&now), &picture(&after(&now, DEFAULT, &plan)));
    compare("difference.txt", &(text(&both) + "\n"));
    compare("difference.svg", &svg(std::slice::from_ref(&both)));
    let mark = |name: &str| both.items().find(|(_, item)| item.name == name).unwrap().1.mark;
    assert_eq!([mark("new"), mark("mail"), mark("rsyslog")], [Mark::Added, Mark::Removed, Mark::Moved(1)]);
    let related = both.around("cron");
    assert!(
        related.contains("rsyslog") && related.contains("new") && !related.contains("rc.local"),
        "{related:?}"
    );
}

#[test]
fn drawings_are_whole_whatever_names_there_are() {
    let odd = ["a&b", "<i>", "q\"t", "back\\slash"];
    let headers: Vec<[String; 3]> = odd
        .iter()
        .map(|name| {
            [format!("Provides: {name}"), "Required-Start: base".to_owned(), "Default-Start: 2".to_owned()]
        })
        .collect();
    let lines: Vec<Vec<&str>> =
        headers.iter().map(|lines| lines.iter().map(String::as_str).collect()).collect();
    let mut all: Vec<(&str, &[&str])> =
        odd.iter().zip(&lines).map(|(name, lines)| (*name, lines.as_slice())).collect();
    all.push(("base", &["Provides: base", "Default-Start: 2"]));
    let mut root = scripts(&all);
    link(&mut root, all.iter().map(|(name, _)| *name));
    let picture = picture(&order(&root), DEFAULT, Runlevel::R2, Kind::Start);
    assert_eq!((picture.items().count(), picture.arrows.len()), (5, 4));
    let drawing = svg(std::slice::from_ref(&picture));
    assert_eq!(balance(&drawing), 0, "{drawing}");
    assert_eq!((drawing.matches("<g>").count(), drawing.matches("<path ").count()), (5, 4));
    let graph = dot(&[picture]);
    assert!(graph.contains(r#""0/q\"t" [label="q\"t"]"#) && graph.contains(r#""0/back\\slash""#), "{graph}");
    for empty in [svg(&[]), svg(&[Picture { title: String::new(), lanes: Vec::new(), arrows: Vec::new() }])] {
        assert_eq!(balance(&empty), 0, "{empty}");
    }
}

/// Opened elements less closed ones; fails on a bare `&` or a tag that closes another.
fn balance(drawing: &str) -> usize {
    let mut open = Vec::new();
    let mut rest = drawing;
    while let Some(at) = rest.find(['<', '&']) {
        rest = &rest[at..];
        if rest.starts_with('&') {
            let known = ["&amp;", "&lt;", "&gt;", "&quot;"];
            assert!(known.iter().any(|entity| rest.starts_with(entity)), "{}", &rest[..20]);
            rest = &rest[1..];
            continue;
        }
        let end = rest.find('>').expect("the end of a tag");
        let tag = &rest[1..end];
        let name = tag.trim_start_matches('/').split([' ', '/', '\n']).next().unwrap();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "{drawing}");
        } else if !tag.ends_with('/') {
            open.push(name);
        }
        rest = &rest[end..];
    }
    open.len()
}

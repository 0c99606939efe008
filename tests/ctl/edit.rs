//! cat, edit and help: the service file as it is, changed, and explained.

use std::fs;

use crate::support::{Prefix, Ran, ctl, executable, picture, same};

/// Runs `edit mine` with an editor that is this shell script; `$1` is the copy.
fn edit(prefix: &Prefix, script: &str) -> Ran {
    let editor = prefix.path("editor");
    executable(&editor, &format!("#!/bin/sh\n{script}\n"));
    let mut command = prefix.command(&["edit", "mine"]);
    let copies = prefix.path("copies");
    fs::create_dir_all(&copies).unwrap();
    command.env("VISUAL", format!("'{}' -x", editor.display())).env("TMPDIR", &copies);
    Ran::of(&mut command)
}

fn copies(prefix: &Prefix) -> usize {
    fs::read_dir(prefix.path("copies")).unwrap().count()
}

const TEXT: &str = "# mine\nprogram = \"/bin/true\"\n";

#[test]
fn what_is_edited_is_read_before_it_takes_the_place_of_the_old_one() {
    let prefix = Prefix::empty("edit");
    prefix.service("mine", TEXT);
    let file = prefix.path("etc/foobar/mine.toml");
    let ran = edit(&prefix, "echo 'nice = 5' >>\"$2\"").expect(0);
    let wanted = format!("wrote {}; foobarctl restart mine brings it into effect\n", file.display());
    assert_eq!((ran.out.as_str(), ran.err.as_str()), (wanted.as_str(), ""));
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("{TEXT}nice = 5\n"));
    let ran = edit(&prefix, "echo 'runlevels = \"2\"' >>\"$2\"").expect(0);
    assert!(ran.out.contains("foobarctl install mine brings it into the init script"), "{ran:#?}");
    assert_eq!(copies(&prefix), 0);
    let before = picture(&prefix.path("etc"));
    let ran = edit(&prefix, ":").expect(0);
    assert_eq!(ran.out, format!("{} is unchanged\n", file.display()));
    same("unchanged", &before, &picture(&prefix.path("etc")));
}

#[test]
fn a_fault_is_told_and_changes_nothing() {
    let prefix = Prefix::empty("edit-fault");
    prefix.service("mine", TEXT);
    let before = picture(&prefix.path("etc"));
    let ran = edit(&prefix, "echo 'nise = 5' >>\"$2\"").expect(6);
    assert!(ran.err.contains("mine.toml:3:1: unknown key 'nise': did you mean 'nice'?"), "{ran:#?}");
    assert!(ran.err.contains("what you wrote is kept"), "{ran:#?}");
    // It is kept where the message says.
    let kept = ran.err.strip_prefix("foobarctl: ").and_then(|text| text.split_once(":3:1")).unwrap().0;
    assert!(fs::read_to_string(kept).unwrap().ends_with("nise = 5\n"), "{kept}");
    let ran = edit(&prefix, "echo 'nice = 5' >>\"$2\"; exit 3").expect(1);
    assert!(ran.err.contains("ended with exit status: 3, so the service file is what it was"), "{ran:#?}");
    same("refused", &before, &picture(&prefix.path("etc")));
    Ran::of(prefix.command(&["edit", "other"]).env("EDITOR", "true")).expect(5);
}

#[test]
fn what_another_changes_meanwhile_is_not_lost() {
    let prefix = Prefix::empty("edit-race");
    prefix.service("mine", TEXT);
    let file = prefix.path("etc/foobar/mine.toml");
    let script = format!("echo 'nice = 5' >>\"$2\"; echo 'nice = 6' >>'{}'", file.display());
    let ran = edit(&prefix, &script);
    assert_ne!(ran.code, Some(0), "{ran:#?}");
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("{TEXT}nice = 6\n"));
}

#[test]
fn cat_prints_the_file_below_its_path() {
    let prefix = Prefix::empty("cat");
    prefix.service("mine", TEXT);
    let file = prefix.path("etc/foobar/mine.toml");
    let ran = prefix.ctl(&["cat", "mine"]).expect(0);
    assert_eq!(ran.out, format!("# {}\n{TEXT}", file.display()));
    let json = prefix.ctl(&["cat", "mine", "--format", "json"]).expect(0).json();
    assert_eq!((&json["text"], &json["service"]), (&TEXT.into(), &"mine".into()));
    prefix.script("theirs", "#!/bin/sh\necho theirs\n");
    assert!(prefix.ctl(&["cat", "theirs"]).expect(0).out.ends_with("#!/bin/sh\necho theirs\n"));
    let ran = prefix.ctl(&["cat", "none"]).expect(5);
    assert!(ran.err.contains("none is not installed: there is neither "), "{ran:#?}");
}

#[test]
fn help_explains_verbs_and_keys() {
    assert!(ctl(&["help"]).expect(0).out.contains("Verbs:"));
    assert_eq!(ctl(&["help", "install"]).expect(0).out, ctl(&["install", "--help"]).expect(0).out);
    let page = ctl(&["help", "service-file"]).expect(0).out;
    assert!(page.contains("  restart-delay = seconds"), "{page}");
    assert_eq!(ctl(&["help", "foobar-service"]).expect(0).out, page);
    assert!(ctl(&["help", "nothing"]).expect(2).err.contains("there is no help on \"nothing\""));
}

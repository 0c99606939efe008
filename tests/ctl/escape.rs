//! Symbolic links in a tree that lead out of it: with --root they mean that machine's own paths, with
//! --prefix they are refused; nothing outside is ever touched.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use foobar_tests::Sandbox;

use crate::support::{Ran, ctl, picture, same};

/// A tree `tree` beside a directory `outside` that must stay as it is.
fn beside(name: &str) -> Sandbox {
    let sandbox = Sandbox::new(name);
    for directory in ["tree/etc", "outside/init.d"] {
        fs::create_dir_all(sandbox.path().join(directory)).unwrap();
    }
    fs::write(sandbox.path().join("outside/precious"), "text").unwrap();
    sandbox
}

fn install(sandbox: &Sandbox, option: &str) -> Ran {
    let tree = sandbox.path().join("tree");
    ctl(&[option, tree.to_str().unwrap(), "--layout", "debian", "install"])
}

#[test]
fn links_that_lead_out_are_taken_as_paths_of_the_other_machine() {
    let sandbox = beside("absolute");
    let (tree, outside) = (sandbox.path().join("tree"), sandbox.path().join("outside"));
    let before = picture(&outside);
    // An absolute link, one that climbs out, and one that does both by way of another.
    symlink(outside.join("init.d"), tree.join("etc/init.d")).unwrap();
    symlink("../../../../../../../../outside", tree.join("etc/foobar")).unwrap();
    symlink("/up/../../outside", tree.join("etc/rc2.d")).unwrap();
    let _ = install(&sandbox, "--root");
    same("outside", &before, &picture(&outside));
    // With the directories there that the links mean on that machine, it goes through.
    for path in [outside.join("init.d").as_path(), Path::new("/outside"), Path::new("/up")] {
        fs::create_dir_all(tree.join(path.strip_prefix("/").unwrap())).unwrap();
    }
    install(&sandbox, "--root").expect(0);
    same("outside", &before, &picture(&outside));
    assert!(tree.join(outside.join("init.d/foobar").strip_prefix("/").unwrap()).exists());
    assert!(tree.join("outside/foobar.toml").exists() && tree.join("outside/S01foobar").is_symlink());
}

#[test]
fn a_prefix_does_not_follow_links_out_of_itself() {
    for (at, target) in [("etc/init.d", "init.d"), ("etc/rc3.d", "."), ("var", ".")] {
        let sandbox = beside("prefix");
        let (tree, outside) = (sandbox.path().join("tree"), sandbox.path().join("outside"));
        let before = picture(&outside);
        symlink(outside.join(target), tree.join(at)).unwrap();
        let ran = install(&sandbox, "--prefix");
        assert!(matches!(ran.code, Some(1)) && ran.err.contains("outside of"), "{at}: {ran:#?}");
        same(at, &before, &picture(&outside));
        fs::remove_file(tree.join(at)).unwrap();
        symlink("../../../../../../../outside", tree.join(at)).unwrap();
        install(&sandbox, "--prefix").expect(1);
        same(at, &before, &picture(&outside));
    }
}

#[test]
fn a_prefix_follows_its_own_links() {
    let sandbox = beside("own");
    let tree = sandbox.path().join("tree");
    fs::create_dir_all(tree.join("run")).unwrap();
    fs::create_dir_all(tree.join("etc/rc.d/init.d")).unwrap();
    fs::create_dir(tree.join("var")).unwrap();
    symlink("../run", tree.join("var/run")).unwrap();
    symlink(tree.join("etc/rc.d/init.d"), tree.join("etc/init.d")).unwrap();
    install(&sandbox, "--prefix").expect(0);
    assert!(tree.join("etc/rc.d/init.d/foobar").exists());
}

#[test]
fn a_file_that_is_a_link_is_not_written_through() {
    let sandbox = beside("through");
    let (tree, precious) = (sandbox.path().join("tree"), sandbox.path().join("outside/precious"));
    fs::create_dir(tree.join("etc/init.d")).unwrap();
    symlink(&precious, tree.join("etc/init.d/foobar")).unwrap();
    symlink(&precious, tree.join("etc/init.d/.foobarctl-new")).unwrap();
    symlink(&precious, tree.join("etc/.foobarctl.lock")).unwrap();
    let _ = install(&sandbox, "--root");
    assert_eq!(fs::read_to_string(&precious).unwrap(), "text");
    fs::remove_file(tree.join("etc/.foobarctl.lock")).unwrap();
    let ctl_force =
        [&["--root", tree.to_str().unwrap()][..], &["--layout", "debian", "install", "--force"]].concat();
    ctl(&ctl_force).expect(0);
    assert_eq!(fs::read_to_string(&precious).unwrap(), "text");
    assert!(tree.join("etc/init.d/foobar").is_file() && !tree.join("etc/init.d/foobar").is_symlink());
}

#[test]
fn links_in_a_circle_end() {
    let sandbox = beside("circle");
    let tree = sandbox.path().join("tree");
    symlink("rc.d", tree.join("etc/init.d")).unwrap();
    symlink("init.d", tree.join("etc/rc.d")).unwrap();
    let ran = install(&sandbox, "--root").expect(1);
    assert!(ran.err.contains("symbolic links"), "{ran:#?}");
}

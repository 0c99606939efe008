//! Keys: what must hold for a start.

use super::key::Key;
use super::read::{self, Fault, Item};
use super::write;
use crate::service::{Service, Test, condition};

/// The conditions and the asserts of all tests.
macro_rules! tests {
    ($($rest:literal $directive:literal $test:ident $meaning:literal;)*) => {
        /// Conditions: a start that is not to be is skipped.
        pub(super) const CONDITIONS: &[Key] = &[$(Key {
            name: concat!("condition-", $rest),
            directive: concat!("Condition", $directive),
            meaning: concat!("skip the start unless ", $meaning),
            words: "a list of strings",
            set: |service, item| set(service, item, Test::$test, false),
            get: |service| Some(get(service, Test::$test, false)),
        },)*];
        /// Asserts: a start that is not to be fails.
        pub(super) const ASSERTS: &[Key] = &[$(Key {
            name: concat!("assert-", $rest),
            directive: concat!("Assert", $directive),
            meaning: concat!("fail the start unless ", $meaning),
            words: "a list of strings",
            set: |service, item| set(service, item, Test::$test, true),
            get: |service| Some(get(service, Test::$test, true)),
        },)*];
    };
}

tests! {
    "path-exists" "PathExists" PathExists "the path is there; prefix !: is not; |: one of those with it is enough";
    "path-exists-glob" "PathExistsGlob" PathExistsGlob "the pattern matches a path";
    "path-is-directory" "PathIsDirectory" PathIsDirectory "the path is a directory";
    "path-is-symbolic-link" "PathIsSymbolicLink" PathIsSymbolicLink "the path is a symbolic link";
    "path-is-mount-point" "PathIsMountPoint" PathIsMountPoint "something is mounted on the path";
    "path-is-read-write" "PathIsReadWrite" PathIsReadWrite "the path can be written";
    "directory-not-empty" "DirectoryNotEmpty" DirectoryNotEmpty "the directory has something in it";
    "file-not-empty" "FileNotEmpty" FileNotEmpty "the file has something in it";
    "file-is-executable" "FileIsExecutable" FileIsExecutable "the file can be executed";
    "kernel-command-line" "KernelCommandLine" KernelCommandLine "the word is on the kernel's command line";
    "virtualization" "Virtualization" Virtualization "the machine is virtual: yes, no, vm or container";
    "capability" "Capability" Capability "the capability can be had";
    "host" "Host" Host "the host has this name; * and ? match";
}

fn set(service: &mut Service, item: &Item<'_>, test: Test, assert: bool) -> Result<(), Fault> {
    let more = read::list(item, |text| condition(test, assert, text))?;
    service.conditions.extend(more);
    Ok(())
}

fn get(service: &Service, test: Test, assert: bool) -> String {
    write::list(service.conditions.iter().filter(|known| known.test == test && known.assert == assert))
}

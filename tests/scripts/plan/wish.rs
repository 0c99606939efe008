//! The wishes of the tests, each as a plan for a tree.

use std::collections::BTreeSet;

use foobar_initscripts::inittab::Dialect;
use foobar_initscripts::layout::debian::DEBIAN;
use foobar_initscripts::name::Runlevels;
use foobar_initscripts::plan::{
    Extra, Install, Plan, PlanError, Toggle, Uninstall, disable, enable, install, respawn, uninstall,
};
use foobar_initscripts::script::{Caller, Style};

use super::tree::Tree;
use crate::{foobar, name};

pub const SERVICE_FILE: &str = include_str!("../../../packaging/foobar.toml");
const CONFIGURATION: &str = include_str!("../../../packaging/foobard.toml");

/// The extra of foobar.
pub const EXTRA: &str = "/etc/foobard.toml";

/// What may be asked of an installation; the rest is as usual.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    pub style: Style,
    pub runlevels: Option<&'static str>,
    pub force: bool,
}

/// An installation without any option.
pub const USUAL: Wish = Wish { style: Style::Thin, runlevels: None, force: false };

pub fn to_install(tree: &Tree, wish: Wish) -> Plan {
    with_request(wish, |request| {
        install(request, &DEBIAN, &tree.installed(), &tree.existing(&[EXTRA])).unwrap()
    })
}

pub fn try_respawn(tree: &Tree, wish: Wish) -> Result<Plan, PlanError> {
    let taken = BTreeSet::from(["foob".to_owned()]);
    with_request(wish, |request| {
        respawn(request, Dialect::SysV, &taken, &DEBIAN, &tree.installed(), &tree.existing(&[EXTRA]))
    })
}

pub fn to_respawn(tree: &Tree, wish: Wish) -> Plan {
    try_respawn(tree, wish).unwrap()
}

fn with_request<T>(wish: Wish, plan: impl FnOnce(&Install<'_>) -> T) -> T {
    let mut service = foobar();
    let mut text = SERVICE_FILE.to_owned();
    if let Some(levels) = wish.runlevels {
        service.runlevels = Runlevels::parse(levels).unwrap();
        text = text.replace("runlevels = \"2345\"", &format!("runlevels = \"{levels}\""));
    }
    let extras = [Extra { path: EXTRA.to_owned(), mode: 0o644, text: CONFIGURATION.to_owned() }];
    let request = Install {
        service: &service,
        service_file: Some(&text),
        extras: &extras,
        style: wish.style,
        caller: &Caller::of(&DEBIAN),
        set_runlevels: wish.runlevels.is_some(),
        force: wish.force,
    };
    plan(&request)
}

pub fn try_uninstall(tree: &Tree, purge: bool, force: bool) -> Result<Plan, PlanError> {
    let request = Uninstall { name: &name("foobar"), extras: &[EXTRA], leftovers: &[], purge, force };
    uninstall(&request, &DEBIAN, &tree.installed(), &tree.existing(&[EXTRA]))
}

pub fn to_uninstall(tree: &Tree) -> Plan {
    try_uninstall(tree, false, false).unwrap()
}

pub fn toggled(tree: &Tree, on: bool, levels: Option<&str>) -> Result<Plan, PlanError> {
    let name = name("foobar");
    let request = Toggle { name: &name, runlevels: levels.map(|text| Runlevels::parse(text).unwrap()) };
    let turn = if on { enable } else { disable };
    turn(&request, &DEBIAN, &tree.installed(), &tree.existing(&[]))
}

pub fn to_disable(tree: &Tree, levels: Option<&str>) -> Plan {
    toggled(tree, false, levels).unwrap()
}

pub fn to_enable(tree: &Tree, levels: Option<&str>) -> Plan {
    toggled(tree, true, levels).unwrap()
}

//! A case: scripts and configuration, and steps that are done one after the other on one tree. Who does them, and
//! what is compared, is in `compare.rs`.

use std::fmt;

use foobar_initscripts::name::Runlevel;
use foobar_initscripts::order::Change;

#[derive(Debug, Clone)]
pub struct Case {
    pub conf: Vec<String>,
    pub fragments: Vec<(String, Vec<String>)>,
    /// In the order in which the files are made.
    pub scripts: Vec<Script>,
    /// Place in `OVERRIDES`, then the file.
    pub overrides: Vec<(usize, Script)>,
    pub steps: Vec<Step>,
}

#[derive(Debug, Clone)]
pub struct Script {
    pub name: String,
    pub lines: Vec<String>,
}

#[derive(Debug, Clone)]
pub enum Step {
    Run(Change),
    Turn(String, Runlevel),
    Renumber(String, Runlevel, u8),
    Delete(String),
}

impl Script {
    pub fn text(&self) -> String {
        let mut text = String::from("#!/bin/sh\n");
        for line in &self.lines {
            text.push_str(line);
            text.push('\n');
        }
        text
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "insserv.conf: {:#?}\nfragments: {:?}", self.conf, self.fragments)?;
        for script in &self.scripts {
            writeln!(f, "script {}:\n{}", script.name, script.text())?;
        }
        for (tier, script) in &self.overrides {
            writeln!(f, "override {tier}/{}:\n{}", script.name, script.text())?;
        }
        for step in &self.steps {
            writeln!(f, "{step:?}")?;
        }
        Ok(())
    }
}

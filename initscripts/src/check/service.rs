//! Service files, and the scripts that foobarctl made of them.

use super::finding::{Finding, Rule};
use super::rules::files as rules;
use super::tree::Script;
use crate::description;
use crate::layout::Layout;
use crate::layout::facts::Dialect;
use crate::lsb;
use crate::name::ServiceName;
use crate::script::{self, Caller, Style};
use crate::seal::{self, Origin};
use crate::service::Service;

/// Reads a service file.
///
/// # Errors
/// With the finding for its first fault.
pub fn read(name: &ServiceName, file: &str, text: &[u8]) -> Result<Service, Box<Finding>> {
    let fault = |line: usize, message: String| {
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        Box::new(Finding::new(&rules::SERVICE_FILE_INVALID, name.as_str(), file, line, message))
    };
    let text = std::str::from_utf8(text).map_err(|error| {
        let line = 1 + text[..error.valid_up_to()].iter().filter(|&&byte| byte == b'\n').count();
        fault(line, "there is a byte that is not UTF-8".to_owned())
    })?;
    description::parse(name, text, file).map_err(|error| fault(error.line, error.message))
}

/// Who else could have written a service file.
#[must_use]
pub fn writable(name: &str, file: &str, mode: u32, owner: u32, trusted: u32) -> Option<Finding> {
    let message = if mode & 0o022 != 0 {
        format!("others can write it (mode {mode:04o}), so foobarctl does not do what it says")
    } else if owner != 0 && owner != trusted {
        format!("belongs to user {owner}, so foobarctl does not do what it says")
    } else {
        return None;
    };
    Some(Finding::new(&rules::WRITABLE, name, file, 1, message))
}

/// The program of a service is not there.
#[must_use]
pub fn without_program(service: &Service, file: &str, text: &[u8]) -> Finding {
    let text = String::from_utf8_lossy(text);
    let line = (1..).zip(text.lines()).find(|(_, line)| line.trim_start().starts_with("program"));
    let message = format!("{} is no file that can be executed", service.program);
    Finding::new(
        &rules::SERVICE_PROGRAM_ABSENT,
        service.name.as_str(),
        file,
        line.map_or(1, |(number, _)| number),
        message,
    )
}

/// There is no script of a service.
#[must_use]
pub fn without_script(service: &Service, file: &str) -> Finding {
    let title = rules::SERVICE_NOT_INSTALLED.title;
    Finding::new(&rules::SERVICE_NOT_INSTALLED, service.name.as_str(), file, 1, title)
}

/// A script beside its service file, which may be missing or have a fault.
#[must_use]
pub fn check_script(
    script: &Script,
    service: Option<&Service>,
    has_file: bool,
    layout: &Layout,
) -> Vec<Finding> {
    let say = |rule: &'static Rule, line, message: &str| {
        vec![Finding::new(rule, &script.name, &script.file, line, message)]
    };
    let last = u32::try_from(script.text.iter().filter(|&&byte| byte == b'\n').count()).unwrap_or(u32::MAX);
    let alone = is_standalone(&script.text);
    match (seal::origin(&script.text), service) {
        (Origin::Foreign, _) => Vec::new(),
        (_, None) if !has_file && !alone => {
            say(&rules::SERVICE_FILE_MISSING, 1, rules::SERVICE_FILE_MISSING.title)
        }
        (Origin::Edited, _) => say(&rules::SCRIPT_EDITED, last, rules::SCRIPT_EDITED.title),
        (Origin::Ours, Some(service)) if is_outdated(script, service, layout, alone) => {
            say(&rules::SCRIPT_OUTDATED, 1, rules::SCRIPT_OUTDATED.title)
        }
        (Origin::Ours, _) => Vec::new(),
    }
}

/// What a thin script of OpenRC has before its first function that calls foobarctl.
fn before_control(text: &[u8]) -> &[u8] {
    let mark: &[u8] = b"\ncontrol() {";
    let at = text.windows(mark.len()).position(|window| window == mark);
    at.map_or(text, |at| &text[..at])
}

/// Whether it has the program in itself.
fn is_standalone(text: &[u8]) -> bool {
    text.split(|&byte| byte == b'\n').any(|line| line.starts_with(b"program="))
}

/// A thin script is its header and a path of foobarctl, which may be another's; a standalone one is all its own.
fn is_outdated(script: &Script, service: &Service, layout: &Layout, alone: bool) -> bool {
    let caller = Caller::of(layout);
    if alone {
        let now = script::render(service, layout, Style::Standalone, &caller);
        return now.is_ok_and(|now| now.as_bytes() != script.text);
    }
    if layout.dialect == Dialect::OpenRc {
        // It has no header; what comes of the service file stands before the path.
        let now = script::render(service, layout, Style::Thin, &caller);
        return now.is_ok_and(|now| before_control(now.as_bytes()) != before_control(&script.text));
    }
    let (there, _) = lsb::parse(&script.text);
    let (wanted, _) = lsb::parse(lsb::render(&script::header(service)).as_bytes());
    there != wanted
}

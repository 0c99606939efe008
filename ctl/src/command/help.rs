//! `help`: what --help prints, and what the keys of a service file are.

use anyhow::Result;
use foobar_initscripts::exit::Action;

use crate::cli::{self, Help};
use crate::failure::Failure;
use crate::output;
use crate::texts::service_file;

/// Prints the help on a topic.
///
/// # Errors
/// [`Action::Usage`] when there is no such topic.
pub fn run(arguments: &Help) -> Result<Action> {
    let topic = arguments.topic.as_deref();
    let text = match topic {
        Some(topic) if Help::is_service_file(topic) => Some(service_file::text()),
        topic => cli::long_help(topic),
    };
    let text = text.ok_or_else(|| {
        let topic = topic.unwrap_or_default();
        Failure::error(
            Action::Usage,
            format!(
                "there is no help on {topic:?}: foobarctl help lists the verbs; service-file is a topic, too"
            ),
        )
    })?;
    output::print(text.trim_end())?;
    Ok(Action::Ok)
}

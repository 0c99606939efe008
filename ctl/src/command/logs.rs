//! `logs`: prints what a supervised service has written, and what it writes. It changes nothing.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Result;
use foobar_initscripts::exit::Action;
use foobar_initscripts::service::{Output as Wanted, Service, Word as _, time_span};
use serde::Serialize;

use crate::cli::{Format, Logs};
use crate::context::Context;
use crate::failure::Failure;
use crate::inspect::lines::{self, Following, Wish};
use crate::output;
use crate::supervisor::log::line;
use crate::supervisor::place::Place;
use crate::sys::watch::Watch;
use crate::target::{self, Target};

/// What `--format json` prints; with `--follow` it prints a [`Row`] a line instead.
#[derive(Debug, Serialize)]
struct Facts<'a> {
    service: &'a str,
    file: String,
    /// Whether these are all that were kept, and not only the last ones.
    is_whole_log: bool,
    lines: Vec<Row<'a>>,
}

/// A line of the log.
#[derive(Debug, Serialize)]
struct Row<'a> {
    time: Option<&'a str>,
    level: Option<&'a str>,
    /// Whether it goes on with the line before, which was too long.
    continues: bool,
    text: &'a str,
}

/// Prints a log.
///
/// # Errors
/// [`Action::NotInstalled`], and [`Action::Unimplemented`] for what no supervisor of ours holds; [`Action::Permission`] for logs
/// that are not for everybody.
pub fn run(context: &Context, arguments: &Logs) -> Result<Action> {
    let name = Context::name(&arguments.service.name)?;
    let own = |who: String| {
        let text = format!("{name} keeps its log itself, {who}: look into its own files, or those of syslog");
        Failure::error(Action::Unimplemented, text)
    };
    let service = match target::find(context, &name)? {
        Target::Ours(service) if service.is_supervised() => service,
        Target::Ours(_) => return Err(own("it runs without a supervisor".to_owned())),
        Target::Script(script) => {
            return Err(own(format!("{} starts it", context.root.outside(&script).display())));
        }
    };
    let (path, is_whole) = source(context, &service);
    let last = arguments.lines.or(arguments.follow.then_some(10));
    let wish = Wish { last, since: arguments.since.as_deref().map(since).transpose()? };
    let following = if arguments.follow { Some(following(&path, &service)?) } else { None };
    let found = lines::collect(&path, &wish).or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => Ok(Vec::new()),
        _ => Err(unreadable(&error)),
    })?;
    if !is_whole && (wish.last.is_none_or(|last| found.len() < last) || wish.since.is_some()) {
        context.output.warn(format_args!(
            "only the last lines of {name} are kept here, the others are with the system logger (facility {}): see its files, or \
             set log-output = \"both\" in the service file",
            service.logging.facility.word()
        ));
    }
    if !arguments.follow {
        let facts = Facts {
            service: name.as_str(),
            file: path.display().to_string(),
            is_whole_log: is_whole,
            lines: found.iter().map(|line| row(line)).collect(),
        };
        if found.is_empty() && context.output.format == Format::Text {
            context.output.step(format_args!("{name} has written nothing into {}", path.display()));
            return Ok(Action::Ok);
        }
        context.output.result(found.join("\n"), &facts)?;
        return Ok(Action::Ok);
    }
    print(context, &found)?;
    let Some((mut log, watch)) = following else { return Ok(Action::Ok) };
    loop {
        let more = log.more().map_err(|error| unreadable(&error))?;
        print(context, &more)?;
        watch.wait()?;
    }
}

/// The file that the lines are in, and whether it is all of the log.
fn source(context: &Context, service: &Service) -> (PathBuf, bool) {
    let place = Place::of(&context.root, &service.name);
    match service.logging.output {
        Wanted::File | Wanted::Both => {
            (service.logging.file.as_ref().map_or_else(|| place.log_file(), PathBuf::from), true)
        }
        Wanted::Syslog | Wanted::Null => (place.file("recent"), false),
    }
}

fn following(path: &Path, service: &Service) -> Result<(Following, Watch)> {
    let directory = path.parent().unwrap_or(Path::new("/"));
    // The watch first: what comes between the two is then looked for once too often, and not once too seldom.
    let watch = Watch::new(directory).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            let text =
                format!("{} has written nothing yet, there is no {}", service.name, directory.display());
            Failure::error(Action::NotRunning, format!("{text}: start it first"))
        }
        _ => Failure::of_io(&error, format!("cannot watch {}: {error}", directory.display())),
    })?;
    let log = Following::new(path)
        .map_err(|error| unreadable(&io::Error::new(error.kind(), format!("{}: {error}", path.display()))))?;
    Ok((log, watch))
}

fn unreadable(error: &io::Error) -> anyhow::Error {
    Failure::of_io(error, format!("cannot read the log: {error}"))
}

fn row(text: &str) -> Row<'_> {
    match line::read(text) {
        Some(read) => Row {
            time: Some(read.stamp),
            level: Some(read.level),
            continues: read.continues,
            text: read.text,
        },
        // Somebody else has written into the file.
        None => Row { time: None, level: None, continues: false, text },
    }
}

fn print(context: &Context, lines: &[String]) -> Result<()> {
    for line in lines {
        match context.output.format {
            Format::Json => output::print(&serde_json::to_string(&row(line))?)?,
            _ => output::print(line)?,
        }
    }
    Ok(())
}

/// The stamp that `--since` means: a time span before now, or as much of a time in UTC as was given.
fn since(text: &str) -> Result<String> {
    let pattern = "dddd-dd-ddTdd:dd:dd.ddddddZ";
    let stamp = text.replacen(' ', "T", 1);
    let fits = stamp.len() >= "dddd-dd-dd".len()
        && stamp.len() <= pattern.len()
        && stamp.bytes().zip(pattern.bytes()).all(|(byte, wanted)| match wanted {
            b'd' => byte.is_ascii_digit(),
            other => byte == other || (other == b'.' && byte == b'Z'),
        });
    if fits {
        // `2026-11-28T16:39:33Z` stands before all that is of that second.
        return Ok(stamp.trim_end_matches('Z').to_owned());
    }
    let span = time_span(text).map_err(|_| {
        let text = text.escape_debug();
        let remedy = "write as in \"10min\" or \"2026-11-28 16:39\" (UTC)";
        Failure::error(Action::Usage, format!("--since: '{text}' is no time: {remedy}"))
    })?;
    Ok(line::stamp(SystemTime::now().checked_sub(span).unwrap_or(SystemTime::UNIX_EPOCH)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_spans_are_told_apart() {
        for (text, wanted) in [
            ("2026-11-28", "2026-11-28"),
            ("2026-11-28 16:39", "2026-11-28T16:39"),
            ("2026-11-28T16:39:33Z", "2026-11-28T16:39:33"),
            ("2026-11-28T16:39:33.123456Z", "2026-11-28T16:39:33.123456"),
        ] {
            assert_eq!(since(text).unwrap(), wanted);
        }
        let hour = since("1h").unwrap();
        assert!(hour.as_str() < line::stamp(SystemTime::now()).as_str() && hour.len() == 27, "{hour}");
        for odd in ["", "yesterday", "2026-11-28T1a", "-5min"] {
            assert!(since(odd).is_err(), "{odd}");
        }
    }
}

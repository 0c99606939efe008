//! What a supervisor is asked over its control socket, and what it answers: JSON, one line each.

use foobar_initscripts::exit::Action;
use serde::Serialize;

use crate::supervisor::report::Report;
use crate::supervisor::server::Request;
use crate::supervisor::turn::Met;
use crate::supervisor::unit::Unit;

/// Lines of the program's words in the answer to `status`.
const LINES: usize = 10;

/// The answer to `status`.
#[derive(Debug, Serialize)]
struct Status<'a> {
    #[serde(flatten)]
    report: &'a Report,
    /// The last lines that the service has written.
    log: Vec<String>,
}

/// Answers `request`, or keeps it when the outcome of a reload is to be waited for.
pub fn answer(unit: &mut Unit, request: Request) {
    let line = request.line.clone();
    let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
    let met = match verb {
        "status" => {
            let status = Status { report: &unit.report, log: unit.output.pump.tail(LINES) };
            request.answer(&serde_json::to_string(&status).unwrap_or_default());
            return;
        }
        "reload" => match unit.reload() {
            Ok(None) => return unit.reloaders.push(request),
            Ok(Some(text)) => (Action::Ok, text),
            Err(met) => met,
        },
        "signal" => signal(unit, rest),
        "upgrade" => {
            let state = unit.report.state.word();
            let text = format!("it is {state}, and the supervisor is upgraded when it runs: try again");
            (Action::NotRunning, text)
        }
        _ => (Action::Usage, format!("there is no request '{}'", verb.escape_debug())),
    };
    request.tell(&met);
}

fn signal(unit: &Unit, name: &str) -> Met {
    let Ok(signal) = name.parse::<foobar_process::Signal>() else {
        return (Action::Usage, format!("there is no signal '{}'", name.escape_debug()));
    };
    let Some(main) = &unit.main else {
        return (Action::NotRunning, format!("it is {}, and has no main process", unit.report.state.word()));
    };
    let pid = main.process.pid();
    match main.process.signal(signal) {
        Ok(()) => (Action::Ok, format!("sent {signal} to process {pid}")),
        Err(error) => (Action::Error, format!("cannot signal process {pid}: {error}")),
    }
}

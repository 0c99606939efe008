//! Figures as a page in the text format of Prometheus, version 0.0.4 ("Exposition formats"), served over HTTP/1.1 (RFC 9112)
//! like any other service: by a worker of its own, which reads the scoreboards.

use std::fmt::Write as _;
use std::io::{self, Read as _, Write as _};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use crate::address::Address;
use crate::board::{Activity, BUCKETS, Counter};
use crate::config::{ModelName, Server};
use crate::connection::{Connection, TimeLimits};
use crate::handler::Handler;
use crate::report::word;
use crate::statistics::{HIDDEN, Statistics, View, bound};

/// A request with its header lines is not longer, in bytes.
const LONGEST: usize = 8 * 1024;
/// A scrape takes milliseconds; who takes longer keeps others waiting, since they are served one after the other.
const LIMIT: Duration = Duration::from_secs(5);

/// The server of figures, which no configuration describes.
pub(crate) fn server(address: &Address) -> Server {
    Server {
        name: HIDDEN.to_owned(),
        listen: vec![address.clone()],
        model: ModelName::Iterative,
        limits: TimeLimits { read: Some(LIMIT), write: Some(LIMIT), total: Some(LIMIT) },
        ..Server::default()
    }
}

/// The service.
#[derive(Debug)]
pub(crate) struct Page {
    statistics: Arc<Statistics>,
}

impl Page {
    pub(crate) fn new(statistics: Arc<Statistics>) -> Page {
        Page { statistics }
    }
}

impl Handler for Page {
    fn serve(&self, connection: &mut Connection<'_>) -> io::Result<()> {
        let mut request = Vec::new();
        let mut buffer = [0; 2048];
        while !is_complete(&request) && request.len() < LONGEST {
            match connection.read(&mut buffer)? {
                0 if request.is_empty() => return Ok(()),
                0 => break,
                length => request.extend_from_slice(&buffer[..length]),
            }
        }
        let (head, body) = answer(&request, || page(&self.statistics));
        connection.write_all(head.as_bytes())?;
        connection.write_all(body.as_bytes())
    }
}

/// Whether the empty line behind the header has come.
fn is_complete(request: &[u8]) -> bool {
    request.windows(4).any(|window| window == b"\r\n\r\n")
        || request.windows(2).any(|window| window == b"\n\n")
}

/// Head and body of the answer.
fn answer(request: &[u8], page: impl FnOnce() -> String) -> (String, String) {
    let line = request.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = std::str::from_utf8(line).unwrap_or_default();
    let words: Vec<&str> = line.trim_end_matches('\r').split(' ').collect();
    let told = |text: &str| format!("{text}\n");
    let (status, more, kind, body) = match words[..] {
        [_, _, version] if !is_complete(request) || !version.starts_with("HTTP/1.") => {
            ("400 Bad Request", "", "text/plain", told("ask for GET /metrics HTTP/1.1"))
        }
        ["GET" | "HEAD", target, _] if !is_ours(target) => {
            ("404 Not Found", "", "text/plain", told("there is only /metrics"))
        }
        ["GET" | "HEAD", _, _] => ("200 OK", "", "text/plain; version=0.0.4; charset=utf-8", page()),
        [_, _, _] => (
            "405 Method Not Allowed",
            "Allow: GET, HEAD\r\n",
            "text/plain",
            told("there is only GET and HEAD"),
        ),
        _ => ("400 Bad Request", "", "text/plain", told("ask for GET /metrics HTTP/1.1")),
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\n{more}Content-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    let silent = words.first() == Some(&"HEAD");
    (head, if silent { String::new() } else { body })
}

fn is_ours(target: &str) -> bool {
    // A proxy sends the whole address: RFC 9112, section 3.2.2.
    let path =
        target.strip_prefix("http://").map_or(target, |rest| rest.find('/').map_or("/", |at| &rest[at..]));
    matches!(path.split('?').next(), Some("/metrics" | "/"))
}

/// The page.
fn page(statistics: &Statistics) -> String {
    let mut text = String::new();
    let views = statistics.look();
    let since = statistics.since().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    family(&mut text, "build_info", "gauge", "The program that serves, always 1.");
    sample(&mut text, "build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    family(&mut text, "start_time_seconds", "gauge", "When the daemon was started, in seconds since 1970.");
    sample(&mut text, "start_time_seconds", &[], since);
    family(&mut text, "generation", "gauge", "Number of the configuration in force, 1 for the first.");
    sample(&mut text, "generation", &[], statistics.generation());
    family(&mut text, "connections", "gauge", "Connections that are being served.");
    for view in &views {
        sample(&mut text, "connections", &[("server", &view.server.name)], view.connections);
    }
    family(&mut text, "workers", "gauge", "Contexts of execution, by what they do.");
    for view in &views {
        workers(&mut text, view);
    }
    for (name, counter) in Counter::ALL {
        let name = format!("{name}_total");
        family(&mut text, &name, "counter", meaning(counter));
        for view in &views {
            let value = view.figures.counted(counter);
            sample(&mut text, &name, &[("server", &view.server.name)], value);
        }
    }
    family(
        &mut text,
        "duration_seconds",
        "histogram",
        "How long connections lasted, from accept(2) to their end.",
    );
    for view in &views {
        histogram(&mut text, view);
    }
    text
}

fn meaning(counter: Counter) -> &'static str {
    match counter {
        Counter::Accepted => "Connections and datagrams taken.",
        Counter::Refused => "Connections closed at once, for a limit or a list.",
        Counter::Failed => "Connections that ended by an error.",
        Counter::Received => "Bytes received.",
        Counter::Sent => "Bytes sent.",
        Counter::Started => "Workers started.",
        Counter::Crashed => "Workers that ended otherwise than they should.",
    }
}

fn workers(text: &mut String, view: &View) {
    for activity in [Activity::Idle, Activity::Reading, Activity::Serving] {
        let count = view.workers.iter().filter(|worker| worker.seen.activity == activity).count();
        let labels = [("server", view.server.name.as_str()), ("activity", word(activity))];
        sample(text, "workers", &labels, count as u64);
    }
}

/// Buckets are cumulative: each counts what lasted up to its bound.
fn histogram(text: &mut String, view: &View) {
    // Read once, so that the sum of the buckets is the count.
    let counts = view.figures.histogram();
    let name = view.server.name.as_str();
    let mut sum = 0;
    for (index, count) in counts.iter().enumerate() {
        sum += count;
        let le =
            if index == BUCKETS - 1 { "+Inf".to_owned() } else { bound(index).as_secs_f64().to_string() };
        sample(text, "duration_seconds_bucket", &[("server", name), ("le", &le)], sum);
    }
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{PREFIX}duration_seconds_sum{{server=\"{}\"}} {}",
        escaped(name),
        view.figures.lasted().as_secs_f64()
    );
    sample(text, "duration_seconds_count", &[("server", name)], sum);
}

const PREFIX: &str = "foobard_";

fn family(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = write!(text, "# HELP {PREFIX}{name} {help}\n# TYPE {PREFIX}{name} {kind}\n");
}

fn sample(text: &mut String, name: &str, labels: &[(&str, &str)], value: u64) {
    let labels: Vec<String> =
        labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
    let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
    let _ = writeln!(text, "{PREFIX}{name}{labels} {value}");
}

/// The value of a label.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(request: &str) -> String {
        let (head, body) = answer(request.as_bytes(), || "page".to_owned());
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap();
        assert!(body.is_empty() || length == body.len().to_string(), "{head}");
        format!("{} {body}", head.lines().next().unwrap())
    }

    #[test]
    fn only_the_page_is_to_be_had() {
        for target in ["/metrics", "/", "/metrics?x=1", "http://localhost:9100/metrics", "http://localhost"] {
            assert_eq!(status(&format!("GET {target} HTTP/1.1\r\n\r\n")), "HTTP/1.1 200 OK page");
        }
        assert_eq!(status("GET /metrics HTTP/1.0\n\n"), "HTTP/1.1 200 OK page");
        assert_eq!(status("HEAD /metrics HTTP/1.1\r\n\r\n"), "HTTP/1.1 200 OK ");
        assert!(status("GET /other HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404"));
        assert!(status("POST / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405"));
        for bad in
            ["", "GET /", "GET / HTTP/2\r\n\r\n", "GET / HTTP/1.1\r\n", "\u{e9}\r\n\r\n", "a b c d\r\n\r\n"]
        {
            assert!(status(bad).starts_with("HTTP/1.1 400"), "{bad:?}");
        }
    }

    #[test]
    fn labels_are_escaped() {
        assert_eq!(escaped("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
    }
}

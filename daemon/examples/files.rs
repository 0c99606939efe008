//! A preforked file server for HTTP/1.1 (RFC 9112), with state of each worker's own: the files it has read last.
//!
//! GET and HEAD of regular files below one directory, keep-alive, and the end of a connection after the request in
//! flight when the daemon is told to stop.

use std::collections::HashMap;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use foobard::config::{ModelName, PoolRules, Server};
use foobard::connection::Connection;
use foobard::daemon::Daemon;
use foobard::handler::Handler;
use serde::Deserialize;

/// The table `[settings]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The directory that is served.
    root: PathBuf,
}

/// Requests with a longer head are refused.
const LONGEST_HEAD: u64 = 16 * 1024;
/// Files up to this size are kept in a worker.
const KEPT: u64 = 64 * 1024;
const MOST_KEPT: usize = 64;

type Content = Arc<Vec<u8>>;

struct Files {
    root: PathBuf,
    /// Of this worker: a fork has its own, and nobody waits for the lock of another process.
    kept: Mutex<HashMap<PathBuf, (SystemTime, Content)>>,
}

struct Request {
    method: String,
    target: String,
    keep_alive: bool,
}

impl Handler for Files {
    fn serve(&self, connection: &mut Connection<'_>) -> io::Result<()> {
        let mut reader = BufReader::new(connection);
        loop {
            let request = match head(&mut reader)? {
                Some(Ok(request)) => request,
                Some(Err(status)) => {
                    answer(reader.get_mut(), status, b"", true, false)?;
                    return reader.get_mut().farewell();
                }
                None => return Ok(()),
            };
            let keep_alive = request.keep_alive && !reader.get_ref().stopping();
            let with_body = request.method == "GET";
            let found = match request.method.as_str() {
                "GET" | "HEAD" => self.content(&request.target),
                _ => Err("405 Method Not Allowed"),
            };
            match found {
                Ok(content) => answer(reader.get_mut(), "200 OK", &content, with_body, keep_alive)?,
                Err(status) => answer(reader.get_mut(), status, b"", with_body, keep_alive)?,
            }
            if !keep_alive {
                // A body that nobody has read would have the connection reset, and the answer lost.
                return reader.get_mut().farewell();
            }
        }
    }

    fn begin_worker(&self) -> io::Result<()> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clear();
        Ok(())
    }
}

impl Files {
    fn content(&self, target: &str) -> Result<Content, &'static str> {
        let relative = Path::new(target.split(['?', '#']).next().unwrap_or_default().trim_start_matches('/'));
        if relative.components().any(|part| !matches!(part, Component::Normal(_))) {
            return Err("403 Forbidden");
        }
        // A link may lead out of the root: what counts is where it ends.
        let path = self.root.join(relative).canonicalize().map_err(|_| "404 Not Found")?;
        if !path.starts_with(&self.root) {
            return Err("403 Forbidden");
        }
        let about = fs::metadata(&path).map_err(|_| "404 Not Found")?;
        if !about.is_file() {
            return Err("404 Not Found");
        }
        let changed = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((then, content)) = kept.get(&path) {
            if *then == changed {
                return Ok(Arc::clone(content));
            }
        }
        let content = Arc::new(fs::read(&path).map_err(|_| "404 Not Found")?);
        if about.len() <= KEPT {
            if kept.len() >= MOST_KEPT {
                kept.clear();
            }
            kept.insert(path, (changed, Arc::clone(&content)));
        }
        Ok(content)
    }
}

/// The head of the next request, or the status to refuse it with; none at the end of the connection.
fn head(reader: &mut BufReader<&mut Connection<'_>>) -> io::Result<Option<Result<Request, &'static str>>> {
    let mut head = reader.take(LONGEST_HEAD);
    let mut line = String::new();
    head.read_line(&mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    let mut words = line.split_ascii_whitespace();
    let (Some(method), Some(target), Some(version)) = (words.next(), words.next(), words.next()) else {
        return Ok(Some(Err("400 Bad Request")));
    };
    let (method, target) = (method.to_owned(), target.to_owned());
    let mut keep_alive = version == "HTTP/1.1";
    loop {
        line.clear();
        head.read_line(&mut line)?;
        let header = line.trim_end().to_ascii_lowercase();
        if !line.ends_with('\n') {
            return Ok(Some(Err("431 Request Header Fields Too Large")));
        }
        if header.is_empty() {
            return Ok(Some(Ok(Request { method, target, keep_alive })));
        }
        match header.split_once(':').map(|(name, value)| (name, value.trim())) {
            Some(("connection", value)) => {
                keep_alive = value != "close" && (keep_alive || value == "keep-alive")
            }
            // A body would have to be read before the next request: nobody sends one with GET.
            Some(("content-length", value)) if value != "0" => return Ok(Some(Err("413 Content Too Large"))),
            Some(("transfer-encoding", _)) => return Ok(Some(Err("501 Not Implemented"))),
            Some(_) => {}
            None => return Ok(Some(Err("400 Bad Request"))),
        }
    }
}

fn answer(
    connection: &mut Connection<'_>,
    status: &str,
    content: &[u8],
    with_body: bool,
    keep_alive: bool,
) -> io::Result<()> {
    let connected = if keep_alive { "keep-alive" } else { "close" };
    let mut message = format!(
        "HTTP/1.1 {status}\r\nServer: filesd\r\nContent-Length: {}\r\nConnection: {connected}\r\n\r\n",
        content.len()
    )
    .into_bytes();
    if with_body && content.len() <= 4096 {
        // One packet for a small file.
        message.extend_from_slice(content);
        return connection.write_all(&message);
    }
    connection.write_all(&message)?;
    if with_body { connection.write_all(content) } else { Ok(()) }
}

fn main() -> ExitCode {
    let pool = PoolRules { start: 8, requests: Some(10_000), ..PoolRules::default() };
    let server = Server { model: ModelName::Prefork, pool, ..Server::default() };
    Daemon::new("filesd").about("Serves files by HTTP").server(server).with_settings().main(
        &|server: &Server| {
            let Settings { root } = server.settings.read()?;
            let root =
                root.canonicalize().map_err(|error| format!("settings: root {}: {error}", root.display()))?;
            Ok(Arc::new(Files { root, kept: Mutex::default() }))
        },
    )
}

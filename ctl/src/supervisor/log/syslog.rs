//! Lines on their way to the system logger: sent at once when it takes them, else queued within bounds, else dropped and counted. A
//! logger that is slow, dead or not there yet holds nobody up.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::{Duration, Instant};

use foobar_process::Pid;
use foobar_process::syslog::{Connection, header};

use super::line::WARNING;
use super::settings::SyslogSettings;

/// What may wait for a slow logger, in bytes.
const ROOM: usize = 256 << 10;

/// How long a logger that is not there is left alone; doubled at each try in vain.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest of these pauses.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// The queue, and the connection that it empties into.
#[derive(Debug)]
pub struct Queue {
    settings: SyslogSettings,
    pid: Option<Pid>,
    connection: Option<Connection>,
    packets: VecDeque<Box<[u8]>>,
    bytes: usize,
    dropped: u64,
    pause: Duration,
    retry: Option<Instant>,
}

impl Queue {
    /// An empty one. It connects with the first line.
    pub fn new(settings: SyslogSettings) -> Queue {
        Queue {
            settings,
            pid: None,
            connection: None,
            packets: VecDeque::new(),
            bytes: 0,
            dropped: 0,
            pause: FIRST_PAUSE,
            retry: None,
        }
    }

    /// Whose lines follow: the PID behind the name.
    pub fn set_pid(&mut self, pid: Option<Pid>) {
        self.pid = pid;
    }

    /// Adds a line, and sends what can be sent.
    pub fn push(&mut self, level: u8, text: &str, now: Instant) {
        if self.dropped > 0 && self.bytes < ROOM / 2 {
            self.account();
        }
        // Once there was no room, the lines behind wait for the note that some are missing.
        if self.dropped > 0 || self.bytes + text.len() > ROOM {
            self.dropped += 1;
        } else {
            self.enqueue(level, text);
        }
        if self.retry.is_none_or(|retry| retry <= now) && self.packets.len() == 1 {
            self.send(now);
        }
    }

    fn enqueue(&mut self, level: u8, text: &str) {
        let ident = &self.settings.ident;
        let name = self.pid.map_or_else(|| ident.clone(), |pid| format!("{ident}[{pid}]"));
        let packet = header(self.settings.facility, level, &name) + text;
        self.bytes += packet.len();
        self.packets.push_back(packet.into_bytes().into_boxed_slice());
    }

    fn account(&mut self) {
        let dropped = std::mem::take(&mut self.dropped);
        self.enqueue(WARNING, &format!("{dropped} lines dropped: the logger did not take them"));
    }

    /// Sends what the logger takes: to be called when it is writable, and at the deadline.
    pub fn send(&mut self, now: Instant) {
        self.retry = None;
        let mut fresh = false;
        loop {
            if self.packets.is_empty() && self.dropped > 0 {
                self.account();
            }
            let Some(packet) = self.packets.front() else { break };
            let told = match &self.connection {
                Some(connection) => connection.send(packet),
                None => Connection::open(&self.settings.logger).and_then(|connection| {
                    fresh = true;
                    self.connection.insert(connection).send(packet)
                }),
            };
            match told {
                Ok(()) => {
                    self.pause = FIRST_PAUSE;
                    self.remove_first();
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && self.connection.is_some() => {
                    return;
                }
                // It was restarted, perhaps: once again with a connection of now.
                Err(_) if self.connection.take().is_some() && !fresh => {}
                Err(_) => {
                    self.retry = Some(now + self.pause);
                    self.pause = (self.pause * 2).min(LONGEST_PAUSE);
                    return;
                }
            }
        }
        if self.packets.capacity() > 64 {
            self.packets = VecDeque::new();
        }
    }

    fn remove_first(&mut self) {
        if let Some(packet) = self.packets.pop_front() {
            self.bytes -= packet.len();
        }
    }

    /// The connection, if it is to be watched for being writable.
    pub fn waits_for(&self) -> Option<BorrowedFd<'_>> {
        let connection = self.connection.as_ref()?;
        (!self.packets.is_empty() && self.retry.is_none()).then(|| connection.as_fd())
    }

    /// When a logger that is not there is to be tried again.
    pub fn deadline(&self) -> Option<Instant> {
        self.retry
    }

    /// Whether everything has gone out.
    pub fn is_empty(&self) -> bool {
        self.packets.is_empty() && self.dropped == 0
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;
    use std::path::Path;

    use foobar_tests::Sandbox;

    use super::*;

    fn queue(path: &Path) -> Queue {
        Queue::new(SyslogSettings { logger: path.to_owned(), facility: 3, ident: "app".to_owned() })
    }

    fn logger(path: &Path) -> UnixDatagram {
        let _ = std::fs::remove_file(path);
        let socket = UnixDatagram::bind(path).unwrap();
        socket.set_nonblocking(true).unwrap();
        socket
    }

    /// All that waits, without priority and stamp.
    fn received(socket: &UnixDatagram) -> Vec<String> {
        let mut buffer = [0; 9000];
        std::iter::from_fn(|| {
            let length = socket.recv(&mut buffer).ok()?;
            let text = String::from_utf8(buffer[..length].to_vec()).unwrap();
            let stamp = text.find('>').unwrap() + 17;
            Some(text[stamp..].to_owned())
        })
        .collect()
    }

    #[test]
    fn a_logger_that_works_gets_each_line_at_once() {
        let sandbox = Sandbox::new("queue");
        let path = sandbox.path().join("log");
        let socket = logger(&path);
        let mut queue = queue(&path);
        queue.push(6, "one", Instant::now());
        queue.set_pid(Some(Pid::from_raw(42)));
        queue.push(3, "two", Instant::now());
        assert_eq!(received(&socket), ["app: one", "app[42]: two"]);
        assert!(queue.is_empty() && queue.waits_for().is_none() && queue.deadline().is_none());
    }

    #[test]
    fn a_slow_logger_gets_all_that_there_is_room_for_and_a_count_of_the_rest() {
        let sandbox = Sandbox::new("queue-slow");
        let path = sandbox.path().join("log");
        let socket = logger(&path);
        let mut queue = queue(&path);
        let text = "x".repeat(1000);
        for _ in 0..2000 {
            queue.push(6, &text, Instant::now());
        }
        assert!(queue.waits_for().is_some() && queue.bytes <= ROOM + 2000);
        let mut heard = Vec::new();
        while !queue.is_empty() {
            heard.extend(received(&socket));
            queue.send(Instant::now());
        }
        heard.extend(received(&socket));
        let note = heard.pop().unwrap();
        let missing = 2000 - heard.len();
        assert!(missing > 1000 && heard.len() > 200, "{missing}");
        assert_eq!(note, format!("app: {missing} lines dropped: the logger did not take them"));
        queue.push(6, "after", Instant::now());
        assert_eq!(received(&socket), ["app: after"]);
    }

    #[test]
    fn a_logger_that_comes_late_or_again_gets_what_has_waited() {
        let sandbox = Sandbox::new("queue-late");
        let path = sandbox.path().join("log");
        let mut queue = queue(&path);
        let start = Instant::now();
        queue.push(6, "early", start);
        queue.push(6, "earlier", start);
        assert_eq!(queue.deadline(), Some(start + FIRST_PAUSE));
        assert!(queue.waits_for().is_none());
        queue.send(start + FIRST_PAUSE);
        assert_eq!(queue.deadline(), Some(start + FIRST_PAUSE * 3));
        let first = logger(&path);
        queue.send(start + FIRST_PAUSE * 3);
        assert_eq!(received(&first), ["app: early", "app: earlier"]);
        assert_eq!(queue.deadline(), None);
        drop(first);
        let second = logger(&path);
        queue.push(6, "again", start);
        assert_eq!(received(&second), ["app: again"]);
    }
}

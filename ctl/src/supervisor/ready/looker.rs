//! A probe that is made again and again: until it passes, or to see that it still does. When is decided here, what follows is not.

use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use foobar_initscripts::service::{Command, Probe, StatusRange};
use foobar_process::wait::Readiness;

use super::attempt::{Attempt, Outcome};

/// What a turn has brought.
#[derive(Debug, PartialEq, Eq)]
pub enum Seen {
    /// Nothing yet.
    Nothing,
    /// The command is to be run, and its end to be told by [`Looker::command_ended`].
    Run(Command),
    /// The command takes too long: it is to be killed.
    Kill,
    /// The service is there.
    Passed,
    /// It is not.
    Failed(String),
}

/// A probe, and when it is made.
#[derive(Debug)]
pub struct Looker {
    probe: Probe,
    wanted: StatusRange,
    interval: Duration,
    timeout: Duration,
    attempt: Option<(Attempt, Instant)>,
    next: Instant,
}

impl Looker {
    /// Makes `probe` first at `first`, and then each `interval` after one is over; one that takes longer than `timeout` has failed.
    pub fn new(
        probe: Probe,
        wanted: StatusRange,
        first: Instant,
        interval: Duration,
        timeout: Duration,
    ) -> Looker {
        Looker { probe, wanted, interval, timeout, attempt: None, next: first }
    }

    /// Does what there is to do now.
    pub fn turn(&mut self, now: Instant) -> Seen {
        if self.attempt.is_none() && self.next <= now {
            self.attempt = Some((Attempt::begin(&self.probe), now + self.timeout));
            if let Probe::Command(command) = &self.probe {
                return Seen::Run(command.clone());
            }
        }
        let Some((attempt, limit)) = &mut self.attempt else { return Seen::Nothing };
        let seen = match attempt.advance(&self.probe, self.wanted) {
            Outcome::Pending if *limit > now => return Seen::Nothing,
            Outcome::Pending if matches!(attempt, Attempt::Command) => {
                // Its end will come; it is late whatever that is.
                *limit = now + self.timeout;
                return Seen::Kill;
            }
            Outcome::Pending => Seen::Failed(format!("no answer within {} s", self.timeout.as_secs_f64())),
            Outcome::Passed => Seen::Passed,
            Outcome::Failed(why) => Seen::Failed(why),
        };
        (self.attempt, self.next) = (None, now + self.interval);
        seen
    }

    /// The command of the present look has ended; the next turn tells what it means.
    pub fn command_ended(&mut self, how: Result<(), String>) {
        if let Some((attempt, _)) = &mut self.attempt {
            attempt.command_ended(how);
        }
    }

    /// The descriptor to be waited for.
    pub fn waits_for(&self) -> Option<(BorrowedFd<'_>, Readiness)> {
        self.attempt.as_ref().and_then(|(attempt, _)| attempt.waits_for())
    }

    /// When the next turn is due at the latest.
    pub fn deadline(&self) -> Instant {
        self.attempt.as_ref().map_or(self.next, |(_, limit)| *limit)
    }

    /// What is looked at, for messages.
    pub fn target(&self) -> String {
        match &self.probe {
            Probe::Tcp(address) => address.to_string(),
            Probe::Http(page) => page.to_string(),
            Probe::Unix(path) | Probe::File(path) => path.clone(),
            Probe::Command(command) => command.program.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::os::unix::net::UnixListener;

    use foobar_initscripts::service::HttpProbe;
    use foobar_process::wait::wait;
    use foobar_tests::Sandbox;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(20);

    fn looker(probe: Probe) -> Looker {
        Looker::new(probe, StatusRange::default(), Instant::now(), Duration::from_millis(5), LIMIT)
    }

    /// Turns it as a loop does until it has seen something.
    fn seen(looker: &mut Looker) -> Seen {
        loop {
            match looker.turn(Instant::now()) {
                Seen::Nothing => {
                    let set: Vec<_> = looker.waits_for().into_iter().collect();
                    wait(&set, Some(looker.deadline())).unwrap();
                }
                seen => return seen,
            }
        }
    }

    #[test]
    fn an_address_is_looked_at_until_it_accepts() {
        let port = foobar_tests::free_port();
        let mut looker = looker(Probe::Tcp(([127, 0, 0, 1], port).into()));
        assert!(matches!(seen(&mut looker), Seen::Failed(why) if why.contains("refused")));
        assert!(matches!(seen(&mut looker), Seen::Failed(_)));
        let _listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        assert_eq!(seen(&mut looker), Seen::Passed);
        assert_eq!((looker.target(), looker.waits_for().is_none()), (format!("127.0.0.1:{port}"), true));
    }

    #[test]
    fn a_socket_and_a_file_are_there_or_not() {
        let sandbox = Sandbox::new("looker");
        let path = sandbox.path().join("x").to_str().unwrap().to_owned();
        let (mut socket, mut file) = (looker(Probe::Unix(path.clone())), looker(Probe::File(path.clone())));
        assert!(matches!(seen(&mut socket), Seen::Failed(_)) && matches!(seen(&mut file), Seen::Failed(_)));
        let listener = UnixListener::bind(&path).unwrap();
        assert_eq!((seen(&mut socket), seen(&mut file)), (Seen::Passed, Seen::Passed));
        drop(listener);
        assert!(matches!(seen(&mut socket), Seen::Failed(_)));
    }

    /// Answers as many requests as there are answers; those that it got.
    fn serve(answers: Vec<&'static str>) -> (Probe, std::thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let answer = |answer: &str| {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0; 200];
                let length = stream.read(&mut request).unwrap();
                stream.write_all(answer.as_bytes()).unwrap();
                String::from_utf8(request[..length].to_vec()).unwrap()
            };
            answers.into_iter().map(answer).collect()
        });
        (Probe::Http(HttpProbe { address, host: "localhost".to_owned(), path: "/up?x".to_owned() }), server)
    }

    #[test]
    fn a_page_must_have_the_status_that_is_wanted() {
        let answers = vec![
            "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.0 503 no\r\n\r\n",
            "SSH-2.0-x and more\r\n",
            "",
            "HTTP/1.1 302 x",
        ];
        let (probe, server) = serve(answers);
        let mut looker = looker(probe);
        let mut next = || match seen(&mut looker) {
            Seen::Failed(why) => why,
            other => format!("{other:?}"),
        };
        let odd = "what answers does not speak HTTP";
        let found: Vec<String> = (0..5).map(|_| next()).collect();
        assert_eq!(found, ["Passed", "the answer has status 503, and not 200-399", odd, odd, "Passed"]);
        let requests = server.join().unwrap();
        assert!(requests[0].starts_with("GET /up?x HTTP/1.0\r\nHost: localhost\r\n"), "{}", requests[0]);
    }

    #[test]
    fn who_accepts_and_says_nothing_has_failed_in_time() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let probe = Probe::Http(HttpProbe { address, host: "localhost".to_owned(), path: "/".to_owned() });
        let short = Duration::from_millis(50);
        let mut looker = Looker::new(probe, StatusRange::default(), Instant::now(), short, short);
        assert_eq!(seen(&mut looker), Seen::Failed("no answer within 0.05 s".to_owned()));
    }

    #[test]
    fn a_command_is_run_by_others_and_killed_when_it_takes_too_long() {
        let command = Command {
            program: "/x".to_owned(),
            arguments: vec![],
            ignore_failure: false,
            no_expansion: false,
            privileged: false,
        };
        let mut looker = looker(Probe::Command(command.clone()));
        let start = Instant::now();
        assert_eq!(looker.turn(start), Seen::Run(command.clone()));
        assert_eq!(looker.turn(start), Seen::Nothing);
        looker.command_ended(Ok(()));
        assert_eq!((looker.turn(start), looker.turn(start)), (Seen::Passed, Seen::Nothing));
        let second = looker.deadline();
        assert_eq!(looker.turn(second), Seen::Run(command));
        assert_eq!(looker.turn(second + LIMIT), Seen::Kill);
        looker.command_ended(Err("killed".to_owned()));
        assert_eq!(looker.turn(second + LIMIT), Seen::Failed("killed".to_owned()));
    }
}

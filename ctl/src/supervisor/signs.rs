//! Where the program's own signs come in: messages of sd_notify(3), and the newline of services of s6. What follows from them is in
//! `hearing`.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::time::Duration;

use foobar_initscripts::service::{Kind, NotifyAccess, Service};
use foobar_process::child;
use foobar_process::notify::{Datagram, Reach, Receiver};

use crate::supervisor::image::Settled;
use crate::supervisor::place;
use crate::supervisor::ready::watchdog::Watchdog;

/// Where the program's signs come in, and what they have said.
#[derive(Debug)]
pub struct Signs {
    receiver: Option<Receiver>,
    /// The end that is read, and the one that the program gets.
    newline: Option<(File, OwnedFd)>,
    /// The signs of life that it must give.
    pub watchdog: Watchdog,
    /// When a reload was asked for, of CLOCK_MONOTONIC: what is older is no answer to it.
    pub reload_asked: Option<Duration>,
    /// Whether it was told that nothing is stored.
    pub is_told_of_store: bool,
    /// Whether it was told that somebody is not believed.
    pub is_told_of_strangers: bool,
}

impl Signs {
    /// Makes the socket, if the service file lets anybody speak.
    ///
    /// # Errors
    /// As bind(2).
    pub fn new(service: &Service, settled: &Settled, place: &place::Place) -> io::Result<Signs> {
        let reach =
            settled.own.account.as_ref().map_or(Reach::Everybody, |it| Reach::Owner(it.uid(), it.gid()));
        let wanted = access(service) != NotifyAccess::None;
        let receiver = wanted.then(|| Receiver::bind(&place.file("notify"), reach)).transpose()?;
        Ok(Signs {
            receiver,
            newline: None,
            watchdog: Watchdog::new(service.watchdog.interval),
            reload_asked: None,
            is_told_of_store: false,
            is_told_of_strangers: false,
        })
    }

    /// Goes on with the socket of the program before.
    pub fn inherited(service: &Service, place: &place::Place, socket: Option<OwnedFd>) -> Signs {
        Signs {
            receiver: socket.map(|socket| Receiver::inherited(socket, place.file("notify"))),
            newline: None,
            watchdog: Watchdog::new(service.watchdog.interval),
            reload_asked: None,
            is_told_of_store: false,
            is_told_of_strangers: false,
        }
    }

    /// The socket, if there is one.
    pub fn socket(&self) -> Option<BorrowedFd<'_>> {
        self.receiver.as_ref().map(|receiver| receiver.as_fd())
    }

    /// For a new start of the program.
    ///
    /// # Errors
    /// No free descriptor.
    pub fn renew(&mut self, service: &Service) -> io::Result<()> {
        self.watchdog = Watchdog::new(service.watchdog.interval);
        self.newline = None;
        if service.kind == Kind::Fd {
            let (near, far) = child::pipe()?;
            self.newline = Some((File::from(near), far));
        }
        Ok(())
    }

    /// What the program is to write its newline to.
    pub fn handed_over(&self) -> Option<BorrowedFd<'_>> {
        self.newline.as_ref().map(|(_, far)| far.as_fd())
    }

    /// What the environment of the program says of them.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let socket = self.receiver.as_ref().map(|it| ("NOTIFY_SOCKET", it.path().display().to_string()));
        let interval = self.watchdog.interval().map(|it| ("WATCHDOG_USEC", it.as_micros().to_string()));
        socket.into_iter().chain(interval).collect()
    }

    /// What is to be waited for.
    pub fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let newline = self.newline.as_ref().map(|(near, _)| near.as_fd());
        self.receiver.as_ref().map(|receiver| receiver.as_fd()).into_iter().chain(newline)
    }

    /// The next datagram.
    pub fn next(&self) -> Option<Datagram> {
        // No error is to be expected that the next turn would not meet again.
        self.receiver.as_ref()?.receive().ok().flatten()
    }

    /// Whether a newline has come. What comes after it is of no use to anybody, and no longer looked at.
    pub fn has_newline(&mut self) -> bool {
        let Some((near, _)) = &mut self.newline else { return false };
        let mut buffer = [0; 512];
        let found = matches!(near.read(&mut buffer), Ok(length) if buffer[..length].contains(&b'\n'));
        if found {
            self.newline = None;
        }
        found
    }
}

/// Whose messages count: by default those of the main process, of services that have something to say.
pub fn access(service: &Service) -> NotifyAccess {
    let speaks =
        matches!(service.kind, Kind::Notify | Kind::NotifyReload) || service.watchdog.interval.is_some();
    let usual = if speaks { NotifyAccess::Main } else { NotifyAccess::None };
    service.readiness.notify_access.unwrap_or(usual)
}

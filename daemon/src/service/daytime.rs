//! The daytime service of RFC 867: the date and time as a line of text, in the first form that the RFC gives.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use super::datagram::Caution;
use crate::address::Peer;
use crate::connection::Connection;
use crate::handler::Handler;
use crate::session::{Next, Session};

const DAYS: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The service.
#[derive(Debug, Clone, Default)]
pub struct Daytime {
    caution: Caution,
}

impl Daytime {
    /// With the caution that its datagrams need: the line is longer than most questions, so another host has to send as
    /// many bytes as it wants to get.
    #[must_use]
    pub fn new(caution: Caution) -> Daytime {
        Daytime { caution }
    }
}

/// The line of this moment. Universal time, since a server may be asked from anywhere, and may have been started
/// where no table of time zones is.
fn line() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    line_of(now.as_secs())
}

fn line_of(seconds: u64) -> String {
    let (day, second) = (seconds / 86_400, seconds % 86_400);
    let weekday = DAYS[(day % 7) as usize];
    let (year, month, date) = date_of(day);
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!("{weekday}, {} {date}, {year} {hour:02}:{minute:02}:{:02}-UTC\r\n", MONTHS[month], second % 60)
}

/// Year, month from 0 and day of the month of a day counted from the begin of 1970.
fn date_of(mut day: u64) -> (u64, usize, u64) {
    // Whole cycles of the Gregorian calendar first: 400 years have 146,097 days.
    let mut year = 1970 + day / 146_097 * 400;
    day %= 146_097;
    let leap = |year: u64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = |year| if leap(year) { 366 } else { 365 };
    while day >= length(year) {
        day -= length(year);
        year += 1;
    }
    let february = if leap(year) { 29 } else { 28 };
    let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while day >= lengths[month] {
        day -= lengths[month];
        month += 1;
    }
    (year, month, day + 1)
}

impl Handler for Daytime {
    fn serve(&self, connection: &mut Connection<'_>) -> io::Result<()> {
        connection.write_all(line().as_bytes())?;
        connection.farewell()
    }

    fn takes_datagrams(&self) -> bool {
        true
    }

    fn answer(&self, request: &[u8], sender: SocketAddr, answer: &mut Vec<u8>) -> bool {
        answer.extend_from_slice(line().as_bytes());
        self.caution.allows(sender, request.len(), answer.len())
    }

    fn has_sessions(&self) -> bool {
        true
    }

    fn session(&self, _peer: &Peer) -> Option<Box<dyn Session>> {
        Some(Box::new(DaytimeSession))
    }
}

struct DaytimeSession;

impl Session for DaytimeSession {
    fn begin(&mut self, output: &mut Vec<u8>) -> Next {
        output.extend_from_slice(line().as_bytes());
        Next::Close
    }

    fn input(&mut self, _input: &[u8], _output: &mut Vec<u8>) -> Next {
        Next::Close
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, line) in [
            (0, "Thursday, January 1, 1970 00:00:00-UTC\r\n"),
            (383_247_463, "Monday, February 22, 1982 17:37:43-UTC\r\n"),
            (951_782_400, "Tuesday, February 29, 2000 00:00:00-UTC\r\n"),
            (1_735_689_599, "Tuesday, December 31, 2024 23:59:59-UTC\r\n"),
            (4_107_542_400, "Monday, March 1, 2100 00:00:00-UTC\r\n"),
            (13_574_563_200, "Tuesday, February 29, 2400 00:00:00-UTC\r\n"),
        ] {
            assert_eq!(line_of(seconds), line, "{seconds}");
        }
    }
}

//! Whether a service that was ready still is: a probe in intervals, and how often in a row it may fail.

use std::time::Instant;

use foobar_initscripts::service::Health as Wish;

use super::looker::{Looker, Seen};

/// The looks at a running service.
#[derive(Debug)]
pub struct Health {
    /// The probe; its turns are given to [`Health::judge`].
    pub looker: Looker,
    limit: u32,
    failures: u32,
}

/// What a look means.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All is well, or nothing is known yet.
    Well,
    /// It was not well before, and is now.
    WellAgain,
    /// It is not well, so often in a row, and why.
    Unwell(u32, String),
    /// It was unwell as often as it may be.
    Lost(String),
}

impl Health {
    /// The looks that the service file asks for, if it does; the first after one interval.
    pub fn new(wish: &Wish, now: Instant) -> Option<Health> {
        let probe = wish.probe.clone()?;
        let looker = Looker::new(probe, wish.http_status, now + wish.interval, wish.interval, wish.timeout);
        Some(Health { looker, limit: wish.failures.max(1), failures: 0 })
    }

    /// What a turn of the looker means.
    pub fn judge(&mut self, seen: &Seen) -> Verdict {
        match seen {
            Seen::Nothing | Seen::Run(_) | Seen::Kill => Verdict::Well,
            Seen::Passed if std::mem::take(&mut self.failures) > 0 => Verdict::WellAgain,
            Seen::Passed => Verdict::Well,
            Seen::Failed(why) => {
                self.failures += 1;
                let text = format!("{}: {why}", self.looker.target());
                if self.failures < self.limit {
                    return Verdict::Unwell(self.failures, text);
                }
                self.failures = 0;
                Verdict::Lost(text)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use foobar_initscripts::service::Probe;

    use super::*;

    #[test]
    fn so_many_failures_in_a_row_and_no_fewer() {
        let none = Wish::default();
        assert!(Health::new(&none, Instant::now()).is_none());
        let wish = Wish { probe: Some(Probe::File("/x".to_owned())), failures: 3, ..none };
        let start = Instant::now();
        let mut health = Health::new(&wish, start).unwrap();
        assert_eq!(health.looker.deadline(), start + wish.interval);
        let failed = Seen::Failed("gone".to_owned());
        let unwell = |count| Verdict::Unwell(count, "/x: gone".to_owned());
        let mut judge = |seen: &Seen| health.judge(seen);
        assert_eq!(
            [judge(&failed), judge(&failed), judge(&Seen::Passed)],
            [unwell(1), unwell(2), Verdict::WellAgain]
        );
        assert_eq!([judge(&Seen::Passed), judge(&Seen::Nothing)], [Verdict::Well, Verdict::Well]);
        let lost = Verdict::Lost("/x: gone".to_owned());
        assert_eq!([judge(&failed), judge(&failed), judge(&failed)], [unwell(1), unwell(2), lost]);
    }
}

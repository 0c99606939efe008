//! A pause that grows: what keeps a server that has run out of descriptors, memory or processes from
//! spinning. Knows nothing of why it is taken.

use std::time::{Duration, Instant};

const SHORTEST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_secs(1);

/// Whether the server holds its breath, and until when.
#[derive(Debug, Default)]
pub(crate) struct Pause {
    until: Option<Instant>,
    /// The length of the last pause; zero while all is well.
    length: Duration,
}

impl Pause {
    /// Begins a pause, twice as long as the last one. True if all was well before: worth a log line.
    pub(crate) fn begin(&mut self, now: Instant) -> bool {
        let first = self.length.is_zero();
        self.length = (self.length * 2).clamp(SHORTEST, LONGEST);
        self.until = Some(now + self.length);
        first
    }

    /// Something was freed (a child has ended): try again now. If that fails, the next pause is longer.
    pub(crate) fn cut(&mut self) {
        self.until = None;
    }

    /// All is well again. True if it was not before: worth a log line.
    pub(crate) fn end(&mut self) -> bool {
        self.until = None;
        !std::mem::take(&mut self.length).is_zero()
    }

    /// Whether a pause may last: false without a look at the clock.
    pub(crate) fn is_on(&self) -> bool {
        self.until.is_some()
    }

    /// The end of the pause, if one lasts at `now`.
    pub(crate) fn until(&self, now: Instant) -> Option<Instant> {
        self.until.filter(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_to_a_second_and_tells_only_the_turns() {
        let now = Instant::now();
        let mut pause = Pause::default();
        assert!(!pause.end());
        assert!(pause.begin(now));
        assert_eq!(pause.until(now), Some(now + SHORTEST));
        assert_eq!(pause.until(now + SHORTEST), None);
        for _ in 0..20 {
            assert!(!pause.begin(now));
        }
        assert_eq!(pause.until(now), Some(now + LONGEST));
        pause.cut();
        assert_eq!(pause.until(now), None);
        assert!(!pause.begin(now), "a cut pause is the same trouble");
        assert!(pause.end());
        assert!(pause.begin(now));
    }
}

//! Alarms for thousands of connections: a wheel of lists, on which setting, moving and clearing an alarm costs the
//! same however many there are. An alarm may ring too early, never too late by more than a step: whoever hears it looks
//! whether its time has come, so that activity need not move it.

/// One step of the wheel in milliseconds, as a power of two.
const STEP: u32 = 5;
const TURN: usize = 512;
const NONE: u32 = u32::MAX;

#[derive(Debug, Clone, Copy)]
struct Link {
    before: u32,
    after: u32,
    list: u32,
}

const UNSET: Link = Link { before: NONE, after: NONE, list: NONE };

/// The alarms, each under the number of its owner.
#[derive(Debug)]
pub(super) struct Wheel {
    heads: Vec<u32>,
    links: Vec<Link>,
    /// The step that was looked at last.
    step: u64,
    /// No list before this step has an alarm; none if no list has.
    soonest: Option<u64>,
    set: usize,
}

impl Wheel {
    /// A wheel without alarms, at `now`. All times are milliseconds of one clock.
    pub(super) fn new(now: u64) -> Wheel {
        Wheel { heads: vec![NONE; TURN], links: Vec::new(), step: now >> STEP, soonest: None, set: 0 }
    }

    /// Has `owner` hear of it at `at` or earlier, and not of what was set before.
    pub(super) fn set(&mut self, owner: u32, at: u64) {
        self.clear(owner);
        if self.links.len() <= owner as usize {
            self.links.resize(owner as usize + 1, UNSET);
        }
        // Rounded up, but not beyond a turn, and not into a list that was looked at already.
        let last = self.step + TURN as u64 - 1;
        let step = ((at >> STEP) + 1).clamp(self.step + 1, last);
        let list = step as usize % TURN;
        let after = std::mem::replace(&mut self.heads[list], owner);
        self.links[owner as usize] = Link { before: NONE, after, list: list as u32 };
        if after != NONE {
            self.links[after as usize].before = owner;
        }
        self.set += 1;
        self.soonest = Some(self.soonest.map_or(step, |soonest| soonest.min(step)));
    }

    /// Whether `owner` has an alarm.
    pub(super) fn is_set(&self, owner: u32) -> bool {
        self.links.get(owner as usize).is_some_and(|link| link.list != NONE)
    }

    /// Forgets the alarm of `owner`, if there is one.
    pub(super) fn clear(&mut self, owner: u32) {
        if !self.is_set(owner) {
            return;
        }
        let link = std::mem::replace(&mut self.links[owner as usize], UNSET);
        match link.before {
            NONE => self.heads[link.list as usize] = link.after,
            before => self.links[before as usize].after = link.after,
        }
        if link.after != NONE {
            self.links[link.after as usize].before = link.before;
        }
        self.set -= 1;
        if self.set == 0 {
            self.soonest = None;
        }
    }

    /// When to ask again; none while nothing is set.
    pub(super) fn due(&self) -> Option<u64> {
        self.soonest.map(|step| step << STEP)
    }

    /// Moves those whose alarm has rung until `now` into `rung`; they have none any more.
    pub(super) fn ring(&mut self, now: u64, rung: &mut Vec<u32>) {
        let target = now >> STEP;
        let soonest = self.soonest.unwrap_or(u64::MAX);
        if soonest > target {
            self.step = target.max(self.step);
            return;
        }
        let last = target.min(self.step + TURN as u64);
        for step in soonest.max(self.step + 1)..=last {
            let list = step as usize % TURN;
            while self.heads[list] != NONE {
                let owner = self.heads[list];
                self.clear(owner);
                rung.push(owner);
            }
        }
        self.step = target;
        let mut next = (1..TURN as u64).map(|ahead| target + ahead);
        self.soonest = next.find(|step| self.heads[*step as usize % TURN] != NONE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rung(wheel: &mut Wheel, now: u64) -> Vec<u32> {
        let mut rung = Vec::new();
        wheel.ring(now, &mut rung);
        rung.sort_unstable();
        rung
    }

    #[test]
    fn alarms_ring_in_time_and_once() {
        let mut wheel = Wheel::new(1_000);
        assert_eq!(wheel.due(), None);
        wheel.set(3, 1_500);
        wheel.set(0, 1_500);
        wheel.set(7, 2_000);
        wheel.clear(0);
        let due = wheel.due().unwrap();
        assert!((1_500..1_532).contains(&due), "{due}");
        assert_eq!(rung(&mut wheel, due - 1), [0_u32; 0]);
        assert_eq!(rung(&mut wheel, due), [3]);
        assert_eq!(rung(&mut wheel, due), [0_u32; 0]);
        wheel.set(7, 3_000);
        assert_eq!(rung(&mut wheel, 2_900), [0_u32; 0], "the later of two counts");
        assert_eq!(rung(&mut wheel, 3_100), [7]);
        assert_eq!(wheel.due(), None);
    }

    #[test]
    fn none_is_lost_however_far_ahead_and_however_long_nobody_looked() {
        for (set, looks) in
            [(100_000_000, vec![50_000_000]), (5, vec![100_000_000]), (40_000, vec![16_000, 33_000])]
        {
            let mut wheel = Wheel::new(0);
            wheel.set(1, set);
            for now in looks.into_iter().chain([100_000_100]) {
                for owner in rung(&mut wheel, now) {
                    if now < set {
                        wheel.set(owner, set);
                    }
                }
                assert_eq!(wheel.is_set(1), now < set, "{set} at {now}");
            }
        }
    }

    #[test]
    fn an_alarm_of_the_past_rings_at_the_next_step() {
        let mut wheel = Wheel::new(0);
        assert_eq!(rung(&mut wheel, 640), [0_u32; 0]);
        wheel.set(2, 10);
        assert!(wheel.due().is_some_and(|due| (640..=704).contains(&due)));
        assert_eq!(rung(&mut wheel, 704), [2]);
    }
}

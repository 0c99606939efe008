//! How long answers took: counted in buckets that are at most 1/64 wide, so that a percentile is true to 2 %
//! and a point costs the same memory whatever its rate.

use std::time::Duration;

/// Each power of two is cut into so many buckets.
const CUTS: usize = 64;
const CUT_BITS: usize = 6;

/// Counts by duration.
#[derive(Debug, Clone)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram { counts: vec![0; (64 - CUT_BITS + 1) * CUTS], total: 0 }
    }
}

impl Histogram {
    /// Counts one.
    pub fn record(&mut self, duration: Duration) {
        self.counts[bucket(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))] += 1;
        self.total += 1;
    }

    /// Counts everything of `other` as well.
    pub fn merge(&mut self, other: &Histogram) {
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
        self.total += other.total;
    }

    /// What a share of `part` (0 to 1) did not exceed; none if nothing was counted.
    #[must_use]
    pub fn percentile(&self, part: f64) -> Option<Duration> {
        let wanted = ((self.total as f64 * part).ceil() as u64).max(1);
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return Some(Duration::from_nanos(middle(index)));
            }
        }
        None
    }
}

fn bucket(nanos: u64) -> usize {
    if nanos < CUTS as u64 {
        return nanos as usize;
    }
    let power = nanos.ilog2() as usize;
    (power - CUT_BITS + 1) * CUTS + ((nanos >> (power - CUT_BITS)) as usize & (CUTS - 1))
}

/// The value in the middle of a bucket.
fn middle(index: usize) -> u64 {
    if index < CUTS {
        return index as u64;
    }
    let shift = index / CUTS - 1;
    let lower = ((CUTS + index % CUTS) as u64) << shift;
    lower + (1_u64 << shift) / 2
}

//! Classes and policies of the kernel's schedulers.

use super::words::words;

words! {
    /// A class of the I/O scheduler, see ioprio_set(2).
    IoClass, "I/O class" {
        /// None of its own: made of the nice level.
        None = "none",
        /// Before all others.
        Realtime = "realtime",
        /// The usual one.
        BestEffort = "best-effort",
        /// Only when nobody else wants the disk.
        Idle = "idle",
    }
}

words! {
    /// A policy of the CPU scheduler, see sched(7).
    CpuPolicy, "CPU policy" {
        /// SCHED_OTHER.
        Other = "other",
        /// SCHED_BATCH.
        Batch = "batch",
        /// SCHED_IDLE.
        Idle = "idle",
        /// SCHED_FIFO, which needs a cpu-priority.
        Fifo = "fifo",
        /// SCHED_RR, which needs a cpu-priority.
        Rr = "rr",
    }
}

impl CpuPolicy {
    /// Whether processes of the policy have a priority among them.
    #[must_use]
    pub fn has_priority(self) -> bool {
        matches!(self, CpuPolicy::Fifo | CpuPolicy::Rr)
    }
}

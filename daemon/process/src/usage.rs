//! What a process uses: CPU, memory, since when. The home of sysinfo, asked about one process and never about all.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sysinfo::{ProcessRefreshKind, System};

use crate::identity::Process;
use crate::procfs;

/// Figures of one process.
#[derive(Clone, Debug, PartialEq)]
pub struct Usage {
    /// CPU time used so far, user and system, without its children.
    pub cpu_time: Duration,
    /// CPU time in percent of the time it has lived; 100 is one core.
    pub cpu_percent: f32,
    /// Resident memory in bytes.
    pub memory: u64,
    /// When it started.
    pub started: SystemTime,
}

/// Reads the figures of `process`; `None` when it has ended meanwhile or /proc does not show it.
#[must_use]
pub fn usage(process: &Process) -> Option<Usage> {
    let pid = sysinfo::Pid::from_u32(u32::try_from(process.pid().as_raw()).ok()?);
    // sysinfo keeps files open between two looks and raises RLIMIT_NOFILE for that; we look once.
    sysinfo::set_open_files_limit(0);
    let mut system = System::new();
    // Not with_cpu: that reads the figures of every core as well, which takes longer than all the rest.
    system.refresh_process_specifics(pid, ProcessRefreshKind::new().with_memory());
    let found = system.process(pid)?;
    let cpu_time = procfs::stat(process.pid()).ok()?.cpu_time();
    let started = UNIX_EPOCH + Duration::from_secs(found.start_time());
    let lived = SystemTime::now().duration_since(started).unwrap_or_default().max(Duration::from_millis(10));
    let usage = Usage {
        cpu_time,
        cpu_percent: (cpu_time.as_secs_f64() / lived.as_secs_f64() * 100.0) as f32,
        memory: found.memory(),
        started,
    };
    // Read by number: true of this process only if it still lives.
    process.is_alive().then_some(usage)
}

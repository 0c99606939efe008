//! What processes take of the machine, as the kernel tells it.

use std::fs;

/// Kernel memory that each process has in any case: its kernel stack, in KB.
const KERNEL_STACK: u64 = 16;

/// The proportional set size of processes, and the same with page tables and kernel stacks, in KB. proc(5), smaps_rollup.
pub fn of(pids: &[i32]) -> (u64, u64) {
    let sum = |file: &str, key: &str| pids.iter().map(|pid| value(*pid, file, key)).sum::<u64>();
    let pss = sum("smaps_rollup", "Pss:");
    (pss, pss + sum("status", "VmPTE:") + KERNEL_STACK * pids.len() as u64)
}

/// How often processes have been put on a processor after a wait or been taken from one. proc(5), status.
pub fn wake_ups(pids: &[i32]) -> u64 {
    let of = |pid: &i32| {
        ["voluntary_ctxt_switches:", "nonvoluntary_ctxt_switches:"]
            .map(|key| value(*pid, "status", key))
            .iter()
            .sum::<u64>()
    };
    pids.iter().map(of).sum()
}

fn value(pid: i32, file: &str, key: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    line.and_then(|rest| rest.split_ascii_whitespace().next()?.parse().ok()).unwrap_or(0)
}

//! One core for the servers, another for the load generator; and how many files may be open.

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::Pid;

/// Who runs where.
#[derive(Debug, Clone, Copy)]
pub struct Cores {
    /// Of all servers: only one of them has something to do at a time.
    pub server: usize,
    /// Of the load generator.
    pub generator: usize,
}

impl Cores {
    /// Two of the cores that this process may use; the same one twice where there is only one.
    ///
    /// # Errors
    /// What sched_getaffinity(2) says.
    pub fn choose() -> Result<Cores, String> {
        let allowed =
            sched_getaffinity(Pid::from_raw(0)).map_err(|errno| format!("cannot ask for cores: {errno}"))?;
        let usable: Vec<usize> =
            (0..CpuSet::count()).filter(|core| allowed.is_set(*core).unwrap_or(false)).collect();
        match usable.as_slice() {
            [] => Err("this process may use no core".to_owned()),
            // The last one, since interrupts tend to be served by the first.
            [generator, .., server] => Ok(Cores { server: *server, generator: *generator }),
            [only] => Ok(Cores { server: *only, generator: *only }),
        }
    }
}

/// Ties the calling thread to `core`; threads and processes that it starts from now on inherit that.
///
/// # Errors
/// What sched_setaffinity(2) says.
pub fn pin(core: usize) -> Result<(), String> {
    let mut set = CpuSet::new();
    set.set(core)
        .and_then(|()| sched_setaffinity(Pid::from_raw(0), &set))
        .map_err(|errno| format!("cannot run on core {core}: {errno}"))
}

/// Raises the limit of open files as far as it goes. Returns what it is then.
///
/// # Errors
/// What getrlimit(2) or setrlimit(2) say.
pub fn raise_open_files() -> Result<u64, String> {
    let failed = |errno| format!("cannot raise the limit of open files: {errno}");
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).map_err(failed)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard, hard).map_err(failed)?;
    Ok(hard)
}

/// How many processes have wanted to run in the last minute, on average: proc_loadavg(5).
#[must_use]
pub fn load() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}

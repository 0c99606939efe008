//! A daemon with every bad habit on request, detached or attached.

use std::error::Error;
use std::fs::{self, OpenOptions};
use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use foobar_process::child::{Lifeline, fork_worker, reap};
use foobar_process::daemonize::{Daemonize, Readiness, Side};
use foobar_process::pidfile::{PidFile, PidFileError};
use foobar_process::privilege::Account;
use foobar_process::{Signal, signal::Signals, startlock::StartLock};

pub type Outcome = Result<ExitCode, Box<dyn Error>>;

/// `daemon PIDFILE OPTION...`
pub fn detached(pid_file: &str, options: &[&str]) -> Outcome {
    let mut how = Daemonize::new();
    if let Some(limit) = value(options, "timeout") {
        how = how.timeout(Duration::from_millis(limit.parse()?));
    }
    if let Some(directory) = value(options, "directory") {
        how = how.working_directory(directory);
    }
    if let Some(mask) = value(options, "umask") {
        how = how.umask(u32::from_str_radix(mask, 8)?);
    }
    let kept = value(options, "keep").map(fs::File::open).transpose()?;
    if let Some(kept) = &kept {
        how = how.keep(kept);
    }
    match how.detach()? {
        Side::Daemon(readiness) => serve(pid_file.as_ref(), options, readiness),
        Side::Starter(verdict) => {
            println!("{verdict}");
            Ok(ExitCode::from(verdict.code()))
        }
    }
}

/// `hold PIDFILE OPTION...`: the same in the foreground.
pub fn attached(pid_file: &str, options: &[&str]) -> Outcome {
    serve(pid_file.as_ref(), options, Readiness::attached())
}

fn serve(path: &Path, options: &[&str], readiness: Readiness) -> Outcome {
    let signals = Signals::block(&[Signal::SIGTERM, Signal::SIGINT, Signal::SIGCHLD, Signal::SIGHUP])?;
    match value(options, "start") {
        Some("panic") => panic!("on request"),
        Some("exit") => return Ok(ExitCode::from(9)),
        Some("abort") => std::process::abort(),
        Some("fail") => {
            readiness.failed(6, "user \"x\" does not exist");
            return Ok(ExitCode::FAILURE);
        }
        Some("hang") => loop {
            let _ = signals.next(None)?;
        },
        _ => {}
    }
    let (pid_file, lock) = match claim(path) {
        Ok(claimed) => claimed,
        Err(reason) => {
            let runs = matches!(reason.downcast_ref(), Some(PidFileError::AlreadyRunning { .. }));
            readiness.failed(u8::from(!runs), &reason.to_string());
            if !runs || options.contains(&"loud") {
                eprintln!("{reason}");
            }
            return Ok(ExitCode::from(u8::from(!runs)));
        }
    };
    if let Some(user) = value(options, "user") {
        Account::lookup(user, None)?.assume()?;
    }
    if let Some(report) = value(options, "report") {
        write_report(Path::new(report), value(options, "terminal"))?;
    }
    if let Some(gate) = value(options, "gate") {
        // Opening a FIFO for reading waits for a writer: the test lets us go on when it likes.
        drop(fs::File::open(gate)?);
    }
    if readiness.ready().is_err() {
        pid_file.remove()?;
        return Ok(ExitCode::FAILURE);
    }
    drop(lock);
    let lifeline = Lifeline::new()?;
    for _ in 0..value(options, "workers").map_or(Ok(0), str::parse)? {
        start_worker(&lifeline, &pid_file, options)?;
    }
    loop {
        match signals.next(None)? {
            Some(Signal::SIGTERM | Signal::SIGINT) if !options.contains(&"deaf") => break,
            Some(Signal::SIGCHLD) => drop(reap()),
            _ => {}
        }
    }
    pid_file.remove()?;
    Ok(ExitCode::SUCCESS)
}

fn claim(path: &Path) -> Result<(PidFile, StartLock), Box<dyn Error>> {
    let lock = StartLock::acquire(path, Instant::now() + Duration::from_secs(60))?;
    Ok((PidFile::create(&lock)?, lock))
}

/// A worker that only its leash or the death signal ends: `worker=leash` blocks TERM, `worker=signal` reads no leash.
fn start_worker(lifeline: &Lifeline, pid_file: &PidFile, options: &[&str]) -> Result<(), Box<dyn Error>> {
    let by_leash = value(options, "worker") == Some("leash");
    let user = value(options, "worker-user");
    fork_worker(lifeline, [pid_file.as_fd()], |leash| {
        if let Some(user) = user {
            let became = Account::lookup(user, None).and_then(|account| account.assume());
            if became.is_err() || leash.renew().is_err() {
                return 1;
            }
        }
        if by_leash {
            let Ok(signals) = Signals::block(&[Signal::SIGTERM]) else { return 1 };
            while !leash.is_cut() {
                let _ = signals.next(Some(Instant::now() + Duration::from_millis(5)));
            }
            return 0;
        }
        loop {
            nix::unistd::pause();
        }
    })?;
    Ok(())
}

/// What a daemon should have left behind, one fact per line.
fn write_report(path: &Path, terminal: Option<&str>) -> Result<(), Box<dyn Error>> {
    if let Some(terminal) = terminal {
        // Without O_NOCTTY: a session leader would get it as its controlling terminal.
        let opened = OpenOptions::new().read(true).write(true).open(terminal)?;
        std::mem::forget(opened);
    }
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_ascii_whitespace().collect();
    let mut text = format!(
        "pid {}\nsession {}\nterminal {}\n",
        std::process::id(),
        fields.get(3).unwrap_or(&""),
        fields.get(4).unwrap_or(&"")
    );
    for entry in fs::read_dir("/proc/self/fd")? {
        let entry = entry?;
        let target = fs::read_link(entry.path()).unwrap_or_default();
        text += &format!("descriptor {} {}\n", entry.file_name().to_string_lossy(), target.display());
    }
    for (name, value) in std::env::vars() {
        text += &format!("variable {name}={value}\n");
    }
    text += &format!("directory {}\n", std::env::current_dir()?.display());
    text += &fs::read_to_string("/proc/self/status")?;
    fs::write(path.with_extension("new"), text)?;
    fs::rename(path.with_extension("new"), path)?;
    Ok(())
}

fn value<'a>(options: &[&'a str], name: &str) -> Option<&'a str> {
    options.iter().find_map(|option| option.strip_prefix(name)?.strip_prefix('='))
}

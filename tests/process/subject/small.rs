//! The small tasks of the subject: one function each, ready when they print a line.

use std::error::Error;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::process::ExitCode;

use foobar_process::child::{self, Lifeline};
use foobar_process::daemonize::Daemonize;
use foobar_process::privilege::Account;
use foobar_process::probe::{self, Expect, State};
use foobar_process::stop::StopPolicy;
use foobar_process::{Pid, Signal, footprint, identity::Process, limits, signal::Signals, terminal};
use nix::fcntl::{FcntlArg, Flock, FlockArg, fcntl};

type Outcome = Result<ExitCode, Box<dyn Error>>;

fn wait_for_ever() -> ! {
    loop {
        nix::unistd::pause();
    }
}

/// Blocks every signal that can be blocked and says so.
pub fn deaf() -> Outcome {
    let all: Vec<Signal> = Signal::iterator().collect();
    let _signals = Signals::block(&all)?;
    println!("deaf");
    wait_for_ever()
}

/// Tells of each signal that it gets; the canary.
pub fn patient() -> Outcome {
    let signals = Signals::block(&Signal::iterator().collect::<Vec<_>>())?;
    println!("patient");
    loop {
        if let Some(signal) = signals.next(None)? {
            println!("{}", signal.as_str());
        }
    }
}

/// Holds a lock on a file that it can perhaps only read.
pub fn lock(kind: &str, path: &str) -> Outcome {
    let file = OpenOptions::new().read(true).write(kind == "fcntl").open(path)?;
    match kind {
        "flock" => flock(file)?,
        "heir" => {
            flock(file)?;
            let (told, tell) = nix::unistd::pipe()?;
            // Dropped only by the end of this process: a worker that finds it closed takes the master for dead.
            let lifeline = Lifeline::new()?;
            let heir = child::fork_worker(&lifeline, [], |_| {
                let _ = nix::sys::prctl::set_pdeathsig(None);
                let _ = nix::unistd::write(&tell, b"x");
                wait_for_ever()
            })?;
            drop(tell);
            if nix::unistd::read(&told, &mut [0])? == 0 {
                return Err("the heir ended early".into());
            }
            println!("{heir}");
            return Ok(ExitCode::SUCCESS);
        }
        _ => {
            let whole = nix::libc::flock {
                l_type: nix::libc::F_WRLCK as i16,
                l_whence: 0,
                l_start: 0,
                l_len: 0,
                l_pid: 0,
            };
            fcntl(&file, FcntlArg::F_SETLK(&whole))?;
        }
    }
    println!("locked");
    wait_for_ever()
}

/// Locks for as long as any process has the file open: the guard would unlock it for all.
fn flock(file: fs::File) -> nix::Result<()> {
    let guard = Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, error)| error)?;
    std::mem::forget(guard);
    Ok(())
}

/// Says what a look at a PID file gives.
pub fn look(pid_file: &str) -> Outcome {
    match probe::look(pid_file.as_ref(), &Expect::default()) {
        Ok(State::Running { process, proof }) => println!("running {} {proof:?}", process.pid()),
        Ok(State::Dead { pid }) => println!("dead {pid}"),
        Ok(State::Stopped) => println!("stopped"),
        Err(refusal) => println!("refused {refusal}"),
    }
    Ok(ExitCode::SUCCESS)
}

/// Stops a process by number, proven or not: only for trying permissions.
pub fn stop(pid: &str) -> Outcome {
    let process = Process::open(Pid::from_raw(pid.parse()?))?.ok_or("no such process")?;
    println!("{:?}", foobar_process::stop::stop(&process, &StopPolicy::default())?);
    Ok(ExitCode::SUCCESS)
}

/// Tells what a process uses.
pub fn usage(pid: &str) -> Outcome {
    let process = Process::open(Pid::from_raw(pid.parse()?))?.ok_or("no such process")?;
    println!("{:?}", foobar_process::usage::usage(&process));
    Ok(ExitCode::SUCCESS)
}

/// Leaves its controlling terminal, which is /dev/tty at the begin.
pub fn terminal(way: &str) -> Outcome {
    let open = || OpenOptions::new().read(true).custom_flags(nix::libc::O_NOCTTY).open("/dev/tty");
    let before = open().is_ok();
    match way {
        "leave" => println!("{:?}", terminal::leave()?),
        _ => terminal::give_up()?,
    }
    println!("before {before} after {}", open().is_ok());
    Ok(ExitCode::SUCCESS)
}

/// Becomes a user and shows what the kernel says of it.
pub fn assume(user: &str) -> Outcome {
    Account::lookup(user, None)?.assume()?;
    print!("{}", fs::read_to_string("/proc/self/status")?);
    Ok(ExitCode::SUCCESS)
}

/// Runs a program by `child::command`, itself full of blocked signals and open descriptors.
pub fn spawn(program: &str, arguments: &[&str]) -> Outcome {
    let _blocked = Signals::block(&[Signal::SIGTERM, Signal::SIGUSR1])?;
    let file = fs::File::open("/dev/null")?;
    // Without close-on-exec.
    let _leaky = nix::unistd::dup(&file)?;
    let status = child::command(program).args(arguments).status()?;
    Ok(ExitCode::from(u8::try_from(status.code().unwrap_or(99))?))
}

/// The article's Listings 3 and 4: ten children that end at once.
pub fn reap(way: &str) -> Outcome {
    if way == "ignore" {
        child::ignore_children()?;
    }
    let signals = Signals::block(&[Signal::SIGCHLD])?;
    let lifeline = Lifeline::new()?;
    let mut born = Vec::new();
    for number in 0..10 {
        born.push(child::fork_worker(&lifeline, [], |_| number)?);
    }
    if way == "ignore" {
        // Nothing tells that they are gone but their absence.
        while born.iter().any(|pid| fs::metadata(format!("/proc/{pid}")).is_ok()) {
            std::hint::spin_loop();
        }
        println!("reaped {}", child::reap().len());
        return Ok(ExitCode::SUCCESS);
    }
    let mut ended = Vec::new();
    while ended.len() < born.len() {
        signals.next(None)?;
        ended.extend(child::reap());
    }
    ended.sort_by_key(|exit| exit.pid.as_raw());
    let codes: Vec<String> = ended.iter().map(|exit| exit.how.to_string()).collect();
    println!("{}", codes.join(", "));
    Ok(ExitCode::SUCCESS)
}

/// Tries to detach beside a second thread.
pub fn threads() -> Outcome {
    let second = std::thread::spawn(std::thread::park);
    let refused = Daemonize::new().detach();
    println!("{}", refused.err().map_or("detached".to_owned(), |error| error.to_string()));
    second.thread().unpark();
    Ok(ExitCode::SUCCESS)
}

/// Raises the limit of open files.
pub fn open_files(wanted: &str) -> Outcome {
    println!("{}", limits::raise_open_files(wanted.parse()?)?);
    Ok(ExitCode::SUCCESS)
}

/// Kilobytes of the own program's file in memory before and after they were given back.
pub fn program() -> Outcome {
    let resident = || -> Result<usize, Box<dyn Error>> {
        let text = fs::read_to_string("/proc/self/status")?;
        let line = text.lines().find_map(|line| line.strip_prefix("RssFile:")).ok_or("no RssFile")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    };
    let before = resident()?;
    let is_released = footprint::release_program();
    println!("{before} {} {is_released}", resident()?);
    Ok(ExitCode::SUCCESS)
}

/// Kilobytes of the stack in memory after a deep call, and after they were given back; then whether another thread's was, too.
pub fn stack() -> Outcome {
    #[inline(never)]
    fn deep(depth: usize) -> usize {
        let page = std::hint::black_box([depth; 512]);
        if depth == 0 { page[0] } else { page[1].wrapping_add(deep(depth - 1)) }
    }
    let resident = || -> Result<usize, Box<dyn std::error::Error>> {
        let text = fs::read_to_string("/proc/self/smaps")?;
        let (_, stack) = text.split_once("[stack]").ok_or("no stack")?;
        let line = stack.lines().find_map(|line| line.strip_prefix("Rss:")).ok_or("no Rss")?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    };
    let answer = deep(50);
    let before = resident()?;
    let is_released = footprint::release_stack();
    let after = resident()?;
    let elsewhere = std::thread::spawn(footprint::release_stack).join().map_err(|_| "panicked")?;
    println!("{before} {after} {is_released} {elsewhere} {}", answer == deep(50));
    Ok(ExitCode::SUCCESS)
}

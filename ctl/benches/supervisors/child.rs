//! The program that all supervisors hold (child.c), and what it tells of itself over a FIFO.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;

const LATEST: Duration = Duration::from_secs(20);

/// A start that a child has told of.
#[derive(Debug, Clone)]
pub struct Told {
    pub pid: i32,
    /// CLOCK_MONOTONIC in nanoseconds, at its first instruction.
    pub time: i64,
    /// `PEER.NUMBER`.
    pub name: String,
}

/// The program, built, and the reading end of its FIFO.
pub struct Child {
    pub program: PathBuf,
    pub fifo: PathBuf,
    starts: Mutex<mpsc::Receiver<Told>>,
    /// The newest process of each service.
    running: Mutex<HashMap<String, i32>>,
}

impl Child {
    pub fn build(directory: &Path) -> Result<Child, String> {
        let program = directory.join("child");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/supervisors/child.c");
        let flags =
            ["-O2", "-static", "-nostdlib", "-nostartfiles", "-fno-stack-protector", "-fno-pie", "-no-pie"];
        run(Command::new("cc").args(flags).arg("-o").arg(&program).arg(source))?;
        let fifo = directory.join("fifo");
        run(Command::new("mkfifo").args(["-m", "666"]).arg(&fifo))?;
        // Both ends, so that there is no end of file between two writers.
        let file =
            OpenOptions::new().read(true).write(true).open(&fifo).map_err(|error| error.to_string())?;
        let (sender, starts) = mpsc::channel();
        std::thread::spawn(move || listen(file, &sender));
        Ok(Child { program, fifo, starts: Mutex::new(starts), running: Mutex::default() })
    }

    /// The next start of `service`; those of others are noted on the way.
    pub fn next(&self, service: &str) -> Result<Told, String> {
        let starts = self.starts.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let told = starts.recv_timeout(LATEST).map_err(|_| format!("{service} was not started"))?;
            self.running.lock().unwrap_or_else(PoisonError::into_inner).insert(told.name.clone(), told.pid);
            if told.name == service {
                return Ok(told);
            }
        }
    }

    /// Waits until all services of a peer run.
    pub fn wait_for(&self, peer: &str, services: usize) -> Result<(), String> {
        for number in 0..services {
            let service = format!("{peer}.{number}");
            if self.pid(&service).is_none() {
                self.next(&service)?;
            }
        }
        Ok(())
    }

    /// The newest process of a service.
    pub fn pid(&self, service: &str) -> Option<i32> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).get(service).copied()
    }
}

fn listen(mut fifo: File, starts: &mpsc::Sender<Told>) {
    let mut record = [0; 32];
    while fifo.read_exact(&mut record).is_ok() {
        let number = |at: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&record[at..at + 8]);
            i64::from_ne_bytes(bytes)
        };
        let name: String =
            record[16..].iter().take_while(|byte| **byte != 0).map(|byte| char::from(*byte)).collect();
        let told = Told { pid: i32::try_from(number(0)).unwrap_or(0), time: number(8), name };
        if starts.send(told).is_err() {
            return;
        }
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim_end())),
        Err(error) => Err(format!("{command:?}: {error}")),
    }
}

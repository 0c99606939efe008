//! What the verbs cost as whole processes, beside dpkg's start-stop-daemon and an init script in dash with the LSB functions,
//! interleaved in one run. Prints medians and ratios; asserts no time.
//!
//! `cargo bench -p foobarctl --bench verbs --target x86_64-unknown-linux-musl` measures what is shipped. Peers that are not
//! installed are named and left out. All of it happens below one temporary directory, on loopback.

mod verbs {
    pub mod daemon;
    pub mod machine;
    pub mod table;
}

use std::time::Duration;

use verbs::daemon;
use verbs::machine::{Machine, Peer};
use verbs::table::{self, Column};

/// Rounds of `status`, and of a whole start and stop. A peer's stop polls every 20 ms, so that few are enough.
const STATUS_ROUNDS: usize = 300;
const CYCLE_ROUNDS: usize = 40;

fn main() {
    // Called again by the peers as the daemon that they start.
    if daemon::is_wanted() {
        return daemon::run();
    }
    let machine = match Machine::new() {
        Ok(machine) => machine,
        Err(why) => return eprintln!("cannot measure: {why}"),
    };
    println!("foobarctl and foobard: {}", machine.build());
    status(&machine);
    cycle(&machine);
}

fn status(machine: &Machine) {
    let peers = machine.peers();
    machine.start_all(&peers);
    let mut columns: Vec<Column> = peers.iter().map(|peer| Column::new(peer.name)).collect();
    for _ in 0..STATUS_ROUNDS {
        for (peer, column) in peers.iter().zip(&mut columns) {
            column.push(machine.time(peer.status()));
        }
    }
    machine.stop_all(&peers);
    table::print("status of a running service, whole process", &columns, "start-stop-daemon");
}

fn cycle(machine: &Machine) {
    let peers: Vec<Peer> = machine.peers();
    let named = |what: &str| {
        peers.iter().map(|peer| Column::new(&format!("{}{what}", peer.name))).collect::<Vec<_>>()
    };
    let (mut starts, mut stops, mut lags) = (named(""), named(""), named(""));
    let mut not_ready = vec![0_usize; peers.len()];
    for _ in 0..CYCLE_ROUNDS {
        for (index, peer) in peers.iter().enumerate() {
            starts[index].push(machine.time(peer.start()));
            not_ready[index] += usize::from(!machine.is_ready(peer));
            let watch = machine.watch(peer);
            let (whole, returned) = machine.time_until(peer.stop());
            stops[index].push(whole);
            lags[index].push(watch.lag(returned).unwrap_or(Duration::ZERO));
        }
    }
    table::print("start, from call to return", &starts, "start-stop-daemon");
    for (peer, count) in peers.iter().zip(&not_ready) {
        println!(
            "    {:<34} returned before its daemon was ready in {count} of {CYCLE_ROUNDS} rounds",
            peer.name
        );
    }
    table::print("stop, from call to return", &stops, "start-stop-daemon");
    table::print("stop, from the daemon's exit to return", &lags, "start-stop-daemon");
}

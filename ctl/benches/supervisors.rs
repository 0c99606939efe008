//! What a supervised service costs, beside the supervisors of others, all at work in one run: memory at rest, wake-ups at rest,
//! the time from the death of the program to the `main` of its successor, and whole starts and stops. Prints; asserts no time.
//!
//! `cargo bench -p foobarctl --bench supervisors` builds and measures what is shipped; a number after `--` is how many
//! services each supervisor gets (100). Peers are looked for in PATH; what is not there is named and left out. All of it
//! happens below one temporary directory, as root, and ends by the PIDs that were started.

mod supervisors {
    pub mod child;
    pub mod helpers;
    pub mod memory;
    pub mod peers;
    pub mod rounds;
    pub mod table;
}

use std::time::Duration;

use foobar_tests::Sandbox;
use supervisors::child::Child;
use supervisors::helpers;
use supervisors::memory;
use supervisors::peers::{self, Peer};
use supervisors::rounds;
use supervisors::table::{Column, Table};

/// At rest nothing should happen: this long it is looked at.
const REST: Duration = Duration::from_secs(10);

fn main() {
    helpers::show(peers::find("s6-svc").as_deref());
    let services = std::env::args().skip(1).find_map(|word| word.parse().ok()).unwrap_or(100);
    if let Err(why) = measure(services) {
        eprintln!("cannot measure: {why}");
    }
}

fn measure(services: usize) -> Result<(), String> {
    let sandbox = Sandbox::new("supervisors");
    let child = Child::build(sandbox.path())?;
    let mut peers = peers::all(sandbox.path(), &child);
    for peer in &mut peers {
        peer.start(services)?;
    }
    for peer in &peers {
        child.wait_for(peer.name(), services)?;
    }
    let mut missed = at_rest(&peers);
    missed.extend(restarts(&peers, &child)?);
    missed.extend(whole(&peers, &child));
    if missed.is_empty() {
        println!("\nAll that is wanted was reached.");
    } else {
        println!("\nMissed: {}", missed.join("; "));
    }
    Ok(())
}

fn at_rest(peers: &[Peer]) -> Vec<String> {
    // Whatever a start leaves to be done is done by then.
    std::thread::sleep(Duration::from_secs(2));
    let before: Vec<u64> = peers.iter().map(|peer| memory::wake_ups(&peer.supervisors())).collect();
    std::thread::sleep(REST);
    let columns = [
        Column::new("PSS KB", Some(120.0)),
        Column::new("with page tables, stack", None),
        Column::new("wake-ups", Some(0.0)),
    ];
    let mut table =
        Table::new(&format!("A service at rest; wake-ups of all of them in {} s", REST.as_secs()), &columns);
    for (peer, before) in peers.iter().zip(before) {
        let pids = peer.supervisors();
        let wakes = memory::wake_ups(&pids).saturating_sub(before);
        let (pss, whole) = memory::of(&pids);
        let each = |kilobytes: u64| kilobytes as f64 / peer.services() as f64;
        table.row(peer.name(), peer.is_ours(), &[each(pss), each(whole), wakes as f64]);
    }
    table.print()
}

fn restarts(peers: &[Peer], child: &Child) -> Result<Vec<String>, String> {
    let columns = [Column::new("median ms", Some(1.0)), Column::new("p90 ms", None)];
    let mut table =
        Table::new("From SIGKILL of a program that ran long to the main of its successor", &columns);
    for (peer, times) in peers.iter().zip(rounds::restarts(peers, child)?) {
        table.row(peer.name(), peer.is_ours(), &times.millis());
    }
    Ok(table.print())
}

fn whole(peers: &[Peer], child: &Child) -> Vec<String> {
    let columns = [Column::new("start ms", None), Column::new("stop ms", None)];
    let mut table = Table::new("Start and stop of one service, from call to return; medians", &columns);
    for (peer, times) in peers.iter().zip(rounds::cycles(peers, child)) {
        if let Some([start, stop]) = times {
            table.row(peer.name(), peer.is_ours(), &[start.millis()[0], stop.millis()[0]]);
        }
    }
    table.print()
}

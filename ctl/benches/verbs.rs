//! What the verbs cost as whole processes, beside dpkg's start-stop-daemon and an init script in dash with the LSB functions,
//! interleaved in one run: medians, ratios, and the ratio that is wanted. Prints; asserts no time.
//!
//! `cargo bench -p foobarctl --bench verbs` builds and measures what is shipped. Peers that are not installed are
//! named and left out. All of it happens below one temporary directory, on loopback. On a machine that has other things to
//! do, run it once so that all is built, and then as root below `chrt -f 50` (chrt(1)), so that nobody is waited for.

mod verbs {
    pub mod clock;
    pub mod daemon;
    pub mod machine;
    pub mod peer;
    pub mod table;
}

use verbs::clock;
use verbs::daemon;
use verbs::machine::Machine;
use verbs::peer::{self, Peer, Who};
use verbs::table::{Row, Table, Times};

/// Rounds of `status`, and of a whole start and stop. A peer's stop polls every 20 ms, so that few are enough.
const STATUS_ROUNDS: usize = 500;
const CYCLE_ROUNDS: usize = 100;

fn main() {
    // Called again by the peers as the daemon that they start.
    if daemon::is_wanted() {
        return daemon::run();
    }
    clock::adopt_orphans();
    let measured = Machine::new().and_then(|machine| {
        println!("measured: {}", machine.foobarctl().display());
        let peers = peer::all(&machine)?;
        let mut missed = status(&peers);
        missed.extend(cycle(&peers));
        Ok(missed)
    });
    match measured {
        Err(why) => eprintln!("cannot measure: {why}"),
        Ok(missed) if missed.is_empty() => println!("\nAll that is wanted was reached."),
        Ok(missed) => println!("\nMissed: {}", missed.join("; ")),
    }
}

/// The column of one of the peers; empty when it is not here.
fn of(peers: &[Peer], all: &[Times], who: Who) -> Times {
    peers.iter().position(|peer| peer.who == who).map(|at| all[at].clone()).unwrap_or_default()
}

/// A new order for each round, the same in each run: who comes after whom decides what is still in the caches.
struct Shuffle(u64);

impl Shuffle {
    fn order(&mut self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        for last in (1..count).rev() {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            order.swap(last, (self.0 >> 33) as usize % (last + 1));
        }
        order
    }
}

fn status(peers: &[Peer]) -> Vec<String> {
    let compared = [Who::Foobarctl, Who::Script, Who::Dpkg, Who::Lsb];
    for peer in peers {
        clock::time(&peer.start);
        peer.wait_ready();
    }
    let mut all = vec![Times::default(); peers.len()];
    let mut code_only = Times::default();
    let mut shuffle = Shuffle(1);
    for _ in 0..STATUS_ROUNDS {
        for index in shuffle.order(peers.len()) {
            let peer = &peers[index];
            if compared.contains(&peer.who) {
                all[index].push(clock::time(&peer.status));
            }
            if peer.who == Who::FoobarctlSmall {
                // Beside the others, so not always after the same one.
                code_only.push(clock::time(&peer::quiet(peers)));
            }
        }
    }
    for peer in peers {
        clock::time(&peer.stop);
        clock::reap();
    }
    let of = |who| of(peers, &all, who);
    let mut table = Table::new("status of a running service, whole process");
    let base = Row::new("start-stop-daemon --status", of(Who::Dpkg));
    table.compare(&base, Row::new("foobarctl --quiet status", code_only), Some(0.6));
    // It says more than the peer: since when, what it uses, and what the daemon has to tell.
    table.compare(&base, Row::new("foobarctl status", of(Who::Foobarctl)), Some(0.6));
    let base = Row::new("dash script with LSB functions", of(Who::Lsb));
    table.compare(&base, Row::new("/etc/init.d/foobar status", of(Who::Script)), Some(0.5));
    table.print()
}

fn cycle(peers: &[Peer]) -> Vec<String> {
    let none = || vec![Times::default(); peers.len()];
    let (mut starts, mut stops, mut lags) = (none(), none(), none());
    let mut early = vec![0; peers.len()];
    let mut shuffle = Shuffle(1);
    for _ in 0..CYCLE_ROUNDS {
        for index in shuffle.order(peers.len()) {
            let peer = &peers[index];
            starts[index].push(clock::time(&peer.start));
            early[index] += usize::from(!peer.wait_ready());
            let watch = clock::Watch::begin(&peer.pid_file);
            let (whole, returned) = clock::time_until(&peer.stop);
            stops[index].push(whole);
            if let Some(lag) = watch.lag(returned) {
                lags[index].push(lag);
            }
            clock::reap();
        }
    }
    let mut missed = start_tables(peers, &starts, &early);
    missed.extend(stop_tables(peers, &stops, &lags));
    missed
}

fn start_tables(peers: &[Peer], starts: &[Times], early: &[usize]) -> Vec<String> {
    let row = |name: &str, who| {
        let count = peers.iter().position(|peer| peer.who == who).map_or(0, |at| early[at]);
        let remark =
            if count == 0 { String::new() } else { format!("not ready then, {count} of {CYCLE_ROUNDS}") };
        Row::new(name, of(peers, starts, who)).remark(remark)
    };
    let mut table = Table::new("start, from call to return: foobard");
    let base = row("start-stop-daemon --background", Who::DpkgBackground);
    table.compare(&base, row("foobarctl start", Who::Foobarctl), Some(1.0));
    let base = row("start-stop-daemon", Who::Dpkg);
    table.compare(&base, row("foobarctl start", Who::Foobarctl), None);
    let base = row("dash script with LSB functions", Who::Lsb);
    table.compare(&base, row("/etc/init.d/foobar start", Who::Script), None);
    let mut missed = table.print();
    let ours = [Who::Foobarctl, Who::Script, Who::FoobarctlSmall];
    for peer in peers.iter().zip(early).filter(|(peer, count)| ours.contains(&peer.who) && **count > 0) {
        missed.push(format!("{:?} returned before its daemon was ready", peer.0.who));
    }
    let mut table = Table::new("start, from call to return: a small daemon of a dynamic C library");
    let base = row("start-stop-daemon --notify-await", Who::DpkgNotify);
    table.compare(&base, row("foobarctl start", Who::FoobarctlSmall), None);
    missed.extend(table.print());
    missed
}

fn stop_tables(peers: &[Peer], stops: &[Times], lags: &[Times]) -> Vec<String> {
    let mut missed = Vec::new();
    let titles = ["stop, from call to return", "stop, from the end of the daemon to return"];
    let wanted = [(Some(0.1), Some(0.2)), (Some(0.01), None)];
    for ((title, times), (by_dpkg, by_lsb)) in titles.into_iter().zip([stops, lags]).zip(wanted) {
        let row = |name: &str, who| Row::new(name, of(peers, times, who));
        let mut table = Table::new(title);
        let base = row("start-stop-daemon --retry", Who::Dpkg);
        table.compare(&base, row("foobarctl stop", Who::Foobarctl), by_dpkg);
        let base = row("dash script with LSB functions", Who::Lsb);
        table.compare(&base, row("/etc/init.d/foobar stop", Who::Script), by_lsb);
        missed.extend(table.print());
    }
    missed
}

//! The whole run, from the first server to the graph.

use super::cores::{self, Cores};
use super::exchange::Exchange;
use super::launch::Server;
use super::load::Mode;
use super::measure::Series;
use super::options::Options;
use super::peers::{PEERS, Table};
use super::picture;
use super::saved;
use super::servers::{MODELS, Model, Workshop};
use super::stop;
use super::table::{self, Group};
use super::tree;

/// The models that are held against servers of HTTP.
const ANSWERERS: [&str; 3] = ["iterative", "prefork", "event"];

/// How many rounds the two servers of a model are measured in before they are started anew.
const TURNS: usize = 2;

/// The two loads, as files call them.
const SHORT: &str = "short";
const HELD: &str = "held";

/// Everything that was measured.
#[derive(Debug, Default)]
struct Figures {
    short: Vec<Group>,
    held: Vec<Group>,
    /// Model, server, KiB without clients.
    idle: Vec<(String, String, u64)>,
    missing: Vec<String>,
}

/// Measures what `options` ask for, prints it and draws it.
///
/// # Errors
/// Why it cannot go on; whatever was started has ended then.
pub fn all(options: &Options) -> Result<(), String> {
    if let Some(name) = options.models.iter().find(|name| MODELS.iter().all(|model| model.name != **name)) {
        return Err(format!("there is no model {name}"));
    }
    if let Some(saved) = &options.draw {
        return draw(options, &saved::load(saved, SHORT)?, &saved::load(saved, HELD)?);
    }
    stop::listen()?;
    let files = cores::raise_open_files()?;
    let most = options.clients.last().copied().unwrap_or(1);
    if files < most as u64 + 100 {
        return Err(format!(
            "{most} clients need more than {files} open files: raise the hard limit (ulimit -Hn)"
        ));
    }
    let cores = Cores::choose()?;
    let workshop = Workshop::new(cores, options.foobard.as_deref())?;
    cores::pin(cores.generator)?;
    println!("foobard: {}", workshop.foobard().display());
    println!("servers on core {}, clients on core {}", cores.server, cores.generator);
    if cores.server == cores.generator {
        println!("WARNING: there is one core only: servers and clients take it from each other");
    }
    if let Some(load) = cores::load().filter(|load| *load > 0.5) {
        println!("WARNING: the machine is busy (load average {load}): figures are of little use");
    }
    let mut figures = Figures::default();
    for model in MODELS.iter().filter(|model| options.wants(model.name)) {
        let (short, held) = (figures.short.len(), figures.held.len());
        measure(model, &workshop, options, &mut figures)?;
        // Model by model, so that an end before the end loses little.
        if let Some(file) = &options.save {
            saved::save(file, &[(SHORT, &figures.short[short..]), (HELD, &figures.held[held..])])?;
        }
    }
    let mut peers = Vec::new();
    if options.models.is_empty() {
        peers.push((
            "A program for each connection (the same for all), short connections",
            exec(&workshop, options, &mut figures)?,
        ));
        peers.push((
            "A tiny answer over HTTP/1.1, short connections",
            http(&workshop, options, &mut figures)?,
        ));
    }
    tell(&figures);
    for (title, groups) in &peers {
        let base = groups.first().and_then(|group| group.points.first()).map_or("", |point| &point.server);
        table::print(title, base, groups);
    }
    for line in &figures.missing {
        println!("\nMISSING: {line}");
    }
    if figures.short.is_empty() && figures.held.is_empty() {
        return Ok(());
    }
    draw(options, &figures.short, &figures.held)
}

fn draw(options: &Options, short: &[Group], held: &[Group]) -> Result<(), String> {
    std::fs::write(&options.svg, picture::of(short, held))
        .map_err(|error| format!("cannot write {}: {error}", options.svg.display()))?;
    println!("\ngraph: {}", options.svg.display());
    Ok(())
}

fn tell(figures: &Figures) {
    table::print("Short connections: connect, send 64 bytes, read 64 back, close", "C", &figures.short);
    table::print("Held connections: send 64 bytes, read 64 back, again and again", "C", &figures.held);
    if !figures.held.is_empty() {
        table::print_memory(&figures.held, &figures.idle);
    }
    table::print_verdict(&[("short connections", &figures.short), ("held connections", &figures.held)]);
}

/// One model: the bare loop, and foobard if it knows the model. They are started anew for every two rounds, in which each comes
/// first once: where a process lies in memory makes it some percent quicker or slower for its whole life.
fn measure(
    model: &Model,
    workshop: &Workshop,
    options: &Options,
    figures: &mut Figures,
) -> Result<(), String> {
    let of = |mode: Mode, most: usize| {
        let mut clients: Vec<usize> = options.clients.iter().map(|clients| *clients.min(&most)).collect();
        clients.dedup();
        clients.into_iter().map(|clients| Series::new(mode, clients)).collect::<Vec<Series>>()
    };
    let mut short = if options.loads(SHORT) { of(Mode::Short, usize::MAX) } else { Vec::new() };
    let mut held = if options.loads(HELD) { of(Mode::Held, model.holds) } else { Vec::new() };
    let mut ours = true;
    let rounds = options.times.rounds;
    for done in (0..rounds).step_by(TURNS) {
        eprintln!("{}: round {} of {rounds}", model.name, done + 1);
        let mut servers = vec![workshop.reference(model.name)?];
        match ours.then(|| workshop.foobard_with(model, None)) {
            Some(Ok(server)) => servers.push(server),
            Some(Err(why)) => {
                stop::check()?;
                ours = false;
                figures.missing.push(format!("foobard with model = \"{}\": {why}", model.name));
            }
            None => {}
        }
        let all: Vec<&Server> = servers.iter().collect();
        let count = TURNS.min(rounds - done);
        for series in &mut short {
            series.take(&all, &Exchange::Echo, options.times, count)?;
        }
        // Not before the first load: what a server has grown to by then it keeps, whoever comes next.
        if done == 0 && !held.is_empty() {
            let idle = |server: &Server| tree::memory(server.group()).kib;
            let idle =
                servers.iter().map(|server| (model.name.to_owned(), server.name.clone(), idle(server)));
            figures.idle.extend(idle);
        }
        for series in &mut held {
            series.take(&all, &Exchange::Echo, options.times, count)?;
        }
    }
    for (series, groups) in [(short, &mut figures.short), (held, &mut figures.held)] {
        if !series.is_empty() {
            let points = series.iter().flat_map(Series::points).collect();
            groups.push(Group { name: model.name.to_owned(), points });
        }
    }
    Ok(())
}

/// Servers that run already, under short connections.
fn group(name: &str, servers: &[Server], exchange: &Exchange, options: &Options) -> Result<Group, String> {
    let servers: Vec<&Server> = servers.iter().collect();
    let mut points = Vec::new();
    for clients in &options.peer_clients {
        eprintln!("{name}: {} clients", table::thousands(*clients as f64));
        let mut series = Series::new(Mode::Short, *clients);
        series.take(&servers, exchange, options.times, options.times.rounds)?;
        points.extend(series.points());
    }
    Ok(Group { name: name.to_owned(), points })
}

/// foobard, the bare loop and the super-servers of others executing the same program. tcpserver leads the table if it
/// is there, since the others are compared with it.
fn exec(workshop: &Workshop, options: &Options, figures: &mut Figures) -> Result<Vec<Group>, String> {
    let mut servers = peers(Table::Exec, workshop, figures)?;
    servers.push(named("C, vfork and exec", workshop.reference("exec")?));
    let fork = MODELS.iter().find(|model| model.name == "fork");
    if let Some(fork) = fork {
        match workshop.foobard_with(fork, Some(&workshop.echo)) {
            Ok(server) => servers.push(named("foobard, service exec", server)),
            Err(why) => figures.missing.push(format!("foobard with service = \"exec\": {why}")),
        }
    }
    Ok(vec![group("exec", &servers, &Exchange::Echo, options)?])
}

/// What others answer, nginx first, and foobard's library in the models that suit: the same bytes.
fn http(workshop: &Workshop, options: &Options, figures: &mut Figures) -> Result<Vec<Group>, String> {
    let mut servers = peers(Table::Http, workshop, figures)?;
    let Some(peer) = PEERS.iter().find(|peer| peer.table == Table::Http) else { return Ok(Vec::new()) };
    let exchange = peer.exchange();
    for model in MODELS.iter().filter(|model| ANSWERERS.contains(&model.name)) {
        match workshop.answerer(model, &exchange) {
            Ok(server) => servers.push(server),
            Err(why) => figures.missing.push(format!("HTTP with model = \"{}\": {why}", model.name)),
        }
        stop::check()?;
    }
    Ok(vec![group("HTTP", &servers, &exchange, options)?])
}

fn peers(table: Table, workshop: &Workshop, figures: &mut Figures) -> Result<Vec<Server>, String> {
    let mut servers = Vec::new();
    for peer in PEERS.iter().filter(|peer| peer.table == table) {
        match peer.start(workshop) {
            Ok(server) => servers.push(server),
            Err(why) => figures.missing.push(format!("{}: {why}", peer.name)),
        }
        stop::check()?;
    }
    Ok(servers)
}

fn named(name: &str, mut server: Server) -> Server {
    name.clone_into(&mut server.name);
    server
}

//! The whole run, from the first server to the graph.

use super::cores::{self, Cores};
use super::exchange::Exchange;
use super::launch::Server;
use super::load::Mode;
use super::measure::compare;
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

/// One model: the bare loop, and foobard if it knows the model.
fn measure(
    model: &Model,
    workshop: &Workshop,
    options: &Options,
    figures: &mut Figures,
) -> Result<(), String> {
    let mut servers = vec![workshop.reference(model.name)?];
    match workshop.foobard_with(model, None) {
        Ok(server) => servers.push(server),
        Err(why) => {
            stop::check()?;
            figures.missing.push(format!("foobard with model = \"{}\": {why}", model.name));
        }
    }
    if options.loads("short") {
        let short = group(model.name, &servers, &Exchange::Echo, Mode::Short, &options.clients, options)?;
        figures.short.push(short);
    }
    if !options.loads("held") {
        return Ok(());
    }
    // Not before the first load: what a server has grown to by then it keeps, whoever comes next.
    for server in &servers {
        let idle = tree::memory(server.group()).kib;
        figures.idle.push((model.name.to_owned(), server.name.clone(), idle));
    }
    let mut held: Vec<usize> = options.clients.iter().map(|clients| *clients.min(&model.holds)).collect();
    held.dedup();
    figures.held.push(group(model.name, &servers, &Exchange::Echo, Mode::Held, &held, options)?);
    Ok(())
}

fn group(
    name: &str,
    servers: &[Server],
    exchange: &Exchange,
    mode: Mode,
    clients: &[usize],
    options: &Options,
) -> Result<Group, String> {
    let servers: Vec<&Server> = servers.iter().collect();
    let mut points = Vec::new();
    for clients in clients {
        let what = if mode == Mode::Short { "short connections" } else { "held connections" };
        eprintln!("{name}: {what}, {} clients", table::thousands(*clients as f64));
        points.extend(compare(&servers, exchange, mode, *clients, options.times)?);
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
    Ok(vec![group("exec", &servers, &Exchange::Echo, Mode::Short, &options.peer_clients, options)?])
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
    Ok(vec![group("HTTP", &servers, &exchange, Mode::Short, &options.peer_clients, options)?])
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

//! What must hold between values that are each good by themselves. Where they came from is known to the caller.

use super::value::{ModelName, Server, ServiceName};

/// What is wrong with `server` alone: the key to look at, and what to do about it.
pub(crate) fn alone(server: &Server) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let mut must = |holds: bool, key: &'static str, message: &str| {
        if !holds {
            found.push((key, message.to_owned()));
        }
    };
    let datagrams = server.listen.iter().any(crate::address::Address::is_datagram);
    must(
        !datagrams || matches!(server.model, ModelName::Iterative | ModelName::Prefork),
        "model",
        "UDP is served by one request and one answer: write iterative or prefork, or give UDP a [[server]] of its own",
    );
    must(server.pool.min_spare <= server.pool.max_spare, "min-spare", "is above max-spare: lower it");
    must(server.pool.start <= server.pool.max, "start-workers", "is above max-workers: lower it");
    must(server.pool.min_spare <= server.pool.max, "min-spare", "is above max-workers: lower it");
    must(
        server.service != ServiceName::Exec || server.program.is_some(),
        "program",
        "is missing: name the program that service exec is to execute",
    );
    must(
        server.service != ServiceName::Proxy || server.backend.is_some(),
        "backend",
        "is missing: name the server that service proxy is to connect to",
    );
    let bounced = datagrams && server.service == ServiceName::Chargen;
    must(
        !bounced || server.listen.iter().all(|address| !address.is_datagram() || address.is_local()),
        "listen",
        "chargen over UDP answers more than it is asked, to a sender that can be forged: write a loopback address",
    );
    found
}

/// What is wrong with the servers beside each other: which, and what to do about it.
pub(crate) fn together(servers: &[Server]) -> Option<(String, String)> {
    for (index, server) in servers.iter().enumerate() {
        for other in &servers[index + 1..] {
            if server.name == other.name {
                return Some((server.name.clone(), "two servers have this name: rename one".to_owned()));
            }
            if let Some(address) = server.listen.iter().find(|address| other.listen.contains(address)) {
                let message = format!("listens on {address} as {} does: remove one", server.name);
                return Some((other.name.clone(), message));
            }
        }
    }
    let unmanaged = servers.iter().find(|server| !server.pool.manager && server.model == ModelName::Prefork);
    unmanaged.filter(|_| servers.len() > 1).map(|server| {
        let message = "manager = false is for a daemon with one server: let it be the only one";
        (server.name.clone(), message.to_owned())
    })
}

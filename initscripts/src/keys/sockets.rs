//! Keys: listening sockets that the service is handed. Each is a table, `[[socket]]`, with keys of its own.

use toml::de::DeValue;

use super::distance::distance;
use super::key::{Field, Key, key};
use super::read::{self, Fault, Item, mismatch};
use crate::service::{Listen, Mode, Socket, SocketKind, Word as _, account, ident};

/// The key that holds the tables.
pub(super) const KEYS: &[Key] = &[Key {
    name: "socket",
    directive: "",
    meaning: "listening sockets, each a table [[socket]] at the end of the file; the program gets them by LISTEN_FDS, and they stay open when it is restarted; so a connection to one tells nothing of the program, and is refused as a probe",
    words: "tables below [[socket]], or a list of what to listen on",
    set: |service, item| {
        let tables = read::elements(item, "tables below [[socket]], or a list of what to listen on")?;
        service.sockets = tables.iter().map(socket).collect::<Result<_, _>>()?;
        Ok(())
    },
    get: |service| {
        let tables: Vec<String> = service.sockets.iter().map(inline).collect();
        Some(format!("[{}]", tables.join(", ")))
    },
}];

/// The keys of such a table.
pub const SOCKET_KEYS: &[Field<Socket>] = &[
    key!(Text "listen" "ListenStream" "what to listen on: PORT, ADDRESS:PORT, [ADDRESS]:PORT, /PATH or @NAME; must be there",
        listen, Listen::parse),
    key!(Text "type" "" "stream, datagram or sequential-packet", kind, SocketKind::parse),
    key!(Text "name" "FileDescriptorName" "its name in LISTEN_FDNAMES; that of the service if not given", name, ident),
    key!(Number "backlog" "Backlog" "connections that may wait", backlog, 1_u32..=65_535),
    key!(Text "mode" "SocketMode" "mode of a Unix socket", mode, Mode::parse),
    key!(Text "user" "SocketUser" "owner of a Unix socket", user, account),
    key!(Text "group" "SocketGroup" "group of a Unix socket", group, account),
    key!(Flag "reuse-port" "ReusePort" "whether other programs may listen on the port, too", reuse_port),
    key!(Flag "free-bind" "FreeBind" "whether the address need not be there yet", free_bind),
    key!(Flag "ipv6-only" "BindIPv6Only" "whether an IPv6 address serves IPv6 alone", ipv6_only),
];

/// A socket before its table is read, for which nothing but the address has no default.
fn fresh() -> Socket {
    Socket::new(Listen::Abstract(String::new()))
}

fn socket(item: &Item<'_>) -> Result<Socket, Fault> {
    let table = match item.get_ref() {
        DeValue::Table(table) => table,
        DeValue::String(_) => return read::text(item, Listen::parse).map(Socket::new),
        _ => return Err(mismatch(item, "a table below [[socket]], or what to listen on")),
    };
    let mut socket = fresh();
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    for (name, value) in entries {
        let known = SOCKET_KEYS.iter().find(|key| key.name == name.get_ref().as_ref());
        let known = known.ok_or_else(|| (name.span(), unknown(name.get_ref())))?;
        (known.set)(&mut socket, value).map_err(|(span, text)| (span, format!("{}: {text}", known.name)))?;
    }
    let is_inet = match &socket.listen {
        Listen::Abstract(name) if name.is_empty() => {
            return Err((
                item.span(),
                "the key 'listen' is missing: say what to listen on, listen = \"80\"".to_owned(),
            ));
        }
        listen => matches!(listen, Listen::Inet(_)),
    };
    if is_inet && socket.kind == SocketKind::SequentialPacket {
        return Err((item.span(), "type 'sequential-packet' is for Unix sockets: use 'stream'".to_owned()));
    }
    Ok(socket)
}

fn unknown(name: &str) -> String {
    let near = SOCKET_KEYS.iter().map(|key| (distance(name, key.name), key.name)).min();
    let remedy = match near {
        Some((distance, near)) if distance <= 2 => format!("did you mean '{near}'?"),
        _ => {
            format!("the keys are {}", SOCKET_KEYS.iter().map(|key| key.name).collect::<Vec<_>>().join(", "))
        }
    };
    format!("unknown key '{}': {remedy}", name.escape_debug())
}

/// The table in one line, with what is not the default.
fn inline(socket: &Socket) -> String {
    let usual = fresh();
    let given = SOCKET_KEYS.iter().filter_map(|key| {
        let value = (key.get)(socket)?;
        ((key.get)(&usual).as_ref() != Some(&value)).then(|| format!("{} = {value}", key.name))
    });
    format!("{{ {} }}", given.collect::<Vec<_>>().join(", "))
}

//! From the configuration of a server to the service that it names.

use std::sync::Arc;

use super::chargen::Chargen;
use super::datagram::Caution;
use super::daytime::Daytime;
use super::discard::Discard;
use super::echo::Echo;
use super::exec::Exec;
use super::proxy::Proxy;
use super::time::Time;
use crate::config::{Server, ServiceName};
use crate::handler::Handler;

/// The service of `server`.
///
/// # Errors
/// What the configuration lacks.
pub fn service(server: &Server) -> Result<Arc<dyn Handler>, String> {
    let caution = Caution::of(server);
    Ok(match server.service {
        ServiceName::Echo => Arc::new(Echo::new(caution)),
        ServiceName::Discard => Arc::new(Discard),
        ServiceName::Chargen => Arc::new(Chargen::new(caution)),
        ServiceName::Daytime => Arc::new(Daytime::new(caution)),
        ServiceName::Time => Arc::new(Time::new(caution)),
        ServiceName::Exec => Arc::new(Exec::new(server)?),
        ServiceName::Proxy => Arc::new(Proxy::new(server)?),
    })
}

//! A daytime server (RFC 867) over TCP and UDP, with a setting of its own:
//!
//! ```toml
//! listen = "127.0.0.1:1313"
//! [settings]
//! greeting = "It is"
//! ```

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use foobard::address::Address;
use foobard::config::{ModelName, Server};
use foobard::connection::Connection;
use foobard::daemon::Daemon;
use foobard::handler::Handler;
use serde::Deserialize;

/// The table `[settings]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    #[serde(default)]
    greeting: String,
}

struct Daytime {
    greeting: String,
}

impl Daytime {
    fn text(&self) -> String {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let (hours, minutes, seconds) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        format!("{} {hours:02}:{minutes:02}:{seconds:02} UTC\r\n", self.greeting)
    }
}

impl Handler for Daytime {
    fn serve(&self, connection: &mut Connection<'_>) -> io::Result<()> {
        connection.write_all(self.text().as_bytes())?;
        // Nobody reads what the client may say.
        connection.farewell()
    }

    fn takes_datagrams(&self) -> bool {
        true
    }

    fn answer(&self, _request: &[u8], _sender: SocketAddr, answer: &mut Vec<u8>) -> bool {
        answer.extend_from_slice(self.text().as_bytes());
        true
    }
}

fn main() -> ExitCode {
    let here = SocketAddr::from(([127, 0, 0, 1], 1313));
    let server = Server {
        listen: vec![Address::Tcp(here), Address::Udp(here)],
        model: ModelName::Iterative,
        ..Server::default()
    };
    Daemon::new("daytimed").server(server).with_settings().main(&|server: &Server| {
        let Settings { greeting } = server.settings.read()?;
        Ok(Arc::new(Daytime { greeting }))
    })
}

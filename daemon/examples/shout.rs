//! A daemon in twenty lines: what a client writes comes back in capitals, line by line.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::ExitCode;

use foobard::connection::Connection;
use foobard::daemon::Daemon;

fn main() -> ExitCode {
    Daemon::new("shoutd").about("Answers every line in capitals").serve(|connection: &mut Connection<'_>| {
        let mut lines = BufReader::new(connection);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line)? > 0 {
            lines.get_mut().write_all(&line.to_ascii_uppercase())?;
            line.clear();
        }
        Ok(())
    })
}

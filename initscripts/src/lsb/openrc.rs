//! Scripts for openrc-run(8), which have no LSB header: what insserv takes them for.

/// What insserv says of every script of OpenRC, without reading it.
const HEADER: &[u8] = b"### BEGIN INIT INFO
# Required-Start: $remote_fs $syslog
# Required-Stop: $remote_fs $syslog
# Default-Start: 2 3 4 5
# Default-Stop: 0 1 6
### END INIT INFO
";

/// The header that stands for a script of OpenRC.
pub(crate) fn header(script: &[u8]) -> Option<&'static [u8]> {
    let begins: [&[u8]; 2] = [b"#!/sbin/openrc-run", b"#!/usr/sbin/openrc-run"];
    begins.iter().any(|begin| script.starts_with(begin)).then_some(HEADER)
}

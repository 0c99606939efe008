//! Keys: where the output of the service goes.

use super::key::{Key, key};
use super::read;
use crate::service::{Facility, Level, Output, Word as _, absolute_path, age, ident, pause};

/// Output.
pub(super) const KEYS: &[Key] = &[
    key!(Text "log-output" "StandardOutput" "where the lines go that it writes: syslog, file, both, null", logging.output, Output::parse),
    key!(Text "log-facility" "SyslogFacility" "facility in syslog, such as local0", logging.facility, Facility::parse),
    key!(Text "log-ident" "SyslogIdentifier" "name in syslog; that of the service if not given", logging.ident, ident),
    key!(Text "log-level" "SyslogLevel" "level of lines that say none: emerg, alert, crit, err, warning, notice, info, debug",
        logging.level, Level::parse),
    key!(Flag "log-level-prefix" "SyslogLevelPrefix" "whether <N> at the begin of a line is its level", logging.level_prefix),
    key!(Text "log-file" "" "the file; /var/log/NAME.log if not given", logging.file, absolute_path),
    key!(Amount "log-max-size" "" "bytes at which the file is rotated", logging.max_size),
    key!(Span "log-max-age" "" "age at which it is", logging.max_age, age),
    key!(Number "log-keep" "" "how many old files are kept", logging.keep, 0_u32..=1000),
    key!(Span "log-rate-interval" "LogRateLimitIntervalSec" "at most log-rate-burst lines in this time are taken; 0: all", logging.rate_interval, pause),
    key!(Number "log-rate-burst" "LogRateLimitBurst" "how many lines that are; 0: no limit", logging.rate_burst, 0_u32..=1_000_000_000),
    key!(Number "log-line-max" "" "bytes at which a line is split", logging.line_max, 80_u32..=1_048_576),
];

//! Keys: runlevels, and the order of starts and stops.

use super::key::{Key, key};
use super::read;
use crate::service::{facility, start_levels};

/// A list of services and, if `system`, of system facilities such as `$network`.
macro_rules! facilities {
    ($name:literal $directive:literal $meaning:literal, $field:ident, system: $system:literal) => {
        key!(List $name $directive $meaning, $field, |text| facility(text, $system))
    };
}

/// Runlevels and order.
pub(super) const KEYS: &[Key] = &[
    key!(Text "runlevels" "WantedBy" "the runlevels that it is started in, of 1 to 5 and S; \"\" for none", runlevels, start_levels),
    facilities!("after" "After" "services and facilities that it starts after and stops before, where they exist", after, system: true),
    facilities!("before" "Before" "services that it starts before and stops after", before, system: true),
    facilities!("wants" "Wants" "as after", wants, system: true),
    facilities!("requires" "Requires" "services and facilities that must be there; it starts after and stops before them", requires, system: true),
    facilities!("provides" "Alias" "facilities that it provides beside its name", provides, system: false),
    facilities!("required-start" "" "what must be there before it starts", required_start, system: true),
    facilities!("required-stop" "" "what must be there until it has stopped", required_stop, system: true),
    facilities!("should-start" "" "what it starts after, where that exists", should_start, system: true),
    facilities!("should-stop" "" "what it stops before, where that exists", should_stop, system: true),
    facilities!("start-before" "" "what must not start before it", start_before, system: true),
    facilities!("stop-after" "" "what must not stop after it", stop_after, system: true),
];

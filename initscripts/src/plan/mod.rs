//! What to change in a root so that a service is installed, uninstalled, enabled or disabled: the wanted
//! state minus what is there. Pure: the caller reads the root before and carries the steps out after.

mod entry;
mod hooks;
mod insserv;
mod install;
mod links;
mod moved;
mod numbers;
mod openrc;
mod put;
mod rcs;
mod request;
mod respawn;
mod sysv;
mod toggle;
mod uninstall;

pub use crate::step::{Before, Plan, Step, checksum};
pub use install::install;
pub use request::{Existing, Extra, Found, Install, PlanError, Toggle, Uninstall, watched};
pub use respawn::respawn;
pub use toggle::{disable, enable};
pub use uninstall::uninstall;

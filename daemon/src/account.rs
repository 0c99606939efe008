//! The account that a configuration names: found, and permitted, before anything is started.

use foobar_process::Uid;
use foobar_process::privilege::{Account, PrivilegeError};

use crate::config::Config;
use crate::exit::{Exit, Failure};

/// The account to become, if one is configured.
///
/// # Errors
/// It does not exist (6), or the caller may not become it (4).
pub fn of(config: &Config) -> Result<Option<Account>, Failure> {
    let Some(user) = &config.user else { return Ok(None) };
    let account = Account::lookup(user, config.group.as_deref()).map_err(|error| refused(&error))?;
    let own = Uid::effective();
    if !own.is_root() && account.uid() != own {
        return Err(refused(&PrivilegeError::NotRoot(user.clone())));
    }
    Ok(Some(account))
}

/// The exit code that belongs to `error`.
#[must_use]
pub fn refused(error: &PrivilegeError) -> Failure {
    let exit = match error {
        PrivilegeError::NoUser(_) | PrivilegeError::NoGroup(_) | PrivilegeError::NotAName(_) => {
            Exit::NotConfigured
        }
        PrivilegeError::NotRoot(_) => Exit::Permission,
        PrivilegeError::Call { source, .. } => Exit::of(source),
        PrivilegeError::Database { .. } | PrivilegeError::NotVerified { .. } => Exit::Error,
    };
    Failure::new(exit, error)
}

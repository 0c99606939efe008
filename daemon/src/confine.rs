//! What narrows the daemon before it serves: root directory, account, no new privileges, in the one right order.

use foobar_process::Uid;
use foobar_process::privilege::{self, Account};

use crate::account;
use crate::config::Config;
use crate::exit::{Exit, Failure};

/// Whether what `config` asks for can be had, as far as that is known before it is done.
///
/// # Errors
/// Not root (4), or no such directory (6).
pub(crate) fn possible(config: &Config) -> Result<(), Failure> {
    let Some(directory) = &config.chroot else { return Ok(()) };
    if !Uid::effective().is_root() {
        let text = "only root can change the root directory: start it as root, or take chroot out of the configuration";
        return Err(Failure::new(Exit::Permission, text));
    }
    if directory.is_dir() {
        return Ok(());
    }
    let text = format!("chroot = {:?}: no such directory: make it, or name another", directory.display());
    Err(Failure::new(Exit::NotConfigured, text))
}

/// Gives up what is not needed any more. After an error the process must end.
///
/// # Errors
/// As [`possible`], and what the system calls say.
pub(crate) fn confine(config: &Config, account: Option<Account>) -> Result<(), Failure> {
    if let Some(directory) = &config.chroot {
        let doing = format!("cannot change the root directory to {}", directory.display());
        privilege::confine(directory).map_err(|error| Failure::io(doing, &error))?;
    }
    if let Some(account) = account {
        account.assume().map_err(|error| account::refused(&error))?;
    }
    if config.no_new_privileges {
        let failed = |error| Failure::io("cannot set no-new-privileges", &error);
        privilege::no_new_privileges().map_err(failed)?;
    }
    Ok(())
}

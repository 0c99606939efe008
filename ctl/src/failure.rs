//! Why a verb could not be carried out: the words for the user and the LSB exit code for the caller.
//! It prints nothing and ends nothing.

use std::io;

use foobar_initscripts::exit::Action;

/// An error that carries its exit code. Errors of other types that reach `main` count as
/// [`Action::Error`].
#[derive(Debug)]
pub struct Failure {
    /// What the exit code says (LSB Core, "Init Script Actions").
    pub action: Action,
    /// Lower case, without a full stop, naming the path, line or PID and the remedy.
    pub message: String,
}

impl Failure {
    /// An error for `anyhow` to carry up.
    pub fn error(action: Action, message: impl Into<String>) -> anyhow::Error {
        anyhow::Error::new(Failure { action, message: message.into() })
    }

    /// A message about a failed system call; code and remedy say if it was refused for want of rights.
    pub fn of_io(error: &io::Error, message: String) -> anyhow::Error {
        match action_of_io(error) {
            Action::Permission => {
                Failure::error(Action::Permission, message + "; do it as root or as the owner")
            }
            other => Failure::error(other, message),
        }
    }

    /// What the exit code of `error` says, whoever made it: permission problems of the file system are
    /// recognised however deep they are.
    pub fn action_of(error: &anyhow::Error) -> Action {
        if let Some(failure) = error.downcast_ref::<Failure>() {
            return failure.action;
        }
        let io = error.chain().find_map(|cause| cause.downcast_ref::<io::Error>());
        io.map_or(Action::Error, action_of_io)
    }
}

fn action_of_io(error: &io::Error) -> Action {
    if error.kind() == io::ErrorKind::PermissionDenied { Action::Permission } else { Action::Error }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    #[test]
    fn a_code_is_found_below_any_context() {
        let error = Err::<(), _>(Failure::error(Action::NotInstalled, "no program"));
        assert_eq!(Failure::action_of(&error.context("while starting").unwrap_err()), Action::NotInstalled);
    }

    #[test]
    fn a_denied_file_is_a_question_of_permission() {
        let io = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        let error = Err::<(), _>(io).context("cannot write /etc/x").unwrap_err();
        assert_eq!(Failure::action_of(&error), Action::Permission);
        assert_eq!(Failure::action_of(&anyhow::anyhow!("odd")), Action::Error);
    }
}

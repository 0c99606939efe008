//! The types of services: what must happen until one counts as started.

use super::text::BadValue;
use super::words::{Word, words};

words! {
    /// How a program starts and when it is ready, in the words of systemd.service(5); `fd` is s6's.
    Kind, "type" {
        /// Ready when its program has been executed: a program that is not there, an account that does not exist fail the
        /// start. It stays in the foreground.
        Exec = "exec",
        /// Ready at once, before the program is executed. It stays in the foreground.
        Simple = "simple",
        /// Ready when it says `READY=1` by sd_notify(3).
        Notify = "notify",
        /// As notify; to reload it gets the reload-signal, says `RELOADING=1` with a time, and then `READY=1`.
        NotifyReload = "notify-reload",
        /// Ready when it has written a newline to the descriptor `ready-fd`, as services of s6 do.
        Fd = "fd",
        /// The program puts itself into the background; when its first process exits with 0, it is ready and
        /// its PID file is there.
        Forking = "forking",
        /// The program does its work and ends; ready when it has exited with success.
        Oneshot = "oneshot",
    }
}

impl Kind {
    /// The kind of a word.
    ///
    /// # Errors
    /// [`BadValue`], which tells a misspelt word from types of systemd that are not there.
    pub fn of(word: &str) -> Result<Kind, BadValue> {
        match word {
            "dbus" => Err(BadValue::new(
                "type 'dbus' is not there: no bus is asked",
                "use 'exec', or 'notify' if the program can do that, or 'exec' with ready-unix or ready-command",
            )),
            "idle" => Err(BadValue::new("type 'idle' is not there: init knows no idle", "use 'simple'")),
            _ => Kind::parse(word),
        }
    }
}

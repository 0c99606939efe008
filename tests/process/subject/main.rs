//! The program that the fault tests torment: a process without threads that does one thing with foobar-process, named by
//! its first argument. It is no daemon for use; `heartbeat` is the example to read.

mod daemon;
mod small;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["daemon", pid_file, options @ ..] => daemon::detached(pid_file, options),
        ["hold", pid_file, options @ ..] => daemon::attached(pid_file, options),
        ["deaf"] => small::deaf(),
        ["patient"] => small::patient(),
        ["look", pid_file] => small::look(pid_file),
        ["stop", pid] => small::stop(pid),
        ["usage", pid] => small::usage(pid),
        ["lock", kind, file] => small::lock(kind, file),
        ["terminal", way] => small::terminal(way),
        ["assume", user] => small::assume(user),
        ["spawn", program, rest @ ..] => small::spawn(program, rest),
        ["reap", way] => small::reap(way),
        ["threads"] => small::threads(),
        ["stack"] => small::stack(),
        ["program"] => small::program(),
        ["open-files", wanted] => small::open_files(wanted),
        _ => Err(format!("unknown words {words:?}").into()),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("subject: {error}");
            ExitCode::FAILURE
        }
    }
}

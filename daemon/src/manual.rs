//! foobard(8) and the completions of shells, from the definition of the command line and the tables of keys, signals
//! and exit codes: what is said here is what is so. Nothing is printed here.

use std::io;

use clap_complete::{generate, shells};
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};

use crate::cli::{self, Program, Shell};
use crate::config::{KEYS, Key};
use crate::{event, exit};

const INTRODUCTION: &str = "The configuration is TOML, one KEY = VALUE a line. Every key may be left out; behind each stands \
     its default, if it has one. Unknown keys are refused. foobard --check tells what is wrong with a file.";
const OF_SERVERS: &str = "A configuration without tables describes one server. Several servers are written one below the \
     other, each after a line [[server]]; what stands before the first of these lines counts for all of them.";
const OF_DAEMON: &str = "These stand before the first [[server]].";
const SEE_ALSO: [(&str, &str); 6] =
    [("foobarctl", "8"), ("init", "8"), ("inittab", "5"), ("syslog", "3"), ("daemon", "7"), ("signal", "7")];

/// The manual page, as source for man(1).
///
/// # Errors
/// None in practice: it is written to memory.
pub fn page(program: &Program) -> io::Result<String> {
    let man = Man::new(cli::command(program))
        .section("8")
        .source(format!("{} {}", program.name, program.version))
        .manual("System Administration");
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    let mut more = Roff::new();
    configuration(&mut more);
    signals(&mut more);
    exit_status(&mut more);
    files(&mut more, program);
    see_also(&mut more);
    more.to_writer(&mut text)?;
    String::from_utf8(text).map_err(io::Error::other)
}

/// What `shell` reads to complete the options.
///
/// # Errors
/// None in practice: it is written to memory.
pub fn completions(shell: Shell, program: &Program) -> io::Result<String> {
    let (mut command, mut text) = (cli::shown(program), Vec::new());
    match shell {
        Shell::Bash => generate(shells::Bash, &mut command, program.name, &mut text),
        Shell::Zsh => generate(shells::Zsh, &mut command, program.name, &mut text),
        Shell::Fish => generate(shells::Fish, &mut command, program.name, &mut text),
    }
    String::from_utf8(text).map_err(io::Error::other)
}

fn configuration(page: &mut Roff) {
    page.control("SH", ["CONFIGURATION"]);
    page.text([roman(INTRODUCTION)]);
    let (of_servers, of_daemon): (Vec<&Key>, Vec<&Key>) = KEYS.iter().partition(|key| key.of_server());
    for (title, text, keys) in
        [("Keys of a server", OF_SERVERS, of_servers), ("Keys of the daemon", OF_DAEMON, of_daemon)]
    {
        page.control("SS", [title]);
        page.text([roman(text)]);
        for key in keys {
            let mut head = vec![bold(key.name)];
            if !key.default.is_empty() {
                head.push(roman(format!(" = {}", key.default)));
            }
            entry(page, head, key.meaning);
        }
    }
}

fn signals(page: &mut Roff) {
    page.control("SH", ["SIGNALS"]);
    for (signal, _, meaning) in event::TABLE {
        entry(page, vec![bold(signal.as_str())], meaning);
    }
}

fn exit_status(page: &mut Roff) {
    page.control("SH", ["EXIT STATUS"]);
    for (_, code, meaning) in exit::TABLE {
        entry(page, vec![bold(code.to_string())], meaning);
    }
}

fn files(page: &mut Roff, program: &Program) {
    page.control("SH", ["FILES"]);
    if let Some(config) = &program.config {
        let text = "the configuration, unless --config names another";
        entry(page, vec![italic(config.display().to_string())], text);
    }
    let pid_file = program.pid_file.display().to_string();
    let lock = format!("{pid_file}.lock");
    entry(page, vec![italic(pid_file)], "the PID of the daemon, unless --pid-file names another");
    entry(page, vec![italic(lock)], "the lock that makes starts wait for each other");
    let control = foobar_process::control::path_for(&program.pid_file).display().to_string();
    let text = "the control socket, for root and whoever started the daemon: foobarctl(8) asks it for figures, for a \
                reload and for an upgrade";
    entry(page, vec![italic(control)], text);
}

fn see_also(page: &mut Roff) {
    page.control("SH", ["SEE ALSO"]);
    let mut line = Vec::new();
    for (name, section) in SEE_ALSO {
        if !line.is_empty() {
            line.push(roman(", "));
        }
        line.extend([bold(name), roman(format!("({section})"))]);
    }
    page.text(line);
}

/// A term and, indented below it, what it means.
fn entry(page: &mut Roff, term: Vec<Inline>, meaning: &str) {
    page.control("TP", []);
    page.text(term);
    page.text([roman(meaning)]);
}

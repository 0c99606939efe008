//! Texts that nobody would write: the parser must answer all of them, with a service or with an error in one line.

use foobar_initscripts::check;
use foobar_initscripts::execute::{expand, matches, parse_environment};
use foobar_initscripts::keys;

use super::{read, rows};
use crate::name;

/// Numbers that look random and are the same in each run: xorshift, Marsaglia 2003.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(below).unwrap()).unwrap()
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.next(from.len())]
    }
}

/// Pieces of which values are made that are nearly right.
const PIECES: &[&str] = &[
    "\"",
    "'",
    "\\",
    "\\\\",
    "[",
    "]",
    "{",
    "}",
    "[[",
    "]]",
    "=",
    ",",
    "#",
    "\n",
    "\r",
    "\t",
    " ",
    "\0",
    "-",
    "~",
    "!",
    "|",
    ":",
    "/",
    "..",
    "/x",
    "@",
    "$",
    "${",
    "$$",
    "0",
    "-1",
    "18446744073709551616",
    "1e999",
    "nan",
    "inf",
    "0x",
    "0o9",
    "1979-05-27",
    "true",
    "infinity",
    "1min",
    "µs",
    "ü",
    "\u{202e}",
    "\u{feff}",
    "CAP_KILL",
    "SIGKILL",
    "http://",
    "[::1]:1",
    "listen",
    "socket",
    "program = \"/x\"",
    "\"\"\"",
    "\\u0000",
    "\\x00",
    "K",
    "9999999999999999999s",
];

fn answered(text: &str) {
    if let Err(error) = read(text) {
        assert!(error.starts_with("x:") && !error.contains(['\n', '\r', '\0']), "{text:?}: {error:?}");
    }
    let _ = check::service::read(&name("x"), "x", text.as_bytes());
}

#[test]
fn no_text_is_without_an_answer() {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let keys: Vec<&str> = keys::all().map(|key| key.name).collect();
    let rows = rows::rows();
    for _ in 0..20_000 {
        let mut text = String::from("program = \"/bin/x\"\n");
        for _ in 0..=numbers.next(3) {
            text.push_str(numbers.pick(&keys));
            text.push_str(" = ");
            // Half of the values begin as one that is right, so that they get past the first look.
            if numbers.next(2) == 0 {
                let good = numbers.pick(&rows).good;
                let cut = (0..=numbers.next(good.len() + 1)).rev().find(|at| good.is_char_boundary(*at));
                text.push_str(&good[..cut.unwrap_or(0)]);
            }
            for _ in 0..numbers.next(6) {
                text.push_str(numbers.pick(PIECES));
            }
            text.push('\n');
        }
        answered(&text);
    }
}

#[test]
fn every_key_answers_every_piece_as_text_list_and_table() {
    for key in keys::all() {
        for piece in PIECES {
            let quoted: String = piece.chars().map(|c| format!("\\U{:08X}", u32::from(c))).collect();
            for value in [
                (*piece).to_owned(),
                format!("\"{quoted}\""),
                format!("[\"{quoted}\"]"),
                format!("[\"/{quoted}\", \"{quoted}\"]"),
                format!("{{ listen = \"{quoted}\" }}"),
                format!("[{{ listen = \"{quoted}\", {piece} }}]"),
            ] {
                answered(&format!("program = \"/bin/x\"\n{} = {value}\n", key.name));
            }
        }
    }
}

#[test]
fn bytes_and_lengths_are_no_matter() {
    for text in [
        "\u{feff}",
        "a",
        "=",
        "[",
        "\"\"=1",
        &"[".repeat(10_000),
        &"a.".repeat(10_000),
        &"x = [\n".repeat(2_000),
    ] {
        answered(text);
    }
    let long = "x".repeat(1 << 20);
    answered(&format!("program = \"/{long}\"\narguments = [\"{long}\"]"));
    answered(&format!("{long} = 1"));
    answered(&format!("start-pre = [\"/bin/x {}\"]", "\\\\".repeat(1 << 18)));
    for bytes in [&b"\xff"[..], b"program = \"\xc3\"", b"\0\0\0"] {
        assert!(check::service::read(&name("x"), "x", bytes).is_err());
    }
}

#[test]
fn environment_files_arguments_and_patterns_have_an_answer_too() {
    let mut numbers = Numbers(42);
    for _ in 0..20_000 {
        let text: String = (0..numbers.next(12)).map(|_| numbers.pick(PIECES)).collect();
        let (variables, ignored) = parse_environment(text.as_bytes());
        assert!(variables.iter().all(|it| !it.value.contains('\0') && !it.name.contains('=')), "{text:?}");
        assert!(ignored.iter().all(|it| it.line >= 1 && !it.why.contains('\n')), "{text:?}");
        let words = [text.clone(), format!("${text}"), format!("${{{text}}}")];
        let _ = expand(&words, |_| Some(&text));
        let _ = matches(&text, numbers.pick(PIECES));
    }
}

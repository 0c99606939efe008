//! Quoted strings through real shells: what comes out must be what went in, byte for byte.

use std::fs;

use foobar_initscripts::shell::quote_bytes;
use foobar_tests::Sandbox;

use crate::shells::{shells, streams};

/// Numbers that look random and are the same in every run (Marsaglia's xorshift64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// Fixed traps, and random strings of all bytes but NUL, rich in what means something to a shell.
fn strings() -> Vec<Vec<u8>> {
    let traps: [&[u8]; 18] = [
        b"",
        b" ",
        b"'",
        b"''",
        b"'\\''",
        b"\\",
        b"\n",
        b"\n\n",
        b"$(id)",
        b"`id`",
        b"${HOME}",
        b"-n",
        b"--",
        b"~",
        b"a=b",
        b"*",
        b"!x",
        b"\xff\xfe\x81\x88",
    ];
    let special = b"'\"\\$`!*?[]{}()<>|&;# \t\n=~-%";
    let mut numbers = Numbers(0x5eed_f00b_a12d_2026);
    let mut strings: Vec<Vec<u8>> = traps.iter().map(|trap| trap.to_vec()).collect();
    for _ in 0..3000 {
        let length = numbers.below(12);
        let byte = |numbers: &mut Numbers| match numbers.below(3) {
            0 => special[numbers.below(special.len() as u64) as usize],
            1 => b'a' + numbers.below(26) as u8,
            _ => 1 + numbers.below(255) as u8,
        };
        strings.push((0..length).map(|_| byte(&mut numbers)).collect());
    }
    strings
}

#[test]
fn every_string_survives_every_shell() {
    let sandbox = Sandbox::new("quoting");
    let script = sandbox.path().join("script.sh");
    let strings = strings();
    for chunk in strings.chunks(100) {
        let mut text = b"set --".to_vec();
        for string in chunk {
            text.push(b' ');
            text.extend(quote_bytes(string).unwrap());
        }
        // Printed by the real printf: a word must reach a program, and not only the shell itself.
        text.extend(b"\nexec /usr/bin/printf '%s\\0' \"$@\"\n");
        fs::write(&script, &text).unwrap();
        let wanted: Vec<u8> =
            chunk.iter().flat_map(|string| string.iter().copied().chain(std::iter::once(0))).collect();
        for shell in shells() {
            let output = shell.run(&script, &[]);
            assert!(output.stdout == wanted, "{}: {}", shell.name, streams(&output));
        }
    }
}

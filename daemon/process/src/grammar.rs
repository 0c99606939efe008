//! The one strict grammar of the text in a PID file. What follows from the number is decided in `probe`.

use nix::unistd::Pid;

/// The largest number that Linux gives a process: PID_MAX_LIMIT on 64-bit machines, proc(5) on pid_max.
const PID_MAX: i32 = 4 << 20;

/// The longest text looked at, in bytes; what is longer is no PID file.
pub(crate) const LONGEST: u64 = 32;

/// Why a text is not that of a PID file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Grammar {
    /// Nothing in it.
    #[error("it is empty")]
    Empty,
    /// Something else than one decimal number: a sign, a space, hexadecimal digits, a leading zero, words.
    #[error("it does not hold one plain decimal number")]
    NotANumber,
    /// Text after the first line.
    #[error("it holds more than one line")]
    SeveralLines,
    /// 0 and 1 name no daemon, and Linux knows no process over 4194304.
    #[error("its number is not one of a daemon's process (2 to {PID_MAX})")]
    OutOfRange,
}

/// Reads the text of a PID file: one decimal number from 2 to 4194304 without sign, blanks or leading zero, and one
/// newline, which some daemons leave out.
///
/// # Errors
/// For every other text; no number is guessed out of it.
pub fn parse(text: &[u8]) -> Result<Pid, Grammar> {
    let line = text.strip_suffix(b"\n").unwrap_or(text);
    if text.is_empty() {
        return Err(Grammar::Empty);
    }
    if line.contains(&b'\n') {
        return Err(Grammar::SeveralLines);
    }
    if line.is_empty() || !line.iter().all(u8::is_ascii_digit) || (line[0] == b'0' && line.len() > 1) {
        return Err(Grammar::NotANumber);
    }
    let number = std::str::from_utf8(line).ok().and_then(|digits| digits.parse::<i32>().ok());
    match number {
        Some(number @ 2..=PID_MAX) => Ok(Pid::from_raw(number)),
        _ => Err(Grammar::OutOfRange),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_and_a_newline() {
        assert_eq!(parse(b"4007\n"), Ok(Pid::from_raw(4007)));
        assert_eq!(parse(b"4007"), Ok(Pid::from_raw(4007)));
        assert_eq!(parse(b"2\n"), Ok(Pid::from_raw(2)));
        assert_eq!(parse(b"4194304\n"), Ok(Pid::from_raw(4_194_304)));
    }

    #[test]
    fn everything_else_is_refused() {
        let not_a_number: [&[u8]; 13] = [
            b"-1\n",
            b"+5\n",
            b"0x10\n",
            b"12 \n",
            b" 12\n",
            b"12garbage\n",
            b"\n",
            b"007\n",
            b"12\r\n",
            b"1e3\n",
            b"12\0\n",
            "１２\n".as_bytes(),
            b"\xff\n",
        ];
        for text in not_a_number {
            assert_eq!(parse(text), Err(Grammar::NotANumber), "{text:?}");
        }
        for text in
            ["0\n", "1\n", "4194305\n", "4294967298\n", "18446744073709551620\n", "99999999999999999999999\n"]
        {
            assert_eq!(parse(text.as_bytes()), Err(Grammar::OutOfRange), "{text:?}");
        }
        assert_eq!(parse(b"12\n13\n"), Err(Grammar::SeveralLines));
        assert_eq!(parse(b"12\n\n"), Err(Grammar::SeveralLines));
        assert_eq!(parse(b""), Err(Grammar::Empty));
    }

    #[test]
    fn what_is_accepted_is_written_the_same_way() {
        // A small generator of its own (xorshift), so that a failure can be repeated.
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let alphabet = b"0123456789-+x \n\t\0aF";
        for _ in 0..200_000 {
            let mut text = Vec::new();
            loop {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                if state % 6 == 0 {
                    break;
                }
                text.push(alphabet[(state >> 8) as usize % if state % 5 == 0 { alphabet.len() } else { 10 }]);
            }
            if let Ok(pid) = parse(&text) {
                let plain = pid.to_string();
                assert!(text == plain.as_bytes() || text == format!("{plain}\n").as_bytes(), "{text:?}");
                assert!(pid.as_raw() > 1);
            }
        }
    }
}

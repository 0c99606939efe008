//! Commands beside the program: what runs before it, after it, to reload and to stop it. Written as command lines of
//! systemd.service(5): words, quotes, backslashes and prefixes, but no shell.

use std::fmt;

use super::text::{BadValue, absolute_path, argument};

/// One command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The program, an absolute path.
    pub program: String,
    /// Its arguments, without the program itself.
    pub arguments: Vec<String>,
    /// Prefix `-`: that it fails is not a failure.
    pub ignore_failure: bool,
    /// Prefix `:`: $NAME and ${NAME} in the arguments stay as they are.
    pub no_expansion: bool,
    /// Prefix `+`: with the rights of the supervisor, without user, group and capabilities of the service.
    pub privileged: bool,
}

/// The commands of a service, each list run in order, one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Commands {
    /// Before the program; one that fails is a failure of the start.
    pub start_pre: Vec<Command>,
    /// When the program is ready.
    pub start_post: Vec<Command>,
    /// To have it read its configuration again, with MAINPID in the environment, in place of the reload-signal.
    pub reload: Vec<Command>,
    /// To ask it to end, with MAINPID in the environment; after them, what is left gets the stop-signal.
    pub stop: Vec<Command>,
    /// When the program is gone, by whatever way, with SERVICE_RESULT, EXIT_CODE and EXIT_STATUS in the environment.
    pub stop_post: Vec<Command>,
}

/// Reads one command line.
///
/// # Errors
/// [`BadValue`] with what is wrong.
pub(crate) fn command(text: &str) -> Result<Command, BadValue> {
    let (mut ignore_failure, mut no_expansion, mut privileged) = (false, false, false);
    let mut rest = text.trim();
    while let Some(prefix) = rest.chars().next().filter(|c| "-:+!@|".contains(*c)) {
        match prefix {
            '-' => ignore_failure = true,
            ':' => no_expansion = true,
            '+' => privileged = true,
            _ => {
                return Err(BadValue::new(
                    format!("prefix '{prefix}' of a command is not there"),
                    "use '-' (may fail), ':' (no variables) and '+' (with full rights)",
                ));
            }
        }
        rest = &rest[1..];
    }
    let mut words = words(rest)?.into_iter();
    let Some(program) = words.next() else {
        return Err(BadValue::new("the command is empty", "write program and arguments"));
    };
    let program = absolute_path(&program)?;
    let arguments = words.map(|word| argument(&word)).collect::<Result<_, _>>()?;
    Ok(Command { program, arguments, ignore_failure, no_expansion, privileged })
}

/// The words of a command line: blanks part them, quotes hold them together, and backslashes mean what they do in C.
fn words(text: &str) -> Result<Vec<String>, BadValue> {
    let mut found = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\\', _) => word.get_or_insert_default().push(escaped(&mut chars)?),
            (c, Some(open)) if c == open => quote = None,
            (c, Some(_)) => word.get_or_insert_default().push(c),
            // A quote opens only where a word begins; inside of one it is a character, as in it's.
            ('"' | '\'', None) if word.is_none() => {
                quote = Some(c);
                word = Some(String::new());
            }
            (c, None) if c.is_whitespace() => found.extend(word.take()),
            (c, None) => word.get_or_insert_default().push(c),
        }
    }
    if let Some(open) = quote {
        return Err(BadValue::new(
            format!("the quote {open} is not closed"),
            "close it, or write \\ before it",
        ));
    }
    found.extend(word);
    Ok(found)
}

fn escaped(chars: &mut std::str::Chars<'_>) -> Result<char, BadValue> {
    let code = |chars: &mut std::str::Chars<'_>, count: usize, radix: u32| {
        let digits: String = chars.take(count).collect();
        let value = u32::from_str_radix(&digits, radix).ok().filter(|_| digits.len() == count);
        value.filter(|value| *value != 0).and_then(char::from_u32)
    };
    let found = match chars.next() {
        Some('n') => Some('\n'),
        Some('t') => Some('\t'),
        Some('r') => Some('\r'),
        Some('a') => Some('\u{7}'),
        Some('b') => Some('\u{8}'),
        Some('f') => Some('\u{c}'),
        Some('v') => Some('\u{b}'),
        Some('s') => Some(' '),
        Some(c @ ('\\' | '"' | '\'' | ' ' | ';')) => Some(c),
        Some('x') => code(chars, 2, 16),
        Some('u') => code(chars, 4, 16),
        Some('U') => code(chars, 8, 16),
        _ => None,
    };
    found.ok_or_else(|| {
        BadValue::new("there is no such escape after the backslash", "write \\\\ for a backslash itself")
    })
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (is_set, prefix) in [(self.ignore_failure, "-"), (self.no_expansion, ":"), (self.privileged, "+")]
        {
            f.write_str(if is_set { prefix } else { "" })?;
        }
        write_word(f, &self.program)?;
        for word in &self.arguments {
            f.write_str(" ")?;
            write_word(f, word)?;
        }
        Ok(())
    }
}

/// A word so that [`words`] reads it back.
fn write_word(f: &mut fmt::Formatter<'_>, word: &str) -> fmt::Result {
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"\"'\\".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return f.write_str(word);
    }
    f.write_str("\"")?;
    for c in word.chars() {
        match c {
            '"' | '\\' => write!(f, "\\{c}")?,
            '\n' => f.write_str("\\n")?,
            '\t' => f.write_str("\\t")?,
            c if c.is_control() => write!(f, "\\u{:04x}", u32::from(c))?,
            c => write!(f, "{c}")?,
        }
    }
    f.write_str("\"")
}

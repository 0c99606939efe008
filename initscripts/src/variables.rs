//! Variables of the environment as text: files that assign them, such as /etc/default/NAME, and their use in command lines. Both
//! by the rules of systemd.exec(5) and systemd.service(5). No shell has a part in it.

use std::iter::Peekable;
use std::str::Chars;

/// Reads the assignments of an environment file: `NAME=value` on a line, `#` and `;` begin comments. Quotes hold blanks and line
/// breaks; a backslash takes its meaning from the next character, and at the end of a line makes it go on. Lines that assign
/// nothing are left out.
#[must_use]
pub fn read(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut chars = text.chars().peekable();
    while chars.peek().is_some() {
        let first = skip_blanks(&mut chars);
        let mut name = String::new();
        if matches!(first, Some('#' | ';')) {
            skip_line(&mut chars);
            continue;
        }
        while let Some(c) = chars.next_if(|c| *c != '=' && *c != '\n') {
            name.push(c);
        }
        if chars.next() != Some('=') {
            continue;
        }
        let value = value(&mut chars);
        let name = name.trim_end();
        if is_name(name) {
            found.push((name.to_owned(), value));
        }
    }
    found
}

fn skip_blanks(chars: &mut Peekable<Chars<'_>>) -> Option<char> {
    while chars.next_if(|c| c.is_whitespace()).is_some() {}
    chars.peek().copied()
}

fn skip_line(chars: &mut Peekable<Chars<'_>>) {
    let mut before = ' ';
    for c in chars.by_ref() {
        // A comment goes on after a backslash, too.
        if c == '\n' && before != '\\' {
            return;
        }
        before = c;
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The value after `=`, to the end of its line.
fn value(chars: &mut Peekable<Chars<'_>>) -> String {
    let mut value = String::new();
    // Up to here it stays, whatever blanks follow.
    let mut firm = 0;
    let mut quote = None;
    while chars.next_if(|c| *c == ' ' || *c == '\t').is_some() {}
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\n', None) => break,
            ('\'' | '"', None) => quote = Some(c),
            (c, Some(open)) if c == open => {
                quote = None;
                firm = value.len();
            }
            ('\\', None) => match chars.next() {
                Some('\n') | None => {}
                Some(c) => {
                    value.push(c);
                    firm = value.len();
                }
            },
            ('\\', Some('"')) => match chars.next() {
                Some('\n') | None => {}
                Some(c @ ('"' | '\\' | '`' | '$')) => value.push(c),
                Some(c) => value.extend(['\\', c]),
            },
            (c, _) => {
                value.push(c);
                if quote.is_some() || !c.is_whitespace() {
                    firm = value.len();
                }
            }
        }
    }
    value.truncate(firm.max(if quote.is_some() { value.len() } else { 0 }));
    value
}

/// What becomes of an argument: `$NAME` alone is as many words as its value has, `${NAME}` anywhere is the value as it is, `$$` is
/// a dollar, and all else stays. A variable that is not set is empty.
#[must_use]
pub fn expand(argument: &str, value: impl Fn(&str) -> Option<String>) -> Vec<String> {
    if let Some(name) = argument.strip_prefix('$').filter(|name| is_name(name)) {
        let found = value(name).unwrap_or_default();
        return found.split_whitespace().map(str::to_owned).collect();
    }
    let mut word = String::new();
    let mut rest = argument;
    while let Some(at) = rest.find('$') {
        word.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            word.push('$');
            rest = after;
            continue;
        }
        let name = rest.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        match name.filter(|(name, _)| is_name(name)) {
            Some((name, after)) => {
                word.push_str(&value(name).unwrap_or_default());
                rest = after;
            }
            None => word.push('$'),
        }
    }
    word.push_str(rest);
    vec![word]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_as_systemd_reads_them() {
        let text = "# comment\n; another \\\n goes on\n\nA=1\n B = two words  \nC='it''s' \"$x\\\"\"\nD=a\\\nb\nno assignment\n\
                    2=x\nE=\nF=\"x\ny\"\nG=a\\ \nH='open";
        let found = read(text);
        let wanted = [
            ("A", "1"),
            ("B", "two words"),
            ("C", "its $x\""),
            ("D", "ab"),
            ("E", ""),
            ("F", "x\ny"),
            ("G", "a "),
            ("H", "open"),
        ];
        let shown: Vec<(&str, &str)> = found.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(shown, wanted);
    }

    #[test]
    fn variables_are_words_or_parts_of_words() {
        let value = |name: &str| match name {
            "TWO" => Some("one two".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        for (argument, wanted) in [
            ("$TWO", vec!["one", "two"]),
            ("${TWO}", vec!["one two"]),
            ("-x${TWO}y$TWO", vec!["-xone twoy$TWO"]),
            ("$$TWO", vec!["$TWO"]),
            ("$EMPTY", vec![]),
            ("${NONE}", vec![""]),
            ("$(id) ${a b} $ ${", vec!["$(id) ${a b} $ ${"]),
        ] {
            assert_eq!(expand(argument, value), wanted, "{argument}");
        }
    }
}

//! insserv.conf and insserv.conf.d: what the facilities (`$network`) stand for, and which scripts are
//! interactive. Text and symbols only.

use crate::lsb::{scan, words};
use crate::symbols::Symbol;

/// One line that counts.
#[derive(Debug, Clone)]
pub(crate) enum Directive {
    /// `$name words`
    Facility(Symbol, Vec<Symbol>),
    /// `<interactive> names`
    Interactive(Vec<Symbol>),
}

/// The lines of all files.
#[derive(Debug, Clone, Default)]
pub(crate) struct Conf {
    main: Vec<Directive>,
    fragments: Vec<(String, Vec<Directive>)>,
}

impl Conf {
    pub(crate) fn add_main(&mut self, mut directives: Vec<Directive>) {
        self.main.append(&mut directives);
    }

    pub(crate) fn add_fragment(&mut self, name: &str, directives: Vec<Directive>) {
        self.fragments.push((name.to_owned(), directives));
        // insserv goes through the sorted directory from its end.
        self.fragments.sort_by(|(a, _), (b, _)| b.cmp(a));
    }

    /// In the order in which insserv reads them.
    pub(crate) fn directives(&self) -> impl Iterator<Item = &Directive> {
        self.main.iter().chain(self.fragments.iter().flat_map(|(_, directives)| directives))
    }
}

/// Reads one file. Lines that are neither kind do not count.
pub(crate) fn parse(text: &[u8], intern: &mut impl FnMut(&str) -> Symbol) -> Vec<Directive> {
    let mut found = Vec::new();
    for line in scan::pieces(text) {
        if let Some((name, value)) = facility(line) {
            let name = intern(name);
            let words =
                if value.is_empty() { Vec::new() } else { words::pieces(value).map(&mut *intern).collect() };
            found.push(Directive::Facility(name, words));
        } else if let Some(value) = interactive(line) {
            found.push(Directive::Interactive(words::pieces(value).map(&mut *intern).collect()));
        }
    }
    found
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// `$name`, a separator, the value.
fn facility(line: &[u8]) -> Option<(&str, &str)> {
    let rest = line.strip_prefix(b"$")?;
    let length = rest.iter().take_while(|b| is_plain(**b)).count();
    let name = std::str::from_utf8(&line[..=length]).ok()?;
    if length == 0 { None } else { Some((name, scan::printable(after_separator(&rest[length..])?))) }
}

/// The value of `<interactive>`; empty ones do not count.
fn interactive(line: &[u8]) -> Option<&str> {
    let rest = line.strip_prefix(b"<interactive>")?;
    Some(scan::printable(after_separator(rest)?)).filter(|value| !value.is_empty())
}

/// After blanks, or `=` or `:` with blanks around it.
fn after_separator(text: &[u8]) -> Option<&[u8]> {
    let rest = scan::skip_blanks(text);
    match rest.strip_prefix(b"=").or_else(|| rest.strip_prefix(b":")) {
        Some(rest) => Some(scan::skip_blanks(rest)),
        None => (rest.len() < text.len()).then_some(rest),
    }
}

//! Environment files, as `EnvironmentFile=` of systemd.exec(5) reads them. They look like shell, and are none: nothing in
//! them is executed, and no variable is replaced.

use crate::service::{Variable, is_variable_name};

/// An assignment that does not count, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    /// Its line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
}

/// Where in a file the reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    BeforeName,
    Name,
    /// After `=`, and after a closing quote: blanks do not count.
    BeforeValue,
    Value,
    ValueEscape,
    Single,
    Double,
    DoubleEscape,
    Comment,
}

/// The reader: what it has of the assignment that it is in, and what is done.
#[derive(Debug)]
struct Reader {
    state: State,
    line: usize,
    /// The line where the assignment began.
    begin: usize,
    name: Vec<u8>,
    value: Vec<u8>,
    /// How much of the value stays when the blanks at its end go.
    kept: usize,
    variables: Vec<Variable>,
    ignored: Vec<Ignored>,
}

/// The variables of an environment file in their order, and the lines that do not count. Of two assignments to one name both
/// are there; the later one is to win.
#[must_use]
pub fn parse(text: &[u8]) -> (Vec<Variable>, Vec<Ignored>) {
    let mut reader = Reader {
        state: State::BeforeName,
        line: 1,
        begin: 1,
        name: Vec::new(),
        value: Vec::new(),
        kept: 0,
        variables: Vec::new(),
        ignored: Vec::new(),
    };
    for &byte in text {
        reader.take(byte);
        reader.line += usize::from(byte == b'\n');
    }
    reader.end();
    (reader.variables, reader.ignored)
}

impl Reader {
    fn take(&mut self, byte: u8) {
        let is_end = matches!(byte, b'\n' | b'\r');
        match self.state {
            State::BeforeName => self.before_name(byte),
            State::Name if is_end => self.no_assignment(),
            State::Name if byte == b'=' => self.state = State::BeforeValue,
            State::Name => self.name.push(byte),
            State::BeforeValue | State::Value if is_end => self.assign(),
            State::BeforeValue => self.before_value(byte),
            State::Value if byte == b'\\' => self.state = State::ValueEscape,
            State::Value => self.push(byte, !byte.is_ascii_whitespace()),
            State::ValueEscape => {
                self.state = State::Value;
                if !is_end {
                    self.push(byte, true);
                }
            }
            State::Single if byte == b'\'' => self.state = State::BeforeValue,
            State::Double if byte == b'"' => self.state = State::BeforeValue,
            State::Double if byte == b'\\' => self.state = State::DoubleEscape,
            State::Single | State::Double => self.push(byte, true),
            State::DoubleEscape => self.double_escape(byte),
            State::Comment if is_end => self.state = State::BeforeName,
            State::Comment => {}
        }
    }

    fn before_name(&mut self, byte: u8) {
        match byte {
            b'#' | b';' => self.state = State::Comment,
            byte if byte.is_ascii_whitespace() => {}
            byte => {
                (self.state, self.begin) = (State::Name, self.line);
                self.name.push(byte);
            }
        }
    }

    fn before_value(&mut self, byte: u8) {
        match byte {
            b'\'' => self.state = State::Single,
            b'"' => self.state = State::Double,
            b'\\' => self.state = State::ValueEscape,
            byte if byte.is_ascii_whitespace() => {}
            byte => {
                self.state = State::Value;
                self.push(byte, true);
            }
        }
    }

    /// In double quotes a backslash is for `"`, itself, a grave accent, `$` and the end of a line; before others it stays.
    fn double_escape(&mut self, byte: u8) {
        self.state = State::Double;
        match byte {
            b'"' | b'\\' | b'`' | b'$' => self.push(byte, true),
            b'\n' => {}
            _ => {
                self.push(b'\\', true);
                self.push(byte, true);
            }
        }
    }

    fn push(&mut self, byte: u8, stays: bool) {
        self.value.push(byte);
        if stays {
            self.kept = self.value.len();
        }
    }

    fn end(&mut self) {
        match self.state {
            State::BeforeName | State::Comment => {}
            State::Name => self.no_assignment(),
            State::Single | State::Double | State::DoubleEscape => self.ignore("its quote is not closed"),
            State::BeforeValue | State::Value | State::ValueEscape => self.assign(),
        }
    }

    fn no_assignment(&mut self) {
        self.ignore("it has no '='");
    }

    fn ignore(&mut self, why: &str) {
        self.ignored.push(Ignored { line: self.begin, why: why.to_owned() });
        self.clear();
    }

    fn clear(&mut self) {
        self.state = State::BeforeName;
        self.name.clear();
        self.value.clear();
        self.kept = 0;
    }

    fn assign(&mut self) {
        self.value.truncate(self.kept);
        let name = String::from_utf8_lossy(self.name.trim_ascii_end()).into_owned();
        if !is_variable_name(&name) {
            return self.ignore(&format!("'{}' is no name of a variable", name.escape_debug()));
        }
        match String::from_utf8(std::mem::take(&mut self.value)) {
            Ok(value) if !value.contains('\0') => {
                self.variables.push(Variable { name, value });
                self.clear();
            }
            Ok(_) => self.ignore("its value has a NUL character"),
            Err(_) => self.ignore("its value is not UTF-8"),
        }
    }
}

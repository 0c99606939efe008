//! Variables in arguments, as systemd.service(5) "Command lines" has them: `${NAME}` is replaced inside of a word, `$NAME` that
//! is a word of its own is replaced by the words of its value, `$$` is `$`. All else stays, `$(...)` among it: no shell is near.

use crate::service::is_variable_name;

/// Arguments in which variables are replaced.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expanded {
    /// The arguments; there may be more or fewer of them than before.
    pub arguments: Vec<String>,
    /// Names that are not in the environment: replaced by nothing, which is worth a warning.
    pub unset: Vec<String>,
}

/// Replaces variables in arguments; `variable` knows the value of a name.
pub fn expand<'a>(arguments: &[String], variable: impl Fn(&str) -> Option<&'a str>) -> Expanded {
    let mut expanded = Expanded::default();
    for argument in arguments {
        match argument.strip_prefix('$').filter(|name| is_variable_name(name)) {
            Some(name) => match variable(name) {
                Some(value) => expanded.arguments.extend(words(value)),
                None => expanded.unset.push(name.to_owned()),
            },
            None => {
                let word = inside(argument, &variable, &mut expanded.unset);
                expanded.arguments.push(word);
            }
        }
    }
    expanded
}

fn inside<'a>(word: &str, variable: &impl Fn(&str) -> Option<&'a str>, unset: &mut Vec<String>) -> String {
    let mut out = String::with_capacity(word.len());
    let mut rest = word;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let braced = after.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        match braced.filter(|(name, _)| is_variable_name(name)) {
            Some((name, next)) => {
                match variable(name) {
                    Some(value) => out.push_str(value),
                    None => unset.push(name.to_owned()),
                }
                rest = next;
            }
            None => {
                out.push('$');
                rest = after.strip_prefix('$').unwrap_or(after);
            }
        }
    }
    out.push_str(rest);
    out
}

/// The words of a value: blanks part them, quotes hold them together, a backslash takes its meaning from what follows.
fn words(value: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\\', open) if open != Some('\'') => {
                word.get_or_insert_default().push(chars.next().unwrap_or('\\'));
            }
            (c, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, None) if c.is_whitespace() => found.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    found.extend(word);
    found
}

//! Text for POSIX sh: quoting of any string, and filling the `@SLOT@`s of a template. It knows no
//! service and no layout, and runs no shell.

/// A string that no shell word can hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a shell word cannot hold a NUL character: remove it")]
pub struct NotAWord;

/// One shell word that expands to exactly `text`, whatever it contains: blanks, quotes, `$(...)`,
/// newlines, bytes that are no UTF-8. Single quotes keep everything but themselves (POSIX.1-2024, Shell Command
/// Language, 2.2.2), so a single quote leaves them, is escaped, and enters them again.
///
/// # Errors
/// [`NotAWord`] when `text` holds a NUL.
pub fn quote_bytes(text: &[u8]) -> Result<Vec<u8>, NotAWord> {
    if text.contains(&0) {
        return Err(NotAWord);
    }
    if is_plain(text) {
        return Ok(text.to_vec());
    }
    let mut word = vec![b'\''];
    for &byte in text {
        if byte == b'\'' {
            word.extend_from_slice(br"'\''");
        } else {
            word.push(byte);
        }
    }
    word.push(b'\'');
    Ok(word)
}

/// [`quote_bytes`] for text.
///
/// # Errors
/// [`NotAWord`] when `text` holds a NUL.
pub fn quote(text: &str) -> Result<String, NotAWord> {
    if text.contains('\0') {
        return Err(NotAWord);
    }
    if is_plain(text.as_bytes()) {
        return Ok(text.to_owned());
    }
    Ok(format!("'{}'", text.replace('\'', r"'\''")))
}

/// Needs no quotes in any position of a command: no character of it means anything to a shell, it is no
/// assignment, and no keyword, because each of these is of letters alone.
fn is_plain(text: &[u8]) -> bool {
    let harmless = |byte: &u8| byte.is_ascii_alphanumeric() || b"_./:+-".contains(byte);
    text.iter().all(harmless) && text.iter().any(|byte| !byte.is_ascii_alphabetic())
}

/// Why a template and its values do not fit each other: an error of the program, found by its tests.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SlotError {
    /// The template asks for a slot that has no value.
    #[error("the template has the slot @{0}@, which has no value")]
    Unfilled(String),
    /// A value was given that the template does not ask for.
    #[error("the template has no slot @{0}@, but a value for it was given")]
    Unknown(String),
}

/// Replaces every `@NAME@` of `template` by its value. A slot's name is of upper case letters and `_`; a
/// value is inserted as it is and not searched for further slots.
///
/// # Errors
/// [`SlotError`] when a slot has no value or a value has no slot.
pub fn fill(template: &str, values: &[(&str, &str)]) -> Result<String, SlotError> {
    let mut text = String::with_capacity(template.len() * 2);
    let mut used = vec![false; values.len()];
    let mut rest = template;
    while let Some((before, name, after)) = next_slot(rest) {
        text.push_str(before);
        let index = values
            .iter()
            .position(|(known, _)| *known == name)
            .ok_or_else(|| SlotError::Unfilled(name.to_owned()))?;
        used[index] = true;
        text.push_str(values[index].1);
        rest = after;
    }
    text.push_str(rest);
    match used.iter().position(|used| !used) {
        Some(index) => Err(SlotError::Unknown(values[index].0.to_owned())),
        None => Ok(text),
    }
}

/// The text before the first slot, the slot's name, the text after it.
fn next_slot(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    while let Some(open) = text[from..].find('@').map(|at| from + at) {
        let name = &text[open + 1..];
        let length = name.bytes().take_while(|byte| byte.is_ascii_uppercase() || *byte == b'_').count();
        if length > 0 && name[length..].starts_with('@') {
            return Some((&text[..open], &name[..length], &name[length + 1..]));
        }
        from = open + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_stay_readable() {
        assert_eq!(quote("/usr/sbin/foobard"), Ok("/usr/sbin/foobard".into()));
        assert_eq!(quote("127.0.0.1:4007"), Ok("127.0.0.1:4007".into()));
        assert_eq!(quote("--config"), Ok("--config".into()));
    }

    #[test]
    fn whatever_means_something_to_a_shell_is_quoted() {
        for text in ["", " ", "a b", "$(id)", "`id`", "*", "~", "a=b", "#", "if", "a\nb", "\\", "!"] {
            assert_eq!(quote(text), Ok(format!("'{text}'")), "{text:?}");
        }
        assert_eq!(quote("it's"), Ok(r"'it'\''s'".into()));
        assert_eq!(quote("a\0b"), Err(NotAWord));
        assert_eq!(quote_bytes(b"\xff'"), Ok(b"'\xff'\\'''".to_vec()));
    }

    #[test]
    fn slots_are_filled_once_and_values_are_not_searched() {
        let text = fill("a @B@ c @B@ @D_E@ x@y.z @", &[("B", "@D_E@"), ("D_E", "5")]);
        assert_eq!(text, Ok("a @D_E@ c @D_E@ 5 x@y.z @".into()));
    }

    #[test]
    fn a_slot_without_value_and_a_value_without_slot_are_errors() {
        assert_eq!(fill("@A@", &[]), Err(SlotError::Unfilled("A".into())));
        assert_eq!(fill("a", &[("A", "1")]), Err(SlotError::Unknown("A".into())));
    }
}

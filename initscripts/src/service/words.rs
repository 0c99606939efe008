//! Values that are one word out of a few: how they are defined once, with their words.

use super::text::BadValue;

/// A value that a service file writes as one word of a list.
pub trait Word: Copy + PartialEq + Sized + 'static {
    /// What the word is, for messages.
    const WHAT: &'static str;
    /// All words with their values.
    const WORDS: &'static [(&'static str, Self)];

    /// The value of a word.
    ///
    /// # Errors
    /// [`BadValue`] with all the words there are.
    fn parse(text: &str) -> Result<Self, BadValue> {
        match Self::WORDS.iter().find(|(word, _)| *word == text) {
            Some((_, value)) => Ok(*value),
            None => {
                let words: Vec<&str> = Self::WORDS.iter().map(|(word, _)| *word).collect();
                Err(BadValue::new(
                    format!("unknown {} '{}'", Self::WHAT, text.escape_debug()),
                    format!("use one of {}", words.join(", ")),
                ))
            }
        }
    }

    /// The word of the value.
    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, value)| *value == self).map_or("", |(word, _)| word)
    }
}

/// An enum whose variants are words of a service file: what it is called in messages, then `Variant = "word"`.
macro_rules! words {
    ($(#[$about:meta])* $name:ident, $what:literal { $($(#[$doc:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$doc])* $variant,)*
        }

        impl $crate::service::Word for $name {
            const WHAT: &'static str = $what;
            const WORDS: &'static [(&'static str, Self)] = &[$(($word, $name::$variant)),*];
        }
    };
}

pub(crate) use words;

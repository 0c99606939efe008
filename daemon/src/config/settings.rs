//! The table `[settings]` of a configuration file: keys of the author's own, into a type of the author's own.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::place::place;

/// The table `[settings]` as it was written; an empty one where the file has none.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Settings {
    file: PathBuf,
    /// The whole file, so that errors can tell their line.
    text: Arc<str>,
}

#[derive(Deserialize)]
struct Whole<T> {
    settings: Option<T>,
}

impl Settings {
    pub(crate) fn new(file: PathBuf, text: &str) -> Settings {
        Settings { file, text: text.into() }
    }

    /// The settings as a value. With `#[serde(deny_unknown_fields, default)]` a type refuses what it does not know and
    /// may be left out altogether.
    ///
    /// # Errors
    /// `FILE:LINE:COLUMN:` and what is wrong.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, String> {
        let whole = toml::from_str::<Whole<T>>(&self.text).map_err(|error| {
            let at = error.span().map(|span| place(&self.text, span.start));
            let at = at.map_or(String::new(), |(line, column)| format!("{line}:{column}:"));
            format!("{}:{at} settings: {}", self.file.display(), error.message())
        })?;
        let missing =
            |error: toml::de::Error| format!("{}: settings: {}", self.file.display(), error.message());
        whole.settings.map_or_else(|| toml::from_str("").map_err(missing), Ok)
    }
}

impl fmt::Debug for Settings {
    /// Without the text, in which passwords may stand.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("file", &self.file).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize, PartialEq, Debug)]
    #[serde(deny_unknown_fields)]
    struct Own {
        #[serde(default)]
        depth: u8,
    }

    #[test]
    fn own_keys_have_a_type_of_their_own() {
        let read = |text: &str| Settings::new("/etc/x.toml".into(), text).read::<Own>();
        assert_eq!(read("listen = 'x'\n[settings]\ndepth = 3\n"), Ok(Own { depth: 3 }));
        assert_eq!(read("listen = 'x'\n"), Ok(Own { depth: 0 }));
        let error = read("grace = 1\n[settings]\nwidth = 3\n").unwrap_err();
        assert!(error.starts_with("/etc/x.toml:3:1: settings: unknown field"), "{error}");
        assert!(read("[settings]\ndepth = 300\n").unwrap_err().starts_with("/etc/x.toml:2:9:"));
    }
}

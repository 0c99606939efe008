//! The line `# chkconfig: 2345 50 50` of Red Hat's scripts: runlevels, start number, stop number. chkconfig(8).

use std::fmt;

use super::scan;
use crate::link::Usual;
use crate::name::Runlevels;

/// The line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Where the service starts; `-` in the line is none.
    pub levels: Runlevels,
    /// The numbers.
    pub usual: Usual,
}

impl fmt::Display for Line {
    /// Its value: `2345 50 50`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Usual { start, stop } = self.usual;
        let levels: String = self.levels.iter().map(|level| level.letter()).collect();
        let levels = if levels.is_empty() { "-" } else { &levels };
        write!(f, "{levels} {start:02} {stop:02}")
    }
}

/// The first such line of a script that chkconfig would take.
#[must_use]
pub fn parse(script: &[u8]) -> Option<Line> {
    let lines = script.split(|&byte| byte == b'\n').take_while(|line| line.starts_with(b"#"));
    let candidates = lines.filter(|line| scan::contains(line, b"chkconfig:"));
    candidates.map(String::from_utf8_lossy).find_map(|line| {
        let value = line.trim_start_matches('#').trim_start().strip_prefix("chkconfig:")?;
        let mut words = value.split_whitespace();
        let (levels, start, stop) = (words.next()?, words.next()?, words.next()?);
        let number = |word: &str| word.parse::<u8>().ok().filter(|number| *number <= 99);
        let levels = if levels == "-" { Runlevels::NONE } else { Runlevels::parse(levels).ok()? };
        (words.next().is_none() && levels.without(Runlevels::NORMAL).is_empty()).then_some(())?;
        Some(Line { levels, usual: Usual { start: number(start)?, stop: number(stop)? } })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_complete_line_of_the_leading_comment_counts() {
        let line = |text: &str| parse(text.as_bytes()).map(|line| (line.usual.start, line.usual.stop));
        assert_eq!(line("#!/bin/sh\n# chkconfig: 35 20 80\n"), Some((20, 80)));
        assert_eq!(line("#!/bin/sh\n#chkconfig: - 20 80\n"), Some((20, 80)));
        for text in [
            "# chkconfig: 35 20",
            "# chkconfig: 35 100 80",
            "# chkconfig: S 1 2",
            "# chkconfig: 3 1 2 3",
            "\n# chkconfig: 3 1 2",
        ] {
            assert_eq!(line(text), None, "{text:?}");
        }
    }
}

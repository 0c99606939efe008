//! Bytes into lines: line feeds end them, `<N>` at their begin is their level, and what is too long is split, never dropped.

use super::line::Line;

/// Longer lines are split whatever is wished: all of it cleaned, each byte as four, must fit into a datagram for the logger.
const LONGEST: usize = 48 << 10;

/// The bytes of one stream that are not a whole line yet.
#[derive(Debug)]
pub struct Splitter {
    limit: usize,
    level: u8,
    prefix: bool,
    rest: Vec<u8>,
    /// The level of a line of which a piece has gone out already.
    inside: Option<u8>,
}

impl Splitter {
    /// Lines longer than `limit` bytes are split; those that name no level, or all without `prefix`, have `level`.
    pub fn new(limit: usize, level: u8, prefix: bool) -> Splitter {
        Splitter { limit: limit.clamp(16, LONGEST), level, prefix, rest: Vec::new(), inside: None }
    }

    /// Takes `bytes`, and hands over each line that they complete.
    pub fn feed(&mut self, bytes: &[u8], mut take: impl FnMut(Line<'_>)) {
        let mut bytes = bytes;
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let (line, more) = (&bytes[..end], &bytes[end + 1..]);
            if self.rest.is_empty() {
                self.whole(line, &mut take);
            } else {
                let mut all = std::mem::take(&mut self.rest);
                all.extend_from_slice(line);
                self.whole(&all, &mut take);
            }
            bytes = more;
        }
        self.rest.extend_from_slice(bytes);
        if self.rest.len() > self.limit {
            let all = std::mem::take(&mut self.rest);
            let kept = self.pieces(&all, &mut take);
            self.rest = all[kept..].to_vec();
        }
    }

    /// The program has ended: what it wrote last is a line, although it did not end it.
    pub fn flush(&mut self, mut take: impl FnMut(Line<'_>)) {
        let rest = std::mem::take(&mut self.rest);
        if !rest.is_empty() {
            self.whole(&rest, &mut take);
        }
        self.inside = None;
    }

    /// A line to its end.
    fn whole(&mut self, line: &[u8], take: &mut impl FnMut(Line<'_>)) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let sent = self.pieces(line, take);
        if self.inside.is_none() || sent < line.len() {
            self.piece(&line[sent..], take);
        }
        self.inside = None;
    }

    /// Hands over all but the last piece of a line; how many bytes that was.
    fn pieces(&mut self, line: &[u8], take: &mut impl FnMut(Line<'_>)) -> usize {
        let mut sent = 0;
        while line.len() - sent > self.limit {
            let end = sent + boundary(&line[sent..], self.limit);
            self.piece(&line[sent..end], take);
            sent = end;
        }
        sent
    }

    fn piece(&mut self, piece: &[u8], take: &mut impl FnMut(Line<'_>)) {
        let (level, text, continues) = match (self.inside, piece) {
            (Some(level), text) => (level, text, true),
            (None, [b'<', level @ b'0'..=b'7', b'>', text @ ..]) if self.prefix => {
                (level - b'0', text, false)
            }
            (None, text) => (self.level, text, false),
        };
        self.inside = Some(level);
        take(Line { level, text, continues });
    }
}

/// Where to cut `text`, at most at `limit` and not inside a character of UTF-8.
fn boundary(text: &[u8], limit: usize) -> usize {
    let continues = |at: usize| text.get(at).is_some_and(|byte| byte & 0xc0 == 0x80);
    (limit.saturating_sub(3)..=limit).rev().find(|at| *at > 0 && !continues(*at)).unwrap_or(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(splitter: &mut Splitter, chunks: &[&[u8]]) -> Vec<(u8, String, bool)> {
        let mut found = Vec::new();
        let mut take = |line: Line<'_>| {
            found.push((line.level, String::from_utf8(line.text.to_vec()).unwrap(), line.continues))
        };
        for chunk in chunks {
            splitter.feed(chunk, &mut take);
        }
        splitter.flush(&mut take);
        found
    }

    fn plain(text: &str) -> (u8, String, bool) {
        (6, text.to_owned(), false)
    }

    #[test]
    fn lines_come_whole_however_they_are_cut() {
        let text = b"one\n\ntwo\r\n<3>three\n<9>x\n<3\nend";
        let wanted = [
            plain("one"),
            plain(""),
            plain("two"),
            (3, "three".to_owned(), false),
            plain("<9>x"),
            plain("<3"),
            plain("end"),
        ];
        for size in 1..text.len() {
            let chunks: Vec<&[u8]> = text.chunks(size).collect();
            assert_eq!(all(&mut Splitter::new(100, 6, true), &chunks), wanted, "{size}");
        }
        let unread = all(&mut Splitter::new(100, 6, false), &[b"<3>three\n"]);
        assert_eq!(unread, [plain("<3>three")]);
    }

    #[test]
    fn what_is_too_long_is_split_and_nothing_of_it_is_lost() {
        let text = format!("<4>{}\nnext\n", "\u{20ac}uro".repeat(50));
        for size in [1, 2, 3, 7, 16, 17, 300] {
            let chunks: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
            let found = all(&mut Splitter::new(16, 6, true), &chunks);
            let (last, pieces) = found.split_last().unwrap();
            assert_eq!(*last, plain("next"));
            assert!(pieces.len() > 18 && pieces.iter().all(|piece| piece.0 == 4 && piece.1.len() <= 16));
            assert!(!pieces[0].2 && pieces[1..].iter().all(|piece| piece.2));
            let joined: String = pieces.iter().map(|piece| piece.1.as_str()).collect();
            assert_eq!(joined, "\u{20ac}uro".repeat(50));
        }
        // Exactly as long as is allowed: no piece more.
        let found = all(&mut Splitter::new(16, 6, true), &[b"0123456789abcdef", b"\n", b"x\n"]);
        assert_eq!(found, [plain("0123456789abcdef"), plain("x")]);
    }

    #[test]
    fn a_line_without_end_needs_no_more_memory_than_the_limit() {
        let mut splitter = Splitter::new(4096, 6, true);
        let mut bytes = 0;
        for _ in 0..1000 {
            splitter.feed(&[b'x'; 3000], |line| bytes += line.text.len());
            assert!(splitter.rest.len() <= 4096);
        }
        splitter.flush(|line| bytes += line.text.len());
        assert_eq!(bytes, 3_000_000);
    }
}

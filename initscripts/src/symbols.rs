//! Names stored once and spoken of by number; thousands of scripts repeat the same few thousand words.

/// A word of the store.
pub(crate) type Symbol = u32;

/// No symbol, node, service or list cell.
pub(crate) const NONE: u32 = u32::MAX;

/// The store: one string, and an open-addressed table of numbers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Symbols {
    text: String,
    ends: Vec<u32>,
    table: Vec<u32>,
    /// For each word `+x`, in the order of their numbers, the number of `x`.
    rest: Vec<(Symbol, Symbol)>,
}

impl Symbols {
    /// The number of a word, new or old. A word `+x` brings `x` with it.
    pub(crate) fn intern(&mut self, word: &str) -> Symbol {
        if (self.ends.len() + 1) * 2 > self.table.len() {
            self.grow();
        }
        let slot = self.slot(word);
        if self.table[slot] != NONE {
            return self.table[slot];
        }
        let symbol = self.ends.len() as Symbol;
        self.text.push_str(word);
        self.ends.push(self.text.len() as u32);
        self.table[slot] = symbol;
        if let Some(rest) = word.strip_prefix('+') {
            let rest = self.intern(rest);
            let place = self.rest.partition_point(|(plus, _)| *plus < symbol);
            self.rest.insert(place, (symbol, rest));
        }
        symbol
    }

    /// The number of a word that is known.
    pub(crate) fn get(&self, word: &str) -> Option<Symbol> {
        if self.table.is_empty() {
            return None;
        }
        Some(self.table[self.slot(word)]).filter(|&symbol| symbol != NONE)
    }

    /// The word of a number.
    pub(crate) fn name(&self, symbol: Symbol) -> &str {
        let at = symbol as usize;
        let start = if at == 0 { 0 } else { self.ends[at - 1] as usize };
        &self.text[start..self.ends[at] as usize]
    }

    /// The first byte of the word of a number.
    pub(crate) fn first(&self, symbol: Symbol) -> Option<u8> {
        let at = symbol as usize;
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        (start < self.ends[at]).then(|| self.text.as_bytes().get(start as usize).copied()).flatten()
    }

    /// `x` of a word `+x`.
    pub(crate) fn without_plus(&self, symbol: Symbol) -> Symbol {
        let place = self.rest.binary_search_by_key(&symbol, |(plus, _)| *plus);
        place.map_or(symbol, |at| self.rest[at].1)
    }

    /// How many there are; their numbers are below.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    fn slot(&self, word: &str) -> usize {
        let mask = self.table.len() - 1;
        let mut slot = hash(word) as usize & mask;
        while self.table[slot] != NONE && self.name(self.table[slot]) != word {
            slot = (slot + 1) & mask;
        }
        slot
    }

    fn grow(&mut self) {
        self.table = vec![NONE; (self.table.len() * 2).max(64)];
        for symbol in 0..self.ends.len() as Symbol {
            let slot = self.slot(self.name(symbol));
            self.table[slot] = symbol;
        }
    }
}

/// FNV-1a, with its bits mixed once more as the table uses the low ones.
fn hash(word: &str) -> u64 {
    let sum = word
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |h: u64, b| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3));
    sum ^ (sum >> 29)
}

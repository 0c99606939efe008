//! The scripts of a root in their order, each found by its name without a search. What a script says is kept elsewhere.

use crate::symbols::{NONE, Symbol};

/// A file of init.d.
#[derive(Debug, Clone, Copy)]
pub(crate) struct File {
    pub name: Symbol,
    pub real: Symbol,
    pub head: u32,
    /// Passes all of insserv's checks of mode, link and name.
    pub eligible: bool,
}

/// All of them; no two have one name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Files {
    list: Vec<File>,
    /// For each symbol, as far as there are files, the place of the file of that name.
    places: Vec<u32>,
}

impl Files {
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, File> {
        self.list.iter()
    }

    /// Makes room.
    pub(crate) fn reserve(&mut self, files: usize) {
        self.list.reserve_exact(files);
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// The file of a name.
    pub(crate) fn get(&self, name: Symbol) -> Option<&File> {
        self.list.get(*self.places.get(name as usize)? as usize)
    }

    /// Adds a file at the end.
    pub(crate) fn push(&mut self, file: File) {
        let symbol = file.name as usize;
        if self.places.len() <= symbol {
            self.places.resize(symbol + 1, NONE);
        }
        self.places[symbol] = self.list.len() as u32;
        self.list.push(file);
    }

    /// Takes a file out.
    pub(crate) fn remove(&mut self, name: Symbol) {
        if let Some(&file) = self.get(name) {
            self.list.retain(|other| other.name != file.name);
            self.count_anew();
        }
    }

    /// Moves the last file to where its name belongs by `order`, if all others are in that order.
    pub(crate) fn sort_in_last<'a>(&mut self, order: impl Fn(Symbol) -> &'a str) {
        let Some(last) = self.list.pop() else { return };
        let sorted = self.list.is_sorted_by(|a, b| order(a.name) < order(b.name));
        let before = |file: &File| order(file.name) < order(last.name);
        let place = if sorted { self.list.partition_point(before) } else { self.list.len() };
        self.list.insert(place, last);
        self.count_anew();
    }

    fn count_anew(&mut self) {
        self.places.fill(NONE);
        for (place, file) in self.list.iter().enumerate() {
            self.places[file.name as usize] = place as u32;
        }
    }
}

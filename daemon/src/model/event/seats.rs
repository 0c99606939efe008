//! A table whose places keep their number while they are taken, and tell an old owner of a place from the present one.

/// Where somebody sits. It stays unlike any later one of the same place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seat {
    pub(super) place: u32,
    generation: u32,
}

/// Bit 63 tells seats from all other tokens of a gate.
const MARK: u64 = 1 << 63;

impl Seat {
    /// The seat as the token of a gate.
    pub(super) fn token(self) -> u64 {
        MARK | u64::from(self.generation) << 32 | u64::from(self.place)
    }

    fn of(token: u64) -> Option<Seat> {
        (token & MARK != 0)
            .then_some(Seat { place: token as u32, generation: ((token & !MARK) >> 32) as u32 })
    }
}

/// Aligned to the lines of the processor's cache: who has the turn is as good as never in it when there are thousands.
#[derive(Debug)]
#[repr(C, align(64))]
struct Place<T> {
    generation: u32,
    taken: Option<T>,
}

/// The table.
#[derive(Debug)]
pub(super) struct Seats<T> {
    places: Vec<Place<T>>,
    free: Vec<u32>,
}

impl<T> Seats<T> {
    pub(super) fn new() -> Seats<T> {
        Seats { places: Vec::new(), free: Vec::new() }
    }

    /// How many are taken.
    pub(super) fn taken(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// Takes the place that was left last: its memory is still warm.
    pub(super) fn take(&mut self, value: T) -> Seat {
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place { generation: 0, taken: None });
            (self.places.len() - 1) as u32
        });
        let entry = &mut self.places[place as usize];
        entry.taken = Some(value);
        Seat { place, generation: entry.generation }
    }

    /// Who sits there; nobody if the seat of that token was left meanwhile.
    pub(super) fn by_token(&mut self, token: u64) -> Option<(Seat, &mut T)> {
        let seat = Seat::of(token)?;
        let entry = self.places.get_mut(seat.place as usize)?;
        let value = entry.taken.as_mut().filter(|_| entry.generation == seat.generation)?;
        Some((seat, value))
    }

    /// Who sits at that place now.
    pub(super) fn at(&mut self, place: u32) -> Option<(Seat, &mut T)> {
        let entry = self.places.get_mut(place as usize)?;
        let generation = entry.generation;
        entry.taken.as_mut().map(|value| (Seat { place, generation }, value))
    }

    /// All places that are taken.
    pub(super) fn all(&self) -> Vec<u32> {
        let taken = self.places.iter().zip(0..).filter(|(entry, _)| entry.taken.is_some());
        taken.map(|(_, place)| place).collect()
    }

    /// Frees a place.
    pub(super) fn leave(&mut self, place: u32) -> Option<T> {
        let entry = self.places.get_mut(place as usize)?;
        let value = entry.taken.take()?;
        // Bit 31 is the mark's.
        entry.generation = (entry.generation + 1) & (u32::MAX >> 1);
        self.free.push(place);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_token_finds_nobody() {
        let mut seats = Seats::new();
        let (one, other) = (seats.take('a'), seats.take('b'));
        assert_eq!((seats.taken(), seats.all()), (2, vec![0, 1]));
        assert_eq!(seats.leave(one.place), Some('a'));
        assert_eq!(seats.leave(one.place), None);
        assert_eq!(seats.by_token(one.token()), None);
        let next = seats.take('c');
        assert_eq!(next.place, one.place);
        assert_ne!(next, one);
        assert_eq!(seats.by_token(one.token()), None);
        assert_eq!(seats.by_token(next.token()), Some((next, &mut 'c')));
        assert_eq!(seats.at(other.place), Some((other, &mut 'b')));
        assert_eq!(seats.by_token(5), None, "the token of a door");
    }
}

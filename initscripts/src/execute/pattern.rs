//! Patterns of file names, fnmatch(3): `*`, `?` and `[...]`.

/// Whether a name matches a pattern. `/` is a character like others: who has a path asks for each of its parts.
#[must_use]
pub fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    // One star is tried again at a time, the last one: the work is the product of the lengths at most.
    let (mut at, mut of) = (0, 0);
    let mut star = None;
    while of < name.len() {
        match one(&pattern[at..], name[of]) {
            Some(length) => (at, of) = (at + length, of + 1),
            None if pattern.get(at) == Some(&'*') => {
                star = Some((at, of));
                at += 1;
            }
            None => match star {
                Some((place, begin)) => {
                    star = Some((place, begin + 1));
                    (at, of) = (place + 1, begin + 1);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}

/// How much of the pattern stands for this one character; none: it does not match, or there is a star.
fn one(pattern: &[char], c: char) -> Option<usize> {
    match pattern {
        ['?', ..] => Some(1),
        ['*', ..] | [] => None,
        ['\\', literal, ..] => (*literal == c).then_some(2),
        ['[', rest @ ..] => match bracket(rest, c) {
            Some((true, length)) => Some(length + 1),
            Some((false, _)) => None,
            None => (c == '[').then_some(1),
        },
        [literal, ..] => (*literal == c).then_some(1),
    }
}

/// Whether the character is in a bracket, and how long that is after its `[`; none: it is not closed.
fn bracket(rest: &[char], c: char) -> Option<(bool, usize)> {
    let negated = matches!(rest.first(), Some('!' | '^'));
    let mut at = usize::from(negated);
    let first = at;
    let mut found = false;
    loop {
        match rest.get(at..)? {
            [] => return None,
            [']', ..] if at > first => return Some((found != negated, at + 1)),
            [low, '-', high, ..] if *high != ']' => {
                found |= (*low..=*high).contains(&c);
                at += 3;
            }
            [literal, ..] => {
                found |= *literal == c;
                at += 1;
            }
        }
    }
}

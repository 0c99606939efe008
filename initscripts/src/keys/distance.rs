//! How far a name is from another, to name the key that was meant.

/// The number of characters to insert, remove or replace (Levenshtein). Names of more than 100 are far from all keys.
pub(super) fn distance(a: &str, b: &str) -> usize {
    if a.len() > 100 {
        return a.len();
    }
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

//! The whole table.

use super::{buildroot, called, files, header, machine, script, service, values};
use crate::check::finding::Rule;

/// All rules, by topic.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    let parts = [
        header::ALL,
        values::ALL,
        script::ALL,
        buildroot::ALL,
        files::ALL,
        service::ALL,
        machine::ALL,
        called::ALL,
    ];
    parts.into_iter().flatten().copied()
}

/// The rule of a code.
#[must_use]
pub fn find(code: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.code == code)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_unique_and_no_text_is_missing() {
        let mut seen = BTreeSet::new();
        for rule in all() {
            assert!(seen.insert(rule.code), "{} stands twice", rule.code);
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(rule.code.chars().all(plain), "{}", rule.code);
            for text in [rule.title, rule.effect, rule.remedy, rule.explanation] {
                assert!(
                    text.len() > 8 && !text.ends_with('.') && !text.contains('\n'),
                    "{}: {text}",
                    rule.code
                );
                let first = text.split(' ').next().unwrap_or_default();
                let lower = first.starts_with(|c: char| !c.is_ascii_uppercase());
                assert!(lower || first != "The" && first != "A", "{}: {text}", rule.code);
            }
        }
    }
}

//! A section of a manual page.

/// A section of a manual page. Lines that begin with a blank stand as they are, others are paragraphs.
#[derive(Debug)]
pub struct Section {
    /// Its heading.
    pub title: &'static str,
    /// Its lines.
    pub text: String,
}

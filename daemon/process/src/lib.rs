//! What a Unix daemon needs of its own process, and a controller of another's.

//! The layouts: trees as their distributions leave them, and what foobarctl makes of them.

mod detect;
mod explained;
mod numbers;
mod roots;
mod trees;

//! Why a script has its number, and what the whole order looks like: in words, as a tree, as a drawing. Read from
//! an [`crate::order::Outline`]; nothing is ordered here.

mod after;
mod called;
mod compare;
mod dot;
mod linked;
mod loops;
mod picture;
mod reduce;
mod svg;
mod text;
mod why;

pub use after::after;
pub use called::{Calling, calling, counted};
pub use compare::compare;
pub use dot::dot;
pub use linked::{Neighbour, Number, Standing, linked, standing};
pub use loops::{Loop, Turn, loops};
pub use picture::{Arrow, Item, Lane, Mark, Picture, picture};
pub use svg::svg;
pub use text::text;
pub use why::{Reason, Step, Why, why};

//! What a start works out: environment files, variables in arguments, conditions.

mod conditions;
mod environment;

//! From the name of a process model to its loop. The loops themselves stand in a file each.

use super::stage::Stage;
use super::{fork, iterative};
use crate::config::ModelName;

/// Serves until the server is told to end, by the model that the generation in force names: a reload may
/// change it, and what the old one has begun goes on.
pub fn run(stage: &mut Stage<'_>) {
    while !stage.stopping() {
        match stage.config().model {
            ModelName::Fork => fork::run(stage),
            ModelName::Iterative => iterative::run(stage),
        }
    }
}

//! The control group of a service with the limits of its file.

use foobar_initscripts::service::Service;
use foobar_process::cgroup::{Controller, Group};

use crate::supervisor::place::Place;

/// Makes it; with what cannot be limited, in words.
pub fn group(place: &Place, service: &Service) -> (Option<Group>, Vec<String>) {
    let mut unkept = Vec::new();
    let mut group = Group::make(place.group());
    let limits = [
        (Controller::Pids, "tasks-max", service.confinement.tasks_max),
        (Controller::Memory, "memory-max", service.confinement.memory_max),
    ];
    for (controller, key, limit) in limits {
        let Some(limit) = limit.filter(|limit| !limit.is_infinite()) else { continue };
        let set = match &mut group {
            Some(group) => group.limit(controller, limit.0).map_err(|error| error.to_string()),
            None => Err("there is no control group for it".to_owned()),
        };
        if let Err(why) = set {
            unkept.push(format!("{key} is not enforced: {why}"));
        }
    }
    (group, unkept)
}

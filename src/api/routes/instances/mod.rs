//! Instances over all clouds.

mod backups;
mod change;
mod copies;
mod files;
mod list;
mod look;
mod snapshots;
mod state;
mod terminals;

use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::jobs::Target;
use crate::api::needs::Routes;
use crate::inventory::InstanceKey;

pub(super) fn routes() -> Routes {
    [
        list::routes(),
        look::routes(),
        state::routes(),
        change::routes(),
        copies::routes(),
        snapshots::routes(),
        backups::routes(),
        files::routes(),
        terminals::routes(),
    ]
    .into_iter()
    .fold(Routes::default(), Routes::merge)
}

/// An instance in a path.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct InPath {
    /// The cloud.
    cloud: String,
    /// The project.
    project: String,
    /// The instance.
    instance: String,
}

impl InPath {
    fn key(&self) -> InstanceKey {
        InstanceKey { cloud: self.cloud.clone(), project: self.project.clone(), name: self.instance.clone() }
    }

    fn target(&self) -> Target {
        Target {
            cloud: self.cloud.clone(),
            project: self.project.clone(),
            object: format!("instances/{}", self.instance),
        }
    }
}

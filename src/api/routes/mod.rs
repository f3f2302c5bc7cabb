//! The routes, a file for each kind of thing.

mod audit;
mod clouds;
mod doctor;
mod events;
mod images;
mod instances;
mod jobs;
mod me;
mod metrics;
mod node;
mod operations;
mod things;

use serde::Deserialize;
use utoipa::IntoParams;

use super::needs::Routes;

/// A project in a path.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct ProjectInPath {
    /// The cloud.
    cloud: String,
    /// The project.
    project: String,
}

/// The routes below `/api/v1`.
pub(in crate::api) fn all() -> Routes {
    [
        me::routes(),
        node::routes(),
        doctor::routes(),
        clouds::routes(),
        instances::routes(),
        images::routes(),
        operations::routes(),
        jobs::routes(),
        events::routes(),
        things::routes(),
        audit::routes(),
    ]
    .into_iter()
    .fold(Routes::default(), Routes::merge)
}

/// Those that are where programs of others look for them.
pub(in crate::api) fn at_root() -> Routes {
    metrics::routes()
}

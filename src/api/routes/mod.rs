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

use super::needs::Routes;

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

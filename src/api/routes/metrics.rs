//! The metrics of the node, and those of the clouds as they tell them.

use std::time::Duration;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa_axum::routes;

use crate::api::cloud::{bare_client, within};
use crate::api::extract::Path;
use crate::api::needs::{Needs, Routes};
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::config::Verb;

pub(super) fn routes() -> Routes {
    Routes::default()
        .add(Needs::anywhere(Verb::Metrics), routes!(node))
        .add(Needs::whole_cloud(Verb::Metrics), routes!(cloud))
}

/// How long a cloud may take to tell.
const PATIENCE: Duration = Duration::from_secs(10);

fn text(kind: &'static str, text: String) -> Response {
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

/// The metrics of the node, in the text format of Prometheus.
#[utoipa::path(
    get, path = "/metrics", operation_id = "node_metrics", tag = "metrics",
    responses((status = 200, body = String, content_type = "text/plain")),
)]
async fn node(State(api): State<Api>) -> Response {
    text("text/plain; version=0.0.4; charset=utf-8", crate::metrics::text(&api.node).await)
}

/// The cloud's own metrics, in the text format of OpenMetrics.
#[utoipa::path(
    get, path = "/metrics/clouds/{cloud}", operation_id = "cloud_metrics", tag = "metrics",
    params(("cloud" = String, Path, description = "The cloud.")),
    responses((status = 200, body = String, content_type = "application/openmetrics-text")),
)]
async fn cloud(State(api): State<Api>, Path(name): Path<String>) -> Result<Response, Problem> {
    let client = bare_client(&api, &name)?;
    let asked = async { Ok(client.metrics().await?) };
    let told = within(PATIENCE, asked).await.map_err(|problem| problem.of_cloud(&name))?;
    Ok(text("application/openmetrics-text; version=1.0.0; charset=utf-8", told))
}

//! The requests about who may do what.

use axum::extract::{Query, State};
use axum::routing::get;
use axum::{Json, Router};

use super::answer::{Answer, Served};
use super::protocol::{AccessList, ExplainRequest, Explanation, endpoints};
use crate::access::Access;

pub(super) fn routes() -> Router<Served> {
    Router::new().route(endpoints::ACCESS, get(list)).route(endpoints::ACCESS_EXPLAIN, get(explain))
}

async fn list(State(access): State<Access>) -> Answer<AccessList> {
    Ok(Json(access.list().await?))
}

async fn explain(
    State(access): State<Access>,
    Query(request): Query<ExplainRequest>,
) -> Answer<Vec<Explanation>> {
    Ok(Json(access.explain(&request).await?))
}

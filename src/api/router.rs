//! All routes, and what stands before and behind them.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Request;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};

use super::gate::gate;
use super::openapi;
use super::page;
use super::problem::{Code, Problem};
use super::routes;
use super::state::Api;

/// Where the API is.
pub(in crate::api) const ROOT: &str = "/api/v1";

/// No body in JSON is larger, in bytes.
const BODY: usize = 1 << 20;

/// The whole API.
pub(in crate::api) fn router(api: Api) -> Router {
    let (routes, document) = openapi::with(routes::all(), routes::at_root());
    let document = document.to_json().unwrap_or_default();
    let known = routes.merge(openapi::route(document)).merge(page::routes()).fallback(unknown);
    known
        .method_not_allowed_fallback(other_method)
        .layer(DefaultBodyLimit::max(BODY))
        .layer(middleware::from_fn(page::views))
        .layer(compression())
        .layer(middleware::from_fn_with_state(api.clone(), gate))
        .with_state(api)
}

/// Answers of some size are sent as gzip to those who take it, but for streams of events, which would wait.
fn compression() -> CompressionLayer<impl Predicate> {
    let which = SizeAbove::new(1_024)
        .and(NotForContentType::const_new("text/event-stream"))
        .and(NotForContentType::const_new("application/octet-stream"));
    CompressionLayer::new().gzip(true).compress_when(which)
}

async fn unknown<B>(request: Request<B>) -> Response {
    Problem::not_found(format!("there is nothing at {}", request.uri().path()))
        .remedy(format!("{ROOT}/openapi.json lists what there is"))
        .into_response()
}

async fn other_method<B>(request: Request<B>) -> Response {
    let told = format!("{} is not for {}", request.method(), request.uri().path());
    Problem::new(Code::MethodNotAllowed, told).into_response()
}

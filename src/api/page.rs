//! The page: one document for all of its views, and the files that it loads. Whoever the tailnet knows gets them, with any right
//! or none: there is nothing of a cloud in them, and a page is what tells a caller which right is missing.

use axum::extract::{Path, Request};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, middleware};

use super::guard::policy;
use super::list::has_already;
use super::problem::{Code, Problem};
use super::state::Api;
use crate::web;

/// Where its files are.
const ASSETS: &str = "/assets/";

/// Browsers keep a file for ever, as another content has another name.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

pub(in crate::api) fn routes() -> Router<Api> {
    Router::new().route("/", get(document)).route(&format!("{ASSETS}{{name}}"), get(asset))
}

/// Answers with the document where a browser asks for a view of the page by its address, and else as `next` does.
pub(in crate::api) async fn views(request: Request, next: middleware::Next) -> Response {
    let path = request.uri().path();
    let is_view = !["/api/", ASSETS, "/metrics"].iter().any(|other| path.starts_with(other));
    if request.method() == Method::GET && is_view && takes_html(request.headers()) {
        return document().await;
    }
    next.run(request).await
}

fn takes_html(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT).and_then(|accepted| accepted.to_str().ok());
    accepted.is_some_and(|accepted| accepted.contains("text/html"))
}

async fn document() -> Response {
    let mut random = [0; 16];
    let nonce = match rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty()) {
        Ok(_) => format!("{:032x}", u128::from_ne_bytes(random)),
        Err(error) => {
            return Problem::new(Code::Failed, format!("no random number: {error}")).into_response();
        }
    };
    let Some(text) = web::index(&nonce) else {
        return Problem::new(Code::Failed, "the page is not part of this program").into_response();
    };
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (header::CONTENT_SECURITY_POLICY, policy(Some(&nonce))),
    ];
    (headers, text).into_response()
}

async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Some(asset) = web::asset(&name) else {
        return Problem::not_found(format!("the page has no file {name}"))
            .remedy("load the page anew: it is of another build of the node")
            .into_response();
    };
    let tag = format!("\"{}\"", asset.tag);
    let mut response = if has_already(&headers, &tag) {
        axum::http::StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, asset.content_type)], asset.content.into_owned()).into_response()
    };
    response.headers_mut().insert(header::CACHE_CONTROL, FOR_EVER);
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

//! The OpenAPI document, made of the routes themselves.

use axum::Router;
use axum::http::header;
use axum::routing::get;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::{Components, InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};
use utoipa_axum::router::OpenApiRouter;

use super::needs::{Routes, operations};
use super::problem::{Code, ProblemDetails};
use super::router::ROOT;
use super::state::Api;

/// The routes, and the document that describes them.
pub(in crate::api) fn with(routes: Routes, at_root: Routes) -> (Router<Api>, OpenApi) {
    let routes = OpenApiRouter::new().nest(ROOT, routes.into_inner()).merge(at_root.into_inner());
    let (router, described) = routes.split_for_parts();
    let info = InfoBuilder::new()
        .title("Kolaboree")
        .version("1")
        .description(Some(
            "All clouds of a node, inside its tailnet. A caller is the node at the other end of the connection: there is no \
             login, no key and no cookie. Each operation says in `x-needs` which right it takes, and where. Refusals and \
             failures are `application/problem+json` (RFC 9457). A program says `Content-Type: application/json` with each POST, also with \
             one that has no body: by that it is told from a page of another site.",
        ))
        .build();
    let mut document = OpenApiBuilder::new().info(info).build();
    document.merge(described);
    let components = document.components.get_or_insert_with(Components::new);
    components.schemas.insert(ProblemDetails::name().into_owned(), ProblemDetails::schema());
    components.schemas.insert(Code::name().into_owned(), Code::schema());
    let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name(ProblemDetails::name()))).build();
    let refused = ResponseBuilder::new()
        .description("It was refused, or it failed.")
        .content("application/problem+json", problem)
        .build();
    for operation in document.paths.paths.values_mut().flat_map(operations) {
        operation.responses.responses.insert("default".to_owned(), RefOr::T(refused.clone()));
    }
    (router, document)
}

/// Where the document is.
pub(in crate::api) fn route(document: String) -> Router<Api> {
    let answer = move || {
        let document = document.clone();
        async move { ([(header::CONTENT_TYPE, "application/json")], document) }
    };
    Router::new().route(&format!("{ROOT}/openapi.json"), get(answer))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::api::needs::EXTENSION;
    use crate::api::routes;

    fn document() -> Value {
        let (_, document) = with(routes::all(), routes::at_root());
        serde_json::to_value(document).unwrap()
    }

    /// Each operation with its method and path.
    fn all(document: &Value) -> impl Iterator<Item = (&String, &String, &Value)> {
        let paths = document["paths"].as_object().unwrap().iter();
        paths.flat_map(|(path, item)| {
            item.as_object().unwrap().iter().map(move |(method, operation)| (method, path, operation))
        })
    }

    #[test]
    fn the_document_in_the_repository_is_that_of_the_code() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/kolaboree.openapi.json");
        let text = serde_json::to_string_pretty(&document()).unwrap() + "\n";
        if std::env::var_os("UPDATE_OPENAPI").is_some() {
            std::fs::write(path, &text).unwrap();
        }
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            written == text,
            "UPDATE_OPENAPI=1 cargo test -p kolaboree-node --lib openapi writes it anew"
        );
    }

    #[test]
    fn every_route_says_which_right_it_takes_and_where() {
        let document = document();
        for (method, path, operation) in all(&document) {
            let needs = &operation[EXTENSION];
            let place = needs["in"].as_str().unwrap_or_else(|| panic!("{method} {path} needs nothing"));
            let about = |name: &str| path.contains(&format!("{{{name}}}"));
            assert_eq!(
                place.contains("project of")
                    || place.contains("the project")
                    || place.contains("of the cloud"),
                about("cloud"),
                "{method} {path}: {place}"
            );
            assert_eq!(place == "the project", about("project"), "{method} {path}: {place}");
            let is_of_jobs = path.ends_with("/jobs/{job}"); // whose things decide
            let may_look = ["view", "metrics", "admin"].iter().any(|verb| needs["verb"] == *verb)
                || needs["verb"].is_null();
            let checks = path.ends_with("/check")
                || path.ends_with("/doctor")
                || path.contains("/operations/")
                || is_of_jobs;
            assert!(method == "get" || !may_look || checks, "{method} {path} changes something by {needs}");
        }
    }

    #[test]
    fn every_operation_has_a_name_of_its_own_words_and_its_refusals() {
        let document = document();
        let mut names = std::collections::HashSet::new();
        for (method, path, operation) in all(&document) {
            assert!(names.insert(operation["operationId"].as_str().unwrap()), "{method} {path}");
            assert!(
                operation["summary"].as_str().is_some_and(|summary| summary.ends_with('.')),
                "{method} {path}"
            );
            assert!(operation["responses"]["default"].is_object(), "{method} {path}");
        }
        assert_eq!(document["openapi"], "3.1.0");
    }
}

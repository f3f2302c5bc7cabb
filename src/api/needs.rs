//! Which right a route needs. A route is added with it, so that none is without: the same word is checked before the handler
//! runs, and stands in the OpenAPI document.

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams, Request};
use axum::http::Method;
use axum::http::request::Parts;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use super::problem::{Code, Problem};
use super::state::Api;
use crate::access::{Caller, Wish};
use crate::config::Verb;

/// The right that a route needs, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) struct Needs {
    verb: Option<Verb>,
    scope: Scope,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// In some project of some cloud; the handler tells what the caller may see.
    Anywhere,
    /// In some project of the cloud in the path.
    Cloud,
    /// In all projects of the cloud in the path.
    WholeCloud,
    /// In the project in the path.
    Project,
}

impl Needs {
    /// Any right at all: who has none is no user.
    pub(in crate::api) const ANY: Needs = Needs { verb: None, scope: Scope::Anywhere };

    pub(in crate::api) const fn anywhere(verb: Verb) -> Needs {
        Needs { verb: Some(verb), scope: Scope::Anywhere }
    }

    pub(in crate::api) const fn cloud(verb: Verb) -> Needs {
        Needs { verb: Some(verb), scope: Scope::Cloud }
    }

    pub(in crate::api) const fn whole_cloud(verb: Verb) -> Needs {
        Needs { verb: Some(verb), scope: Scope::WholeCloud }
    }

    pub(in crate::api) const fn project(verb: Verb) -> Needs {
        Needs { verb: Some(verb), scope: Scope::Project }
    }

    fn are_met_by(self, caller: &Caller, place: &Place) -> bool {
        let Some(verb) = self.verb else { return !caller.rights.is_empty() };
        let (cloud, project) = (place.cloud.as_deref(), place.project.as_deref());
        match (self.scope, cloud, project) {
            (Scope::Anywhere, ..) => caller.rights.has(verb),
            (Scope::Cloud, Some(cloud), _) => caller.rights.has_cloud(verb, cloud),
            (Scope::WholeCloud, Some(cloud), _) => caller.rights.whole_cloud(verb, cloud),
            (Scope::Project, Some(cloud), Some(project)) => caller.rights.allows(verb, cloud, project),
            _ => false, // the path does not name what the right is for
        }
    }

    /// As the OpenAPI document has it.
    fn document(self) -> serde_json::Value {
        let scope = match self.scope {
            Scope::Anywhere => "anywhere",
            Scope::Cloud => "some project of the cloud",
            Scope::WholeCloud => "all projects of the cloud",
            Scope::Project => "the project",
        };
        json!({"verb": self.verb, "in": scope})
    }
}

/// The cloud and the project that a path names.
#[derive(Clone, Debug, Default)]
struct Place {
    cloud: Option<String>,
    project: Option<String>,
}

/// The routes of the API.
#[derive(Clone, Default)]
pub(in crate::api) struct Routes(OpenApiRouter<Api>);

/// The name in the OpenAPI document under which a route says what it needs.
pub(in crate::api) const EXTENSION: &str = "x-needs";

impl Routes {
    /// Adds a route.
    pub(in crate::api) fn add(
        self,
        needs: Needs,
        (schemas, mut paths, methods): UtoipaMethodRouter<Api>,
    ) -> Routes {
        for item in paths.paths.values_mut() {
            for operation in operations(item) {
                let extensions = ExtensionsBuilder::new().add(EXTENSION, needs.document()).build();
                operation.extensions.get_or_insert_default().merge(extensions);
            }
        }
        let methods =
            methods.layer(middleware::from_fn(move |params: RawPathParams, request: Request, next: Next| {
                check(needs, params, request, next)
            }));
        Routes(self.0.routes((schemas, paths, methods)))
    }

    pub(in crate::api) fn merge(self, other: Routes) -> Routes {
        Routes(self.0.merge(other.0))
    }

    pub(in crate::api) fn into_inner(self) -> OpenApiRouter<Api> {
        self.0
    }
}

/// The operations of a path.
pub(in crate::api) fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, head, patch, .. } = item;
    [get, put, post, delete, head, patch].into_iter().flatten()
}

async fn check(needs: Needs, params: RawPathParams, request: Request, next: Next) -> Response {
    let mut place = Place::default();
    for (name, value) in &params {
        match name {
            "cloud" => place.cloud = Some(value.to_owned()),
            "project" => place.project = Some(value.to_owned()),
            _ => {}
        }
    }
    let Some(caller) = request.extensions().get::<Asker>().cloned() else {
        return Problem::new(Code::Failed, "nobody has said who asks").into_response();
    };
    if needs.are_met_by(&caller, &place) {
        return next.run(request).await;
    }
    let wish = Wish { verb: needs.verb, cloud: place.cloud.as_deref(), project: place.project.as_deref() };
    super::gate::refuse(&caller, wish, request.into_parts().0).await
}

/// Who asks.
#[derive(Clone, Debug)]
pub(in crate::api) struct Asker(pub(in crate::api) Arc<Caller>);

impl Deref for Asker {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.0
    }
}

impl<S: Sync> FromRequestParts<S> for Asker {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Asker, Problem> {
        let known = parts.extensions.get::<Asker>().cloned();
        known.ok_or_else(|| Problem::new(Code::Failed, "nobody has said who asks"))
    }
}

/// Whether a request with that method changes something.
pub(in crate::api) fn changes(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD)
}

//! A request that changes something: who asks what, and its body.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use serde::de::DeserializeOwned;

use super::gate::{self, RequestId};
use super::jobs::{self, Change, Part, Repeated, Target};
use super::needs::Asker;
use super::problem::{Code, Problem};
use super::state::Api;
use crate::access::Wish;
use crate::access::audit::{Entry, Pending};
use crate::config::Verb;

/// Who asks for a change.
#[derive(Clone, Debug)]
pub(in crate::api) struct Ask {
    pub(in crate::api) api: Api,
    pub(in crate::api) caller: Asker,
    id: RequestId,
    pub(in crate::api) headers: HeaderMap,
    /// The method and the path.
    what: String,
    query: Option<String>,
}

impl FromRequestParts<Api> for Ask {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Ask, Problem> {
        let caller = Asker::from_request_parts(parts, api).await?;
        let id = parts.extensions.get::<RequestId>().cloned();
        let id = id.ok_or_else(|| Problem::new(Code::Failed, "the request has no number"))?;
        let query = parts.uri.query().map(str::to_owned);
        Ok(Ask {
            api: api.clone(),
            caller,
            id,
            headers: parts.headers.clone(),
            what: gate::what(parts),
            query,
        })
    }
}

impl Ask {
    /// Begins a job and answers with it. A request whose `Idempotency-Key` was seen before begins nothing: the answer is that
    /// of the first one.
    pub(in crate::api) async fn change(
        &self,
        body: u64,
        change: Change,
        parts: Vec<Part>,
    ) -> Result<Response, Problem> {
        let Some(key) = self.headers.get("idempotency-key") else {
            let begun = jobs::begin(&self.api, &self.caller, &self.id, change, parts).await?;
            return Ok(jobs::answer(&self.api, &self.caller, &self.headers, &begun).await);
        };
        let key = key.to_str().map_err(|_| Problem::invalid("Idempotency-Key is not text"))?;
        if key.is_empty() || key.len() > 200 {
            return Err(Problem::invalid("Idempotency-Key has 1 to 200 characters"));
        }
        let request = hash_of(&(&self.what, &self.query, body));
        let begun = match self.api.jobs.claim(&self.caller.node.id, key, request) {
            Repeated::New(claim) => {
                let begun = jobs::begin(&self.api, &self.caller, &self.id, change, parts).await?;
                claim.keep(&begun);
                begun
            }
            Repeated::Again(begun) => begun,
            Repeated::Running => {
                return Err(Problem::new(
                    Code::Conflict,
                    "the first request with this Idempotency-Key is under way",
                ));
            }
            Repeated::Other => {
                return Err(Problem::new(Code::Mismatch, "another request had this Idempotency-Key"));
            }
            Repeated::Forgotten => {
                return Err(Problem::new(
                    Code::Conflict,
                    "what the first request with this Idempotency-Key began is forgotten",
                ));
            }
        };
        Ok(jobs::answer(&self.api, &self.caller, &self.headers, &begun).await)
    }

    /// Refuses what the caller has no right to, beside what the route takes.
    pub(in crate::api) async fn may(&self, verb: Verb, cloud: &str, project: &str) -> Result<(), Problem> {
        if self.caller.rights.allows(verb, cloud, project) {
            return Ok(());
        }
        let wish = Wish { verb: Some(verb), cloud: Some(cloud), project: Some(project) };
        Err(gate::denied(&self.api, &self.caller, wish, Some((&self.id, &self.what))).await)
    }

    /// Begins a job that takes the body as it comes, and answers once all of it is taken: the cloud goes on by itself then, or
    /// the job has ended.
    pub(in crate::api) async fn upload(&self, change: Change, part: Part) -> Result<Response, Problem> {
        let begun = jobs::begin(&self.api, &self.caller, &self.id, change, vec![part]).await?;
        let (mut ended, mut operations) = (begun.ended.subscribe(), begun.parts[0].job.watch_operations());
        tokio::select! {
            // Both live as long as `begun`.
            _ = ended.wait_for(Option::is_some) => {}
            _ = operations.wait_for(|operations| !operations.is_empty()) => {}
        }
        Ok(jobs::answer(&self.api, &self.caller, &self.headers, &begun).await)
    }

    /// Writes to the audit that a change begins. It may begin once this has returned.
    pub(in crate::api) async fn pending(&self, change: &Change, target: &Target) -> Result<Pending, Problem> {
        self.api.pending(self.entry(change, target), "changed").await
    }

    /// What the audit says of it.
    pub(in crate::api) fn entry(&self, change: &Change, target: &Target) -> Entry {
        change.entry(&self.id, &self.caller, target)
    }

    /// The version that the change is for, where `If-Match` names one.
    pub(in crate::api) fn version(&self) -> Option<String> {
        let value = self.headers.get(header::IF_MATCH)?.to_str().ok()?;
        Some(unquoted(value.trim().trim_start_matches("W/")).to_owned())
    }
}

/// A version without the quotes that a header has around it. Servers' own have them too, or not.
pub(in crate::api) fn unquoted(etag: &str) -> &str {
    etag.trim_matches('"')
}

/// A body in JSON.
#[derive(Clone, Debug)]
pub(in crate::api) struct JsonBody<T> {
    pub(in crate::api) value: T,
    /// By which two bodies are told apart.
    pub(in crate::api) hash: u64,
}

impl<T: DeserializeOwned> FromRequest<Api> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<JsonBody<T>, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.and_then(|kind| kind.split(';').next()).map(str::trim).unwrap_or_default();
        if !kind.eq_ignore_ascii_case("application/json") {
            return Err(Problem::new(Code::UnsupportedType, "the body is to be JSON")
                .remedy("send it with Content-Type: application/json"));
        }
        let bytes =
            Bytes::from_request(request, api).await.map_err(|rejection| match rejection.status() {
                axum::http::StatusCode::PAYLOAD_TOO_LARGE => {
                    Problem::new(Code::TooLarge, "the body is too large")
                }
                _ => Problem::invalid(format!("the body cannot be read: {}", rejection.body_text())),
            })?;
        let mut json = serde_json::Deserializer::from_slice(&bytes);
        let value = serde_path_to_error::deserialize(&mut json)
            .map_err(|error| Problem::invalid(format!("the body makes no sense: {error}")))?;
        json.end().map_err(|error| Problem::invalid(format!("the body makes no sense: {error}")))?;
        Ok(JsonBody { value, hash: hash_of(&bytes) })
    }
}

/// The same in each process of one build.
pub(in crate::api) fn hash_of(what: &impl std::hash::Hash) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(what)
}

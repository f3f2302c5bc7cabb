//! What each request passes before its route: the name by which it came, the page that sent it, who asks, and how much of that
//! caller's is under way. What is refused here is told in one form.

use std::net::IpAddr;

use axum::extract::{OriginalUri, Request, State};
use axum::http::request::Parts;
use axum::http::uri::Scheme;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tracing::warn;

use super::connection::{Connection, Door};
use super::guard::{Asked, Held, Host, harden, may_send};
use super::needs::{Asker, changes};
use super::problem::{Code, Problem};
use super::replica;
use super::state::Api;
use crate::access::audit::Entry;
use crate::access::{AccessError, Wish};
use crate::config::Verb;

/// The number of a request, in its answer and in the audit, and of what it began. It has the node's name in it.
#[derive(Clone, Debug)]
pub(in crate::api) struct RequestId(pub(in crate::api) String);

/// The header of an answer that has it.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Lets a request in, or refuses it, and gives every answer the headers that each has.
pub(in crate::api) async fn gate(
    State(api): State<Api>,
    connection: Connection,
    mut request: Request,
    next: Next,
) -> Response {
    let mut id = RequestId(format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..)));
    request.extensions_mut().insert(api.clone());
    let host = host_of(&api, &connection, &request);
    let mut response = match enter(&api, &connection, &host, &mut request).await {
        // The count goes on until the answer's body has ended.
        Ok(held) => {
            // Whoever came by a name that is not the node's own is not told that.
            id = RequestId(replica::number_of(&api.name(), &id.0));
            request.extensions_mut().insert(id.clone());
            next.run(request).await.map(|body| super::counted::body(body, held))
        }
        Err(problem) => problem.into_response(),
    };
    harden(response.headers_mut(), is_strict(&api, &connection, &host));
    if let Ok(id) = HeaderValue::from_str(&id.0) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// Whether a browser is to ask by HTTPS alone from now on. It does that for all ports of a name: it turns `http://NAME` into
/// `https://NAME`, and keeps a port that is written. So only where those are the ports, and for names that have a certificate.
fn is_strict(api: &Api, connection: &Connection, host: &Host) -> bool {
    let config = api.node.config();
    let usual = config
        .tailnet
        .as_ref()
        .is_some_and(|tailnet| tailnet.tls == Some(443) && tailnet.listen.is_none_or(|port| port == 80));
    let named = || matches!(host, Host::Own(host) if api.names().has_certificate(host));
    usual && connection.door == Door::Tailnet && connection.scheme == Scheme::HTTPS && named()
}

fn host_of(api: &Api, connection: &Connection, request: &Request) -> Host {
    let (uri, headers) = (request.uri(), request.headers());
    let names = match connection.door {
        Door::Development => super::connection::loopback_names(),
        _ => api.names(),
    };
    names.of(uri, headers, connection.port, &connection.scheme, connection.local.ip())
}

async fn enter(
    api: &Api,
    connection: &Connection,
    host: &Host,
    request: &mut Request,
) -> Result<super::guard::Permit, Problem> {
    let host = match host {
        Host::Own(host) => host,
        // By an address that a peer may know the node by; that peer is asked about first.
        Host::Address(ip, host) if is_masqueraded(api, connection, *ip).await => host,
        _ => return Err(wrong_host()),
    };
    let asked =
        Asked { method: request.method(), headers: request.headers(), host, scheme: &connection.scheme };
    may_send(asked).map_err(|why| Problem::new(Code::ForeignOrigin, why))?;
    let caller = caller_of(api, connection).await?;
    let held = api.limits.take(Held::Request, &caller.node.id).ok_or_else(|| too_many(Held::Request))?;
    request.extensions_mut().insert(caller);
    Ok(held)
}

/// Who asks.
pub(in crate::api) async fn caller_of(api: &Api, connection: &Connection) -> Result<Asker, Problem> {
    if connection.door == Door::Development {
        return api
            .access
            .development_caller()
            .map(Asker)
            .ok_or_else(|| Problem::new(Code::Forbidden, "nobody"));
    }
    api.access.caller(connection.peer).await.map(Asker).map_err(|error| {
        let code = match error {
            AccessError::Stranger(_) => Code::Forbidden,
            AccessError::Unavailable { .. } => Code::Unavailable,
        };
        Problem::new(code, error.to_string())
    })
}

async fn is_masqueraded(api: &Api, connection: &Connection, ip: IpAddr) -> bool {
    let caller = caller_of(api, connection).await;
    caller.is_ok_and(|caller| caller.masquerade.contains(&ip))
}

fn wrong_host() -> Problem {
    Problem::new(Code::WrongHost, "this node is not asked by that name").remedy(
        "ask by the node's MagicDNS name or its address; other names go to tailnet.hosts in kolaboree.yaml",
    )
}

pub(in crate::api) fn too_many(held: Held) -> Problem {
    Problem::new(Code::TooMany, format!("too many {} at once", held.what()))
        .remedy("wait until one has ended")
}

/// Refuses a request that its caller has no right to.
pub(in crate::api) async fn refuse(caller: &Asker, wish: Wish<'_>, request: Parts) -> Response {
    let Some(api) = request.extensions.get::<Api>() else {
        return Problem::new(Code::Forbidden, "not allowed").into_response();
    };
    // What only reads is told of, too, where it takes more than a look.
    let may_change = changes(&request.method)
        || matches!(wish.verb, Some(Verb::Edit | Verb::Exec | Verb::Files | Verb::Admin));
    let what = what(&request);
    let change = request.extensions.get::<RequestId>().filter(|_| may_change).map(|id| (id, what.as_str()));
    denied(api, caller, wish, change).await.into_response()
}

/// The method and the path of a request, as its caller wrote them: a router that has another one in it cuts the path.
pub(in crate::api) fn what(request: &Parts) -> String {
    let whole = request.extensions.get::<OriginalUri>().map_or(&request.uri, |uri| &uri.0);
    format!("{} {}", request.method, whole.path())
}

/// What a caller is told who has no right to something: who asks, and which grant is missing. What would have changed something
/// goes to the audit, with the method and the path.
pub(in crate::api) async fn denied(
    api: &Api,
    caller: &Asker,
    wish: Wish<'_>,
    change: Option<(&RequestId, &str)>,
) -> Problem {
    let verb = wish.verb.unwrap_or(Verb::View);
    if let Some((id, what)) = change {
        let entry = Entry::new(&id.0, caller, verb, what);
        let entry = wish.cloud.iter().fold(entry, |entry, cloud| entry.cloud(cloud));
        let entry = wish.project.iter().fold(entry, |entry, project| entry.project(project));
        if let Err(error) = api.audit.denied(entry).await {
            warn!("what was denied is not in the audit: {error}");
        }
    }
    let place = match (wish.cloud, wish.project) {
        (Some(cloud), Some(project)) => format!(" in the project {project} of {cloud}"),
        (Some(cloud), None) => format!(" in {cloud}"),
        _ => String::new(),
    };
    let grant = api.access.missing(caller, Wish { verb: Some(verb), ..wish }).await;
    Problem::new(Code::Forbidden, format!("{} may not {verb}{place}", **caller))
        .remedy("an administrator of the tailnet gives the grant below, or tailnet.access in kolaboree.yaml has it")
        .of_caller(json!(caller.0), json!(grant))
}

//! The server of the control socket, in the running node: it answers the requests that [`super::protocol`] describes.

use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use lxd_client::{Facade, PrivateSocket};
use serde::{Deserialize, Serialize};
use tracing::{debug, info, warn};

use super::answer::{Answer, Refusal, Served, refusal};
use super::names::AskedNames;
use super::protocol::{self, Cloud, Failure, FailureCode, PingRequest, UpRequest, endpoints};
use crate::access::Access;
use crate::inventory::Inventory;
use crate::node::{AskError, Node, ReloadError};

/// Serves the control socket until the node stops.
pub(crate) fn serve(node: &Node, inventory: Inventory, access: Access, socket: PrivateSocket) {
    let router = Router::new()
        .route(endpoints::STATUS, get(status))
        .route(endpoints::PING, post(ping))
        .route(endpoints::WHOIS, get(whois))
        .route(endpoints::NETCHECK, get(netcheck))
        .route(endpoints::UP, post(up))
        .route(endpoints::DOWN, post(down))
        .route(endpoints::LOGOUT, post(logout))
        .route(endpoints::RELOAD, post(reload))
        .route(endpoints::CLOUDS, get(clouds))
        .route(endpoints::CHECK, post(check))
        .route(endpoints::API, get(api))
        .route(endpoints::DIAL, get(dial))
        .merge(super::access::routes())
        .merge(super::inventory::routes())
        .fallback(unknown)
        .with_state(Served { node: node.clone(), inventory, access, names: AskedNames::default() });
    let stopping = node.stopping().cancelled_owned();
    node.tasks().spawn(async move {
        let (listener, _file) = socket.into_parts();
        if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stopping).await {
            warn!("the control socket is served no more: {error}");
        }
    });
}

fn answer<T: Serialize>(result: Result<T, AskError>) -> Answer<T> {
    Ok(Json(result?))
}

async fn status(State(node): State<Node>) -> Answer<protocol::Status> {
    answer(node.status().await)
}

async fn ping(State(node): State<Node>, Json(request): Json<PingRequest>) -> Answer<protocol::Pong> {
    answer(node.ping(&request).await)
}

#[derive(Deserialize)]
struct Address {
    address: String,
}

async fn whois(
    State(node): State<Node>,
    Query(Address { address }): Query<Address>,
) -> Answer<protocol::Whois> {
    answer(node.whois(&address).await)
}

async fn netcheck(State(node): State<Node>) -> Answer<protocol::Netcheck> {
    answer(node.netcheck().await)
}

async fn up(State(node): State<Node>, Json(request): Json<UpRequest>) -> Answer<protocol::Status> {
    info!("up, by a command");
    answer(node.bring_up(&request).await)
}

async fn down(State(node): State<Node>) -> Answer<protocol::Status> {
    info!("down, by a command");
    answer(node.bring_down().await)
}

async fn logout(State(node): State<Node>) -> Answer<protocol::Status> {
    info!("logout, by a command");
    answer(node.log_out().await)
}

async fn reload(State(node): State<Node>) -> Answer<protocol::Reloaded> {
    node.reload().await.map(Json).map_err(|error: ReloadError| {
        warn!("the configuration was not read again: {error}");
        refusal(FailureCode::Invalid, error.to_string())
    })
}

async fn clouds(State(node): State<Node>) -> Json<Vec<Cloud>> {
    Json(node.clouds().iter().map(|cloud| cloud.report()).collect())
}

async fn check(State(node): State<Node>, Path(name): Path<String>) -> Answer<Cloud> {
    answer(node.check(&name).await)
}

/// Upgrades the connection, and copies between the client and a stream through the tailnet.
async fn dial(
    State(node): State<Node>,
    Query(Address { address }): Query<Address>,
    request: Request,
) -> Result<Response, Refusal> {
    let upgrade = Upgrade::of(request)?;
    let stream = match node.tailnet().connect(&address).await {
        Ok(stream) => stream,
        Err(error) => {
            node.requests().count("dial", "failed");
            return Err(AskError::from(error).into());
        }
    };
    node.requests().count("dial", "connected");
    Ok(upgrade.then(&node, move |mut client| async move {
        if let Err(error) = stream.carry(&mut client).await {
            debug!("a stream of the control socket broke: {error}");
        }
    }))
}

#[derive(Deserialize)]
struct Known {
    address: String,
    fingerprint: String,
}

/// Upgrades the connection, and speaks the cloud's API on it by the node's own connections, which are open already. What
/// is wrong with a cloud is told best to a client that connects by itself: so such a cloud is refused here.
async fn api(
    State(node): State<Node>,
    Path(name): Path<String>,
    Query(known): Query<Known>,
    request: Request,
) -> Result<Response, Refusal> {
    let upgrade = Upgrade::of(request)?;
    let refuse = |code, error: &str| Err(refusal(code, format!("{name}: {error}")));
    let Some(cloud) = node.cloud(&name) else {
        return refuse(FailureCode::NotFound, "there is no such cloud");
    };
    let Some(client) = cloud.bare_client() else { return refuse(FailureCode::Invalid, "it has no API") };
    let config = cloud.config();
    let pin = config.trust.fingerprint.map(|pin| pin.to_string()).unwrap_or_default();
    if (config.address.to_string(), pin) != (known.address, known.fingerprint) {
        return refuse(FailureCode::Invalid, "the node knows it by another address or fingerprint");
    }
    let health = cloud.health();
    if (health.reachable, health.trusted) != (Some(true), Some(true)) {
        return refuse(FailureCode::NotRunning, "it cannot be used now");
    }
    node.requests().count("api", "connected");
    let stopping = node.stopping();
    Ok(upgrade.then(&node, move |stream| async move {
        stopping.run_until_cancelled(Facade::new(client).serve(stream)).await;
    }))
}

/// A request that wants the connection for something else.
struct Upgrade(OnUpgrade);

impl Upgrade {
    fn of(mut request: Request) -> Result<Upgrade, Refusal> {
        if request.headers().get(header::UPGRADE).is_some_and(|value| value == "tcp") {
            return Ok(Upgrade(hyper::upgrade::on(&mut request)));
        }
        let error = "this needs the headers Connection: Upgrade and Upgrade: tcp".to_owned();
        Err(Refusal(StatusCode::UPGRADE_REQUIRED, Failure { error, code: FailureCode::Invalid }))
    }

    /// The answer; with the connection goes on what is given.
    fn then<F>(self, node: &Node, work: impl FnOnce(TokioIo<Upgraded>) -> F + Send + 'static) -> Response
    where
        F: Future<Output = ()> + Send,
    {
        node.tasks().spawn(async move {
            if let Ok(client) = self.0.await {
                work(TokioIo::new(client)).await;
            }
        });
        let mut response = StatusCode::SWITCHING_PROTOCOLS.into_response();
        response.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("tcp"));
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        response
    }
}

async fn unknown(request: Request) -> Refusal {
    let text = format!("{} {} is not known here", request.method(), request.uri().path());
    refusal(FailureCode::NotFound, text)
}

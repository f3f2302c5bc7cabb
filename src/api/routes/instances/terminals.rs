//! Commands and consoles of instances, by websocket.

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Extension, State};
use axum::response::Response;
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::InPath;
use crate::api::connection::Connection;
use crate::api::extract::{Path, Query};
use crate::api::gate::RequestId;
use crate::api::needs::{Asker, Needs, Routes};
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::api::terminals::{self, Kind, Request, Wanted};
use crate::config::Verb;

pub(super) fn routes() -> Routes {
    Routes::default()
        .add(Needs::project(Verb::Exec), routes!(exec))
        .add(Needs::project(Verb::Exec), routes!(console))
}

/// What is the same for all sessions.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "for the document; `Wanted` reads the query, which has names more than once")]
struct Sessions {
    /// The size of the terminal. Default: 80.
    width: Option<u16>,
    /// Default: 24.
    height: Option<u16>,
    /// The session to come back to.
    session: Option<String>,
    /// How many bytes of it were seen. What it has shown since comes again. Default: 0.
    after: Option<u64>,
}

/// What to run.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "as above")]
struct Commands {
    /// The program and its arguments: once for each, or one JSON array. Without: a login shell.
    command: Vec<String>,
    /// The folder to run in.
    cwd: Option<String>,
    /// The user to run as, by number. Default: root.
    user: Option<u32>,
    /// The group to run as, by number. Default: root's.
    group: Option<u32>,
    /// A variable of its environment, as `NAME=VALUE`. May come more than once.
    env: Vec<String>,
    /// With a terminal. Default: true.
    terminal: Option<bool>,
}

/// Which console.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "as above")]
struct Consoles {
    /// Take it away from whoever has it at this node.
    take: Option<bool>,
}

/// Runs a command in an instance, by a websocket (HTTP/1.1).
///
/// Binary messages are the bytes of the terminal, in both directions, as they are: what is shown may be hostile. Without a
/// terminal the first byte of each message to the client says of which stream the others are: 1 for output, 2 for errors.
///
/// Text is JSON. The client sends `{"resize":{"width":W,"height":H}}`, `{"signal":N}` and, without a terminal, `{"eof":true}`. It
/// is told first `{"session":{"id","node","terminal","from","lost","input"}}`: what comes now begins after `from` bytes of what
/// was shown, `lost` bytes that it has not seen are not known any more, and `input` bytes of input were taken. At the end it is
/// told `{"exit":{"code"}}`, `{"error":…}` with a problem, or `{"taken":{"by"}}` where another connection has the session now.
///
/// The session is this node's. It outlives a lost connection for two minutes: the same user at the same node comes back with
/// `session` and `after`, the number of bytes seen; the newest 64 KiB are kept, and the end as well. A close with the code 1000
/// ends it at once. The server pings every 20 seconds; a client that is silent for 60 counts as lost. A message has 1 MiB at the
/// most, and a caller 16 sessions.
///
/// Codes of a close: 1000 it has ended, 1001 the node stops, and 4000 with the HTTP status of a problem, such as 4403 when the
/// right is gone, 4404 for an instance or session that is not there, 4408 for a silent client, 4409 when it was taken, 4429 for
/// too many, 4421 for a session of another node.
#[utoipa::path(
    get, path = "/clouds/{cloud}/projects/{project}/instances/{instance}/exec",
    operation_id = "exec", tag = "terminals", params(InPath, Commands, Sessions),
    responses((status = 101, description = "A websocket at the session.")),
)]
async fn exec(
    state: State<Api>,
    connection: Connection,
    caller: Asker,
    id: Extension<RequestId>,
    path: Path<InPath>,
    query: Query<Vec<(String, String)>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    open(Kind::Exec, (state, connection, caller, id), &path.0, query, upgrade)
}

/// Opens the text console of an instance, by a websocket (HTTP/1.1).
///
/// It is as a command on a terminal, whose end has no code. An instance has one console: where this node has it open already,
/// the close has the code 4409, and the error says who has it, unless `take` is true. Who had it is told who took it.
#[utoipa::path(
    get, path = "/clouds/{cloud}/projects/{project}/instances/{instance}/console",
    operation_id = "console", tag = "terminals", params(InPath, Consoles, Sessions),
    responses((status = 101, description = "A websocket at the session.")),
)]
async fn console(
    state: State<Api>,
    connection: Connection,
    caller: Asker,
    id: Extension<RequestId>,
    path: Path<InPath>,
    query: Query<Vec<(String, String)>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    open(Kind::Console, (state, connection, caller, id), &path.0, query, upgrade)
}

fn open(
    kind: Kind,
    (State(api), connection, caller, Extension(id)): (State<Api>, Connection, Asker, Extension<RequestId>),
    path: &InPath,
    Query(query): Query<Vec<(String, String)>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let wanted = Wanted::new(kind, query)?;
    let upgrade = upgrade.map_err(|rejection| {
        Problem::invalid(rejection.body_text()).remedy("open it as a websocket, by HTTP/1.1")
    })?;
    Ok(terminals::open(upgrade, Request { api, connection, caller, id, key: path.key(), wanted }))
}

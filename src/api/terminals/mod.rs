//! Commands and consoles of instances, by websocket.
//!
//! A session outlives its websocket: it is a task of this node's (`run`) that keeps what was shown lately (`ring`), and a client
//! whose connection was lost comes back to it (`socket`, `session`). Sessions belong to the node that began them.
//!
//! What instances show is passed on as it is, with all its escape sequences: whoever shows it takes care of hostile ones.

mod protocol;
mod ring;
mod run;
mod session;
mod socket;
mod store;
mod wanted;

use std::sync::Arc;

use axum::extract::WebSocketUpgrade;
use axum::extract::ws::WebSocket;
use axum::response::Response;

pub(in crate::api) use session::Kind;
pub(in crate::api) use store::Terminals;
pub(in crate::api) use wanted::Wanted;

use run::Begin;
use session::Session;

use super::connection::Connection;
use super::gate::{RequestId, too_many};
use super::guard::Held;
use super::needs::Asker;
use super::problem::Problem;
use super::recheck::Recheck;
use super::replica;
use super::state::Api;
use crate::access::audit::Entry;
use crate::config::Verb;
use crate::inventory::InstanceKey;

/// A request for a session.
#[derive(Debug)]
pub(in crate::api) struct Request {
    pub(in crate::api) api: Api,
    pub(in crate::api) connection: Connection,
    pub(in crate::api) caller: Asker,
    pub(in crate::api) id: RequestId,
    pub(in crate::api) key: InstanceKey,
    pub(in crate::api) wanted: Wanted,
}

/// Opens a websocket at a session. What goes wrong after this is told on the websocket: a page cannot read the status of a
/// websocket that was refused.
pub(in crate::api) fn open(upgrade: WebSocketUpgrade, request: Request) -> Response {
    let tasks = request.api.node.tasks().clone();
    let upgrade = upgrade.max_message_size(socket::MESSAGE).max_frame_size(socket::MESSAGE);
    upgrade.on_upgrade(move |socket| tasks.track_future(serve(socket, request)))
}

async fn serve(socket: WebSocket, request: Request) {
    let (connection, after) = (request.connection.clone(), request.wanted.after);
    let node = request.api.name().to_string();
    let session = match &request.wanted.session {
        Some(id) => find(id, &request),
        None => begin(request).await,
    };
    match session {
        Ok(session) => {
            let attachment = session.attach(after, connection);
            socket::join(socket, session, attachment, node).await;
        }
        Err(problem) => socket::refuse(socket, problem).await,
    }
}

fn find(id: &str, request: &Request) -> Result<Arc<Session>, Problem> {
    let Request { api, caller, key, wanted, .. } = request;
    api.terminals.find(id, caller, wanted.kind, key).ok_or_else(|| {
        let none = Problem::not_found(format!("this node has no session {id} of yours at {}", key.name));
        let none = none.remedy("it has ended; begin a new one");
        replica::unknown(&api.name(), &format!("the session {id}"), id, none)
    })
}

/// Begins a session. It is in the audit before anything is run; where that cannot be written, nothing is.
async fn begin(request: Request) -> Result<Arc<Session>, Problem> {
    let Request { api, connection, caller, id, key, wanted } = request;
    let recheck = Recheck::new(api.clone(), connection.clone());
    let held = api.limits.take(Held::Terminal, &caller.node.id).ok_or_else(|| too_many(Held::Terminal))?;
    let action = match wanted.kind {
        Kind::Exec => "exec",
        Kind::Console => "console",
    };
    let entry = Entry::new(&id.0, &caller, Verb::Exec, action)
        .cloud(&key.cloud)
        .project(&key.project)
        .object(&format!("instances/{}", key.name))
        .detail(&wanted.detail());
    let of = (wanted.kind, wanted.terminal);
    let (session, inlets) = Session::new(id.0, key, of, caller, connection, held);
    let session = Arc::new(session);
    let before = api.terminals.add(Arc::clone(&session), wanted.take)?;
    let pending = api.pending(entry, "run").await.inspect_err(|_| {
        session.gone.cancel();
        api.terminals.forget(&session);
    })?;
    let begin = Begin { api: api.clone(), wanted, inlets, pending, recheck, before };
    api.node.tasks().spawn(run::run(Arc::clone(&session), begin));
    Ok(session)
}

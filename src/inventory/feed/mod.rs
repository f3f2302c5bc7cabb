//! The feed of a cloud: reads what is there, and keeps it up to date.
//!
//! It opens the stream of events first and asks for lists then, so that nothing falls between the two. When the stream is
//! lost, the rows stay and are said to be stale, until the lists were read again.

mod action;
mod listed;
mod metrics;
mod pace;
mod remote;
mod scopes;
mod session;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, SelectAll, StreamExt};
use lxd_client::{Auth, Error, Server, one_line};
use tokio::sync::watch;
use tokio::time::Instant;

pub(crate) use listed::{ListedInstance, operation_row};

use super::looks::Looks;
use super::store::Store;
use crate::clock::now as seconds;
use crate::cloud::report::Health;

pub(super) use remote::Remote;
use remote::{Answer, Ask, EventStream};
use scopes::{ALL_PROJECTS, Scopes};
use session::{End, Session};

/// The first pause after a failure.
const FIRST: Duration = Duration::from_millis(250);

/// The longest pause after failures.
const CEILING: Duration = Duration::from_secs(15);

/// After a session that lasted this long, the next pause is short again.
const STABLE: Duration = Duration::from_secs(30);

/// Feeds the rows of one cloud into the store, for as long as the future lives. `health` is what the node's own probes find:
/// when the cloud comes back, the feed does not wait longer.
pub(super) async fn feed(
    store: Store,
    cloud: String,
    remote: Arc<dyn Remote>,
    looks: Arc<Looks>,
    mut health: Option<watch::Receiver<Health>>,
) {
    let mut pause = FIRST;
    let mut restricted = false;
    loop {
        usable(&store, &cloud, &mut health).await;
        let began = Instant::now();
        let end = run(&store, &cloud, &*remote, &looks, restricted).await;
        // The restriction may be lifted by the next time.
        restricted = matches!(end, End::Restricted) || restricted && matches!(end, End::OtherProjects);
        if let Some(reason) = reason(&end) {
            tracing::debug!(cloud, reason, "the inventory no longer follows it");
            store.change(|model| model.set_stale(&cloud, seconds(), &reason));
        }
        if began.elapsed() > STABLE {
            pause = FIRST;
        }
        tokio::select! {
            () = tokio::time::sleep(pause.mul_f64(0.8 + 0.4 * fastrand::f64())) => {}
            () = came_back(&mut health) => {}
        }
        pause = (pause * 2).min(CEILING);
    }
}

/// Why the rows are stale after that; `None` where they are not.
fn reason(end: &End) -> Option<String> {
    match end {
        End::Failed(error) => Some(one_line(error)),
        End::Lost => Some("the connection for its events was lost".to_owned()),
        End::OtherProjects | End::Restricted => None,
    }
}

/// Waits until the node's own probe finds that the cloud answers and trusts this node. Until then it is not asked here too.
async fn usable(store: &Store, cloud: &str, health: &mut Option<watch::Receiver<Health>>) {
    let Some(health) = health else { return };
    loop {
        let found = health.borrow_and_update().clone();
        let reason = match (found.reachable, found.trusted) {
            (Some(true), Some(false)) => Some("it does not trust this node".to_owned()),
            (Some(true), _) => return,
            (Some(false), _) => found.error,
            (None, _) => None, // not probed yet
        };
        if let Some(reason) = reason {
            store.change(|model| model.set_stale(cloud, seconds(), &reason));
        }
        if health.changed().await.is_err() {
            return std::future::pending().await;
        }
    }
}

/// Is done when a probe finds the cloud reachable that was not.
async fn came_back(health: &mut Option<watch::Receiver<Health>>) {
    let Some(health) = health else { return std::future::pending().await };
    health.borrow_and_update();
    loop {
        if health.changed().await.is_err() {
            return std::future::pending().await;
        }
        if health.borrow_and_update().reachable == Some(true) {
            return;
        }
    }
}

/// Follows the cloud until that ends.
async fn run(store: &Store, cloud: &str, remote: &dyn Remote, looks: &Arc<Looks>, restricted: bool) -> End {
    match connect(store, cloud, remote, restricted).await {
        Ok((server, scopes, events)) => {
            let session =
                Session::new(store.clone(), cloud, Arc::clone(looks), &server, scopes, Instant::now());
            follow(session, remote, events, looks).await
        }
        Err(error) => End::Failed(error),
    }
}

/// Asks what the server is and which projects there are, and opens the streams of events.
async fn connect(
    store: &Store,
    cloud: &str,
    remote: &dyn Remote,
    restricted: bool,
) -> Result<(Server, Scopes, SelectAll<EventStream>), Error> {
    let Answer::Server(server) = remote.ask(Ask::Server).await? else { return Err(mixed_up()) };
    if server.auth == Auth::Untrusted {
        return Err(Error::NotTrusted { message: "it does not know this node's certificate".to_owned() });
    }
    let mut events = SelectAll::new();
    // A certificate that is restricted to some projects may not listen to all of them.
    let mut restricted = restricted || !server.has_extension(ALL_PROJECTS);
    if !restricted {
        match remote.listen(None).await {
            Ok(stream) => events.push(stream),
            Err(Error::NotAllowed { .. }) => restricted = true,
            Err(error) => return Err(error),
        }
    }
    let Answer::Projects(projects) = remote.ask(Ask::Projects).await? else { return Err(mixed_up()) };
    let scopes = Scopes::new(&server, restricted, &projects);
    if restricted {
        for scope in scopes.instances() {
            events.push(remote.listen(scope).await?);
        }
    }
    store.change(|model| {
        model.update_cloud(cloud, |row| {
            let environment = server.environment.clone().unwrap_or_default();
            (row.server, row.version) = (environment.server, environment.server_version);
        });
        // LXD 5.0 tells a certificate that is restricted the events of all projects.
        model.set_projects(cloud, scopes.projects.clone(), !restricted);
    });
    Ok((*server, scopes, events))
}

fn mixed_up() -> Error {
    Error::Config { message: "the answer is to another question".to_owned(), source: None }
}

/// Takes events and answers until the session ends.
async fn follow(
    mut session: Session,
    remote: &dyn Remote,
    mut events: SelectAll<EventStream>,
    looks: &Looks,
) -> End {
    let mut under_way = FuturesUnordered::new();
    loop {
        let now = Instant::now();
        for ask in session.asks(now) {
            under_way.push(remote.ask(ask.clone()).map(|answer| (ask, answer)));
        }
        let wake = session.wake_at(now);
        let taken = tokio::select! {
            Some(event) = events.next() => match event {
                Ok(event) => session.event(event, Instant::now()),
                Err(error) => Err(End::Failed(error)),
            },
            Some((ask, answer)) = under_way.next() => session.answer(&ask, answer, Instant::now()),
            () = looks.added() => {
                session.looked(Instant::now());
                Ok(())
            }
            () = tokio::time::sleep_until(wake) => {
                session.tick();
                Ok(())
            }
        };
        if let Err(end) = taken {
            return end;
        }
    }
}

//! A session: what it has shown, who is attached to it, and how it ended. Its own task moves its bytes; websockets come and go.

mod attachment;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::access::Caller;
use crate::api::connection::Connection;
use crate::api::guard::Permit;
use crate::api::jobs::By;
use crate::api::needs::Asker;
use crate::api::problem::Problem;
use crate::api::terminals::protocol::{Asked, Stream};
use crate::api::terminals::ring::Ring;
use crate::inventory::InstanceKey;

pub(in crate::api::terminals) use attachment::{Attachment, Next};

/// How long a session stays while nobody is attached to it.
const STAY: Duration = Duration::from_secs(120);

/// How much may wait for a client that reads slowly. What the cloud has beyond that waits there.
const WAITING: u64 = 32 << 10;

/// A command, or a console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) enum Kind {
    Exec,
    Console,
}

/// How a session ended.
#[derive(Clone, Debug)]
pub(in crate::api::terminals) enum End {
    /// By itself; a command with a code.
    Exited(Option<i32>),
    Failed(Problem),
    /// The caller closed it, or did not come back.
    Left,
    /// Somebody else took the console.
    Taken(By),
    /// The node stops.
    Stopping,
}

/// A session.
#[derive(Debug)]
pub(in crate::api) struct Session {
    pub(in crate::api::terminals) id: String,
    pub(in crate::api::terminals) key: InstanceKey,
    pub(in crate::api::terminals) kind: Kind,
    /// Whether it has a terminal.
    pub(in crate::api::terminals) terminal: bool,
    /// Who began it.
    pub(in crate::api::terminals) caller: Asker,
    shared: Mutex<Shared>,
    /// None once the input has ended.
    input: Mutex<Option<mpsc::Sender<Bytes>>>,
    orders: mpsc::Sender<Asked>,
    /// Wakes the session's own task when somebody came, went, or took it.
    moved: Notify,
    /// Wakes it when somebody has read on.
    read: Notify,
    /// What it is on the cloud is gone.
    pub(in crate::api::terminals) gone: CancellationToken,
}

#[derive(Debug)]
struct Shared {
    ring: Ring,
    /// How many bytes of input it has taken.
    input: u64,
    /// The number of the newest attachment.
    number: u64,
    attached: Option<Attached>,
    /// Since when nobody is attached.
    since: Instant,
    /// By which the caller came last.
    connection: Connection,
    /// Whether the caller needs it no more.
    is_closed: bool,
    taken: Option<By>,
    end: Option<End>,
    /// Counts it for as long as it goes on.
    held: Option<Permit>,
}

#[derive(Debug)]
struct Attached {
    number: u64,
    /// Up to where it has read.
    place: u64,
    wake: Arc<Notify>,
}

/// What a session's own task reads.
#[derive(Debug)]
pub(in crate::api::terminals) struct Inlets {
    pub(in crate::api::terminals) input: mpsc::Receiver<Bytes>,
    pub(in crate::api::terminals) orders: mpsc::Receiver<Asked>,
}

impl Session {
    pub(in crate::api::terminals) fn new(
        id: String,
        key: InstanceKey,
        (kind, terminal): (Kind, bool),
        caller: Asker,
        connection: Connection,
        held: Permit,
    ) -> (Session, Inlets) {
        let (input, of_input) = mpsc::channel(4);
        let (orders, of_orders) = mpsc::channel(4);
        let shared = Shared {
            ring: Ring::default(),
            input: 0,
            number: 0,
            attached: None,
            since: Instant::now(),
            connection,
            is_closed: false,
            taken: None,
            end: None,
            held: Some(held),
        };
        let session = Session {
            id,
            key,
            kind,
            terminal,
            caller,
            shared: Mutex::new(shared),
            input: Mutex::new(Some(input)),
            orders,
            moved: Notify::new(),
            read: Notify::new(),
            gone: CancellationToken::new(),
        };
        (session, Inlets { input: of_input, orders: of_orders })
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is of this caller: the same node, of the same user.
    pub(in crate::api::terminals) fn is_of(&self, caller: &Caller) -> bool {
        let user = |caller: &Caller| caller.user.as_ref().map(|user| user.id);
        self.caller.node.id == caller.node.id && user(&self.caller) == user(caller)
    }

    pub(in crate::api::terminals) fn has_ended(&self) -> bool {
        self.shared().end.is_some()
    }
}

/// For others who want its place.
impl Session {
    /// Takes the console away, for somebody else.
    pub(in crate::api::terminals) fn take(&self, by: By) {
        self.shared().taken = Some(by);
        self.moved.notify_one();
    }

    /// Nobody comes back to it.
    pub(in crate::api::terminals) fn close(&self) {
        self.shared().is_closed = true;
        self.moved.notify_one();
    }
}

/// For its own task.
impl Session {
    /// By which the caller came last.
    pub(in crate::api::terminals) fn connection(&self) -> Connection {
        self.shared().connection.clone()
    }

    /// Whether more may be shown now. To a session without a client always: the oldest is forgotten then.
    pub(in crate::api::terminals) fn has_room(&self) -> bool {
        let shared = self.shared();
        shared
            .attached
            .as_ref()
            .is_none_or(|attached| shared.ring.end().saturating_sub(attached.place) < WAITING)
    }

    /// Waits until there may be room. Cancel safe.
    pub(in crate::api::terminals) async fn room(&self) {
        self.read.notified().await;
    }

    pub(in crate::api::terminals) fn show(&self, stream: Stream, bytes: &[u8]) {
        let mut shared = self.shared();
        shared.ring.push(stream, bytes);
        if let Some(attached) = &shared.attached {
            attached.wake.notify_one();
        }
    }

    pub(in crate::api::terminals) fn has_shown_nothing(&self) -> bool {
        self.shared().ring.end() == 0
    }

    /// Whether all that it has shown is one line that begins so.
    pub(in crate::api::terminals) fn has_only_shown(&self, begin: &[u8]) -> bool {
        let shared = self.shared();
        let shown = shared.ring.from(0).map(|(_, bytes)| bytes).unwrap_or_default();
        shared.ring.end() == shown.len() as u64
            && shown.starts_with(begin)
            && shown.trim_ascii_end().iter().all(|byte| *byte != b'\n')
    }

    /// Waits until it was taken, or the caller needs it no more, or has been away for too long. Cancel safe.
    pub(in crate::api::terminals) async fn over(&self) -> End {
        loop {
            let deadline = {
                let shared = self.shared();
                if let Some(by) = &shared.taken {
                    return End::Taken(by.clone());
                }
                if shared.is_closed {
                    return End::Left;
                }
                shared.attached.is_none().then(|| shared.since + STAY)
            };
            let too_long = async {
                match deadline {
                    Some(deadline) => tokio::time::sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.moved.notified() => {}
                () = too_long => return End::Left,
            }
        }
    }

    /// Notes how it ended, for the client that is attached, or comes within the next two minutes.
    pub(in crate::api::terminals) fn end(&self, end: End) {
        let mut shared = self.shared();
        (shared.end, shared.held, shared.taken) = (Some(end), None, None);
        shared.since = Instant::now();
        if let Some(attached) = &shared.attached {
            attached.wake.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::CallerKind;
    use crate::api::connection::Door;
    use crate::api::guard::{Held, Limits};

    fn connection() -> Connection {
        let address = "127.0.0.1:80".parse().unwrap();
        Connection {
            peer: address,
            local: address,
            port: 80,
            scheme: axum::http::uri::Scheme::HTTP,
            door: Door::Development,
        }
    }

    fn session() -> Session {
        let caller = Asker(Arc::new(Caller::of_tests(CallerKind::User, &[])));
        let key = InstanceKey { cloud: "c".into(), project: "p".into(), name: "i".into() };
        let held = Limits::default().take(Held::Terminal, &caller.node.id).unwrap();
        Session::new("s".to_owned(), key, (Kind::Exec, true), caller, connection(), held).0
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_whose_client_stays_away_is_over_after_two_minutes() {
        let (session, minute) = (session(), Duration::from_secs(60));
        let attachment = session.attach(0, connection());
        assert!(tokio::time::timeout(100 * minute, session.over()).await.is_err(), "its client is there");
        session.detach(&attachment, false);
        tokio::time::sleep(minute).await;
        // Who comes back has two whole minutes again.
        let again = session.attach(0, connection());
        session.detach(&attachment, false);
        assert!(tokio::time::timeout(100 * minute, session.over()).await.is_err(), "its new client is there");
        session.detach(&again, false);
        let away = Instant::now();
        assert!(matches!(session.over().await, End::Left));
        assert_eq!(away.elapsed(), 2 * minute);
    }

    #[tokio::test(start_paused = true)]
    async fn who_closes_a_session_does_not_keep_it_waiting() {
        let session = session();
        let (attachment, begun) = (session.attach(0, connection()), Instant::now());
        session.detach(&attachment, true);
        assert!(matches!(session.over().await, End::Left));
        assert!(begun.elapsed().is_zero());
    }
}

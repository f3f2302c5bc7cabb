//! What a caller is sent.

use std::io;
use std::pin::Pin;

use axum::body::Body;
use futures_util::{StreamExt, stream};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::sync::oneshot;
use tokio_io_timeout::TimeoutWriter;
use tokio_util::io::ReaderStream;

use super::{IDLE, hold, may};
use crate::access::audit::{Entry, Outcome};
use crate::api::ask::Ask;
use crate::api::connection::Connection;
use crate::api::guard::Permit;
use crate::api::jobs::{Change, Target};
use crate::api::problem::{Code, Problem};
use crate::api::recheck::Recheck;
use crate::api::state::Api;
use crate::config::Verb;

/// How much waits for a caller who takes nothing.
const WAITING: usize = 256 << 10;

/// How much of it goes on at once.
const CHUNK: usize = 64 << 10;

/// Where the content is written.
type Writer = Pin<Box<TimeoutWriter<DuplexStream>>>;

/// What is about to be sent to a caller. It counts as under way.
pub(in crate::api) struct Outgoing {
    api: Api,
    entry: Entry,
    held: Permit,
    recheck: Recheck,
    verb: Verb,
    target: Target,
}

impl Outgoing {
    /// Sending it is this change, for the audit.
    pub(in crate::api) fn new(
        ask: &Ask,
        connection: Connection,
        change: &Change,
        target: Target,
    ) -> Result<Outgoing, Problem> {
        let held = hold(ask)?;
        let recheck = Recheck::new(ask.api.clone(), connection);
        let (api, entry) = (ask.api.clone(), ask.entry(change, &target));
        Ok(Outgoing { api, entry, held, recheck, verb: change.verb, target })
    }

    /// A body with what `content` writes. It is in the audit before the first byte of it, and ends with an error where the
    /// content does, where the caller loses the right to it, and where nobody takes it for too long.
    pub(in crate::api) async fn send<F>(
        self,
        content: impl FnOnce(Writer) -> F + Send + 'static,
    ) -> Result<Body, Problem>
    where
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        let Outgoing { api, entry, held, mut recheck, verb, target } = self;
        let may = may(verb, &target);
        let pending = api.pending(entry, "sent").await?;
        let (near, far) = tokio::io::duplex(WAITING);
        let (tell, told) = oneshot::channel();
        let mut writer = Box::pin(TimeoutWriter::new(near));
        writer.as_mut().set_timeout_pinned(Some(IDLE));
        let cut = api.node.cut();
        api.node.spawn_until_cut(async move {
            let outcome = tokio::select! {
                written = content(writer) => written.map_err(problem),
                lost = recheck.lost(may) => Err(lost),
                () = cut.cancelled() => Err(Problem::new(Code::Unavailable, "the node stopped")),
            };
            drop(held);
            pending
                .end(match &outcome {
                    Ok(()) => Outcome::Done,
                    Err(problem) if problem.code() == Code::Cancelled => Outcome::Cancelled,
                    Err(problem) => Outcome::Failed(problem.detail().to_owned()),
                })
                .await;
            let _ = tell.send(outcome); // the caller may have gone
        });
        // The end of what was written is the end of the body only where the content has ended well.
        let end = stream::once(async {
            match told.await {
                Ok(Ok(())) => None,
                Ok(Err(problem)) => Some(Err(io::Error::other(problem.detail().to_owned()))),
                Err(_) => Some(Err(io::ErrorKind::BrokenPipe.into())),
            }
        });
        let chunks = ReaderStream::with_capacity(far, CHUNK).chain(end.filter_map(std::future::ready));
        Ok(Body::from_stream(chunks))
    }
}

/// Writes all and tells of the end. An error of what it is read from is of the kind `Other`.
pub(in crate::api) async fn copy(
    from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
) -> io::Result<()> {
    let mut chunks = ReaderStream::with_capacity(from, CHUNK);
    while let Some(chunk) = chunks.next().await {
        to.write_all(&chunk.map_err(io::Error::other)?).await?;
    }
    Ok(())
}

/// What is behind an error of the content; what it is read from fails with errors of the kind `Other`.
fn problem(error: io::Error) -> Problem {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Problem::new(Code::Cancelled, "the caller went away"),
        io::ErrorKind::TimedOut => {
            Problem::new(Code::Idle, format!("the caller took nothing for {} s", IDLE.as_secs()))
        }
        _ => Problem::new(Code::Failed, error.to_string()),
    }
}

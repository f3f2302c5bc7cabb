//! A websocket's place at a session.

use std::sync::{Arc, PoisonError};

use axum::body::Bytes;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::{Attached, End, Session, Shared};
use crate::api::connection::Connection;
use crate::api::jobs::By;
use crate::api::terminals::protocol::{Asked, frame};

/// A websocket's place at a session.
#[derive(Debug)]
pub(in crate::api::terminals) struct Attachment {
    number: u64,
    wake: Arc<Notify>,
    /// Up to where the client has seen what was shown.
    pub(in crate::api::terminals) from: u64,
    /// How much of what it has not seen is no longer known.
    pub(in crate::api::terminals) lost: u64,
    /// How much of its input was taken.
    pub(in crate::api::terminals) input: u64,
}

/// What there is for a client.
#[derive(Debug)]
pub(in crate::api::terminals) enum Next {
    Output(Bytes),
    Ended(End),
}

impl Session {
    /// Attaches a client that has seen so many bytes. One that was attached before is no more.
    pub(in crate::api::terminals) fn attach(&self, seen: u64, connection: Connection) -> Attachment {
        let mut shared = self.shared();
        let shared = &mut *shared;
        shared.number += 1;
        shared.connection = connection;
        let (start, end) = (shared.ring.start(), shared.ring.end());
        let from = seen.clamp(start, end);
        let wake = Arc::new(Notify::new());
        let attached = Attached { number: shared.number, place: from, wake: Arc::clone(&wake) };
        if let Some(older) = shared.attached.replace(attached) {
            older.wake.notify_one();
        }
        self.moved.notify_one();
        self.read.notify_one();
        Attachment {
            number: shared.number,
            wake,
            from,
            lost: start.saturating_sub(seen),
            input: shared.input,
        }
    }

    /// Ends an attachment. `closed`: the caller needs the session no more.
    pub(in crate::api::terminals) fn detach(&self, attachment: &Attachment, closed: bool) {
        let mut shared = self.shared();
        if shared.attached.as_ref().is_some_and(|attached| attached.number == attachment.number) {
            (shared.attached, shared.since) = (None, Instant::now());
            shared.is_closed |= closed;
            self.moved.notify_one();
            self.read.notify_one();
        }
    }

    /// What there is next for a client. Cancel safe.
    pub(in crate::api::terminals) async fn next(&self, attachment: &Attachment) -> Next {
        loop {
            if let Some(next) = self.now(attachment) {
                return next;
            }
            attachment.wake.notified().await;
        }
    }

    fn now(&self, attachment: &Attachment) -> Option<Next> {
        let mut shared = self.shared();
        let Shared { ring, attached, end, .. } = &mut *shared;
        let attached = attached.as_mut().filter(|attached| attached.number == attachment.number);
        let Some(attached) = attached else { return Some(Next::Ended(End::Taken(By::of(&self.caller)))) };
        match ring.from(attached.place) {
            Some((stream, bytes)) => {
                attached.place = attached.place.max(ring.start()) + bytes.len() as u64;
                self.read.notify_one();
                Some(Next::Output(frame(self.terminal, stream, bytes)))
            }
            None => end.clone().map(Next::Ended),
        }
    }

    /// Takes input of a client; what comes after the end of the input is for nobody.
    pub(in crate::api::terminals) async fn write(&self, attachment: &Attachment, bytes: Bytes) {
        let input = self.input.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(input) = input else { return };
        let Ok(room) = input.reserve().await else { return };
        let mut shared = self.shared();
        if shared.attached.as_ref().is_some_and(|attached| attached.number == attachment.number) {
            shared.input += bytes.len() as u64;
            room.send(bytes);
        }
    }

    /// Does what a client asks for.
    pub(in crate::api::terminals) async fn order(&self, asked: Asked) {
        match asked {
            Asked::Eof(_) => *self.input.lock().unwrap_or_else(PoisonError::into_inner) = None,
            // A session that has ended takes no more orders.
            asked => drop(self.orders.send(asked).await),
        }
    }
}

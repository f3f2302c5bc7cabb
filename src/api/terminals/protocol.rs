//! What is said on the websocket of a session, beside the bytes.

use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, close_code};
use serde::{Deserialize, Serialize};

use super::session::End;
use crate::api::jobs::By;
use crate::api::problem::{Code, Problem};

/// Which stream of a command some bytes are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Out,
    Err,
}

/// What a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum Asked {
    Resize { width: u16, height: u16 },
    Signal(i32),
    Eof(bool),
}

/// What a client is told.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Told<'a> {
    Session(Hello),
    Exit { code: Option<i32> },
    Error(&'a Problem),
    Taken { by: &'a By },
}

/// The session that a client has come to.
#[derive(Debug, Serialize)]
pub(super) struct Hello {
    pub(super) id: String,
    /// The node to which it belongs.
    pub(super) node: String,
    /// Whether it has a terminal.
    pub(super) terminal: bool,
    /// How many bytes it has shown before those that come now.
    pub(super) from: u64,
    /// How many of those that the client has not seen are no longer known.
    pub(super) lost: u64,
    /// How many bytes of input it has taken.
    pub(super) input: u64,
}

impl Told<'_> {
    pub(super) fn message(&self) -> Message {
        // Nothing in it can fail to be written as JSON.
        Message::text(serde_json::to_string(self).unwrap_or_default())
    }
}

/// Bytes of the session. Without a terminal the first byte says of which stream they are.
pub(super) fn frame(terminal: bool, stream: Stream, bytes: &[u8]) -> Bytes {
    let mark = match (terminal, stream) {
        (true, _) => None,
        (false, Stream::Out) => Some(1),
        (false, Stream::Err) => Some(2),
    };
    mark.into_iter().chain(bytes.iter().copied()).collect::<Vec<u8>>().into()
}

/// The code of a close for a problem.
fn code_of(problem: &Problem) -> u16 {
    4000 + problem.status()
}

/// What a client is told before the close, and the close.
pub(super) fn farewell(end: &End) -> (Option<Message>, CloseFrame) {
    match end {
        End::Exited(code) => (Some(Told::Exit { code: *code }.message()), close(close_code::NORMAL, "ended")),
        End::Left => (None, close(close_code::NORMAL, "closed")),
        End::Stopping => (None, close(close_code::AWAY, "the node stops")),
        End::Failed(problem) => {
            (Some(Told::Error(problem).message()), close(code_of(problem), problem.detail()))
        }
        End::Taken(by) => {
            (Some(Told::Taken { by }.message()), close(4409, "another connection took it over"))
        }
    }
}

/// The close that answers what makes no sense.
pub(super) fn senseless(why: &str) -> End {
    End::Failed(Problem::new(Code::Invalid, why))
}

/// A close, whose reason has room for 123 bytes.
fn close(code: u16, reason: &str) -> CloseFrame {
    let end = (0..=reason.len().min(123)).rev().find(|end| reason.is_char_boundary(*end)).unwrap_or_default();
    CloseFrame { code, reason: reason[..end].into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_is_asked() {
        let asked = |text| serde_json::from_str::<Asked>(text).ok();
        assert_eq!(
            asked(r#"{"resize":{"width":80,"height":24}}"#),
            Some(Asked::Resize { width: 80, height: 24 })
        );
        assert_eq!(asked(r#"{"signal":15}"#), Some(Asked::Signal(15)));
        assert_eq!(asked(r#"{"eof":true}"#), Some(Asked::Eof(true)));
        for text in [
            "",
            "{}",
            r#"{"resize":{"width":80}}"#,
            r#"{"resize":{"width":-1,"height":1}}"#,
            r#"{"run":"x"}"#,
        ] {
            assert_eq!(asked(text), None, "{text}");
        }
    }

    #[test]
    fn a_long_reason_is_cut_so_that_it_fits_into_a_close() {
        let end = End::Failed(Problem::not_found("€".repeat(100)));
        let (told, close) = farewell(&end);
        assert_eq!((close.code, close.reason.as_str()), (4404, "€".repeat(41).as_str()));
        assert!(matches!(told, Some(Message::Text(text)) if text.contains(&"€".repeat(100))));
    }
}

//! A client of the websockets of commands and consoles, at a person's node.

use std::net::SocketAddr;
use std::time::Instant;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

use crate::api::{NODE, Person, connect};
use crate::api_real::PROJECT;
use crate::node::{World, until};
use crate::program::HANG;

/// A websocket at a session.
pub(crate) struct Session<'a> {
    world: &'a World,
    pub(crate) socket: WebSocketStream<TcpStream>,
    /// What it was told first.
    pub(crate) hello: Value,
    /// What it has shown.
    pub(crate) shown: Vec<u8>,
    /// What was told beside.
    pub(crate) told: Vec<Value>,
}

pub(crate) async fn upgrade(proxy: SocketAddr, path: &str) -> Result<WebSocketStream<TcpStream>, WsError> {
    upgrade_at(proxy, NODE, path).await
}

async fn upgrade_at(
    proxy: SocketAddr,
    host: &str,
    path: &str,
) -> Result<WebSocketStream<TcpStream>, WsError> {
    let url = format!("ws://{host}{path}");
    let stream = connect(proxy, host, 80);
    stream.set_nonblocking(true)?;
    Ok(tokio_tungstenite::client_async(url, TcpStream::from_std(stream)?).await?.0)
}

impl<'a> Session<'a> {
    /// Opens one, whose first words are not read yet.
    pub(crate) fn begin(world: &'a World, person: &Person, path: &str) -> Session<'a> {
        Session::begin_at(world, person, NODE, path)
    }

    /// The same by another name.
    pub(crate) fn begin_at(world: &'a World, person: &Person, host: &str, path: &str) -> Session<'a> {
        let socket = world.wait(upgrade_at(person.proxy, host, path));
        let socket = socket.unwrap_or_else(|error| panic!("{path}: {error}"));
        Session { world, socket, hello: Value::Null, shown: Vec::new(), told: Vec::new() }
    }

    pub(crate) fn open(world: &'a World, person: &Person, path: &str) -> Session<'a> {
        Session::begin(world, person, path).opened()
    }

    /// Reads its first words, which welcome who has come.
    pub(crate) fn opened(mut self) -> Session<'a> {
        let closed = self.step();
        assert!(closed.is_none() && self.told.len() == 1, "{closed:?} {:?}", self.told);
        self.hello = self.told.remove(0)["session"].clone();
        self
    }

    /// Opens one that is refused: the problem, and the code of the close.
    pub(crate) fn refused(world: &World, person: &Person, path: &str) -> (Value, u16) {
        let (told, code) = Session::begin(world, person, path).ends();
        (told.last().expect("it says nothing")["error"].clone(), code)
    }

    /// The path by which its caller comes back, having seen so much.
    pub(crate) fn back(&self, seen: usize) -> String {
        format!("{PROJECT}/instances/c1/exec?session={}&after={seen}", self.hello["id"].as_str().unwrap())
    }

    /// Reads one message; the code, where that is a close.
    pub(crate) fn step(&mut self) -> Option<u16> {
        let message = self.world.wait(self.socket.next());
        match message.expect("it broke").expect("it broke") {
            Message::Binary(bytes) => self.shown.extend(bytes),
            Message::Text(text) => self.told.push(serde_json::from_str(&text).unwrap()),
            Message::Close(frame) => return Some(frame.expect("a close without a code").code.into()),
            _ => {}
        }
        None
    }

    pub(crate) fn send(&mut self, message: Message) {
        self.world.wait(self.socket.send(message)).unwrap();
    }

    pub(crate) fn types(&mut self, text: &str) {
        self.send(Message::binary(text.as_bytes().to_vec()));
    }

    /// Types until its connection turns out to be broken.
    pub(crate) fn breaks(mut self) {
        let typed = || self.world.wait(self.socket.send(Message::binary(b"\n".to_vec())));
        let _ = until(typed, Result::is_err);
    }

    pub(crate) fn asks(&mut self, what: &Value) {
        self.send(Message::text(what.to_string()));
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.shown).into_owned()
    }

    /// Reads until something is right, or it is closed: then the code.
    pub(crate) fn reads(&mut self, right: impl Fn(&str) -> bool) -> Option<u16> {
        let deadline = Instant::now() + HANG;
        while !right(&self.text()) {
            assert!(Instant::now() < deadline, "{:?} {}", self.told, self.text());
            if let Some(code) = self.step() {
                return Some(code);
            }
        }
        None
    }

    /// Reads until it shows a text.
    pub(crate) fn shows(&mut self, text: &str) {
        let closed = self.reads(|shown| shown.contains(text));
        assert!(closed.is_none(), "{closed:?} {:?} without {text:?}: {}", self.told, self.text());
    }

    /// Reads to the end: what was told, and the code of the close, which is answered.
    pub(crate) fn ends(&mut self) -> (Vec<Value>, u16) {
        let code = self.reads(|_| false).unwrap();
        self.is_over();
        (self.told.clone(), code)
    }

    /// Reads what is left of the connection, by which a close is answered too.
    pub(crate) fn is_over(&mut self) {
        while let Some(Ok(_)) = self.world.wait(self.socket.next()) {}
    }

    pub(crate) fn closes(mut self, code: u16) {
        let frame = CloseFrame { code: CloseCode::from(code), reason: "".into() };
        self.world.wait(self.socket.close(Some(frame))).unwrap();
        self.is_over();
    }

    pub(crate) fn exited(&mut self, code: i32) {
        let (told, close) = self.ends();
        assert_eq!((told.last(), close), (Some(&json!({"exit": {"code": code}})), 1000), "{}", self.text());
    }
}

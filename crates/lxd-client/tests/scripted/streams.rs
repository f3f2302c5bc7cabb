//! Bodies and websockets that stall or are not what they should be.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use lxd_client::{Client, Error, FileOptions};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::server::{socket, sync, unix};

/// Serves each connection as told, on a Unix socket.
pub(crate) fn raw<F: Future<Output = ()> + Send + 'static>(
    serve: impl Fn(BufReader<UnixStream>) -> F + Send + Sync + 'static,
    timeout: Duration,
) -> (tempfile::TempDir, Client) {
    let (folder, path, listener) = socket();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(BufReader::new(stream)));
        }
    });
    (folder, Client::unix(&path, timeout).unwrap())
}

/// Reads the head of a request, and gives its lines.
pub(crate) async fn head(stream: &mut BufReader<UnixStream>) -> Vec<String> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap_or_default() <= 2 {
            return lines;
        }
        lines.push(line.trim_end().to_owned());
    }
}

async fn answer(stream: &mut BufReader<UnixStream>, json: &serde_json::Value) {
    let json = json.to_string();
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{json}", json.len());
    let _ = stream.get_mut().write_all(answer.as_bytes()).await;
}

const SERVER: &str = r#"{"type":"sync","metadata":{"auth":"trusted","environment":{"server":"lxd"}}}"#;

#[tokio::test]
async fn an_upload_that_the_server_takes_no_more_of_is_given_up() {
    let serve = async |mut stream: BufReader<UnixStream>| {
        let server: serde_json::Value = serde_json::from_str(SERVER).unwrap();
        loop {
            let asked = head(&mut stream).await;
            match asked.first() {
                Some(line) if line.starts_with("GET /1.0 ") => answer(&mut stream, &server).await,
                // The head of the upload: it reads nothing more, and stays.
                Some(_) => std::future::pending().await,
                None => return,
            }
        }
    };
    let (_folder, client) = raw(serve, Duration::from_millis(300));
    let endless = tokio::io::repeat(7);
    let (files, options) = (client.instance("c1").files(), FileOptions::default());
    let writing = files.write("/f", endless, &options);
    let error = tokio::time::timeout(Duration::from_secs(20), writing).await.expect("it hangs").unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
}

#[tokio::test]
async fn an_upload_whose_source_is_slow_is_not_given_up() {
    let (folder, _) = unix(|asked| match asked.path.as_str() {
        "/1.0" => sync(json!({"auth": "trusted", "environment": {"server": "lxd"}})),
        _ => {
            assert_eq!(asked.body, "slow and well");
            sync(json!({}))
        }
    })
    .await;
    let patience = Duration::from_millis(200);
    let client = Client::unix(&folder.path().join("unix.socket"), patience).unwrap();
    let (mut source, pipe) = tokio::io::duplex(64);
    let began = Instant::now();
    let feeding = tokio::spawn(async move {
        source.write_all(b"slow").await.unwrap();
        // Longer than a request may take: there is no event to wait for in a source that is silent.
        tokio::time::sleep(patience * 4).await;
        source.write_all(b" and well").await.unwrap();
    });
    client.instance("c1").files().write("/f", pipe, &FileOptions::default()).await.unwrap();
    assert!(began.elapsed() > patience * 3);
    feeding.await.unwrap();
}

#[tokio::test]
async fn a_source_that_cannot_be_read_is_told_and_nothing_is_sent() {
    let (_folder, client) = unix(|asked| match asked.path.as_str() {
        "/1.0" => sync(json!({"auth": "trusted", "environment": {"server": "lxd"}})),
        path => panic!("{path} was sent"),
    })
    .await;
    let broken = tokio_util::io::StreamReader::new(futures_util::stream::iter([
        Ok(&b"some"[..]),
        Err(std::io::Error::other("the disk is gone")),
    ]));
    let error = client.instance("c1").files().write("/f", broken, &FileOptions::default()).await.unwrap_err();
    assert!(matches!(&error, Error::Local { source, .. } if source.to_string().contains("the disk is gone")));
}

/// Makes a connection the websocket that was asked for.
async fn switch(stream: &mut BufReader<UnixStream>, asked: &[String]) {
    let key = asked.iter().find_map(|line| line.strip_prefix("sec-websocket-key: ")).unwrap();
    let accept = tokio_tungstenite::tungstenite::handshake::derive_accept_key(key.as_bytes());
    let switch = format!(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
         sec-websocket-accept: {accept}\r\n\r\n"
    );
    stream.get_mut().write_all(switch.as_bytes()).await.unwrap();
}

/// A server whose console or terminal tells what comes by its two websockets, in its order. The end of a terminal comes when
/// its control socket is closed.
fn terminal_that_tells(told: UnboundedSender<String>) -> (tempfile::TempDir, Client) {
    let fds = json!({"fds": {"0": "stream", "control": "control"}});
    let operation = json!({"id": "op", "status_code": 103, "resources": null, "metadata": fds});
    let operation = json!({"type": "async", "status_code": 100, "metadata": operation});
    let killed = Arc::new(Notify::new());
    let serve = move |mut stream: BufReader<UnixStream>| {
        let (told, operation, killed) = (told.clone(), operation.clone(), Arc::clone(&killed));
        async move {
            let asked = loop {
                let asked = head(&mut stream).await;
                let Some(first) = asked.first() else { return };
                if first.contains("/websocket?") {
                    break asked;
                }
                let length = asked.iter().find_map(|line| line.strip_prefix("content-length: "));
                let length = length.map_or(0, |length| length.parse().unwrap());
                stream.read_exact(&mut vec![0; length]).await.unwrap();
                answer(&mut stream, &operation).await;
                if asked[0].starts_with("POST") {
                    told.send("asked".to_owned()).unwrap();
                }
            };
            switch(&mut stream, &asked).await;
            let name = if asked[0].contains("secret=control") { "control" } else { "stream" };
            let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
            loop {
                let message = tokio::select! {
                    message = socket.next() => message,
                    () = killed.notified(), if name == "stream" => {
                        told.send("stream: end".to_owned()).unwrap();
                        socket.send(Message::text("")).await.unwrap();
                        continue;
                    }
                };
                let Some(Ok(message)) = message else { return };
                let what = if message.is_close() { "close" } else { message.to_text().unwrap() };
                told.send(format!("{name}: {what}")).unwrap();
                if (name, what) == ("control", "close") {
                    // Time enough for a client that does not wait for the end.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    killed.notify_one();
                }
            }
        }
    };
    raw(serve, Duration::from_secs(10))
}

/// LXD 5.0 falls when the control socket of a console is closed before its stream.
#[tokio::test]
async fn a_console_that_is_let_go_sends_what_was_typed_and_closes_its_control_socket_last() {
    for _ in 0..20 {
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let (_folder, client) = terminal_that_tells(tell);
        let mut console = client.instance("c1").console(80, 25).await.unwrap();
        for typed in ["a", "b", "c"] {
            console.stdin.as_mut().unwrap().write_all(typed.as_bytes()).await.unwrap();
        }
        drop(console);
        tells(
            &mut told,
            &["asked", "stream: a", "stream: b", "stream: c", "stream: close", "control: close"],
        )
        .await;
    }
}

/// LXD 5.0 waits for ever for both sockets of a console.
#[tokio::test]
async fn a_console_that_is_given_up_while_it_is_attached_is_attached_and_let_go() {
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let (_folder, client) = terminal_that_tells(tell);
    let c1 = client.instance("c1");
    tokio::select! {
        biased;
        asked = told.recv() => assert_eq!(asked.as_deref(), Some("asked")),
        _ = c1.console(80, 25) => panic!("it was attached before anybody looked"),
    }
    tells(&mut told, &["stream: close", "control: close"]).await;
}

/// LXD 5.0 may never end the operation of a terminal whose stream is closed before its end.
#[tokio::test]
async fn a_terminal_that_is_let_go_is_killed_first_and_its_stream_closed_at_its_end() {
    for keeps_its_screen in [false, true] {
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let (_folder, client) = terminal_that_tells(tell);
        let mut shell = client.instance("c1").exec(["sh"]).terminal(80, 25).spawn().await.unwrap();
        let mut screen = shell.stdout.take();
        if !keeps_its_screen {
            screen = None;
            // Nobody looks any more, but it goes on.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        drop(shell);
        tells(&mut told, &["asked", "control: close", "stream: end"]).await;
        if let Some(mut screen) = screen {
            assert!(screen.next().await.is_none());
        }
        tells(&mut told, &["stream: close"]).await;
    }
}

async fn tells(told: &mut UnboundedReceiver<String>, expected: &[&str]) {
    for expected in expected {
        let next = tokio::time::timeout(Duration::from_secs(20), told.recv()).await.expect("it hangs");
        assert_eq!(next.as_deref(), Some(*expected));
    }
}

/// A server whose websockets say this after the switch, and stay open.
fn websocket_that_says(bytes: &'static [u8]) -> (tempfile::TempDir, Client) {
    let serve = move |mut stream: BufReader<UnixStream>| async move {
        let asked = head(&mut stream).await;
        switch(&mut stream, &asked).await;
        let stream = stream.get_mut();
        let _ = stream.write_all(bytes).await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    };
    raw(serve, Duration::from_secs(10))
}

#[tokio::test]
async fn a_websocket_that_talks_rubbish_is_an_error() {
    // A reserved opcode; a masked frame, which only clients send; a frame of more bytes than there are; text that is
    // none.
    for bytes in [
        &b"\x83\x01x"[..],
        b"\x81\x81\0\0\0\0x",
        b"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x81\x02\xff\xfe",
    ] {
        let (_folder, client) = websocket_that_says(bytes);
        let mut socket = client.get("/1.0/events").websocket().await.unwrap();
        let next = tokio::time::timeout(Duration::from_secs(20), socket.next()).await.expect("it hangs");
        assert!(matches!(next, Err(Error::Broken { .. })), "{bytes:?}: {next:?}");
    }
}

#[tokio::test]
async fn events_that_are_none_are_passed_over() {
    let text: &[u8] = b"\x81\x02[]\x82\x03\0\0\0\x81\x1e{\"type\":\"operation\",\"x\":[1,2]}\x81\x25\
        {\"type\":\"logging\",\"metadata\":\"hello\"}";
    let (_folder, client) = websocket_that_says(text);
    let mut events = client.events(&[lxd_client::EventKind::Logging]).await.unwrap();
    let event = tokio::time::timeout(Duration::from_secs(20), events.next()).await.expect("none").unwrap();
    assert!(matches!(&event, lxd_client::Event::Other(event) if event["metadata"] == "hello"), "{event:?}");
}

#[tokio::test]
async fn events_are_a_stream() {
    let (_folder, client) = websocket_that_says(b"\x81\x25{\"type\":\"logging\",\"metadata\":\"hello\"}");
    let events = client.events(&[lxd_client::EventKind::Logging]).await.unwrap();
    let first = events.into_stream().take(1).collect::<Vec<_>>();
    let first = tokio::time::timeout(Duration::from_secs(20), first).await.expect("none");
    assert!(
        matches!(&first[..], [Ok(lxd_client::Event::Other(event))] if event["metadata"] == "hello"),
        "{first:?}"
    );
}

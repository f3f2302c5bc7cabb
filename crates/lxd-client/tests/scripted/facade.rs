//! The façade, asked with bytes as stock clients send them.

use std::sync::{Arc, Mutex};

use lxd_client::{Client, Facade, ServerTrust};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

use crate::raw::{DESCRIPTION, PROFILE, ask, raw, requests};
use crate::server::{Asked, client, error, socket, sync, tls, tls_unread};

/// What the server is asked for.
type Log = Arc<Mutex<Vec<Asked>>>;

/// A server that knows the default profile.
fn server(log: &Log) -> impl Fn(Asked) -> crate::server::Answer + Send + Sync + 'static {
    let log = Arc::clone(log);
    move |asked| {
        let found = asked.path == PROFILE;
        log.lock().unwrap().push(asked);
        if found { sync(json!({"name": "default"})) } else { error(404, 404, "not found") }
    }
}

fn connect(facade: &Facade) -> UnixStream {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let facade = facade.clone();
    tokio::spawn(async move { facade.serve(theirs).await });
    ours
}

/// Asks a façade of the server for all, and looks at what the server got.
async fn assert_taken_as_by_lxd(client: Client, log: &Log, reads: bool) {
    let facade = Facade::new(client);
    for raw in requests(PROFILE) {
        let answer = ask(connect(&facade), &raw).await;
        assert_eq!((answer.status, answer.open), (raw.status, raw.open), "{}: {answer:?}", raw.name);
        let asked = std::mem::take(&mut *log.lock().unwrap());
        let changes: Vec<&Asked> = asked.iter().filter(|asked| asked.method == "PATCH").collect();
        assert_eq!(changes.len(), usize::from(raw.pieces[0].starts_with(b"PATCH")), "{}", raw.name);
        assert!(changes.iter().all(|asked| !reads || asked.body == DESCRIPTION), "{}", raw.name);
        for name in ["x-secret", "connection", "upgrade", "http2-settings"] {
            assert!(asked.iter().all(|asked| !asked.headers.contains_key(name)), "{}: {name}", raw.name);
        }
    }
}

#[tokio::test]
async fn requests_are_taken_as_lxd_itself_takes_them() {
    let log = Log::default();
    let (addr, fingerprint) = tls(server(&log)).await;
    assert_taken_as_by_lxd(client(addr, ServerTrust::Fingerprint(fingerprint)), &log, true).await;
}

/// As LXD does over HTTP/2 where it does not look at the body, which Ansible's modules and others send all the same.
#[tokio::test]
async fn a_server_that_answers_before_the_body_has_come_does_not_end_the_clients_connection() {
    let log = Log::default();
    let (addr, fingerprint) = tls_unread(server(&log)).await;
    assert_taken_as_by_lxd(client(addr, ServerTrust::Fingerprint(fingerprint)), &log, false).await;
}

/// As LXD does over HTTP/1.1 with a body of which it does not want that much.
#[tokio::test]
async fn a_long_body_that_the_server_does_not_want_is_answered_and_the_connection_ends() {
    let (_folder, path, listener) = socket();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut stream = BufReader::new(stream);
            let mut line = String::new();
            while line != "\r\n" {
                line.clear();
                assert_ne!(stream.read_line(&mut line).await.unwrap(), 0);
            }
            stream.read_exact(&mut vec![0; 256 << 10]).await.unwrap();
            let answer = "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno";
            stream.get_mut().write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let facade = Facade::new(Client::unix(&path, std::time::Duration::from_secs(10)).unwrap());
    let long = "x".repeat(8 << 20);
    let head = format!("POST {PROFILE} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", long.len());
    let (mut reading, mut writing) = connect(&facade).into_split();
    // As it may: a client that is told to stop may break off.
    let sending = tokio::spawn(async move {
        let _ = writing.write_all((head + &long).as_bytes()).await;
    });
    let mut answer = String::new();
    let read = reading.read_to_string(&mut answer);
    let ended = tokio::time::timeout(std::time::Duration::from_secs(30), read).await.expect("it hangs");
    assert!(answer.starts_with("HTTP/1.1 404 Not Found\r\n"), "{answer} {ended:?}");
    assert!(answer.to_lowercase().contains("\r\nconnection: close\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nno"), "{answer}");
    sending.abort();
}

#[tokio::test]
async fn headers_are_spelt_as_lxd_spells_them_in_http1() {
    let (addr, fingerprint) = tls(|_| {
        let mut answer = sync(json!([]));
        answer.headers_mut().insert("x-lxd-uid", "0".parse().unwrap());
        answer.headers_mut().insert("keep-alive", "timeout=5".parse().unwrap());
        answer
    })
    .await;
    let facade = Facade::new(client(addr, ServerTrust::Fingerprint(fingerprint)));
    let file = raw("a file", 200, true, &["GET /1.0/instances/c1/files HTTP/1.1\r\nHost: x\r\n\r\n"]);
    let answer = ask(connect(&facade), &file).await;
    let names: Vec<&str> = answer.headers.iter().filter_map(|line| Some(line.split_once(':')?.0)).collect();
    assert_eq!(names, ["Content-Length", "X-Lxd-Uid"]);
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused_and_a_long_one_holds_up_nobody() {
    let log = Log::default();
    let (addr, fingerprint) = tls(server(&log)).await;
    let facade = Facade::new(client(addr, ServerTrust::Fingerprint(fingerprint)));
    let long = |length| {
        let head = format!("GET {PROFILE} HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n", "v".repeat(length));
        raw("a long head", 0, true, &[&head])
    };
    // The server takes less over HTTP/2.
    let answer = ask(connect(&facade), &long(200_000)).await;
    assert_eq!((answer.status, answer.open), (200, true), "{answer:?}");
    let (mut reading, mut writing) = connect(&facade).into_split();
    let too_long = long(1_100_000).pieces.remove(0);
    let sending = tokio::spawn(async move {
        let _ = writing.write_all(&too_long).await;
    });
    let mut answer = [0; 12];
    let read = reading.read_exact(&mut answer);
    tokio::time::timeout(std::time::Duration::from_secs(30), read).await.expect("it hangs").unwrap();
    assert_eq!(answer, *b"HTTP/1.1 431");
    sending.abort();
}

//! The façade, asked with bytes as stock clients send them.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lxd_client::{Client, Facade, Identity, ServerTrust};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream, UnixStream};

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
    let ended = tokio::time::timeout(Duration::from_secs(30), read).await.expect("it hangs");
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
    tokio::time::timeout(Duration::from_secs(30), read).await.expect("it hangs").unwrap();
    assert_eq!(answer, *b"HTTP/1.1 431");
    sending.abort();
}

/// A connection with TLS, as of somebody who has no certificate.
#[allow(clippy::disallowed_methods, reason = "loopback only: there is no tailnet in these tests")]
async fn stranger(addr: SocketAddr, certificate: &str) -> tokio_rustls::client::TlsStream<TcpStream> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(rustls_pemfile::certs(&mut certificate.as_bytes()).next().unwrap().unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider);
    let config = config.with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(addr).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    connector.connect("localhost".try_into().unwrap(), stream).await.unwrap()
}

#[tokio::test]
#[allow(clippy::disallowed_methods, reason = "loopback only: there is no tailnet in these tests")]
async fn clients_of_the_facade_over_tls_that_say_nothing_are_few_at_a_time_and_ended() {
    let log = Log::default();
    let (addr, fingerprint) = tls(server(&log)).await;
    let facade = Facade::new(client(addr, ServerTrust::Fingerprint(fingerprint)));
    let folder = tempfile::tempdir().unwrap();
    let identity = Identity::load_or_generate_server(folder.path(), "facade").unwrap();
    let mine = Identity::load_or_generate(folder.path(), "mine").unwrap();
    let trust = ServerTrust::Fingerprint(identity.fingerprint());
    let known = [mine.fingerprint()];
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let _serving = tokio_util::task::AbortOnDropHandle::new(tokio::spawn(async move {
        facade.serve_tls(listener, identity, known).await.unwrap();
    }));

    let certificate = std::fs::read_to_string(folder.path().join("server.crt")).unwrap();
    let mut stranger = stranger(addr, &certificate).await;
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(TcpStream::connect(addr).await.unwrap());
    }
    let client = Client::builder("https://facade:1".parse().unwrap(), crate::to::To(addr)).trust(trust);
    let client = client.identity(mine).timeout(Duration::from_secs(60)).build().unwrap();
    let began = std::time::Instant::now();
    client.profile("default").get().await.unwrap();
    assert!(began.elapsed() > Duration::from_secs(5), "it was its turn at once: they are many at a time");
    let ended = async {
        let _ = stranger.read_to_end(&mut Vec::new()).await;
        for mut stream in silent.into_iter().take(64) {
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), ended).await.expect("they are not ended");
}

#[tokio::test]
async fn a_facade_takes_the_place_of_what_a_killed_process_left_and_of_nobody_who_serves() {
    let log = Log::default();
    let (addr, fingerprint) = tls(server(&log)).await;
    let facade = Facade::new(client(addr, ServerTrust::Fingerprint(fingerprint)));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("unix.socket");
    for left in [path.clone(), folder.path().join(format!("unix.socket.{}", std::process::id()))] {
        drop(std::os::unix::net::UnixListener::bind(left).unwrap());
    }
    let serves = |facade: Facade| {
        let path = path.clone();
        async move { facade.serve_unix(&path).await }
    };
    let serving = tokio::spawn(serves(facade.clone()));
    let client = Client::unix(&path, Duration::from_secs(10)).unwrap();
    while UnixStream::connect(&path).await.is_err() {
        assert!(!serving.is_finished(), "{:?}", serving.await);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let second =
        tokio::time::timeout(Duration::from_secs(5), serves(facade)).await.expect("it took the place");
    assert_eq!(second.unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
    client.profile("default").get().await.unwrap();
    serving.abort();
    assert!(serving.await.unwrap_err().is_cancelled());
    assert!(!path.exists());
}

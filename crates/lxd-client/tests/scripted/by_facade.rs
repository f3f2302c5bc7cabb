//! Clients whose requests go by a façade in another process.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use lxd_client::{Client, Error, Facade, Fingerprint, ServerTrust};
use serde_json::json;
use tokio::net::UnixStream;

use crate::server::{Answer, Asked, client, operation, sync, tls};
use crate::to::To;

/// Makes streams to a façade, and counts them; fails where there is none.
#[derive(Clone)]
struct ToFacade {
    facade: Option<Facade>,
    made: Arc<AtomicUsize>,
}

impl tower_service::Service<Uri> for ToFacade {
    type Response = TokioIo<UnixStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let ToFacade { facade, made } = self.clone();
        Box::pin(async move {
            let facade = facade.ok_or_else(|| io::Error::other("no façade"))?;
            made.fetch_add(1, Ordering::SeqCst);
            let (ours, theirs) = UnixStream::pair()?;
            tokio::spawn(async move { facade.serve(theirs).await });
            Ok(TokioIo::new(ours))
        })
    }
}

/// A client of the server at that address, by the façade where there is one.
fn by(facade: Option<Client>, addr: SocketAddr, pin: Fingerprint) -> (Client, Arc<AtomicUsize>) {
    let made = Arc::default();
    let to = ToFacade { facade: facade.map(Facade::new), made: Arc::clone(&made) };
    let uri = format!("https://{addr}").parse().unwrap();
    let builder = Client::builder(uri, To(addr)).trust(ServerTrust::Fingerprint(pin)).facade(to);
    (builder.timeout(Duration::from_secs(10)).build().unwrap(), made)
}

/// What the server is asked for, by method and path.
type Log = Arc<Mutex<Vec<String>>>;

fn server(log: &Log) -> impl Fn(Asked) -> Answer + Send + Sync + 'static {
    let log = Arc::clone(log);
    move |asked| {
        log.lock().unwrap().push(format!("{} {}", asked.method, asked.path));
        match (asked.method.as_str(), &*asked.path) {
            ("PUT", _) => operation("1", 103),
            (_, "/1.0/operations/1/wait") => sync(json!({"id": "1", "status_code": 200})),
            _ => sync(json!({"name": "default"})),
        }
    }
}

#[tokio::test]
async fn requests_go_by_the_facades_connection_and_the_client_makes_none() {
    let log = Log::default();
    let (addr, pin) = tls(server(&log)).await;
    let warm = client(addr, ServerTrust::Fingerprint(pin));
    let (client, made) = by(Some(warm.clone()), addr, pin);
    let profile = client.profile("default");
    assert_eq!(profile.get().await.unwrap().name, "default");
    tokio::try_join!(profile.get(), profile.get()).unwrap();
    client.instance("c1").restore("s").await.unwrap().wait().await.unwrap();
    assert_eq!((client.connections_made(), warm.connections_made()), (0, 1));
    assert_eq!(made.load(Ordering::SeqCst), 1);
    assert_eq!(log.lock().unwrap().len(), 5);
}

#[tokio::test]
async fn without_a_facade_the_client_makes_its_own_connection() {
    let (addr, pin) = tls(server(&Log::default())).await;
    let (client, _) = by(None, addr, pin);
    client.profile("default").get().await.unwrap();
    client.profile("default").get().await.unwrap();
    assert_eq!(client.connections_made(), 1);
}

/// The façade's own server is gone, or another one by its certificate.
#[tokio::test]
async fn what_a_facade_could_not_send_is_sent_by_a_connection_of_the_clients_own() {
    let log = Log::default();
    let (addr, pin) = tls(server(&log)).await;
    let nobody = SocketAddr::from(([127, 0, 0, 1], 1));
    let (_, other) = tls(server(&Log::default())).await;
    for wrong in
        [client(nobody, ServerTrust::Fingerprint(pin)), client(addr, ServerTrust::Fingerprint(other))]
    {
        let (client, made) = by(Some(wrong), addr, pin);
        client.instance("c1").restore("s").await.unwrap().wait().await.unwrap();
        client.profile("default").get().await.unwrap();
        assert_eq!((client.connections_made(), made.load(Ordering::SeqCst)), (1, 1));
        let asked = std::mem::take(&mut *log.lock().unwrap());
        assert_eq!(asked.iter().filter(|asked| asked.starts_with("PUT")).count(), 1, "{asked:?}");
    }
}

/// The façade's server takes a request and says nothing more.
#[tokio::test]
async fn what_may_have_reached_the_server_is_sent_again_only_where_it_changes_nothing() {
    let log = Log::default();
    let (addr, pin) = tls(server(&log)).await;
    let (breaking, its_pin) = tls(|_| panic!("as meant: the connection ends")).await;
    let facade = client(breaking, ServerTrust::Fingerprint(its_pin));
    let (changing, _) = by(Some(facade.clone()), addr, pin);
    let error = changing.instance("c1").restore("s").await.unwrap_err();
    assert!(matches!(error, Error::Broken { .. }), "{error:?}");
    assert!(log.lock().unwrap().is_empty());
    let (reading, _) = by(Some(facade), addr, pin);
    assert_eq!(reading.profile("default").get().await.unwrap().name, "default");
    changing.profile("default").get().await.unwrap();
}

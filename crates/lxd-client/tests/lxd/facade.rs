use std::future::poll_fn;
use std::path::Path;
use std::task::Poll;
use std::time::Duration;

use lxd_client::{Client, Error, Facade, Identity, ServerTrust};
use tokio::process::Command;

use crate::common::{fresh, local, lxd_dir, remote};
use crate::raw::{ask, raw, requests};
use crate::to::To;

/// A façade of the remote server, in a folder for `LXD_DIR`.
async fn facade() -> (tempfile::TempDir, tokio::task::JoinHandle<()>) {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("unix.socket");
    let facade = Facade::new(remote().await);
    let mut serving = Box::pin(async move { facade.serve_unix(&socket).await.unwrap() });
    // It listens before it waits for the first time.
    assert!(poll_fn(|cx| Poll::Ready(serving.as_mut().poll(cx).is_pending())).await);
    (folder, tokio::spawn(serving))
}

/// What a stock client prints, which has no configuration but that in `folder`; it reaches the façade by the
/// Unix socket there.
async fn stock(folder: &Path, program: &str, args: &[&str]) -> (i32, String) {
    let mut command = Command::new(program);
    command.args(args).env("LXD_DIR", folder).env("LXD_CONF", folder.join("conf")).kill_on_drop(true);
    command.stdin(std::process::Stdio::null());
    let output = tokio::time::timeout(Duration::from_secs(60), command.output()).await;
    let output = output.unwrap_or_else(|_| panic!("{program} {args:?} hangs")).unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap_or(-1), text)
}

/// What users do with the stock `lxc`, with a remote of this name.
async fn use_lxc(folder: &Path, remote: &str) {
    let lxc = async |args: &[&str]| stock(folder, "lxc", args).await;
    let named = |name: &str| format!("{remote}:{name}");
    let (code, listed) = lxc(&["list", &named(""), "--format", "csv", "--columns", "ns"]).await;
    assert!(code == 0 && listed.contains("c1,RUNNING"), "{listed}");
    let (code, output) = lxc(&["exec", &named("c1"), "--", "sh", "-c", "echo through; exit 9"]).await;
    assert_eq!((code, &*output), (9, "through\n"));

    let name = named(&fresh("facade"));
    let (code, output) = lxc(&["launch", &named("busybox"), &name]).await;
    assert_eq!(code, 0, "{output}");
    let file = folder.join("file");
    let bytes: Vec<u8> = (0..10_000_000_u32).map(|n| (n % 241) as u8).collect();
    std::fs::write(&file, &bytes).unwrap();
    let there = format!("{name}/root/file");
    let (code, output) = lxc(&["file", "push", file.to_str().unwrap(), &there]).await;
    assert_eq!(code, 0, "{output}");
    let back = folder.join("back");
    let (code, output) = lxc(&["file", "pull", &there, back.to_str().unwrap()]).await;
    assert_eq!(code, 0, "{output}");
    assert!(std::fs::read(&back).unwrap() == bytes);
    let (code, output) = lxc(&["delete", "--force", &name]).await;
    assert_eq!(code, 0, "{output}");
    let (code, output) = lxc(&["info", &name]).await;
    assert!(code != 0 && output.contains("not found"), "{output}");
}

#[tokio::test]
#[cfg_attr(any(not(real_lxd), real_incus), ignore = "needs a real LXD and its lxc: see .ci/with-lxd")]
async fn the_stock_lxc_works_through_the_facade() {
    let (folder, serving) = facade().await;
    use_lxc(folder.path(), "local").await;
    serving.abort();
    let _ = serving.await;
    assert!(!folder.path().join("unix.socket").exists(), "the socket is left behind");
}

#[tokio::test]
#[cfg_attr(any(not(real_lxd), real_incus), ignore = "needs a real LXD and its lxc: see .ci/with-lxd")]
async fn the_stock_lxc_works_through_the_facade_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    let conf = folder.path().join("conf");
    let (_serving, addr) =
        tls_facade(folder.path(), &Identity::load_or_generate(&conf, "lxc").unwrap()).await;
    let url = format!("https://{addr}");
    let (code, output) =
        stock(folder.path(), "lxc", &["remote", "add", "far", &url, "--accept-certificate"]).await;
    assert_eq!(code, 0, "{output}");
    use_lxc(folder.path(), "far").await;
}

#[tokio::test]
#[cfg_attr(not(all(real_lxd, pylxd)), ignore = "needs pylxd: set PYLXD_PYTHON to a Python that has it")]
async fn the_stock_pylxd_works_through_the_facade() {
    let (folder, _serving) = facade().await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lxd/use_pylxd.py");
    let python = std::env::var("PYLXD_PYTHON").unwrap();
    let (code, output) = stock(folder.path(), &python, &[script, &fresh("pylxd")]).await;
    assert!(code == 0 && output.contains("pylxd works"), "{output}");
}

/// A façade over TLS, for this one client.
async fn tls_facade(
    folder: &Path,
    client: &Identity,
) -> (tokio_util::task::AbortOnDropHandle<()>, std::net::SocketAddr) {
    let server = Identity::load_or_generate_server(folder, "facade").unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (facade, client) = (Facade::new(remote().await), client.fingerprint());
    let serving = tokio::spawn(async move { facade.serve_tls(listener, server, [client]).await.unwrap() });
    (tokio_util::task::AbortOnDropHandle::new(serving), addr)
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn the_facade_over_tls_serves_those_it_knows_on_loopback_alone() {
    let folder = tempfile::tempdir().unwrap();
    let known = Identity::load_or_generate(&folder.path().join("known"), "known").unwrap();
    let stranger = Identity::load_or_generate(&folder.path().join("stranger"), "stranger").unwrap();
    let (_serving, addr) = tls_facade(folder.path(), &known).await;
    let server = Identity::load_or_generate_server(folder.path(), "facade").unwrap();
    let client = |identity: Option<Identity>| {
        let uri = "https://cloud.example.ts.net:8443".parse().unwrap();
        let builder = Client::builder(uri, To(addr)).trust(ServerTrust::Fingerprint(server.fingerprint()));
        match identity {
            Some(identity) => builder.identity(identity).build().unwrap(),
            None => builder.build().unwrap(),
        }
    };
    let known = client(Some(known));
    let c1 = known.instance("c1");
    let many = (0..16).map(|n| c1.exec(["sh", "-c", &format!("exit {n}")]).status());
    for (n, status) in futures_util::future::join_all(many).await.into_iter().enumerate() {
        assert_eq!(status.unwrap().code(), i32::try_from(n).unwrap());
    }
    assert!(known.connections_made() > 1);
    let error = client(Some(stranger)).server().await.unwrap_err();
    assert!(matches!(error, Error::Connect { .. } | Error::Broken { .. }), "{error:?}");
    let error = client(None).server().await.unwrap_err();
    assert!(error.is_not_trusted(), "{error:?}");
    let everywhere = tokio::net::TcpListener::bind("0.0.0.0:0").await.unwrap();
    let error = Facade::new(remote().await).serve_tls(everywhere, server, []).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn this_client_works_through_the_facade_and_only_its_owner_may() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, _serving) = facade().await;
    let path = folder.path().join("unix.socket");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let client = Client::unix(&path, Duration::from_secs(20)).unwrap();
    let output =
        client.instance("c1").exec(["sh", "-c", "head -c 5000000 /dev/zero"]).output().await.unwrap();
    assert_eq!(output.stdout.len(), 5_000_000);
    let c1 = client.instance("c1");
    let many = (0..32).map(|_| c1.exec(["true"]).status());
    for status in futures_util::future::join_all(many).await {
        assert!(status.unwrap().success());
    }
}

/// A request of each kind that LXD answers in a way of its own.
fn more_requests() -> Vec<crate::raw::Raw> {
    let plain = |status, line: &'static str| {
        raw(line, status, true, &[&format!("{line} HTTP/1.1\r\nHost: localhost\r\n\r\n")])
    };
    let upgrade = |status, line: &'static str, headers: &str| {
        let head = format!("{line} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n{headers}\r\n");
        raw(line, status, false, &[&head])
    };
    let websocket = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let long = |name, status, length| {
        let value = "v".repeat(length);
        let head = format!("GET /1.0/profiles/none HTTP/1.1\r\nHost: localhost\r\nX-Long: {value}\r\n\r\n");
        raw(name, status, true, &[&head])
    };
    vec![
        plain(200, "GET /1.0/instances/c1/files?path=/etc/inittab"),
        plain(200, "GET /1.0/instances/c1/files?path=/etc"),
        plain(200, "HEAD /1.0/instances/c1/files?path=/etc"),
        plain(404, "GET /1.0/instances/c1/files?path=/nothing"),
        plain(200, "OPTIONS /1.0"),
        plain(501, "POST /1.0"),
        plain(404, "FOO /1.0"),
        plain(404, "GET /1.0/nothing"),
        plain(404, "GET /1.0/../1.0/profiles/default"),
        plain(404, "GET //1.0/profiles/default"),
        plain(404, "GET /1.0/profiles/%C3%A9"),
        plain(400, "GET /1.0/instances/c1/sftp"),
        long("a long header", 404, 60_000),
        long("a longer header", 404, 1_000_000),
        upgrade(101, "GET /1.0/events?type=operation", websocket),
        upgrade(101, "GET /1.0/events?type=operation", &format!("Upgrade: h2c\r\n{websocket}")),
        upgrade(101, "GET /1.0/instances/c1/sftp", "Upgrade: sftp\r\n"),
    ]
}

#[tokio::test]
#[cfg_attr(any(not(real_lxd), real_incus), ignore = "needs a real LXD: see .ci/with-lxd")]
async fn requests_are_answered_as_lxd_itself_answers_them() {
    let (folder, _serving) = facade().await;
    let sockets = [lxd_dir(), folder.path().to_owned()].map(|folder| folder.join("unix.socket"));
    let name = fresh("raw");
    local().post(["profiles"]).json(&serde_json::json!({"name": name})).done().await.unwrap();
    for raw in requests(&format!("/1.0/profiles/{name}")).into_iter().chain(more_requests()) {
        let [straight, through] = &sockets;
        let [mut straight, mut through] = [
            ask(tokio::net::UnixStream::connect(straight).await.unwrap(), &raw).await,
            ask(tokio::net::UnixStream::connect(through).await.unwrap(), &raw).await,
        ];
        assert_eq!((straight.status, straight.open), (raw.status, raw.open), "{}: {straight:?}", raw.name);
        if ["400 Bad Request", "Unsupported transfer encoding"].iter().any(|b| straight.body.starts_with(b)) {
            // Where no request could be read, its reason is told in other words.
            for answer in [&mut straight, &mut through] {
                answer.headers.clear();
                answer.body.clear();
            }
        }
        assert_eq!(through, straight, "{}", raw.name);
    }
    local().request(http::Method::DELETE, ["profiles", &name]).done().await.unwrap();
}

//! The API by HTTPS in the tailnet, with certificates of the sandbox's own authority.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::StreamExt;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tailnet_sandbox::Peer;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

use crate::api::{Answer, NODE, Person, connect};
use crate::node::{Service, World, until};

/// The header that has browsers ask by HTTPS alone.
pub(crate) const STRICT: &str = "strict-transport-security";

/// The service, which gets its certificates from the sandbox's authority.
pub(crate) fn start(world: &World, configuration: &str) -> Service {
    let mut program = world.program();
    program.args(["--config", configuration]);
    program.env("TS_DEBUG_ACME_DIRECTORY_URL", world.sandbox.acme_directory());
    Service::start(program)
}

/// The certificate of the sandbox's authority, in a file.
pub(crate) fn authority(world: &World) -> PathBuf {
    world.write("authority.pem", world.sandbox.acme_root());
    world.path("authority.pem")
}

/// Asks by HTTPS, with a certificate that the authority vouches for.
pub(crate) fn ask(world: &World, person: &Person, url: &str, arguments: &[&str]) -> Answer {
    let authority = authority(world);
    person.ask(url, &[&["--cacert", authority.to_str().unwrap()], arguments].concat())
}

/// Waits until a person reaches this: the tailnet's news, and a certificate, come at their own time.
pub(crate) fn reaches(world: &World, person: &Person, url: &str) {
    let authority = authority(world);
    let ask = || {
        let mut curl = person.curl();
        curl.args(["-f", "-o", "/dev/null", "--max-time", "20", "--cacert"]).arg(&authority).arg(url);
        curl.status().unwrap()
    };
    until(ask, std::process::ExitStatus::success);
}

/// Agrees on TLS with a host.
async fn agree(roots: RootCertStore, proxy: SocketAddr, host: &str) -> std::io::Result<TlsStream<TcpStream>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let stream = connect(proxy, host, 443);
    stream.set_nonblocking(true)?;
    let name = ServerName::try_from(host.to_owned()).unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, TcpStream::from_std(stream)?).await
}

/// Opens a websocket by TLS and reads it to its end: what was told, and the code of the close.
pub(crate) fn websocket(
    world: &World,
    person: &Person,
    host: &str,
    path: &str,
    origin: &str,
) -> Result<(Vec<Value>, u16), WsError> {
    let mut roots = RootCertStore::empty();
    for root in rustls_pemfile::certs(&mut world.sandbox.acme_root().as_bytes()) {
        roots.add(root.unwrap()).unwrap();
    }
    let mut request = format!("wss://{host}{path}").into_client_request().unwrap();
    request.headers_mut().insert("origin", origin.parse().unwrap());
    world.wait(async {
        let stream = agree(roots, person.proxy, host).await?;
        let mut socket = tokio_tungstenite::client_async(request, stream).await?.0;
        let mut told = Vec::new();
        loop {
            match socket.next().await.expect("it broke")? {
                Message::Text(text) => told.push(serde_json::from_str(&text).unwrap()),
                Message::Close(frame) => return Ok((told, frame.unwrap().code.into())),
                _ => {}
            }
        }
    })
}

/// A node that serves these ports, and `alice`, who may do everything.
fn world(ports: &str) -> (World, Service, Person) {
    let world = World::with([Peer::new("alice").socks5()]);
    world.give_users(&["alice"]);
    world.configure(&format!(
        "local: {{listen: none}}\ntailnet:\n{ports}  hosts: [cloud.example.com]\n  access:\n    - {{who: ['user:*'], \
         clouds: ['*'], projects: ['*'], verbs: [view, exec]}}\nclouds:\n{}",
        world.berlin()
    ));
    let mut service = start(&world, "kolaboree.yaml");
    service.says("the API is served at https://the node:");
    let alice = Person::of(&world, "alice");
    (world, service, alice)
}

#[test]
fn https_has_the_nodes_certificate_both_protocols_websockets_and_is_asked_for_by_the_full_name_alone() {
    let (world, service, alice) = world("  listen: 80\n  tls: 443\n");
    let full = format!("{NODE}.{}", world.sandbox.domain());
    let url = format!("https://{full}/api/v1/me");
    reaches(&world, &alice, &url);

    for (arguments, version) in [(&["--http1.1"][..], "1.1"), (&[], "2"), (&["--no-alpn"], "1.1")] {
        let told = ask(
            &world,
            &alice,
            &url,
            &[arguments, &["-o", "/dev/stdout", "-w", "\n%{http_version}"]].concat(),
        );
        let (me, spoken) = told.body.rsplit_once('\n').unwrap();
        assert_eq!((told.status, spoken), (200, version), "{arguments:?}: {told:?}");
        assert!(me.contains("alice@example.com"), "{me}");
        assert_eq!(told.header(STRICT), Some("max-age=63072000"), "{told:?}");
    }
    // Refused, it is as strict.
    let none = ask(&world, &alice, &format!("https://{full}/api/v1/nothing"), &[]);
    assert!(none.status == 404 && none.header(STRICT).is_some(), "{none:?}");

    // Not by HTTP, nor by another name, for which there is no certificate.
    let ips = world.status()["this"]["ips"].clone();
    for (asked, host, status) in [
        (format!("http://{full}/api/v1/me"), full.as_str(), 200),
        (url.clone(), NODE, 200),
        (url.clone(), "cloud.example.com", 200),
        (url.clone(), ips[0].as_str().unwrap(), 200),
        (url.clone(), &format!("[{}]", ips[1].as_str().unwrap()), 200),
        (url.clone(), "evil.example", 421),
        (url.clone(), &format!("{full}:80"), 421),
    ] {
        let told = ask(&world, &alice, &asked, &["-H", &format!("Host: {host}")]);
        assert_eq!((told.status, told.header(STRICT)), (status, None), "{asked} as {host}: {told:?}");
    }

    let path = "/api/v1/clouds/berlin/projects/default/instances/c1/exec?command=ls";
    let (told, code) = websocket(&world, &alice, &full, path, &format!("https://{full}")).unwrap();
    // The stand-in trusts nobody.
    assert_eq!((&told.last().unwrap()["error"]["cloud"], code), (&"berlin".into(), 4502), "{told:?}");
    for foreign in [format!("http://{full}"), "https://evil.example".to_owned()] {
        let refused = websocket(&world, &alice, &full, path, &foreign).unwrap_err();
        assert!(matches!(&refused, WsError::Http(answer) if answer.status() == 403), "{foreign}: {refused}");
    }
    assert_eq!(service.ends_on("TERM").0, Some(0));
}

#[test]
fn https_is_not_asked_for_where_a_browser_would_look_for_it_at_a_port_that_has_none() {
    for (ports, at) in [("  listen: 80\n  tls: 8443\n", ":8443"), ("  listen: 8080\n  tls: 443\n", "")] {
        let (world, _service, alice) = world(ports);
        let url = format!("https://{NODE}.{}{at}/api/v1/me", world.sandbox.domain());
        reaches(&world, &alice, &url);
        let told = ask(&world, &alice, &url, &[]);
        assert_eq!(told.header(STRICT), None, "{ports}: {told:?}");
    }
}

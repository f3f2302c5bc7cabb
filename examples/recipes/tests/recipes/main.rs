//! Runs each recipe in a sandbox tailnet, against a real server wherever a small one exists. `.ci/check-recipes` names the
//! programs that must be there.

mod servers;
mod standins;

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Empty};
use recipes::*;
use tailnet::Tailnet;
use tailnet_sandbox::{Peer, Sandbox};
use tokio::net::{TcpStream, UdpSocket};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A tailnet with a host `server`, which carries what comes to `port` to `target` on loopback.
async fn sandbox(port: u16, target: SocketAddr) -> Result<Sandbox> {
    Ok(Sandbox::start([Peer::new("server").forward(port, target)]).await?)
}

async fn join(sandbox: &Sandbox, name: &str) -> Result<Tailnet> {
    let node = Tailnet::builder().hostname(name).control_url(sandbox.control_url()).ephemeral(true);
    Ok(node.auth_key(sandbox.auth_key().parse()?).port_mapping(false).up().await?)
}

/// Only against hanging.
async fn soon<T>(future: impl Future<Output = T>) -> Result<T> {
    Ok(tokio::time::timeout(Duration::from_secs(60), future).await?)
}

#[tokio::test]
async fn postgres_answers_a_query() -> Result<()> {
    let server = servers::postgres().await?;
    let sandbox = sandbox(5432, server.address).await?;
    let tailnet = join(&sandbox, "client").await?;

    let mut config = tokio_postgres::Config::new();
    config.user("postgres").dbname("postgres");
    let client = soon(postgres::connect(&tailnet, "server:5432", &config)).await??;
    let row = soon(client.query_one("SELECT 6 * $1::int4", &[&7])).await??;
    assert_eq!(row.get::<_, i32>(0), 42);
    Ok(())
}

#[tokio::test]
async fn redis_keeps_a_value() -> Result<()> {
    let server = servers::redis().await?;
    let sandbox = sandbox(6379, server.address).await?;
    let tailnet = join(&sandbox, "client").await?;

    let mut client = soon(redis::connect(&tailnet, "server:6379", &Default::default())).await??;
    let () = soon(::redis::cmd("SET").arg("name").arg("tailnet").query_async(&mut client)).await??;
    let value: String = soon(::redis::cmd("GET").arg("name").query_async(&mut client)).await??;
    assert_eq!(value, "tailnet");
    Ok(())
}

#[tokio::test]
async fn ssh_runs_a_command_on_the_host_that_is_known_and_on_no_other() -> Result<()> {
    let server = servers::ssh().await?;
    let sandbox = sandbox(22, server.address).await?;
    let tailnet = join(&sandbox, "client").await?;

    let key = || russh::keys::load_secret_key(server.folder().join("client"), None);
    let host_key = russh::keys::load_public_key(server.folder().join("host.pub"))?;
    let user = servers::user()?;
    let session = soon(ssh::connect(&tailnet, "server:22", host_key, &user, key()?)).await??;
    assert_eq!(soon(ssh::run(&session, "echo hello && id -un")).await??, format!("hello\n{user}\n"));

    let another = russh::keys::load_public_key(server.folder().join("client.pub"))?;
    assert!(soon(ssh::connect(&tailnet, "server:22", another, &user, key()?)).await?.is_err());
    Ok(())
}

#[tokio::test]
async fn kubernetes_lists_namespaces() -> Result<()> {
    let (certificate, address) = standins::kubernetes().await?;
    let sandbox = sandbox(6443, address).await?;
    let tailnet = join(&sandbox, "client").await?;

    let mut config = kube::Config::new("https://server:6443".parse()?);
    config.root_cert = Some(vec![certificate.to_vec()]);
    config.auth_info.token = Some(standins::TOKEN.to_owned().into());
    let client = kubernetes::client(&tailnet, config)?;
    assert_eq!(soon(client.apiserver_version()).await??.git_version, "v1.34.0");
    let namespaces = kube::Api::<k8s_openapi::api::core::v1::Namespace>::all(client);
    let list = soon(namespaces.list(&Default::default())).await??;
    let names: Vec<_> = list.items.into_iter().filter_map(|namespace| namespace.metadata.name).collect();
    assert_eq!(names, ["default", "kube-system"]);
    Ok(())
}

#[tokio::test]
async fn docker_tells_its_version() -> Result<()> {
    let server = servers::docker().await?;
    let sandbox = sandbox(2375, server.address).await?;
    let tailnet = join(&sandbox, "client").await?;

    let docker = docker::client(&tailnet, "http://server:2375")?.negotiate_version();
    let docker = soon(docker).await??;
    let version = soon(docker.version()).await??;
    assert!(version.api_version.is_some(), "{version:?}");
    Ok(())
}

#[tokio::test]
async fn grpc_is_served_and_asked() -> Result<()> {
    use tonic_health::pb::health_client::HealthClient;

    let sandbox = Sandbox::start([]).await?;
    let (tailnet, host) = (join(&sandbox, "client").await?, join(&sandbox, "host").await?);
    let (_reporter, health) = tonic_health::server::health_reporter();
    let serving =
        tokio::spawn(async move { grpc::serve(&host, 50051, tonic::service::Routes::new(health)).await });

    let channel = soon(retry(|| grpc::connect(&tailnet, "http://host:50051".to_owned()))).await??;
    let answer =
        soon(HealthClient::new(channel).check(tonic_health::pb::HealthCheckRequest::default())).await??;
    assert_eq!(answer.into_inner().status, 1, "it is serving");
    serving.abort();
    Ok(())
}

#[tokio::test]
async fn a_web_service_knows_who_asks_and_reqwest_reads_it() -> Result<()> {
    let sandbox = Sandbox::start([]).await?;
    let (tailnet, host) = (join(&sandbox, "client").await?, join(&sandbox, "host").await?);
    let serving = tokio::spawn(async move { web_service::serve(&host, 80).await });

    let client = http_client::client(&tailnet).await?;
    let page = soon(retry(|| client.get("http://host/").send())).await??.error_for_status()?.text().await?;
    assert!(page.starts_with("hello, client."), "{page}");
    assert!(soon(client.get("http://127.0.0.1:1/").send()).await?.is_err(), "it left the tailnet");
    serving.abort();
    Ok(())
}

#[tokio::test]
async fn http2_over_tls_reads_a_page() -> Result<()> {
    let (certificate, address) = standins::kubernetes().await?;
    let sandbox = sandbox(443, address).await?;
    let tailnet = join(&sandbox, "client").await?;

    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate)?;
    let tls = rustls::ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into());
    let tls = tls.with_safe_default_protocol_versions()?.with_root_certificates(roots).with_no_client_auth();
    let mut sender = soon(https::connect(&tailnet, "server", 443, tls)).await??;
    let request = hyper::Request::get("https://server/healthz").body(Empty::<hyper::body::Bytes>::new())?;
    let answer = soon(sender.send_request(request)).await??;
    assert_eq!(answer.version(), hyper::Version::HTTP_2);
    assert_eq!(answer.into_body().collect().await?.to_bytes(), "ok");
    Ok(())
}

#[tokio::test]
async fn a_websocket_carries_messages() -> Result<()> {
    let sandbox = sandbox(80, standins::websocket_echo().await?).await?;
    let tailnet = join(&sandbox, "client").await?;

    let mut socket = soon(websocket::connect(&tailnet, &"ws://server/echo".parse()?)).await??;
    soon(socket.send("hello".into())).await??;
    let answer = soon(socket.next()).await?.ok_or("it ended")??;
    assert_eq!(answer.to_text()?, "hello");
    Ok(())
}

#[tokio::test]
async fn dns_gives_records_of_each_type() -> Result<()> {
    let server = servers::dns().await?;
    let sandbox = Sandbox::start([]).await?;
    let (tailnet, host) = (join(&sandbox, "client").await?, join(&sandbox, "host").await?);
    let (datagrams, mut streams) = (host.bind_udp(53).await?, host.listen(53).await?);
    let to = server.address;
    let by_udp = tokio::spawn(async move {
        let (mut buf, local) = ([0; 1500], UdpSocket::bind("127.0.0.1:0").await?);
        while let Ok((length, from)) = datagrams.recv_from(&mut buf).await {
            local.send_to(&buf[..length], to).await?;
            let length = local.recv(&mut buf).await?;
            datagrams.send_to(&buf[..length], from).await?;
        }
        std::io::Result::Ok(())
    });
    let by_tcp = tokio::spawn(async move {
        let mut local = TcpStream::connect(to).await?;
        tokio::io::copy_bidirectional(&mut streams.accept().await?, &mut local).await
    });

    let resolver = dns::resolver(&tailnet, host.status().await?.ips[0])?;
    let found: Vec<_> = soon(resolver.lookup_ip("db.example.")).await??.iter().collect();
    assert_eq!(found, ["192.0.2.7".parse::<std::net::IpAddr>()?]);
    // It has no room in a datagram.
    let text = format!("{:?}", soon(resolver.txt_lookup("long.example.")).await??);
    assert!(text.len() > 2000, "{text}");
    by_udp.abort();
    by_tcp.abort();
    Ok(())
}

#[tokio::test]
async fn a_pool_of_sqlx_goes_by_a_port_of_loopback() -> Result<()> {
    let server = servers::postgres().await?;
    let sandbox = sandbox(5432, server.address).await?;
    let tailnet = join(&sandbox, "client").await?;

    let options = sqlx::postgres::PgConnectOptions::new_without_pgpass().username("postgres");
    let (pool, _forwarder) = soon(sql_pool::connect(&tailnet, "server:5432", options)).await??;
    let product: i32 = soon(sqlx::query_scalar("SELECT 6 * $1::int4").bind(7).fetch_one(&pool)).await??;
    assert_eq!(product, 42);
    Ok(())
}

/// For a server that may not listen yet.
async fn retry<T, E>(
    mut attempt: impl AsyncFnMut() -> std::result::Result<T, E>,
) -> std::result::Result<T, E> {
    for _ in 0..100 {
        if let Ok(value) = attempt().await {
            return Ok(value);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    attempt().await
}

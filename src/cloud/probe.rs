//! A probe of a cloud, from the network map up to the API: what of it answers, and how fast.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use lxd_client::{Auth, Client, fetch_fingerprint};
use tailnet::Status;

use super::Cloud;
use super::client::{one_line, project, server, trust_by_token, with_remedy};
use super::preconnected::PreconnectedConnector;
use crate::config::{CloudConfig, CloudKind};
use crate::control::protocol::{Health, Stage};

/// Probes the cloud. It ends at the first thing that does not answer, and within the cloud's timeout.
pub(super) async fn probe(cloud: &Cloud) -> Health {
    let mut health = Health::default();
    let timeout = cloud.config().timeout;
    let outcome = tokio::time::timeout(timeout, stages(cloud, &mut health)).await;
    match outcome {
        Ok(Ok(())) => health.reachable = Some(true),
        Ok(Err(error)) => fail(&mut health, error),
        Err(_) => fail(&mut health, format!("no answer within {} s", timeout.as_secs_f32())),
    }
    health
}

fn fail(health: &mut Health, error: String) {
    let stage = match health {
        Health { peer: None, route: None, .. } => Stage::Netmap,
        Health { tcp_ms: None, .. } => Stage::Tcp,
        Health { tls_ms: None, .. } => Stage::Tls,
        _ => Stage::Api,
    };
    (health.reachable, health.failed_at, health.error) = (Some(false), Some(stage), Some(error));
}

async fn stages(cloud: &Cloud, health: &mut Health) -> Result<(), String> {
    let config = cloud.config();
    let status = cloud.shared.tailnet.status().await.map_err(|e| e.to_string())?;
    place(&config.address, &status, health);
    let began = Instant::now();
    let stream = cloud.connect().await.map_err(|e| e.to_string())?;
    health.tcp_ms = Some(milliseconds(began.elapsed()));
    // A name of the tailnet's DNS servers has no peer of that name; the stream tells whose it is.
    let peer = stream.peer_addr().ip();
    if health.peer.is_none() {
        of_ip(peer, &status, health);
    }
    if health.peer.is_none() && health.route.is_none() {
        health.route = Some(peer.to_string());
    }
    path(cloud, peer, health).await;
    let Some(client) = cloud.bare_client() else { return Ok(()) };

    let began = Instant::now();
    let uri = server(config).map_err(|e| e.to_string())?;
    let seen = fetch_fingerprint(uri, PreconnectedConnector::new(stream), config.timeout)
        .await
        .map_err(|e| one_line(&e))?;
    health.fingerprint = Some(seen.to_string());
    if let Some(pin) = config.trust.fingerprint.filter(|pin| *pin != seen) {
        return Err(with_remedy(&lxd_client::Error::WrongFingerprint { expected: pin, actual: seen }));
    }
    health.tls_ms = Some(milliseconds(began.elapsed()));

    let began = Instant::now();
    let answer = client.server().await.map_err(|e| with_remedy(&e))?;
    health.api_ms = Some(milliseconds(began.elapsed()));
    let answer = trust_by_token(&client, config, answer).await.map_err(|e| with_remedy(&e))?;
    health.trusted = Some(answer.auth == Auth::Trusted);
    if answer.auth == Auth::Trusted {
        health.projects = other_projects(&client, config).await;
    }
    if let Some(environment) = answer.environment {
        if config.kind != CloudKind::Incus && environment.server == "incus" {
            tracing::debug!(cloud = config.name, "it is an Incus");
        }
        (health.server, health.version) = (Some(environment.server), Some(environment.server_version));
    }
    Ok(())
}

/// The projects that the server lets this node use, when the configured one is not among them. A server that does not
/// with_remedy them is taken to let it use that one.
async fn other_projects(client: &Client, config: &CloudConfig) -> Option<Vec<String>> {
    let allowed = client.projects().names().await.ok()?;
    (!allowed.iter().any(|name| name == project(config))).then_some(allowed)
}

/// Who of the tailnet has the address, as far as the network map tells.
fn place(address: &tailnet::Address, status: &Status, health: &mut Health) {
    if let Some(peer) = status.peer_named(&address.host()) {
        of_peer(peer, health);
    } else if let Some(ip) = address.ip() {
        of_ip(ip, status, health);
    }
}

fn of_ip(ip: IpAddr, status: &Status, health: &mut Health) {
    if let Some(peer) = status.peer(ip) {
        of_peer(peer, health);
    } else if let Some((peer, route)) = status.router_of(ip) {
        of_peer(peer, health);
        health.route = Some(route.to_string());
    }
}

fn of_peer(peer: &tailnet::Peer, health: &mut Health) {
    (health.peer, health.online) = (Some(peer.short_name().to_owned()), Some(peer.online));
}

/// How packets to the address travel, which the node knows once there was a connection.
async fn path(cloud: &Cloud, ip: IpAddr, health: &mut Health) {
    let Ok(status) = cloud.shared.tailnet.status().await else { return };
    let peer = status.peer(ip).or_else(|| status.router_of(ip).map(|(peer, _)| peer));
    health.path = peer.map(|peer| peer.path().into()).unwrap_or_default();
}

fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 100_000.0).round() / 100.0
}

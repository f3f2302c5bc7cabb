//! A probe of a cloud, from the network map up to its API: which stages answer, and how fast.

use std::net::IpAddr;
use std::pin::pin;
use std::time::{Duration, Instant};

use lxd_client::{Auth, Client, Server, chain, fetch_fingerprint};
use tailnet::{Address, ConnectError, Peer, Status, Subnet, TailnetStream};

use super::Cloud;
use super::client::{one_line, project, server, trust_by_token};
use super::preconnected::PreconnectedConnector;
use super::report::{Health, Stage};
use crate::config::{CloudConfig, CloudKind};
use crate::remedy;

/// Probes the cloud. It ends at the first stage that does not answer, and within the cloud's timeout.
pub(super) async fn probe(cloud: &Cloud) -> Health {
    let mut health = Health::default();
    let timeout = cloud.config().timeout;
    let outcome = tokio::time::timeout(timeout, stages(cloud, &mut health)).await;
    // Only now, as the path is known once there was a connection.
    if let Ok(status) = cloud.shared.tailnet.status().await {
        locate(&mut health, &status, &cloud.config().address, cloud.shared.dialled.get());
    }
    match outcome {
        Ok(Ok(())) => (health.reachable, health.code) = (Some(true), None),
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

/// All that goes over the network.
async fn stages(cloud: &Cloud, health: &mut Health) -> Result<(), String> {
    let config = cloud.config();
    let Some(client) = cloud.bare_client() else { return connect(cloud, health).await.map(drop) };
    let answer = ask(cloud, &client, health).await?;
    let answer = trust_by_token(&client, config, answer).await.map_err(|e| remedy::in_log(&e))?;
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

/// Asks the server what it is, over the connection that the client keeps, or makes for this and keeps then.
async fn ask(cloud: &Cloud, client: &Client, health: &mut Health) -> Result<Server, String> {
    let (began, made) = (Instant::now(), client.connections_made());
    let mut asking = pin!(client.server());
    let answer = tokio::select! {
        answer = &mut asking => answer,
        checked = check_silence(cloud, health) => {
            checked?;
            asking.await
        }
    };
    let elapsed = began.elapsed();
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return Err(why(cloud, health, &error).await),
    };
    let trace = client.dial_trace().unwrap_or_default();
    (health.tcp_ms, health.tls_ms) = (trace.connect.map(milliseconds), trace.tls.map(milliseconds));
    health.fingerprint = trace.fingerprint.map(|seen| seen.to_string());
    let dialled = client.connections_made() > made;
    let dialling = [trace.connect, trace.tls].into_iter().flatten().filter(|_| dialled).sum();
    health.api_ms = Some(milliseconds(elapsed.saturating_sub(dialling)));
    Ok(answer)
}

/// Tries a new connection when half of the time has passed: the one that is kept may be dead, or the server.
async fn check_silence(cloud: &Cloud, health: &mut Health) -> Result<(), String> {
    tokio::time::sleep(cloud.config().timeout / 2).await;
    handshake(cloud, health).await
}

/// Why the server was not asked. A new connection shows at which stage that fails.
async fn why(cloud: &Cloud, health: &mut Health, error: &lxd_client::Error) -> String {
    let unconnected = chain(error).find_map(|cause| cause.downcast_ref::<ConnectError>());
    if let Some(error) = unconnected {
        return unconnected_because(error, health);
    }
    match handshake(cloud, health).await {
        Ok(()) => {
            if error.is_wrong_certificate() {
                health.tls_ms = None; // it is shown, and is not the right one
            }
            remedy::in_log(error)
        }
        Err(earlier) => earlier,
    }
}

/// Makes a connection, has TLS on it, and closes it.
async fn handshake(cloud: &Cloud, health: &mut Health) -> Result<(), String> {
    let config = cloud.config();
    let stream = PreconnectedConnector::new(connect(cloud, health).await?);
    let began = Instant::now();
    let uri = server(config).map_err(|e| e.to_string())?;
    let seen = fetch_fingerprint(uri, stream, config.timeout).await.map_err(|e| one_line(&e))?;
    health.fingerprint = Some(seen.to_string());
    if let Some(pin) = config.trust.fingerprint.filter(|pin| *pin != seen) {
        return Err(remedy::in_log(&lxd_client::Error::WrongFingerprint { expected: pin, actual: seen }));
    }
    health.tls_ms = Some(milliseconds(began.elapsed()));
    Ok(())
}

fn unconnected_because(error: &ConnectError, health: &mut Health) -> String {
    health.code = Some(error.into());
    error.to_string()
}

async fn connect(cloud: &Cloud, health: &mut Health) -> Result<TailnetStream, String> {
    let began = Instant::now();
    let stream = cloud.connect().await.map_err(|e| unconnected_because(&e, health))?;
    health.tcp_ms = Some(milliseconds(began.elapsed()));
    cloud.shared.dialled.set(stream.peer_addr().ip());
    Ok(stream)
}

/// The projects that the server lets this node use, when the configured one is not among them. A server that does not
/// tell them is taken to let it use that one.
async fn other_projects(client: &Client, config: &CloudConfig) -> Option<Vec<String>> {
    let allowed = client.projects().names().await.ok()?;
    (!allowed.iter().any(|name| name == project(config))).then_some(allowed)
}

/// Finds out which node has the address or routes to it, and how packets travel there.
fn locate(health: &mut Health, status: &Status, address: &Address, dialled: Option<IpAddr>) {
    let connected = health.tcp_ms.is_some();
    // No node may have the name: the tailnet's DNS servers have others. The connection then shows the address.
    let ip = address.ip().or_else(|| dialled.filter(|_| connected));
    let node = status.peer_named(&address.host()).map(|peer| (peer, None));
    match node.or_else(|| node_of(ip?, status)) {
        Some((peer, route)) => {
            (health.peer, health.online) = (Some(peer.short_name().to_owned()), Some(peer.online));
            health.route = route.map(|route| route.to_string());
            if connected {
                health.path = peer.path().into();
            }
        }
        // An exit node's, as far as the node knows.
        None if connected => health.route = ip.map(|ip| ip.to_string()),
        None => {}
    }
}

/// The node that has the address, or that routes to it and by which route.
fn node_of(ip: IpAddr, status: &Status) -> Option<(&Peer, Option<Subnet>)> {
    let own = status.peer(ip).map(|peer| (peer, None));
    own.or_else(|| status.router_of(ip).map(|(peer, route)| (peer, Some(route))))
}

fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 100_000.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_node_is_found_by_name_address_route_or_connection() {
        let status = json!({
            "BackendState": "Running", "MagicDNSSuffix": "example.ts.net", "Self": {"HostName": "here"},
            "Peer": {
                "a": {"HostName": "berlin", "DNSName": "berlin.example.ts.net.", "TailscaleIPs": ["100.64.0.2"],
                    "CurAddr": "192.0.2.1:41641"},
                "b": {"HostName": "router", "DNSName": "router.example.ts.net.", "TailscaleIPs": ["100.64.0.3"],
                    "AllowedIPs": ["100.64.0.3/32", "198.51.100.0/24"], "Relay": "fra"},
            },
        });
        let status: Status = serde_json::from_value(status).unwrap();
        let found = |host: &str, dialled: Option<&str>| {
            let mut health = Health { tcp_ms: dialled.map(|_| 1.0), ..Health::default() };
            let dialled = dialled.map(|ip| ip.parse().unwrap());
            locate(&mut health, &status, &Address::new(host, 8443).unwrap(), dialled);
            (health.peer.unwrap_or_default(), health.route.unwrap_or_default(), health.path.to_string())
        };
        for (host, dialled, peer, route, path) in [
            ("berlin", None, "berlin", "", ""),
            ("berlin", Some("100.64.0.2"), "berlin", "", "direct 192.0.2.1:41641"),
            ("100.64.0.2", Some("100.64.0.2"), "berlin", "", "direct 192.0.2.1:41641"),
            ("198.51.100.7", None, "router", "198.51.100.0/24", ""),
            ("lxd.internal", Some("198.51.100.7"), "router", "198.51.100.0/24", "relay fra"),
            ("lxd.internal", None, "", "", ""),
            ("203.0.113.7", Some("203.0.113.7"), "", "203.0.113.7", ""),
        ] {
            let expected = (peer.to_owned(), route.to_owned(), path.to_owned());
            assert_eq!(found(host, dialled), expected, "{host} {dialled:?}");
        }
    }
}

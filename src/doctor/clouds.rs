//! Checks a cloud, from the network map up to its API.

use super::Findings;
use crate::cloud::{one_line, other_project};
use crate::config::{CloudConfig, CloudKind, Config};
use crate::control::protocol::{FailureCode, Health, NetworkPath, Stage};
use crate::uplink::Uplink;

pub(super) async fn probe(findings: &mut Findings, uplink: &Uplink, config: &Config, cloud: &CloudConfig) {
    let area = format!("cloud {}", cloud.name);
    let health = match uplink.check(&cloud.name).await {
        Ok(health) => health,
        Err(error) => {
            let remedy = "the running node may have another configuration: kolaboree-node reload";
            return findings.fail(&area, one_line(error.as_ref()), remedy);
        }
    };
    let error = health.error.clone().unwrap_or_default();
    let failed = |stage| health.failed_at == Some(stage);
    if failed(Stage::Netmap) {
        return findings.fail(&area, format!("it is not in the network map: {error}"), NETMAP);
    }
    in_netmap(findings, &area, &health, config);
    if failed(Stage::Tcp) {
        return findings.fail(&area, format!("no TCP connection: {error}"), tcp_remedy(cloud, &health));
    }
    path(findings, &area, &health);
    if let Some(ms) = health.tcp_ms {
        findings.pass(&area, format!("TCP connects in {ms:.1} ms"));
    }
    if cloud.kind == CloudKind::Tcp {
        return;
    }
    if failed(Stage::Tls) {
        return findings.fail(
            &area,
            format!("no TLS with the right certificate: {error}"),
            tls_remedy(&health),
        );
    }
    match cloud.trust.fingerprint {
        Some(_) => findings.pass(&area, "the certificate is the one that is pinned"),
        None => findings.warn(
            &area,
            "no certificate is pinned: a certificate authority vouches for it",
            format!("trust: {{fingerprint: {}}}", health.fingerprint.as_deref().unwrap_or("…")),
        ),
    }
    if failed(Stage::Api) {
        return findings.fail(
            &area,
            format!("the API does not answer: {error}"),
            "look at the server's own log",
        );
    }
    if let Some(ms) = health.api_ms {
        findings.pass(&area, format!("the API answers in {ms:.1} ms"));
    }
    match (health.trusted, &health.server, &health.version) {
        (Some(true), Some(server), Some(version)) => {
            findings.pass(&area, format!("it is {server} {version}, and trusts this node"));
            if *server != cloud.kind.to_string() {
                let message = format!("the configuration says it is {}", cloud.kind);
                findings.warn(&area, message, format!("kind: {server}"));
            }
        }
        (Some(true), ..) => findings.pass(&area, "it trusts this node"),
        _ => findings.fail(
            &area,
            "it does not trust this node",
            format!(
                "there: {}; here: kolaboree-node lxd trust {}",
                trust_command(cloud, &health),
                cloud.name
            ),
        ),
    }
    if let Some(allowed) = &health.projects {
        let (wrong, remedy) = other_project(cloud, allowed);
        findings.fail(&area, wrong, remedy);
    }
}

/// The command that makes a trust token on the server.
fn trust_command(cloud: &CloudConfig, health: &Health) -> &'static str {
    // A server tells only those whom it trusts whether it is LXD or Incus; until then the configured kind decides.
    match health.server.clone().unwrap_or_else(|| cloud.kind.to_string()).as_str() {
        "incus" => "incus config trust add kolaboree",
        _ => "lxc config trust add --name kolaboree",
    }
}

const NETMAP: &str = "check the name and the address with `tailscale status` there, and that the tailnet's policy lets this node see it";

fn in_netmap(findings: &mut Findings, area: &str, health: &Health, config: &Config) {
    let peer = health.peer.as_deref().unwrap_or("a node without a name");
    match &health.route {
        None => findings.pass(area, format!("it is in the network map, as {peer}")),
        Some(route) if config.accept_routes => {
            findings
                .pass(area, format!("it is behind the subnet route {route} of {peer}, which is accepted"));
        }
        Some(route) => findings.fail(
            area,
            format!("it is behind the subnet route {route} of {peer}, and routes are not accepted"),
            "accept_routes: true",
        ),
    }
    match health.online {
        Some(true) => findings.pass(area, format!("{peer} is online")),
        Some(false) => findings.warn(
            area,
            format!("the control server does not hear from {peer}"),
            "check that the machine is up, and `tailscale status` there",
        ),
        None => {}
    }
}

fn path(findings: &mut Findings, area: &str, health: &Health) {
    match &health.path {
        NetworkPath::Direct(address) => findings.pass(area, format!("the path is direct, to {address}")),
        NetworkPath::Relayed(region) => findings.warn(
            area,
            format!("the path is relayed by {region}: it works, and is slower"),
            "allow UDP between the two, at best on port 41641",
        ),
        _ => {}
    }
}

fn tcp_remedy(cloud: &CloudConfig, health: &Health) -> String {
    let port = cloud.address.port();
    match health.code {
        Some(FailureCode::Refused) => match cloud.kind {
            CloudKind::Tcp => format!("start what should listen on port {port} there"),
            _ => format!("there: lxc config set core.https_address :{port}"),
        },
        Some(FailureCode::NotInTailnet) => {
            "if it is behind a subnet router, give accept_routes: true, and approve the route in the admin console"
                .to_owned()
        }
        _ => "check that the machine is up, and that the tailnet's policy and its own firewall let this node in"
            .to_owned(),
    }
}

fn tls_remedy(health: &Health) -> String {
    match &health.fingerprint {
        Some(seen) => {
            format!("compare with `lxc info` there; if {seen} is right, put it into trust.fingerprint")
        }
        None => "check that the port is LXD's: something else may listen there".to_owned(),
    }
}

//! Checks the control server, authentication, and the network around the node.

use tailnet::{BackendState, UpError};

use super::Findings;
use crate::clock::now;
use crate::cloud::one_line;
use crate::config::{Config, KeySource};
use crate::node::NodeError;
use crate::remedy;
use crate::uplink::Uplink;

const CONTROL: &str = "control server";
const AUTH: &str = "authentication";
const NETWORK: &str = "network";

/// Finds the running node, or joins with a node of the command's own.
pub(super) async fn join(findings: &mut Findings, config: &Config) -> Option<Uplink> {
    let uplink = match Uplink::either(config).await {
        Ok(uplink) => uplink,
        Err(error) => {
            let up = lxd_client::chain(error.as_ref()).find_map(|cause| match cause.downcast_ref() {
                Some(error) => match NodeError::root(error) {
                    NodeError::Join(up) => Some(up),
                    _ => None,
                },
                None => cause.downcast_ref(),
            });
            let (message, mut remedy, (area, answered)) = match up {
                Some(up) => (up.to_string(), remedy::in_doctor(up), area(up)),
                None => (one_line(error.as_ref()), "see the lines above", (AUTH, false)),
            };
            let made_itself = matches!(config.key, KeySource::ClientSecret(_) | KeySource::Workload { .. });
            if made_itself && area == AUTH && answered {
                remedy = CLIENT;
            }
            if answered {
                findings.pass(CONTROL, "it answers");
            }
            findings.fail(area, message, remedy);
            return None;
        }
    };
    state(findings, &uplink).await.then_some(uplink)
}

/// Tells how the node is in its tailnet, if that is known.
pub(super) async fn state(findings: &mut Findings, uplink: &Uplink) -> bool {
    let status = match uplink.status().await {
        Ok(status) => status,
        Err(error) => {
            findings.fail("node", one_line(error.as_ref()), "restart it");
            return false;
        }
    };
    if let Uplink::Running(_) | Uplink::Inside(..) = uplink {
        findings.pass("node", format!("it runs, as process {}", status.pid));
    }
    if status.state == BackendState::Running {
        if status.this.online {
            findings.pass(CONTROL, "it answers, and has given a network map");
        } else {
            findings.fail(
                CONTROL,
                "it does not answer; the node goes on with the last network map",
                remedy::REACH,
            );
        }
        let ips: Vec<String> = status.this.ips.iter().map(ToString::to_string).collect();
        findings.pass(AUTH, format!("the node is {} with {}", status.this.name, ips.join(" ")));
    } else {
        let remedy = match status.state {
            BackendState::Stopped => "kolaboree-node up",
            BackendState::NeedsLogin => "kolaboree-node up --key-from FILE, with a new auth key",
            BackendState::NeedsMachineAuth => "approve the machine in Tailscale's admin console",
            _ => "wait, or look at the log",
        };
        findings.fail(AUTH, format!("the node is not in its tailnet ({})", status.state), remedy);
    }
    if let (Some(exit), BackendState::Running) = (&status.exit_node, status.state) {
        let area = "exit node";
        match exit.trouble() {
            None => findings.pass(area, format!("what is outside the tailnet goes through {}", exit.configured)),
            Some(why) => findings.fail(
                area,
                format!("{}: {why}; nothing outside the tailnet is reached", exit.configured),
                "choose another exit_node; there: tailscale set --advertise-exit-node, and approve it in the admin console",
            ),
        }
    }
    if let Some(expires) = status.key_expires {
        let days = expires.saturating_sub(now()) / 86_400;
        let message = format!("the node's key expires in {days} days");
        match days {
            0 => findings.fail(AUTH, "the node's key expires within a day, or has expired", remedy::RENEW),
            1..=14 => findings.warn(AUTH, message, remedy::RENEW),
            _ => findings.pass(AUTH, message),
        }
    }
    for line in status.health {
        findings.warn("health", line, "this is Tailscale's own warning");
    }
    true
}

const CLIENT: &str = "check in the admin console that the OAuth client or workload identity is there and may make auth keys (auth_keys) for these tags; a workload's token must be of the issuer and subject named there, and not have expired";

/// The area, and whether the control server has answered.
fn area(error: &UpError) -> (&'static str, bool) {
    match error {
        UpError::ControlUnreachable { .. } | UpError::ControlUntrusted { .. } | UpError::Timeout { .. } => {
            (CONTROL, false)
        }
        UpError::AuthRejected { .. }
        | UpError::NeedsLogin { .. }
        | UpError::KeyExpired { .. }
        | UpError::NeedsApproval => (AUTH, true),
        UpError::StateFolder { .. } => ("state folder", false),
        _ => (AUTH, false),
    }
}

pub(super) async fn network(findings: &mut Findings, uplink: &Uplink) {
    let check = match uplink.netcheck().await {
        Ok(check) => check,
        Err(error) => {
            return findings.warn(
                NETWORK,
                one_line(error.as_ref()),
                "the node has not checked it yet: try again",
            );
        }
    };
    if check.udp {
        findings.pass(NETWORK, "UDP gets out and back: direct paths are possible");
    } else {
        findings.warn(
            NETWORK,
            "UDP does not get out: every path is relayed, and slower",
            "allow UDP outward, at best from and to port 41641",
        );
    }
    match check.preferred_relay {
        Some(code) => {
            let ms = check.relays.iter().find(|relay| relay.code == code).map(|relay| relay.ms);
            let ms = ms.map(|ms| format!(", {ms:.1} ms away")).unwrap_or_default();
            findings.pass(NETWORK, format!("the nearest relay is {code}{ms}"));
        }
        None => findings.warn(
            NETWORK,
            "no relay answers: nodes without a direct path cannot be reached",
            "allow TCP 443 and UDP 3478 outward",
        ),
    }
    if check.mapping_varies == Some(true) {
        findings.warn(
            NETWORK,
            "the NAT here gives another port for each destination: direct paths are hard to find",
            "forward a UDP port, or enable NAT-PMP or UPnP at the router",
        );
    }
}

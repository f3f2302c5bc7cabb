//! Checks the page in the tailnet: whether it can be where it should, and whether anybody is let in.

use super::Findings;
use crate::cloud::one_line;
use crate::config::{Config, Tailnet};
use crate::control::protocol::AccessList;
use crate::listen::bind_tcp;
use crate::node::Node;
use crate::uplink::Uplink;

const AREA: &str = "access";

pub(super) async fn check(findings: &mut Findings, uplink: &Uplink, config: &Config) {
    let Some(tailnet) = &config.tailnet else { return };
    match uplink.access().await {
        Ok(list) => {
            place(findings, tailnet, &list);
            callers(findings, &list);
        }
        Err(error) => findings.warn(
            AREA,
            format!("it is not known who may do what: {}", one_line(error.as_ref())),
            "bring the node into its tailnet first; a node of an older version does not know",
        ),
    }
    // A node that runs already listens there itself.
    if let Uplink::Own(node) = uplink {
        ports(findings, tailnet, node).await;
    }
}

fn place(findings: &mut Findings, tailnet: &Tailnet, list: &AccessList) {
    if let Some(service) = &tailnet.service {
        match list.tags.is_empty() {
            true => findings.fail(
                AREA,
                format!("the node has no tags, and a node without tags cannot offer {service}"),
                "give tags: [tag:NAME] that the tailnet's policy knows, and log in anew with a key that may have them",
            ),
            false => {
                findings.pass(AREA, format!("the node may offer {service}: it has {}", list.tags.join(" ")));
            }
        }
    }
    if tailnet.tls.is_some() {
        match list.https_names.first() {
            None => findings.fail(
                AREA,
                "the tailnet gives no certificates, and tailnet.tls needs one",
                "enable MagicDNS and HTTPS certificates in the admin console (DNS), or leave tailnet.tls out",
            ),
            Some(name) => findings.pass(AREA, format!("the tailnet gives a certificate for {name}")),
        }
    }
}

fn callers(findings: &mut Findings, list: &AccessList) {
    let may = list.callers.iter().filter(|caller| !caller.rights.is_empty()).count();
    let all = list.callers.len();
    match (may, list.rules.is_empty()) {
        (0, true) => findings.warn(
            AREA,
            format!("nobody is let in: no rule here, and nothing in the tailnet's policy for the {all} nodes online"),
            "kolaboree-node access explain PEER prints the grant that is missing",
        ),
        (0, false) => findings.pass(AREA, "nobody whom the rules let in is online"),
        _ => findings.pass(AREA, format!("{may} of the {all} nodes that are online may do something")),
    }
    for unknown in &list.unknown {
        findings.warn(AREA, unknown.clone(), "kolaboree-node access explain tells more");
    }
}

async fn ports(findings: &mut Findings, tailnet: &Tailnet, node: &Node) {
    for (key, port) in [("listen", tailnet.listen), ("tls", tailnet.tls)] {
        let Some(port) = port else { continue };
        match node.tailnet().listen(port).await {
            Ok(_) => findings.pass(AREA, format!("the port {port} of the node is free")),
            Err(error) => findings.fail(
                AREA,
                format!("the node cannot listen on the port {port}: {}", one_line(&error)),
                format!("give another port as tailnet.{key}"),
            ),
        }
    }
    if let Some(development) = &tailnet.development
        && let Err(error) = bind_tcp("the page for development", development.listen)
    {
        findings.fail(AREA, one_line(&error), "give another address as tailnet.development.listen");
    }
}

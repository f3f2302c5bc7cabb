//! `ping`: pings a peer, and shows the path.

use std::time::Duration;

use super::super::args::Ping;
use super::super::exit::Failure;
use super::super::output::{Out, report};
use crate::config::Config;
use crate::control::protocol::{NetworkPath, PingKind, PingRequest, Pong};
use crate::uplink::Uplink;

/// The pause between two pings, as long as that of `ping`.
const PING_PAUSE: Duration = Duration::from_secs(1);

/// How many pings look for a direct path.
const PINGS: u32 = 10;

pub(super) async fn run(config: &Config, options: &Ping, out: &Out) -> anyhow::Result<()> {
    let cloud = config.clouds.iter().find(|cloud| cloud.name == options.peer);
    let peer = cloud.map_or_else(|| options.peer.clone(), |cloud| cloud.address.host());
    let uplink = Uplink::either(config).await?;
    let outcome = pings(&uplink, &PingRequest { peer, kind: options.kind.clone() }, options.count, out).await;
    uplink.close().await;
    outcome
}

async fn pings(uplink: &Uplink, request: &PingRequest, count: Option<u32>, out: &Out) -> anyhow::Result<()> {
    let times = count.unwrap_or(PINGS);
    let mut received = 0;
    let mut last = None;
    for number in 1..=times {
        match uplink.ping(request).await {
            Ok(pong) => {
                received += 1;
                let direct = matches!(pong.path, NetworkPath::Direct(_));
                out.print_one(&pong, || pong_text(&pong))?;
                if count.is_none() && (direct || request.kind != PingKind::Disco) {
                    break;
                }
            }
            Err(error) if Failure::of(&error).code == 7 => {
                report(&format!("no answer from {}", request.peer));
                last = Some(error);
            }
            Err(error) => return Err(error),
        }
        if number < times {
            tokio::time::sleep(PING_PAUSE).await;
        }
    }
    match last {
        Some(error) if received == 0 => Err(error),
        _ => Ok(()),
    }
}

fn pong_text(pong: &Pong) -> String {
    let name = if pong.name.is_empty() { String::new() } else { format!("{} ", pong.name) };
    let via = match &pong.path {
        NetworkPath::Direct(address) => format!(" via {address}"),
        NetworkPath::Relayed(region) => format!(" via DERP({region})"),
        _ => String::new(),
    };
    format!("pong from {name}({}){via} in {} ms", pong.node_ip, pong.ms)
}

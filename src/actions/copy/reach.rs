//! Where another node of the tailnet reaches a cloud. What a server says of its own addresses is never used: those may lie in
//! a LAN or be public, and bytes between clouds go by the tailnet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::config::CloudConfig;
use crate::node::report::{Peer, PingKind, PingRequest, Pong, Status};

/// The URL of a cloud at an address of the tailnet, or why there is none. A name that is no node's own is looked up by a
/// ping: the tailnet's DNS may know it.
pub(crate) async fn url<E>(
    cloud: &CloudConfig,
    status: &Status,
    ping: impl AsyncFnOnce(PingRequest) -> Result<Pong, E>,
) -> Result<String, String> {
    let host = cloud.address.host();
    let found = match address(&host, status) {
        Some(ip) => Some(ip),
        None if host.parse::<IpAddr>().is_ok() => None,
        None => match ping(PingRequest { peer: host.clone(), kind: PingKind::Disco }).await {
            Ok(pong) => address(&pong.ip.to_string(), status),
            Err(_) => None,
        },
    };
    match found {
        Some(IpAddr::V4(ip)) => Ok(format!("https://{ip}:{}", cloud.address.port())),
        Some(IpAddr::V6(ip)) => Ok(format!("https://[{ip}]:{}", cloud.address.port())),
        None => Err(format!("{} is no node's own address in the tailnet, as {} has it", host, cloud.name)),
    }
}

/// The address of the node that has this name or address; for a name the IPv4 one where there is one.
fn address(host: &str, status: &Status) -> Option<IpAddr> {
    let own = |peer: &Peer| peer.ips.iter().copied().filter(|ip| in_tailnet(*ip)).collect::<Vec<_>>();
    if let Ok(ip) = host.parse::<IpAddr>() {
        return status.peers.iter().flat_map(own).find(|own| *own == ip);
    }
    let host = host.trim_end_matches('.');
    let is = |name: &str| !name.is_empty() && name.trim_end_matches('.').eq_ignore_ascii_case(host);
    let peer = status.peers.iter().find(|peer| is(&peer.name) || is(&peer.dns_name))?;
    let ips = own(peer);
    ips.iter().find(|ip| ip.is_ipv4()).or(ips.first()).copied()
}

/// Whether it is in the ranges from which a tailnet gives its nodes their addresses.
fn in_tailnet(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => (Ipv4Addr::new(100, 64, 0, 0)..=Ipv4Addr::new(100, 127, 255, 255)).contains(&ip),
        IpAddr::V6(ip) => {
            let [a, b, c, ..] = Ipv6Addr::segments(&ip);
            [a, b, c] == [0xfd7a, 0x115c, 0xa1e0]
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn status() -> Status {
        let peer = |name: &str, ips: &[&str]| {
            json!({
                "name": name, "dns_name": format!("{name}.tail1.ts.net."), "ips": ips, "online": true, "path": "",
                "routes": ["10.0.0.0/8"], "sent": 0, "received": 0,
            })
        };
        serde_json::from_value(json!({
            "version": "", "pid": 1, "state": "Running", "ready": true, "reasons": [], "login_url": null,
            "health": [], "key_expires": null, "tailnet": "tail1.ts.net", "this": peer("me", &["100.64.0.9"]),
            "peers": [
                peer("berlin", &["100.64.0.1", "fd7a:115c:a1e0::1"]),
                peer("six", &["fd7a:115c:a1e0::2"]),
                peer("odd", &["192.168.1.1"]),
            ],
            "clouds": [],
        }))
        .unwrap()
    }

    #[test]
    fn only_a_nodes_own_address_in_the_tailnet_is_given_to_a_server() {
        let status = status();
        for (host, ip) in [
            ("berlin", Some("100.64.0.1")),
            ("Berlin.tail1.ts.net", Some("100.64.0.1")),
            ("100.64.0.1", Some("100.64.0.1")),
            ("fd7a:115c:a1e0::1", Some("fd7a:115c:a1e0::1")),
            ("six", Some("fd7a:115c:a1e0::2")),
            // Behind a subnet router, elsewhere, or nobody's.
            ("10.1.2.3", None),
            ("odd", None),
            ("192.168.1.1", None),
            ("100.64.0.77", None),
            ("fd7a:115c:a1e0:b1a::7", None),
            ("lxd.example.com", None),
        ] {
            assert_eq!(address(host, &status), ip.map(|ip| ip.parse().unwrap()), "{host}");
        }
    }

    #[test]
    fn the_ranges_of_a_tailnet_end_where_they_end() {
        for (ip, inside) in [
            ("100.63.255.255", false),
            ("100.64.0.0", true),
            ("100.127.255.255", true),
            ("100.128.0.0", false),
            ("fd7a:115c:a1e0:ffff::1", true),
            ("fd7a:115c:a1e1::1", false),
        ] {
            assert_eq!(in_tailnet(ip.parse().unwrap()), inside, "{ip}");
        }
    }
}

//! Which host names a request may carry. The owner of a web page can point a name of theirs at this machine (DNS
//! rebinding); a browser here then lets the page read the answers. So a name is accepted only if no stranger can own it.
//!
//! Probes and scrapers use an IP address, a name of the machine, a name of a container or service on a private network, or
//! no name, and need no setting. A public name, for example behind a reverse proxy that keeps it, has to be in
//! `local.hosts`.

use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri, header};

/// Name endings that do not exist in public DNS (RFC 6761, 6762, 8375, ICANN's `internal`; home routers' `lan`,
/// Kubernetes' `svc`).
const PRIVATE: [&str; 6] = ["localhost", "local", "internal", "home.arpa", "lan", "svc"];

/// The names that are accepted besides those that no stranger can own.
#[derive(Clone, Debug)]
pub(super) struct Hosts(Vec<String>);

impl Hosts {
    /// The machine's own name, and those that are configured.
    pub(super) fn new(configured: &[String]) -> Hosts {
        let own = rustix::system::uname().nodename().to_string_lossy().into_owned();
        Hosts(configured.iter().chain([&own]).map(|name| plain(name)).collect())
    }

    /// Whether every host name that a request carries is accepted; true if it carries none.
    pub(super) fn accept(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let named = headers.get_all(header::HOST).into_iter().map(|host| host.to_str().unwrap_or("?"));
        named.chain(uri.authority().map(Authority::as_str)).all(|host| host.is_empty() || self.accepts(host))
    }

    fn accepts(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else { return false };
        let host = plain(authority.host());
        let is_address = host.starts_with('[') || host.parse::<std::net::Ipv4Addr>().is_ok();
        let is_private = |end: &str| host.strip_suffix(end).is_some_and(|rest| rest.ends_with('.'));
        is_address
            || !host.contains('.')
            || PRIVATE.iter().any(|end| is_private(end))
            || self.0.contains(&host)
    }
}

/// A name in the form that is compared: lower case, without a final dot.
fn plain(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn knows(hosts: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(header::HOST, host.parse().unwrap());
        }
        Hosts::new(&["Metrics.Example.com".to_owned()]).accept(&"/metrics".parse().unwrap(), &headers)
    }

    #[test]
    fn probes_are_answered_and_names_that_a_stranger_may_have_are_not() {
        let own = rustix::system::uname().nodename().to_string_lossy().into_owned();
        for host in [
            "127.0.0.1:9002",
            "10.42.0.7:9002",
            "[::1]:9002",
            "[fd00::7]",
            "localhost",
            "LOCALHOST:9002",
            "app.localhost:9002",
            "node:9002",
            "node.default.svc:9002",
            "node.default.svc.cluster.local.:9002",
            "host.docker.internal:9002",
            "metrics.example.com",
            "METRICS.example.com.:443",
            &own,
            "",
        ] {
            assert!(knows(&[host]), "{host}");
        }
        for host in [
            "rebound.example:9002",
            "localhost.example:9002",
            "127.0.0.1.nip.io",
            "evillocal.example",
            "example.com",
            "x.metrics.example.com",
            "?",
            "a b",
        ] {
            assert!(!knows(&[host]), "{host}");
        }
        assert!(knows(&[]));
        assert!(!knows(&["localhost", "rebound.example"]));
        let uri = "http://rebound.example/metrics".parse().unwrap();
        assert!(!Hosts::new(&[]).accept(&uri, &HeaderMap::new()));
    }
}

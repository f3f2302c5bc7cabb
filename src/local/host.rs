//! Under which names this machine is asked. A page in a browser here can have a name of its own lead to this machine (DNS
//! rebinding): to the browser the answers then are the page's, which reads them. So a name counts only if no stranger can
//! have it.
//!
//! Probes and scrapers ask by an IP address, by a name of the machine or of a container or service on a private network, or
//! without any, and need no setting. What goes by a public name, as through a reverse proxy that keeps it, is named in
//! `local.hosts`.

use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri, header};

/// The ends of names that public DNS does not have (RFC 6761, 6762, 8375, ICANN's `internal`; home routers' `lan`,
/// Kubernetes' `svc`).
const PRIVATE: [&str; 6] = ["localhost", "local", "internal", "home.arpa", "lan", "svc"];

/// The names that count.
#[derive(Clone, Debug)]
pub(super) struct Hosts(Vec<String>);

impl Hosts {
    /// The machine's own name, and those that are configured.
    pub(super) fn new(configured: &[String]) -> Hosts {
        let own = rustix::system::uname().nodename().to_string_lossy().into_owned();
        Hosts(configured.iter().chain([&own]).map(|name| plain(name)).collect())
    }

    /// Whether a request is for names that count, or for none.
    pub(super) fn know(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let named = headers.get_all(header::HOST).into_iter().map(|host| host.to_str().unwrap_or("?"));
        named.chain(uri.authority().map(Authority::as_str)).all(|host| host.is_empty() || self.knows(host))
    }

    fn knows(&self, host: &str) -> bool {
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

/// A name in the form in which names are compared.
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
        Hosts::new(&["Metrics.Example.com".to_owned()]).know(&"/metrics".parse().unwrap(), &headers)
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
        assert!(!Hosts::new(&[]).know(&uri, &HeaderMap::new()));
    }
}

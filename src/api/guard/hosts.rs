//! By which names this node may be asked. The owner of a web page can point a name of theirs at this node (DNS rebinding), and
//! a browser in the tailnet then lets the page read the answers: the caller is known by its address alone. So exactly the
//! node's own names count, on every request.

use std::collections::HashSet;
use std::net::IpAddr;

use axum::http::uri::{Authority, Scheme};
use axum::http::{HeaderMap, Uri, header};

/// The names and addresses of this node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::api) struct OwnNames {
    names: HashSet<String>,
    /// Those of them for which there are certificates.
    full: HashSet<String>,
    addresses: HashSet<IpAddr>,
}

/// The name by which a request came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::api) enum Host {
    /// One of the node's own; with its port, as it was written, in lower case.
    Own(String),
    /// An address that is none of the node's own; a peer that reaches the node by another one may ask by that.
    Address(IpAddr, String),
    /// A stranger's, or none at all.
    Other,
}

impl OwnNames {
    /// `full` are names for which there are certificates, and `names` the others.
    pub(in crate::api) fn new(
        names: impl IntoIterator<Item = String>,
        full: impl IntoIterator<Item = String>,
        addresses: impl IntoIterator<Item = IpAddr>,
    ) -> OwnNames {
        let known = |name: String| Some(plain(&name)).filter(|name| !name.is_empty());
        let full: HashSet<String> = full.into_iter().filter_map(known).collect();
        let names = names.into_iter().filter_map(known).chain(full.iter().cloned()).collect();
        OwnNames { names, full, addresses: addresses.into_iter().collect() }
    }

    /// Whether there is a certificate for the name of a [`Host::Own`].
    pub(in crate::api) fn has_certificate(&self, host: &str) -> bool {
        host.parse::<Authority>().is_ok_and(|authority| self.full.contains(&plain(authority.host())))
    }

    /// The name by which a request came to a port. All that name one, the header and the URI or `:authority`, have to be the
    /// same. `reached` is the node's own end of the connection: one of its addresses, or of a service that it hosts.
    pub(in crate::api) fn of(
        &self,
        uri: &Uri,
        headers: &HeaderMap,
        port: u16,
        scheme: &Scheme,
        reached: IpAddr,
    ) -> Host {
        let mut named =
            headers.get_all(header::HOST).into_iter().map(|host| host.to_str().unwrap_or_default());
        let (header, more) = (named.next(), named.next());
        let text = match (uri.authority().map(Authority::as_str), header, more) {
            (Some(authority), None, _) => authority,
            (None, Some(host), None) => host,
            (Some(authority), Some(host), None) if authority.eq_ignore_ascii_case(host) => host,
            _ => return Host::Other,
        };
        let Ok(authority) = text.parse::<Authority>() else { return Host::Other };
        let default = if *scheme == Scheme::HTTPS { 443 } else { 80 };
        if text.contains('@') || authority.port_u16().unwrap_or(default) != port || text.ends_with(':') {
            return Host::Other;
        }
        let (host, written) = (plain(authority.host()), text.to_ascii_lowercase());
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(&host);
        match bare.parse::<IpAddr>() {
            Ok(ip) if self.addresses.contains(&ip) || ip == reached => Host::Own(written),
            Ok(ip) => Host::Address(ip, written),
            Err(_) if self.names.contains(&host) => Host::Own(written),
            Err(_) => Host::Other,
        }
    }
}

/// A name in the form that is compared: in lower case and without its final dot.
fn plain(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn asked(uri: &str, hosts: &[&str], port: u16, scheme: &Scheme) -> Host {
        let names = ["node", "cloud.example.com"].map(str::to_owned);
        let own = OwnNames::new(names, ["node.tail1.ts.net.".to_owned()], [ip("100.64.0.7"), ip("fd7a::7")]);
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(header::HOST, host.parse().unwrap());
        }
        own.of(&uri.parse().unwrap(), &headers, port, scheme, ip("100.100.0.9"))
    }

    #[test]
    fn a_request_is_taken_by_the_names_of_the_node_alone() {
        let (http, https) = (Scheme::HTTP, Scheme::HTTPS);
        for (uri, hosts, port, scheme, taken) in [
            ("/", &["node"][..], 80, &http, true),
            ("/", &["NODE:80"], 80, &http, true),
            ("/", &["node.tail1.ts.net"], 443, &https, true),
            ("/", &["node.tail1.ts.net."], 443, &https, true),
            ("/", &["Node.Tail1.TS.net.:443"], 443, &https, true),
            ("/", &["cloud.example.com"], 80, &http, true),
            ("/", &["100.64.0.7"], 80, &http, true),
            ("/", &["[fd7a::7]"], 80, &http, true),
            ("/", &["[fd7a:0::0:7]:80"], 80, &http, true),
            ("/", &["100.100.0.9"], 80, &http, true), // the service's address, to which the connection was made
            ("http://node/x", &["node"], 80, &http, true),
            ("https://node.tail1.ts.net/x", &[], 443, &https, true),
            ("/", &["node:8080"], 8080, &http, true),
            // Another port, or none where it is not the default.
            ("/", &["node:8080"], 80, &http, false),
            ("/", &["node"], 8080, &http, false),
            ("/", &["node:80"], 443, &https, false),
            ("/", &["node:"], 80, &http, false),
            // A stranger's name, however it looks.
            ("/", &["evil.example"], 80, &http, false),
            ("/", &["node.evil.example"], 80, &http, false),
            ("/", &["evilnode"], 80, &http, false),
            ("/", &["node.tail1.ts.net.evil.example"], 80, &http, false),
            ("/", &["node.tail1.ts.net.."], 80, &http, false),
            ("/", &["sub.node.tail1.ts.net"], 80, &http, false),
            ("/", &["node@evil.example"], 80, &http, false),
            ("/", &["evil.example@node"], 80, &http, false),
            ("/", &["localhost"], 80, &http, false),
            ("/", &["127.0.0.1"], 80, &http, false),
            ("/", &["1684013063"], 80, &http, false), // 100.64.0.7 as one number
            ("/", &["100.64.7"], 80, &http, false),
            ("/", &["0x64.64.0.7"], 80, &http, false),
            ("/", &[""], 80, &http, false),
            ("/", &["a b"], 80, &http, false),
            // None, two, or two that differ.
            ("/", &[], 80, &http, false),
            ("/", &["node", "node"], 80, &http, false),
            ("/", &["node", "evil.example"], 80, &http, false),
            ("http://evil.example/", &["node"], 80, &http, false),
            ("http://node/", &["evil.example"], 80, &http, false),
            ("http://node/", &["100.64.0.7"], 80, &http, false),
        ] {
            let host = asked(uri, hosts, port, scheme);
            assert_eq!(matches!(host, Host::Own(_)), taken, "{uri} {hosts:?} at {port}: {host:?}");
        }
    }

    #[test]
    fn a_certificate_is_for_full_names_alone() {
        let (names, full) = (["node", "cloud.example.com"], ["Node.tail1.ts.net.", ""]);
        let own = OwnNames::new(names.map(str::to_owned), full.map(str::to_owned), [ip("100.64.0.7")]);
        for (host, has) in [
            ("node.tail1.ts.net", true),
            ("node.tail1.ts.net.:443", true),
            ("node", false),
            ("cloud.example.com", false),
            ("100.64.0.7", false),
            ("", false),
        ] {
            assert_eq!(own.has_certificate(host), has, "{host}");
        }
    }

    #[test]
    fn another_address_is_told_from_a_name_so_that_a_masqueraded_one_can_be_looked_up() {
        let host = asked("/", &["100.64.9.9"], 80, &Scheme::HTTP);
        assert_eq!(host, Host::Address(ip("100.64.9.9"), "100.64.9.9".to_owned()));
    }
}

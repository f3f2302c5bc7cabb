//! An address in the tailnet: host and port.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::str::FromStr;

/// Where to connect to: an IP address or a MagicDNS name, and a port.
///
/// A name may be short (`lxd`) or full (`lxd.example.ts.net`). It is looked up in the tailnet only.
///
/// ```
/// use tailnet::Address;
///
/// let by_name: Address = "lxd:8443".parse()?;
/// let by_ip: Address = "[fd7a:115c:a1e0::1]:8443".parse()?;
/// assert_eq!(by_name.host(), "lxd");
/// assert_eq!(by_ip.to_string(), "[fd7a:115c:a1e0::1]:8443");
/// # Ok::<(), tailnet::InvalidAddress>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    host: Host,
    port: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Host {
    Ip(IpAddr),
    Name(String),
}

/// A text that is no [`Address`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an address: {reason}")]
pub struct InvalidAddress {
    text: String,
    reason: &'static str,
}

const A_URL: &str = "it is a URL, and only its host and port are wanted, as in lxd:8443";

impl Address {
    /// Makes an address of a host, which is an IP address (IPv6 with or without brackets) or a name, and a port.
    ///
    /// # Errors
    /// When the host is neither, or the port is 0.
    pub fn new(host: &str, port: u16) -> Result<Address, InvalidAddress> {
        let invalid = |reason| InvalidAddress { text: format!("{host}:{port}"), reason };
        if port == 0 {
            return Err(invalid("the port must be from 1 to 65535"));
        }
        let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        if let Ok(ip) = bare.parse::<IpAddr>() {
            return Ok(Address { host: Host::Ip(ip), port });
        }
        if host.contains("://") {
            return Err(invalid(A_URL));
        }
        if host.is_empty() {
            return Err(invalid("the host is missing"));
        }
        if host.len() > 253
            || !host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'))
        {
            return Err(invalid("the host is neither an IP address nor a name"));
        }
        Ok(Address { host: Host::Name(host.to_owned()), port })
    }

    /// The host as text; an IPv6 address without brackets.
    #[must_use]
    pub fn host(&self) -> String {
        match &self.host {
            Host::Ip(ip) => ip.to_string(),
            Host::Name(name) => name.clone(),
        }
    }

    /// The IP address, unless the host is a name.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        match self.host {
            Host::Ip(ip) => Some(ip),
            Host::Name(_) => None,
        }
    }

    /// The port, never 0.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Ip(ip) => SocketAddr::new(*ip, self.port).fmt(f),
            Host::Name(name) => write!(f, "{name}:{}", self.port),
        }
    }
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let invalid = |reason| InvalidAddress { text: text.to_owned(), reason };
        if text.contains("://") {
            return Err(invalid(A_URL));
        }
        let (host, port) = text.rsplit_once(':').ok_or_else(|| invalid("it must be host:port"))?;
        if host.contains(':') && !host.starts_with('[') {
            return Err(invalid("an IPv6 address needs brackets before its port"));
        }
        let port = port.parse().map_err(|_| invalid("the port must be a number from 1 to 65535"))?;
        Address::new(host, port).map_err(|e| invalid(e.reason))
    }
}

/// What [`Tailnet::connect`](crate::Tailnet::connect) takes: an [`Address`] or what can become one. It is sealed: no other
/// crate can implement it.
pub trait IntoAddress: sealed::Sealed {
    /// Makes the address.
    ///
    /// # Errors
    /// When this is no address.
    fn into_address(self) -> Result<Address, InvalidAddress>;
}

mod sealed {
    pub trait Sealed {}
}

impl sealed::Sealed for Address {}
impl IntoAddress for Address {
    fn into_address(self) -> Result<Address, InvalidAddress> {
        Ok(self)
    }
}

impl<T: IntoAddress + Clone> sealed::Sealed for &T {}
impl<T: IntoAddress + Clone> IntoAddress for &T {
    fn into_address(self) -> Result<Address, InvalidAddress> {
        self.clone().into_address()
    }
}

impl sealed::Sealed for &str {}
impl IntoAddress for &str {
    fn into_address(self) -> Result<Address, InvalidAddress> {
        self.parse()
    }
}

impl sealed::Sealed for String {}
impl IntoAddress for String {
    fn into_address(self) -> Result<Address, InvalidAddress> {
        self.parse()
    }
}

impl sealed::Sealed for SocketAddr {}
impl IntoAddress for SocketAddr {
    fn into_address(self) -> Result<Address, InvalidAddress> {
        (self.ip(), self.port()).into_address()
    }
}

impl sealed::Sealed for SocketAddrV4 {}
impl IntoAddress for SocketAddrV4 {
    fn into_address(self) -> Result<Address, InvalidAddress> {
        SocketAddr::V4(self).into_address()
    }
}

impl sealed::Sealed for SocketAddrV6 {}
impl IntoAddress for SocketAddrV6 {
    fn into_address(self) -> Result<Address, InvalidAddress> {
        SocketAddr::V6(self).into_address()
    }
}

macro_rules! into_address_of_host_and_port {
    ($($host:ty),*) => {$(
        impl sealed::Sealed for ($host, u16) {}
        impl IntoAddress for ($host, u16) {
            fn into_address(self) -> Result<Address, InvalidAddress> {
                Address::new(&self.0.to_string(), self.1)
            }
        }
    )*};
}

into_address_of_host_and_port!(&str, String, &String, IpAddr, Ipv4Addr, Ipv6Addr);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_print_as_they_parse() {
        for text in ["lxd:8443", "lxd.example.ts.net:1", "100.64.0.1:8443", "[fd7a:115c:a1e0::1]:65535"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_reason() {
        for (text, reason) in [
            ("lxd", "host:port"),
            ("", "host:port"),
            (":1", "host is missing"),
            ("lxd:0", "1 to 65535"),
            ("lxd:65536", "1 to 65535"),
            ("lxd:-1", "1 to 65535"),
            ("lxd:", "1 to 65535"),
            ("fd7a::1:8443", "brackets"),
            ("a b:1", "neither"),
            ("http://lxd:1", "URL"),
            ("https://lxd", "URL"),
            ("https://[fd7a::1]:8443/1.0", "URL"),
            ("[::1:1", "neither"),
            ("lxd/x:1", "neither"),
        ] {
            let error = text.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains(reason), "{text:?}: {error}");
        }
        let error = ("http://lxd", 80).into_address().unwrap_err().to_string();
        assert!(error.contains("URL"), "{error}");
    }

    #[test]
    fn whatever_names_a_host_and_a_port_is_an_address() {
        let name = String::from("lxd");
        let by_name = "lxd:1".parse().unwrap();
        let all = [
            "lxd:1".into_address(),
            (&"lxd:1").into_address(),
            String::from("lxd:1").into_address(),
            (&String::from("lxd:1")).into_address(),
            ("lxd", 1).into_address(),
            (&("lxd", 1)).into_address(),
            (&name, 1).into_address(),
            (&(name.clone(), 1)).into_address(),
            (name, 1).into_address(),
            Address::into_address(Address::clone(&by_name)),
            (&by_name).into_address(),
        ];
        assert!(all.iter().all(|address| address.as_ref() == Ok(&by_name)), "{all:?}");
        let (v4, v6) = (Ipv4Addr::LOCALHOST, Ipv6Addr::LOCALHOST);
        for (address, text) in [
            (SocketAddrV4::new(v4, 1).into_address(), "127.0.0.1:1"),
            (SocketAddrV6::new(v6, 1, 0, 0).into_address(), "[::1]:1"),
            ((&SocketAddr::from((v4, 1))).into_address(), "127.0.0.1:1"),
            ((v6, 1).into_address(), "[::1]:1"),
        ] {
            assert_eq!(address.unwrap().to_string(), text);
        }
    }
}

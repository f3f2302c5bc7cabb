//! The rules for single values, wherever they come from.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::Duration;

pub(super) fn hostname(text: &str) -> Result<String, String> {
    let ok = (1..=63).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && !text.starts_with('-')
        && !text.ends_with('-');
    if ok { Ok(text.to_owned()) } else { Err(format!("{text:?} is not a host's name")) }
}

pub(super) fn cloud_name(text: &str) -> Result<String, String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !text.is_empty() && !text.starts_with(['.', '-']) && text.chars().all(allowed) {
        return Ok(text.to_owned());
    }
    Err(format!("{text:?} is not a cloud's name"))
}

pub(super) fn control_url(text: &str) -> Result<http::Uri, String> {
    let url: http::Uri = text.parse().map_err(|e| format!("{text:?} is not an URL: {e}"))?;
    match (url.scheme_str(), url.host()) {
        (Some("http" | "https"), Some(host)) if !host.is_empty() => Ok(url),
        _ => Err(format!("{text:?} is not an URL that begins with https:// or http://")),
    }
}

/// The ID of an OAuth client. A secret is told and not repeated.
pub(super) fn client_id(text: &str) -> Result<String, String> {
    if text.starts_with("tskey-") {
        return Err("this is a secret, not a client's ID".to_owned());
    }
    let ok = !text.is_empty() && !text.chars().any(|c| c.is_whitespace() || c.is_control());
    if ok { Ok(text.to_owned()) } else { Err(format!("{text:?} is not a client's ID")) }
}

/// Tags with commas or white space between them. As of `tailscale up`, `tag:` may be left out.
pub(super) fn tags(text: &str) -> Result<Vec<String>, String> {
    let names = text.split([',', ' ', '\t']).filter(|name| !name.is_empty());
    names.map(|name| tag(&if name.contains(':') { name.to_owned() } else { format!("tag:{name}") })).collect()
}

/// A duration as Go writes them, such as `90s` or `1m30s`, in the range that makes sense.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let no = || format!("{text:?} is not a duration such as 90s or 3m");
    let mut seconds = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(no)?;
        let (number, after) = rest.split_at(digits);
        let unit = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let scale = match &after[..unit] {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return Err(no()),
        };
        seconds += number.parse::<f64>().map_err(|_| no())? * scale;
        rest = &after[unit..];
    }
    if text.is_empty() { Err(no()) } else { in_range(seconds) }
}

/// A number of seconds in the range that makes sense.
pub(super) fn in_range(seconds: f64) -> Result<Duration, String> {
    if (0.1..=86_400.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err(format!("{seconds} is not from 0.1 to 86400 seconds"))
    }
}

/// A number of seconds for which a websocket may be silent: LXD answers a ping on some only every ten seconds.
pub(super) fn silence(seconds: f64) -> Result<Duration, String> {
    if (20.0..=86_400.0).contains(&seconds) {
        in_range(seconds)
    } else {
        Err(format!("{seconds} is not from 20 to 86400 seconds"))
    }
}

/// The mode of a socket, in octal digits as chmod takes them.
pub(super) fn mode(text: &str) -> Result<u32, String> {
    let digits = text.strip_prefix("0o").unwrap_or(text);
    match u32::from_str_radix(digits, 8) {
        // Its owner is this program's user, who has to be able to use it.
        Ok(mode @ 0o600..=0o777) if (3..=4).contains(&digits.len()) && mode & 0o600 == 0o600 => Ok(mode),
        _ => Err(format!("{text:?} is not the mode of a socket")),
    }
}

pub(super) fn tag(text: &str) -> Result<String, String> {
    let name = text.strip_prefix("tag:").unwrap_or_default();
    let ok = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if ok { Ok(text.to_owned()) } else { Err(format!("{text:?} is not a tag: it must be tag:name")) }
}

/// A host's name, without a port.
pub(super) fn host(text: &str) -> Result<String, String> {
    let ok = text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    if ok { Ok(text.to_owned()) } else { Err(format!("{text:?} is not the name of a host")) }
}

/// A user's login name.
pub(super) fn login(text: &str) -> Result<String, String> {
    if super::rights::is_word(text) && !text.contains('*') {
        return Ok(text.to_owned());
    }
    Err(format!("{text:?} is not a login name"))
}

/// The name of a service of the tailnet.
pub(super) fn service(text: &str) -> Result<String, String> {
    let name = text.strip_prefix("svc:").map(hostname);
    let ok = matches!(name, Some(Ok(name)) if !name.contains(|c: char| c.is_ascii_uppercase()));
    if ok {
        Ok(text.to_owned())
    } else {
        Err(format!("{text:?} is not the name of a service: it must be svc:name"))
    }
}

/// An URL with places to fill in.
pub(super) fn link(text: &str) -> Result<String, String> {
    let filled = ["cloud", "project", "instance"]
        .into_iter()
        .fold(text.to_owned(), |text, place| text.replace(&format!("{{{place}}}"), "x"));
    if filled.contains(['{', '}']) {
        return Err(format!(
            "{text:?} has other places to fill in than {{cloud}}, {{project}} and {{instance}}"
        ));
    }
    control_url(&filled)
        .map(|_| text.to_owned())
        .map_err(|_| format!("{text:?} is not an URL that begins with https:// or http://"))
}

/// An address of the loopback.
pub(super) fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address = listen(text)?;
    if address.ip().is_loopback() {
        return Ok(address);
    }
    Err(format!("{address} is not this machine's loopback: others would act there as the user"))
}

/// An address to listen on, of this machine: an IP address or `localhost`, and a port. `:1055` is all addresses, as in
/// Tailscale's container image.
pub(crate) fn listen(text: &str) -> Result<SocketAddr, String> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let no = || format!("{text:?} is not an address to listen on: it must be IP:port");
    let (host, port) = text.rsplit_once(':').ok_or_else(no)?;
    let port = port.parse().map_err(|_| no())?;
    match host {
        "" => Ok(SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port)),
        "localhost" => Ok(SocketAddr::new(IpAddr::from([127, 0, 0, 1]), port)),
        // $(POD_IP):9002 in Kubernetes gives an IPv6 address without brackets.
        host => host.parse().map(|ip: Ipv6Addr| SocketAddr::new(ip.into(), port)).map_err(|_| no()),
    }
}

pub(super) fn listen_or_none(text: &str) -> Result<Option<SocketAddr>, String> {
    if text == "none" { Ok(None) } else { listen(text).map(Some) }
}

/// An address to listen on, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen(pub Option<SocketAddr>);

pub(super) fn parse_listen_or_none(text: &str) -> Result<Listen, String> {
    listen_or_none(text).map(Listen)
}

pub(super) fn truth(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "t" | "yes" => Ok(true),
        "false" | "0" | "f" | "no" => Ok(false),
        _ => Err(format!("{text:?} is neither true nor false")),
    }
}

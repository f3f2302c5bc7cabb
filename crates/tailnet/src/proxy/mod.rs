//! Proxies for programs that cannot embed the crate. Each serves one client's connection, so that the program accepts
//! where it wants to: usually on the loopback interface, as whoever reaches a proxy reaches the tailnet.

mod datagrams;
mod http;
mod socks5;

use std::time::Duration;

/// How long a client may take to say what it wants, besides the time that the dial takes.
const GREETING: Duration = Duration::from_secs(10);

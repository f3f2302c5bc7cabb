//! A node of a [Tailscale](https://tailscale.com) tailnet, inside a Rust process.
//!
//! The process joins by itself: no daemon beside it, no TUN device, no capability. Under the async
//! interface runs Tailscale's own implementation (tsnet, in Go), linked in by `libtailscale-sys`.
//! Connections go through the tailnet or fail: the host's network and its DNS are never used for them.
//!
//! ```no_run
//! use tailnet::Tailnet;
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let tailnet = Tailnet::builder()
//!         .hostname("my-service")
//!         .auth_key(std::env::var("TS_AUTHKEY")?.parse()?)
//!         .state_dir("/var/lib/my-service")
//!         .up()
//!         .await?;
//!     println!("joined as {:?}", tailnet.status().await?.ips);
//!
//!     let mut stream = tailnet.connect("other-machine:7").await?;
//!     stream.write_all(b"hello").await?;
//!     stream.shutdown().await?;
//!     let mut answer = Vec::new();
//!     stream.read_to_end(&mut answer).await?;
//!
//!     tailnet.close().await?;
//!     Ok(())
//! }
//! ```
//!
//! | to | use |
//! |---|---|
//! | join | [`Tailnet::builder`], [`TailnetBuilder::up`] |
//! | dial | [`Tailnet::connect`] |
//! | look a name up | [`Tailnet::lookup_host`] |
//! | listen | [`Tailnet::listen`], [`TailnetListener::accept`]; TLS, Funnel, services: [`Tailnet::listen_with`] |
//! | serve HTTP/2 to browsers | [`ListenOptions::alpn`] |
//! | send datagrams | [`Tailnet::bind_udp`], [`Tailnet::connect_udp`]; QUIC: `examples/quinn` |
//! | give hyper a way in | `Tailnet::connector` (feature `hyper`, on by default) |
//! | give a database driver, or what else takes only host:port, a way in | [`Tailnet::forward`] |
//! | see the node and its peers | [`Tailnet::status`], [`Tailnet::watch`], [`Tailnet::ping`], [`Tailnet::netcheck`], [`Tailnet::counters`] |
//! | log in again, log out | [`Tailnet::login`], [`Tailnet::login_interactive`], [`Tailnet::logout`] |
//! | change routes, tags, exit node, shields | [`Tailnet::edit_prefs`] |
//! | get a certificate for rustls | [`Tailnet::certificate`] |
//! | keep the identity elsewhere | [`TailnetBuilder::state_store`]; [`StateStore`] lists what a store must not do |
//! | serve an axum application | `axum::serve` with a [`TailnetListener`] (feature `axum`) |
//! | offer a SOCKS5 or HTTP proxy | `Tailnet::serve_socks5`, `Tailnet::serve_http_proxy` (feature `proxy`); [`TailnetBuilder::own_proxies`] |
//! | know who has dialled, and what the tailnet's policy lets it do | [`Tailnet::whois`], [`WhoIs::capability`]; ask again when [`State::netmap_version`] changes |
//! | do what else the `tailscale` command does | [`Tailnet::local_api`] |
//! | read the node's log | any `tracing` subscriber, target `tailscale`; the spans `up` and `connect` have the target `tailnet` |
//!
//! The node is open until [`Tailnet::close`], or until the last clone of [`Tailnet`] is dropped, and with it the last stream,
//! listener, UDP socket, watch, connector and forwarder: each of them keeps the node open.
//!
//! Every wait has a deadline and ends early when its future is dropped. The interface needs a tokio runtime
//! with I/O and time enabled.
//!
//! A node takes some 35 MB of memory, and at full speed up to about 150 MB: busy streams share one buffer budget, and Go
//! collects its garbage early. `GOGC` and `GOMEMLIMIT` in the environment replace the latter.
//!
//! # Go's runtime in the same process
//!
//! - **Environment.** Go reads it once, as the program starts. Variables for Tailscale's code, such as `HTTPS_PROXY` or
//!   `TS_CONTROL_URL`, have to be there by then: it does not see what `std::env::set_var` changes. It changes nothing itself.
//! - **Threads.** Go starts some threads of its own before `main`, and more while a node is open. No thread of tokio's
//!   ever waits for them.
//! - **No fork without exec.** A forked child has only the thread that forked, so Go does not work there. `std::process::Command`
//!   is fine; a program that makes itself a daemon by `fork` alone is not.
//! - **Open files.** As the program starts, Go raises the soft limit of open files (`RLIMIT_NOFILE`) to the hard limit. Child
//!   processes of `std::process::Command` inherit that.
//! - **Log lines** come on threads of Go's, outside tokio and outside every span of the program. The subscriber runs there,
//!   and the node waits for it, so it must not block for long, nor call `tokio::spawn` without a handle. Many at a time may come.
//! - **Stack overflow.** Go's handler of SIGSEGV is in place before Rust's, which then does without. A program whose stack
//!   overflows therefore ends with a bare SIGSEGV, and does not say which thread "has overflowed its stack". A debugger
//!   (`gdb --args program`, then `run` and `backtrace`) or a core file (`ulimit -c unlimited`) shows the calls.
//! - **Signal handlers** of the program's own for SIGSEGV, SIGBUS, SIGFPE, SIGURG or SIGPIPE need the flag `SA_ONSTACK`, and
//!   must call the handler that was there before for whatever is not theirs: Go's runtime uses these signals.
//! - **Panics** in the Go code of this crate become errors, and log lines with their stack. One in a goroutine of
//!   Tailscale's own code ends the process, as does one of Go's fatal errors.

mod address;
mod auth_key;
#[cfg(feature = "axum")]
mod axum;
mod builder;
mod carry;
mod certificate;
#[cfg(feature = "hyper")]
mod connector;
mod counters;
mod error;
mod ffi;
mod forward;
mod go_json;
mod listener;
mod local_api;
mod log;
mod netcheck;
mod prefs;
#[cfg(feature = "proxy")]
mod proxy;
mod split;
mod state;
mod status;
mod store;
mod stream;
mod tailnet;
mod udp;
mod wakers;
mod whois;

#[cfg(feature = "axum")]
pub use self::axum::PeerAddr;
/// The crate of [`Uri`](http::Uri) and [`Method`](http::Method), which this crate's methods take.
pub use http;
/// The crate of [`Value`](serde_json::Value), which [`PrefsEdit::set`] and [`Tailnet::set_serve_config`] take.
pub use serde_json;

pub use address::{Address, IntoAddress, InvalidAddress};
pub use auth_key::{AuthKey, InvalidAuthKey};
pub use builder::TailnetBuilder;
pub use certificate::Certificate;
#[cfg(feature = "hyper")]
pub use connector::{Connector, HyperStream};
pub use counters::Counters;
pub use error::{
    AcceptError, CloseTimeout, ConnectError, ListenError, MalformedAnswer, StatusError, UpError,
};
pub use forward::{Forwarder, LocalListener};
pub use listener::{ListenOptions, TailnetListener};
pub use local_api::{LocalApiError, PingKind, Pong};
pub use netcheck::{DerpMap, DerpRegion, Netcheck};
pub use prefs::{Prefs, PrefsEdit};
pub use split::{OwnedReadHalf, OwnedWriteHalf};
pub use state::{BackendState, State, StateWatch};
pub use status::{InvalidSubnet, Path, Peer, Status, Subnet};
pub use store::StateStore;
pub use stream::TailnetStream;
pub use tailnet::Tailnet;
pub use udp::TailnetUdpSocket;
pub use whois::{WhoIs, WhoIsNode, WhoIsUser};

/// Compiles the example of the crate's README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

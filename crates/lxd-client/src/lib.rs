//! Async client of the REST API of [LXD](https://canonical.com/lxd) and
//! [Incus](https://linuxcontainers.org/incus/) servers.
//!
//! It makes no connections by itself: it takes any hyper connector, such as that of the crate `tailnet`,
//! and puts TLS and HTTP/2 on top. A server is known by the fingerprint of its certificate.
//!
//! ```no_run
//! use lxd_client::{Client, Identity, ServerTrust, TrustToken};
//!
//! # async fn example(connector: impl lxd_client::Connect) -> Result<(), Box<dyn std::error::Error>> {
//! let token: TrustToken = std::env::var("LXD_TRUST_TOKEN")?.parse()?; // from `lxc config trust add`
//! let identity = Identity::load_or_generate("/var/lib/my-service".as_ref(), "my-service")?;
//! let client = Client::builder("https://lxd.example.ts.net:8443".parse()?, connector)
//!     .trust(ServerTrust::Fingerprint(token.fingerprint()))
//!     .identity(identity)
//!     .build()?;
//! client.trust(&token).await?;
//! for instance in client.instances().await? {
//!     println!("{} {}", instance.name, instance.status);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! | endpoint | method |
//! |---|---|
//! | `GET /1.0` | [`Client::server`] |
//! | `GET /1.0/instances` | [`Client::instances`] |
//! | `POST /1.0/certificates` | [`Client::trust`] |
//!
//! Every request has a deadline and ends early when its future is dropped.

mod certificates;
mod client;
mod connect;
mod envelope;
mod error;
mod fingerprint;
mod identity;
mod instances;
mod pem;
mod server;
mod tls;
mod token;

pub use client::{Client, ClientBuilder, fetch_fingerprint};
pub use connect::{Connect, Io};
pub use error::{Error, chain};
pub use fingerprint::{Fingerprint, InvalidFingerprint};
pub use identity::{Identity, IdentityError};
pub use instances::Instance;
pub use server::{Auth, Environment, Server};
pub use tls::ServerTrust;
pub use token::{InvalidToken, TrustToken};

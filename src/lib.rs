//! Kolaboree NG's tailnet node, as a library: what the binary `kolaboree-node` is made of.
//!
//! The service joins a tailnet inside its own process and keeps watch over LXD and Incus servers that it
//! reaches through that tailnet, and in no other way.
//!
//! ```no_run
//! use kolaboree_node::{Config, Environment, Service};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let environment = Environment::load(".env".as_ref())?;
//! let config = Config::load("kolaboree.yaml".as_ref())?;
//! let service = Service::join(&config, &environment).await?;
//! service.watch_until(async { tokio::signal::ctrl_c().await.expect("a signal handler") }).await;
//! service.close().await;
//! # Ok(())
//! # }
//! ```

mod config;
mod environment;
mod key;
mod service;
mod yaml;

pub use config::{Cloud, Config, ConfigError};
pub use environment::{Environment, EnvironmentError};
pub use key::{KeyError, auth_key};
pub use service::{Service, ServiceError};

/// The version of this program and of what is in it, for people.
pub const VERSION: &str = env!("KOLABOREE_VERSION");

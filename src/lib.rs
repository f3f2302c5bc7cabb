//! Kolaboree NG's tailnet node, as a library: what the binary `kolaboree-node` is made of.
//!
//! A [`Node`] joins a tailnet inside its own process, keeps watch over LXD and Incus servers that it reaches through that
//! tailnet, and in no other way, and serves them to this machine as its configuration says.
//!
//! ```no_run
//! use kolaboree_node::{Config, Node};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let config = Config::load(&Default::default())?.config; // kolaboree.yaml, .env, the environment
//! let node = Node::up(config).await?;
//! for cloud in node.clouds() {
//!     let Some(client) = cloud.client() else { continue };
//!     println!("{}: {} instances", cloud.name(), client.instances().await?.len());
//! }
//! node.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! | to | use |
//! |---|---|
//! | say what to do | [`Config::load`], or [`Config::new`] and its fields |
//! | join, and wait for that | [`Node::up`]; apart: [`Node::builder`], [`Node::joined`] |
//! | reach a cloud | [`Cloud::client`], [`Cloud::connect`] |
//! | know how a cloud is | [`Cloud::health`], [`Cloud::watch_health`], [`Cloud::check`] |
//! | do all else in the tailnet | [`Node::tailnet`] |
//! | change what is watched | [`Node::reload`], [`Node::reconfigure`] |
//! | stop | [`Node::stop`] |
//! | talk to a node that runs already | its control socket, as [`control::protocol`] describes |

mod access;
mod actions;
mod api;
pub mod cli;
mod clock;
mod cloud;
mod config;
pub mod control;
mod doctor;
mod failure_code;
mod inventory;
mod listen;
mod local;
mod metrics;
mod node;
mod notify;
pub mod remedy;
mod service;
mod uplink;
mod version;
mod web;

pub use cloud::{Cloud, CloudError};
pub use config::{
    AccessRule, CloudConfig, CloudKind, Config, ConfigError, Confirm, Development, Environment,
    EnvironmentError, ExitNode, Flags, Grant, InvalidExitNode, Key, KeyError, KeySource, Listen, Loaded,
    LogFormat, Names, Principal, Problem, SCHEMA, Secret, Setting, Source, Tailnet, Trust, Verb, Verbs,
};
pub use listen::ServeError;
pub use node::{AskError, Node, NodeBuilder, NodeError, ReloadError};
pub use version::VERSION;

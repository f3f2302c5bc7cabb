//! How clients and servers of other crates work in a tailnet: see README.md. Each module is a recipe of its own, to be
//! copied; `tests/recipes` runs them all.

pub mod dns;
pub mod docker;
pub mod grpc;
pub mod http_client;
pub mod https;
pub mod kubernetes;
pub mod postgres;
pub mod redis;
pub mod sql_pool;
pub mod ssh;
pub mod web_service;
pub mod websocket;

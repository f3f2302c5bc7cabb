//! A private tailnet on the loopback interface, for tests and demos: control server, DERP relay, STUN
//! server, and peers that serve something. It needs no network, no account and no privilege.
//!
//! ```no_run
//! use tailnet_sandbox::{Peer, Sandbox};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let sandbox = Sandbox::start([Peer::new("tools").echo(7).digest(8)]).await?;
//! println!("join {} with {}", sandbox.control_url(), sandbox.auth_key());
//! println!("then dial {}:7", sandbox.peer("tools").ipv4);
//! sandbox.stop().await?;
//! # Ok(())
//! # }
//! ```
//!
//! What can go wrong can be made to: `stop_control`, `stop_relay`, `stop_peer` and the like of [`Sandbox`]. Who a node is, and
//! what it may, is said by `set_user`, `set_tags`, `grant`, `set_share` and the like, also while it runs.
//!
//! The tailnet runs in a child process of its own, so that a test can take it away from a node that lives
//! in the test's process. Nothing of it belongs into a release build.

mod fleet;
mod peer;
mod policy;
mod port;
mod sandbox;
mod standin;

pub use fleet::Fleet;
pub use peer::{Peer, PeerInfo};
pub use policy::{Share, User};
pub use port::free_port;
pub use sandbox::{Sandbox, SandboxError, program};
pub use standin::{Asked, StandIn};

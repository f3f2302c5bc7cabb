//! Another configuration for a node that runs: all of it, or nothing.

use std::time::Duration;

use futures_util::FutureExt;
use kolaboree_node::{CloudConfig, CloudKind, Config, Environment, KeySource, Node};
use tailnet_sandbox::Peer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::node::{World, free_port};

/// A node without clouds, and its world.
fn joined() -> (World, Node) {
    let world = World::with([Peer::new("tools").echo(7)]);
    let node = world.wait(Node::up(config(&world, []))).unwrap();
    (world, node)
}

fn config(world: &World, clouds: impl IntoIterator<Item = CloudConfig>) -> Config {
    let mut config = Config::new(world.path("state"));
    config.control_url = Some(world.sandbox.control_url());
    let key: Environment = [("TAILSCALE_AUTH_KEY", world.sandbox.auth_key())].into_iter().collect();
    config.key = KeySource::from_environment(&key).unwrap();
    config.grace_timeout = Duration::from_secs(2);
    config.clouds.extend(clouds);
    config
}

/// The peer `tools`, served on a port of this machine.
fn tools(name: &str, port: u16, interval: u64) -> CloudConfig {
    let mut cloud = CloudConfig::new(name, CloudKind::Tcp, "tools:7".parse().unwrap());
    cloud.proxy_listen = Some(([127, 0, 0, 1], port).into());
    cloud.interval = Duration::from_secs(interval);
    cloud
}

/// Whether the peer answers there.
async fn echoes(port: u16) -> bool {
    #[allow(clippy::disallowed_methods, reason = "a loopback address of this test's")]
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)).await else { return false };
    stream.write_all(b"hello").await.unwrap();
    stream.read_exact(&mut [0; 5]).await.is_ok()
}

#[test]
fn a_reload_whose_caller_goes_away_is_brought_to_its_end() {
    let (world, node) = joined();
    let port = free_port();
    let with = |interval| config(&world, [tools("tools", port, interval)]);
    world.wait(async {
        node.reconfigure(with(10)).await.unwrap();
        assert!(echoes(port).await);
        // Dropped at each place where it waits.
        for polls in 1..6 {
            let mut reload = Box::pin(node.reconfigure(with(20)));
            for _ in 0..polls {
                if (&mut reload).now_or_never().is_some() {
                    break;
                }
                tokio::task::yield_now().await;
            }
            drop(reload);
            node.reconfigure(with(10)).await.unwrap();
            assert!(echoes(port).await, "dropped after {polls} polls");
            assert_eq!(node.clouds()[0].config().interval, Duration::from_secs(10));
        }
        node.stop().await;
    });
}

#[test]
fn a_reload_that_fails_halfway_changes_nothing() {
    let (world, node) = joined();
    let (one, two) = (free_port(), free_port());
    world.wait(async {
        let before = config(&world, [tools("one", one, 10), tools("two", two, 10)]);
        node.reconfigure(before.clone()).await.unwrap();
        let held = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let taken = held.local_addr().unwrap().port();
        let mut after =
            config(&world, [tools("one", one, 20), tools("three", taken, 20), tools("two", two, 20)]);
        after.accept_routes = true;
        let error = node.reconfigure(after).await.unwrap_err().to_string();
        assert!(error.contains(&format!("cannot listen on 127.0.0.1:{taken}")), "{error}");
        drop(held);
        assert!(echoes(one).await && echoes(two).await);
        assert!(
            !node.tailnet().prefs().await.unwrap().accept_routes,
            "the routes of others are not accepted"
        );
        let config = node.config();
        assert!(!config.accept_routes && config.clouds == before.clouds);
        node.stop().await;
    });
}

#[test]
fn a_renewed_trust_token_is_used_without_a_restart() {
    let (world, node) = joined();
    let tokens = [(); 2].map(|()| world.standin.trust_token("me")); // of the same server and name
    let with = |token: &str| {
        let mut cloud = CloudConfig::new("berlin", CloudKind::Lxd, "berlin:8443".parse().unwrap());
        cloud.trust.token = Some(token.parse().unwrap());
        config(&world, [cloud])
    };
    world.wait(async {
        node.reconfigure(with(&tokens[0])).await.unwrap();
        let again = node.reconfigure(with(&tokens[0])).await.unwrap();
        assert!(again.changed.is_empty(), "{again:?}");
        let renewed = node.reconfigure(with(&tokens[1])).await.unwrap();
        assert_eq!(renewed.changed, ["berlin"]);
        assert!(!format!("{renewed:?} {:?}", node.config()).contains(&tokens[1]));
        node.stop().await;
    });
}

#[test]
fn a_node_that_serves_nothing_serves_nothing_after_a_reload_either() {
    let world = World::with([Peer::new("tools").echo(7)]);
    let port = free_port();
    world.wait(async {
        let node = Node::builder(config(&world, [])).serve_nothing().watch_nothing().up().await.unwrap();
        node.reconfigure(config(&world, [tools("tools", port, 10)])).await.unwrap();
        assert!(!echoes(port).await);
        node.stop().await;
    });
}

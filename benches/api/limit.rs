//! What the tailnet and axum can do at the most: a server that does nothing but answer 200 bytes, in a process of its own.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use tailnet::ListenOptions;

use crate::callers::{Connection, join};
use crate::world::World;

/// The name of its node.
pub(crate) const NAME: &str = "limit";

/// Where the control server is, in the environment of that process.
const CONTROL_URL: &str = "KOLABOREE_BENCH_LIMIT";

/// The key to the sandbox, which is no secret.
const KEY: &str = "KOLABOREE_BENCH_LIMIT_KEY";

/// The server, which ends with this.
pub(crate) struct Limit(Child);

impl Drop for Limit {
    fn drop(&mut self) {
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

impl Limit {
    /// Starts it, and waits until the first caller reaches it.
    pub(crate) async fn start(world: &World) -> Limit {
        let mut server = Command::new(std::env::current_exe().unwrap());
        let server = server
            .env(CONTROL_URL, world.sandbox.control_url().to_string())
            .env(KEY, world.sandbox.auth_key())
            .stdin(Stdio::null());
        let limit = Limit(server.spawn().unwrap());
        let (way, began) = (world.way(NAME), Instant::now());
        while let Err(error) = Connection::open(&way).await {
            assert!(began.elapsed() < Duration::from_secs(60), "{error}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        limit
    }
}

/// Is that server, where this process was started to be it.
pub(crate) async fn serve() -> bool {
    let (Ok(url), Ok(key)) = (std::env::var(CONTROL_URL), std::env::var(KEY)) else { return false };
    let tailnet = join(url.parse().unwrap(), &key, NAME).await;
    let app = Router::new().route("/", get(async || [b'x'; 200]));
    let listener = tailnet.listen_with(&ListenOptions::port(80).backlog(2_048)).await.unwrap();
    axum::serve(listener, app).await.unwrap();
    true
}

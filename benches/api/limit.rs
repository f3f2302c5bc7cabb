//! What the tailnet and axum can do at the most: a server that does nothing but answer 200 bytes, in a process of its own.

use std::process::{Child, Command, Stdio};

use axum::Router;
use axum::routing::get;
use tailnet_sandbox::Sandbox;

use crate::callers::join;

/// The name of its node.
pub(crate) const NAME: &str = "limit";

/// Where the control server is, in the environment of that process.
const CONTROL_URL: &str = "KOLABOREE_BENCH_LIMIT";

/// The server, which ends with this.
pub(crate) struct Limit(Child);

impl Drop for Limit {
    fn drop(&mut self) {
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

impl Limit {
    pub(crate) fn start(sandbox: &Sandbox) -> Limit {
        let mut server = Command::new(std::env::current_exe().unwrap());
        let server =
            server.env(CONTROL_URL, sandbox.control_url().to_string()).env("KEY", sandbox.auth_key());
        Limit(server.stdin(Stdio::null()).spawn().unwrap())
    }
}

/// Is that server, where this process was started to be it.
pub(crate) async fn serve() -> bool {
    let (Ok(url), Ok(key)) = (std::env::var(CONTROL_URL), std::env::var("KEY")) else { return false };
    let tailnet = join(url.parse().unwrap(), &key, NAME).await;
    let app = Router::new().route("/", get(async || [b'x'; 200]));
    axum::serve(tailnet.listen(80).await.unwrap(), app).await.unwrap();
    true
}

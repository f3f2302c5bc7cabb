//! The benchmark's client that uses the libtailscale crate.

#[path = "../../load.rs"]
mod load;

use std::net::SocketAddr;
use std::sync::Arc;

use libtailscale::Tailscale;
use load::{Join, Network, input, serve, text};
use tokio::net::TcpStream;
use tokio::task::spawn_blocking;

#[tokio::main]
async fn main() -> Result<(), String> {
    let (join, lines) = input().await?;
    let wanted = join.clone();
    let network = spawn_blocking(move || up(&wanted)).await.map_err(text)?;
    let served = serve(join, lines, network.map(Arc::new).map(Crate)).await;
    // Closing it may hang for ever after many streams.
    std::process::exit(i32::from(served.is_err()));
}

fn up(join: &Join) -> Result<Tailscale, String> {
    let mut tailscale = Tailscale::new();
    let folder = std::env::var("BENCH_FOLDER").map_err(text)?;
    tailscale.set_dir(&folder)?;
    tailscale.set_hostname(&join.hostname)?;
    tailscale.set_control_url(&join.control_url)?;
    tailscale.set_authkey(&join.auth_key)?;
    tailscale.set_ephemeral(true)?;
    tailscale.set_logfd(-1)?;
    tailscale.up()?;
    Ok(tailscale)
}

#[derive(Clone)]
struct Crate(Arc<Tailscale>);

impl Network for Crate {
    type Stream = TcpStream;

    async fn dial(&self, to: SocketAddr) -> Result<TcpStream, String> {
        let tailscale = self.0.clone();
        // Its dial blocks.
        let stream = spawn_blocking(move || tailscale.dial("tcp", &to.to_string())).await.map_err(text)??;
        stream.set_nonblocking(true).map_err(text)?;
        TcpStream::from_std(stream).map_err(text)
    }
}

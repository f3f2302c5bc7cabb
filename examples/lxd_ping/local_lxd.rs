//! Finds the LXD or Incus of this machine by its Unix socket.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use lxd_client::{Client, Fingerprint, Server};

use crate::failure::Usage;

/// Where Debian's package, the snap and Incus have their socket.
const USUAL_FOLDERS: [&str; 3] = ["/var/lib/lxd", "/var/snap/lxd/common/lxd", "/var/lib/incus"];

/// A daemon on this machine.
pub(crate) struct LocalLxd {
    pub(crate) server: Server,
    /// Where it listens, when that is an address of loopback.
    pub(crate) addr: SocketAddr,
    pub(crate) fingerprint: Fingerprint,
}

impl LocalLxd {
    /// Asks the daemon of `LXD_DIR`, or of one of the usual folders. `None` when there is none that can be used;
    /// but an `LXD_DIR` that cannot be used is an error, since somebody has set it.
    pub(crate) async fn find() -> anyhow::Result<Option<LocalLxd>> {
        if let Some(folder) = std::env::var_os("LXD_DIR").filter(|v| !v.is_empty()) {
            let asked = LocalLxd::ask(Path::new(&folder)).await;
            return asked.map(Some).with_context(|| format!("LXD_DIR={}", folder.display()));
        }
        for folder in USUAL_FOLDERS.map(PathBuf::from) {
            if let Ok(found) = LocalLxd::ask(&folder).await {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    async fn ask(folder: &Path) -> anyhow::Result<LocalLxd> {
        let unusable = |message: String| Usage {
            message: format!("the LXD in {}: {message}", folder.display()),
            hint: "lxc config set core.https_address 127.0.0.1:8443, or unset LXD_DIR to use the stand-in",
        };
        let client = Client::unix(&folder.join("unix.socket"), Duration::from_secs(5))?;
        let server = client.server().await.map_err(|e| unusable(e.to_string()))?;
        let configured = server.config.get("core.https_address").and_then(|v| v.as_str()).unwrap_or_default();
        let addr = loopback_of(configured).map_err(&unusable)?;
        let fingerprint =
            server.fingerprint().ok_or_else(|| unusable("it tells no fingerprint".to_owned()))?;
        Ok(LocalLxd { addr, fingerprint, server })
    }
}

/// The loopback address at which a daemon with this `core.https_address` can be reached.
fn loopback_of(configured: &str) -> Result<SocketAddr, String> {
    if configured.is_empty() {
        return Err("core.https_address is not set".to_owned());
    }
    let unbracketed = configured.trim_matches(['[', ']']);
    let parsed = if let Ok(addr) = configured.parse() {
        addr
    } else if let Ok(ip) = unbracketed.parse() {
        SocketAddr::new(ip, 8443)
    } else if let Some(port) = configured.strip_prefix(':').and_then(|p| p.parse().ok()) {
        SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port)
    } else {
        return Err(format!("core.https_address is {configured:?}, which is not an address"));
    };
    match parsed.ip() {
        ip if ip.is_loopback() => Ok(parsed),
        IpAddr::V4(ip) if ip.is_unspecified() => Ok((Ipv4Addr::LOCALHOST, parsed.port()).into()),
        IpAddr::V6(ip) if ip.is_unspecified() => Ok((Ipv4Addr::LOCALHOST, parsed.port()).into()),
        _ => Err(format!("core.https_address is {configured}, which is not on loopback")),
    }
}

//! A second daemon, for what needs two.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use lxd_client::Client;
use serde_json::json;

/// A daemon in a folder of its own, with a storage pool and an address on loopback. It ends with this; one that
/// `.ci/with-incus` has started (LXD_SECOND is its folder) goes on.
pub(crate) struct Second {
    own: Option<Own>,
    pub(crate) client: Client,
    pub(crate) url: String,
}

struct Own {
    folder: tempfile::TempDir,
    daemon: Child,
}

impl Second {
    pub(crate) async fn start() -> Second {
        let incus = std::env::var_os("LXD_SERVER").is_some_and(|server| server == "incus");
        let (own, folder) = match std::env::var_os("LXD_SECOND").filter(|_| incus) {
            Some(folder) => (None, PathBuf::from(folder)),
            None => {
                let own = Own::start();
                let folder = own.folder.path().to_owned();
                (Some(own), folder)
            }
        };
        let client = Client::unix(&folder.join("unix.socket"), Duration::from_secs(30)).unwrap();
        // A port that is free now; the daemon takes it at once.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let config = json!({"core.https_address": address});
        client.patch_server_config(config.as_object().unwrap()).await.unwrap();
        if client.storage_pools().names().await.unwrap().is_empty() {
            let pool = json!({"name": "default", "driver": "dir"});
            client.post(["storage-pools"]).json(&pool).done().await.unwrap();
        }
        let root = json!({"devices": {"root": {"type": "disk", "path": "/", "pool": "default"}}});
        client.profile("default").patch(&root).await.unwrap();
        Second { own, client, url: format!("https://{address}") }
    }

    /// Kills the daemon, and starts it again.
    pub(crate) fn restart(&mut self) {
        let own = self.own.as_mut().expect("a daemon of its own");
        own.daemon.kill().unwrap();
        own.daemon.wait().unwrap();
        own.daemon = start_daemon(own.folder.path());
    }
}

impl Own {
    fn start() -> Own {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o711)).unwrap();
        let daemon = start_daemon(folder.path());
        Own { folder, daemon }
    }
}

fn start_daemon(folder: &Path) -> Child {
    let run = |args: &[&str]| {
        let mut command = Command::new("lxd");
        command.args(args).env("LXD_DIR", folder);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let daemon = run(&["--group", "root"]).spawn().unwrap();
    let ready = run(&["waitready", "--timeout=60"]).status().unwrap();
    assert!(ready.success(), "the second daemon does not start");
    daemon
}

impl Drop for Own {
    fn drop(&mut self) {
        let mut shutdown = Command::new("lxd");
        shutdown.args(["shutdown", "--timeout=20"]).env("LXD_DIR", self.folder.path());
        let _ = shutdown.stdout(Stdio::null()).stderr(Stdio::null()).status();
        let _ = self.daemon.wait();
        // What the daemon mounted would be in the way of the folder's end.
        let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
        let folder = self.folder.path().display().to_string();
        for path in
            mounts.lines().filter_map(|line| line.split(' ').nth(1)).filter(|p| p.starts_with(&folder))
        {
            let _ = Command::new("umount").args(["-l", path]).status();
        }
    }
}

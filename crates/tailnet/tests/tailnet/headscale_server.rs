//! A headscale of a test's own. The tests of whole programs have this file too.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// Nothing of it takes that long unless it hangs.
const HANG: Duration = Duration::from_secs(90);

async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(HANG, future).await.expect("it hangs")
}

/// A headscale on loopback, with one user.
pub(crate) struct Headscale {
    program: PathBuf,
    folder: TempDir,
    pub(crate) url: String,
    child: Child,
}

impl Headscale {
    pub(crate) async fn start() -> Headscale {
        let program = PathBuf::from(std::env::var_os("HEADSCALE").expect("HEADSCALE names the program"));
        let folder = tempfile::tempdir().unwrap();
        let [http, metrics, grpc, stun] = [(); 4].map(|()| tailnet_sandbox::free_port());
        write_configuration(folder.path(), http, metrics, grpc, stun);
        let url = format!("http://127.0.0.1:{http}");
        let child = command(&program, folder.path()).arg("serve").spawn().unwrap();
        let headscale = Headscale { program, folder, url, child };
        headscale.answers().await;
        headscale.json(&["users", "create", "somebody"]).await;
        headscale
    }

    /// Stops it and starts it again: a deleted node's request for news goes on until then.
    pub(crate) async fn restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = command(&self.program, self.folder.path()).arg("serve").spawn().unwrap();
        self.answers().await;
    }

    async fn answers(&self) {
        soon(async { while self.run(&["users", "list"]).await.is_err() {} }).await;
    }

    /// What the command prints, or says when it fails.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = tokio::process::Command::from(command(&self.program, self.folder.path()));
        let command =
            command.args(arguments).args(["-o", "json"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let output = soon(command.kill_on_drop(true).output()).await.unwrap();
        match output.status.success() {
            true => Ok(String::from_utf8(output.stdout).unwrap()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    pub(crate) async fn json(&self, arguments: &[&str]) -> Value {
        let text = self.run(arguments).await.unwrap();
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{arguments:?}: {e}: {text}"))
    }

    /// A key for nodes of its user.
    pub(crate) async fn key(&self, options: &[&str]) -> String {
        self.key_of("1", options).await
    }

    /// A key for nodes of a user, by number.
    pub(crate) async fn key_of(&self, user: &str, options: &[&str]) -> String {
        let made = self.json(&[&["preauthkeys", "create", "-u", user], options].concat()).await;
        made["key"].as_str().unwrap().to_owned()
    }

    /// The number that it has given to a node.
    pub(crate) async fn id_of(&self, name: &str) -> String {
        let nodes = self.json(&["nodes", "list"]).await;
        let node = nodes.as_array().unwrap().iter().find(|node| node["given_name"] == name);
        node.unwrap_or_else(|| panic!("no {name} in {nodes}"))["id"].to_string()
    }
}

impl Drop for Headscale {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg("-c").arg(folder.join("config.yaml"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// One that asks nobody outside this machine: a relay of its own, no update, no DNS server.
fn write_configuration(folder: &Path, http: u16, metrics: u16, grpc: u16, stun: u16) {
    let at = folder.display();
    let config = format!(
        "server_url: http://127.0.0.1:{http}\n\
         listen_addr: 127.0.0.1:{http}\n\
         metrics_listen_addr: 127.0.0.1:{metrics}\n\
         grpc_listen_addr: 127.0.0.1:{grpc}\n\
         unix_socket: {at}/socket\n\
         noise: {{private_key_path: {at}/noise.key}}\n\
         database: {{type: sqlite, sqlite: {{path: {at}/db.sqlite}}}}\n\
         prefixes: {{v4: 100.64.0.0/10, v6: 'fd7a:115c:a1e0::/48', allocation: sequential}}\n\
         derp:\n\
         \x20 server: {{enabled: true, region_id: 999, region_code: own, stun_listen_addr: '127.0.0.1:{stun}', private_key_path: {at}/relay.key, automatically_add_embedded_derp_region: false, ipv4: 127.0.0.1}}\n\
         \x20 urls: []\n\
         \x20 paths: [{at}/relays.yaml]\n\
         \x20 auto_update_enabled: false\n\
         disable_check_updates: true\n\
         dns: {{magic_dns: true, base_domain: tail.test, override_local_dns: false, nameservers: {{global: []}}}}\n\
         logtail: {{enabled: false}}\n"
    );
    let relays = format!(
        "regions: {{999: {{regionid: 999, regioncode: own, regionname: own, nodes: [{{name: own, regionid: 999, hostname: 127.0.0.1, ipv4: 127.0.0.1, ipv6: none, stunport: {stun}, derpport: {http}, insecurefortests: true}}]}}}}\n"
    );
    std::fs::write(folder.join("config.yaml"), config).unwrap();
    std::fs::write(folder.join("relays.yaml"), relays).unwrap();
}

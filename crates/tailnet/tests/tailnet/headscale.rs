//! Another control server than the sandbox's: headscale. `.ci/check-headscale` builds it and runs these.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tailnet::{AuthKey, BackendState, ConnectError, State, Tailnet, TailnetBuilder, UpError};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::{ECHO, HANG, soon, until};

/// A headscale on loopback, with one user.
struct Headscale {
    program: PathBuf,
    folder: TempDir,
    url: String,
    child: Child,
}

impl Headscale {
    async fn start() -> Headscale {
        let program = PathBuf::from(std::env::var_os("HEADSCALE").expect("HEADSCALE names the program"));
        let folder = tempfile::tempdir().unwrap();
        let [http, metrics, grpc, stun] = [(); 4].map(|()| tailnet_sandbox::free_port());
        write_configuration(folder.path(), http, metrics, grpc, stun);
        let url = format!("http://127.0.0.1:{http}");
        let child = command(&program, folder.path()).arg("serve").spawn().unwrap();
        let headscale = Headscale { program, folder, url, child };
        until(async || headscale.run(&["users", "list"]).await.is_ok()).await;
        headscale.json(&["users", "create", "somebody"]).await;
        headscale
    }

    /// Stops it and starts it again: a deleted node's request for news goes on until then.
    async fn restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = command(&self.program, self.folder.path()).arg("serve").spawn().unwrap();
        until(async || self.run(&["users", "list"]).await.is_ok()).await;
    }

    /// What the command prints, or says when it fails.
    async fn run(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = tokio::process::Command::from(command(&self.program, self.folder.path()));
        let command =
            command.args(arguments).args(["-o", "json"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let output = soon(command.kill_on_drop(true).output()).await.unwrap();
        match output.status.success() {
            true => Ok(String::from_utf8(output.stdout).unwrap()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    async fn json(&self, arguments: &[&str]) -> Value {
        let text = self.run(arguments).await.unwrap();
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{arguments:?}: {e}: {text}"))
    }

    async fn key(&self, options: &[&str]) -> AuthKey {
        let made = self.json(&[&["preauthkeys", "create", "-u", "1"], options].concat()).await;
        made["key"].as_str().unwrap().parse().unwrap()
    }

    /// The number that it has given to a node.
    async fn id_of(&self, name: &str) -> String {
        let nodes = self.json(&["nodes", "list"]).await;
        let node = nodes.as_array().unwrap().iter().find(|node| node["given_name"] == name);
        node.unwrap_or_else(|| panic!("no {name} in {nodes}"))["id"].to_string()
    }

    fn builder(&self, name: &str) -> TailnetBuilder {
        Tailnet::builder()
            .hostname(name)
            .control_url(self.url.parse().unwrap())
            .ephemeral(true)
            .port_mapping(false)
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

/// A node that sends back what it receives, for as long as it lives.
async fn serve_echo(node: &Tailnet) {
    let mut listener = soon(node.listen(ECHO)).await.unwrap();
    tokio::spawn(async move {
        while let Ok(stream) = listener.accept().await {
            let (mut reader, mut writer) = tokio::io::split(stream);
            tokio::spawn(async move { tokio::io::copy(&mut reader, &mut writer).await });
        }
    });
}

async fn echoes(node: &Tailnet, to: &str) {
    let mut stream = soon(node.connect((to, ECHO))).await.unwrap();
    stream.write_all(b"hello").await.unwrap();
    soon(stream.read_exact(&mut [0; 5])).await.unwrap();
}

#[tokio::test]
#[ignore = "needs headscale: .ci/check-headscale"]
async fn headscale_joins_nodes_which_reach_each_other_at_once_and_by_every_name() {
    let headscale = Headscale::start().await;
    let server = headscale.builder("server").auth_key(headscale.key(&[]).await).up();
    let server = soon(server).await.unwrap();
    serve_echo(&server).await;
    let client = headscale.builder("client").auth_key(headscale.key(&["--ephemeral"]).await);
    // Less than the five seconds that a handshake would take of which the server had not heard yet.
    let client = soon(client.connect_timeout(Duration::from_millis(4500)).up()).await.unwrap();
    let [v4, v6] = server.status().await.unwrap().ips[..] else { panic!("two addresses") };
    for to in [v4.to_string(), v6.to_string(), "server".into(), "server.tail.test".into()] {
        echoes(&client, &to).await;
    }
    let error = soon(client.connect(("nobody", ECHO))).await.unwrap_err();
    assert!(matches!(error, ConnectError::NoSuchHost { .. }), "{error:?}");
    let error = soon(client.connect((v4, 1))).await.unwrap_err();
    assert!(matches!(error, ConnectError::Refused { .. }), "{error:?}");
    assert_eq!(soon(client.whois((v4, 1).into())).await.unwrap().node.name, "server.tail.test.");

    soon(client.logout()).await.unwrap();
    until(async || server.status().await.unwrap().peer_named("client").is_none()).await;
    for node in [client, server] {
        soon(node.close()).await.unwrap();
    }
}

#[tokio::test]
#[ignore = "needs headscale: .ci/check-headscale"]
async fn headscale_refuses_bad_keys_and_a_joined_node_goes_on_without_them() {
    let headscale = Headscale::start().await;
    let once = headscale.key(&[]).await;
    let node = soon(headscale.builder("node").auth_key(once.clone()).up()).await.unwrap();
    for bad in [once, "hskey-auth-nobody".parse().unwrap()] {
        let error = soon(headscale.builder("other").auth_key(bad.clone()).up()).await.unwrap_err();
        assert!(matches!(error, UpError::AuthRejected { .. }), "{error:?}");
        let error = soon(node.login(&bad)).await.unwrap_err();
        assert!(matches!(error, UpError::AuthRejected { .. }), "{error:?}");
    }
    // It hears of those that come.
    let other = soon(headscale.builder("other").auth_key(headscale.key(&[]).await).up()).await.unwrap();
    serve_echo(&other).await;
    until(async || node.status().await.unwrap().peer_named("other").is_some()).await;
    echoes(&node, "other").await;
    let ips = node.status().await.unwrap().ips;
    let again = soon(node.login(&headscale.key(&[]).await)).await.unwrap();
    assert_eq!(again.ips, ips);
    for node in [node, other] {
        soon(node.close()).await.unwrap();
    }
}

#[tokio::test]
#[ignore = "needs headscale: .ci/check-headscale"]
async fn headscale_expires_a_key_and_the_node_comes_back_with_its_auth_key_each_time() {
    let headscale = Headscale::start().await;
    let node = headscale.builder("node").auth_key(headscale.key(&["--reusable"]).await).up();
    let node = soon(node).await.unwrap();
    let (ips, id) = (node.status().await.unwrap().ips, headscale.id_of("node").await);
    for _ in 0..3 {
        let mut watch = node.watch();
        headscale.run(&["nodes", "expire", "-i", &id]).await.unwrap();
        let (mut left, mut back) = (false, false);
        tokio::time::timeout(HANG, async {
            while !(left && back) {
                let now = watch.changed().await.unwrap().backend;
                left |= now == BackendState::NeedsLogin;
                back = left && now == BackendState::Running;
            }
        })
        .await
        .expect("it comes back");
        assert_eq!(soon(node.up()).await.unwrap().ips, ips);
    }
    soon(node.close()).await.unwrap();
}

#[tokio::test]
#[ignore = "needs headscale: .ci/check-headscale"]
async fn headscale_lets_a_person_log_in() {
    let headscale = Headscale::start().await;
    let node = soon(headscale.builder("node").start()).await.unwrap();
    let Err(UpError::NeedsLogin { url }) = soon(node.up()).await else { panic!("no login is asked for") };
    let (_, code) = url.rsplit_once('/').unwrap();
    headscale.run(&["nodes", "register", "-u", "somebody", "-k", code]).await.unwrap();
    until(async || node.up().await.is_ok()).await;
    assert_eq!(headscale.id_of("node").await, "1");
    soon(node.close()).await.unwrap();
}

/// Waits until the node is in a state that is right.
async fn follow(node: &Tailnet, right: impl Fn(&State) -> bool) -> State {
    let mut watch = node.watch();
    soon(async {
        loop {
            let state = watch.changed().await.unwrap();
            if right(&state) {
                return state;
            }
        }
    })
    .await
}

#[tokio::test]
#[ignore = "needs headscale: .ci/check-headscale"]
async fn headscale_deletes_a_node_which_says_so_and_comes_back_with_its_key() {
    let mut headscale = Headscale::start().await;
    let key = headscale.key(&["--reusable"]).await;
    let node = soon(headscale.builder("node").auth_key(key).up()).await.unwrap();
    let id = headscale.id_of("node").await;
    headscale.run(&["nodes", "delete", "-i", &id, "--force"]).await.unwrap();
    headscale.restart().await;
    follow(&node, |state| state.forgotten && state.backend == BackendState::NeedsLogin).await;
    follow(&node, |state| !state.forgotten && state.backend == BackendState::Running).await;
    assert_ne!(headscale.id_of("node").await, id);
    soon(node.close()).await.unwrap();
}

#[tokio::test]
#[ignore = "needs headscale: .ci/check-headscale"]
async fn headscale_deletes_a_node_without_a_key_which_needs_a_login_and_dials_nobody() {
    let mut headscale = Headscale::start().await;
    let node = soon(headscale.builder("node").auth_key(headscale.key(&[]).await).up()).await.unwrap();
    let id = headscale.id_of("node").await;
    headscale.run(&["nodes", "delete", "-i", &id, "--force"]).await.unwrap();
    headscale.restart().await;
    follow(&node, |state| state.forgotten && state.error.is_some()).await;
    assert_eq!(soon(node.status()).await.unwrap().backend_state, BackendState::NeedsLogin);
    let error = soon(node.connect(("node", ECHO))).await.unwrap_err();
    assert!(matches!(error, ConnectError::NotRunning { .. }), "{error:?}");
    soon(node.login(&headscale.key(&[]).await)).await.unwrap();
    follow(&node, |state| !state.forgotten && state.backend == BackendState::Running).await;
    soon(node.close()).await.unwrap();
}

#[tokio::test]
#[ignore = "needs headscale: .ci/check-headscale"]
async fn headscale_forgets_an_ephemeral_node_as_soon_as_it_is_closed_and_lets_it_in_again() {
    let headscale = Headscale::start().await;
    let folder = tempfile::tempdir().unwrap();
    let key = headscale.key(&["--reusable", "--ephemeral"]).await;
    for _ in 0..2 {
        let node = headscale.builder("node").auth_key(key.clone()).state_dir(folder.path()).up();
        let node = soon(node).await.unwrap();
        headscale.id_of("node").await;
        soon(node.close()).await.unwrap();
        assert_eq!(headscale.json(&["nodes", "list"]).await, Value::Null);
    }
}

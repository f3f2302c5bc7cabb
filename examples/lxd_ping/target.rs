//! Which tailnet is joined, and which server is pinged in it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use kolaboree_node::Key;
use lxd_client::{Fingerprint, Server};
use tailnet::{Address, Tailnet, TailnetBuilder};
use tailnet_sandbox::{Peer, Sandbox, StandIn};

use crate::args::Args;
use crate::failure::Usage;
use crate::local_lxd::LocalLxd;
use crate::output::Output;

/// The name and port of the sandbox's peer.
const PEER: &str = "lxd";
const PORT: u16 = 8443;

/// What to join and to ping.
pub(crate) struct Target {
    /// The node that joins.
    pub(crate) node: TailnetBuilder,
    /// The control server in output: `sandbox`, or its URL.
    pub(crate) control: String,
    pub(crate) server: Address,
    /// Where the client certificate is kept.
    pub(crate) state_dir: Option<PathBuf>,
    /// What is known of servers on this machine, which show little of themselves to strangers.
    pub(crate) known: Vec<Known>,
    running: Option<(Sandbox, StandIn)>,
}

/// A server of this machine.
pub(crate) struct Known {
    pub(crate) fingerprint: Fingerprint,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) standin: bool,
}

impl Target {
    /// The user's own tailnet.
    pub(crate) fn in_own_tailnet(args: &Args, key: Option<Key>) -> anyhow::Result<Target> {
        let server = args.lxd.clone().ok_or_else(|| Usage {
            message: "--lxd is missing: which server of your tailnet?".to_owned(),
            hint: "pass --lxd HOST[:PORT], or remove the auth key to use the sandbox",
        })?;
        let state_dir = args.state_dir().ok_or_else(|| Usage {
            message: "there is no home folder to keep the node's identity in".to_owned(),
            hint: "pass --state-dir FOLDER",
        })?;
        let mut node = Tailnet::builder().hostname(&args.hostname).state_dir(&state_dir);
        node = match key {
            Some(Key::Auth(key)) => node.auth_key(key),
            Some(Key::ClientSecret(secret)) => node.client_secret(secret),
            Some(Key::Workload { client_id, id_token }) => node.workload_identity(client_id, id_token),
            _ => node,
        };
        let control = match &args.control_url {
            Some(url) => {
                node = node.control_url(url.clone());
                url.to_string()
            }
            None => "https://controlplane.tailscale.com".to_owned(),
        };
        Ok(Target { node, control, server, state_dir: Some(state_dir), known: Vec::new(), running: None })
    }

    /// A new sandbox, with this machine's LXD or a stand-in behind its peer.
    pub(crate) async fn in_sandbox(args: &Args, output: &Output) -> anyhow::Result<Target> {
        let standin = StandIn::start().await?;
        let mut known = vec![Known {
            fingerprint: standin.fingerprint().parse()?,
            name: "lxd".to_owned(),
            version: "stand-in".to_owned(),
            standin: true,
        }];
        let given = args.lxd.as_ref().map(|server| (server, loopback(server)));
        // Somebody who names another server need not have a usable LXD here.
        let local = match given {
            None => LocalLxd::find().await?,
            Some(_) => LocalLxd::find().await.ok().flatten(),
        };
        let behind_peer = match (&given, &local) {
            (Some((_, Some(addr))), _) => *addr,
            (None, Some(lxd)) => lxd.addr,
            (Some((_, None)) | None, _) => standin.addr(),
        };
        if behind_peer == standin.addr() {
            output.progress(
                "no auth key and no LXD here: a STAND-IN for LXD answers, whose instances do not exist",
            );
        } else {
            output.progress(&format!(
                "no auth key: a sandbox tailnet, whose peer {PEER:?} leads to the LXD at {behind_peer}"
            ));
        }
        if let Some(lxd) = local {
            known.push(Known::local(&lxd.server, lxd.fingerprint));
        }
        output.progress("starting the sandbox tailnet on loopback");
        let sandbox = Sandbox::start([Peer::new(PEER).forward(PORT, behind_peer)]).await?;
        let server = match given {
            Some((server, None)) => server.clone(),
            _ => Address::new(&sandbox.peer(PEER).ipv4.to_string(), PORT)?,
        };
        let node = Tailnet::builder()
            .hostname(&args.hostname)
            .control_url(sandbox.control_url())
            .auth_key(sandbox.auth_key().parse()?)
            .ephemeral(true)
            .port_mapping(false);
        Ok(Target {
            node,
            control: "sandbox".to_owned(),
            server,
            state_dir: args.state_dir(),
            known,
            running: Some((sandbox, standin)),
        })
    }

    /// What is known of the server with that certificate.
    pub(crate) fn known(&self, fingerprint: &Fingerprint) -> Option<&Known> {
        self.known.iter().find(|known| known.fingerprint == *fingerprint)
    }

    /// Ends what this has started.
    pub(crate) async fn stop(self) {
        if let Some((sandbox, _standin)) = self.running {
            let _ = sandbox.stop().await;
        }
    }
}

impl Known {
    fn local(server: &Server, fingerprint: Fingerprint) -> Known {
        let (name, version) = match &server.environment {
            Some(e) => (e.server.clone(), e.server_version.clone()),
            None => Default::default(),
        };
        Known { fingerprint, name, version, standin: false }
    }
}

fn loopback(server: &Address) -> Option<SocketAddr> {
    let ip = match server.ip() {
        Some(ip) => ip,
        None if server.host() == "localhost" => IpAddr::from(Ipv4Addr::LOCALHOST),
        None => return None,
    };
    ip.is_loopback().then(|| SocketAddr::new(ip, server.port()))
}

//! The tailnet, its clouds, the nodes that are measured, and the callers.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use lxd_client::Identity;
use tailnet::Tailnet;
use tailnet_sandbox::{Fleet, Peer, Sandbox};

use crate::callers::{Way, join_many};
use crate::forwarder::Forwarder;
use crate::node::{Cloud, Node};
use crate::servers::Server;

/// How many stand-ins there are, and how many instances each has.
pub(crate) const CLOUDS: usize = 5;
pub(crate) const INSTANCES: usize = 1_000;

/// The added round trip to a far cloud.
pub(crate) const FAR: Duration = Duration::from_millis(100);

/// The peer behind which all clouds are.
const PEER: &str = "clouds";

/// Where the stand-ins are at that peer: straight, over a long way, and by a line that can be cut. And a real server.
const NEAR_PORT: u16 = 8443;
const FAR_PORT: u16 = 9443;
const CUT_PORT: u16 = 7443;
const REAL_PORT: u16 = 6443;

pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    home: tempfile::TempDir,
    program: PathBuf,
    pub(crate) fleets: Vec<Fleet>,
    /// The line to the last cloud at [`CUT_PORT`].
    pub(crate) line: Forwarder,
    /// The real server of `.ci/with-lxd`, where there is one.
    pub(crate) real: Option<Server>,
    pub(crate) callers: Vec<Tailnet>,
}

impl World {
    pub(crate) async fn start(program: PathBuf, callers: usize) -> World {
        let home = tempfile::tempdir().unwrap();
        let conf = home.path().join("conf");
        drop(Identity::load_or_generate(&conf, "bench").unwrap());
        let real = match std::env::var_os("LXD_DIR") {
            Some(folder) => {
                let certificate = std::fs::read_to_string(conf.join("client.crt")).unwrap();
                Some(Server::new(folder.into(), &certificate).await)
            }
            None => None,
        };
        let (mut fleets, mut peer, mut line) = (Vec::new(), Peer::new(PEER), None);
        for cloud in 0..CLOUDS {
            let fleet = Fleet::start(cloud, INSTANCES).await.unwrap();
            let far = Forwarder::to(fleet.server().addr(), FAR / 2).await;
            let cut = Forwarder::to(fleet.server().addr(), Duration::ZERO).await;
            peer = peer.forward(at(NEAR_PORT, cloud), fleet.server().addr());
            peer = peer.forward(at(FAR_PORT, cloud), far.addr).forward(at(CUT_PORT, cloud), cut.addr);
            fleets.push(fleet);
            line = Some(cut);
        }
        if let Some(real) = &real {
            peer = peer.forward(REAL_PORT, real.address);
        }
        let sandbox = Sandbox::start([peer]).await.unwrap();
        let callers = join_many(&sandbox, callers).await;
        World { sandbox, home, program, fleets, line: line.unwrap(), real, callers }
    }

    fn clouds(&self, first: u16, count: usize) -> Vec<Cloud> {
        let cloud = |(number, fleet): (usize, &Fleet)| Cloud {
            name: format!("cloud{number}"),
            address: format!("{PEER}:{}", at(first, number)),
            pin: fleet.server().fingerprint().to_owned(),
        };
        self.fleets.iter().enumerate().take(count).map(cloud).collect()
    }

    /// A node with the first of the stand-ins.
    pub(crate) fn near(&self, name: &str, count: usize) -> Node {
        self.start_node(name, &self.clouds(NEAR_PORT, count))
    }

    /// A node far away from all stand-ins.
    pub(crate) fn far(&self, name: &str) -> Node {
        self.start_node(name, &self.clouds(FAR_PORT, CLOUDS))
    }

    /// A node whose line to the last of the stand-ins can be cut.
    pub(crate) fn cut(&self, name: &str) -> Node {
        self.start_node(name, &self.clouds(CUT_PORT, CLOUDS))
    }

    /// A node with the real server, under so many names.
    pub(crate) fn real(&self, name: &str, names: usize) -> Node {
        let pin = self.real.as_ref().expect("there is no LXD").pin.to_string();
        let cloud = |number| Cloud {
            name: format!("real{number}"),
            address: format!("{PEER}:{REAL_PORT}"),
            pin: pin.clone(),
        };
        self.start_node(name, &(0..names).map(cloud).collect::<Vec<_>>())
    }

    fn start_node(&self, name: &str, clouds: &[Cloud]) -> Node {
        Node::start(&self.program, self.home.path(), name, &self.sandbox, clouds)
    }

    /// The first caller's way to a node.
    pub(crate) fn way(&self, to: &str) -> Way {
        Way::Tailnet(self.callers[0].clone(), to.to_owned())
    }

    /// A file of the benchmark's own.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }
}

fn at(first: u16, cloud: usize) -> u16 {
    first + u16::try_from(cloud).unwrap()
}

/// The address of a node's API for development as a way.
pub(crate) fn loopback(address: SocketAddr) -> Way {
    Way::Loopback(address)
}

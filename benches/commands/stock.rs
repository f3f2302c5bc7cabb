//! The instances that the figures need.

use lxd_client::{Client, FileOptions, NewInstance};

use crate::figure::{SERVERS, STARTED, started};
use crate::servers::Server;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stock {
    /// `bench-small`, which has nothing more than its image.
    Small,
    /// A project `many` with so many instances, which have nothing in them.
    Many(usize),
    /// `bench-big`, with so many MB.
    Big(usize),
    /// Some on each server, to be started.
    Started,
}

impl Stock {
    pub(crate) async fn create(self, servers: &[Server]) {
        eprintln!("creating: {self:?}");
        let local = servers[0].local();
        match self {
            Stock::Small => from_image(&local, "bench-small").await,
            Stock::Many(many) => servers[0].create_many("many", many).await,
            Stock::Big(megabytes) => create_big(&local, megabytes).await,
            Stock::Started => {
                for (number, server) in starting(servers).enumerate() {
                    for instance in 0..STARTED {
                        from_image(&server.local(), &started(number, instance)).await;
                    }
                }
            }
        }
    }
}

/// The servers that start instances: all but the second one, which has no image.
pub(crate) fn starting(servers: &[Server]) -> impl Iterator<Item = &Server> {
    servers.iter().enumerate().filter(|(number, _)| *number != 1).map(|(_, server)| server).take(SERVERS)
}

async fn from_image(local: &Client, name: &str) {
    let new = NewInstance::from_alias(name, "busybox");
    local.create_instance(&new).await.unwrap().wait().await.unwrap();
}

async fn create_big(local: &Client, megabytes: usize) {
    from_image(local, "bench-big").await;
    let files = local.instance("bench-big").files();
    for number in 0..megabytes.div_ceil(100) {
        let bytes: Vec<u8> = (0..100_000_000_u64)
            .map(|n| (n.wrapping_mul(0x9E37_79B9_7F4A_7C15 ^ number as u64) >> 40) as u8)
            .collect();
        let file = std::io::Cursor::new(bytes);
        files.write(&format!("/root/file{number}"), file, &FileOptions::default()).await.unwrap();
    }
}

//! What things cost over a long way. These are ceilings, so that costs cannot creep up.

use std::time::Duration;

use futures_util::future::join_all;
use lxd_client::{Client, Entry, FileOptions, NewInstance};

use crate::common::{address, fresh, through};
use crate::forwarder::Forwarder;

/// A client whose pool is warm, over a way of 200 ms.
async fn far() -> (Forwarder, Client) {
    let (addr, trust) = address().await;
    let forwarder = Forwarder::to(addr, Duration::from_millis(100)).await;
    let client = through(forwarder.addr, trust).await;
    client.server().await.unwrap();
    (forwarder, client)
}

async fn cost<T>(forwarder: &Forwarder, work: impl Future<Output = T>) -> (T, u64, u64) {
    let (trips, connections) = (forwarder.round_trips(), forwarder.connections());
    let done = work.await;
    (done, forwarder.round_trips() - trips, forwarder.connections() - connections)
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_list_is_one_round_trip_and_a_command_no_more_than_five() {
    let (forwarder, client) = far().await;
    let (list, trips, connections) = cost(&forwarder, async { client.instances().await }).await;
    assert!(!list.unwrap().is_empty());
    assert_eq!((trips, connections), (1, 0), "list");

    let c1 = client.instance("c1");
    let (status, trips, connections) = cost(&forwarder, c1.exec(["true"]).status()).await;
    assert!(status.unwrap().success());
    println!("exec of true: {trips} round trips, {connections} connections");
    assert!(trips <= 5 && connections <= 4, "exec: {trips} round trips, {connections} connections");

    let (recorded, trips, connections) = cost(&forwarder, c1.exec(["true"]).record()).await;
    assert!(recorded.unwrap().status.success());
    println!("recorded true: {trips} round trips, {connections} connections");
    assert!(trips <= 4 && connections == 0, "record: {trips} round trips, {connections} connections");
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn commands_at_once_share_their_round_trips() {
    let (forwarder, client) = far().await;
    let c1 = client.instance("c1");
    let commands = join_all((0..32).map(|_| c1.exec(["true"]).status()));
    let (ended, trips, connections) = cost(&forwarder, commands).await;
    assert!(ended.into_iter().all(|status| status.unwrap().success()));
    println!("32 times true: {trips} round trips, {connections} connections");
    // Four to seven, and a few more where the server takes longer than the way; what is begun again connects anew.
    assert!(trips <= 12 && connections <= 4 * 32, "{trips} round trips, {connections} connections");
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn launch_and_delete_are_four_round_trips_each() {
    let (forwarder, client) = far().await;
    let new = NewInstance::from_alias(&fresh("far"), "busybox");
    let (launched, trips, connections) = cost(&forwarder, client.launch(&new)).await;
    let launched = launched.unwrap();
    println!("launch: {trips} round trips, {connections} connections");
    assert!(trips <= 4 && connections == 0, "launch: {trips} round trips, {connections} connections");
    let (deleted, trips, connections) = cost(&forwarder, launched.delete_forced()).await;
    deleted.unwrap();
    println!("delete: {trips} round trips, {connections} connections");
    assert!(trips <= 4 && connections == 0, "delete: {trips} round trips, {connections} connections");
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_small_file_is_one_round_trip_and_no_connection() {
    let (forwarder, client) = far().await;
    let (files, options) = (client.instance("c1").files(), FileOptions::default());
    let path = format!("/root/{}", fresh("small"));
    for length in [0, 5, 300_000, 1 << 20] {
        let bytes = vec![7_u8; length];
        let write = files.write(&path, std::io::Cursor::new(bytes.clone()), &options);
        let (written, trips, connections) = cost(&forwarder, write).await;
        written.unwrap();
        assert_eq!((trips, connections), (1, 0), "{length} bytes");
        let Entry::File(_, download) = files.read(&path).await.unwrap() else { panic!("no file") };
        assert!(download.bytes(2 << 20).await.unwrap() == bytes, "{length} bytes");
    }
    files.delete(&path).await.unwrap();
}

use lxd_client::{AclRule, Error, Network, NetworkAcl, NetworkForward, NetworkZone, ZoneRecord};
use serde_json::json;

use crate::common::{fresh, remote};

/// A bridge with the addresses 198.18.SUBNET.0/24, which nobody else may have.
async fn bridge(client: &lxd_client::Client, subnet: u8) -> String {
    let name = fresh("br");
    let mut network = Network::new(&name);
    network.config.insert("ipv4.address".to_owned(), format!("198.18.{subnet}.1/24"));
    network.config.insert("ipv6.address".to_owned(), "none".to_owned());
    client.create_network(&network).await.unwrap();
    name
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_network_is_created_read_changed_renamed_and_deleted() {
    let client = remote().await;
    let name = bridge(&client, 91).await;
    assert!(client.create_network(&Network::new(&name)).await.unwrap_err().is_conflict());
    let listed = client.networks().await.unwrap();
    let this = listed.iter().find(|n| n.name == name).unwrap();
    assert!(this.managed && this.kind == "bridge" && this.status == "Created", "{this:?}");
    assert!(listed.iter().any(|n| n.name == "lo" && !n.managed), "{listed:?}");

    let handle = client.network(&name);
    let mut read = handle.get().await.unwrap();
    let stale = read.clone();
    read.description = "changed".to_owned();
    read.config.insert("user.mark".to_owned(), "1".to_owned());
    handle.update(&read).await.unwrap();
    assert_eq!(handle.get().await.unwrap().description, "changed");
    assert!(handle.update(&stale).await.unwrap_err().is_changed_meanwhile());
    handle.patch(&json!({"config": {"ipv4.nat": "false"}})).await.unwrap();
    let patched = handle.get().await.unwrap();
    assert_eq!(patched.config["ipv4.nat"], "false");

    let state = handle.state().await.unwrap();
    assert!(state.mtu > 0 && state.counters.contains_key("bytes_sent"), "{state:?}");
    assert!(state.addresses.iter().any(|a| a.address == "198.18.91.1" && a.netmask == "24"), "{state:?}");
    let leases = handle.leases().await.unwrap();
    assert!(leases.iter().all(|lease| !lease.address.is_empty()), "{leases:?}");

    let other = fresh("br");
    handle.rename(&other).await.unwrap();
    assert!(handle.get().await.unwrap_err().is_not_found());
    client.network(&other).delete().await.unwrap();
    assert!(client.network(&other).delete().await.unwrap_err().is_not_found());
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_forward_of_a_network_is_created_read_changed_and_deleted() {
    let client = remote().await;
    let name = bridge(&client, 94).await;
    let network = client.network(&name);
    let forward = NetworkForward::new("198.18.92.1").port("tcp", "80,8000-8010", "198.18.94.5");
    network.create_forward(&forward).await.unwrap();
    assert!(network.create_forward(&forward).await.unwrap_err().is_conflict());
    let listed = network.forwards().await.unwrap();
    assert_eq!((listed.len(), &*listed[0].ports[0].target_address), (1, "198.18.94.5"));
    let handle = network.forward("198.18.92.1");
    let mut read = handle.get().await.unwrap();
    read.ports[0].listen_port = "443".to_owned();
    handle.update(&read).await.unwrap();
    assert_eq!(handle.get().await.unwrap().ports[0].listen_port, "443");
    handle.patch(&json!({"description": "changed"})).await.unwrap();
    assert_eq!(handle.get().await.unwrap().description, "changed");
    handle.delete().await.unwrap();
    assert!(handle.get().await.unwrap_err().is_not_found());
    network.delete().await.unwrap();
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn an_acl_is_created_read_changed_renamed_and_deleted() {
    let client = remote().await;
    let name = fresh("acl");
    let mut acl = NetworkAcl::new(&name);
    let mut rule = AclRule::new("allow");
    (rule.protocol, rule.destination_port) = ("tcp".to_owned(), "443".to_owned());
    acl.ingress.push(rule.clone());
    client.create_network_acl(&acl).await.unwrap();
    assert!(client.create_network_acl(&acl).await.unwrap_err().is_conflict());
    assert!(client.network_acls().names().await.unwrap().contains(&name));
    let handle = client.network_acl(&name);
    let mut read = handle.get().await.unwrap();
    assert_eq!(read.ingress, [rule]);
    read.egress.push(AclRule::new("drop"));
    handle.update(&read).await.unwrap();
    assert_eq!(handle.get().await.unwrap().egress[0].action, "drop");
    handle.patch(&json!({"description": "changed"})).await.unwrap();
    assert_eq!(handle.get().await.unwrap().description, "changed");
    // Only OVN keeps one, and never was anything logged.
    assert!(matches!(handle.log().await.unwrap_err(), Error::Api { .. }));
    let other = fresh("acl");
    handle.rename(&other).await.unwrap();
    client.network_acl(&other).delete().await.unwrap();
    assert!(client.network_acl(&other).get().await.unwrap_err().is_not_found());
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_zone_and_its_records_are_created_read_changed_and_deleted() {
    let client = remote().await;
    let name = format!("{}.example.net", fresh("zone"));
    client.create_network_zone(&NetworkZone::new(&name)).await.unwrap();
    assert!(client.network_zones().names().await.unwrap().contains(&name));
    let zone = client.network_zone(&name);
    let mut read = zone.get().await.unwrap();
    read.description = "changed".to_owned();
    zone.update(&read).await.unwrap();
    assert_eq!(zone.get().await.unwrap().description, "changed");
    zone.patch(&json!({"config": {"user.mark": "1"}})).await.unwrap();
    assert_eq!(zone.get().await.unwrap().config["user.mark"], "1");

    zone.create_record(&ZoneRecord::new("www").entry("A", "198.18.91.7")).await.unwrap();
    let records = zone.records().await.unwrap();
    assert_eq!((&*records[0].name, &*records[0].entries[0].value), ("www", "198.18.91.7"));
    let record = zone.record("www");
    let mut read = record.get().await.unwrap();
    read.entries[0].ttl = 60;
    record.update(&read).await.unwrap();
    assert_eq!(record.get().await.unwrap().entries[0].ttl, 60);
    // Without a configuration LXD 5.0 breaks off.
    record.patch(&json!({"description": "web", "config": {}})).await.unwrap();
    assert_eq!(record.get().await.unwrap().description, "web");
    record.delete().await.unwrap();
    assert!(record.get().await.unwrap_err().is_not_found());
    zone.delete().await.unwrap();
    assert!(zone.get().await.unwrap_err().is_not_found());
}

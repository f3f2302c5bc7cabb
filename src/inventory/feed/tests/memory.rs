//! How much memory the inventory takes.

use serde_json::json;

use super::scripted::read;
use crate::inventory::feed::listed::ListedInstance;
use crate::inventory::model::Newer;
use crate::inventory::row::InstanceUsage;
use crate::inventory::store::Store;

/// The resident memory of this process in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default()
}

fn listed(cloud: usize, n: usize) -> ListedInstance {
    let image = json!({
        "image.architecture": "amd64", "image.description": "Debian bookworm amd64 (20260101_05:24)",
        "image.os": "Debian", "image.release": "bookworm", "image.serial": "20260101_05:24",
        "image.type": "squashfs", "image.variant": "default", "limits.cpu": "2", "limits.memory": "2GiB",
        "volatile.base_image": "d52ac81e04aebb86d4839df211d43e1ac3f2badbea05dfaf43ab63bf271cebd7",
        "volatile.uuid": format!("3f4b26c0-ece8-47f6-8f4e-{cloud:04}{n:08}"),
        "volatile.idmap.current": "[{\"Isuid\":true,\"Isgid\":false,\"Hostid\":100000,\"Nsid\":0,\"Maprange\":10000001}]",
    });
    read(json!({
        "name": format!("instance-{n:04}"), "project": "default", "type": "container", "status": "Running",
        "architecture": "x86_64", "location": "none", "profiles": ["default"], "config": image,
        "expanded_config": image, "created_at": format!("2026-11-29T03:27:24.{n:09}Z"),
        "last_used_at": "2026-11-29T03:27:24.80538691Z",
        "expanded_devices": {"root": {"path": "/", "pool": "default", "type": "disk"}},
    }))
}

#[test]
fn five_clouds_of_a_thousand_instances_take_little_memory() {
    let store = Store::new();
    let before = resident();
    for cloud in 0..5 {
        let name = format!("cloud-{cloud}");
        store.change(|model| model.add_cloud(&name));
        let rows = (0..1_000).map(|n| listed(cloud, n).row(&name, "default", 1)).collect();
        store.change(|model| model.list_instances(&name, None, rows, &Newer::default()));
    }
    let rows = resident();
    // An hour of usage of all.
    for minute in 0..60 {
        let at = 1_000_000 + minute * 60;
        store.change(|model| {
            for cloud in 0..5 {
                let keys: Vec<_> =
                    model.instances(&format!("cloud-{cloud}")).map(|row| row.key.clone()).collect();
                for key in keys {
                    model.put_usage(
                        &key,
                        InstanceUsage { at, memory: 1 << 30, ..InstanceUsage::default() },
                        false,
                    );
                }
            }
        });
    }
    let usage = resident();
    let (rows, usage) = (rows.saturating_sub(before), usage.saturating_sub(rows));
    println!("5 x 1,000 instances: {rows} KiB, an hour of their usage: {usage} KiB");
    assert!(rows + usage < 100 << 10, "{rows} and {usage} KiB");
}

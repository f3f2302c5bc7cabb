//! A stand-in for an LXD that has many instances, for what has to be measured or seen with many.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::{Asked, StandIn};

/// A stand-in for an LXD with many instances, which all run or are frozen. It trusts everybody.
#[derive(Debug)]
pub struct Fleet {
    server: StandIn,
    frozen: Arc<Vec<AtomicBool>>,
}

impl Fleet {
    /// Starts it on a free port of 127.0.0.1, with so many instances. The number of the cloud tells its instances' own numbers
    /// from those of other fleets.
    ///
    /// # Errors
    /// When no port or no certificate can be had.
    pub async fn start(cloud: usize, instances: usize) -> io::Result<Fleet> {
        let frozen: Arc<Vec<AtomicBool>> = Arc::new((0..instances).map(|_| AtomicBool::new(false)).collect());
        let instances: Vec<Value> = (0..instances).map(|number| instance(cloud, number)).collect();
        let states = Arc::clone(&frozen);
        let script = move |asked: &Asked| answer(asked, &instances, &states);
        Ok(Fleet { server: StandIn::scripted(script).await?, frozen })
    }

    /// The server itself.
    #[must_use]
    pub fn server(&self) -> &StandIn {
        &self.server
    }

    /// Whether the instance of that number is frozen.
    ///
    /// # Panics
    /// When there is none of that number.
    #[must_use]
    pub fn is_frozen(&self, number: usize) -> bool {
        self.frozen[number].load(Ordering::SeqCst)
    }

    /// The name of the instance of that number.
    #[must_use]
    pub fn name(number: usize) -> String {
        format!("instance-{number:04}")
    }

    /// Freezes an instance, or lets it run again, and tells that as an event.
    ///
    /// # Panics
    /// When there is none of that number.
    pub fn change(&self, number: usize) {
        let was_frozen = self.frozen[number].fetch_xor(true, Ordering::SeqCst);
        let action = if was_frozen { "resumed" } else { "paused" };
        self.server.send_event(&json!({
            "type": "lifecycle", "timestamp": "2026-11-29T03:27:24.80538691Z", "project": "default", "location": "none",
            "metadata": {
                "action": format!("instance-{action}"), "source": format!("/1.0/instances/{}", Fleet::name(number)), "context": {},
            },
        }));
    }
}

fn answer(asked: &Asked, instances: &[Value], frozen: &[AtomicBool]) -> (u16, Value) {
    let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
    let shown = |(instance, frozen): (&Value, &AtomicBool), full: bool| {
        let mut shown = instance.clone();
        if frozen.load(Ordering::SeqCst) {
            shown["status"] = "Frozen".into();
        }
        if full {
            shown["snapshots"] = Value::Null;
            shown["state"] = state();
        }
        shown
    };
    let metadata = match path {
        "/1.0" => json!({
            "auth": "trusted", "api_version": "1.0", "config": {},
            "api_extensions": ["instance_all_projects", "images_all_projects", "operations_get_query_all_projects"],
            "environment": {"server": "lxd", "server_version": "5.0.2", "server_name": "stand-in"},
        }),
        "/1.0/projects" => json!([{"name": "default", "config": {"features.images": "true"}}]),
        "/1.0/instances" => {
            let full = query.contains("recursion=2");
            instances.iter().zip(frozen).map(|one| shown(one, full)).collect()
        }
        "/1.0/operations" => json!({}),
        "/1.0/images" => json!([]),
        _ => {
            let number =
                path.strip_prefix("/1.0/instances/instance-").and_then(|number| number.parse::<usize>().ok());
            match number.and_then(|number| instances.get(number).zip(frozen.get(number))) {
                Some(one) => shown(one, true),
                None => return (404, json!({"type": "error", "error": "not found", "error_code": 404})),
            }
        }
    };
    (200, json!({"type": "sync", "status": "Success", "status_code": 200, "metadata": metadata}))
}

/// An instance as LXD lists one that was made of an image.
fn instance(cloud: usize, number: usize) -> Value {
    let config = json!({
        "image.architecture": "amd64", "image.description": "Debian bookworm amd64 (20260101_05:24)",
        "image.os": "Debian", "image.release": "bookworm", "image.serial": "20260101_05:24",
        "image.type": "squashfs", "image.variant": "default", "limits.cpu": "2", "limits.memory": "2GiB",
        "volatile.base_image": "d52ac81e04aebb86d4839df211d43e1ac3f2badbea05dfaf43ab63bf271cebd7",
        "volatile.uuid": format!("3f4b26c0-ece8-47f6-8f4e-{cloud:04}{number:08}"),
        "volatile.idmap.current": "[{\"Isuid\":true,\"Isgid\":false,\"Hostid\":100000,\"Nsid\":0,\"Maprange\":10000001}]",
    });
    json!({
        "name": Fleet::name(number), "project": "default", "type": "container", "status": "Running", "status_code": 103,
        "description": "", "ephemeral": false, "stateful": false,
        "architecture": "x86_64", "location": "none", "profiles": ["default"], "config": config,
        "expanded_config": config, "created_at": format!("2026-11-29T03:27:24.{number:09}Z"),
        "last_used_at": "2026-11-29T03:27:24.80538691Z", "devices": {},
        "expanded_devices": {"root": {"path": "/", "pool": "default", "type": "disk"}},
    })
}

fn state() -> Value {
    json!({
        "pid": 7, "processes": 30, "memory": {"usage": 200 << 20}, "cpu": {"usage": 5_000_000_000_u64},
        "disk": {"root": {"usage": 1 << 30}}, "network": {
            "eth0": {
                "addresses": [{"family": "inet", "address": "10.0.0.2", "netmask": "24", "scope": "global"}],
                "counters": {"bytes_received": 4, "bytes_sent": 4},
            },
        },
    })
}

//! Events by the thousand, lost, doubled and out of order, and streams that are cut: in the end the inventory is what a
//! fresh list says.

use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;
use lxd_client::Event;
use serde_json::json;

use super::scripted::{Scripted, lifecycle, read};
use super::{Fed, key, seconds};
use crate::inventory::row::InstanceRow;
use crate::inventory::subscription::Subscription;
use crate::inventory::{Item, Update};

/// What goes wrong.
struct Trouble {
    events: usize,
    instances: usize,
    /// Of a hundred events, so many are lost, sent twice, or sent late.
    lost: u8,
    doubled: u8,
    late: u8,
    /// Of a thousand events, after so many the streams are cut.
    cuts: u16,
}

/// Does something to a random instance, and gives the event of it.
fn happen(server: &Scripted, random: &mut Rng, instances: usize) -> Event {
    let mut world = server.world();
    let project = if random.bool() { "default" } else { "p" };
    let name = format!("i{}", random.usize(..instances));
    let there = world.instances.contains_key(&(project.to_owned(), name.clone()));
    match random.u8(..12) {
        _ if !there => world.create(project, &name),
        0 => world.delete(project, &name),
        1 => {
            world.delete(project, &name);
            world.create(project, &name)
        }
        2 => {
            let to = format!("r{}", random.usize(..instances));
            let taken = world.instances.contains_key(&(project.to_owned(), to.clone()));
            if taken { world.delete(project, &name) } else { world.rename(project, &name, &to) }
        }
        3 => {
            let text = random.u32(..).to_string();
            if let Some(instance) = world.instances.get_mut(&(project.to_owned(), name.clone())) {
                instance["description"] = text.into();
            }
            lifecycle("instance-updated", project, &format!("/1.0/instances/{name}"), json!({}))
        }
        4 => world.act(project, &name, "instance-paused", "Frozen"),
        5..8 => world.act(project, &name, "instance-stopped", "Stopped"),
        _ => world.act(project, &name, "instance-started", "Running"),
    }
}

/// An operation that begins or ends.
fn operate(server: &Scripted, random: &mut Rng) -> Event {
    let mut world = server.world();
    let ends = world.operations.keys().nth(random.usize(..10)).cloned();
    let code = if ends.is_some() { 200 } else { 103 };
    let id = ends.unwrap_or_else(|| format!("op{}", random.u64(..)));
    let state = json!({
        "id": id, "class": "task", "status_code": code, "status": if code == 200 { "Success" } else { "Running" },
        "project": "default",
    });
    match code {
        200 => drop(world.operations.remove(&id)),
        _ => drop(world.operations.insert(id, state.clone())),
    }
    Event::Operation(read(state))
}

async fn storm(seed: u64, trouble: &Trouble) {
    let mut random = Rng::with_seed(seed);
    let server = Scripted::new();
    server.world().projects.insert("p".to_owned());
    server.world().delay = Duration::from_millis(random.u64(1..400));
    let fed = Fed::start(server.clone());
    let mut follower = Subscription::new(fed.store.clone(), None);
    let mut followed: BTreeMap<_, InstanceRow> = BTreeMap::new();
    let mut late: Vec<Event> = Vec::new();
    for n in 0..trouble.events {
        let event = if random.u8(..10) == 0 {
            operate(&server, &mut random)
        } else {
            happen(&server, &mut random, trouble.instances)
        };
        let chance = random.u8(..100);
        if chance < trouble.late {
            late.push(event);
        } else if chance >= trouble.late + trouble.lost {
            server.world().send(&event);
            if random.u8(..100) < trouble.doubled {
                server.world().send(&event);
            }
        }
        if late.len() > 5 || (!late.is_empty() && random.u8(..8) == 0) {
            let event = late.swap_remove(random.usize(..late.len()));
            server.world().send(&event);
        }
        if random.u16(..1000) < trouble.cuts {
            server.world().down = random.bool();
            server.world().cut();
        } else if random.u8(..50) == 0 {
            server.world().down = false;
        }
        // 20,000 in a minute
        tokio::time::sleep(Duration::from_millis(3)).await;
        if n % 97 == 0 {
            follow(&mut follower, &mut followed).await;
        }
    }
    for event in late {
        server.world().send(&event);
    }
    server.world().down = false;
    // The next list of all comes in two minutes at the latest.
    seconds(150).await;
    fed.filled().await;
    is_fresh(&fed, seed);
    // Who followed the changes has the same rows.
    follow(&mut follower, &mut followed).await;
    let followed: Vec<_> = followed.into_values().collect();
    let rows: Vec<_> = fed.snapshot().instances.iter().map(|row| InstanceRow::clone(row)).collect();
    assert_eq!(followed, rows, "seed {seed}");
}

/// Checks that the inventory is what a fresh list says.
fn is_fresh(fed: &Fed, seed: u64) {
    let world = fed.server.world();
    let snapshot = fed.snapshot();
    let rows: Vec<_> = snapshot
        .instances
        .iter()
        .map(|row| (row.key.clone(), row.status.as_str(), row.description.as_str(), row.uuid.as_str()))
        .collect();
    let fresh: Vec<_> = world
        .instances
        .iter()
        .map(|((project, name), instance)| {
            let text = |key: &str| instance[key].as_str().unwrap_or_default();
            let uuid = instance["config"]["volatile.uuid"].as_str().unwrap_or_default();
            (key(project, name), text("status"), text("description"), uuid)
        })
        .collect();
    assert_eq!(rows, fresh, "seed {seed}");
    for row in &snapshot.operations {
        assert!(row.is_final() || world.operations.contains_key(&row.id), "seed {seed}: {row:?} goes on");
    }
}

/// Takes all changes that there are.
async fn follow(
    follower: &mut Subscription,
    rows: &mut BTreeMap<crate::inventory::InstanceKey, InstanceRow>,
) {
    while let Ok(update) = tokio::time::timeout(Duration::ZERO, follower.next()).await {
        match update {
            Update::Reset(snapshot) => {
                *rows =
                    snapshot.instances.iter().map(|row| (row.key.clone(), InstanceRow::clone(row))).collect();
            }
            Update::Changes(changes) => {
                assert!(changes.windows(2).all(|pair| pair[0].revision < pair[1].revision));
                for change in changes {
                    match change.item {
                        Item::Instance(row) => drop(rows.insert(row.key.clone(), InstanceRow::clone(&row))),
                        Item::InstanceGone(key) => drop(rows.remove(&key)),
                        _ => {}
                    }
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_is_a_fresh_list_for_many_seeds() {
    for seed in 0..40 {
        let trouble = Trouble {
            events: 600,
            instances: 3 + seed as usize % 30,
            lost: (seed % 4 * 10) as u8,
            doubled: 10,
            late: 20,
            cuts: 5,
        };
        storm(seed, &trouble).await;
    }
}

#[tokio::test(start_paused = true)]
async fn twenty_thousand_events_in_a_minute_are_taken() {
    let trouble = Trouble { events: 20_000, instances: 1_000, lost: 5, doubled: 5, late: 10, cuts: 1 };
    storm(7, &trouble).await;
}

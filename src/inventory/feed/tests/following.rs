//! What a feed makes of lists, events and failures.

use std::time::Duration;

use lxd_client::Event;
use serde_json::json;
use tokio::time::Instant;

use super::scripted::{Scripted, lifecycle, read};
use super::{Fed, key, seconds};
use crate::inventory::feed::remote::Ask;
use crate::inventory::store::Store;

#[tokio::test(start_paused = true)]
async fn an_event_is_in_the_model_before_the_server_is_asked() {
    let server = Scripted::new();
    server.world().create("default", "a");
    server.world().delay = Duration::from_secs(5);
    let fed = Fed::start(server.clone());
    fed.filled().await;
    seconds(1).await;
    let began = tokio::time::Instant::now();
    let event = server.world().act("default", "a", "instance-started", "Running");
    server.world().send(&event);
    fed.until("started", |fed| fed.row("default", "a").is_some_and(|row| row.status == "Running")).await;
    let event = server.world().create("default", "b");
    server.world().send(&event);
    fed.until("created", |fed| fed.row("default", "b").is_some()).await;
    let event = server.world().rename("default", "b", "c");
    server.world().send(&event);
    fed.until("renamed", |fed| fed.row("default", "c").is_some() && fed.row("default", "b").is_none()).await;
    let event = server.world().delete("default", "c");
    server.world().send(&event);
    fed.until("deleted", |fed| fed.row("default", "c").is_none()).await;
    assert!(began.elapsed() < Duration::from_millis(100), "in virtual time, without a wait");
}

#[tokio::test(start_paused = true)]
async fn what_an_event_does_not_tell_is_asked_for() {
    let server = Scripted::new();
    let fed = Fed::start(server.clone());
    fed.filled().await;
    let event = server.world().create("default", "a");
    server.world().send(&event);
    let described = |fed: &Fed| fed.row("default", "a").is_some_and(|row| row.architecture == "x86_64");
    fed.until("the whole row", described).await;
    let row = fed.row("default", "a").unwrap();
    assert!(!row.config.keys().any(|key| key.starts_with("volatile.eth0")));
    assert!(!format!("{row:?}").contains("s3cret"));
    // Twice the same is one row, and so is a late one.
    server.world().send(&event);
    seconds(5).await;
    assert_eq!(fed.snapshot().instances.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_change_that_no_event_tells_is_asked_for_at_once_and_those_soon_after_it_together() {
    let server = Scripted::new();
    for name in ["a", "b", "c"] {
        server.world().create("default", name);
    }
    let fed = Fed::start(server.clone());
    fed.filled().await;
    seconds(5).await;
    let (began, before) = (Instant::now(), server.world().asked.len());
    let describe = |name: &str| {
        let mut world = server.world();
        let instance = world.instances.get_mut(&("default".to_owned(), name.to_owned())).unwrap();
        instance["description"] = "new".into();
        let path = format!("/1.0/instances/{name}");
        world.send(&lifecycle("instance-updated", "default", &path, json!({})));
    };
    for name in ["a", "b", "c"] {
        describe(name);
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    seconds(2).await;
    let asked = server.world().asked.split_off(before);
    let after: Vec<Duration> = asked.iter().map(|(at, _)| *at - began).collect();
    assert_eq!(after.len(), 3, "{asked:?}");
    assert!(
        asked.iter().all(|(_, ask)| matches!(ask, Ask::Instance(_, _, false))),
        "without the state: {asked:?}"
    );
    assert!(after[0] < Duration::from_millis(20), "{after:?}");
    assert!(after[1] == after[2] && after[1] >= Duration::from_millis(250), "{after:?}");
    assert!(["a", "b", "c"].iter().all(|name| fed.row("default", name).unwrap().description == "new"));
}

#[tokio::test(start_paused = true)]
async fn after_a_lost_stream_rows_stay_and_are_read_again() {
    let server = Scripted::new();
    for name in ["a", "b"] {
        server.world().create("default", name);
    }
    let fed = Fed::start(server.clone());
    fed.filled().await;
    server.world().down = true;
    server.world().cut();
    fed.until("stale", |fed| fed.cloud().stale_since.is_some()).await;
    let since = fed.cloud().stale_since;
    seconds(40).await;
    assert!(fed.cloud().stale_reason.as_ref().is_some_and(|reason| reason.contains("no route")));
    assert_eq!(fed.cloud().stale_since, since);
    assert_eq!(fed.snapshot().instances.len(), 2);
    // Meanwhile one goes, one comes, and one is another one under the same name.
    server.world().delete("default", "a");
    server.world().create("default", "b");
    server.world().create("default", "c");
    let before = fed.row("default", "b").unwrap();
    let mut changes =
        crate::inventory::subscription::Subscription::new(fed.store.clone(), Some(fed.snapshot().revision));
    server.world().down = false;
    fed.filled().await;
    let names: Vec<String> = fed.snapshot().instances.iter().map(|row| row.key.name.clone()).collect();
    assert_eq!(names, ["b", "c"]);
    assert_ne!(fed.row("default", "b").unwrap().uuid, before.uuid);
    let crate::inventory::Update::Changes(changes) = changes.next().await else { panic!("all anew") };
    let gone = changes.iter().any(|change| {
        matches!(&change.item, crate::inventory::Item::InstanceGone(gone) if *gone == key("default", "b"))
    });
    assert!(gone, "one of another number is not the same one");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_is_stale_and_holds_no_other() {
    let (slow, quick, store) = (Scripted::new(), Scripted::new(), Store::new());
    slow.world().hangs = true;
    let _slow = Fed::start_as("slow", slow, store.clone());
    let fed = Fed::start_as("berlin", quick.clone(), store.clone());
    fed.filled().await;
    for n in 0..50 {
        let event = quick.world().create("default", &format!("i{n}"));
        quick.world().send(&event);
        fed.until("created", |fed| fed.snapshot().instances.len() == n + 1).await;
        seconds(2).await;
    }
    let reason = store.read().cloud("slow").and_then(|cloud| cloud.stale_reason.clone());
    assert!(reason.is_some_and(|reason| reason.contains("no answer within 30 s")));
}

#[tokio::test(start_paused = true)]
async fn a_restricted_certificate_sees_its_projects() {
    for hears_all in [false, true] {
        restricted(hears_all).await;
    }
}

async fn restricted(hears_all: bool) {
    let server = Scripted::new();
    {
        let mut world = server.world();
        (world.restricted, world.hears_all) = (true, hears_all);
        world.projects = ["p".to_owned(), "q".to_owned()].into();
        world.create("p", "a");
        world.create("q", "a");
    }
    let fed = Fed::start(server.clone());
    fed.filled().await;
    assert_eq!(fed.cloud().projects, ["p", "q"]);
    assert_eq!((fed.snapshot().instances.len(), server.listeners()), (2, 2));
    let event = server.world().act("q", "a", "instance-started", "Running");
    server.world().send(&event);
    fed.until("started", |fed| fed.row("q", "a").is_some_and(|row| row.status == "Running")).await;
    assert_eq!(fed.row("p", "a").unwrap().status, "Stopped");
    // Nothing tells of a project that comes or goes, so the projects are read now and then.
    server.world().projects = ["q".to_owned(), "r".to_owned()].into();
    server.world().create("r", "b");
    fed.until("the new project", |fed| fed.row("r", "b").is_some() && fed.row("p", "a").is_none()).await;
    assert_eq!((fed.cloud().stale_since, server.listeners()), (None, 2));
}

#[tokio::test(start_paused = true)]
async fn a_server_without_lists_of_all_projects_is_asked_for_each() {
    let server = Scripted::new();
    {
        let mut world = server.world();
        world.extensions = vec![];
        world.projects.insert("p".to_owned());
        world.create("default", "a");
        world.create("p", "a");
    }
    let fed = Fed::start(server.clone());
    fed.filled().await;
    assert_eq!(fed.snapshot().instances.len(), 2);
    assert!(!server.world().asked.iter().any(|(_, ask)| matches!(ask, Ask::Instances(None, _))));
}

#[tokio::test(start_paused = true)]
async fn a_new_project_is_followed_at_once() {
    let server = Scripted::new();
    server.world().extensions = vec!["instance_all_projects"];
    let fed = Fed::start(server.clone());
    fed.filled().await;
    let created = {
        let mut world = server.world();
        world.projects.insert("p".to_owned());
        world.images.insert(
            ("p".to_owned(), "f".to_owned()),
            json!({"fingerprint": "f", "size": 3, "aliases": [{"name": "x"}]}),
        );
        world.send(&lifecycle("project-created", "p", "/1.0/projects/p", json!({})));
        world.create("p", "a")
    };
    server.world().send(&created);
    fed.until("its rows", |fed| {
        let image = fed.snapshot().images.iter().any(|image| image.project == "p" && image.aliases == ["x"]);
        image && fed.row("p", "a").is_some_and(|row| !row.uuid.is_empty())
    })
    .await;
    assert_eq!(fed.cloud().projects, ["default", "p"]);
}

#[tokio::test(start_paused = true)]
async fn operations_end_once_and_are_kept_a_while() {
    let server = Scripted::new();
    let fed = Fed::start(server.clone());
    fed.filled().await;
    let operation = |id: &str, code: u16, updated: &str| {
        let mut state: lxd_client::OperationState = read(json!({
            "id": id, "class": "task", "description": "Starting instance", "status_code": code,
            "status": match code { 200 => "Success", 105 => "Pending", _ => "Running" }, "updated_at": updated,
            "resources": {"instances": ["/1.0/instances/a"]},
        }));
        state.project = "default".to_owned();
        Event::Operation(state)
    };
    for (code, updated) in [(103, "3"), (200, "4"), (103, "2"), (105, "1")] {
        server.world().send(&operation("x", code, updated));
    }
    // It runs, and both of its states have the same time.
    for (id, code) in [("y", 103), ("y", 105), ("z", 103)] {
        server.world().send(&operation(id, code, "1"));
    }
    fed.until("all", |fed| fed.snapshot().operations.len() == 3).await;
    let statuses = fed.snapshot().operations.iter().map(|row| row.status.clone()).collect::<Vec<_>>();
    assert_eq!(statuses, ["Success", "Running", "Running"]);
    // The end of y is missed.
    server.world().cut();
    fed.until("an end", |fed| fed.snapshot().operations.iter().all(|row| row.is_final())).await;
    let y = fed.snapshot().operations[1].clone();
    assert_eq!((y.status.as_str(), y.error.contains("unknown")), ("Unknown", true));
    fed.store.change(|model| model.forget_ended(crate::clock::now() + 301));
    assert!(fed.snapshot().operations.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_somebody_looks_at_has_its_addresses() {
    for extensions in [&super::scripted::ALL[..], &super::scripted::ALL[..3]] {
        let server = Scripted::new();
        server.world().extensions = extensions.into();
        for name in ["a", "b", "c", "d", "e", "f"] {
            server.world().create("default", name);
            server.world().act("default", name, "instance-started", "Running");
        }
        let fed = Fed::start(server.clone());
        fed.filled().await;
        seconds(2).await;
        assert!(fed.snapshot().instances.iter().all(|row| row.state.is_none()));
        let addresses = |fed: &Fed, name: &str| {
            let row = fed.row("default", name).unwrap();
            row.state
                .as_ref()
                .is_some_and(|state| state.addresses.iter().any(|address| address.address == "10.0.0.2"))
        };
        fed.looks.add([key("default", "a")]);
        fed.until("the state of one", |fed| addresses(fed, "a")).await;
        assert!(!addresses(&fed, "b"));
        fed.looks.add_all(&[]);
        fed.until("the state of all", |fed| {
            ["b", "c", "d", "e", "f"].iter().all(|name| addresses(fed, name))
        })
        .await;
        // Usage goes on, and is remembered.
        seconds(200).await;
        assert!(addresses(&fed, "a"));
        assert!(!fed.store.read().usage(&key("default", "f")).is_empty());
        // One that stops uses nothing.
        let event = server.world().act("default", "a", "instance-stopped", "Stopped");
        server.world().send(&event);
        fed.until("stopped", |fed| fed.row("default", "a").unwrap().state.is_none()).await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_begins_to_look_has_two_figures_soon() {
    for (metrics, instances) in [(true, 1), (true, 9), (false, 1), (false, 9)] {
        let server = Scripted::new();
        server.world().extensions.retain(|extension| metrics || *extension != "metrics");
        for number in 0..instances {
            server.world().create("default", &format!("i{number}"));
            server.world().act("default", &format!("i{number}"), "instance-started", "Running");
        }
        let fed = Fed::start(server.clone());
        fed.filled().await;
        seconds(100).await;
        let begun = Instant::now();
        fed.looks.add_all(&[]);
        fed.until("all figures", |fed| fed.snapshot().instances.iter().all(|row| row.state.is_some())).await;
        assert!(begun.elapsed() < Duration::from_secs(1), "{metrics} {instances}: {:?}", begun.elapsed());
        seconds(4).await;
        let is_of_usage =
            |ask: &Ask| matches!(ask, Ask::Instances(_, true) | Ask::Instance(..) | Ask::Metrics);
        let asked = server.world().asked.clone();
        let soon = asked.into_iter().filter(|(at, ask)| *at >= begun && is_of_usage(ask)).count();
        assert_eq!(soon, 2, "{metrics} {instances}");
    }
}

#[tokio::test(start_paused = true)]
async fn snapshots_are_counted() {
    let server = Scripted::new();
    server.world().create("default", "a");
    let fed = Fed::start(server.clone());
    fed.filled().await;
    server.world().instances.get_mut(&("default".to_owned(), "a".to_owned())).unwrap()["snapshots"] =
        json!([{}, {}]);
    let event = lifecycle("instance-snapshot-created", "default", "/1.0/instances/a/snapshots/s", json!({}));
    server.world().send(&event);
    fed.until("the count", |fed| fed.row("default", "a").unwrap().snapshots == Some(2)).await;
}

//! The model and its subscribers.

use std::sync::Arc;
use std::time::Duration;

use super::change::{Item, Revision};
use super::model::{Model, Newer};
use super::query::{Kind, Query};
use super::row::{ImageRow, InstanceAddress, InstanceKey, InstanceRow, InstanceUsage, OperationRow};
use super::store::Store;
use super::subscription::{Subscription, Update};

fn key(name: &str) -> InstanceKey {
    InstanceKey { cloud: "berlin".to_owned(), project: "default".to_owned(), name: name.to_owned() }
}

fn instance(name: &str, status: &str) -> InstanceRow {
    InstanceRow {
        key: key(name),
        status: status.to_owned(),
        uuid: format!("uuid of {name}"),
        created_at: "2026-01-01T00:00:00Z".to_owned(),
        ..InstanceRow::default()
    }
}

fn operation(id: &str, code: u16) -> OperationRow {
    OperationRow {
        cloud: "berlin".to_owned(),
        project: "default".to_owned(),
        id: id.to_owned(),
        status_code: code,
        ..OperationRow::default()
    }
}

fn model() -> Model {
    let mut model = Model::new();
    model.add_cloud("berlin");
    model
}

#[test]
fn the_same_again_is_no_change() {
    let mut model = model();
    let apply = |model: &mut Model| {
        model.put_instance(instance("a", "Running"));
        model.put_operation(operation("x", 200), 1);
        model.list_images(
            "berlin",
            None,
            vec![ImageRow { cloud: "berlin".to_owned(), ..ImageRow::default() }],
        );
        model.set_fresh("berlin");
        model.set_projects("berlin", vec!["default".to_owned()], true);
    };
    apply(&mut model);
    let revision = model.log.revision();
    apply(&mut model);
    model.update_instance(&key("a"), |row| row.status = "Running".to_owned());
    model.update_instance(&key("unknown"), |row| row.status = "Running".to_owned());
    model.remove_instance(&key("unknown"));
    model.add_cloud("berlin");
    assert_eq!(model.log.revision(), revision);
}

#[test]
fn usage_alone_is_no_news_and_hides_none() {
    let mut model = model();
    let use_more = |model: &mut Model, seconds: u64, address: &str| {
        let addresses = vec![InstanceAddress { address: address.to_owned(), ..InstanceAddress::default() }];
        let usage = InstanceUsage { at: seconds, memory: seconds, addresses, ..InstanceUsage::default() };
        let before = model.log.revision();
        model.put_usage(&key("a"), usage, true);
        assert!(model.log.revision() > before);
        before
    };
    let is_news = |model: &Model, since: Revision| match &*model.log.since(since, 2).unwrap() {
        [change] => change.is_news,
        changes => panic!("{changes:?}"),
    };
    model.put_instance(instance("a", "Running"));
    let without = use_more(&mut model, 1, "10.0.0.2");
    assert!(is_news(&model, without));
    let with_address = use_more(&mut model, 2, "10.0.0.2");
    assert!(!is_news(&model, with_address) && is_news(&model, without));
    model.update_instance(&key("a"), |row| row.status = "Frozen".to_owned());
    let frozen = use_more(&mut model, 3, "10.0.0.2");
    // Who was not told of the status yet is told of it with the usage.
    assert!(!is_news(&model, frozen) && is_news(&model, Revision(frozen.0 - 1)));
    let before_move = use_more(&mut model, 4, "10.0.0.3");
    assert!(is_news(&model, before_move));
}

#[test]
fn a_list_that_is_older_than_an_event_does_not_undo_it() {
    let mut model = model();
    model.put_instance(instance("a", "Running"));
    model.put_instance(instance("new", "Stopped"));
    let newer = Newer {
        touched: [key("a"), key("new"), key("gone")].into(),
        deleted: [key("gone")].into(),
        ..Newer::default()
    };
    let mut listed = instance("a", "Stopped");
    listed.description = "from the list".to_owned();
    model.list_instances("berlin", None, vec![listed, instance("gone", "Running")], &newer);
    let a = model.instance(&key("a")).cloned().unwrap();
    assert_eq!((a.status.as_str(), a.description.as_str()), ("Running", "from the list"));
    assert!(model.instance(&key("new")).is_some() && model.instance(&key("gone")).is_none());
    model.list_instances("berlin", None, vec![instance("a", "Stopped")], &Newer::default());
    assert_eq!(model.instances("berlin").count(), 1);
}

#[test]
fn another_instance_of_the_same_name_inherits_nothing() {
    let mut model = model();
    model.put_instance(InstanceRow { snapshots: Some(2), ..instance("a", "Running") });
    let usage = InstanceUsage { at: 1, memory: 5, ..InstanceUsage::default() };
    model.put_usage(&key("a"), usage, true);
    // A list without state and snapshots leaves them.
    model.put_instance(instance("a", "Running"));
    let row = model.instance(&key("a")).unwrap();
    assert!(row.snapshots == Some(2) && row.state.is_some());
    model.put_instance(InstanceRow { uuid: "another".to_owned(), ..instance("a", "Running") });
    let row = model.instance(&key("a")).unwrap();
    assert!(row.snapshots.is_none() && row.state.is_none() && model.usage(&key("a")).is_empty());
}

#[test]
fn ended_operations_are_kept_up_to_a_bound() {
    let mut model = model();
    for n in 0..2_000 {
        model.put_operation(operation(&n.to_string(), 200), 1);
    }
    let count = |model: &Model| model.snapshot(&Query::default()).operations.len();
    assert_eq!(count(&model), 500);
    model.forget_ended(302);
    assert_eq!(count(&model), 0);
}

#[test]
fn a_query_narrows_the_rows() {
    let mut model = model();
    model.add_cloud("paris");
    model.put_instance(instance("a", "Running"));
    model.put_instance(InstanceRow {
        key: InstanceKey { cloud: "paris".to_owned(), project: "p".to_owned(), name: "a".to_owned() },
        status: "Stopped".to_owned(),
        ..InstanceRow::default()
    });
    model.put_operation(operation("x", 103), 1);
    let count = |query: Query| {
        let snapshot = model.snapshot(&query);
        (snapshot.clouds.len(), snapshot.instances.len(), snapshot.operations.len())
    };
    assert_eq!(count(Query::default()), (2, 2, 1));
    assert_eq!(count(Query { clouds: vec!["paris".to_owned()], ..Query::default() }), (1, 1, 0));
    assert_eq!(count(Query { projects: vec!["default".to_owned()], ..Query::default() }), (2, 1, 1));
    assert_eq!(count(Query { kinds: vec![Kind::Operations], ..Query::default() }), (2, 0, 1));
    let overview = model.overview();
    let counts: Vec<_> = overview.clouds.iter().map(|c| (c.instances, c.operations, c.stale)).collect();
    assert_eq!(counts, [(1, 1, true), (1, 0, true)]);
    assert_eq!(overview.clouds[0].statuses["Running"], 1);
}

#[tokio::test]
async fn a_subscriber_is_told_all_or_what_has_changed() {
    let store = Store::new();
    let mut first = Subscription::new(store.clone(), None);
    let Update::Reset(empty) = first.next().await else { panic!("not all") };
    store.change(|model| {
        model.add_cloud("berlin");
        model.put_instance(instance("a", "Stopped"));
    });
    let Update::Changes(changes) = first.next().await else { panic!("all again") };
    assert_eq!(changes.len(), 2);
    // One that comes back with a number that is known is told the rest, and one with another number all.
    let mut back = Subscription::new(store.clone(), Some(empty.revision));
    assert!(matches!(back.next().await, Update::Changes(changes) if changes.len() == 2));
    for unknown in [Revision(0), Revision(1), Revision(u64::MAX)] {
        let mut other = Subscription::new(store.clone(), Some(unknown));
        assert!(matches!(other.next().await, Update::Reset(all) if all.instances.len() == 1));
    }
    // It waits where there is nothing, and a wait that is given up loses nothing.
    assert!(tokio::time::timeout(Duration::from_millis(20), first.next()).await.is_err());
    store.change(|model| model.remove_cloud("berlin"));
    let Update::Changes(changes) = first.next().await else { panic!("all again") };
    assert_eq!(
        changes.into_iter().map(|change| change.item).collect::<Vec<_>>(),
        [Item::CloudGone("berlin".to_owned())]
    );
}

#[tokio::test]
async fn a_slow_subscriber_holds_nobody_and_is_told_of_each_row_once() {
    let store = Store::new();
    store.change(|model| model.add_cloud("berlin"));
    let mut slow = Subscription::new(store.clone(), Some(store.read().log.revision()));
    let weak = {
        let row = store.change(|model| {
            model.put_instance(instance("i0", "Stopped"));
            model.instance(&key("i0")).cloned().unwrap()
        });
        Arc::downgrade(&row)
    };
    for n in 0..100_000_u32 {
        let status = if n % 2 == 0 { "Running" } else { "Stopped" };
        store.change(|model| {
            let key = key(&format!("i{}", n % 50));
            model.put_instance(InstanceRow { key, status: status.to_owned(), ..InstanceRow::default() });
        });
    }
    assert!(weak.upgrade().is_none(), "an old row is kept for a subscriber");
    let Update::Changes(changes) = slow.next().await else { panic!("all again") };
    assert_eq!(changes.len(), 50);
}

#[tokio::test]
async fn removals_are_remembered_up_to_a_bound() {
    let store = Store::new();
    store.change(|model| model.add_cloud("berlin"));
    let since = store.read().log.revision();
    let come_and_go = |n: u32| {
        store.change(|model| {
            model.put_instance(instance(&format!("i{n}"), "Stopped"));
            model.remove_instance(&key(&format!("i{n}")));
        });
    };
    (0..10_000).for_each(come_and_go);
    assert!(store.read().log.since(since, usize::MAX).is_some_and(|changes| changes.len() == 10_000));
    come_and_go(10_000);
    assert!(store.read().log.since(since, usize::MAX).is_none());
    let mut late = Subscription::new(store.clone(), Some(since));
    assert!(matches!(late.next().await, Update::Reset(_)));
}

#[test]
fn changes_are_readable_json() {
    let mut model = model();
    model.put_instance(instance("a", "Running"));
    model.remove_instance(&key("a"));
    let mut changes = model.log.since(Revision(model.log.revision().0 - 2), 9).unwrap();
    changes.iter_mut().for_each(|change| change.is_news = false); // stays in this process
    let changes = Update::Changes(changes);
    let json = serde_json::to_value(&changes).unwrap();
    let last = json["changes"].as_array().unwrap().last().unwrap();
    assert_eq!((last["kind"].as_str(), last["row"]["name"].as_str()), (Some("instance-gone"), Some("a")));
    assert_eq!(serde_json::from_value::<Update>(json).unwrap(), changes);
}

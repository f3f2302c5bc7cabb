//! Whether a copy is whole: it is read back and compared with what was wanted.

use std::collections::{BTreeMap, BTreeSet};

use lxd_client::{Instance, Snapshot};

use super::Place;
use super::plan::Plan;
use crate::actions::instances::change;
use crate::actions::{ActionError, Job};

/// Gives an instance that was there the settings of the source: a server that refreshes brings its disks and snapshots only.
pub(super) async fn adopt(to: &Place, plan: &Plan, job: &Job) -> Result<(), ActionError> {
    if !plan.existed {
        return Ok(());
    }
    change(&to.client, &plan.name, job, |instance| {
        *instance = refreshed(plan, instance);
        Ok(())
    })
    .await
}

/// What a refresh makes of an instance that was there. What its server has noted stays, and so does the pool of its root disk.
fn refreshed(plan: &Plan, there: &Instance) -> Instance {
    let noted = |key: &str| key.starts_with("volatile.");
    let mut after = there.clone();
    after.config.retain(|key, _| noted(key));
    let own = plan.instance.config.iter().filter(|(key, _)| !noted(key));
    after.config.extend(own.map(|(key, value)| (key.clone(), value.clone())));
    after.devices.clone_from(&plan.instance.devices);
    after.profiles.clone_from(&plan.instance.profiles);
    let is_root = |(_, device): &(&String, &BTreeMap<String, String>)| {
        device.get("type").is_some_and(|kind| kind == "disk")
            && device.get("path").is_some_and(|path| path == "/")
    };
    if let Some((name, root)) = there.devices.iter().find(is_root) {
        match after.devices.get_mut(name) {
            Some(device) => drop(root.get("pool").map(|pool| device.insert("pool".to_owned(), pool.clone()))),
            None if root.get("pool") != plan.pool.as_ref() => {
                drop(after.devices.insert(name.clone(), root.clone()))
            }
            None => {}
        }
    }
    after
}

/// Reads the copy back, and gives the names of its snapshots.
pub(super) async fn verify(to: &Place, plan: &Plan, job: &Job) -> Result<Vec<String>, ActionError> {
    job.stage("comparing");
    let handle = to.client.instance(&plan.name);
    let copy = async { tokio::try_join!(handle.get(), handle.snapshots().into_future()) };
    let (copy, there) = job.run(copy).await?;
    let mut snapshots: Vec<String> = there.iter().map(|snapshot| snapshot.name.clone()).collect();
    let wanted = if plan.existed { refreshed(plan, &copy.value) } else { plan.instance.clone() };
    let mut wrong = differences(&wanted, &copy.value);
    if let Some(wanted) = &plan.snapshots {
        let mut missing = lacking(wanted, &there);
        if !missing.is_empty() {
            // One that has been deleted or made anew at the source meanwhile is none.
            let now = job.run(plan.handle.snapshots().into_future()).await?;
            missing.retain(|(snapshot, _)| now.iter().any(|now| is_same(now, snapshot)));
        }
        wrong.extend(missing.iter().map(|(snapshot, how)| format!("the snapshot {} {how}", snapshot.name)));
    } else if !plan.existed && !snapshots.is_empty() {
        wrong.push(format!("it has the snapshots {}", snapshots.join(", ")));
    }
    if !wrong.is_empty() {
        let wrong = wrong.join("; ");
        return Err(ActionError::Unverified(format!("the copy at {} is not whole: {wrong}", to.cloud)));
    }
    snapshots.sort_unstable();
    Ok(snapshots)
}

/// The snapshots that are not among the others, and how so.
fn lacking<'a>(wanted: &'a [Snapshot], there: &[Snapshot]) -> Vec<(&'a Snapshot, &'static str)> {
    let mut lacking = Vec::new();
    for snapshot in wanted {
        match there.iter().find(|there| there.name == snapshot.name) {
            None => lacking.push((snapshot, "is missing")),
            Some(there) if !is_same(snapshot, there) => lacking.push((snapshot, "is another one")),
            Some(_) => {}
        }
    }
    lacking
}

/// Whether one is the other's copy. Servers tell each other the second in which it was made.
fn is_same(one: &Snapshot, other: &Snapshot) -> bool {
    let second = |snapshot: &Snapshot| snapshot.created_at.get(..19).map(str::to_owned);
    one.name == other.name && one.stateful == other.stateful && second(one) == second(other)
}

/// The names that are not among the others.
pub(super) fn without(names: &[String], others: &[String]) -> Vec<String> {
    names.iter().filter(|name| !others.contains(name)).cloned().collect()
}

fn differences(wanted: &Instance, copy: &Instance) -> Vec<String> {
    let mut wrong = Vec::new();
    let config = |instance: &Instance| -> BTreeMap<String, String> {
        let own = instance.config.iter().filter(|(key, _)| !key.starts_with("volatile."));
        own.map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    wrong.extend(differing("setting", &config(wanted), &config(copy)));
    wrong.extend(differing("device", &wanted.devices, &copy.devices));
    if wanted.profiles != copy.profiles {
        wrong.push(format!("it has the profiles {}", copy.profiles.join(", ")));
    }
    wrong
}

/// The keys that differ; values may be secrets.
fn differing<V: PartialEq>(
    what: &str,
    wanted: &BTreeMap<String, V>,
    copy: &BTreeMap<String, V>,
) -> Vec<String> {
    let keys: BTreeSet<&String> = wanted.keys().chain(copy.keys()).collect();
    let differ = keys.into_iter().filter(|key| wanted.get(*key) != copy.get(*key));
    differ.map(|key| format!("the {what} {key} differs")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_of_another_time_or_without_its_state_is_another_one() {
        let snapshot = |name: &str, created: &str, stateful| -> Snapshot {
            serde_json::from_value(
                serde_json::json!({"name": name, "created_at": created, "stateful": stateful}),
            )
            .unwrap()
        };
        let wanted = [
            snapshot("s0", "2026-11-29T10:07:35.691234Z", false),
            snapshot("s1", "2026-11-29T10:07:36.1Z", true),
            snapshot("s2", "2026-11-29T10:07:37Z", false),
            snapshot("s3", "2026-11-29T10:07:38Z", false),
        ];
        let there = [
            snapshot("s0", "2026-11-29T10:07:35Z", false),
            snapshot("s1", "2026-11-29T10:07:36Z", false),
            snapshot("s2", "2026-11-29T10:09:00Z", false),
        ];
        let lacking: Vec<_> =
            lacking(&wanted, &there).into_iter().map(|(snapshot, how)| (&*snapshot.name, how)).collect();
        assert_eq!(lacking, [("s1", "is another one"), ("s2", "is another one"), ("s3", "is missing")]);
    }

    #[test]
    fn what_differs_is_named_without_its_value() {
        let mut wanted = Instance::default();
        wanted.config.insert("user.token".to_owned(), "secret".to_owned());
        wanted.profiles = vec!["default".to_owned()];
        let mut copy = wanted.clone();
        copy.config.insert("volatile.idmap.base".to_owned(), "0".to_owned());
        assert!(differences(&wanted, &copy).is_empty());
        copy.config.insert("user.token".to_owned(), "other".to_owned());
        copy.devices.insert("eth0".to_owned(), BTreeMap::new());
        assert_eq!(
            differences(&wanted, &copy),
            ["the setting user.token differs", "the device eth0 differs"]
        );
    }
}

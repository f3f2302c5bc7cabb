//! What a lifecycle event means for the rows.

use lxd_client::Lifecycle;
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// What an event is about, and what it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Something happened to an instance.
    Instance { project: String, name: String, what: What },
    /// An image, or one of its names, was made, changed or deleted.
    Image { project: String, deleted: Option<String> },
    /// A project was made, changed or deleted.
    Project,
    /// Something that shows in all instances of a project: a profile was changed.
    Profile { project: String },
    /// A member of a cluster was evacuated or came back, and instances have moved.
    Cluster,
    /// Nothing that a row shows.
    Nothing,
}

/// What happened to an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// It has this status now.
    Is(&'static str),
    /// It was made, and is of this type.
    Created(String),
    Deleted,
    /// It has this name now.
    Renamed(String),
    /// Its snapshots are others.
    Snapshots,
    /// Something else, which the server has to be asked for.
    Changed,
}

/// What these actions of an instance change is in no row.
const UNSEEN: [&str; 12] = [
    "exec",
    "console",
    "console-reset",
    "console-retrieved",
    "file-deleted",
    "file-pushed",
    "file-retrieved",
    "log-deleted",
    "log-retrieved",
    "backup-created",
    "backup-deleted",
    "backup-retrieved",
];

/// Reads an event. LXD and Incus use the same words; older servers say `container` or `virtual-machine` for `instance`.
pub(super) fn meaning(event: &Lifecycle) -> Meaning {
    let (path, query) = event.source.split_once('?').unwrap_or((&event.source, ""));
    let path: Vec<String> = path
        .split('/')
        .skip(2)
        .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
        .collect();
    let project = project(event, query);
    let action = event.action.as_str();
    let of_instance = ["instance-", "container-", "virtual-machine-"];
    if let Some(what) = of_instance.iter().find_map(|prefix| action.strip_prefix(prefix)) {
        let Some(name) = path.get(1).filter(|name| !name.is_empty()) else { return Meaning::Nothing };
        let text = |key: &str| event.context.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (name, what) = match what {
            "started" | "resumed" | "restarted" => (name.clone(), What::Is("Running")),
            "stopped" | "shutdown" => (name.clone(), What::Is("Stopped")),
            "paused" => (name.clone(), What::Is("Frozen")),
            "created" => (name.clone(), What::Created(text("type"))),
            "deleted" => (name.clone(), What::Deleted),
            "renamed" => match text("old_name") {
                old if old.is_empty() => (name.clone(), What::Changed),
                old => (old, What::Renamed(name.clone())),
            },
            "snapshot-updated" | "snapshot-renamed" => return Meaning::Nothing,
            what if what.starts_with("snapshot-") => (name.clone(), What::Snapshots),
            what if UNSEEN.contains(&what) || what.starts_with("metadata-") => return Meaning::Nothing,
            _ => (name.clone(), What::Changed),
        };
        return Meaning::Instance { project, name, what };
    }
    match action {
        "image-retrieved" | "image-secret-created" => Meaning::Nothing,
        "image-deleted" => Meaning::Image { project, deleted: path.get(1).cloned() },
        _ if action.starts_with("image-") => Meaning::Image { project, deleted: None },
        _ if action.starts_with("project-") => Meaning::Project,
        "profile-updated" | "profile-renamed" => Meaning::Profile { project },
        _ if action.starts_with("cluster-member-") => Meaning::Cluster,
        _ => Meaning::Nothing,
    }
}

/// The project of an event: older servers have it in the address alone.
fn project(event: &Lifecycle, query: &str) -> String {
    if !event.project.is_empty() {
        return event.project.clone();
    }
    let own = query.split('&').find_map(|pair| pair.strip_prefix("project="));
    own.map_or("default".to_owned(), |name| percent_decode_str(name).decode_utf8_lossy().into_owned())
}

/// The name of the instance in the path of an endpoint, such as an operation has among its resources.
pub(super) fn instance_in(path: &str) -> Option<(Option<String>, String)> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut parts = path.split('/').skip(2);
    if !matches!(parts.next()?, "instances" | "containers" | "virtual-machines") {
        return None;
    }
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let project = query.split('&').find_map(|pair| pair.strip_prefix("project=")).map(decoded);
    Some((project, decoded(parts.next()?)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(action: &str, source: &str, context: Value) -> Meaning {
        let event = json!({"action": action, "source": source, "context": context});
        meaning(&serde_json::from_value(event).unwrap())
    }

    fn of(name: &str, what: What) -> Meaning {
        Meaning::Instance { project: "default".to_owned(), name: name.to_owned(), what }
    }

    #[test]
    fn actions_are_read_in_the_words_of_all_servers() {
        let none = json!({});
        let path = "/1.0/instances/a";
        assert_eq!(read("instance-started", path, none.clone()), of("a", What::Is("Running")));
        assert_eq!(read("instance-shutdown", path, none.clone()), of("a", What::Is("Stopped")));
        assert_eq!(read("instance-paused", path, none.clone()), of("a", What::Is("Frozen")));
        assert_eq!(read("instance-deleted", path, none.clone()), of("a", What::Deleted));
        assert_eq!(read("instance-updated", path, none.clone()), of("a", What::Changed));
        assert_eq!(read("instance-exec", path, none.clone()), Meaning::Nothing);
        let created = read("instance-created", path, json!({"type": "container"}));
        assert_eq!(created, of("a", What::Created("container".to_owned())));
        let renamed = read("instance-renamed", "/1.0/instances/b", json!({"old_name": "a"}));
        assert_eq!(renamed, of("a", What::Renamed("b".to_owned())));
        let snapshot = read("instance-snapshot-created", "/1.0/instances/a/snapshots/s", none.clone());
        assert_eq!(snapshot, of("a", What::Snapshots));
        assert_eq!(
            read("container-started", "/1.0/containers/a", none.clone()),
            of("a", What::Is("Running"))
        );
        assert_eq!(
            read("virtual-machine-stopped", "/1.0/virtual-machines/a", none.clone()),
            of("a", What::Is("Stopped"))
        );
        assert_eq!(read("project-created", "/1.0/projects/p", none.clone()), Meaning::Project);
        assert_eq!(read("instance-started", "/1.0/instances/", none), Meaning::Nothing);
    }

    #[test]
    fn the_project_is_that_of_the_event_or_of_the_address() {
        let event = read("instance-started", "/1.0/instances/a?project=p%20q", json!({}));
        let Meaning::Instance { project, .. } = event else { panic!("{event:?}") };
        assert_eq!(project, "p q");
        assert_eq!(instance_in("/1.0/instances/a%2Db"), Some((None, "a-b".to_owned())));
        assert_eq!(instance_in("/1.0/containers/a?project=p"), Some((Some("p".to_owned()), "a".to_owned())));
        assert_eq!(instance_in("/1.0/images/a"), None);
    }
}

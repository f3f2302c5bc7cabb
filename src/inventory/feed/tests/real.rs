//! The feed of a real LXD or Incus.

use std::path::PathBuf;
use std::time::Duration;

use lxd_client::{Action, Certificate, Client, Identity, NewInstance, Project, ServerTrust, StateChange};
use tokio::time::Instant;

use super::to::To;
use crate::config::CloudKind;
use crate::inventory::{InstanceKey, InstanceRow, Inventory, Query};

/// The server by its Unix socket, which trusts whoever opens it.
fn local() -> Client {
    let folder: PathBuf = std::env::var_os("LXD_DIR").expect("LXD_DIR").into();
    Client::unix(&folder.join("unix.socket"), Duration::from_secs(60)).unwrap()
}

fn over(client: Client) -> Inventory {
    Inventory::over([("real".to_owned(), CloudKind::Lxd, client)])
}

/// Waits until this holds of the row of that name, or of its absence.
async fn until(
    inventory: &Inventory,
    project: &str,
    name: &str,
    what: &str,
    holds: impl Fn(Option<&InstanceRow>) -> bool,
) {
    let began = Instant::now();
    let key = InstanceKey { cloud: "real".to_owned(), project: project.to_owned(), name: name.to_owned() };
    let mut changes = inventory.subscribe(None);
    let waiting = async {
        loop {
            changes.next().await;
            let snapshot = inventory.snapshot(&Query::default());
            if holds(snapshot.instances.iter().find(|row| row.key == key).map(|row| &**row)) {
                return;
            }
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(60), waiting).await;
    assert!(waited.is_ok(), "never {what}: {:?}", inventory.snapshot(&Query::default()));
    println!("{what}: {} ms after the answer", began.elapsed().as_millis());
}

fn is(status: &str) -> impl Fn(Option<&InstanceRow>) -> bool {
    move |row| row.is_some_and(|row| row.status == status)
}

/// The life of an instance, each step of which shows in the inventory.
async fn life(inventory: &Inventory, client: &Client, project: &str) {
    let name = format!("model-{}-{project}", std::process::id());
    let new = NewInstance::from_alias(&name, "busybox");
    client.create_instance(&new).await.unwrap().wait().await.unwrap();
    until(inventory, project, &name, "created", is("Stopped")).await;
    let instance = client.instance(&name);
    instance.start().await.unwrap().wait().await.unwrap();
    until(inventory, project, &name, "started", is("Running")).await;
    let whole = |row: Option<&InstanceRow>| {
        row.is_some_and(|row| !row.uuid.is_empty() && !row.architecture.is_empty() && row.pool == "default")
    };
    until(inventory, project, &name, "read whole", whole).await;
    inventory.look_at_all(&Query::default());
    let used = |row: Option<&InstanceRow>| {
        row.and_then(|row| row.state.as_ref()).is_some_and(|state| state.memory > 0 && state.pid > 0)
    };
    until(inventory, project, &name, "looked at", used).await;
    instance.create_snapshot("s", false).await.unwrap().wait().await.unwrap();
    let counted = |row: Option<&InstanceRow>| row.is_some_and(|row| row.snapshots == Some(1));
    until(inventory, project, &name, "its snapshot counted", counted).await;
    instance.freeze().await.unwrap().wait().await.unwrap();
    until(inventory, project, &name, "frozen", is("Frozen")).await;
    instance.unfreeze().await.unwrap().wait().await.unwrap();
    until(inventory, project, &name, "thawed", is("Running")).await;
    instance.change_state(&StateChange::new(Action::Stop).force()).await.unwrap().wait().await.unwrap();
    until(inventory, project, &name, "stopped", is("Stopped")).await;
    let other = format!("{name}-b");
    instance.rename(&other).await.unwrap().wait().await.unwrap();
    until(inventory, project, &other, "renamed", is("Stopped")).await;
    until(inventory, project, &name, "gone under its old name", |row| row.is_none()).await;
    client.instance(&other).delete().await.unwrap().wait().await.unwrap();
    until(inventory, project, &other, "deleted", |row| row.is_none()).await;
    let operations = inventory.snapshot(&Query::default()).operations;
    assert!(operations.iter().any(|row| row.project == project && row.status == "Success"), "{operations:?}");
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn the_life_of_an_instance_shows_in_each_step() {
    let inventory = over(local());
    life(&inventory, &local(), "default").await;
    let snapshot = inventory.snapshot(&Query::default());
    let cloud = &snapshot.clouds[0];
    assert!(cloud.filled && ["lxd", "incus"].contains(&cloud.server.as_str()), "{cloud:?}");
    assert!(snapshot.images.iter().any(|image| image.aliases.iter().any(|alias| alias == "busybox")));
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_certificate_that_is_restricted_to_a_project_follows_that() {
    let project = format!("model-{}", std::process::id());
    let mut new = Project::new(&project);
    for feature in ["images", "profiles"] {
        new.config.insert(format!("features.{feature}"), "false".to_owned());
    }
    local().create_project(&new).await.unwrap();
    let (certificate, key) = Identity::generate_pem("confined").unwrap();
    let identity = Identity::from_pem(&certificate, &key).unwrap();
    let handle = local().certificate(&identity.fingerprint());
    let trusted = Certificate::new(&project, &certificate).restricted_to([project.as_str()]);
    local().create_certificate(&trusted).await.unwrap();
    let server = local().server().await.unwrap();
    let address = server.config["core.https_address"].as_str().unwrap().parse().unwrap();
    let client = Client::builder("https://cloud.example.ts.net:8443".parse().unwrap(), To(address));
    let trust = ServerTrust::Fingerprint(server.fingerprint().unwrap());
    let inventory = over(client.trust(trust).identity(identity).build().unwrap());

    life(&inventory, &local().project(&project), &project).await;
    let snapshot = inventory.snapshot(&Query::default());
    assert_eq!(
        (&snapshot.clouds[0].projects, snapshot.clouds[0].stale_since),
        (&vec![project.clone()], None)
    );
    assert!(snapshot.instances.is_empty(), "those of another project are seen: {:?}", snapshot.instances);
    drop(inventory);
    handle.delete().await.unwrap();
    local().project_named(&project).delete().await.unwrap();
}

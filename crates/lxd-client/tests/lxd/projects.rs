use lxd_client::{Profile, Project};
use serde_json::json;

use crate::common::{fresh, remote};

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_project_is_created_read_changed_renamed_and_deleted() {
    let client = remote().await;
    let name = fresh("project");
    let mut project = Project::new(&name);
    project.config.insert("limits.containers".to_owned(), "7".to_owned());
    project.config.insert("features.profiles".to_owned(), "true".to_owned());
    client.create_project(&project).await.unwrap();
    assert!(client.create_project(&project).await.unwrap_err().is_conflict());
    assert!(client.projects().await.unwrap().iter().any(|p| p.name == "default"));
    // Of a project's client too: projects are in no project.
    let handle = client.project("default").project_named(&name);
    let mut read = handle.get().await.unwrap();
    read.description = "changed".to_owned();
    handle.update(&read).await.unwrap();
    assert_eq!(handle.get().await.unwrap().description, "changed");
    let state = handle.state().await.unwrap();
    let containers = state.resources["containers"];
    assert_eq!((containers.limit, containers.usage), (7, 0));
    handle.patch(&json!({"config": {"user.mark": "1"}})).await.unwrap();
    assert_eq!(handle.get().await.unwrap().config["user.mark"], "1");
    let other = fresh("project");
    handle.rename(&other).await.unwrap();
    assert!(handle.get().await.unwrap_err().is_not_found());
    client.project_named(&other).delete().await.unwrap();
    assert!(client.project_named(&other).get().await.unwrap_err().is_not_found());
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn what_is_in_one_project_is_not_in_another() {
    let client = remote().await;
    let name = fresh("project");
    let mut project = Project::new(&name);
    project.config.insert("features.profiles".to_owned(), "true".to_owned());
    client.create_project(&project).await.unwrap();
    let inside = client.project(&name);
    let profile = fresh("profile");
    inside.create_profile(&Profile::new(&profile)).await.unwrap();
    assert!(inside.profile(&profile).get().await.is_ok());
    assert!(client.profile(&profile).get().await.unwrap_err().is_not_found());
    inside.profile(&profile).delete().await.unwrap();
    client.project_named(&name).delete().await.unwrap();
}

use lxd_client::{Profile, Versioned};
use serde_json::json;

use crate::common::{fresh, remote};

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_profile_is_created_read_changed_renamed_and_deleted() {
    let client = remote().await;
    let name = fresh("profile");
    let mut profile = Profile::new(&name);
    profile.config.insert("limits.cpu".to_owned(), "1".to_owned());
    client.create_profile(&profile).await.unwrap();
    assert!(client.create_profile(&profile).await.unwrap_err().is_conflict());
    assert!(client.profiles().await.unwrap().iter().any(|p| p.name == name));
    assert!(client.profiles().names().await.unwrap().contains(&name));

    let handle = client.profile(&name);
    let mut read = handle.get().await.unwrap();
    assert_eq!(read.config["limits.cpu"], "1");
    read.description = "changed".to_owned();
    handle.update(&read).await.unwrap();
    handle.patch(&json!({"config": {"limits.memory": "64MiB"}})).await.unwrap();
    let patched = handle.get().await.unwrap();
    assert_eq!(patched.description, "changed");
    assert_eq!((&*patched.config["limits.cpu"], &*patched.config["limits.memory"]), ("1", "64MiB"));

    let other = fresh("profile");
    handle.rename(&other).await.unwrap();
    assert!(handle.get().await.unwrap_err().is_not_found());
    client.profile(&other).delete().await.unwrap();
    assert!(client.profile(&other).delete().await.unwrap_err().is_not_found());
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn an_update_of_what_somebody_else_changed_is_refused() {
    let client = remote().await;
    let name = fresh("profile");
    client.create_profile(&Profile::new(&name)).await.unwrap();
    let handle = client.profile(&name);
    let stale = handle.get().await.unwrap();
    handle.patch(&json!({"config": {"limits.cpu": "2"}})).await.unwrap();
    let error = handle.update(&stale).await.unwrap_err();
    assert!(error.is_changed_meanwhile(), "{error:?}");
    handle.update(&Versioned::unconditional(stale.value)).await.unwrap();
    assert!(handle.get().await.unwrap().config.is_empty());
    handle.delete().await.unwrap();
}

use lxd_client::{Error, NewVolumeBackup, StoragePool, Volume, VolumeKind};
use serde_json::json;

use crate::common::{fresh, remote};

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_pool_is_created_read_changed_and_deleted() {
    let client = remote().await;
    let name = fresh("pool");
    client.create_storage_pool(&StoragePool::new(&name, "dir")).await.unwrap();
    assert!(client.create_storage_pool(&StoragePool::new(&name, "dir")).await.unwrap_err().is_conflict());
    let listed = client.storage_pools().await.unwrap();
    assert!(listed.iter().any(|p| p.name == name && p.driver == "dir" && p.status == "Created"));
    let pool = client.storage_pool(&name);
    let mut read = pool.get().await.unwrap();
    read.description = "changed".to_owned();
    pool.update(&read).await.unwrap();
    assert_eq!(pool.get().await.unwrap().description, "changed");
    pool.patch(&json!({"config": {"user.mark": "1"}})).await.unwrap();
    assert_eq!(pool.get().await.unwrap().config["user.mark"], "1");
    let resources = pool.resources().await.unwrap();
    assert!(resources.space.used > 0 && resources.space.total > resources.space.used, "{resources:?}");
    pool.delete().await.unwrap();
    assert!(pool.get().await.unwrap_err().is_not_found());
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_volume_is_created_read_changed_copied_renamed_and_deleted() {
    let client = remote().await;
    let pool = client.storage_pool("default");
    let name = fresh("volume");
    pool.create_volume(&Volume::new(&name)).await.unwrap();
    assert!(pool.create_volume(&Volume::new(&name)).await.unwrap_err().is_conflict());
    let all = pool.volumes().await.unwrap();
    assert!(all.iter().any(|v| v.name == name && v.kind == "custom" && v.content_type == "filesystem"));
    assert!(all.iter().any(|v| v.name == "c1" && v.kind == "container"));
    let custom = pool.volumes_of(VolumeKind::Custom).await.unwrap();
    assert!(custom.iter().any(|v| v.name == name) && custom.iter().all(|v| v.kind == "custom"));

    let volume = pool.custom_volume(&name);
    let mut read = volume.get().await.unwrap();
    read.description = "changed".to_owned();
    volume.update(&read).await.unwrap();
    assert_eq!(volume.get().await.unwrap().description, "changed");
    volume.patch(&json!({"config": {"user.mark": "1"}})).await.unwrap();
    assert_eq!(volume.get().await.unwrap().config["user.mark"], "1");
    // A pool of this kind does not know; Incus then says nothing.
    match volume.state().await {
        Ok(state) => assert_eq!(state.usage.used, 0),
        Err(error) => assert!(matches!(&error, Error::Api { message, .. } if message == "Not supported")),
    }

    let copy = fresh("volume");
    pool.copy_volume(&copy, "default", &name).await.unwrap().wait().await.unwrap();
    let moved = fresh("volume");
    pool.custom_volume(&copy).rename(&moved).await.unwrap();
    assert!(pool.custom_volume(&copy).get().await.unwrap_err().is_not_found());
    let other = fresh("pool");
    client.create_storage_pool(&StoragePool::new(&other, "dir")).await.unwrap();
    pool.custom_volume(&moved).move_to(&other, &moved).await.unwrap().wait().await.unwrap();
    let there = client.storage_pool(&other);
    assert_eq!(there.custom_volume(&moved).get().await.unwrap().config["user.mark"], "1");
    there.custom_volume(&moved).delete().await.unwrap();
    there.delete().await.unwrap();
    volume.delete().await.unwrap();
    assert!(volume.get().await.unwrap_err().is_not_found());
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_snapshot_of_a_volume_brings_it_back() {
    let client = remote().await;
    let pool = client.storage_pool("default");
    let name = fresh("volume");
    pool.create_volume(&Volume::new(&name)).await.unwrap();
    let volume = pool.custom_volume(&name);
    volume.create_snapshot("before").await.unwrap().wait().await.unwrap();
    assert_eq!(volume.snapshots().names().await.unwrap(), ["before"]);
    let snapshot = volume.snapshot("before");
    let mut read = snapshot.get().await.unwrap();
    read.description = "changed".to_owned();
    snapshot.update(&read).await.unwrap();
    assert_eq!(snapshot.get().await.unwrap().description, "changed");
    snapshot.patch(&json!({"description": "again"})).await.unwrap();
    assert_eq!(snapshot.get().await.unwrap().description, "again");
    volume.restore("before").await.unwrap();
    snapshot.rename("after").await.unwrap();
    assert!(snapshot.get().await.unwrap_err().is_not_found());
    volume.snapshot("after").delete().await.unwrap();
    assert!(volume.snapshots().await.unwrap().is_empty());
    volume.delete().await.unwrap();
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_backup_of_a_volume_goes_out_and_comes_back_under_another_name() {
    let client = remote().await;
    let pool = client.storage_pool("default");
    let name = fresh("volume");
    let mut volume = Volume::new(&name);
    volume.config.insert("user.mark".to_owned(), "kept".to_owned());
    pool.create_volume(&volume).await.unwrap();
    let volume = pool.custom_volume(&name);
    let wanted = NewVolumeBackup { name: Some("b0".to_owned()), ..NewVolumeBackup::default() };
    volume.create_backup(&wanted).await.unwrap().wait().await.unwrap();
    assert_eq!(volume.backups().names().await.unwrap(), ["b0"]);
    volume.backup("b0").rename("b1").await.unwrap();
    let backup = volume.backup("b1");
    assert!(backup.get().await.unwrap().name.ends_with("b1"));

    let archive = backup.export().await.unwrap();
    let other = fresh("volume");
    pool.import_volume(archive, Some(&other)).await.unwrap().wait().await.unwrap();
    let imported = pool.custom_volume(&other);
    assert_eq!(imported.get().await.unwrap().config["user.mark"], "kept");
    imported.delete().await.unwrap();
    backup.delete().await.unwrap();
    assert!(backup.get().await.unwrap_err().is_not_found());
    volume.delete().await.unwrap();
}

use std::process::Command;

use lxd_client::{Alias, ImageOptions, ImageSource, NewBackup, NewInstance};
use serde_json::Value;

use crate::common::{address, fresh, remote};
use crate::second::Second;

/// Files of the image `busybox`, split.
fn split(folder: &std::path::Path, unified: &std::path::Path) {
    let run = |script: &str| {
        let status = Command::new("sh").args(["-ec", script]).current_dir(folder).status().unwrap();
        assert!(status.success(), "{script}");
    };
    run(&format!("mkdir x && tar -C x -xzf {}", unified.display()));
    run("tar -C x -czf metadata.tar.gz metadata.yaml && tar -C x/rootfs -czf rootfs.tar.gz .");
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn an_image_is_exported_with_its_hash_and_imported_whole_and_split() {
    let client = remote().await;
    let fingerprint = client.image_alias("busybox").get().await.unwrap().target.clone();
    let folder = tempfile::tempdir().unwrap();
    let exported = client.image(&fingerprint).export_to(folder.path(), |_| ()).await.unwrap();
    assert_eq!(exported.rootfs, None);
    assert!(exported.metadata.ends_with(&fingerprint));
    let raw = client.get(["images", &fingerprint, "export"]).download().await.unwrap();
    assert!(raw.bytes(64 << 20).await.unwrap() == std::fs::read(&exported.metadata).unwrap());

    // A project of its own, whose images are not those of the others.
    let project = fresh("images");
    let config = serde_json::json!({"features.images": "true", "features.profiles": "false"});
    let body = serde_json::json!({"name": project, "config": config});
    client.post(["projects"]).json(&body).done().await.unwrap();
    let client = client.project(&project);
    let options = ImageOptions::default().property("mark", "a b&c").filename("x.tar.gz").public();
    let file = tokio::fs::File::open(&exported.metadata).await.unwrap();
    let ended = client.import_image(file, &options).await.unwrap().wait().await.unwrap();
    assert_eq!(ended.metadata["fingerprint"], Value::from(fingerprint.clone()));
    let image = client.image(&fingerprint);
    let mut read = image.get().await.unwrap();
    assert!(read.public && read.properties["mark"] == "a b&c", "{read:?}");
    read.public = false;
    image.update(&read).await.unwrap();
    image.patch(&serde_json::json!({"auto_update": true})).await.unwrap();
    assert!(!image.get().await.unwrap().public);
    let secret = image.secret().await.unwrap();
    assert_eq!(image.get_with_secret(&secret).await.unwrap().fingerprint, fingerprint);

    split(folder.path(), &exported.metadata);
    let open = |name: &str| tokio::fs::File::open(folder.path().join(name));
    let (metadata, rootfs) = (open("metadata.tar.gz").await.unwrap(), open("rootfs.tar.gz").await.unwrap());
    let mut import = client.import_split_image(metadata, rootfs, &ImageOptions::default()).await.unwrap();
    let ended = import.wait().await.unwrap();
    let second = ended.metadata["fingerprint"].as_str().unwrap();
    let out = tempfile::tempdir().unwrap();
    let files = client.image(second).export_to(out.path(), |_| ()).await.unwrap();
    let same = |a: &std::path::Path, b: &str| {
        std::fs::read(a).unwrap() == std::fs::read(folder.path().join(b)).unwrap()
    };
    assert!(same(&files.metadata, "metadata.tar.gz") && same(&files.rootfs.unwrap(), "rootfs.tar.gz"));
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 2, "something is left behind");

    client.create_image_alias(&Alias::new("a/b", second)).await.unwrap();
    let alias = client.image_alias("a/b");
    assert_eq!(alias.get().await.unwrap().target, second);
    let mut read = alias.get().await.unwrap();
    read.description = "d".to_owned();
    alias.update(&read).await.unwrap();
    assert_eq!(alias.get().await.unwrap().description, "d");
    alias.rename("c/d").await.unwrap();
    assert!(client.image_aliases().await.unwrap().iter().any(|a| a.name == "c/d"));
    client.image_alias("c/d").delete().await.unwrap();
    for fingerprint in [&*fingerprint, second] {
        client.image(fingerprint).delete().await.unwrap().wait().await.unwrap();
    }
    assert!(client.images().await.unwrap().is_empty());
    client.delete(["projects", &project]).unscoped().done().await.unwrap();
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_backup_goes_out_and_comes_back_under_another_name() {
    let client = remote().await;
    let (name, other) = (fresh("backup"), fresh("restored"));
    client.create_instance(&NewInstance::from_alias(&name, "busybox")).await.unwrap().wait().await.unwrap();
    let handle = client.instance(&name);
    handle.files().write("/root/mark", &b"kept"[..], &Default::default()).await.unwrap();
    let backup = NewBackup { name: Some("b0".to_owned()), instance_only: true, ..NewBackup::default() };
    handle.create_backup(&backup).await.unwrap().wait().await.unwrap();
    assert_eq!(handle.backups().names().await.unwrap(), ["b0"]);
    handle.backup("b0").rename("b1").await.unwrap().wait().await.unwrap();
    assert!(handle.backup("b1").get().await.unwrap().instance_only);
    let archive = handle.backup("b1").export().await.unwrap();
    let mut import = client.import_instance(archive, Some(&other), Some("default")).await.unwrap();
    import.wait().await.unwrap();
    handle.backup("b1").delete().await.unwrap().wait().await.unwrap();
    assert!(handle.backups().await.unwrap().is_empty());
    let restored = client.instance(&other);
    assert!(matches!(restored.files().read("/root/mark").await.unwrap(), lxd_client::Entry::File(..)));

    let mut publish =
        client.create_image(&ImageSource::instance(&other), &ImageOptions::default()).await.unwrap();
    let published = publish.wait().await.unwrap();
    let fingerprint = published.metadata["fingerprint"].as_str().unwrap();
    client.image(fingerprint).delete().await.unwrap().wait().await.unwrap();
    handle.delete_forced().await.unwrap();
    restored.delete_forced().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn an_image_of_another_server_is_fetched_by_that_servers_certificate_only() {
    let (client, second) = (remote().await, Second::start().await);
    let fingerprint = client.image_alias("busybox").get().await.unwrap().target.clone();
    client.image(&fingerprint).patch(&serde_json::json!({"public": true})).await.unwrap();
    let server = client.server().await.unwrap();
    let protocol = if server.is_incus() { "incus" } else { "lxd" };
    let source = ImageSource::remote(&format!("https://{}", address().await.0), protocol, "busybox");
    let fetch = async |source: &ImageSource| {
        second.client.create_image(source, &ImageOptions::default()).await?.wait().await
    };
    let error = fetch(&source).await.unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
    let certificate = server.environment.as_ref().unwrap().rest["certificate"].as_str().unwrap();
    fetch(&source.certificate(certificate)).await.unwrap();
    assert_eq!(second.client.image(&fingerprint).get().await.unwrap().fingerprint, fingerprint);
    client.image(&fingerprint).patch(&serde_json::json!({"public": false})).await.unwrap();
}

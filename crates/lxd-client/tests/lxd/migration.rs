use lxd_client::{Entry, Migration, NewInstance, Route};
use serde_json::json;

use crate::common::{address, fresh, remote};
use crate::second::Second;

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn an_instance_is_copied_on_each_way_with_its_files_and_snapshots() {
    let (client, second) = (remote().await, Second::start().await);
    let target = second.client.clone();
    let source_url = format!("https://{}", address().await.0);
    let name = fresh("origin");
    let new = NewInstance::from_alias(&name, "busybox").config("user.mark", "1");
    client.create_instance(&new).await.unwrap().wait().await.unwrap();
    let origin = client.instance(&name);
    origin.files().write("/root/mark", &b"kept"[..], &Default::default()).await.unwrap();
    origin.create_snapshot("s0", false).await.unwrap().wait().await.unwrap();
    for route in [Route::Relay, Route::Pull(source_url), Route::Push(second.url.clone())] {
        let copied = origin.copy_to(&target, &Migration::new(&fresh("copied")).route(route.clone())).await;
        let copied = copied.unwrap_or_else(|e| panic!("{route:?}: {e}"));
        let read = copied.get().await.unwrap();
        assert_eq!(read.config["user.mark"], "1", "{route:?}");
        let Entry::File(_, mark) = copied.files().read("/root/mark").await.unwrap() else {
            panic!("no file")
        };
        assert_eq!(mark.bytes(100).await.unwrap(), "kept", "{route:?}");
        assert_eq!(copied.snapshots().names().await.unwrap(), ["s0"], "{route:?}");
        copied.delete_forced().await.unwrap();
    }
    // The pool is that of the root disk, whatever its name.
    let named =
        json!({"profiles": [], "devices": {"disk0": {"type": "disk", "path": "/", "pool": "default"}}});
    origin.patch(&named).await.unwrap();
    let migration = Migration::new(&fresh("copied")).pool("default").instance_only();
    let copied = origin.copy_to(&target, &migration).await.unwrap();
    let devices = copied.get().await.unwrap().value.devices;
    assert_eq!(devices.into_keys().collect::<Vec<_>>(), ["disk0"]);
    copied.delete_forced().await.unwrap();
    // A name that is taken is refused, and nothing hangs.
    let migration = Migration::new("twice");
    origin.copy_to(&target, &migration).await.unwrap();
    let taken = tokio::time::timeout(std::time::Duration::from_secs(60), origin.copy_to(&target, &migration));
    assert!(taken.await.expect("it hangs").is_err());
    target.instance("twice").delete_forced().await.unwrap();
    origin.delete_forced().await.unwrap();
}

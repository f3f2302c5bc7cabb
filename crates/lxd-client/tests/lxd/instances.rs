use lxd_client::{Action, NewInstance, Profile, Project, StateChange};
use serde_json::json;

use crate::common::{fresh, remote};

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn an_instance_lives_from_launch_to_delete() {
    let client = remote().await;
    let name = fresh("life");
    let new = NewInstance::from_alias(&name, "busybox").config("user.mark", "1");
    let handle = client.launch(&new).await.unwrap();
    let error = match client.create_instance(&new).await {
        Ok(mut operation) => operation.wait().await.unwrap_err(),
        Err(error) => error,
    };
    assert!(error.is_conflict(), "{error:?}");
    let mut read = handle.get().await.unwrap();
    assert_eq!((&*read.status, &*read.config["user.mark"]), ("Running", "1"));
    assert!(handle.state().await.unwrap().pid > 0);
    assert_eq!(handle.get_full().await.unwrap().state.unwrap().status, "Running");

    handle.freeze().await.unwrap().wait().await.unwrap();
    assert_eq!(handle.state().await.unwrap().status, "Frozen");
    handle.unfreeze().await.unwrap().wait().await.unwrap();
    handle.change_state(&StateChange::new(Action::Restart).force()).await.unwrap().wait().await.unwrap();

    read = handle.get().await.unwrap();
    read.description = "described".to_owned();
    read.config.insert("user.mark".to_owned(), "2".to_owned());
    handle.update(&read).await.unwrap().wait().await.unwrap();
    assert_eq!(handle.get().await.unwrap().description, "described");
    handle.patch(&json!({"config": {"user.other": "3"}})).await.unwrap();
    let changed = handle.get().await.unwrap();
    assert_eq!((&*changed.config["user.mark"], &*changed.config["user.other"]), ("2", "3"));
    handle.patch(&json!({"config": {"user.other": "4"}})).await.unwrap();
    let error = handle.update(&changed).await.unwrap_err();
    assert!(error.is_changed_meanwhile(), "{error:?}");

    let listed = client.instances().with_state().await.unwrap();
    let listed = listed.into_iter().find(|i| i.name == name).unwrap();
    assert!(listed.state.unwrap().memory_usage() > 0);

    handle.kill().await.unwrap().wait().await.unwrap();
    let other = fresh("life");
    handle.rename(&other).await.unwrap().wait().await.unwrap();
    let handle = client.instance(&other);
    handle.start().await.unwrap().wait().await.unwrap();
    handle.delete_forced().await.unwrap();
    assert!(handle.get().await.unwrap_err().is_not_found());
    assert!(handle.delete_forced().await.unwrap_err().is_not_found());
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_snapshot_brings_an_instance_back_and_is_a_source_of_copies() {
    let client = remote().await;
    let (name, copy) = (fresh("snap"), fresh("copy"));
    let handle = client.launch(&NewInstance::from_alias(&name, "busybox")).await.unwrap();
    handle.exec(["touch", "/root/before"]).status().await.unwrap();
    handle.create_snapshot("s0", false).await.unwrap().wait().await.unwrap();
    let snapshot = handle.snapshot("s0");
    let mut read = snapshot.get().await.unwrap();
    assert_eq!(read.name, "s0");
    read.expires_at = "2040-01-01T00:00:00Z".to_owned();
    snapshot.update(&read).await.unwrap();
    assert!(snapshot.get().await.unwrap().expires_at.starts_with("2040"));
    handle.exec(["rm", "/root/before"]).status().await.unwrap();
    handle.kill().await.unwrap().wait().await.unwrap();
    handle.restore("s0").await.unwrap().wait().await.unwrap();
    handle.start().await.unwrap().wait().await.unwrap();
    assert!(handle.exec(["test", "-e", "/root/before"]).status().await.unwrap().success());

    let new = NewInstance::copy_of(&copy, &format!("{name}/s0"));
    client.create_instance(&new).await.unwrap().wait().await.unwrap();
    client.instance(&copy).delete_forced().await.unwrap();
    snapshot.rename("s1").await.unwrap().wait().await.unwrap();
    assert_eq!(handle.snapshots().names().await.unwrap(), ["s1"]);
    handle.snapshot("s1").delete().await.unwrap().wait().await.unwrap();
    assert!(handle.snapshots().await.unwrap().is_empty());
    handle.delete_forced().await.unwrap();
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn metadata_templates_and_logs_are_read_and_written() {
    let c1 = remote().await.instance("c1");
    let mut metadata = c1.metadata().await.unwrap();
    metadata.value.insert("properties".to_owned(), json!({"os": "busybox", "mark": "1"}));
    c1.update_metadata(&metadata).await.unwrap();
    assert_eq!(c1.metadata().await.unwrap()["properties"]["mark"], "1");
    c1.write_template("mark.tpl", "hello {{ container.name }}").await.unwrap();
    assert_eq!(c1.templates().await.unwrap(), ["mark.tpl"]);
    assert_eq!(c1.template("mark.tpl").await.unwrap(), "hello {{ container.name }}");
    c1.delete_template("mark.tpl").await.unwrap();
    assert!(c1.templates().await.unwrap().is_empty());
    let logs = c1.logs().await.unwrap();
    assert!(logs.contains(&"lxc.log".to_owned()), "{logs:?}");
    c1.log("lxc.log").await.unwrap().bytes(1 << 20).await.unwrap();
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_copy_has_what_lxc_copy_would_give_it() {
    let client = remote().await;
    let (origin, profile, project) = (fresh("origin"), fresh("extra"), fresh("elsewhere"));
    client.create_profile(&Profile::new(&profile)).await.unwrap();
    let mut shares = Project::new(&project);
    for feature in ["features.profiles", "features.images"] {
        shares.config.insert(feature.to_owned(), "false".to_owned());
    }
    client.create_project(&shares).await.unwrap();
    let new = NewInstance::from_alias(&origin, "busybox").description("the first").config("user.mark", "1");
    let new = new.device("none", [("type", "none")]).profile("default").profile(&profile);
    client.create_instance(&new).await.unwrap().wait().await.unwrap();
    let handle = client.instance(&origin);
    handle.create_snapshot("s0", false).await.unwrap().wait().await.unwrap();

    let (copy, snapshot) = (fresh("copy"), format!("{origin}/s0"));
    let copy_of = |source: &str| NewInstance::copy_of(&copy, source);
    let root = [("type", "disk"), ("path", "/"), ("pool", "default")];
    let elsewhere = client.project(&project);
    let both = vec!["default", &profile];
    for (client, new, profiles, description) in [
        (&client, copy_of(&origin), both.clone(), "the first"),
        (&client, copy_of(&snapshot), both.clone(), ""),
        (&client, copy_of(&origin).profile("default"), vec!["default"], "the first"),
        (&client, copy_of(&origin).profile("default").description("another"), vec!["default"], "another"),
        (&client, copy_of(&origin).no_profiles().device("root", root), vec![], "the first"),
        (&elsewhere, copy_of(&origin).source_project("default"), both, "the first"),
    ] {
        client.create_instance(&new.config("user.own", "2")).await.unwrap().wait().await.unwrap();
        let copied = client.instance(&copy).get().await.unwrap();
        assert_eq!(
            (copied.profiles.iter().map(String::as_str).collect(), &*copied.description),
            (profiles, description)
        );
        assert_eq!((&*copied.config["user.mark"], &*copied.config["user.own"]), ("1", "2"));
        assert_eq!(copied.devices["none"]["type"], "none");
        client.instance(&copy).delete_forced().await.unwrap();
    }
    let error = client.create_instance(&copy_of("not-there")).await.unwrap_err();
    assert!(error.is_not_found(), "{error:?}");
    let launched = client.launch(&copy_of(&origin)).await.unwrap();
    assert_eq!(launched.state().await.unwrap().status, "Running");
    launched.delete_forced().await.unwrap();
    handle.delete_forced().await.unwrap();
    client.project_named(&project).delete().await.unwrap();
    client.profile(&profile).delete().await.unwrap();
}

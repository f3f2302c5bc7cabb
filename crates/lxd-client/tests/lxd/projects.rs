use lxd_client::{
    Auth, Certificate, Client, Entry, Error, Event, EventKind, FileOptions, Identity, NewInstance, Profile,
    Project,
};
use serde_json::json;

use crate::common::{address, fresh, local, remote};
use crate::to::To;

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

/// A client whose certificate is for this project only, and its certificate's handle.
async fn confined_to(project: &str) -> (Client, lxd_client::CertificateHandle) {
    let (certificate, key) = Identity::generate_pem("confined").unwrap();
    let identity = Identity::from_pem(&certificate, &key).unwrap();
    let handle = local().certificate(&identity.fingerprint());
    let new = Certificate::new(&fresh("confined"), &certificate).restricted_to([project]);
    local().create_certificate(&new).await.unwrap();
    let (addr, trust) = address().await;
    let client = Client::builder("https://cloud.example.ts.net:8443".parse().unwrap(), To(addr));
    (client.trust(trust).identity(identity).build().unwrap(), handle)
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_client_that_is_confined_to_a_project_works_in_it_and_is_told_of_it_elsewhere() {
    let name = fresh("project");
    let mut project = Project::new(&name);
    for feature in ["images", "profiles"] {
        project.config.insert(format!("features.{feature}"), "false".to_owned());
    }
    local().create_project(&project).await.unwrap();
    let (client, certificate) = confined_to(&name).await;

    let server = client.server().await.unwrap();
    assert!(server.auth == Auth::Trusted && server.config.is_empty(), "{:?}", server.config);
    let files = client.instance("c1").files();
    let told = [
        client.instances().await.map(drop),
        client.networks().await.map(drop),
        client.instance("c1").files().pull("/etc", "/dev/null".as_ref(), |_| ()).await.map(drop),
        client.instance("c1").files().is_dir("/etc").await.map(drop),
        client.profiles().await.map(drop),
        client.project("another").instances().await.map(drop),
        client.instance("c1").get().await.map(drop),
        client.instance("c1").exec(["true"]).status().await.map(drop),
        client.instance("c1").delete_forced().await,
        client.launch(&NewInstance::from_alias("x", "busybox")).await.map(drop),
        files.read("/etc/passwd").await.map(drop),
        files.info("/etc/passwd").await.map(drop),
        files.write("/x", &b""[..], &FileOptions::default()).await,
    ];
    for (at, told) in told.into_iter().enumerate() {
        let Err(Error::NotAllowed { project, allowed, .. }) = &told else { panic!("{at}: {told:?}") };
        assert!(["default", "another"].contains(&project.as_str()) && *allowed == [&*name], "{at}: {told:?}");
        assert!(told.unwrap_err().to_string().contains(&format!("use the project {name}, and not ")));
    }

    let inside = client.project(&name);
    // Not a matter of the project.
    let error = inside.create_project(&Project::new("x")).await.unwrap_err();
    assert!(error.to_string().starts_with("the server does not let this client do that: "), "{error}");
    assert!(inside.instances().with_state().await.unwrap().is_empty());
    assert!(inside.images().await.unwrap().iter().any(|i| i.aliases.iter().any(|a| a.name == "busybox")));
    let mut events = inside.events(&[EventKind::Lifecycle, EventKind::Operation]).await.unwrap();
    let instance = inside.launch(&NewInstance::from_alias("i", "busybox")).await.unwrap();
    loop {
        match events.next().await.unwrap() {
            Event::Lifecycle(event) if event.action == "instance-started" => {
                break assert_eq!(event.project, name);
            }
            _ => {}
        }
    }
    assert_eq!(inside.instances().with_state().await.unwrap()[0].status, "Running");
    assert_eq!(instance.get_full().await.unwrap().project, name);
    assert_eq!(instance.exec(["echo", "in"]).output().await.unwrap().stdout, "in\n");
    let recorded = instance.exec(["echo", "recorded"]).record().await.unwrap();
    assert!(recorded.status.success());
    let files = instance.files();
    files.write("/root/f", &b"x"[..], &FileOptions::default()).await.unwrap();
    assert!(matches!(files.read("/root").await.unwrap(), Entry::Directory(_, names) if names == ["f"]));
    let here = tempfile::tempdir().unwrap();
    files.pull("/root", &here.path().join("to"), |_| ()).await.unwrap();
    files.push(&here.path().join("to"), "/root/back", &Default::default(), |_| ()).await.unwrap();
    assert_eq!(files.info("/root/back/f").await.unwrap().mode, files.info("/root/f").await.unwrap().mode);
    inside.profiles().await.unwrap();
    inside.networks().await.unwrap();
    inside.operations().await.unwrap();
    client.resources().await.unwrap();
    client.projects().await.unwrap();
    client.cluster().await.unwrap();
    // While `files` is there: LXD 5.0 stops no instance in which an SFTP session is open.
    instance.delete_forced().await.unwrap();
    certificate.delete().await.unwrap();
    local().project_named(&name).delete().await.unwrap();
}

use lxd_client::{
    Alias, Certificate, Cluster, Error, Filter, Identity, Image, Instance, Network, Profile, Project,
    ProjectState, Server, StoragePool, Volume, Warning,
};
use serde_json::{Value, json};

use crate::common::{address, fresh, local, remote};
use crate::to::To;

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn the_machine_its_figures_and_its_configuration_are_read() {
    let client = remote().await;
    let resources = client.resources().await.unwrap();
    assert!(resources.cpu.total > 0 && resources.memory.total > resources.memory.used, "{resources:?}");
    let metrics = client.metrics().await.unwrap();
    assert!(metrics.contains("cpu_seconds_total"), "{metrics}");
    assert_eq!(client.api_versions().await.unwrap(), ["/1.0"]);

    let mut config = client.server_config().await.unwrap();
    config.value.insert("user.mark".to_owned(), "1".into());
    client.update_server_config(&config).await.unwrap();
    assert!(client.update_server_config(&config).await.unwrap_err().is_changed_meanwhile());
    let unset = json!({"user.mark": ""}).as_object().unwrap().clone();
    client.patch_server_config(&unset).await.unwrap();
    assert!(!client.server_config().await.unwrap().contains_key("user.mark"));
}

/// Everything that was read is there again; what is empty may have been absent or `null`.
fn assert_holds(written: &Value, read: &Value, place: &str) {
    match (written, read) {
        (Value::Object(written), Value::Object(read)) => {
            for (key, read) in read {
                let place = format!("{place}/{key}");
                let written = written.get(key).unwrap_or_else(|| panic!("{place} is lost: {read}"));
                assert_holds(written, read, &place);
            }
        }
        (Value::Array(written), Value::Array(read)) => {
            assert_eq!(written.len(), read.len(), "{place}");
            written.iter().zip(read).for_each(|(written, read)| assert_holds(written, read, place));
        }
        (_, Value::Null) => {}
        (written, read) => assert_eq!(written, read, "{place}"),
    }
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn what_is_read_is_written_again_as_the_server_said_it() {
    let client = remote().await;
    let fingerprint = client.images().names().await.unwrap().remove(0);
    macro_rules! holds {
        ($($type:ty: $path:expr;)+) => {$(
            let read: Value = client.get($path).fetch().await.unwrap();
            let typed: $type = serde_json::from_value(read.clone()).unwrap();
            assert_holds(&serde_json::to_value(typed).unwrap(), &read, stringify!($type));
        )+};
    }
    holds! {
        Server: "/1.0";
        Instance: ["instances", "c1"];
        Profile: ["profiles", "default"];
        Project: ["projects", "default"];
        ProjectState: ["projects", "default", "state"];
        Image: ["images", &fingerprint];
        Alias: ["images", "aliases", "busybox"];
        Network: ["networks", "lo"];
        StoragePool: ["storage-pools", "default"];
        Volume: ["storage-pools", "default", "volumes", "container", "c1"];
        Cluster: "/1.0/cluster";
        Vec<Certificate>: "/1.0/certificates?recursion=1";
        Vec<Warning>: "/1.0/warnings?recursion=1";
    }
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_certificate_is_trusted_read_changed_and_forgotten() {
    let client = remote().await;
    let (certificate, key) = Identity::generate_pem("other").unwrap();
    let fingerprint = Identity::from_pem(&certificate, &key).unwrap().fingerprint();
    let name = fresh("certificate");
    let new = Certificate::new(&name, &certificate).restricted_to(["default"]);
    client.create_certificate(&new).await.unwrap();
    assert!(client.create_certificate(&new).await.unwrap_err().is_conflict());
    let listed = client.certificates().await.unwrap();
    assert!(listed.iter().any(|c| c.name == name && c.fingerprint == fingerprint.to_string()));
    let handle = client.certificate(&fingerprint);
    let mut read = handle.get().await.unwrap();
    assert!(read.restricted && read.projects == ["default"], "{read:?}");
    let other = fresh("certificate");
    read.name.clone_from(&other);
    handle.update(&read).await.unwrap();
    handle.patch(&json!({"restricted": false})).await.unwrap();
    let changed = handle.get().await.unwrap();
    assert!(changed.name == other && !changed.restricted, "{changed:?}");
    handle.delete().await.unwrap();
    assert!(handle.get().await.unwrap_err().is_not_found());
    let wrong = Certificate::new("x", "not PEM");
    assert!(matches!(client.create_certificate(&wrong).await, Err(Error::Config { .. })));
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_token_that_this_client_made_lets_another_client_in_once() {
    let token = local().create_trust_token(&fresh("token"), None).await.unwrap();
    let tokens = local().trust_tokens().await.unwrap();
    let pending = tokens.iter().find(|pending| pending.token == token).unwrap();
    assert_eq!((pending.token.client_name(), &pending.expires_at), (token.client_name(), &None));
    let (addr, _) = address().await;
    let newcomer = |identity| {
        lxd_client::Client::builder("https://cloud.example.ts.net:8443".parse().unwrap(), To(addr))
            .trust(lxd_client::ServerTrust::Fingerprint(token.fingerprint()))
            .identity(identity)
            .build()
            .unwrap()
    };
    let identity = || {
        let (certificate, key) = Identity::generate_pem("newcomer").unwrap();
        Identity::from_pem(&certificate, &key).unwrap()
    };
    let first = identity();
    let fingerprint = first.fingerprint();
    let client = newcomer(first);
    assert!(client.instances().await.unwrap_err().is_not_trusted());
    client.trust(&token).await.unwrap();
    assert!(client.instances().await.is_ok());
    let late = newcomer(identity());
    assert!(matches!(late.trust(&token).await.unwrap_err(), Error::TokenRefused { .. }));
    local().certificate(&fingerprint).delete().await.unwrap();
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_warning_is_acknowledged_and_deleted() {
    let client = remote().await;
    // A machine such as this one lacks something that the server warns of.
    let warnings = client.warnings().await.unwrap();
    let warning = warnings.first().expect("the server has no warning");
    let handle = client.warning(&warning.uuid);
    handle.acknowledge().await.unwrap();
    let mut read = handle.get().await.unwrap();
    assert_eq!(read.status, "acknowledged");
    let narrowed = client.warnings().filter(Filter::eq("status", "acknowledged")).await.unwrap();
    assert!(narrowed.iter().any(|w| w.uuid == warning.uuid), "{narrowed:?}");
    read.status = "new".to_owned();
    handle.update(&read).await.unwrap();
    assert_eq!(handle.get().await.unwrap().status, "new");
    handle.delete().await.unwrap();
    assert!(handle.get().await.unwrap_err().is_not_found());
}

#[tokio::test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_server_that_is_in_no_cluster_says_so() {
    let client = remote().await;
    let cluster = client.cluster().await.unwrap();
    assert!(!cluster.enabled, "{cluster:?}");
    assert!(matches!(client.cluster_members().await.unwrap_err(), Error::Api { .. }));
}

#[tokio::test]
#[cfg_attr(not(real_incus), ignore = "needs a newer server: see .ci/with-incus")]
async fn what_newer_servers_have_is_read() {
    let client = remote().await;
    assert!(client.server().await.unwrap().is_incus());
    let settings = client.configuration_metadata().await.unwrap();
    assert!(settings.contains_key("configs"), "{:?}", settings.keys());
    let name = fresh("br");
    let mut network = lxd_client::Network::new(&name);
    network.config.insert("ipv4.address".to_owned(), "198.18.93.1/24".to_owned());
    client.create_network(&network).await.unwrap();
    let taken = client.network_allocations().await.unwrap();
    assert!(taken.iter().any(|a| a.address.starts_with("198.18.93.")), "{taken:?}");
    // Only OVN has them, and Incus says so.
    let network = client.network(&name);
    let balancer = lxd_client::NetworkLoadBalancer::new("198.18.93.7");
    assert!(matches!(network.create_load_balancer(&balancer).await, Err(Error::Api { .. })));
    network.delete().await.unwrap();
}

#[tokio::test]
#[cfg_attr(not(real_incus), ignore = "needs a newer server: see .ci/with-incus")]
async fn an_instance_is_rebuilt_from_its_image() {
    let client = remote().await;
    let name = fresh("rebuild");
    let new = lxd_client::NewInstance::from_alias(&name, "busybox");
    client.create_instance(&new).await.unwrap().wait().await.unwrap();
    let instance = client.instance(&name);
    let files = instance.files();
    files.write("/root/mine", &b"x"[..], &lxd_client::FileOptions::default()).await.unwrap();
    let source = json!({"type": "image", "alias": "busybox"});
    instance.rebuild(&source).await.unwrap().wait().await.unwrap();
    assert!(files.info("/root/mine").await.unwrap_err().is_not_found());
    instance.delete_forced().await.unwrap();
}

/// Incus accepts no connection to its Unix socket while one has sent nothing.
#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD or Incus: see .ci/with-lxd")]
async fn a_client_of_the_servers_own_socket_shuts_out_nobody() {
    let client = local();
    for at_once in 1..=30 {
        let asking = (0..at_once).map(|_| client.server());
        futures_util::future::try_join_all(asking).await.unwrap();
        assert!(client.instance("missing").exec(["true"]).output().await.unwrap_err().is_not_found());
        local().server().await.expect("others are shut out");
    }
}

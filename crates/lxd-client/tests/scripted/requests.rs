//! What is sent, and what is made of the answers, where no server at hand has the thing: OVN, clusters, and what
//! newer servers have.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lxd_client::{
    Bucket, BucketKey, Client, ClusterGroup, Error, Evacuation, NetworkLoadBalancer, NetworkPeer,
    NewInstance, NewSnapshot, VolumeKind,
};
use serde_json::{Value, json};

use crate::server::{error, operation_with, sync, unix};

/// Requests as they came: `METHOD path?query body`.
type Log = Arc<Mutex<Vec<String>>>;

/// A server with these extensions, which answers each request with what fits its method and path.
async fn server(
    extensions: &'static [&'static str],
    answers: &[(&'static str, &'static str, &'static str)],
) -> (tempfile::TempDir, Client, Log) {
    let (log, answers) = (Log::default(), answers.to_vec());
    let seen = Arc::clone(&log);
    let (folder, client) = unix(move |asked| {
        if asked.is("GET", "/1.0") {
            let environment = json!({"server": "lxd"});
            return sync(
                json!({"api_extensions": extensions, "auth": "trusted", "environment": environment}),
            );
        }
        let query = if asked.query.is_empty() { String::new() } else { format!("?{}", asked.query) };
        let body = String::from_utf8_lossy(&asked.body);
        let line = format!("{} {}{query} {body}", asked.method, asked.path);
        seen.lock().unwrap().push(line.trim_end().to_owned());
        let answer = answers.iter().find(|(method, path, _)| asked.is(method, path));
        match answer {
            Some((_, _, "operation")) => operation_with("op", json!({"secret": "hush", "fingerprint": "ab"})),
            Some((_, _, json)) => sync(serde_json::from_str(json).unwrap()),
            None => error(404, 404, "not found"),
        }
    })
    .await;
    (folder, client, log)
}

fn sent(log: &Log) -> Vec<String> {
    std::mem::take(&mut log.lock().unwrap())
}

#[tokio::test]
async fn the_peers_of_a_network() {
    let path = "/1.0/networks/ovn/peers/p";
    let peer =
        r#"{"name":"p","target_project":"web","target_network":"other","status":"Pending","config":null}"#;
    let list = r#"[{"name":"p","target_network":"other"}]"#;
    let (_folder, client, log) = server(
        &[],
        &[
            ("GET", "/1.0/networks/ovn/peers", list),
            ("POST", "/1.0/networks/ovn/peers", "null"),
            ("GET", path, peer),
            ("PUT", path, "null"),
            ("PATCH", path, "null"),
            ("DELETE", path, "null"),
        ],
    )
    .await;
    let network = client.network("ovn");
    assert_eq!(network.peers().await.unwrap()[0].target_network, "other");
    network.create_peer(&NetworkPeer::new("p", "web", "other")).await.unwrap();
    let handle = network.peer("p");
    let read = handle.get().await.unwrap();
    assert_eq!((&*read.status, read.config.len()), ("Pending", 0));
    handle.update(&read).await.unwrap();
    handle.patch(&json!({"description": "d"})).await.unwrap();
    handle.delete().await.unwrap();
    let body = r#"{"name":"p","description":"","config":{},"target_project":"web","target_network":"other"}"#;
    assert_eq!(
        sent(&log),
        [
            "GET /1.0/networks/ovn/peers?recursion=1".to_owned(),
            format!("POST /1.0/networks/ovn/peers {body}"),
            format!("GET {path}"),
            format!("PUT {path} {body}"),
            format!("PATCH {path} {}", r#"{"description":"d"}"#),
            format!("DELETE {path}"),
        ]
    );
}

#[tokio::test]
async fn instances_and_snapshots_are_made_with_what_was_asked_for() {
    let path = "/1.0/instances/i";
    let (_folder, client, log) = server(
        &[],
        &[
            ("POST", "/1.0/instances", "null"),
            ("POST", "/1.0/instances/i/snapshots", "null"),
            ("PUT", path, "null"),
        ],
    )
    .await;
    client.create_instance(&NewInstance::empty("i").instance_type("c2-m4")).await.unwrap();
    let instance = client.instance("i");
    let never = NewSnapshot { expires_at: Some("0001-01-01T00:00:00Z".to_owned()), ..NewSnapshot::default() };
    instance.create_snapshot_as(&never).await.unwrap();
    instance.create_snapshot("s", true).await.unwrap();
    instance.restore_stateful("s").await.unwrap();
    assert_eq!(
        sent(&log),
        [
            r#"POST /1.0/instances {"name":"i","source":{"type":"none"},"instance_type":"c2-m4","ephemeral":false}"#.to_owned(),
            format!(r#"POST {path}/snapshots {{"stateful":false,"expires_at":"0001-01-01T00:00:00Z"}}"#),
            format!(r#"POST {path}/snapshots {{"name":"s","stateful":true}}"#),
            format!(r#"PUT {path} {{"restore":"s","stateful":true}}"#),
        ]
    );
}

#[tokio::test]
async fn a_load_balancer_is_sent_to_servers_that_have_them_only() {
    let path = "/1.0/networks/ovn/load-balancers/192.0.2.1";
    let answers: &'static [_] = &[
        (
            "GET",
            "/1.0/networks/ovn/load-balancers/192.0.2.1",
            r#"{"listen_address":"192.0.2.1","backends":null}"#,
        ),
        ("POST", "/1.0/networks/ovn/load-balancers", "null"),
        ("DELETE", "/1.0/networks/ovn/load-balancers/192.0.2.1", "null"),
    ];
    let (_folder, client, log) = server(&["network_load_balancer"], answers).await;
    let network = client.network("ovn");
    network.create_load_balancer(&NetworkLoadBalancer::new("192.0.2.1")).await.unwrap();
    let balancer = network.load_balancer("192.0.2.1");
    assert!(balancer.get().await.unwrap().backends.is_empty());
    balancer.delete().await.unwrap();
    let sent = sent(&log);
    assert!(sent[0].starts_with("POST /1.0/networks/ovn/load-balancers {"), "{sent:?}");
    assert_eq!(sent[1..], [format!("GET {path}"), format!("DELETE {path}")]);

    let (_folder, client, log) = server(&[], answers).await;
    let network = client.network("ovn");
    for error in [
        network.load_balancers().await.unwrap_err(),
        network.load_balancer("192.0.2.1").delete().await.unwrap_err(),
        client.storage_pool("p").buckets().await.unwrap_err(),
        client.storage_pool("p").bucket("b").get().await.unwrap_err(),
        client.network_allocations().await.unwrap_err(),
        client.configuration_metadata().await.unwrap_err(),
        client.cluster_member("m").state().await.unwrap_err(),
    ] {
        assert!(matches!(error, Error::Unsupported { .. }), "{error:?}");
    }
    assert!(log.lock().unwrap().is_empty(), "{log:?}");
}

#[tokio::test]
async fn a_bucket_and_its_keys() {
    let path = "/1.0/storage-pools/p/buckets/b";
    let key = r#"{"name":"k","role":"admin","access-key":"id","secret-key":"hush"}"#;
    let (_folder, client, log) = server(
        &["storage_buckets"],
        &[
            ("POST", "/1.0/storage-pools/p/buckets", key),
            ("POST", "/1.0/storage-pools/p/buckets/b/keys", key),
            ("GET", "/1.0/storage-pools/p/buckets/b/keys", r#"[{"name":"k"}]"#),
            ("GET", path, r#"{"name":"b","s3_url":"https://192.0.2.1:9000/b"}"#),
            ("DELETE", "/1.0/storage-pools/p/buckets/b/keys/k", "null"),
        ],
    )
    .await;
    let pool = client.storage_pool("p");
    let admin = pool.create_bucket(&Bucket::new("b")).await.unwrap().unwrap();
    assert_eq!((&*admin.access_key, &*admin.secret_key), ("id", "hush"));
    assert!(!format!("{admin:?}").contains("hush"));
    let bucket = pool.bucket("b");
    assert_eq!(bucket.get().await.unwrap().s3_url, "https://192.0.2.1:9000/b");
    assert_eq!(bucket.create_key(&BucketKey::new("k", "read-only")).await.unwrap().name, "k");
    assert_eq!(bucket.keys().await.unwrap().len(), 1);
    bucket.key("k").delete().await.unwrap();
    assert_eq!(
        sent(&log),
        [
            r#"POST /1.0/storage-pools/p/buckets {"name":"b","description":"","config":{}}"#.to_owned(),
            format!("GET {path}"),
            format!("POST {path}/keys {}", r#"{"name":"k","description":"","role":"read-only"}"#),
            format!("GET {path}/keys?recursion=1"),
            format!("DELETE {path}/keys/k"),
        ]
    );
}

#[tokio::test]
async fn the_members_of_a_cluster() {
    let member =
        r#"{"server_name":"m","url":"https://192.0.2.1:8443","status":"Online","roles":null,"groups":["g"]}"#;
    let path = "/1.0/cluster/members/m";
    let (_folder, client, log) = server(
        &["cluster_member_state"],
        &[
            (
                "GET",
                "/1.0/cluster",
                r#"{"enabled":true,"server_name":"m","member_config":null,"cluster_address":"x"}"#,
            ),
            ("PUT", "/1.0/cluster", "operation"),
            ("PUT", "/1.0/cluster/certificate", "null"),
            ("GET", "/1.0/cluster/members", r#"[{"server_name":"m"}]"#),
            ("POST", "/1.0/cluster/members", "operation"),
            ("GET", path, member),
            ("PUT", path, "null"),
            ("POST", path, "null"),
            ("DELETE", path, "null"),
            (
                "GET",
                "/1.0/cluster/members/m/state",
                r#"{"storage_pools":{"p":{"space":{"used":1,"total":2}}}}"#,
            ),
            ("POST", "/1.0/cluster/members/m/state", "operation"),
        ],
    )
    .await;
    let cluster = client.cluster().await.unwrap();
    assert!(cluster.enabled && cluster.rest["cluster_address"] == "x", "{cluster:?}");
    drop(client.update_cluster(&cluster).await.unwrap());
    client.update_cluster_certificate("cert", "key").await.unwrap();
    assert_eq!(client.cluster_members().await.unwrap()[0].server_name, "m");
    let token = client.create_join_token("new").await.unwrap();
    assert!(!format!("{token:?}").contains(token.reveal()));
    let handle = client.cluster_member("m");
    let read = handle.get().await.unwrap();
    handle.update(&read).await.unwrap();
    handle.rename("n").await.unwrap();
    handle.delete_forced().await.unwrap();
    assert_eq!(handle.state().await.unwrap().storage_pools["p"].space.total, 2);
    drop(handle.change_state(Evacuation::Evacuate).await.unwrap());
    // How the operations go on is not what this is about.
    let sent: Vec<String> = sent(&log).into_iter().filter(|line| !line.contains("/operations/")).collect();
    assert_eq!(
        sent,
        [
            "GET /1.0/cluster",
            r#"PUT /1.0/cluster {"server_name":"m","enabled":true,"member_config":[],"cluster_address":"x"}"#,
            r#"PUT /1.0/cluster/certificate {"cluster_certificate":"cert","cluster_certificate_key":"key"}"#,
            "GET /1.0/cluster/members?recursion=1",
            r#"POST /1.0/cluster/members {"server_name":"new"}"#,
            "GET /1.0/cluster/members/m",
            r#"PUT /1.0/cluster/members/m {"description":"","failure_domain":"","roles":[],"groups":["g"],"config":{}}"#,
            r#"POST /1.0/cluster/members/m {"server_name":"n"}"#,
            "DELETE /1.0/cluster/members/m?force=1",
            "GET /1.0/cluster/members/m/state",
            r#"POST /1.0/cluster/members/m/state {"action":"evacuate"}"#,
        ]
    );
}

#[tokio::test]
async fn the_groups_of_a_cluster() {
    let path = "/1.0/cluster/groups/g";
    let (_folder, client, log) = server(
        &[],
        &[
            ("GET", "/1.0/cluster/groups", r#"[{"name":"g","members":null}]"#),
            ("POST", "/1.0/cluster/groups", "null"),
            ("GET", path, r#"{"name":"g","members":["m"]}"#),
            ("PUT", path, "null"),
            ("PATCH", path, "null"),
            ("POST", path, "null"),
            ("DELETE", path, "null"),
        ],
    )
    .await;
    assert!(client.cluster_groups().await.unwrap()[0].members.is_empty());
    client.create_cluster_group(&ClusterGroup::new("g", ["m"])).await.unwrap();
    let handle = client.cluster_group("g");
    let read = handle.get().await.unwrap();
    handle.update(&read).await.unwrap();
    handle.patch(&json!({"members": []})).await.unwrap();
    handle.rename("h").await.unwrap();
    handle.delete().await.unwrap();
    let body = r#"{"name":"g","description":"","members":["m"]}"#;
    assert_eq!(
        sent(&log),
        [
            "GET /1.0/cluster/groups?recursion=1".to_owned(),
            format!("POST /1.0/cluster/groups {body}"),
            format!("GET {path}"),
            format!("PUT {path} {body}"),
            format!("PATCH {path} {}", r#"{"members":[]}"#),
            format!("POST {path} {}", r#"{"name":"h"}"#),
            format!("DELETE {path}"),
        ]
    );
}

#[tokio::test]
async fn what_newer_servers_tell() {
    let (_folder, client, _) = server(
        &["network_allocations", "metadata_configuration", "instances_rebuild"],
        &[
            ("GET", "/1.0/network-allocations", r#"[{"addresses":"192.0.2.0/24","type":"network"}]"#),
            ("GET", "/1.0/metadata/configuration", r#"{"configs":{}}"#),
            ("POST", "/1.0/instances/c1/rebuild", "operation"),
            ("GET", "/1.0/storage-pools/p/volumes/custom/v/state", r#"{"usage":{"used":5,"total":9}}"#),
            ("GET", "/1.0/storage-pools/p/volumes/container/c/state", r#"{"usage":null}"#),
        ],
    )
    .await;
    assert_eq!(client.network_allocations().await.unwrap()[0].address, "192.0.2.0/24");
    assert!(client.configuration_metadata().await.unwrap().contains_key("configs"));
    let rebuild = client.instance("c1").rebuild(&json!({"type": "none"})).await.unwrap();
    assert_eq!(rebuild.begun_as().metadata["secret"], Value::from("hush"));
    let pool = client.storage_pool("p");
    assert_eq!(pool.custom_volume("v").state().await.unwrap().usage.total, 9);
    assert_eq!(pool.volume(VolumeKind::Container, "c").state().await.unwrap().usage.total, 0);
}

/// On its Unix socket Incus accepts no other connection while one has sent nothing, and so does this server: a
/// connection without a request would shut out everybody.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_to_a_unix_socket_is_made_only_to_send_at_once() {
    let (folder, client, _) = server(&[], &[("GET", "/1.0/warnings/w", r#"{"uuid":"w"}"#)]).await;
    let other = || Client::unix(&folder.path().join("unix.socket"), Duration::from_secs(10)).unwrap();
    let refused = client.instance("c1").exec(["true"]).output().await.unwrap_err();
    assert!(refused.is_not_found(), "{refused:?}");
    other().get(["warnings", "w"]).done().await.expect("a command that was refused shuts out others");
    for at_once in 1..=60 {
        let asking = (0..at_once).map(|_| client.get(["warnings", "w"]).done());
        futures_util::future::try_join_all(asking).await.unwrap();
        other().get(["warnings", "w"]).done().await.expect("requests at once shut out others");
    }
}

#[tokio::test]
async fn a_server_that_was_upgraded_is_asked_anew_before_it_is_said_to_lack_something() {
    let upgraded = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&upgraded);
    let (_folder, client) = unix(move |asked| match asked.path.as_str() {
        "/1.0" => {
            let extensions = if seen.load(Ordering::SeqCst) { json!(["new_thing"]) } else { json!([]) };
            sync(json!({"auth": "trusted", "api_extensions": extensions, "environment": {"server": "lxd"}}))
        }
        _ => sync(json!({"it": "works"})),
    })
    .await;
    let ask = || client.get(["thing"]).needs("new_thing").fetch::<serde_json::Value>();
    let error = ask().await.unwrap_err();
    assert!(matches!(error, Error::Unsupported { .. }), "{error:?}");
    upgraded.store(true, Ordering::SeqCst);
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(11)).await;
    tokio::time::resume();
    assert_eq!(ask().await.unwrap()["it"], "works");
}

#[tokio::test]
async fn the_whole_answer_is_a_result_an_operation_or_an_error() {
    let answers = [("GET", "/1.0/thing", r#"{"a":1}"#), ("POST", "/1.0/things", "operation")];
    let (_folder, client, _) = server(&[], &answers).await;
    let result = client.get(["thing"]).envelope().await.unwrap();
    assert_eq!((&result["type"], &result["metadata"]["a"]), (&"sync".into(), &1.into()), "{result}");
    let operation = client.post(["things"]).envelope().await.unwrap();
    assert_eq!(
        (&operation["type"], &operation["metadata"]["id"]),
        (&"async".into(), &"op".into()),
        "{operation}"
    );
    assert!(client.get(["nothing"]).envelope().await.unwrap_err().is_not_found());
}

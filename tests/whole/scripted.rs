//! The verbs on what no real server here is: an LXD 5.21 that is a cluster of three members, by a script.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use tailnet_sandbox::{Asked, Peer, StandIn};
use tokio::runtime::Runtime;

use crate::node::{Service, World, until};

const MEMBERS: [&str; 3] = ["m1", "m2", "m3"];

fn sync(metadata: Value) -> (u16, Value) {
    (200, json!({"type": "sync", "status": "Success", "status_code": 200, "metadata": metadata}))
}

/// An operation that has begun.
fn begun(id: &str) -> (u16, Value) {
    let operation = json!({
        "id": id, "class": "task", "status": "Running", "status_code": 103, "location": "m2",
        "resources": {"instances": ["/1.0/instances/web"]}, "metadata": null,
    });
    let path = format!("/1.0/operations/{id}");
    (
        202,
        json!({"type": "async", "status": "Operation created", "status_code": 100, "operation": path, "metadata": operation}),
    )
}

fn error(http: u16, code: u16, message: &str) -> (u16, Value) {
    (http, json!({"type": "error", "error": message, "error_code": code, "status": "", "status_code": 0}))
}

fn server() -> Value {
    let extensions = [
        "clustering",
        "cluster_member_state",
        "clustering_groups",
        "event_lifecycle_requestor",
        "explicit_trust_token",
        "images_all_projects",
        "instance_all_projects",
        "instances_rebuild",
        "network_load_balancer",
        "networks_all_projects",
        "operations_get_query_all_projects",
        "projects",
        "storage_buckets",
    ];
    json!({
        "api_extensions": extensions, "api_status": "stable", "api_version": "1.0", "auth": "trusted", "public": false,
        "auth_methods": ["tls"], "auth_user_method": "tls", "auth_user_name": "0123", "client_certificate": true,
        "config": {"core.https_address": ":8443", "cluster.https_address": "192.0.2.1:8443"},
        "environment": {
            "server": "lxd", "server_name": "m1", "server_version": "5.21.3", "server_clustered": true,
            "server_lts": true, "server_event_mode": "full-mesh", "project": "default", "storage": "zfs",
        },
    })
}

fn instance(name: &str, location: &str, status: &str) -> Value {
    json!({
        "name": name, "location": location, "status": status, "status_code": if status == "Running" { 103 } else { 102 },
        "type": "container", "architecture": "x86_64", "project": "default", "profiles": ["default"], "stateful": false,
        "ephemeral": false, "description": "", "created_at": "2026-01-02T03:04:05Z",
        "last_used_at": "2026-01-02T03:04:05Z", "config": {"volatile.uuid": name}, "devices": {},
        "expanded_config": {}, "expanded_devices": {"root": {"type": "disk", "path": "/", "pool": "local"}},
        "backups": null, "snapshots": null, "state": {"status": status, "pid": 7, "processes": 3, "cpu": {"usage": 9}},
    })
}

fn members() -> Vec<Value> {
    let member = |name: &&str| {
        json!({
            "server_name": name, "url": format!("https://{name}:8443"), "database": true, "roles": ["database"],
            "architecture": "x86_64", "failure_domain": "default", "description": "", "status": "Online",
            "message": "Fully operational", "config": {}, "groups": ["default"],
        })
    };
    MEMBERS.iter().map(member).collect()
}

fn networks() -> Value {
    json!([
        {"name": "eth0", "type": "physical", "managed": false, "status": "", "config": {}, "used_by": null,
         "description": "", "locations": null, "project": "default"},
        {"name": "ovn1", "type": "ovn", "managed": true, "status": "Created", "project": "default", "description": "inner",
         "config": {"ipv4.address": "10.9.0.1/24", "network": "UPLINK"}, "locations": MEMBERS,
         "used_by": ["/1.0/instances/web"]},
    ])
}

fn balancer() -> Value {
    json!({
        "listen_address": "192.0.2.9", "description": "", "config": {}, "location": "", "backends":
            [{"name": "b1", "description": "", "target_address": "10.9.0.5", "target_port": "80"}],
        "ports": [{"protocol": "tcp", "listen_port": "80", "target_backend": ["b1"], "description": ""}],
    })
}

/// What the server answers.
fn answer(asked: &Asked) -> (u16, Value) {
    let path = asked.path.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.trim_start_matches("/1.0").trim_matches('/').split('/').collect();
    match (asked.method.as_str(), &parts[..]) {
        ("GET", [""]) => sync(server()),
        ("GET", ["projects"]) => sync(json!([{"name": "default", "config": {"features.images": "true"}}])),
        ("GET", ["instances"]) => {
            sync(json!([instance("db", "m3", "Stopped"), instance("web", "m2", "Running")]))
        }
        ("GET", ["instances", "web"]) => sync(instance("web", "m2", "Running")),
        ("GET", ["instances", "db"]) => sync(instance("db", "m3", "Stopped")),
        ("GET", ["instances", "web", "state"]) => sync(json!({"status": "Running", "status_code": 103})),
        ("GET", ["instances", "db", "state"]) => sync(json!({"status": "Stopped", "status_code": 102})),
        ("GET", ["instances", _, "snapshots"]) => sync(json!([])),
        ("GET", ["cluster"]) => sync(json!({"enabled": true, "server_name": "m1", "member_config": []})),
        ("GET", ["cluster", "members"]) => sync(members().into()),
        ("GET", ["cluster", "members", name]) => members()
            .into_iter()
            .find(|member| member["server_name"] == **name)
            .map_or_else(|| error(404, 404, "not found"), sync),
        ("GET", ["cluster", "groups"]) => {
            sync(json!([{"name": "default", "description": "Default cluster group", "members": MEMBERS}]))
        }
        ("GET", ["images"]) => sync(json!([{
            "fingerprint": "d52ac81e04ae", "type": "container", "architecture": "x86_64", "public": false, "cached": false,
            "size": 1000, "project": "default", "properties": {"description": "Debian"}, "auto_update": false,
            "aliases": [{"name": "debian", "description": ""}], "uploaded_at": "2026-01-02T03:04:05Z", "profiles": ["default"],
        }])),
        ("GET", ["images", "aliases", "debian"]) => {
            sync(json!({"name": "debian", "target": "d52ac81e04ae", "type": "container", "description": ""}))
        }
        ("GET", ["networks"]) => sync(networks()),
        ("GET", ["networks", "ovn1", "load-balancers"]) => sync(json!([balancer()])),
        ("GET", ["networks", "ovn1", "load-balancers", _]) => sync(balancer()),
        ("GET", ["profiles"]) => sync(json!([{"name": "default", "config": {},
            "devices": {"root": {"type": "disk", "path": "/", "pool": "local"}}}])),
        ("GET", ["storage-pools"]) => sync(json!(["/1.0/storage-pools/local"])),
        ("GET", ["operations"]) => sync(json!({})),
        // A failed operation is an error of its own there, behind the status 200.
        ("GET", ["operations", "refused", "wait"]) => error(
            200,
            400,
            "Failed creating instance record: Instance \"copy\" exceeds the limit of project \"default\"",
        ),
        ("GET", ["operations", "refused"]) => error(404, 404, "Operation not found"),
        ("GET", ["operations", id, ..]) => sync(json!({
            "id": id, "class": "task", "status": "Success", "status_code": 200, "location": "m2", "resources": null,
            "metadata": null, "err": "",
        })),
        ("POST", ["instances"]) if asked.body["name"] == "copy" => begun("refused"),
        ("POST", ["instances"]) => begun("made"),
        ("PUT" | "PATCH" | "POST", ["instances", ..]) => begun("done"),
        ("PUT" | "PATCH", ["networks", ..]) => sync(Value::Null),
        ("POST", ["cluster", "members", _, "state"]) => begun("done"),
        ("DELETE", ["cluster", "members", _]) => sync(Value::Null),
        (method, _) => error(404, 404, &format!("{method} {path} is not in the script")),
    }
}

/// A node with the cluster as the cloud `oslo`.
struct Cluster {
    world: World,
    service: Service,
    asked: Arc<Mutex<Vec<Asked>>>,
    _server: StandIn,
    _runtime: Runtime,
}

impl Cluster {
    fn start() -> Cluster {
        let runtime = Runtime::new().unwrap();
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let seen = Arc::clone(&asked);
        let server = runtime.block_on(StandIn::scripted(move |asked| {
            seen.lock().unwrap_or_else(PoisonError::into_inner).push(asked.clone());
            answer(asked)
        }));
        let server = server.unwrap();
        let world = World::with([Peer::new("oslo").forward(8443, server.addr())]);
        world.configure(&format!(
            "local: {{listen: none}}\nclouds:\n  - {{name: oslo, address: 'oslo:8443', trust: {{fingerprint: {}}}}}\n",
            server.fingerprint()
        ));
        let mut service = world.start();
        service.joins();
        Cluster { world, service, asked, _server: server, _runtime: runtime }
    }

    /// What was asked for with one of these methods since the last time.
    fn asked(&self, methods: &[&str]) -> Vec<Asked> {
        let all = std::mem::take(&mut *self.asked.lock().unwrap_or_else(PoisonError::into_inner));
        all.into_iter().filter(|asked| methods.contains(&asked.method.as_str())).collect()
    }

    /// What a command changes: the method and the path of its single request, and the body.
    fn changes(&self, arguments: &[&str]) -> (String, Value) {
        self.asked(&[]);
        self.world.good(&[&["lxd"], arguments].concat());
        let asked = self.asked(&["POST", "PUT", "PATCH", "DELETE"]);
        assert_eq!(asked.len(), 1, "{arguments:?}: {asked:?}");
        (format!("{} {}", asked[0].method, asked[0].path), asked[0].body.clone())
    }
}

#[test]
fn the_verbs_work_on_a_cluster_of_lxd_5_21() {
    let cluster = Cluster::start();
    let world = &cluster.world;
    let csv = |arguments: &[&str]| world.good(&[&["lxd"], arguments, &["-f", "csv"]].concat());

    // The column with the members comes by itself.
    let list = || world.run(&["lxd", "list"]).stdout;
    let table = until(list, |table| table.contains("web"));
    assert!(table.lines().next().unwrap().ends_with("LOCATION"), "{table}");
    let table: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!((table[1].last(), table[2].last()), (Some(&"m3"), Some(&"m2")));
    assert_eq!(csv(&["list", "-c", "rnsL", "location=m2"]), "oslo,web,RUNNING,m2\n");
    let info = world.good(&["lxd", "info", "web"]);
    assert!(info.contains("\nLocation: m2\n"), "{info}");
    assert_eq!(world.json(&["lxd", "info", "oslo:"])["version"], "5.21.3");

    let listed = csv(&["cluster", "list"]);
    let members: Vec<&str> = listed.lines().filter_map(|line| line.split(',').nth(1)).collect();
    assert_eq!(members, MEMBERS, "{listed}");
    assert!(world.good(&["lxd", "cluster", "show", "m2"]).contains("server_name: m2"));
    assert_eq!(csv(&["cluster", "group", "list"]), "oslo,default,Default cluster group,3\n");
    assert_eq!(csv(&["image", "list", "-c", "lfa"]), "debian,d52ac81e04ae,x86_64\n");
    assert_eq!(
        csv(&["network", "list"]),
        "oslo,eth0,physical,NO,,,,0,\noslo,ovn1,ovn,YES,10.9.0.1/24,,inner,1,CREATED\n"
    );
    assert_eq!(csv(&["network", "load-balancer", "list", "ovn1"]), "oslo,192.0.2.9,,1,1\n");

    for (arguments, request, field, value) in [
        (&["start", "db"][..], "PUT /1.0/instances/db/state", "action", json!("start")),
        (&["stop", "web", "--force"], "PUT /1.0/instances/web/state", "force", json!(true)),
        (&["snapshot", "web", "s"], "POST /1.0/instances/web/snapshots", "name", json!("s")),
        (&["init", "debian", "new", "--target", "m3"], "POST /1.0/instances?target=m3", "name", json!("new")),
        (
            &["init", "--empty", "new", "--target", "@default"],
            "POST /1.0/instances?target=%40default",
            "name",
            json!("new"),
        ),
        (&["move", "web", "--target", "m1"], "POST /1.0/instances/web?target=m1", "name", json!("web")),
        (
            &["cluster", "remove", "m3", "--force"],
            "DELETE /1.0/cluster/members/m3?force=1",
            "none",
            Value::Null,
        ),
        (&["cluster", "evacuate", "m2"], "POST /1.0/cluster/members/m2/state", "action", json!("evacuate")),
        (
            &["cluster", "restore", "m2", "--force"],
            "POST /1.0/cluster/members/m2/state",
            "action",
            json!("restore"),
        ),
    ] {
        let (asked, body) = cluster.changes(arguments);
        assert_eq!((asked.as_str(), &body[field]), (request, &value), "{body}");
    }
    let (_, body) = cluster.changes(&["config", "set", "web", "limits.cpu=2"]);
    assert_eq!(body["config"]["limits.cpu"], "2");
    let balancer = "/1.0/networks/ovn1/load-balancers/192.0.2.9";
    for (verb, list, items) in [
        (&["backend", "add", "ovn1", "192.0.2.9", "b2", "10.9.0.6", "81"][..], "backends", 2),
        (&["backend", "remove", "ovn1", "192.0.2.9", "b1"], "backends", 0),
        (&["port", "add", "ovn1", "192.0.2.9", "tcp", "443", "b1"], "ports", 2),
        (&["port", "remove", "ovn1", "192.0.2.9", "tcp"], "ports", 0),
    ] {
        let (asked, body) = cluster.changes(&[&["network", "load-balancer"], verb].concat());
        let items_now = body[list].as_array().map(Vec::len);
        assert_eq!((asked.as_str(), items_now), (format!("PUT {balancer}").as_str(), Some(items)), "{body}");
    }

    let refused = world.run(&["lxd", "copy", "db", "copy"]);
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    assert!(refused.stderr.contains("exceeds the limit of project"), "{}", refused.stderr);
    cluster.service.ends_on("TERM");
}

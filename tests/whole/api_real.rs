//! The API over a real server, LXD or Incus: the one of `LXD_DIR`.

use std::cell::RefCell;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use lxd_client::{Client, NewInstance};
use serde_json::{Value, json};
use tailnet_sandbox::Peer;

use crate::api::{NODE, Person};
use crate::clouds::{block_on, is_incus, local};
use crate::node::{Service, World, until};
use crate::program::HANG;

const OTHER: &str = "/api/v1/clouds/second/projects/default";
pub(crate) const PROJECT: &str = "/api/v1/clouds/real/projects/default";

/// A name that no other test uses.
pub(crate) fn fresh(name: &str) -> String {
    format!("api-{name}-{}", std::process::id())
}

/// A tailnet in which `alice` may do everything and `bob` may only look, and the server is the cloud `real`.
pub(crate) fn world() -> (World, Service, Person, Person) {
    world_of(&[("real", local())])
}

/// The same with these servers as clouds.
fn world_of(servers: &[(&str, Client)]) -> (World, Service, Person, Person) {
    let mut peers: Vec<Peer> = ["alice", "bob"].map(|name| Peer::new(name).socks5()).into();
    let kind = if is_incus() { "incus" } else { "lxd" };
    let (mut clouds, mut tokens) = (String::new(), Vec::new());
    for (name, client) in servers {
        let (server, token) = block_on(async {
            (client.server().await.unwrap(), client.create_trust_token("test", None).await.unwrap())
        });
        let address = server.config["core.https_address"].as_str().unwrap().parse().unwrap();
        peers.push(Peer::new(format!("lxd-{name}")).forward(8443, address));
        clouds += &format!(
            "  - {{name: {name}, kind: {kind}, address: 'lxd-{name}:8443', trust: {{token: 'file:{name}.token'}}, \
             checks: {{silence: 20, timeout: 3}}}}\n"
        );
        tokens.push((format!("{name}.token"), token));
    }
    let world = World::with(peers);
    world.give_users(&["alice", "bob"]);
    for (name, token) in tokens {
        world.write(&name, token.reveal());
    }
    world.configure(&format!(
        "local: {{listen: none}}
tailnet:
  listen: 80
  access:
    - {{who: ['user:alice@example.com'], clouds: [real, second], projects: ['*'], verbs: [view, operate, edit, exec, metrics, admin]}}
    - {{who: ['user:bob@example.com'], clouds: [real], projects: [default], verbs: [view]}}
clouds:
{clouds}"
    ));
    let mut service = world.start();
    service.says("the API is served at http://the node:80");
    let (alice, bob) = (Person::of(&world, "alice"), Person::of(&world, "bob"));
    until(
        || alice.get("/api/v1/instances").is(200)["clouds"].clone(),
        |clouds| clouds.as_array().unwrap().iter().all(|cloud| cloud["state"] == "fresh"),
    );
    (world, service, alice, bob)
}

/// An instance of a test's own, which does not run.
pub(crate) struct Own(pub(crate) String);

impl Own {
    pub(crate) fn new(name: &str) -> Own {
        let name = fresh(name);
        block_on(async {
            let made = local().create_instance(&NewInstance::from_alias(&name, "busybox")).await;
            made.unwrap().wait().await.unwrap();
        });
        Own(name)
    }

    /// One that runs.
    pub(crate) fn running(name: &str) -> Own {
        let own = Own::new(name);
        block_on(async { local().instance(&own.0).start().await.unwrap().wait().await.unwrap() });
        own
    }

    pub(crate) fn path(&self) -> String {
        format!("{PROJECT}/instances/{}", self.0)
    }
}

impl Drop for Own {
    /// An instance cannot be deleted while an operation on it is at its end.
    fn drop(&mut self) {
        for _ in 0..20 {
            match block_on(local().instance(&self.0).delete_forced()) {
                Err(error) if !error.is_not_found() => std::thread::sleep(Duration::from_millis(500)),
                _ => return,
            }
        }
    }
}

/// Who follows the events; the data of each.
struct Follower {
    child: Child,
    data: Receiver<Value>,
    /// What came so far.
    seen: RefCell<Vec<Value>>,
}

impl Follower {
    fn of(person: &Person) -> Follower {
        let mut curl = person.curl();
        curl.args(["-N", &format!("http://{NODE}/api/v1/events")]).stdout(Stdio::piped());
        let mut child = curl.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        assert_eq!(lines.next().as_deref(), Some("retry: 2000"));
        let (sender, data) = channel();
        std::thread::spawn(move || {
            for line in lines {
                if let Some(json) = line.strip_prefix("data: ") {
                    let _ = sender.send(serde_json::from_str(json).unwrap());
                }
            }
        });
        Follower { child, data, seen: RefCell::default() }
    }

    /// Waits for a change that is the right one, unless it came already.
    fn sees(&self, right: impl Fn(&Value) -> bool) {
        while !self.seen.borrow().iter().any(&right) {
            let changes = self.data.recv_timeout(HANG).expect("it never comes");
            self.seen.borrow_mut().extend(changes.as_array().into_iter().flatten().cloned());
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn instance<'a>(name: &'a str, status: &'a str) -> impl Fn(&Value) -> bool {
    move |change| {
        change["kind"] == "instance" && change["row"]["name"] == name && change["row"]["status"] == status
    }
}

/// What the audit has of an object, oldest first: the action and the result.
fn audit(admin: &Person, object: &str) -> Vec<(String, String)> {
    let records = admin.get(&format!("/api/v1/audit?object={object}")).is(200);
    let text = |record: &Value, field: &str| record[field].as_str().unwrap().to_owned();
    let records = records["items"].as_array().unwrap().iter().rev();
    records.map(|record| (text(record, "action"), text(record, "result"))).collect()
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn an_instance_lives_by_the_api_and_each_change_is_an_event_and_a_record() {
    let (world, _service, alice, bob) = world();
    let events = Follower::of(&bob);
    let name = fresh("life");
    let own = Own(name.clone());
    let path = own.path();
    let wait = |method: &str, url: &str, body: &Value| {
        let body = body.to_string();
        let json = ["-H", "content-type: application/json", "-H", "prefer: wait=60"];
        let answer = alice.ask(url, &[&["-X", method, "-d", &body][..], &json].concat());
        let job = answer.is(200);
        assert_eq!(job["status"], "done", "{job}");
        job["parts"][0].clone()
    };

    let new = json!({"name": name, "origin": {"image": "busybox"}, "config": {"user.secret": "hush"}});
    let made = wait("POST", &format!("{PROJECT}/instances"), &new);
    assert_eq!(made["result"]["name"], *name);
    events.sees(instance(&name, "Stopped"));

    // It is begun, and can be asked for at every node.
    let begun = alice.send("PUT", &format!("{path}/state"), &json!({"action": "start"}));
    let place = begun.header("location").unwrap().to_owned();
    if begun.status == 202 {
        assert!(place.starts_with("/api/v1/clouds/real/operations/"), "{begun:?}");
        until(|| alice.get(&place).json()["status"].clone(), |status| *status == "Success");
        let operation = alice.get(&place).is(200);
        assert_eq!(operation["by"]["login"], "alice@example.com", "{operation}");
    }
    events.sees(instance(&name, "Running"));
    events.sees(|change| change["kind"] == "operation" && change["row"]["status"] == "Success");

    let snapshot = wait("POST", &format!("{path}/snapshots"), &json!({"name": "s0"}));
    assert_eq!(snapshot["result"]["name"], "s0");
    wait("POST", &format!("{path}/snapshots/s0/restore"), &json!({}));
    wait("POST", &format!("{path}/snapshots/s0"), &json!({"name": "s1"}));

    // Whoever may only look does not see what may be a secret.
    let (hers, his) = (alice.get(&path), bob.get(&path));
    assert!(hers.body.contains("hush") && !his.body.contains("hush"), "{}", his.body);
    assert_eq!(his.is(200)["instance"]["snapshots"][0]["name"], "s1");
    let list = format!("/api/v1/instances?config=true&q={name}");
    assert!(alice.get(&list).body.contains("hush") && !bob.get(&list).body.contains("hush"));
    assert!(!bob.ask("/api/v1/events", &["--max-time", "1"]).body.contains("hush"));

    // Somebody else is faster.
    let tag = hers.header("etag").unwrap().to_owned();
    let settings = |description: &str| {
        let instance = &hers.json()["instance"];
        json!({"config": instance["config"], "devices": instance["devices"], "profiles": instance["profiles"],
            "architecture": instance["architecture"], "description": description})
    };
    wait("PATCH", &path, &json!({"config": {"user.other": "1"}}));
    let replace = |body: &Value, tag: &str| {
        let (body, tag) = (body.to_string(), format!("if-match: {tag}"));
        let json = [
            "-X",
            "PUT",
            "-H",
            "content-type: application/json",
            "-H",
            "prefer: wait=60",
            "-d",
            &body,
            "-H",
            &tag,
        ];
        alice.ask(&path, &json)
    };
    let late = replace(&settings("mine"), &tag);
    let told = late.is(412)["detail"].as_str().unwrap().to_owned();
    assert!(told.contains("config.user.other") && !told.contains("hush"), "{told}");
    // Nobody is: it is as it was read.
    let newest = alice.get(&path);
    let mut body = settings("mine");
    body["config"] = newest.json()["instance"]["config"].clone();
    replace(&body, newest.header("etag").unwrap()).is(200);
    assert_eq!(alice.get(&path).is(200)["instance"]["description"], "mine");

    let deny = bob.send("PUT", &format!("{path}/state"), &json!({"action": "stop", "force": true}));
    assert_eq!(deny.status, 403);
    wait("PUT", &format!("{path}/state"), &json!({"action": "stop", "force": true}));
    let gone = alice.ask(&path, &["-X", "DELETE", "-H", "prefer: wait=60"]);
    assert_eq!(gone.status, 200, "{gone:?}");
    events.sees(|change| change["kind"] == "instance-gone" && change["row"]["name"] == *name);
    assert_eq!(alice.get(&path).is(404)["code"], "not_found");

    let told = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(action, result)| ((*action).to_owned(), (*result).to_owned())).collect()
    };
    let object = format!("instances/{name}");
    let wanted = told(&[
        ("create", "done"),
        ("start", "done"),
        ("snapshot.create", "done"),
        ("configure", "done"),
        ("replace", "failed"),
        ("replace", "done"),
        ("stop", "done"),
        ("delete", "done"),
    ]);
    until(|| audit(&alice, &object), |records| *records == wanted);
    let of_snapshot = told(&[("snapshot.restore", "done"), ("snapshot.rename", "done")]);
    assert_eq!(audit(&alice, &format!("{object}/snapshots/s0")), of_snapshot);
    let denied = alice.get("/api/v1/audit?result=denied").is(200);
    assert_eq!(denied["items"][0]["user"]["login"], "bob@example.com", "{denied}");
    let written = std::fs::read_dir(world.path("state/audit")).unwrap();
    let written: String =
        written.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    assert!(!written.contains("hush"));
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn what_a_command_begins_is_seen_by_the_api_and_the_other_way_round() {
    let (world, _service, alice, bob) = world();
    let own = Own::new("both");
    let name = &own.0;
    let events = Follower::of(&bob);
    let started = world.run(&["lxd", "start", &format!("real:{name}")]);
    assert_eq!(started.code, Some(0), "{}", started.stderr);
    events.sees(instance(name, "Running"));
    let operations = bob.get("/api/v1/operations").is(200);
    let of_it = |operation: &&Value| operation["resources"].to_string().contains(name.as_str());
    let operation = operations["items"].as_array().unwrap().iter().find(of_it).unwrap();
    assert_eq!((&operation["status"], operation.get("by")), (&json!("Success"), None), "{operation}");

    alice.send("PUT", &format!("{}/state", own.path()), &json!({"action": "stop", "force": true}));
    until(
        || world.json(&["lxd", "list", &format!("real:{name}")])[0]["status"].clone(),
        |status| *status == "Stopped",
    );
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_request_that_is_sent_again_with_its_key_begins_nothing_twice() {
    let (_world, _service, alice, _) = world();
    let own = Own::new("key");
    let url = format!("{}/snapshots", own.path());
    let send = |key: &str, body: &str| {
        let key = format!("idempotency-key: {key}");
        alice.ask(
            &url,
            &[
                "-X",
                "POST",
                "-H",
                "content-type: application/json",
                "-H",
                &key,
                "-H",
                "prefer: wait=60",
                "-d",
                body,
            ],
        )
    };
    let (one, two) = ("{\"name\": \"one\"}", "{\"name\": \"two\"}");
    let first = send("k1", one).is(200);
    assert_eq!(send("k1", one).is(200)["id"], first["id"], "the answer comes again");
    assert_eq!(send("k1", two).is(422)["code"], "mismatch");
    assert_ne!(send("k2", two).is(200)["id"], first["id"]);
    let names = block_on(async { local().instance(&own.0).snapshots().names().await.unwrap() });
    assert_eq!(names.len(), 2, "{names:?}");
    let refused = send("k3", one);
    assert_eq!(send("k3", one).status, refused.status, "a failure is told again, too: {refused:?}");
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_bulk_has_an_outcome_for_each_and_nothing_is_done_where_one_is_forbidden() {
    let (_world, _service, alice, bob) = world();
    let (one, two) = (Own::new("bulk-a"), Own::new("bulk-b"));
    let target = |name: &str, project: &str| json!({"cloud": "real", "project": project, "name": name});
    let state = |action: &str, instances: Value| json!({"state": {"action": action, "force": true}, "instances": instances});
    let send = |person: &Person, body: &Value| {
        let body = body.to_string();
        person.ask(
            "/api/v1/instances/state",
            &["-H", "content-type: application/json", "-H", "prefer: wait=60", "-d", &body],
        )
    };
    let missing = target("is-not-there", "default");
    let all = json!([target(&one.0, "default"), target(&two.0, "default"), missing]);
    let job = send(&alice, &state("start", all)).is(200);
    assert_eq!(job["status"], "partly", "{job}");
    let mut outcomes: Vec<_> = job["parts"].as_array().unwrap().iter().collect();
    outcomes.sort_by_key(|part| part["object"].as_str().unwrap().to_owned());
    let statuses: Vec<&str> = outcomes.iter().map(|part| part["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["done", "done", "failed"], "{job}");
    assert_eq!(outcomes[2]["problem"]["code"], "not_found");
    assert_eq!(
        bob.get(&format!("/api/v1/jobs/{}", job["id"].as_str().unwrap())).is(200)["by"]["login"],
        "alice@example.com"
    );
    assert_eq!(send(&bob, &state("stop", json!([target(&one.0, "default")]))).status, 403);
    let elsewhere =
        state("stop", json!([target(&one.0, "default"), {"cloud": "other", "project": "p", "name": "x"}]));
    assert_eq!(send(&alice, &elsewhere).status, 403);
    let running = alice.get(&format!("/api/v1/instances?status=running&q={}", one.0)).is(200);
    assert_eq!(running["total"], 1, "nothing was done: {running}");

    // It waits for an instance that does not go down by itself.
    let waits = json!({"state": {"action": "stop", "timeout": 20}, "instances": [target(&one.0, "default")]});
    let job = alice.send("POST", "/api/v1/instances/state", &waits).is(202);
    let job = format!("jobs/{}", job["id"].as_str().unwrap());
    assert_eq!(bob.ask(&format!("/api/v1/{job}"), &["-X", "DELETE"]).status, 403);
    alice.ask(&format!("/api/v1/{job}"), &["-X", "DELETE"]).is(202);
    assert_eq!(audit(&alice, &job), [("cancel".to_owned(), "done".to_owned())]);
    let denied = alice.get(&format!("/api/v1/audit?action=DELETE%20/api/v1/{job}&result=denied")).is(200);
    assert_eq!(denied["items"][0]["user"]["login"], "bob@example.com", "{denied}");
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn lists_go_on_without_a_cloud_and_say_how_old_they_are() {
    let (world, _service, alice, _) = world();
    let own = Own::new("stale");
    let list = format!("/api/v1/instances?q={}", own.0);
    until(|| alice.get(&list).is(200)["total"].clone(), |total| *total == 1);
    let first = alice.get(&list);
    assert_eq!(first.is(200)["clouds"][0]["state"], "fresh");
    // Other tests change the server all the time, too.
    let again = || {
        let tag = alice.get(&list).header("etag").unwrap().to_owned();
        alice.ask(&list, &["-H", &format!("if-none-match: {tag}")]).status
    };
    until(again, |status| *status == 304);

    world.wait(world.sandbox.stop_peer("lxd-real")).unwrap();
    let stale = until(|| alice.get(&list).is(200), |list| list["clouds"][0]["state"] != "fresh");
    assert_eq!(stale["items"][0]["name"], *own.0, "the last known rows stay");
    assert!(stale["clouds"][0]["problem"].is_string() && stale["clouds"][0]["as_of"].is_string(), "{stale}");
    let whole = alice.get(&own.path()).is(200);
    assert!(whole["problem"].is_string() && whole["row"]["name"] == *own.0, "{whole}");
    let refused = alice.ask(
        &format!("{}/state", own.path()),
        &[
            "-X",
            "PUT",
            "-H",
            "content-type: application/json",
            "-H",
            "prefer: wait=60",
            "-d",
            "{\"action\": \"start\"}",
        ],
    );
    let problem = refused.json();
    assert!(matches!(refused.status, 503 | 504), "{problem}");
    assert_eq!(problem["cloud"], "real");
    world.wait(world.sandbox.start_peer("lxd-real")).unwrap();
    until(|| alice.get(&list).is(200)["clouds"][0]["state"].clone(), |state| *state == "fresh");
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn what_a_cloud_has_beside_instances_is_told_to_those_who_may_see_it() {
    let (_world, _service, alice, bob) = world();
    let names = |things: &Value| -> Vec<String> {
        things
            .as_array()
            .unwrap()
            .iter()
            .map(|thing| thing["name"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    assert!(names(&bob.get(&format!("{PROJECT}/profiles")).is(200)).contains(&"default".to_owned()));
    assert!(names(&bob.get("/api/v1/clouds/real/projects").is(200)) == ["default"], "he sees his own alone");
    for path in ["images", "networks", "volumes"] {
        assert!(bob.get(&format!("{PROJECT}/{path}")).is(200).is_array(), "{path}");
    }
    assert!(!bob.get("/api/v1/clouds/real/storage-pools").is(200).as_array().unwrap().is_empty());
    for path in ["warnings", "cluster/members"] {
        let url = format!("/api/v1/clouds/real/{path}");
        assert!(alice.get(&url).is(200).is_array() && bob.get(&url).status == 403, "{path}");
    }
    let metrics = alice.get("/metrics/clouds/real");
    assert!(metrics.status == 200 && metrics.body.contains("_cpu_seconds_total"), "{metrics:?}");
    assert!(alice.get("/metrics").body.contains("kolaboree_"));
    let cloud = bob.get("/api/v1/clouds/real").is(200);
    assert_eq!((&cloud["health"]["reachable"], &cloud["projects"]), (&json!(true), &json!(["default"])));
    assert_eq!(bob.get("/api/v1/clouds/other").status, 403);
    assert_eq!(bob.get("/api/v1/node").is(200)["state"], "Running");
    let peers = bob.get("/api/v1/node/peers").is(200);
    assert!(names(&peers).contains(&"lxd-real".to_owned()));
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn an_instance_and_an_image_go_to_another_cloud() {
    let folder = std::path::PathBuf::from(std::env::var_os("LXD_SECOND").expect("LXD_SECOND"));
    let second = Client::unix(&folder.join("unix.socket"), Duration::from_secs(10)).unwrap();
    let (_world, _service, alice, bob) = world_of(&[("real", local()), ("second", second)]);
    let own = Own::new("goes");
    let name = &own.0;
    let done = |answer: crate::api::Answer| {
        let job = answer.is(200);
        assert_eq!(job["status"], "done", "{job}");
        job
    };
    let post = |person: &Person, url: &str, body: &Value| {
        let body = body.to_string();
        person.ask(url, &["-H", "content-type: application/json", "-H", "prefer: wait=50", "-d", &body])
    };
    let there = json!({"cloud": "second", "project": "default", "mode": "relay"});
    let copied = done(post(&alice, &format!("{}/copy", own.path()), &there));
    assert_eq!(copied["parts"][0]["result"]["way"], "relay", "{copied}");
    assert_eq!(copied["node"], NODE, "it is this node's");
    assert_eq!(alice.get(&format!("{OTHER}/instances/{name}")).status, 200);
    let mine = json!({"cloud": "real", "project": "default", "name": format!("{name}-x")});
    done(post(&alice, &format!("{OTHER}/instances/{name}/move"), &mine));
    assert_eq!(alice.get(&format!("{OTHER}/instances/{name}")).status, 404);
    let moved = format!("{PROJECT}/instances/{name}-x");
    assert_eq!(alice.get(&moved).status, 200);
    assert_eq!(post(&bob, &format!("{}/copy", own.path()), &there).status, 403);

    let alias = fresh("image");
    let image = json!({"instance": format!("{name}-x"), "aliases": [alias]});
    let published = done(post(&alice, &format!("{PROJECT}/images"), &image));
    let fingerprint = published["parts"][0]["result"]["fingerprint"].as_str().unwrap().to_owned();
    done(post(
        &alice,
        &format!("{PROJECT}/images/{alias}/copy"),
        &json!({"cloud": "second", "project": "default"}),
    ));
    for place in [OTHER, PROJECT] {
        done(alice.ask(&format!("{place}/images/{fingerprint}"), &["-X", "DELETE", "-H", "prefer: wait=60"]));
    }
    done(alice.ask(&moved, &["-X", "DELETE", "-H", "prefer: wait=60"]));
}

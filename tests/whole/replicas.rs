//! Nodes that are replicas behind one Tailscale Service: each answers alike for what is the clouds' own, and says whose
//! something is that belongs to one of them.

use serde_json::{Value, json};
use tailnet_sandbox::Peer;

use crate::api::{CAPABILITY, Person};
use crate::api_real::{Own, PROJECT};
use crate::clouds::{block_on, is_incus, local};
use crate::https::{STRICT, ask, reaches, start, websocket};
use crate::node::{Service, World, until};

pub(crate) const REPLICAS: [&str; 2] = ["one", "two"];

const SERVICE: &str = "svc:clouds";

/// A tailnet with two nodes behind one service, and `alice` and `bob`, who have SOCKS5 proxies.
pub(crate) struct Replicas {
    pub(crate) services: Vec<Service>,
    pub(crate) alice: Person,
    bob: Person,
    pub(crate) world: World,
}

impl Replicas {
    /// With more peers, and these clouds for each.
    pub(crate) fn start(more: Vec<Peer>, clouds: impl Fn(&World) -> String) -> Replicas {
        let people = ["alice", "bob"].map(|name| Peer::new(name).socks5());
        let world = World::with(people.into_iter().chain(more));
        world.give_users(&["alice", "bob"]);
        let mut services = Vec::new();
        for name in REPLICAS {
            world.write(
                &format!("{name}.yaml"),
                &format!(
                    "state_dir: {name}\nhostname: {name}\ntags: ['tag:cloud']\ncontrol_url: {}\ninterval: 0.2\n\
                     grace_timeout: 2\nlocal: {{listen: none}}\ntailnet:\n  listen: 80\n  tls: 443\n  service: {SERVICE}\n\
                     \x20 access:\n    - {{who: ['user:alice@example.com'], clouds: ['*'], projects: ['*'], verbs: [view, \
                     operate, edit, files, exec, admin]}}\nclouds:\n{}",
                    world.sandbox.control_url(),
                    clouds(&world)
                ),
            );
            let mut service = start(&world, &format!("{name}.yaml"));
            service.says(&format!("the API is served at http://{SERVICE}:80"));
            services.push(service);
            host(&world, name);
        }
        let (alice, bob) = (Person::of(&world, "alice"), Person::of(&world, "bob"));
        let replicas = Replicas { services, alice, bob, world };
        for name in REPLICAS {
            reaches(&replicas.world, &replicas.alice, &format!("http://{name}/api/v1/me"));
        }
        replicas
    }

    /// Has the tailnet lead everybody to this replica.
    pub(crate) fn leads_to(&self, name: &str) {
        host(&self.world, name);
        until(
            || {
                let asked = self.alice.curl().args(["--max-time", "5", "http://clouds/api/v1/node"]).output();
                String::from_utf8_lossy(&asked.unwrap().stdout).into_owned()
            },
            |told| serde_json::from_str::<Value>(told).is_ok_and(|told| told["this"]["name"] == name),
        );
    }
}

fn host(world: &World, name: &str) {
    world.wait(world.sandbox.host_service(name, SERVICE, "100.99.0.1".parse().unwrap())).unwrap();
}

/// A job of a replica's own: of an instance that nobody can reach.
fn begin(person: &Person, host: &str) -> String {
    let instance = json!({"cloud": "berlin", "project": "default", "name": "c1"});
    let bulk = json!({"state": {"action": "start"}, "instances": [instance, {"cloud": "berlin", "project": "p", "name": "c2"}]});
    let begun = person.send("POST", &format!("http://{host}/api/v1/instances/state"), &bulk);
    assert!(matches!(begun.status, 200 | 202), "{begun:?}");
    let job = begun.json();
    job["id"].as_str().unwrap().to_owned()
}

/// A problem that says that something is another replica's.
pub(crate) fn is_of(problem: &Value, name: &str) {
    assert_eq!((&problem["code"], &problem["node"]), (&json!("other_node"), &json!(name)), "{problem}");
    assert!(problem["remedy"].as_str().unwrap().contains(name), "{problem}");
}

#[test]
fn replicas_of_a_service_say_whose_something_is_and_serve_its_name_by_https() {
    let mut replicas = Replicas::start(Vec::new(), World::berlin);
    let Replicas { alice, bob, world, .. } = &replicas;

    // What is one replica's, by its own name and by the service's.
    let job = begin(alice, "one");
    let url = |host: &str| format!("http://{host}/api/v1/jobs/{job}");
    let known = until(|| alice.get(&url("one")).is(200), |job| job["status"] != "running");
    assert_eq!((&known["node"], &known["parts"][0]["object"]), (&json!("one"), &json!("instances/c1")));
    for method in ["GET", "DELETE"] {
        is_of(&alice.ask(&url("two"), &["-X", method]).is(421), "one");
    }
    replicas.leads_to("two");
    is_of(&alice.get(&url("clouds")).is(421), "one");
    replicas.leads_to("one");
    assert_eq!(alice.get(&url("clouds")).is(200)["id"], *job);
    let missing = format!("http://one/api/v1/jobs/one.{:032x}", 7);
    assert_eq!(alice.get(&missing).is(404)["code"], "not_found", "its own it knows");

    let audit = |host: &str, more: &str| alice.get(&format!("http://{host}/api/v1/audit?limit=1{more}"));
    let page = audit("one", "").is(200);
    assert_eq!((&page["node"], &page["items"][0]["action"]), (&json!("one"), &json!("start")), "{page}");
    let next = format!("&after={}", page["next"].as_str().unwrap());
    assert_eq!(audit("one", &next).is(200)["items"].as_array().map(Vec::len), Some(1));
    is_of(&audit("two", &next).is(421), "one");
    assert_eq!(audit("two", "").is(200)["items"], json!([]), "each has its own");

    // Both have the same instances, and no tag of one is taken for the other's.
    let tags = REPLICAS.map(|name| {
        let list = alice.get(&format!("http://{name}/api/v1/instances"));
        list.header("etag").unwrap().to_owned()
    });
    let list = alice.ask("http://two/api/v1/instances", &["-H", &format!("if-none-match: {}", tags[0])]);
    assert!(tags[0] != tags[1] && list.status == 200, "{tags:?} {list:?}");
    let events = alice.ask("http://one/api/v1/events?after=00000000-1", &["--max-time", "3"]).body;
    let seen = events.lines().find_map(|line| line.strip_prefix("id: ")).unwrap().to_owned();
    let at_two = format!("http://two/api/v1/events?after={seen}");
    assert!(alice.ask(&at_two, &["--max-time", "3"]).body.contains("event: reset"));

    // The service's name by HTTPS, with its own certificate.
    let (host, path) = (format!("clouds.{}", world.sandbox.domain()), "/api/v1/me");
    for name in REPLICAS {
        replicas.leads_to(name);
        let url = format!("https://{host}{path}");
        reaches(world, alice, &url);
        let me = ask(world, alice, &url, &[]);
        assert!(me.header(STRICT).is_some() && me.body.contains("alice@example.com"), "{me:?}");
        // A session of the other one.
        let other = REPLICAS.iter().find(|other| **other != name).unwrap();
        let exec = format!("/api/v1/clouds/berlin/projects/default/instances/c1/exec?session={other}.00ff");
        let (told, code) = websocket(world, alice, &host, &exec, &format!("https://{host}")).unwrap();
        assert_eq!(code, 4421, "{told:?}");
        is_of(&told.last().unwrap()["error"], other);
    }
    for (asked, status) in
        [("clouds", 200), (&*host, 200), ("100.99.0.1", 200), ("two", 200), ("one", 421), ("evil", 421)]
    {
        let told = alice.ask("http://clouds/api/v1/me", &["-H", &format!("Host: {asked}")]);
        assert_eq!(told.status, status, "as {asked}: {told:?}");
    }

    // Rights that the policy gives for the service.
    assert_eq!(bob.get("http://clouds/api/v1/me").is(403)["caller"]["user"]["login"], "bob@example.com");
    let grant = json!({"clouds": ["berlin"], "projects": ["*"], "verbs": ["view"]});
    world.wait(world.sandbox.grant("bob", SERVICE, CAPABILITY, std::slice::from_ref(&grant))).unwrap();
    let me = until(|| bob.get("http://clouds/api/v1/me"), |me| me.status == 200).json();
    assert_eq!(me["caller"]["rights"], json!([grant]));
    assert_eq!(bob.get("http://clouds/api/v1/audit").status, 403);

    // One dies, and the tailnet leads to the other.
    replicas.services.remove(1).ends_on("KILL");
    replicas.leads_to("one");
    assert_eq!(replicas.alice.get(&url("clouds")).is(200)["id"], *job);
    let orphan = replicas.alice.get("http://clouds/api/v1/jobs/two.00ff").is(421);
    is_of(&orphan, "two");
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn an_operation_that_one_replica_began_is_known_to_the_other_and_outlives_the_first() {
    let kind = if is_incus() { "incus" } else { "lxd" };
    let server = block_on(async { local().server().await.unwrap() });
    let address = server.config["core.https_address"].as_str().unwrap().parse().unwrap();
    let clouds = |world: &World| {
        let token = block_on(async { local().create_trust_token("test", None).await.unwrap() });
        // Each replica has a token of its own.
        let file = format!("token-{}", std::fs::read_dir(world.home.path()).unwrap().count());
        world.write(&file, token.reveal());
        format!(
            "  - {{name: real, kind: {kind}, address: 'lxd:8443', trust: {{token: 'file:{file}'}}, checks: {{silence: 20, timeout: 3}}}}\n"
        )
    };
    let mut replicas = Replicas::start(vec![Peer::new("lxd").forward(8443, address)], clouds);
    let alice = &replicas.alice;
    for name in REPLICAS {
        let list =
            || alice.get(&format!("http://{name}/api/v1/instances")).is(200)["clouds"][0]["state"].clone();
        until(list, |state| *state == "fresh");
    }
    let own = Own::new("replicas");
    let start = |host: &str, action: &str| {
        let body = json!({"action": action, "force": true}).to_string();
        let json = ["-X", "PUT", "-H", "content-type: application/json", "-d", &body];
        alice.ask(&format!("http://{host}{}/state", own.path()), &json).json()
    };
    let begun = start("one", "start");
    let href = begun["parts"][0]["operations"][0]["href"].as_str().unwrap_or_else(|| panic!("{begun}"));
    let other = until(|| alice.get(&format!("http://two{href}")), |told| told.status == 200).json();
    assert_eq!((&other["cloud"], other.get("job")), (&json!("real"), None), "{other}");
    assert_eq!(alice.get(&format!("http://one{href}")).is(200)["job"], begun["id"]);
    until(|| alice.get(&format!("http://two{href}")).json()["status"].clone(), |status| *status == "Success");

    let begun = start("one", "stop");
    let href =
        begun["parts"][0]["operations"][0]["href"].as_str().unwrap_or_else(|| panic!("{begun}")).to_owned();
    replicas.services.remove(0).ends_on("KILL");
    let alice = &replicas.alice;
    replicas.leads_to("two");
    until(
        || alice.get(&format!("http://clouds{href}")).json()["status"].clone(),
        |status| *status == "Success",
    );
    let list = format!("http://clouds/api/v1/instances?q={}", own.0);
    until(|| alice.get(&list).is(200)["items"][0]["status"].clone(), |status| *status == "Stopped");
    assert_eq!(alice.get(&format!("http://clouds{PROJECT}/instances/{}", own.0)).status, 200);
    is_of(&alice.get(&format!("http://clouds/api/v1/jobs/{}", begun["id"].as_str().unwrap())).is(421), "one");
}

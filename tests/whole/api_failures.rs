//! Each kind of request is in its middle when a cloud dies, its link falls silent, or the node ends: nothing hangs, nothing is
//! lost, and the audit tells each change once.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use crate::api::{NODE, Person};
use crate::copy_links::{drop_packets, let_packets_pass};
use crate::node::until;
use crate::pair::{Pair, in_own_network};
use crate::program::{HANG, Printed, finish_within};
use crate::websocket::Session;

const PROJECT: &str = "/api/v1/clouds/oslo/projects/default";

const CONFIGURATION: &str = "tailnet:
  listen: 80
  access:
    - {who: ['user:*'], clouds: ['*'], projects: ['*'], verbs: [view, operate, edit, files, exec, admin]}
";

/// How large what is moved is, in MiB.
const SIZE: usize = 30;

/// A request of some kind.
struct Kind {
    name: &'static str,
    method: &'static str,
    path: &'static str,
    body: Option<Value>,
    /// Further arguments of curl.
    more: &'static [&'static str],
    /// What it changes, as the audit has it: the action and the objects.
    changes: (&'static str, &'static [&'static str]),
    /// Whether it is begun when the cloud answers nothing any more: it would be over too soon.
    is_quick: bool,
    /// Whether it is in its middle.
    is_half: fn(&World) -> bool,
}

impl Default for Kind {
    fn default() -> Kind {
        Kind {
            name: "",
            method: "GET",
            path: "",
            body: None,
            more: &[],
            changes: ("", &[]),
            is_quick: false,
            is_half: |_| true,
        }
    }
}

fn kinds() -> Vec<Kind> {
    let stop = json!({"action": "stop", "timeout": 300});
    let key = |name: &str| json!({"cloud": "oslo", "project": "default", "name": name});
    let there = json!({"cloud": "rome", "project": "default", "mode": "relay"});
    let new = json!({"name": "new", "origin": {"image": "busybox"}});
    vec![
        Kind { name: "list", path: "/instances", is_quick: true, ..Kind::default() },
        Kind {
            name: "one",
            path: "/clouds/oslo/projects/default/instances/c1",
            is_quick: true,
            ..Kind::default()
        },
        Kind {
            name: "state",
            method: "PUT",
            path: "/clouds/oslo/projects/default/instances/c1/state",
            body: Some(stop.clone()),
            changes: ("stop", &["instances/c1"]),
            is_half: |world| world.goes_on("stop", "instances/c1"),
            ..Kind::default()
        },
        Kind {
            name: "bulk",
            method: "POST",
            path: "/instances/state",
            body: Some(json!({"state": stop, "instances": [key("c2"), key("c3")]})),
            changes: ("stop", &["instances/c2", "instances/c3"]),
            is_half: |world| world.goes_on("stop", "instances/c2") && world.goes_on("stop", "instances/c3"),
            ..Kind::default()
        },
        Kind {
            name: "create",
            method: "POST",
            path: "/clouds/oslo/projects/default/instances",
            body: Some(new),
            changes: ("create", &["instances/new"]),
            is_quick: true,
            is_half: |world| world.begun("create", "instances/new").is_some(),
            ..Kind::default()
        },
        Kind {
            name: "copy",
            method: "POST",
            path: "/clouds/oslo/projects/default/instances/data/copy",
            body: Some(there),
            changes: ("copy", &["instances/data"]),
            is_half: |world| world.pair.rome.size("data") >= 2,
            ..Kind::default()
        },
        Kind {
            name: "publish",
            method: "POST",
            path: "/clouds/oslo/projects/default/images",
            body: Some(json!({"instance": "image", "aliases": ["made"]})),
            changes: ("publish", &["instances/image"]),
            is_half: |world| world.goes_on("publish", "instances/image"),
            ..Kind::default()
        },
        Kind {
            name: "upload",
            method: "PUT",
            path: "/clouds/oslo/projects/default/instances/files/files?path=/root/sent",
            more: &["-T", "sent", "--limit-rate", "300k"],
            changes: ("file.push", &["instances/files"]),
            is_half: |world| {
                world
                    .begun("file.push", "instances/files")
                    .is_some_and(|part| part["bytes"].as_u64() > Some(0))
            },
            ..Kind::default()
        },
        Kind {
            name: "download",
            path: "/clouds/oslo/projects/default/instances/files/files?path=/root/long",
            // Much is on the way already when it ends.
            more: &["-o", "fetched", "--limit-rate", "4M"],
            changes: ("file.pull", &["instances/files"]),
            is_half: |world| world.file_length("fetched") > 0,
            ..Kind::default()
        },
        Kind {
            name: "events",
            path: "/events",
            more: &["-N", "-o", "events"],
            is_half: |world| world.file_length("events") > 0,
            ..Kind::default()
        },
    ]
}

/// Two clouds, `oslo` with an instance for each kind, and `alice`, who may do everything.
struct World {
    pair: Pair,
    alice: Person,
}

/// A request that was begun.
struct Begun {
    kind: Kind,
    child: Child,
}

impl World {
    fn new() -> World {
        let pair = Pair::with(None, &["alice"], CONFIGURATION);
        let alice = Person::of(&pair.world, "alice");
        let oslo = &pair.oslo;
        for name in ["data", "image", "files"] {
            oslo.make(name, SIZE);
        }
        for name in ["c1", "c2", "c3"] {
            oslo.make_deaf(name);
        }
        let long = std::fs::File::create(oslo.root("files").join("root/long")).unwrap();
        long.set_len(600 << 20).unwrap();
        oslo.slow("default");
        oslo.lxc(&["config", "set", "images.compression_algorithm", "xz"]);
        let sent = std::fs::File::create(pair.world.path("sent")).unwrap();
        sent.set_len((SIZE << 20) as u64).unwrap();
        let world = World { pair, alice };
        world.is_fresh();
        world
    }

    fn is_fresh(&self) {
        let states = || {
            let list = self.alice.ask("/api/v1/instances", &["--max-time", "10"]);
            list.is(200)["clouds"]
                .as_array()
                .unwrap()
                .iter()
                .map(|cloud| cloud["state"].clone())
                .collect::<Vec<_>>()
        };
        until(states, |states| states.iter().all(|state| *state == "fresh"));
    }

    /// Waits until the node is there again.
    fn answers(&self) {
        let url = format!("http://{NODE}/api/v1/me");
        let ask =
            || self.alice.curl().args(["-o", "/dev/null", "-f", "--max-time", "5", &url]).status().unwrap();
        until(ask, std::process::ExitStatus::success);
    }

    fn file_length(&self, name: &str) -> u64 {
        std::fs::metadata(self.pair.world.path(name)).map_or(0, |file| file.len())
    }

    /// The part of a job that does this.
    fn begun(&self, action: &str, object: &str) -> Option<Value> {
        let jobs = self.alice.get("/api/v1/jobs").is(200);
        let mut of_action = jobs.as_array().unwrap().iter().filter(|job| job["action"] == action);
        of_action.find_map(|job| {
            let mut parts = job["parts"].as_array().unwrap().iter();
            parts.find(|part| part["object"] == object && part["status"] == "running").cloned()
        })
    }

    /// Whether the cloud has begun it.
    fn goes_on(&self, action: &str, object: &str) -> bool {
        self.begun(action, object).is_some_and(|part| part["operations"] != json!([]))
    }

    fn begin(&self, kind: Kind) -> Begun {
        let mut curl = self.alice.curl();
        curl.args(["-X", kind.method, "-w", "\n%{http_code}", "-H", "prefer: wait=300"]).args(kind.more);
        if let Some(body) = &kind.body {
            curl.args(["-H", "content-type: application/json", "-d", &body.to_string()]);
        }
        curl.arg(format!("http://{NODE}/api/v1{}", kind.path)).args(["--max-time", "300"]);
        curl.current_dir(self.pair.world.home.path());
        let child = curl.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        Begun { kind, child }
    }

    /// Begins one of each kind, and a command, and has all of them in the middle when `silence` has silenced the cloud.
    fn half(&self, silence: impl FnOnce(&World)) -> (Vec<Begun>, Session<'_>) {
        let (quick, slow): (Vec<Kind>, Vec<Kind>) = kinds().into_iter().partition(|kind| kind.is_quick);
        let path =
            format!("{PROJECT}/instances/c1/exec?command=sh&command=-c&command=echo%20ready;exec%20cat");
        let mut session = Session::open(&self.pair.world, &self.alice, &path);
        session.shows("ready");
        let mut begun: Vec<Begun> = slow.into_iter().map(|kind| self.begin(kind)).collect();
        for Begun { kind, .. } in &begun {
            until(|| (kind.name, (kind.is_half)(self)), |(_, is_half)| *is_half);
        }
        silence(self);
        let quick: Vec<Begun> = quick.into_iter().map(|kind| self.begin(kind)).collect();
        for Begun { kind, .. } in &quick {
            until(|| (kind.name, (kind.is_half)(self)), |(_, is_half)| *is_half);
        }
        begun.extend(quick);
        (begun, session)
    }

    fn audit(&self) -> BTreeMap<(String, String), Vec<String>> {
        audit(&self.pair.world.path("state/audit"))
    }

    /// Each change was told once, and ended in one of these ways.
    fn is_told_once(&self, ends: &[&str]) {
        let mut expected: Vec<(String, String)> = kinds()
            .iter()
            .flat_map(|kind| {
                kind.changes.1.iter().map(|object| (kind.changes.0.to_owned(), (*object).to_owned()))
            })
            .collect();
        expected.push(("exec".to_owned(), "instances/c1".to_owned()));
        expected.sort();
        let told = until(|| self.audit(), |told| told.values().all(|ends| !ends.is_empty()));
        assert_eq!(told.keys().cloned().collect::<Vec<_>>(), expected);
        for (change, how) in told {
            assert!(how.len() == 1 && ends.contains(&how[0].as_str()), "{change:?}: {how:?}");
        }
    }

    /// All that was there is there, and the node works with both clouds as before.
    fn nothing_is_lost(&self) {
        let mut there = self.pair.oslo.instances();
        there.retain(|name| name != "new");
        assert_eq!(there, ["c1", "c2", "c3", "data", "files", "image"]);
        for name in ["data", "files", "image"] {
            assert!(self.pair.oslo.size(name) >= SIZE as u64, "{name}");
        }
        self.is_fresh();
        for name in ["c1", "c2", "c3"] {
            let stop = json!({"action": "stop", "force": true}).to_string();
            let json =
                ["-X", "PUT", "-H", "content-type: application/json", "-H", "prefer: wait=60", "-d", &stop];
            let path = format!("{PROJECT}/instances/{name}/state");
            // A stop that goes on at the cloud is in the way until it has its end.
            until(|| self.alice.ask(&path, &json), |answer| answer.status == 200);
        }
        // What may be left of the copy can be removed as usual.
        for name in self.pair.rome.instances() {
            self.pair.rome.lxc(&["delete", &name]);
        }
        until(|| self.pair.rome.root("data").exists(), |there| !there);
    }
}

/// What the audit in a folder has of each change: the action, the object and how it ended, each time.
pub(crate) fn audit(folder: &Path) -> BTreeMap<(String, String), Vec<String>> {
    let mut told = BTreeMap::<_, Vec<String>>::new();
    let mut begun = BTreeMap::new();
    for file in std::fs::read_dir(folder).unwrap() {
        for line in std::fs::read_to_string(file.unwrap().path()).unwrap().lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let text = |field: &str| line[field].as_str().unwrap_or_default().to_owned();
            match line["event"].as_str().unwrap() {
                "begun" => {
                    told.entry((text("action"), text("object"))).or_default();
                    begun.insert(text("id"), (text("action"), text("object")));
                }
                "operations" => {}
                end => told.get_mut(&begun[&text("id")]).unwrap().push(end.to_owned()),
            }
        }
    }
    told
}

/// How each ended, with the status of its answer. A server that cannot be reached for a minute ends the wait for an operation.
fn ended(begun: Vec<Begun>) -> Vec<(Kind, Printed, u16)> {
    let end = |Begun { kind, child }: Begun| {
        let name = kind.name;
        let printed = std::panic::catch_unwind(|| finish_within(child, 2 * HANG));
        let printed = printed.unwrap_or_else(|_| panic!("{name} hung"));
        let status = printed.stdout.lines().last().and_then(|line| line.parse().ok()).unwrap_or_default();
        (kind, printed, status)
    };
    std::thread::scope(|scope| {
        let ends: Vec<_> = begun.into_iter().map(|begun| scope.spawn(move || end(begun))).collect();
        ends.into_iter().map(|end| end.join().unwrap()).collect()
    })
}

/// Each is told that it failed, but for what the node knows by itself.
fn all_fail(begun: Vec<Begun>) {
    let (events, begun): (Vec<Begun>, Vec<Begun>) =
        begun.into_iter().partition(|begun| begun.kind.name == "events");
    let ends = ended(begun);
    for mut events in events {
        assert!(events.child.try_wait().unwrap().is_none(), "the events of the other cloud go on");
        events.child.kill().unwrap();
        events.child.wait().unwrap();
    }
    for (kind, printed, status) in ends {
        let kind = kind.name;
        let told = format!("{kind}: {status} {printed:?}");
        let body = || -> Value {
            let (body, _) = printed.stdout.rsplit_once('\n').unwrap();
            serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {told}"))
        };
        match kind {
            "list" => assert_eq!(status, 200, "{told}"),
            "one" => assert!(status == 200 && body()["problem"].is_string(), "{told}"),
            "bulk" => assert!(status == 200 && body()["status"] == "failed", "{told}"),
            "download" => assert_ne!(printed.code, Some(0), "{told}"),
            _ => assert!((400..600).contains(&status) && body()["code"].is_string(), "{told}"),
        }
    }
}

fn fails(session: &mut Session) {
    let (told, code) = session.ends();
    assert_eq!((&told.last().unwrap()["error"]["cloud"], code), (&json!("oslo"), 4503), "{told:?}");
}

fn is_stopped(world: &World) {
    world.pair.oslo.signal("STOP");
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_cloud_that_dies_ends_each_kind_of_request_and_loses_nothing() {
    in_own_network("api_failures::a_cloud_that_dies_ends_each_kind_of_request_and_loses_nothing", || {
        let mut world = World::new();
        let (begun, mut session) = world.half(is_stopped);
        // Not by its handle: others look at the world meanwhile.
        world.pair.oslo.signal("KILL");
        fails(&mut session);
        all_fail(begun);
        drop(session);
        world.is_told_once(&["failed"]);
        world.pair.oslo.kill();
        world.pair.oslo.run();
        world.nothing_is_lost();
        let events = std::fs::read_to_string(world.pair.world.path("events")).unwrap();
        assert!(events.contains(r#""kind":"cloud""#), "{events}");
    });
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_link_that_falls_silent_ends_each_kind_of_request_and_loses_nothing() {
    in_own_network(
        "api_failures::a_link_that_falls_silent_ends_each_kind_of_request_and_loses_nothing",
        || {
            let world = World::new();
            let (begun, mut session) = world.half(|_| drop_packets("ip daddr 127.0.0.1 tcp dport 8443"));
            fails(&mut session);
            all_fail(begun);
            drop(session);
            world.is_told_once(&["failed"]);
            let_packets_pass();
            world.nothing_is_lost();
        },
    );
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_node_that_is_killed_loses_nothing_and_tells_once_what_it_does_not_know_the_end_of() {
    let test =
        "api_failures::a_node_that_is_killed_loses_nothing_and_tells_once_what_it_does_not_know_the_end_of";
    in_own_network(test, || {
        let mut world = World::new();
        let (begun, session) = world.half(is_stopped);
        drop(session);
        let node = world.pair.service.take().unwrap();
        node.ends_on("KILL");
        world.pair.oslo.signal("CONT");
        for mut begun in begun {
            // Nobody tells them: the node's machine may be gone.
            begun.child.kill().unwrap();
            begun.child.wait().unwrap();
        }
        assert!(world.audit().values().all(Vec::is_empty), "{:?}", world.audit());
        for round in 0..2 {
            let mut node = world.pair.world.start();
            node.joins();
            world.answers();
            world.is_told_once(&["unknown"]);
            let records = world.alice.get("/api/v1/audit?result=unknown").is(200);
            let changes = world.audit().len();
            assert_eq!(records["items"].as_array().unwrap().len(), changes, "{records}");
            if round == 1 {
                world.pair.service = Some(node);
                break;
            }
            let (_, log) = node.ends_on("KILL");
            assert_eq!(log.matches("it is not known how this change ended").count(), changes, "{log}");
        }
        world.nothing_is_lost();
        let (_, log) = world.pair.service.take().unwrap().ends_on("TERM");
        assert!(!log.contains("it is not known how this change ended"), "it was told before: {log}");
    });
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_node_that_is_told_to_end_does_so_in_time_and_tells_the_end_of_each_change() {
    in_own_network(
        "api_failures::a_node_that_is_told_to_end_does_so_in_time_and_tells_the_end_of_each_change",
        || {
            let mut world = World::new();
            let (begun, mut session) = world.half(is_stopped);
            world.pair.service.as_ref().unwrap().signal("TERM");
            assert_eq!(session.ends().1, 1001);
            drop(session);
            let (code, log) = world.pair.service.take().unwrap().ended();
            assert_eq!(code, Some(0), "{log}");
            for (kind, printed, status) in ended(begun) {
                let told = format!("{}: {status} {printed:?}", kind.name);
                match kind.name {
                    "state" | "bulk" | "create" | "copy" | "publish" => assert_eq!(status, 202, "{told}"),
                    "upload" => assert_eq!(status, 503, "{told}"),
                    "download" | "one" => assert_ne!(printed.code, Some(0), "{told}"),
                    _ => assert_eq!((printed.code, status), (Some(0), 200), "{told}"),
                }
            }
            world.is_told_once(&["failed", "unknown"]);
            world.pair.oslo.signal("CONT");
            let mut node = world.pair.world.start();
            node.joins();
            world.pair.service = Some(node);
            world.answers();
            world.nothing_is_lost();
            let (_, log) = world.pair.service.take().unwrap().ends_on("TERM");
            assert!(!log.contains("it is not known how this change ended"), "{log}");
        },
    );
}

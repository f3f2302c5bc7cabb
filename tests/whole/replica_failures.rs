//! One of two replicas of a service is killed in the middle of each kind of request that came by the service's name. Whoever
//! asked goes on at the other one: nothing is lost or half made, and the audit tells each change once.
//!
//! Nobody tells a client that its replica is dead. It learns that from the other one, as soon as it sends something; one that
//! only reads misses the signs of life, or has a deadline of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::api::Person;
use crate::api_failures::audit;
use crate::https::{reaches, start};
use crate::node::{World, until};
use crate::pair::{Server, in_own_network};
use crate::program::{HANG, finish};
use crate::replicas::{REPLICAS, Replicas, is_of};
use crate::websocket::Session;

const PROJECT: &str = "/api/v1/clouds/oslo/projects/default";

/// The instances that do not hear that they are to stop.
const DEAF: [&str; 3] = ["c1", "c2", "c3"];

/// How large what is copied and sent is, in MiB.
const SIZE: usize = 20;

/// How large what is fetched is, in MiB: much is on the way already when the replica dies.
const LONG: usize = 80;

/// Longer than the events are ever without a sign of life.
const SILENCE: Duration = Duration::from_secs(20);

/// The changes that are begun, as the audit has them.
const CHANGES: [(&str, &str); 9] = [
    ("console", "instances/c1"),
    ("copy", "instances/data"),
    ("create", "instances/new"),
    ("exec", "instances/c1"),
    ("file.pull", "instances/files"),
    ("file.push", "instances/files"),
    ("stop", "instances/c1"),
    ("stop", "instances/c2"),
    ("stop", "instances/c3"),
];

/// The address of something by the service's name.
fn url(path: &str) -> String {
    format!("http://clouds{path}")
}

fn of(instance: &str, more: &str) -> String {
    format!("{PROJECT}/instances/{instance}{more}")
}

/// A cloud with an instance for each kind of request, and two replicas.
fn world() -> (Replicas, Server) {
    let server = Server::start("oslo", 8443, "default", None);
    server.import_busybox();
    server.make("data", SIZE);
    server.lxc(&["init", "busybox", "files"]);
    server.fill("files", "long", LONG);
    DEAF.iter().for_each(|name| server.make_deaf(name));
    server.slow("default");
    let clouds = |world: &World| {
        let file = format!("token-{}", std::fs::read_dir(world.home.path()).unwrap().count());
        world.write(&file, &server.token());
        format!(
            "  - {{name: oslo, address: 'oslo:8443', trust: {{token: 'file:{file}'}}, checks: {{silence: 20}}}}\n"
        )
    };
    let replicas = Replicas::start(vec![server.peer()], clouds);
    for name in REPLICAS {
        let list = || {
            let list = replicas.alice.get(&format!("http://{name}/api/v1/instances"));
            list.is(200)["clouds"][0]["state"].clone()
        };
        until(list, |state| *state == "fresh");
    }
    (replicas, server)
}

/// The part of a job that does this at the replica `one`, and the job's number.
fn begun(alice: &Person, action: &str, object: &str) -> Option<(String, Value)> {
    let jobs = alice.get("http://one/api/v1/jobs").is(200);
    let mut of_action = jobs.as_array().unwrap().iter().filter(|job| job["action"] == action);
    of_action.find_map(|job| {
        let mut parts = job["parts"].as_array().unwrap().iter();
        let part = parts.find(|part| part["object"] == object && part["status"] == "running")?;
        Some((job["id"].as_str().unwrap().to_owned(), part.clone()))
    })
}

/// Waits until the cloud has begun this for `one`: the job, and the place of the operation.
fn goes_on(alice: &Person, action: &str, object: &str) -> (String, String) {
    let is_half = |begun: &Option<(String, Value)>| {
        begun.as_ref().is_some_and(|(_, part)| part["operations"][0]["href"].is_string())
    };
    let (job, part) = until(|| begun(alice, action, object), is_half).unwrap();
    (job, part["operations"][0]["href"].as_str().unwrap().to_owned())
}

/// A request by the service's name that goes on.
struct Request(Child);

impl Request {
    /// Begins one, with JSON if there is any and these arguments of curl.
    fn begin(replicas: &Replicas, path: &str, body: Option<Value>, arguments: &[&str]) -> Request {
        let mut curl = replicas.alice.curl();
        curl.args(["-f", "-H", "prefer: wait=300"]).args(arguments);
        if let Some(body) = body {
            curl.args(["-H", "content-type: application/json", "-d", &body.to_string()]);
        }
        curl.arg(url(path)).args(["--max-time", "300"]).current_dir(replicas.world.home.path());
        Request(curl.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    fn goes_on(&mut self) {
        let ended = self.0.try_wait().unwrap();
        assert!(ended.is_none(), "it was over before the replica was killed: {ended:?}");
    }

    /// It fails, for who sends learns it.
    fn fails(self) {
        let printed = finish(self.0);
        assert_ne!(printed.code, Some(0), "{printed:?}");
    }

    /// It has no answer: its client has failed, or waits until a deadline of its own, as here.
    fn has_no_answer(mut self) {
        let ended = self.0.try_wait().unwrap();
        assert!(ended.is_none_or(|ended| !ended.success()), "{ended:?}");
        let _ = self.0.kill();
        let printed = finish(self.0);
        assert_eq!(printed.stdout, "", "{printed:?}");
    }
}

/// Who follows the events by the service's name.
struct Follower {
    child: Child,
    lines: Receiver<(Instant, String)>,
}

impl Follower {
    fn begin(alice: &Person, more: &str) -> Follower {
        let mut curl = alice.curl();
        curl.args(["-N", "--max-time", "300", &url(&format!("/api/v1/events{more}"))]);
        let mut child = curl.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let (sender, receiver) = channel();
        std::thread::spawn(move || lines.for_each(|line| drop(sender.send((Instant::now(), line)))));
        Follower { child, lines: receiver }
    }

    /// Waits for a line that begins like this, and gives the rest.
    fn says(&self, begin: &str) -> String {
        loop {
            let (_, line) = self.lines.recv_timeout(HANG).expect("it never comes");
            if let Some(rest) = line.strip_prefix(begin) {
                return rest.to_owned();
            }
        }
    }

    /// Waits until nothing has come for longer than the pause between signs of life, since then or the last line: the last
    /// event that came.
    fn falls_silent(&self, mut since: Instant) -> Option<String> {
        let mut last = None;
        while let Ok((at, line)) = self.lines.recv_timeout(SILENCE.saturating_sub(since.elapsed())) {
            since = since.max(at);
            last = line.strip_prefix("id: ").map(str::to_owned).or(last);
        }
        last
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes a file of the instance `files`, and gives what is there then.
fn file(alice: &Person, content: Option<&str>) -> String {
    let path = of("files", "/files?path=/root/sent");
    if let Some(content) = content {
        alice.ask(&url(&path), &["-X", "PUT", "--data-binary", content, "-H", "content-type:"]).is(200);
    }
    let mut curl = alice.curl();
    let fetched = curl.args(["-f", &url(&path)]).output().unwrap();
    assert!(fetched.status.success(), "{fetched:?}");
    String::from_utf8(fetched.stdout).unwrap()
}

/// Ends the first process of an instance, as a machine that goes down at last.
fn goes_down(server: &Server, instance: &str) {
    let state: Value =
        serde_json::from_str(&server.lxc(&["query", &format!("/1.0/instances/{instance}/state")])).unwrap();
    let ended = Command::new("kill").args(["-s", "KILL", &state["pid"].to_string()]).status().unwrap();
    assert!(ended.success(), "{state}");
}

/// What is in its middle at the replica `one`.
struct Half<'a> {
    replicas: &'a Replicas,
    server: &'a Server,
    events: Follower,
    /// The last event that was seen.
    seen: String,
    exec: Session<'a>,
    console: Session<'a>,
    upload: Request,
    download: Request,
    /// Those that wait for an answer.
    waiting: Vec<Request>,
    /// Their jobs, and the places of the cloud's operations.
    operations: Vec<(String, String)>,
    /// The job that makes an instance.
    created: String,
}

fn command() -> String {
    of("c1", "/exec?terminal=false&command=sh&command=-c&command=echo%20ready;exec%20cat")
}

fn new_instance() -> Value {
    json!({"name": "new", "origin": {"image": "busybox"}})
}

impl Half<'_> {
    /// Begins one request of each kind, until the cloud does not answer any more.
    fn of<'a>(replicas: &'a Replicas, server: &'a Server) -> Half<'a> {
        let Replicas { alice, world, .. } = replicas;
        world.write("sent", &"x".repeat(SIZE << 20));
        let begin = |path: &str, body, arguments: &[&str]| Request::begin(replicas, path, body, arguments);
        let events = Follower::begin(alice, "?after=00000000-1");
        let seen = events.says("id: ");
        let session = |path: &str| Session::begin_at(world, alice, "clouds", path).opened();
        let mut exec = session(&command());
        exec.shows("ready");
        let console = session(&of("c1", "/console"));
        let stop = json!({"action": "stop", "timeout": 300});
        let key = |name: &str| json!({"cloud": "oslo", "project": "default", "name": name});
        let bulk = json!({"state": stop, "instances": [key("c2"), key("c3")]});
        let mut waiting = vec![
            begin(&of("c1", "/state"), Some(stop), &["-X", "PUT"]),
            begin("/api/v1/instances/state", Some(bulk), &[]),
            begin(&of("data", "/copy"), Some(key("copied")), &[]),
        ];
        let sending = ["-T", "sent", "--limit-rate", "300k"];
        let mut upload = begin(&of("files", "/files?path=/root/sent"), None, &sending);
        let fetching = ["-D", "head", "-o", "fetched", "--limit-rate", "2M"];
        let mut download = begin(&of("files", "/files?path=/root/long"), None, &fetching);
        let stopping = DEAF.iter().map(|name| goes_on(alice, "stop", &format!("instances/{name}")));
        let operations = stopping.chain([goes_on(alice, "copy", "instances/data")]).collect();
        let has_sent = |begun: &Option<(String, Value)>| {
            begun.as_ref().is_some_and(|(_, part)| part["bytes"].as_u64() > Some(0))
        };
        until(|| begun(alice, "file.push", "instances/files"), has_sent);
        let fetched = || std::fs::metadata(world.path("fetched")).map_or(0, |file| file.len());
        until(fetched, |length| *length > 0);
        // What would be over too soon.
        server.signal("STOP");
        waiting.push(begin(&of("data", ""), None, &[]));
        waiting.push(begin(&format!("{PROJECT}/instances"), Some(new_instance()), &[]));
        let (created, _) = until(|| begun(alice, "create", "instances/new"), Option::is_some).unwrap();
        waiting.iter_mut().chain([&mut upload, &mut download]).for_each(Request::goes_on);
        Half { replicas, server, events, seen, exec, console, upload, download, waiting, operations, created }
    }

    /// The other replica has what became of each, and goes on with the events.
    fn goes_on_at_the_other(self, killed: Instant) -> Follower {
        let Half { replicas: Replicas { alice, world, .. }, server, .. } = self;
        // Whoever sends something learns it.
        self.upload.fails();
        sessions_begin_anew(world, alice, [self.exec, self.console]);
        files_are_whole(world, alice, server, self.download);
        operations_go_on(alice, server, &self.operations);
        is_of(&alice.get(&url(&format!("/api/v1/jobs/{}", self.created))).is(421), "one");
        instances_are_as_wanted(alice, server);
        alice.get(&url(&of("data", ""))).is(200);
        // Who misses the signs of life follows the events anew, and is told to look at the lists.
        let seen = self.events.falls_silent(killed).unwrap_or(self.seen);
        let events = Follower::begin(alice, &format!("?after={seen}"));
        assert_eq!(events.says("event: "), "reset");
        server.lxc(&["delete", "meanwhile"]);
        while !events.says("data: ").contains("instance-gone") {}
        self.waiting.into_iter().for_each(Request::has_no_answer);
        events
    }
}

/// A session was the dead replica's. A command begins anew; the console may be held until the cloud misses who had it.
fn sessions_begin_anew(world: &World, alice: &Person, sessions: [Session<'_>; 2]) {
    for (session, kind) in sessions.into_iter().zip(["exec", "console"]) {
        let id = session.hello["id"].as_str().unwrap().to_owned();
        session.breaks();
        let back = of("c1", &format!("/{kind}?session={id}&after=0"));
        let (told, code) = Session::begin_at(world, alice, "clouds", &back).ends();
        assert_eq!(code, 4421, "{told:?}");
        is_of(&told.last().unwrap()["error"], "one");
    }
    let mut exec = Session::begin_at(world, alice, "clouds", &command()).opened();
    exec.shows("ready");
    exec.closes(1000);
    let (told, code) = Session::begin_at(world, alice, "clouds", &of("c1", "/console")).ends();
    assert_eq!((&told.last().unwrap()["error"]["code"], code), (&json!("conflict"), 4409), "{told:?}");
}

/// A file is as before until it is sent whole, and the rest of one that was fetched comes from the other replica.
fn files_are_whole(world: &World, alice: &Person, server: &Server, download: Request) {
    assert_eq!(file(alice, None), "before");
    assert_eq!(file(alice, Some("after")), "after");
    download.has_no_answer();
    let head = std::fs::read_to_string(world.path("head")).unwrap();
    let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap();
    let mut rest = alice.curl();
    rest.args(["-f", "-C", "-", "-o", "fetched", "-w", "%{http_code}", "-H", &format!("if-range: {tag}")]);
    rest.arg(url(&of("files", "/files?path=/root/long"))).current_dir(world.home.path());
    let rest = rest.output().unwrap();
    assert_eq!(String::from_utf8_lossy(&rest.stdout), "206", "{rest:?}");
    let whole = std::fs::read(server.root("files").join("root/long")).unwrap();
    assert!(std::fs::read(world.path("fetched")).unwrap() == whole, "it is another file");
}

/// What the cloud was doing goes on to its end; the jobs were the dead replica's.
fn operations_go_on(alice: &Person, server: &Server, operations: &[(String, String)]) {
    let ask = |operation: &str| alice.get(&url(operation)).is(200);
    for (job, operation) in operations {
        is_of(&alice.get(&url(&format!("/api/v1/jobs/{job}"))).is(421), "one");
        until(|| ask(operation), |told| matches!(told["status"].as_str(), Some("Running" | "Success")));
    }
    DEAF.iter().for_each(|name| goes_down(server, name));
    for (_, operation) in operations {
        let ended = until(|| ask(operation), |told| told["status_code"].as_u64() >= Some(200));
        assert!(ended["status"] == "Success" || ended["error"] == NOT_BY_ITSELF, "{ended}");
    }
}

/// How an LXD may end a stop whose container has gone down, but not in the way that it had waited for.
const NOT_BY_ITSELF: &str = "shutting down the container failed";

/// All are there once, what was made before the death and meanwhile too.
fn instances_are_as_wanted(alice: &Person, server: &Server) {
    let (body, json) = (new_instance().to_string(), "content-type: application/json");
    let again = ["-H", json, "-H", "prefer: wait=60", "-d", &body];
    let again = alice.ask(&url(&format!("{PROJECT}/instances")), &again);
    assert!(again.status == 200 || again.json()["code"] == "conflict", "{again:?}");
    let all = ["c1", "c2", "c3", "copied", "data", "files", "meanwhile", "new"];
    let is_all = |list: &Value| {
        let items = list["items"].as_array().unwrap();
        let mut names: Vec<&str> = items.iter().map(|row| row["name"].as_str().unwrap()).collect();
        names.sort_unstable();
        names == all && items.iter().all(|row| row["status"] == "Stopped")
    };
    until(|| alice.get(&url("/api/v1/instances")).is(200), is_all);
    assert_eq!(server.instances(), all);
    assert!(server.size("copied") >= SIZE as u64);
}

/// What the audit of the replica `one` has, where each change ended in these ways.
fn audit_is(world: &World, ends: &[&str]) {
    let told = audit(&world.path("one/audit"));
    let changes: Vec<(&str, &str)> = told.keys().map(|(action, object)| (&**action, &**object)).collect();
    assert_eq!(changes, CHANGES);
    assert!(told.values().all(|told| told == ends), "{told:?}");
}

/// The replica that is back tells once that it does not know how its changes ended.
fn comes_back(replicas: &Replicas) {
    let Replicas { alice, world, .. } = replicas;
    for unknown in [CHANGES.len(), 0] {
        let mut one = start(world, "one.yaml");
        one.joins();
        reaches(world, alice, "http://one/api/v1/me");
        audit_is(world, &["unknown"]);
        let records = alice.get("http://one/api/v1/audit?result=unknown").is(200);
        assert_eq!(records["items"].as_array().unwrap().len(), CHANGES.len(), "{records}");
        let (_, log) = one.ends_on("KILL");
        assert_eq!(log.matches("it is not known how this change ended").count(), unknown, "{log}");
    }
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_replica_that_is_killed_loses_nothing_and_the_other_one_goes_on() {
    in_own_network(
        "replica_failures::a_replica_that_is_killed_loses_nothing_and_the_other_one_goes_on",
        || {
            let (mut replicas, server) = world();
            let mut services = std::mem::take(&mut replicas.services);
            replicas.leads_to("two");
            assert_eq!(file(&replicas.alice, Some("before")), "before");
            replicas.leads_to("one");
            let half = Half::of(&replicas, &server);

            services.remove(0).ends_on("KILL");
            let killed = Instant::now();
            audit_is(&replicas.world, &[]);
            server.signal("CONT");
            server.lxc(&["init", "busybox", "meanwhile"]);
            replicas.leads_to("two");

            let events = half.goes_on_at_the_other(killed);
            comes_back(&replicas);
            // Where nothing changes there is a sign of life.
            events.says(":");
        },
    );
}

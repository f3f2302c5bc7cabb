//! The API in the tailnet, asked by callers on nodes of their own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tailnet_sandbox::Peer;

use crate::node::{Service, World, curl, free_port, until};
use crate::program::HANG;

/// The node, as callers name it.
pub(crate) const NODE: &str = "kolaboree-node";

/// The capability by which the tailnet's policy gives rights.
pub(crate) const CAPABILITY: &str = "kolaboree.dev/cap/clouds";

/// Somebody with a node of their own.
pub(crate) struct Person {
    pub(crate) proxy: SocketAddr,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Its JSON, where the status is that one.
    #[track_caller]
    pub(crate) fn is(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        if self.body.is_empty() { Value::Null } else { self.json() }
    }
}

impl Person {
    pub(crate) fn of(world: &World, peer: &str) -> Person {
        Person { proxy: world.sandbox.peer(peer).socks5().unwrap() }
    }

    /// A stream from the person's node to port 80 of the node.
    pub(crate) fn connect(&self) -> TcpStream {
        connect(self.proxy, NODE, 80)
    }

    /// `curl` by the person's node.
    pub(crate) fn curl(&self) -> Command {
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--max-time", "60", "-x", &format!("socks5h://{}", self.proxy)]);
        curl
    }

    /// Asks with these arguments of curl.
    pub(crate) fn ask(&self, url: &str, arguments: &[&str]) -> Answer {
        let url = if url.starts_with('/') { format!("http://{NODE}{url}") } else { url.to_owned() };
        let output = self
            .curl()
            .args(["-D", "/dev/stderr", "--suppress-connect-headers"])
            .args(arguments)
            .arg(&url)
            .stdin(Stdio::null())
            .output()
            .expect("curl is installed");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        // 28: the time that it was given is over, as with a stream of events.
        assert!(matches!(output.status.code(), Some(0 | 28)), "{url}: {text}");
        // The last head: others may be of answers before it.
        let head = text.split("\r\n\r\n").filter(|part| part.starts_with("HTTP/")).last().unwrap_or_default();
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
        let headers = lines.filter_map(|line| line.split_once(": "));
        let answer = Answer {
            status: status.unwrap_or_else(|| panic!("{url}: {text}")),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            body: String::from_utf8_lossy(&output.stdout).into_owned(),
        };
        if output.status.success() && !arguments.contains(&"-o") {
            crate::contract::keeps(method_of(arguments), &url, &answer);
        }
        answer
    }

    pub(crate) fn get(&self, url: &str) -> Answer {
        self.ask(url, &[])
    }

    /// Sends a file of this machine, and waits for what comes of it.
    pub(crate) fn upload(&self, url: &str, file: &Path) -> Answer {
        let binary = "content-type: application/octet-stream";
        let file = file.to_str().unwrap();
        self.ask(url, &["-X", "POST", "-H", binary, "-H", "prefer: wait=60", "-T", file])
    }

    /// What came of the one part of a job, once it has ended.
    #[track_caller]
    pub(crate) fn outcome(&self, begun: &Answer) -> Value {
        assert!(matches!(begun.status, 200 | 202), "{begun:?}");
        let url = format!("/api/v1/jobs/{}", begun.json()["id"].as_str().unwrap());
        let ended = until(|| self.get(&url).is(200), |job| job["status"] != "running");
        ended["parts"][0].clone()
    }

    /// What the audit has of a thing, oldest first: the action, its detail and the result.
    pub(crate) fn audit(&self, object: &str) -> Vec<[String; 3]> {
        let records = self.get(&format!("/api/v1/audit?object={object}")).is(200)["items"].clone();
        let text = |record: &Value, field: &str| record[field].as_str().unwrap_or_default().to_owned();
        let records = records.as_array().unwrap().iter().rev();
        records.map(|record| ["action", "detail", "result"].map(|field| text(record, field))).collect()
    }

    /// Sends JSON.
    pub(crate) fn send(&self, method: &str, url: &str, body: &Value) -> Answer {
        let body = body.to_string();
        self.ask(url, &["-X", method, "-H", "content-type: application/json", "-d", &body])
    }
}

/// The method that these arguments of curl ask for.
fn method_of<'a>(arguments: &[&'a str]) -> &'a str {
    let named = arguments.iter().position(|argument| *argument == "-X");
    let has = |known: &[&str]| arguments.iter().any(|argument| known.contains(argument));
    match named {
        Some(at) => arguments[at + 1],
        None if has(&["-T", "--upload-file"]) => "PUT",
        None if has(&["-I", "--head"]) => "HEAD",
        None if has(&["-d", "--data", "--data-binary"]) => "POST",
        None => "GET",
    }
}

/// A stream by a SOCKS5 proxy to a port of a node.
pub(crate) fn connect(proxy: SocketAddr, host: &str, port: u16) -> TcpStream {
    #[allow(clippy::disallowed_methods, reason = "the proxy is on this machine")]
    let mut stream = TcpStream::connect(proxy).unwrap();
    stream.write_all(&[5, 1, 0]).unwrap();
    let mut answer = [0; 2];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(answer, [5, 0]);
    let length = u8::try_from(host.len()).unwrap();
    let request = [&[5, 1, 0, 3, length], host.as_bytes(), &port.to_be_bytes()].concat();
    stream.write_all(&request).unwrap();
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(answer[1], 0, "SOCKS5 gives {answer:?}");
    let mut bound = vec![0; if answer[3] == 4 { 18 } else { 6 }];
    stream.read_exact(&mut bound).unwrap();
    stream
}

/// A tailnet with the users' nodes `alice` and `bob` and a node with these rules of `tailnet.access`.
fn world(rules: &str) -> (World, Service) {
    let world = World::with(["alice", "bob"].map(|name| Peer::new(name).socks5()));
    world.give_users(&["alice", "bob"]);
    world.configure(&format!(
        "local: {{listen: none}}\ntailnet:\n  listen: 80\n  hosts: [cloud.example.com]\n  access:\n{rules}clouds:\n{}",
        world.berlin()
    ));
    let mut service = world.start();
    service.joins();
    service.says("the API is served at http://the node:80");
    (world, service)
}

/// A rule that lets somebody do these things everywhere.
fn rule(who: &str, verbs: &str) -> String {
    format!("    - {{who: ['{who}'], clouds: ['*'], projects: ['*'], verbs: [{verbs}]}}\n")
}

#[test]
fn who_has_no_right_is_told_who_they_are_and_which_grant_is_missing() {
    let (world, service) = world(&rule("user:alice@example.com", "view"));
    let (alice, bob) = (Person::of(&world, "alice"), Person::of(&world, "bob"));
    let me = alice.get("/api/v1/me").is(200);
    assert_eq!(me["caller"]["user"]["login"], "alice@example.com");
    assert_eq!(me["caller"]["rights"], json!([{"clouds": ["*"], "projects": ["*"], "verbs": ["view"]}]));
    for path in ["/api/v1/me", "/api/v1/instances", "/api/v1/clouds/berlin", "/api/v1/events", "/metrics"] {
        let refused = bob.get(path);
        assert_eq!(refused.header("content-type"), Some("application/problem+json"));
        let problem = refused.is(403);
        assert_eq!(problem["code"], "forbidden");
        assert_eq!(problem["caller"]["user"]["login"], "bob@example.com");
        assert_eq!(problem["grant"]["policy"]["src"], json!(["bob@example.com"]), "{problem}");
    }
    let denied = alice.send(
        "PUT",
        "/api/v1/clouds/berlin/projects/default/instances/c1/state",
        &json!({"action": "stop"}),
    );
    let grant = &denied.is(403)["grant"]["grant"];
    assert_eq!(*grant, json!({"clouds": ["berlin"], "projects": ["default"], "verbs": ["operate"]}));
    assert!(alice.get("/api/v1/audit").status == 403);
    assert_eq!(service.ends_on("TERM").0, Some(0));
}

#[test]
fn the_node_is_asked_by_its_own_names_alone() {
    let (world, mut service) = world(&rule("user:*", "view"));
    let alice = Person::of(&world, "alice");
    let status = world.status();
    let ips: Vec<&str> = status["this"]["ips"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let full = format!("{NODE}.{}", world.sandbox.domain());
    let dotted = format!("{full}.");
    let (ipv4, ipv6, upper) = (ips[0], format!("[{}]", ips[1]), NODE.to_uppercase());
    for own in [NODE, &upper, &full, &dotted, &format!("{full}:80"), ipv4, &ipv6, "cloud.example.com"] {
        let answer = alice.ask("/api/v1/me", &["-H", &format!("Host: {own}")]);
        assert_eq!(answer.status, 200, "{own}: {answer:?}");
    }
    let peer = world.sandbox.peer("alice").ipv4.to_string();
    for strange in [
        "evil.example",
        "localhost",
        "127.0.0.1",
        &peer,
        "kolaboree-node:8080",
        "x.kolaboree-node",
        &format!("{full}.evil.example"),
    ] {
        for path in ["/", "/api/v1/me", "/api/v1/openapi.json", "/assets/x.js", "/nothing"] {
            let answer = alice.ask(path, &["-H", &format!("Host: {strange}")]);
            assert_eq!(
                (answer.status, answer.json()["code"].as_str()),
                (421, Some("wrong_host")),
                "{strange}"
            );
        }
    }
    let none = alice.ask("/api/v1/me", &["--http1.0", "-H", "Host:"]);
    assert_eq!(none.status, 421, "{none:?}");
    let absolute = alice.ask("/api/v1/me", &["--request-target", "http://evil.example/api/v1/me"]);
    assert_eq!(absolute.status, 421, "{absolute:?}");
    let of_h2 = alice.ask("/api/v1/me", &["--http2-prior-knowledge", "-H", "Host: evil.example"]);
    assert_eq!(of_h2.status, 421, "{of_h2:?}");
    assert_eq!(alice.ask("/api/v1/me", &["--http2-prior-knowledge"]).status, 200);

    // By the address that a peer knows the node by.
    let other = "100.99.0.9".parse().unwrap();
    world.wait(world.sandbox.masquerade(NODE, "alice", Some(other))).unwrap();
    until(
        || alice.ask("/api/v1/me", &["--max-time", "5", "-H", "Host: 100.99.0.9"]).status,
        |status| *status == 200,
    );
    let bob = Person::of(&world, "bob");
    assert_eq!(
        bob.ask("/api/v1/me", &["-H", "Host: 100.99.0.9"]).status,
        421,
        "another peer does not know it by that"
    );
    service.signal("TERM");
    assert_eq!(service.ended().0, Some(0));
}

#[test]
fn nothing_in_a_request_says_who_asks() {
    let (world, _service) = world(&rule("user:alice@example.com", "view"));
    let bob = Person::of(&world, "bob");
    let alice = world.sandbox.peer("alice").ipv4;
    for forged in [
        "Tailscale-User-Login: alice@example.com",
        "Tailscale-User-Name: alice",
        &format!("X-Forwarded-For: {alice}"),
        &format!("X-Real-IP: {alice}"),
        &format!("Forwarded: for={alice}"),
        "X-Forwarded-User: alice@example.com",
        "X-Forwarded-Host: evil.example",
        "Authorization: Bearer alice@example.com",
        "Cookie: user=alice@example.com",
        "X-HTTP-Method-Override: DELETE",
    ] {
        let answer = bob.ask("/api/v1/me", &["-H", forged]);
        assert_eq!(answer.is(403)["caller"]["user"]["login"], "bob@example.com", "{forged}");
    }
}

#[test]
fn a_page_of_another_site_is_refused_and_gets_no_leave_to_read() {
    let (world, _service) = world(&rule("user:alice@example.com", "view, operate"));
    let alice = Person::of(&world, "alice");
    let path = "/api/v1/clouds/nowhere/projects/default/instances/c1/state";
    let body = "{\"action\": \"start\"}";
    let post = |headers: &[&str]| {
        let mut arguments = vec!["-X", "PUT", "-d", body];
        headers.iter().for_each(|header| arguments.extend(["-H", header]));
        alice.ask(path, &arguments)
    };
    let (json, own) = ("content-type: application/json", "origin: http://kolaboree-node");
    assert_eq!(post(&[json]).is(404)["code"], "not_found", "a program is let in, and told of the cloud");
    assert_eq!(post(&[json, own]).status, 404);
    for headers in [
        &[json, "origin: http://evil.example"][..],
        &[json, "origin: null"],
        &[json, "origin: https://kolaboree-node"],
        &[json, own, "sec-fetch-site: cross-site"],
        &[json, "sec-fetch-site: same-site"],
        &["content-type: text/plain"],
        &["content-type: application/x-www-form-urlencoded"],
    ] {
        assert_eq!(post(headers).is(403)["code"], "foreign_origin", "{headers:?}");
    }
    let preflight =
        alice.ask(path, &["-X", "OPTIONS", "-H", own, "-H", "access-control-request-method: PUT"]);
    assert_eq!(preflight.status, 405);
    for answer in [preflight, alice.ask("/api/v1/me", &["-H", own]), post(&[json, own])] {
        let allows = |(name, _): &(String, String)| name.to_ascii_lowercase().starts_with("access-control-");
        assert!(!answer.headers.iter().any(allows), "{answer:?}");
    }
}

#[test]
fn every_answer_has_the_headers_that_keep_a_browser_safe() {
    let (world, _service) = world(&rule("user:alice@example.com", "view"));
    let (alice, bob) = (Person::of(&world, "alice"), Person::of(&world, "bob"));
    let wrong = alice.ask("/", &["-H", "Host: evil.example"]);
    let answers = [alice.get("/api/v1/me"), alice.get("/nothing"), bob.get("/api/v1/me"), wrong];
    for answer in answers {
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{answer:?}");
        }
        let policy = answer.header("content-security-policy").unwrap();
        assert!(
            policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert!(answer.header("strict-transport-security").is_none(), "HTTP cannot ask for it");
        let id = answer.header("x-request-id").unwrap();
        let (node, number) = id.split_once('.').unwrap_or(("", id));
        let told = if answer.status == 421 { "" } else { NODE };
        assert_eq!(
            (node, number.len()),
            (told, 32),
            "who comes by another name is not told the node's: {id}"
        );
    }
    let document = alice.ask("/api/v1/openapi.json", &["--compressed"]);
    assert_eq!(document.header("content-encoding"), Some("gzip"));
    assert_eq!(document.json()["openapi"], "3.1.0");
}

#[test]
fn who_loses_the_right_loses_the_stream_of_events_too() {
    let (world, _service) = world(&rule("user:bob@example.com", "view"));
    let values = [json!({"clouds": ["*"], "projects": ["*"], "verbs": ["view"]})];
    world.wait(world.sandbox.grant("alice", NODE, CAPABILITY, &values)).unwrap();
    let (alice, bob) = (Person::of(&world, "alice"), Person::of(&world, "bob"));
    until(|| alice.get("/api/v1/me").status, |status| *status == 200);

    let follow = |person: &Person| {
        let mut curl = person.curl();
        curl.args(["-N", &format!("http://{NODE}/api/v1/events")]).stdout(Stdio::piped()).spawn().unwrap()
    };
    let (mut lost, mut kept) = (follow(&alice), follow(&bob));
    let first = |child: &mut std::process::Child| {
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        line
    };
    assert_eq!(
        (first(&mut lost), first(&mut kept)),
        ("retry: 2000\n".to_owned(), "retry: 2000\n".to_owned())
    );
    world.wait(world.sandbox.revoke("alice", NODE, CAPABILITY)).unwrap();
    assert!(finishes(&mut lost), "the stream goes on without a right");
    assert_eq!(alice.get("/api/v1/me").status, 403);
    assert!(kept.try_wait().unwrap().is_none(), "another one's stream goes on");
    kept.kill().unwrap();
    kept.wait().unwrap();
}

/// Whether a program comes to its end by itself.
fn finishes(child: &mut std::process::Child) -> bool {
    until(|| child.try_wait().unwrap(), Option::is_some).is_some()
}

#[test]
fn one_caller_has_four_streams_of_events_at_the_most() {
    let (world, _service) = world(&rule("user:*", "view"));
    let (alice, bob) = (Person::of(&world, "alice"), Person::of(&world, "bob"));
    let url = format!("http://{NODE}/api/v1/events");
    let mut streams: Vec<_> = (0..4)
        .map(|_| {
            let mut child = alice.curl().args(["-N", &url]).stdout(Stdio::piped()).spawn().unwrap();
            let mut line = String::new();
            BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
            assert_eq!(line, "retry: 2000\n");
            child
        })
        .collect();
    assert_eq!(alice.get("/api/v1/events").is(429)["code"], "too_many");
    let other = bob.ask("/api/v1/events", &["--max-time", "2"]);
    assert_eq!(other.status, 200);
    for child in &mut streams {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    until(
        || {
            alice
                .curl()
                .args(["-N", "--max-time", "1", "-o", "/dev/null", "-w", "%{http_code}", &url])
                .output()
                .unwrap()
        },
        |output| output.stdout == b"200",
    );
}

#[test]
fn for_development_the_loopback_has_one_fixed_caller() {
    let world = World::new();
    let port = free_port();
    world.configure(&format!(
        "local: {{listen: none}}\ntailnet:\n  development: {{listen: '127.0.0.1:{port}', user: dev@example.com}}\nclouds:\n{}",
        world.berlin()
    ));
    let mut service = world.start();
    service.joins();
    let (status, body) = curl(&[&format!("http://127.0.0.1:{port}/api/v1/me")]);
    assert_eq!(status, "200", "{body}");
    let me: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (&me["development"], &me["caller"]["user"]["login"]),
        (&json!(true), &json!("dev@example.com"))
    );
    let (status, _) = curl(&["-H", "Host: evil.example", &format!("http://127.0.0.1:{port}/api/v1/me")]);
    assert_eq!(status, "421");
    assert!(service.log.contains("development"), "{}", service.log);
}

#[test]
fn the_doctor_runs_once_for_all_who_ask_and_tells_each_of_the_clouds_that_they_may_see() {
    let others = "    - {who: ['user:bob@example.com'], clouds: [other], projects: ['*'], verbs: [view]}\n";
    let (world, service) = world(&(rule("user:alice@example.com", "view") + others));
    let (alice, bob) = (Person::of(&world, "alice"), Person::of(&world, "bob"));
    assert_eq!(alice.get("/api/v1/doctor").is(200), json!({"ran_at": null, "findings": []}));
    // A cloud that is silent makes a run long enough to be shared.
    world.wait(world.sandbox.stop_peer("berlin")).unwrap();
    let run = |person: &Person| person.send("POST", "/api/v1/doctor", &json!({})).is(200);
    let of_cloud = |report: &Value| {
        let findings = report["findings"].as_array().unwrap();
        findings.iter().filter(|finding| finding["cloud"] == "berlin").count()
    };
    let (hers, again, his) = std::thread::scope(|scope| {
        let asked = [&alice, &alice, &bob].map(|person| scope.spawn(|| run(person)));
        asked.map(|asked| asked.join().unwrap()).into()
    });
    assert_eq!(hers, again);
    assert!(of_cloud(&hers) > 0 && hers["ran_at"].is_u64(), "{hers}");
    for area in ["state folder", "node", "control server", "authentication", "access"] {
        let is_there = hers["findings"].as_array().unwrap().iter().any(|finding| finding["area"] == area);
        assert!(is_there, "{area}: {hers}");
    }
    assert_eq!((of_cloud(&his), &his["ran_at"]), (0, &hers["ran_at"]), "{his}");
    assert!(!his.to_string().contains("berlin"), "{his}");
    assert_eq!(alice.get("/api/v1/doctor").is(200), hers);
    assert!(run(&alice)["findings"].as_array().unwrap().len() > 3, "and it runs again");
    assert_eq!(service.ends_on("TERM").0, Some(0));
}

/// Each route of the document, with something in the place of each part of its path: the method, the path, and the right that
/// it takes.
fn walk(document: &Value) -> Vec<(String, String, Value)> {
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let filled: Vec<&str> = path
            .split('/')
            .map(|part| match part {
                "{cloud}" => "berlin",
                "{project}" => "default",
                part if part.starts_with('{') => "x",
                part => part,
            })
            .collect();
        for (method, operation) in item.as_object().unwrap() {
            routes.push((method.to_uppercase(), filled.join("/"), operation["x-needs"]["verb"].clone()));
        }
    }
    routes
}

#[test]
fn a_walk_over_all_routes_finds_none_for_a_stranger_and_no_change_for_who_may_look() {
    let (world, _service) = world(&rule("user:alice@example.com", "view"));
    let (alice, bob) = (Person::of(&world, "alice"), Person::of(&world, "bob"));
    let routes = walk(&alice.get("/api/v1/openapi.json").is(200));
    assert!(routes.len() > 40, "{routes:?}");
    for (method, path, verb) in routes {
        let arguments = ["-X", &method, "-H", "content-type: application/json", "-d", "{}"];
        let arguments = if method == "HEAD" { &["-I"][..] } else { &arguments };
        assert_eq!(bob.ask(&path, arguments).status, 403, "{method} {path}");
        let takes_more = !verb.is_null() && verb != "view";
        if takes_more {
            assert_eq!(alice.ask(&path, arguments).status, 403, "{method} {path}");
        }
    }
}

#[test]
fn who_says_nothing_or_too_much_keeps_nobody_out_and_is_ended() {
    let (world, _service) = world(&rule("user:*", "view, operate"));
    let (alice, bob) = (Person::of(&world, "alice"), Person::of(&world, "bob"));
    // As many as one caller may have, each with the half of a head.
    let mut slow: Vec<TcpStream> = (0..70)
        .map(|_| {
            let mut stream = alice.connect();
            let _ = stream.write_all(b"GET /api/v1/me HTTP/1.1\r\nHost: kolaboree-node\r\nX-Slow: ");
            stream
        })
        .collect();
    assert_eq!(bob.get("/api/v1/me").status, 200);
    for stream in &mut slow {
        stream.set_read_timeout(Some(HANG)).unwrap();
        let mut rest = Vec::new();
        let ended = stream.read_to_end(&mut rest);
        let text = String::from_utf8_lossy(&rest);
        assert!(ended.is_ok() || rest.is_empty(), "{ended:?} {text}");
        assert!(!text.contains("200 OK"), "{text}");
    }
    drop(slow);
    until(|| alice.ask("/api/v1/me", &["--max-time", "5"]).status, |status| *status == 200);

    let large = world.path("large.json");
    std::fs::write(&large, format!("{{\"action\": \"{}\"}}", "x".repeat(2 << 20))).unwrap();
    let data = format!("@{}", large.display());
    let path = "/api/v1/clouds/berlin/projects/default/instances/x/state";
    let json = "content-type: application/json";
    assert_eq!(
        alice.ask(path, &["-X", "PUT", "-H", json, "--data-binary", &data]).is(413)["code"],
        "too_large"
    );
    let header = format!("x-large: {}", "x".repeat(100 << 10));
    let mut curl = alice.curl();
    curl.args(["-o", "/dev/null", "-w", "%{http_code}", "-H", &header, &format!("http://{NODE}/api/v1/me")]);
    assert_eq!(String::from_utf8_lossy(&curl.output().unwrap().stdout), "431");
    for rubbish in [
        "",
        "[]",
        "{",
        "{\"action\": \"explode\"}",
        "{\"action\": \"stop\", \"more\": 1}",
        "{\"action\": \"stop\"} x",
    ] {
        let answer = alice.ask(path, &["-X", "PUT", "-H", json, "--data-binary", rubbish]);
        assert_eq!(answer.is(400)["code"], "invalid", "{rubbish:?}");
    }
    assert_eq!(
        alice.ask(path, &["-X", "PUT", "-H", "content-type: application/octet-stream", "-d", "{}"]).status,
        415
    );
}

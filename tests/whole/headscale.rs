//! The API in a tailnet of headscale, which gives no capabilities: the rights are those of `kolaboree.yaml` alone.
//! `.ci/check-headscale` builds it and runs this.

#[path = "../../crates/tailnet/tests/tailnet/headscale_server.rs"]
#[allow(dead_code, reason = "the tests of the crate need more of it")]
mod headscale_server;

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tokio::runtime::Runtime;

use crate::node::Service;
use crate::program::{command, finish, run};
use headscale_server::Headscale;

/// A program that joins by headscale, as this name.
fn program(home: &Path, name: &str, key: &str) -> Command {
    let mut program = command(env!("CARGO_BIN_EXE_kolaboree-node"), home);
    program.args(["--config", &format!("{name}.yaml")]).env("TAILSCALE_AUTH_KEY", key);
    program.env("TS_DISABLE_PORTMAPPER", "true").env("TS_DEBUG_USE_DERP_HTTP", "true"); // its relay has no certificate
    program
}

fn configure(home: &Path, headscale: &Headscale, name: &str, more: &str) {
    let text = format!(
        "state_dir: {name}\nhostname: {name}\ncontrol_url: {}\nlocal: {{listen: none}}\n{more}",
        headscale.url
    );
    std::fs::write(home.join(format!("{name}.yaml")), text).unwrap();
}

/// What the node answers a caller to a request: the status and the body.
fn ask(home: &Path, caller: &str, key: &str, path: &str) -> (u16, Value) {
    let mut nc = program(home, caller, key);
    let mut nc = nc.args(["nc", "node", "80"]).stdin(Stdio::piped()).spawn().unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n");
    let mut stdin = nc.stdin.take().unwrap();
    stdin.write_all(request.as_bytes()).unwrap();
    // The input ends once the answer is there.
    let mut answer = String::new();
    let mut stdout = nc.stdout.take().unwrap();
    let reading = std::thread::spawn(move || {
        stdout.read_to_string(&mut answer).unwrap();
        answer
    });
    let printed = finish(nc);
    drop(stdin);
    let answer = reading.join().unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer} {}", printed.stderr));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let body = body.find('{').map_or("null", |start| &body[start..=body.rfind('}').unwrap()]);
    (status, serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}")))
}

#[test]
#[ignore = "needs headscale: .ci/check-headscale"]
fn headscale_tells_who_calls_and_the_files_rules_let_in_those_whom_they_name_and_nobody_else() {
    let runtime = Runtime::new().unwrap();
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let (headscale, keys) = runtime.block_on(async {
        let headscale = Headscale::start().await;
        headscale.json(&["users", "create", "alice", "--email", "alice@example.com"]).await;
        headscale.json(&["users", "create", "bob"]).await;
        let keys = [
            ("node", headscale.key(&[]).await),
            ("alice", headscale.key_of("2", &["--reusable"]).await),
            ("bob", headscale.key_of("3", &["--reusable"]).await),
            // A node with tags is its tags', whoever made the key.
            ("ci", headscale.key_of("2", &["--reusable", "--tags", "tag:ci"]).await),
        ];
        (headscale, keys)
    });
    let key = |name: &str| keys.iter().find(|(known, _)| *known == name).unwrap().1.as_str();
    let with_rules = |who: &[&str]| {
        let who: Vec<String> = who.iter().map(|who| format!("'{who}'")).collect();
        let rule = format!("{{who: [{}], clouds: ['*'], projects: ['*'], verbs: [view]}}", who.join(", "));
        configure(home, &headscale, "node", &format!("tailnet:\n  listen: 80\n  access: [{rule}]\n"));
    };
    with_rules(&["user:alice@example.com"]);
    for caller in ["alice", "bob", "ci"] {
        configure(home, &headscale, caller, "");
    }
    let mut service = Service::start(program(home, "node", key("node")));
    service.says("the API is served at http://the node:80");

    // Who calls, as the node knows it.
    let is = &|caller: &str, status: u16| {
        let [me, _] = ["/api/v1/me", "/api/v1/instances"].map(|path| {
            let (answered, body) = ask(home, caller, key(caller), path);
            assert_eq!(answered, status, "{caller} {path}: {body}");
            if status == 403 {
                assert_eq!(body["code"], "forbidden", "{body}");
            }
            body
        });
        me["caller"].clone()
    };
    let alice = is("alice", 200);
    assert_eq!((&alice["user"]["login"], &alice["kind"]), (&"alice@example.com".into(), &"user".into()));
    // Without an e-mail address the login is the name.
    let bob = is("bob", 403);
    assert_eq!((&bob["user"]["login"], &bob["kind"]), (&"bob".into(), &"user".into()));
    let ci = is("ci", 403);
    assert_eq!(
        (&ci["tags"][0], &ci["kind"], &ci["user"]),
        (&"tag:ci".into(), &"tagged".into(), &Value::Null)
    );

    for (rules, let_in) in [
        (&["user:bob"][..], &["bob"][..]),
        (&["tag:ci"], &["ci"]),
        (&["user:*"], &["alice", "bob"]),
        (&["tag:other"], &[]),
    ] {
        with_rules(rules);
        let reloaded = run(program(home, "node", key("node")).arg("reload"));
        assert_eq!(reloaded.code, Some(0), "{}", reloaded.stderr);
        std::thread::scope(|scope| {
            for caller in ["alice", "bob", "ci"] {
                scope.spawn(move || is(caller, if let_in.contains(&caller) { 200 } else { 403 }));
            }
        });
    }
    assert_eq!(service.ends_on("TERM").0, Some(0));
}

//! The inventory of a running node over real servers, as `lxd list` and the control socket tell it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lxd_client::Client;
use serde_json::Value;
use tailnet_sandbox::Peer;

use crate::clouds::{block_on, local, trusted_for};
use crate::node::{Service, World, curl, until};
use crate::real_lxd::lxd_dir;

/// The rows that the node tells.
fn rows(world: &World) -> Value {
    let socket = world.path("state/control.sock");
    let (code, body) =
        curl(&["--unix-socket", socket.to_str().unwrap(), "http://node/v1/inventory?fields=status"]);
    assert_eq!(code, "200", "{body}");
    serde_json::from_str(&body).unwrap()
}

/// The row of a cloud.
fn cloud(world: &World, name: &str) -> Value {
    let rows = rows(world);
    rows["clouds"].as_array().unwrap().iter().find(|row| row["name"] == name).cloned().unwrap_or_default()
}

fn is_fresh(cloud: &Value) -> bool {
    cloud["filled"] == true && cloud["stale_since"].is_null()
}

type Rows = BTreeMap<String, Value>;

/// What a subscriber of the control socket knows: rows by what they are and their names, kept by the changes alone.
struct Mirror {
    follower: Child,
    rows: Arc<Mutex<Rows>>,
}

impl Mirror {
    fn of(world: &World) -> Mirror {
        let mut follower = Command::new("curl");
        follower.args(["-sSN", "--unix-socket"]).arg(world.path("state/control.sock"));
        follower.arg("http://node/v1/inventory/changes?kinds=instances,images").stdout(Stdio::piped());
        let mut follower = follower.spawn().expect("curl is installed");
        let lines = BufReader::new(follower.stdout.take().unwrap()).lines();
        let rows = Arc::<Mutex<Rows>>::default();
        let kept = Arc::clone(&rows);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let update: Value = serde_json::from_str(&line).unwrap();
                take(&mut kept.lock().unwrap_or_else(PoisonError::into_inner), &update);
            }
        });
        Mirror { follower, rows }
    }

    fn rows(&self) -> Rows {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        let _ = self.follower.kill();
        let _ = self.follower.wait();
    }
}

/// The name of a row among all of its kind.
fn key(kind: &str, row: &Value) -> String {
    let part = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
    match kind {
        "cloud" => format!("cloud {}", part("name")),
        "instance" => format!("instance {}:{}:{}", part("cloud"), part("project"), part("name")),
        _ => format!("image {}:{}:{}", part("cloud"), part("project"), part("fingerprint")),
    }
}

/// All rows of a snapshot.
fn all(snapshot: &Value) -> Rows {
    let mut rows = Rows::new();
    for (list, kind) in [("clouds", "cloud"), ("instances", "instance"), ("images", "image")] {
        for row in snapshot[list].as_array().unwrap() {
            rows.insert(key(kind, row), row.clone());
        }
    }
    rows
}

fn take(rows: &mut Rows, update: &Value) {
    if let Some(snapshot) = update.get("reset") {
        *rows = all(snapshot);
    }
    for change in update["changes"].as_array().into_iter().flatten() {
        let (kind, row) = (change["kind"].as_str().unwrap(), &change["row"]);
        match kind.strip_suffix("-gone") {
            Some("cloud") => {
                let name = row.as_str().unwrap();
                rows.retain(|_, row| row["cloud"] != name);
                rows.remove(&format!("cloud {name}"));
            }
            Some(kind) => {
                rows.remove(&key(kind, row));
            }
            None => {
                rows.insert(key(kind, row), row.clone());
            }
        }
    }
}

/// A server of this machine that is a cloud.
struct Server {
    name: &'static str,
    dir: PathBuf,
}

impl Server {
    fn client(&self) -> Client {
        Client::unix(&self.dir.join("unix.socket"), Duration::from_secs(10)).unwrap()
    }

    fn lxc(&self, arguments: &[&str]) {
        let told = Command::new("lxc").args(arguments).env("LXD_DIR", &self.dir).output().unwrap();
        assert!(told.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&told.stderr));
    }

    /// As an item of `clouds`.
    fn configured(&self) -> String {
        let name = self.name;
        format!(
            "  - {{name: {name}, address: '{name}:8443', trust: {{token: 'file:{name}'}}, checks: {{silence: 20}}}}\n"
        )
    }
}

/// A node with the clouds `first` and `second`: the servers of `LXD_DIR` and `LXD_SECOND`.
fn with_both() -> (World, Service, [Server; 2]) {
    let second = std::env::var_os("LXD_SECOND").expect("LXD_SECOND");
    let servers = [
        Server { name: "first", dir: lxd_dir() },
        Server { name: "second", dir: Path::new(&second).to_owned() },
    ];
    let (peers, tokens): (Vec<Peer>, Vec<_>) = block_on(async {
        let mut made = Vec::new();
        for server in &servers {
            let client = server.client();
            let address = client.server().await.unwrap().config["core.https_address"].clone();
            let peer = Peer::new(server.name).forward(8443, address.as_str().unwrap().parse().unwrap());
            made.push((peer, client.create_trust_token("test", None).await.unwrap()));
        }
        made.into_iter().unzip()
    });
    let world = World::with(peers);
    for (server, token) in servers.iter().zip(&tokens) {
        world.write(server.name, token.reveal());
    }
    world.configure(&format!(
        "local: {{listen: none}}\nclouds:\n{}",
        servers.each_ref().map(Server::configured).concat()
    ));
    let mut service = world.start();
    service.joins();
    for server in &servers {
        until(|| cloud(&world, server.name), is_fresh);
    }
    (world, service, servers)
}

/// Deletes instances in the end.
struct Deleted<'a>(Vec<(&'a Server, String)>);

impl Drop for Deleted<'_> {
    fn drop(&mut self) {
        for (server, name) in &self.0 {
            let mut lxc = Command::new("lxc");
            let _ = lxc.args(["delete", "--force", name]).env("LXD_DIR", &server.dir).output();
        }
    }
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn two_clouds_with_equal_names_are_followed_while_they_come_and_go() {
    let (world, service, [first, second]) = with_both();
    let mirror = Mirror::of(&world);
    let name = format!("inventory-{}", std::process::id());
    let late = format!("{name}-late");
    let _deleted = Deleted(vec![(&first, name.clone()), (&second, name.clone()), (&second, late.clone())]);
    let listed = |more: &[&str]| {
        let of = format!("^{name}");
        world.run(&[&["lxd", "list", &of, "-f", "csv", "-c", "rnds"], more].concat())
    };
    let shows = |lines: &[String]| {
        let right = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        until(|| listed(&[]), |told| told.code == Some(0) && told.stdout == right);
    };

    // Somebody else makes them, and changes one.
    first.lxc(&["init", "busybox", &name]);
    second.lxc(&["init", "--empty", &name]);
    shows(&[format!("first,{name},,STOPPED"), format!("second,{name},,STOPPED")]);
    first.lxc(&["start", &name]);
    second.lxc(&[
        "query",
        "-X",
        "PATCH",
        "-d",
        "{\"description\": \"here\"}",
        &format!("/1.0/instances/{name}"),
    ]);
    shows(&[format!("first,{name},,RUNNING"), format!("second,{name},here,STOPPED")]);
    let unclear = world.run(&["lxd", "start", &name]);
    assert_eq!(unclear.code, Some(2), "{}", unclear.stderr);

    // A cloud goes away: its rows stay, with the reason and the time. The other one goes on.
    world.wait(world.sandbox.stop_peer("second")).unwrap();
    let gone = until(|| cloud(&world, "second"), |cloud| !cloud["stale_since"].is_null());
    assert!(!gone["stale_reason"].as_str().unwrap().is_empty(), "{gone}");
    second.lxc(&["delete", &name]);
    second.lxc(&["init", "--empty", &late]);
    first.lxc(&["stop", "--force", &name]);
    let old = format!("first,{name},,STOPPED\nsecond,{name},here,STOPPED\n");
    let told = until(|| listed(&[]), |told| told.stdout == old);
    assert!(told.code == Some(7) && told.stderr.contains("second: these are its instances of "), "{told:?}");
    assert_eq!(listed(&["first:"]).code, Some(0));
    world.wait(world.sandbox.start_peer("second")).unwrap();
    shows(&[format!("first,{name},,STOPPED"), format!("second,{late},,STOPPED")]);
    until(|| cloud(&world, "second"), is_fresh);

    // What is not there is told with what may be meant, from the node's inventory.
    for (wrong, meant) in [
        (format!("first:{late}"), format!("second:{late}")),
        (format!("second:{}", late.replace('-', "")), format!("second:{late}")),
    ] {
        for verb in [&["info"][..], &["start"], &["config", "get"]] {
            let key = if verb.len() > 1 { &["user.x"][..] } else { &[] };
            let told = world.run(&[&["lxd"], verb, &[&wrong], key].concat());
            let right = told.stderr.contains(&format!("; did you mean {meant}?"));
            assert!(told.code == Some(5) && right, "{verb:?} {wrong}: {told:?}");
        }
    }

    // A cloud is taken out of the configuration, and added again.
    let text = std::fs::read_to_string(world.path("kolaboree.yaml")).unwrap();
    world.write("kolaboree.yaml", &text.replace(&second.configured(), ""));
    world.good(&["reload"]);
    shows(&[format!("first,{name},,STOPPED")]);
    assert_eq!(cloud(&world, "second"), Value::Null);
    until(|| mirror.rows(), |rows| rows.values().all(|row| row["cloud"] != "second"));
    world.write("kolaboree.yaml", &text);
    world.good(&["reload"]);
    until(|| cloud(&world, "second"), is_fresh);
    shows(&[format!("first,{name},,STOPPED"), format!("second,{late},,STOPPED")]);

    // Who followed the changes knows what the node knows. Other tests use the same servers.
    let socket = world.path("state/control.sock");
    let known = || -> Rows {
        let (_, body) = curl(&["--unix-socket", socket.to_str().unwrap(), "http://node/v1/inventory"]);
        all(&serde_json::from_str(&body).unwrap())
    };
    until(|| (known(), mirror.rows()), |(known, followed)| known == followed);
    assert!(mirror.rows().contains_key(&format!("instance second:default:{late}")));
    service.ends_on("TERM");
}

/// The inventory of a node that a server trusts for two projects has these and no others.
fn confined(kind: &str) {
    let projects = ["a", "b"].map(|name| format!("inventory-{name}-{}", std::process::id()));
    let both = projects.each_ref().map(String::as_str);
    for name in both {
        let mut project = lxd_client::Project::new(name);
        for feature in ["images", "profiles"] {
            project.config.insert(format!("features.{feature}"), "false".to_owned());
        }
        block_on(local().create_project(&project)).unwrap();
    }
    let (world, service) = trusted_for(kind, Some(&both));
    until(|| cloud(&world, "real"), is_fresh);
    let mirror = Mirror::of(&world);
    assert_eq!(cloud(&world, "real")["projects"], serde_json::json!(both));
    for project in both {
        world.good(&["lxd", "--project", project, "init", "--empty", "real:i"]);
    }
    let listed = || world.run(&["lxd", "list", "real", "--all-projects", "-f", "csv", "-c", "ens"]);
    let right = both.map(|project| format!("{project},i,STOPPED\n")).concat();
    until(listed, |told| told.stdout == right && told.code == Some(0));
    world.good(&["lxd", "--project", both[1], "delete", "real:i"]);
    until(listed, |told| told.stdout == format!("{},i,STOPPED\n", both[0]));
    let followed =
        || -> Vec<String> { mirror.rows().into_keys().filter(|key| key.starts_with("instance ")).collect() };
    until(followed, |rows| *rows == [format!("instance real:{}:i", both[0])]);
    world.good(&["lxd", "--project", both[0], "delete", "real:i"]);
    service.ends_on("TERM");
    for name in both {
        block_on(local().project_named(name).delete()).unwrap();
    }
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_certificate_for_two_projects_sees_these_alone() {
    confined("lxd");
}

#[test]
#[ignore = "needs a real Incus: .ci/with-incus cargo test -p kolaboree-node --test whole -- --ignored incus"]
fn a_certificate_for_two_projects_of_an_incus_sees_these_alone() {
    confined("incus");
}

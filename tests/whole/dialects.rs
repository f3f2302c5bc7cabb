//! Copies between an LXD and an Incus: those of `LXD_DIR` and `INCUS_DIR`.

use std::path::PathBuf;
use std::time::Duration;

use lxd_client::Client;
use tailnet_sandbox::Peer;

use crate::clouds::block_on;
use crate::node::{Service, World, until};

/// A world with the clouds `oslo`, the LXD, and `rome`, the Incus, which both trust the service.
fn lxd_and_incus() -> (World, Service) {
    let mut clouds = String::from("local: {listen: none}\nclouds:\n");
    let mut peers = Vec::new();
    let mut tokens = Vec::new();
    for (name, kind, folder) in [("oslo", "lxd", "LXD_DIR"), ("rome", "incus", "INCUS_DIR")] {
        let folder: PathBuf = std::env::var_os(folder).expect(folder).into();
        let local = Client::unix(&folder.join("unix.socket"), Duration::from_secs(10)).unwrap();
        let (server, token) = block_on(async {
            (local.server().await.unwrap(), local.create_trust_token("dialects", None).await.unwrap())
        });
        let address = server.config["core.https_address"].as_str().unwrap().parse().unwrap();
        peers.push(Peer::new(name).forward(8443, address));
        tokens.push((name, token));
        clouds += &format!(
            "  - {{name: {name}, kind: {kind}, address: '{name}:8443', trust: {{token: 'file:{name}'}}}}\n"
        );
    }
    let world = World::with(peers);
    for (name, token) in tokens {
        world.write(name, token.reveal());
    }
    world.configure(&clouds);
    let mut service = world.start();
    service.joins();
    let trusted = || -> Vec<bool> {
        let clouds = world.json(&["status"])["clouds"].clone();
        clouds.as_array().unwrap().iter().map(|cloud| cloud["health"]["trusted"] == true).collect()
    };
    until(trusted, |trusted| *trusted == [true, true]);
    (world, service)
}

#[test]
#[ignore = "needs a real LXD and a real Incus: .ci/with-incus .ci/with-lxd cargo test -p kolaboree-node --test whole -- --ignored dialects"]
fn instances_and_images_are_copied_between_both_kinds_of_server() {
    let (world, service) = lxd_and_incus();
    let lxd = |words: &str| world.run(&[&["lxd"], &words.split(' ').collect::<Vec<_>>()[..]].concat());
    let good = |words: &str| {
        let ran = lxd(words);
        assert_eq!(ran.code, Some(0), "{words}: {}", ran.stderr);
        ran.stdout
    };
    good("init oslo:busybox oslo:dialect --storage default -c user.mark=1");
    good("snapshot oslo:dialect before");
    let there = good("copy oslo:dialect rome:dialect --mode relay");
    assert!(there.contains("counted at both") && there.contains("relay"), "{there}");
    let copy = world.json(&["lxd", "info", "rome:dialect"]);
    assert_eq!(
        (&copy["config"]["user.mark"], &copy["snapshots"][0]["name"]),
        (&"1".into(), &"before".into())
    );
    good("start rome:dialect");
    good("stop rome:dialect --force");

    // LXD 5.0 refuses what Incus notes with each snapshot; that is told before anything is begun.
    let refused = lxd("copy rome:dialect oslo:back --mode relay");
    let words = refused.stderr.contains("--instance-only") && refused.stderr.contains("oslo");
    assert!(refused.code == Some(2) && words, "{:?} {}", refused.code, refused.stderr);
    let back = good("copy rome:dialect oslo:back --mode relay --instance-only");
    assert!(back.contains("counted at both"), "{back}");
    good("start oslo:back");
    good("delete --force oslo:back");
    good("move rome:dialect oslo:moved --mode relay --instance-only");
    assert_eq!(good("list rome:dialect -f csv"), "");
    good("delete oslo:moved");
    good("delete oslo:dialect");

    good("image copy oslo:busybox rome: --alias from-lxd --mode relay");
    good("init rome:from-lxd rome:dialect");
    good("delete rome:dialect");
    good("image alias delete rome:from-lxd");
    service.ends_on("TERM");
}

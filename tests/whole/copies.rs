//! `lxd copy` and `lxd move` between two real LXDs.

use serde_json::Value;

use crate::pair::{Pair, in_own_network};

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_copy_takes_each_way_with_snapshots_and_settings() {
    in_own_network("copies::a_copy_takes_each_way_with_snapshots_and_settings", || {
        let pair = Pair::start();
        pair.oslo.make("web", 3);
        pair.oslo.lxc(&["config", "set", "web", "user.mark", "1"]);
        pair.oslo.lxc(&["snapshot", "web", "s0"]);
        pair.oslo.fill("web", "later", 1);
        pair.oslo.lxc(&["snapshot", "web", "s1"]);
        for (mode, way) in [("auto", "pull"), ("pull", "pull"), ("push", "push"), ("relay", "relay")] {
            let copy = format!("rome:{mode}");
            let told = pair.world.json(&["lxd", "copy", "oslo:web", &copy, "--mode", mode]);
            assert_eq!((&told["way"], &told["snapshots"]), (&way.into(), &serde_json::json!(["s0", "s1"])));
            assert_eq!(told["bytes"].as_u64().is_some_and(|bytes| bytes > 4 << 20), way == "relay", "{told}");
            for file in ["big", "later"] {
                let read = |root: std::path::PathBuf| std::fs::read(root.join("root").join(file)).unwrap();
                assert!(read(pair.oslo.root("web")) == read(pair.rome.root(mode)), "{mode}");
            }
            assert_eq!(pair.rome.lxc(&["config", "get", mode, "user.mark"]), "1\n");
            let counted = told["counted"]["alike"]["bytes"].as_u64();
            assert!(counted.is_some_and(|bytes| bytes > 4 << 20), "{told}");
        }
        assert_eq!(pair.oslo.instances(), ["web"]);
    });
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_copy_is_relayed_where_the_servers_do_not_reach_each_other() {
    in_own_network("copies::a_copy_is_relayed_where_the_servers_do_not_reach_each_other", || {
        let pair = Pair::apart(None);
        pair.oslo.make("web", 3);
        pair.oslo.lxc(&["snapshot", "web", "s0"]);
        let told = pair.world.json(&["lxd", "copy", "oslo:web", "rome:"]);
        assert_eq!((&told["way"], &told["snapshots"][0]), (&"relay".into(), &"s0".into()), "{told}");
        let ways: Vec<&Value> = told["not_by"].as_array().unwrap().iter().map(|r| &r["way"]).collect();
        assert_eq!(ways, ["pull", "push"], "{told}");
        pair.oslo.lxc(&["snapshot", "web", "s1"]);
        let told = pair.world.json(&["lxd", "copy", "oslo:web", "rome:", "--refresh"]);
        assert_eq!((&told["way"], &told["snapshots"][1]), (&"relay".into(), &"s1".into()), "{told}");
        let printed = pair.world.run(&["lxd", "copy", "oslo:web", "rome:x", "--mode", "pull"]);
        assert_eq!(printed.code, Some(1), "{}", printed.stderr);
        assert_eq!(pair.rome.instances(), ["web"]);
    });
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn what_the_target_lacks_is_told_before_anything_is_begun() {
    in_own_network("copies::what_the_target_lacks_is_told_before_anything_is_begun", || {
        let pair = Pair::start();
        pair.oslo.make("web", 1);
        pair.oslo.lxc(&["profile", "create", "www"]);
        pair.oslo.lxc(&["profile", "add", "web", "www"]);
        pair.oslo.lxc(&["network", "create", "net0", "ipv4.address=none", "ipv6.address=none"]);
        pair.oslo.lxc(&["storage", "volume", "create", "default", "data"]);
        let refused = |flags: &[&str], words: &[&str]| {
            let told = pair.world.run(&[&["lxd", "copy", "oslo:web", "rome:web"], flags].concat());
            assert_eq!(told.code, Some(2), "{flags:?}: {}", told.stderr);
            for words in words {
                assert!(told.stderr.contains(words), "{flags:?}: {}", told.stderr);
            }
            assert_eq!(pair.rome.instances(), [""; 0], "{flags:?}");
        };
        refused(&[], &["rome has no profile www", "map it to another one"]);
        refused(&["--map-profile", "www=other"], &["no profile other"]);
        refused(&["--no-profiles"], &["no root disk", "such as other"]);
        refused(&["-p", "default", "-s", "fast"], &["no storage pool fast, such as other"]);
        refused(&["-p", "default", "-d", "eth0,type=nic", "-d", "eth0,network=net0"], &["no network net0"]);
        let volume = ["-d", "disk1,type=disk", "-d", "disk1,pool=other", "-d", "disk1,source=data"];
        refused(&[&["-p", "default"], &volume[..]].concat(), &["no volume data in the pool other"]);

        // Each of them can be had otherwise.
        let made = |flags: &[&str]| {
            pair.world.good(&[&["lxd", "copy", "oslo:web", "rome:web"], flags].concat());
            let config = pair.rome.lxc(&["config", "show", "web"]);
            pair.rome.lxc(&["delete", "web"]);
            config
        };
        let config = made(&["--map-profile", "www=default", "-c", "user.made=here", "--ephemeral"]);
        for words in ["- default", "user.made: here", "ephemeral: true"] {
            assert!(config.contains(words), "{config}");
        }
        assert!(!config.contains("www"), "{config}");
        let config = made(&["--no-profiles", "--storage", "other"]);
        assert!(config.contains("pool: other") && config.contains("profiles: []"), "{config}");

        // What is there already stays as it is.
        pair.rome.lxc(&["init", "--empty", "web"]);
        refused_as_taken(&pair);
    });
}

fn refused_as_taken(pair: &Pair) {
    for mode in ["pull", "relay"] {
        let told = pair.world.run(&["lxd", "copy", "oslo:web", "rome:", "-p", "default", "--mode", mode]);
        assert_eq!(told.code, Some(2), "{}", told.stderr);
        assert!(told.stderr.contains("rome has an instance web already"), "{}", told.stderr);
        assert_eq!(pair.rome.instances(), ["web"]);
    }
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_move_takes_all_with_it_and_a_refresh_brings_a_copy_up_to_date() {
    in_own_network("copies::a_move_takes_all_with_it_and_a_refresh_brings_a_copy_up_to_date", || {
        let pair = Pair::start();
        pair.oslo.make("web", 2);
        pair.oslo.lxc(&["snapshot", "web", "s0"]);
        pair.oslo.lxc(&["config", "set", "web", "security.protection.delete", "true"]);
        pair.world.good(&["lxd", "copy", "oslo:web", "rome:kept"]);
        pair.oslo.fill("web", "later", 1);
        pair.oslo.lxc(&["snapshot", "web", "s1"]);
        pair.oslo.lxc(&["config", "set", "web", "user.new", "1"]);
        let told = pair.world.json(&["lxd", "copy", "--refresh", "oslo:web", "rome:kept", "--mode", "relay"]);
        assert_eq!(told["snapshots"], serde_json::json!(["s0", "s1"]));
        assert_eq!(pair.rome.lxc(&["config", "get", "kept", "user.new"]), "1\n");
        assert!(pair.rome.root("kept").join("root/later").exists());
        // A snapshot becomes an instance.
        pair.world.good(&["lxd", "copy", "oslo:web/s0", "rome:from-s0", "--mode", "relay"]);
        assert!(!pair.rome.root("from-s0").join("root/later").exists());

        let id = pair.oslo.lxc(&["config", "get", "web", "volatile.uuid"]);
        let told = pair.world.json(&["lxd", "move", "oslo:web", "rome:www"]);
        assert_eq!((&told["moved"], &told["way"]), (&true.into(), &"pull".into()), "{told}");
        assert_eq!(pair.oslo.instances(), [""; 0]);
        assert_eq!(pair.rome.instances(), ["from-s0", "kept", "www"]);
        assert_eq!(pair.rome.lxc(&["config", "get", "www", "volatile.uuid"]), id);

        // Inside a cloud the server does it by itself.
        pair.world.good(&["lxd", "move", "rome:from-s0", "rome:renamed"]);
        pair.world.good(&["lxd", "move", "rome:kept/s0", "rome:kept/first"]);
        pair.rome.lxc(&[
            "project",
            "create",
            "there",
            "-c",
            "features.profiles=false",
            "-c",
            "features.images=false",
        ]);
        let told = pair.world.json(&["lxd", "copy", "rome:kept", "rome:", "--target-project", "there"]);
        assert_eq!(
            (&told["way"], &told["snapshots"]),
            (&"server".into(), &serde_json::json!(["first", "s1"]))
        );
        pair.world.good(&["lxd", "move", "rome:renamed", "--target-project", "there"]);
        pair.rome.lxc(&["storage", "create", "third", "dir"]);
        pair.world.good(&["lxd", "move", "rome:www", "--storage", "third"]);
        assert_eq!(pair.rome.instances(), ["kept", "www"]);
        let there = pair.rome.lxc(&["list", "--project", "there", "--format", "csv", "--columns", "nS"]);
        assert_eq!(there, "kept,2\nrenamed,0\n");
        assert!(pair.rome.lxc(&["config", "show", "www"]).contains("pool: third"));
        let told = pair.world.run(&["lxd", "move", "rome:none", "rome:x"]);
        assert_eq!(told.code, Some(5), "{}", told.stderr);
        assert_eq!(pair.world.run(&["lxd", "copy", "rome:www"]).code, Some(2));
    });
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_volume_takes_each_way_with_its_snapshots() {
    in_own_network("copies::a_volume_takes_each_way_with_its_snapshots", || {
        let pair = Pair::start();
        let write = |file: &str| std::fs::write(pair.oslo.volume("data").join(file), file).unwrap();
        pair.oslo.lxc(&["storage", "volume", "create", "default", "data", "user.mark=1"]);
        write("first");
        pair.oslo.lxc(&["storage", "volume", "snapshot", "default", "data", "s0"]);
        write("second");
        let verb = ["lxd", "storage", "volume", "copy", "oslo:default/data"];
        let copy = |arguments: &[&str]| pair.world.json(&[&verb, arguments].concat());
        let refused = |arguments: &[&str], words: &str| {
            let told = pair.world.run(&[&verb, arguments].concat());
            assert_eq!(told.code, Some(2), "{arguments:?}: {}", told.stderr);
            assert!(told.stderr.contains(words), "{arguments:?}: {}", told.stderr);
        };
        for (mode, way) in [("auto", "pull"), ("push", "push"), ("relay", "relay")] {
            let to = format!("rome:other/{mode}");
            let told = copy(&[&to, "--mode", mode]);
            assert_eq!(
                (&told["way"], &told["snapshots"]),
                (&way.into(), &serde_json::json!(["s0"])),
                "{told}"
            );
            for file in ["first", "second"] {
                let there = std::fs::read_to_string(pair.rome.volume(mode).join(file)).unwrap();
                assert_eq!(there, file, "{mode}");
            }
            let mark = pair.rome.lxc(&["storage", "volume", "get", "other", mode, "user.mark"]);
            assert_eq!(mark, "1\n", "{mode}");
            let taken = format!("rome has a volume {mode} in the pool other already");
            refused(&[&to, "--mode", mode], &taken);
        }
        refused(&["rome:fast/data"], "rome has no storage pool fast");
        pair.oslo.lxc(&["storage", "volume", "snapshot", "default", "data", "s1"]);
        write("third");
        let told = copy(&["rome:other/auto", "--refresh"]);
        assert_eq!(told["snapshots"], serde_json::json!(["s0", "s1"]));
        assert!(pair.rome.volume("auto").join("third").exists());
        let told = copy(&["rome:other/alone", "--volume-only", "--mode", "relay"]);
        assert_eq!(told["snapshots"], serde_json::json!([]));

        let moved = ["lxd", "storage", "volume", "move", "oslo:default/data", "rome:other/moved"];
        pair.world.good(&moved);
        assert!(pair.rome.volume("moved").join("third").exists() && !pair.oslo.volume("data").exists());
    });
}

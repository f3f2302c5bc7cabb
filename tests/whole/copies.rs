//! `lxd copy` and `lxd move` between two real LXDs.

use serde_json::Value;

use crate::pair::{Pair, end, in_own_network};

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
        let printed = pair.world.run(&["lxd", "copy", "oslo:web", "rome:x", "--mode", "pull"]);
        assert_eq!(printed.code, Some(1), "{}", printed.stderr);
        assert_eq!(pair.rome.instances(), ["web"]);
    });
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_cancelled_copy_leaves_nothing_behind() {
    in_own_network("copies::a_cancelled_copy_leaves_nothing_behind", || {
        let pair = Pair::start();
        pair.oslo.make("web", 600);
        for (mode, signal) in [("relay", "INT"), ("relay", "TERM"), ("pull", "INT"), ("push", "INT")] {
            let copy = pair.spawn(&["lxd", "copy", "oslo:web", "rome:", "--mode", mode]);
            pair.until_copied("web", 5);
            let began = std::time::Instant::now();
            let told = end(copy, signal);
            eprintln!("{mode} {signal} {:?} {:?} {}", began.elapsed(), told.code, told.stderr);
            assert_eq!(told.code, Some(130), "{mode} {signal}: {}", told.stderr);
            assert!(!told.stderr.contains("left behind"), "{mode} {signal}: {}", told.stderr);
            assert_eq!(pair.rome.instances(), [""; 0], "{mode} {signal}");
            assert!(!pair.rome.root("web").exists(), "{mode} {signal}");
        }
        assert_eq!(pair.oslo.instances(), ["web"]);
    });
}

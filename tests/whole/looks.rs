//! The `lxd` commands that look, beside `lxc` on a real LXD: the one of `LXD_DIR`.

use serde_json::Value;

use crate::clouds::with_real;
use crate::node::{World, until};
use crate::program::run;
use crate::real_lxd::lxc;

/// Instances of this test alone, which go with it.
struct Instances(&'static [&'static str]);

impl Instances {
    fn make(names: &'static [&'static str]) -> Instances {
        let made = Instances(names);
        made.remove();
        for name in names {
            lxc(&["init", "busybox", name]);
        }
        made
    }

    fn remove(&self) {
        for name in self.0 {
            let _ = std::process::Command::new("lxc").args(["delete", "--force", name]).output();
        }
    }
}

impl Drop for Instances {
    fn drop(&mut self) {
        self.remove();
    }
}

/// A token is used up after the first use: from then on the pin is in the configuration.
fn pin(world: &World) {
    let server = world.json(&["lxd", "info", "real"]);
    let text = std::fs::read_to_string(world.path("kolaboree.yaml")).unwrap();
    let fingerprint = format!("fingerprint: {}", server["fingerprint"].as_str().unwrap());
    world.write("kolaboree.yaml", &text.replace("token: 'file:token'", &fingerprint));
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_list_is_that_of_lxc_with_a_node_and_without() {
    let _made = Instances::make(&["view-a1", "view-a2", "view-b"]);
    lxc(&["config", "set", "view-a1", "user.role=front", "limits.memory=64MiB"]);
    lxc(&["config", "set", "view-b", "user.role=back, \"old\""]);
    lxc(&["snapshot", "view-b"]);
    lxc(&["start", "view-a2"]);
    let (world, service) = with_real("lxd");
    pin(&world);

    let same = |how: &str| {
        for (columns, filters) in [
            ("ns46tS", &[][..]),
            ("nsacbPtSefFdl", &[]),
            ("n,user.role:RO,limits.memory", &[]),
            ("n,user.role:R:4,image.os:OS:0", &[]),
            ("n,volatile.last_state.power:P,devices:root.pool:PO", &[]),
            ("sn", &["status=running"]),
            ("n", &["status=stopped,frozen"]),
            ("n", &["type=container", "user.role=front"]),
            ("n", &["u.role=back.*"]),
            ("n", &["user.role="]),
            ("n", &["volatile.last_state.power=RUNNING"]),
            ("n", &["name=VIEW-A1"]),
            ("n", &["architecture=none"]),
        ] {
            // Others may work with the same server.
            for name in ["view-", "^view-a", "view-a1$", "view-(a2|b)", ".*w-b", "view-none"] {
                let stock = [&["list", name, "--format", "csv", "--columns", columns][..], filters].concat();
                let name = format!("real:{name}");
                let own = [&["lxd", "list", &name, "-f", "csv", "-c", columns][..], filters].concat();
                assert_eq!(world.good(&own), lxc(&stock), "{how}: {own:?}");
            }
        }
    };
    until(|| world.run(&["lxd", "list", "real:", "-c", "n"]).code, |code| *code == Some(0));
    same("from the node");
    let running = world.json(&["lxd", "list", "real:view-"]);
    let names = |list: &Value| list.as_array().unwrap().iter().map(|i| i["name"].clone()).collect::<Vec<_>>();
    assert_eq!(names(&running), ["view-a1", "view-a2", "view-b"]);
    let table = world.good(&["lxd", "list", "real:view-a1", "--sort=-m"]);
    assert_eq!(
        table.lines().next().unwrap().split_whitespace().collect::<Vec<_>>()[..3],
        ["CLOUD", "NAME", "STATE"]
    );

    service.ends_on("TERM");
    same("directly");
    let direct = world.json(&["lxd", "list", "real:view-"]);
    let without_usage = |mut list: Value| {
        for row in list.as_array_mut().unwrap() {
            row.as_object_mut().unwrap().remove("state");
        }
        list
    };
    assert_eq!(without_usage(running), without_usage(direct));
    for (arguments, code) in [(&["-c", "Q"][..], 2), (&["--sort", "?"], 2), (&["nowhere:"], 2)] {
        let told = run(world.program().args(["lxd", "list"]).args(arguments));
        assert_eq!(told.code, Some(code), "{arguments:?}: {}", told.stderr);
    }
}

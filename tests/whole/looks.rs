//! The `lxd` commands that look, beside `lxc` on a real LXD: the one of `LXD_DIR`.

use std::process::Command;

use serde_json::Value;

use crate::clouds::with_real;
use crate::node::{World, until};
use crate::program::run;
use crate::real_lxd::lxc;
use crate::terminal::Terminal;

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
            let _ = Command::new("lxc").args(["delete", "--force", name]).output();
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
    let running = world.json(&["lxd", "list", "real:view-(a|b).*"]);
    let names = |list: &Value| list.as_array().unwrap().iter().map(|i| i["name"].clone()).collect::<Vec<_>>();
    assert_eq!(names(&running), ["view-a1", "view-a2", "view-b"]);
    let table = world.good(&["lxd", "list", "real:view-a1", "--sort=-m"]);
    assert_eq!(
        table.lines().next().unwrap().split_whitespace().collect::<Vec<_>>()[..3],
        ["CLOUD", "NAME", "STATE"]
    );

    let usage = until(
        || world.json(&["lxd", "usage", "real:view-a2"]),
        |samples| samples.as_array().is_some_and(|samples| !samples.is_empty()),
    );
    assert!(usage[0]["processes"].as_i64() > Some(0), "{usage}");
    let none = run(world.program().args(["lxd", "usage", "real:view-none"]));
    assert_eq!(none.code, Some(5), "{}", none.stderr);
    // Of the image in its project, and of the instances in all projects, which others make and delete meanwhile.
    let counted = |how: &str| {
        let overview = world.json(&["lxd", "overview", "real"]);
        let counts = &overview[0];
        assert!(counts["images"].as_u64() >= Some(1) && counts["stale"] == false, "{how}: {overview}");
        assert!(counts["statuses"]["Running"].as_u64() >= Some(1), "{how}: {overview}");
    };
    counted("from the node");

    service.ends_on("TERM");
    same("directly");
    counted("directly");
    assert_eq!(run(world.program().args(["lxd", "usage", "real:view-a2"])).code, Some(11));
    let direct = world.json(&["lxd", "list", "real:view-(a|b).*"]);
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

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn what_lxc_shows_of_servers_and_instances_is_shown() {
    let _made = Instances::make(&["look-info"]);
    lxc(&["start", "look-info"]);
    lxc(&["snapshot", "look-info", "first"]);
    let (world, service) = with_real("lxd");

    // Line by line: figures that change are left out.
    let lines = |text: String| -> Vec<String> {
        let changes = ["CPU", "Memory (", "Processes", "Bytes", "Packets", "+--", "|"];
        let stays =
            |line: &&str| !line.is_empty() && !changes.iter().any(|part| line.trim().starts_with(part));
        text.lines().filter(stays).map(str::to_owned).collect()
    };
    let own = lines(world.good(&["lxd", "info", "real:look-info"]));
    let (own, snapshots) = own.split_at(own.iter().position(|line| line == "Snapshots:").unwrap());
    let stock = lines(lxc(&["info", "look-info"]));
    assert_eq!(own, &stock[..stock.len() - 1], "{stock:?}");
    assert!(snapshots[2].starts_with("first  "), "{snapshots:?}");
    assert!(world.good(&["lxd", "info", "real:look-info", "--show-log"]).contains("\nLog:\n"));
    assert!(world.json(&["lxd", "info", "real", "--resources"])["cpu"]["total"].as_u64() > Some(0));

    // The columns of lxc, without our cloud.
    let stock = lxc(&["warning", "list", "--all", "--format", "csv", "--columns", "utSscpl"]);
    let own = world.good(&["lxd", "warning", "list", "real", "--all", "-f", "csv", "-c", "utSscpl"]);
    // Warnings of one moment come in any order.
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&own), sorted(&stock));
    let uuid = stock.split(',').next().unwrap();
    let shown = world.json(&["lxd", "warning", "show", &format!("real:{uuid}")]);
    assert_eq!(shown["uuid"], uuid);
    world.good(&["lxd", "operation", "list", "real"]);
    let none = world.run(&["lxd", "operation", "show", "real:3f4b26c0-ece8-47f6-8f4e-e7bd1bdbcadd"]);
    assert_eq!(none.code, Some(5), "{}", none.stderr);
    let alone = world.run(&["lxd", "cluster", "list", "real"]);
    assert!(alone.code == Some(1) && alone.stderr.contains("not clustered"), "{}", alone.stderr);

    let path = "/1.0/instances/look-info?recursion=1";
    let query = |more: &[&str]| world.good(&[&["lxd", "query", &format!("real:{path}")][..], more].concat());
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(json(&query(&[]))["name"], "look-info");
    assert_eq!(
        (&json(&query(&["--raw"]))["type"], &json(&query(&["--raw"]))["status_code"]),
        (&"sync".into(), &200.into())
    );
    let own = world.good(&["lxd", "query", "real:/1.0/profiles/default"]);
    assert_eq!(own.trim_end(), lxc(&["query", "/1.0/profiles/default"]).trim_end());
    let ended = world.good(&[
        "lxd",
        "query",
        "-X",
        "DELETE",
        "--wait",
        "real:/1.0/instances/look-info/snapshots/first",
    ]);
    assert_eq!(json(&ended)["status"], "Success");
    assert_eq!(world.run(&["lxd", "query", "real:/1.0/instances/view-none"]).code, Some(5));

    // Both are told of what happens, by whichever name.
    for (command, format) in [("monitor", "json"), ("events", "yaml")] {
        let mut program = world.program();
        program.args(["lxd", command, "real", "--follow", "--type", "lifecycle", "-f", format]);
        let mut events = program.stdout(std::process::Stdio::piped()).spawn().unwrap();
        let mut lines = std::io::BufRead::lines(std::io::BufReader::new(events.stdout.take().unwrap()));
        let seen = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !seen.load(std::sync::atomic::Ordering::Relaxed) {
                    lxc(&["config", "set", "look-info", "user.touched=1"]);
                }
            });
            let first = lines.next();
            seen.store(true, std::sync::atomic::Ordering::Relaxed);
            let first = first.unwrap().unwrap();
            assert!(if format == "json" { first.starts_with('{') } else { first == "---" }, "{first}");
        });
        events.kill().unwrap();
        events.wait().unwrap();
    }
    service.ends_on("TERM");
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn top_is_live_on_a_terminal_and_survives_the_loss_of_the_node() {
    let _made = Instances::make(&["look-top"]);
    lxc(&["start", "look-top"]);
    let (world, service) = with_real("lxd");
    pin(&world);
    let once = world.good(&["top", "real", "--once", "--filter", "real:look-top"]);
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(once.lines().next().unwrap())[..4], ["CLOUD", "NAME", "STATE", "CPU"]);
    assert_eq!(words(once.lines().nth(1).unwrap())[..3], ["real", "look-top", "RUNNING"], "{once}");

    let mut top = Terminal::of(world.program().args(["top", "real"]), 24, 100);
    for (key, by) in [("", "CPU"), ("m", "memory"), ("d", "disk"), ("n", "network"), ("c", "CPU")] {
        top.types(key);
        top.shows(&format!("by {by}"));
    }
    top.types("/look-tox\x7fp\r");
    top.shows("by CPU, filter: look-top");
    top.shows("RUNNING");
    top.types("/none\x1b"); // which takes the filter away
    top.shows("filter: look-topnone_");
    top.shows("q quit");
    top.types("/look-top\r");
    top.shows("by CPU, filter: look-top");
    top.resizes(6, 30);
    top.shows("CLOUD  NAME      STATE    CPU");
    top.shows("q quit  / filter  Enter shell ");
    top.resizes(24, 100);
    top.shows("n network");
    // The terminal is the shell's until that ends.
    top.types("s");
    top.answers("echo in-$((20 + 3))\r", "in-23");
    top.types("exit\r");
    top.shows("by CPU, filter: look-top");
    lxc(&["stop", "--force", "look-top"]);
    top.shows("STOPPED");
    lxc(&["start", "look-top"]);
    top.shows("RUNNING");
    let mut follow = world.program();
    follow.args(["lxd", "events", "real", "--follow", "--type", "lifecycle"]);
    let mut events = Terminal::of(&mut follow, 24, 200);
    events.shows_once(|_| drop(lxc(&["config", "set", "look-top", "user.touched=1"])), "instance-updated");
    service.ends_on("TERM");
    top.shows("no news for");
    events.shows("real: the connection is lost, and is being made again");
    let mut service = world.start();
    service.joins();
    events.shows("real: the connection is there again");
    lxc(&["stop", "--force", "look-top"]);
    top.shows("STOPPED");
    events.shows("/1.0/instances/look-top");
    events.signals("INT");
    events.program.wait().unwrap();
    top.types("q");
    assert!(top.program.wait().unwrap().success());
    assert!(top.is_sane());
    let mut top = Terminal::of(world.program().args(["top", "real"]), 24, 100);
    top.shows("by CPU");
    top.signals("TERM");
    assert!(top.program.wait().unwrap().success());
    assert!(top.is_sane());
    service.ends_on("TERM");
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_cloud_that_does_not_answer_keeps_its_rows_which_say_so() {
    let (world, service) = with_real("lxd");
    let list = || world.run(&["lxd", "list", "real:c1", "-f", "csv", "-c", "rns"]);
    let shown = "real,c1,RUNNING\n";
    until(list, |listed| listed.stdout == shown);
    let sandbox = world.sandbox.pid().unwrap().to_string();
    let signal = |name: &str| Command::new("kill").args(["-s", name, &sandbox]).status().unwrap();
    assert!(signal("STOP").success());
    let old = until(list, |listed| listed.code != Some(0));
    assert!(signal("CONT").success());
    assert_eq!((old.code, old.stdout.as_str()), (Some(7), shown), "{}", old.stderr);
    assert!(old.stderr.contains("real: these are its instances of "), "{}", old.stderr);
    until(list, |listed| listed.code == Some(0));
    service.ends_on("TERM");
}

//! The commands, with and without a running node.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::process::Stdio;

use tailnet_sandbox::Peer;

use crate::node::{World, until};
use crate::program::{finish, run};

#[test]
fn the_commands_ask_the_running_node() {
    let world = World::new();
    world.configure_berlin();
    let mut service = world.start();
    service.joins();

    let v4 = world.run(&["ip", "-4"]);
    assert!(v4.stdout.starts_with("100.") && v4.stdout.lines().count() == 1, "{}", v4.stdout);
    assert_eq!(world.json(&["ip"]).as_array().unwrap().len(), 2);
    let berlin = world.sandbox.peer("berlin").ipv4;
    assert_eq!(world.run(&["ip", "-4", "berlin"]).stdout.trim(), berlin.to_string());

    let pings = world.run(&["ping", "berlin", "-c", "2"]);
    assert_eq!((pings.code, pings.stdout.lines().count()), (Some(0), 2), "{} {}", pings.stdout, pings.stderr);
    // By whichever of this machine's own addresses was faster: those only can be listened on.
    let direct = |line: &str| {
        let via = line.strip_prefix(&format!("pong from berlin ({berlin}) via "));
        let via: Option<SocketAddr> = via.and_then(|rest| rest.split(' ').next()?.parse().ok());
        via.is_some_and(|via| TcpListener::bind((via.ip(), 0)).is_ok())
    };
    assert!(pings.stdout.lines().any(direct), "{}", pings.stdout);
    let icmp = world.run(&["ping", &berlin.to_string(), "--kind", "icmp"]);
    assert_eq!(icmp.code, Some(0), "{}", icmp.stderr);
    for nobody in ["nobody", "100.99.99.99", "1.1.1.1"] {
        let pinged = world.run(&["ping", nobody]);
        let told = pinged.stderr.contains(&format!("no node with the name or address {nobody}"));
        assert_eq!((pinged.code, told), (Some(5), true), "{}", pinged.stderr);
    }

    assert_eq!(world.json(&["whois", &berlin.to_string()])["node"], "berlin.sandbox.ts.net");
    assert_eq!(world.run(&["whois", "192.0.2.1"]).code, Some(5));
    assert_eq!(world.json(&["netcheck"])["udp"], true);
    assert_eq!(world.run(&["health"]).code, Some(0));

    let mut nc = world.program();
    let mut nc = nc.args(["nc", "berlin", "7"]).stdin(Stdio::piped()).spawn().unwrap();
    nc.stdin.take().unwrap().write_all(b"through the tailnet").unwrap();
    let echoed = finish(nc);
    assert_eq!((echoed.code, echoed.stdout.as_str()), (Some(0), "through the tailnet"), "{}", echoed.stderr);
    assert_eq!(world.run(&["nc", "berlin", "9"]).code, Some(6));
    assert_eq!(world.run(&["nc", "127.0.0.1", "22"]).code, Some(5));

    let table = world.run(&["status"]);
    for text in ["ADDRESS", "berlin", "this node", "CLOUD", "berlin:8443"] {
        assert!(table.stdout.contains(text), "{text}: {}", table.stdout);
    }
    assert!(!table.stdout.contains('\x1b'), "colours are for terminals");
    let yaml = world.run(&["status", "-o", "yaml"]);
    assert!(yaml.stdout.contains("state: Running"), "{}", yaml.stdout);
    service.ends_on("TERM");
}

#[test]
fn down_up_and_logout_do_as_the_tailscale_command_does() {
    let world = World::new();
    world.configure_berlin();
    let mut service = world.start();
    service.joins();
    service.says("reachable");
    let ip = world.json(&["ip", "-4"]);

    assert_eq!(world.json(&["down"])["state"], "Stopped");
    let cloud =
        until(|| world.status()["clouds"][0]["health"].clone(), |health| health["reachable"] == false);
    assert!(cloud["error"].as_str().unwrap().contains("Stopped"), "{cloud}");
    assert_eq!(world.run(&["nc", "berlin", "7"]).code, Some(4));
    assert_eq!(world.run(&["status"]).code, Some(4));
    assert_eq!(world.run(&["health", "--ready"]).code, Some(1));

    assert_eq!(world.json(&["up"])["state"], "Running");
    assert_eq!(world.json(&["ip", "-4"]), ip);
    until(|| world.run(&["health", "--ready"]).code, |code| *code == Some(0));

    assert_eq!(world.json(&["logout"])["state"], "NeedsLogin");
    world.write("wrong", "tskey-auth-wrong");
    let refused = world.run(&["up", "--key-from", "wrong"]);
    assert_eq!(refused.code, Some(3), "{}", refused.stderr);
    assert!(!refused.stderr.contains("tskey-auth-wrong"), "{}", refused.stderr);
    world.write("right", world.sandbox.auth_key());
    assert_eq!(world.json(&["up", "--key-from", "right"])["state"], "Running");
    until(|| world.run(&["health", "--ready"]).code, |code| *code == Some(0));
    let (_, log) = service.ends_on("TERM");
    assert!(!log.contains(world.sandbox.auth_key()), "{log}");
}

#[test]
fn a_ping_of_an_address_behind_a_subnet_router_names_the_router() {
    let world = World::with([Peer::new("router")
        .route("198.51.100.0/24")
        .route("fd7a:115c:a1e0:b1a:0:7:c633:6400/120")]);
    world.configure("accept_routes: true\nlocal: {listen: none}\n");
    let mut service = world.start();
    service.joins();
    let router = world.sandbox.peer("router").ipv4;
    let pinged = world.good(&["ping", "198.51.100.9", "-c", "1"]);
    assert!(pinged.starts_with(&format!("pong from router ({router}) via ")), "{pinged}");
    let pinged = world.json(&["ping", "198.51.100.9", "-c", "1"]);
    // A name that only its address has: 4via6.
    let via = world.good(&["ping", "198-51-100-9-via-7", "-c", "1"]);
    assert!(via.starts_with(&format!("pong from router ({router}) via ")), "{via}");
    assert_eq!(
        [&pinged["ip"], &pinged["node_ip"], &pinged["name"]],
        ["198.51.100.9", &router.to_string(), "router"]
    );
    service.ends_on("TERM");
}

#[test]
fn without_a_running_node_ping_nc_and_ip_join_by_themselves_and_others_say_so() {
    let world = World::new();
    world.configure_berlin();
    for arguments in [
        &["status"][..],
        &["whois", "berlin"],
        &["netcheck"],
        &["up"],
        &["down"],
        &["logout"],
        &["reload"],
        &["health"],
    ] {
        let printed = world.run(arguments);
        assert_eq!(printed.code, Some(11), "{arguments:?}: {}", printed.stderr);
        assert!(printed.stderr.contains("no node runs here"), "{}", printed.stderr);
    }
    let ip = world.json(&["ip"]);
    world.good(&["ping", "berlin", "-c", "1"]);
    let mut nc = world.program();
    let mut nc = nc.args(["nc", "berlin", "7"]).stdin(Stdio::piped()).spawn().unwrap();
    nc.stdin.take().unwrap().write_all(b"hello").unwrap();
    let printed = finish(nc);
    assert_eq!((printed.code, &*printed.stdout), (Some(0), "hello"), "{}", printed.stderr);
    let mut service = world.start();
    service.joins();
    assert_eq!(world.json(&["ip"]), ip, "the state is the same");
    service.ends_on("TERM");
}

#[test]
fn wrong_arguments_are_told_with_what_is_right() {
    let world = World::new();
    world.configure_berlin();
    for (arguments, told) in [
        (&["pin"][..], "similar subcommand"),
        (&["nc", "berlin", "0"], "1.."),
        (&["ping", "berlin", "--kind", "arp"], "disco"),
        (&["lxd", "list", "--kin"], "unexpected argument"),
        (&["proxy", "berlin"], "required"),
        (&["proxy", "paris", "--listen", "127.0.0.1:0"], "known are berlin"),
        (&["lxd", "exec", "paris:c1", "true"], "known are berlin"),
        (&["lxd", "exec", "berlin:", "true"], "names no instance"),
        (&["lxd", "file", "pull", "berlin:c1", "x"], "CLOUD:INSTANCE/PATH"),
        (&["--control-url", "ftp://x", "ip"], "https://"),
        (&["--output", "xml", "ip"], "json"),
    ] {
        let printed = world.run(arguments);
        assert_eq!(printed.code, Some(2), "{arguments:?}: {}", printed.stderr);
        assert!(printed.stderr.contains(told), "{arguments:?}: {}", printed.stderr);
    }
    let printed = run(world.program().env("KOLABOREE_OUTPUT", "xml").args(["config", "check"]));
    assert_eq!(printed.code, Some(2), "{}", printed.stderr);
    assert!(printed.stderr.contains("KOLABOREE_OUTPUT: \"xml\" is none of table"), "{}", printed.stderr);
}

#[test]
fn doctor_passes_where_all_is_well_and_says_what_to_do_where_not() {
    let world = World::new();
    world.configure_berlin();
    world.write(".env", &format!("TAILSCALE_AUTH_KEY={}\n", world.sandbox.auth_key()));
    let doctor = || run(world.keyless().args(["doctor", "-o", "json"]));
    let findings = |text: &str| -> serde_json::Value { serde_json::from_str(text).unwrap() };
    let printed = doctor();
    assert_eq!(printed.code, Some(1), "the stand-in does not trust it: {}", printed.stdout);
    let found = findings(&printed.stdout);
    let has = |result: &str, text: &str| {
        let list = found["findings"].as_array().unwrap();
        list.iter().any(|f| f["result"] == result && f["message"].as_str().unwrap().contains(text))
    };
    for (result, text) in [
        ("pass", "well-formed"),
        ("warn", "others may read it"),
        ("pass", "state"),
        ("pass", "it answers"),
        ("pass", "UDP gets out"),
        ("pass", "nearest relay"),
        ("pass", "in the network map"),
        ("pass", "is online"),
        ("pass", "direct"),
        ("pass", "TCP connects"),
        ("pass", "pinned"),
        ("pass", "API answers"),
        ("fail", "does not trust this node"),
    ] {
        assert!(has(result, text), "{result} {text}: {}", printed.stdout);
    }
    let token = world.standin.trust_token("node");
    world.write("token", &token);
    let trusted = world.run(&["lxd", "trust", "berlin", "--token-from", "token"]);
    assert_eq!(trusted.code, Some(0), "{}", trusted.stderr);
    let printed = doctor();
    assert_eq!(printed.code, Some(0), "{}", printed.stdout);
    assert_eq!(findings(&printed.stdout)["ok"], true);

    let text = std::fs::read_to_string(world.path("kolaboree.yaml")).unwrap();
    let pin = world.standin.fingerprint();
    for (from, to, told) in [
        (pin, &*"ab".repeat(32), "compare with `lxc info`"),
        ("berlin:8443", "berlin:9", "core.https_address :9"),
        ("berlin:8443", "nobody:8443", "network map"),
        ("control_url: http://127.0.0.1", "control_url: http://127.0.0.9", "control_url if it is set"),
        ("interval", "intervall", "write interval"),
    ] {
        world.write(
            "kolaboree.yaml",
            &text.replace(from, to).replace("grace_timeout: 2", "grace_timeout: 2\njoin_timeout: 3"),
        );
        let state = if to.contains("127.0.0.9") { "elsewhere" } else { "state" };
        let printed = run(world.keyless().args(["doctor", "--state-dir", state]));
        assert_eq!(printed.code, Some(1), "{told}: {}", printed.stdout);
        assert!(
            printed.stdout.contains("FAIL") && printed.stdout.contains(told),
            "{told}: {}",
            printed.stdout
        );
    }
}

#[test]
fn doctor_warns_of_a_path_through_a_relay() {
    let world = World::relayed();
    world.configure_berlin();
    let doctor = world.run(&["doctor"]).stdout;
    assert!(doctor.contains("warn  cloud berlin: the path is relayed by sandbox"), "{doctor}");
    assert!(doctor.contains("pass  cloud berlin: the API answers"), "{doctor}");
}

#[test]
fn a_command_without_a_running_node_uses_the_configured_token_once() {
    let world = World::new();
    world.write("token", &world.standin.trust_token("node"));
    let cloud = "clouds: [{name: berlin, address: 'berlin:8443', trust: {token: 'file:token'}}]\n";
    world.configure(&format!("local: {{listen: none}}\n{cloud}"));
    assert!(world.good(&["lxd", "list"]).contains("demo-web"));
    assert!(world.good(&["lxd", "list"]).contains("demo-web")); // with the same token, which is used up
    // One that is used up lets nobody else in.
    std::fs::remove_dir_all(world.path("state")).unwrap();
    let printed = world.run(&["lxd", "list"]);
    assert_eq!(printed.code, Some(9), "{}", printed.stderr);
    assert!(
        printed.stderr.contains("refused") && printed.stderr.contains("hint: tokens work once"),
        "{}",
        printed.stderr
    );
}

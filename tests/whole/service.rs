//! The service: starting, being watched, reloading, stopping.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;

use tailnet_sandbox::Peer;

use crate::node::{Service, World, curl, free_port, health_url, until};
use crate::program::{command, run};

#[test]
fn it_joins_watches_clouds_answers_health_checks_and_ends_on_sigterm() {
    let world = World::new();
    let nowhere = format!(
        "  - {{name: paris, address: '192.0.2.1:8443', required: false, trust: {{fingerprint: {}}}}}\n",
        world.standin.fingerprint()
    );
    world.configure(&format!(
        "local: {{listen: '127.0.0.1:{}', hosts: [metrics.example.com]}}\nclouds:\n{}{nowhere}",
        free_port(),
        world.berlin()
    ));
    let mut service = world.start();
    let url = |path| health_url(world.home.path(), path);
    service.says("Starting with Tailscale");
    service.says("Authenticating with Tailscale");
    service.joins();
    let ready = until(|| curl(&[&url("/readyz")]), |(status, _)| status == "200");
    assert_eq!(ready.1, "ready\n");
    assert_eq!(curl(&[&url("/healthz")]), ("200".to_owned(), "ok\n".to_owned()));
    for (host, path, status) in [
        ("rebound.example", "/metrics", "421"),
        ("rebound.example", "/readyz", "421"),
        ("rebound.example", "/healthz", "200"),
        ("metrics.example.com", "/readyz", "200"),
        ("node:9002", "/metrics", "200"),
    ] {
        let header = format!("Host: {host}");
        let (got, text) = curl(&["-H", &header, &url(path)]);
        assert_eq!(got, status, "{path} for {host}: {text}");
    }

    let status = world.json(&["status"]);
    assert_eq!((&status["state"], &status["ready"]), (&"Running".into(), &true.into()), "{status}");
    let clouds = &status["clouds"];
    assert_eq!(
        (&clouds[0]["health"]["reachable"], &clouds[0]["health"]["trusted"]),
        (&true.into(), &false.into())
    );
    assert!(clouds[0]["health"]["path"].as_str().unwrap().starts_with("direct "), "{clouds}");
    let paris =
        until(|| world.json(&["status"])["clouds"][1].clone(), |paris| !paris["health"]["error"].is_null());
    assert!(paris["health"]["error"].as_str().unwrap().contains("not in the tailnet"), "{paris}");

    let (_, metrics) = curl(&[&url("/metrics")]);
    for line in [
        "kolaboree_node_joined 1",
        "kolaboree_ready 1",
        "kolaboree_cloud_up{cloud=\"berlin\",required=\"true\"} 1",
        "kolaboree_cloud_up{cloud=\"paris\",required=\"false\"} 0",
        "kolaboree_cloud_path{cloud=\"berlin\",path=\"direct\"} 1",
        "kolaboree_cloud_latency_seconds{cloud=\"berlin\",layer=\"api\"}",
        "kolaboree_stream_bytes_total{direction=\"received\"}",
        "kolaboree_requests_total{to=\"/readyz\",outcome=\"200\"}",
        "tailscaled_", // Tailscale's own
    ] {
        assert!(metrics.contains(line), "{line} is missing in\n{metrics}");
    }
    let (code, log) = service.ends_on("TERM");
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("does not trust this node") && log.contains("not in the tailnet"), "{log}");
    assert!(!log.contains(world.sandbox.auth_key()), "{log}");
    assert!(!world.path("state/control.sock").exists());
}

#[test]
fn a_restart_keeps_the_address() {
    let world = World::new();
    world.configure_berlin();
    let mut first = world.start();
    first.joins();
    let before = world.json(&["ip", "-4"]);
    assert_eq!(first.ends_on("TERM").0, Some(0));
    let mut second = world.start();
    second.joins();
    assert_eq!(world.json(&["ip", "-4"]), before);
    assert_eq!(second.ends_on("INT").0, Some(0));
}

#[test]
fn sighup_reads_the_file_again_and_a_wrong_file_changes_nothing() {
    let world = World::with([Peer::new("tools").echo(7)]);
    world.configure_berlin();
    let before = std::fs::read_to_string(world.path("kolaboree.yaml")).unwrap();
    let mut service = world.start();
    service.joins();
    service.says("reachable");

    world.write("kolaboree.yaml", &(before.clone() + "  - {name: tools, kind: tcp, address: 'tools:7'}\n"));
    service.signal("HUP");
    assert!(service.says("read again").contains("added=[\"tools\"]"));
    until(
        || world.json(&["status"])["clouds"].clone(),
        |clouds| clouds[1]["health"]["reachable"] == true && clouds[0]["health"]["reachable"] == true,
    );

    world.write("kolaboree.yaml", &(before.clone() + "  - {name: tools, adress: 'tools:7'}\n"));
    service.signal("HUP");
    assert!(service.says("was not read again").contains("write address"));
    let (_, metrics) = curl(&[&health_url(world.home.path(), "/metrics")]);
    assert!(metrics.contains("kolaboree_cloud_up{cloud=\"tools\""), "{metrics}");

    world.write("kolaboree.yaml", &before.replace("interval: 0.2", "interval: 0.3"));
    let reloaded = world.json(&["reload"]);
    assert_eq!(
        (&reloaded["removed"][0], &reloaded["changed"][0]),
        (&"tools".into(), &"berlin".into()),
        "{reloaded}"
    );
    let (code, log) = service.ends_on("TERM");
    assert_eq!(code, Some(0), "{log}");
}

#[test]
fn sigterm_does_not_wait_for_a_file_that_gives_nothing() {
    let world = World::new();
    world.configure_berlin();
    let mut service = world.start();
    service.joins();
    let file = world.path("kolaboree.yaml");
    std::fs::remove_file(&file).unwrap();
    assert!(command("mkfifo", world.home.path()).arg(&file).status().unwrap().success());
    service.signal("HUP");
    // Its reader has opened it once a writer can.
    let writer = std::fs::OpenOptions::new().write(true).open(&file).unwrap();
    let (code, log) = service.ends_on("TERM");
    assert!(code == Some(0) && log.contains("Closing"), "{log}");
    drop(writer);
}

#[test]
fn its_sockets_are_for_their_owner_alone() {
    let world = World::new();
    world.configure(&format!(
        "local: {{listen: none}}\nclouds:\n  - name: berlin\n    address: berlin:8443\n    proxy: {{unix: lxd.sock}}\n    trust: {{fingerprint: {}}}\n",
        world.standin.fingerprint()
    ));
    let mut service = world.start();
    service.joins();
    for socket in ["state/control.sock", "lxd.sock"] {
        let mode = std::fs::metadata(world.path(socket)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{socket}");
    }
    let folder = std::fs::metadata(world.path("state")).unwrap().permissions().mode() & 0o777;
    assert_eq!(folder, 0o700);
    let socket = world.path("lxd.sock");
    let (status, body) = curl(&["--unix-socket", socket.to_str().unwrap(), "http://lxd/1.0"]);
    assert_eq!(status, "200", "{body}");
    assert!(body.contains("untrusted"), "{body}");
    service.ends_on("TERM");
}

#[test]
fn its_log_can_be_json_and_systemd_is_told() {
    let world = World::new();
    world.configure_berlin();
    let notices = UnixDatagram::bind(world.path("notify.sock")).unwrap();
    notices.set_read_timeout(Some(crate::program::HANG)).unwrap();
    let mut program = world.program();
    program.args(["run", "--log-format", "json"]).env("NOTIFY_SOCKET", world.path("notify.sock"));
    let mut service = Service::start(program);
    let notice = |text: &str| {
        let mut buffer = [0; 1024];
        loop {
            let length = notices.recv(&mut buffer).unwrap_or_else(|e| panic!("no {text}: {e}"));
            if String::from_utf8_lossy(&buffer[..length]).contains(text) {
                return;
            }
        }
    };
    notice("READY=1");
    let line: serde_json::Value = serde_json::from_str(&service.says("connected successfully")).unwrap();
    assert_eq!(line["level"], "INFO", "{line}");
    service.signal("HUP");
    notice("RELOADING=1");
    notice("READY=1");
    service.signal("TERM");
    notice("STOPPING=1");
    assert_eq!(service.ended().0, Some(0));
}

#[test]
fn a_second_node_with_the_same_state_is_refused() {
    let world = World::new();
    world.configure_berlin();
    let mut first = world.start();
    first.joins();
    let second = world.run(&["run", "--local-listen", "none"]);
    assert_eq!(second.code, Some(1));
    assert!(second.stderr.contains("in use by another node"), "{}", second.stderr);
    // The first one's control socket is still its own.
    assert_eq!(world.json(&["status"])["pid"], first.pid());
    first.ends_on("TERM");
}

#[test]
fn an_address_that_is_taken_is_told_with_what_it_is_for() {
    let world = World::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    world.configure(&format!("local: {{listen: '{address}'}}\n"));
    let printed = world.run(&[]);
    assert_eq!(printed.code, Some(1));
    let told = format!("cannot listen on {address} for health and metrics");
    assert!(printed.stderr.contains(&told), "{}", printed.stderr);
}

#[test]
fn its_version_names_what_is_in_it() {
    let home = tempfile::tempdir().unwrap();
    let node = env!("CARGO_BIN_EXE_kolaboree-node");
    let printed = run(command(node, home.path()).arg("--version").stderr(Stdio::inherit()));
    assert!(printed.stdout.starts_with("kolaboree-node 0.1.0 ("), "{}", printed.stdout);
    assert!(
        printed.stdout.contains("tailscale.com v1.") && printed.stdout.contains("Go 1."),
        "{}",
        printed.stdout
    );
}

#[test]
fn the_man_page_and_the_completions_are_printed() {
    let home = tempfile::tempdir().unwrap();
    let node = || command(env!("CARGO_BIN_EXE_kolaboree-node"), home.path());
    let page = run(node().arg("man"));
    assert!(
        page.stdout.contains(".TH kolaboree-node 1") && page.stdout.contains("Exit codes"),
        "{}",
        page.stdout
    );
    assert_eq!(run(node().args(["man", "--to", "."])).code, Some(0));
    for page in ["kolaboree-node.1", "kolaboree-node-lxd-exec.1"] {
        assert!(home.path().join(page).is_file(), "{page}");
    }
    for shell in ["bash", "fish", "zsh"] {
        let script = run(node().args(["completions", shell]));
        assert!(script.stdout.contains("kolaboree-node") && script.stdout.contains("__complete"), "{shell}");
    }
}

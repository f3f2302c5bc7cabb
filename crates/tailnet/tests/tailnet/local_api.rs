use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use http::Method;
use tailnet::{LocalApiError, Path, PingKind, PrefsEdit};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::{ECHO, builder, done, joined, sandbox, soon};

#[tokio::test]
async fn whois_names_the_node_and_its_user_and_nobody_else() {
    let (sandbox, node, tools) = joined().await;
    let who = soon(node.whois((tools.ipv4, ECHO).into())).await.unwrap();
    assert_eq!(who.node.name, tools.name);
    assert!(!who.user.login_name.is_empty());
    let error = soon(node.whois(([192, 0, 2, 1], 80).into())).await.unwrap_err();
    assert!(matches!(error, LocalApiError::Refused { status: 404, .. }), "{error:?}");
    done(sandbox, node).await;
}

#[tokio::test]
async fn a_ping_of_each_kind_is_answered() {
    let (sandbox, node, tools) = joined().await;
    for kind in [PingKind::Disco, PingKind::Tsmp, PingKind::Icmp] {
        let pong = soon(node.ping(tools.ip(), kind)).await.unwrap();
        assert!(pong.latency > Duration::ZERO, "{kind:?}: {pong:?}");
        let direct_or_relayed = matches!(pong.path, Some(Path::Direct(_) | Path::Relayed { .. }));
        assert!(kind != PingKind::Disco || direct_or_relayed, "{pong:?}");
    }
    done(sandbox, node).await;
}

#[tokio::test]
async fn a_ping_of_nobody_fails_within_the_deadline() {
    let sandbox = sandbox().await;
    let node = soon(builder(&sandbox).connect_timeout(Duration::from_secs(1)).up()).await.unwrap();
    let nobody = IpAddr::from(Ipv4Addr::new(100, 64, 0, 250));
    assert!(soon(node.ping(nobody, PingKind::Disco)).await.is_err());
    done(sandbox, node).await;
}

#[tokio::test]
async fn the_way_out_through_the_local_api_is_closed() {
    let (sandbox, node, _) = joined().await;
    for path in [
        "/localapi/v0/dial",
        "/localapi/v0/dns-query?name=localhost",
        "/localapi/v0/debug-dial-types?ip=127.0.0.1&port=1&network=tcp",
        "/localapi/v0/reset-auth",
        "/localapi/v0/unknown",
        "/elsewhere",
        "",
    ] {
        let error = soon(node.local_api(Method::POST, path, "")).await.unwrap_err();
        assert!(matches!(error, LocalApiError::Invalid { .. }), "{path}: {error:?}");
    }
    let elsewhere = PrefsEdit::new().set("ControlURL", "http://127.0.0.1:1".into());
    let error = soon(node.edit_prefs(&elsewhere)).await.unwrap_err();
    let ours = sandbox.control_url().to_string();
    assert!(error.to_string().contains(ours.trim_end_matches('/')), "it says which it is: {error}");
    let prefs = soon(node.local_api(Method::GET, "/localapi/v0/prefs", "")).await.unwrap();
    assert!(prefs.contains("\"WantRunning\":true") || prefs.contains("\"WantRunning\": true"), "{prefs}");
    soon(node.close()).await.unwrap();
    let error = soon(node.local_api(Method::GET, "/localapi/v0/prefs", "")).await.unwrap_err();
    assert!(matches!(error, LocalApiError::Closed), "{error:?}");
    sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn the_network_around_the_node_and_the_relays_are_told() {
    let (sandbox, node, _) = joined().await;
    let check = soon(node.netcheck()).await.unwrap();
    assert!(check.udp && check.ipv4, "{check:?}");
    let relays = soon(node.derp_map()).await.unwrap();
    assert_eq!(relays.regions[&check.preferred_derp].region_code, "sandbox");
    assert!(check.region_latencies().any(|(region, _)| region == check.preferred_derp));
    done(sandbox, node).await;
}

#[tokio::test]
async fn metrics_serve_configuration_and_a_mark_for_support_are_given() {
    let (sandbox, node, _) = joined().await;
    assert!(soon(node.metrics()).await.unwrap().contains("tailscaled_"));
    assert!(soon(node.bug_report()).await.unwrap().starts_with("BUG-"));
    let config = serde_json::json!({"TCP": {"4433": {"HTTP": true}}});
    soon(node.set_serve_config(&config)).await.unwrap();
    assert_eq!(soon(node.serve_config()).await.unwrap()["TCP"], config["TCP"]);
    let error = soon(node.certificate("other.example.com")).await.unwrap_err();
    assert!(matches!(error, LocalApiError::Refused { .. }), "{error:?}");
    done(sandbox, node).await;
}

#[tokio::test]
async fn requests_of_the_local_api_have_deadlines_of_their_own() {
    let sandbox = sandbox().await;
    let node = soon(builder(&sandbox).connect_timeout(Duration::from_nanos(1)).up()).await.unwrap();
    let tools = sandbox.peer("tools");
    assert!(soon(node.connect((tools.ipv4, ECHO))).await.is_err(), "connections have that one");
    soon(node.ping(tools.ip(), PingKind::Tsmp)).await.unwrap();
    soon(node.whois((tools.ipv4, ECHO).into())).await.unwrap();
    soon(node.metrics()).await.unwrap();
    soon(node.prefs()).await.unwrap();
    soon(node.edit_prefs(&PrefsEdit::new().shields_up(true))).await.unwrap();
    soon(node.derp_map()).await.unwrap();
    soon(node.bug_report()).await.unwrap();
    let followed =
        node.local_api_within(Duration::from_millis(50), Method::GET, "/localapi/v0/watch-ipn-bus", "");
    let error = soon(followed).await.unwrap_err();
    assert!(matches!(error, LocalApiError::Timeout { after } if after.as_millis() == 50), "{error:?}");
    done(sandbox, node).await;
}

#[tokio::test]
async fn a_private_socket_serves_the_local_api_until_the_node_closes() {
    let (sandbox, node, _) = joined().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tailscaled.sock");
    soon(node.serve_local_api(&path)).await.unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left there");
    let request = async |target: &str| {
        let mut socket = tokio::net::UnixStream::connect(&path).await.unwrap();
        let head = format!("GET {target} HTTP/1.0\r\nHost: local-tailscaled.sock\r\n\r\n");
        socket.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        soon(socket.read_to_string(&mut answer)).await.unwrap();
        answer
    };
    let answer = request("/localapi/v0/status").await;
    assert!(answer.contains(" 200 ") && answer.contains(r#""BackendState": "Running""#), "{answer}");
    assert!(request("/localapi/v0/dial").await.contains(" 403 "));
    assert!(soon(node.serve_local_api(&path)).await.unwrap_err().to_string().contains("listens"));
    assert!(soon(node.serve_local_api("relative")).await.is_err());
    soon(node.close()).await.unwrap();
    assert!(!path.exists());
    sandbox.stop().await.unwrap();
}

/// What the real `tailscale` command does with a node of this process.
#[tokio::test]
#[ignore = "needs the tailscale command: run .ci/check-tailscale-command"]
async fn the_tailscale_command_works_on_a_node_of_this_process_but_for_ways_around_the_tailnet() {
    let command = std::env::var_os("TAILSCALE").expect("TAILSCALE names the command");
    let (sandbox, node, tools) = joined().await;
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("tailscaled.sock");
    soon(node.serve_local_api(&socket)).await.unwrap();
    let run = async |args: &[&str]| {
        let mut child = tokio::process::Command::new(&command);
        let child = child.arg("--socket").arg(&socket).args(args).stdin(std::process::Stdio::null());
        let output = soon(child.kill_on_drop(true).output()).await.unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).unwrap())
    };
    let peer = tools.ipv4.to_string();
    let own = soon(node.status()).await.unwrap().ips[0].to_string();
    for (args, said) in [
        (&["status"][..], &*peer),
        (&["ip", "-4"], &own),
        // The first answers may come through the relay, which is as good here.
        (&["ping", "-c", "1", "--until-direct=false", &peer], "pong from"),
        (&["whois", &peer], tools.name.trim_end_matches('.')),
        (&["netcheck"], "sandbox"),
        (&["version", "--daemon"], "1."),
        (&["debug", "prefs"], "WantRunning"),
        (&["set", "--accept-routes"], ""),
        (&["switch", "--list"], ""),
        (&["debug", "restun"], ""),
    ] {
        let (success, text) = run(args).await;
        assert!(success && text.contains(said), "{args:?}: {text}");
    }
    assert!(soon(node.prefs()).await.unwrap().accept_routes, "`set` has set it");
    for args in [
        &["nc", &peer, "7"][..],
        &["logout"],
        &["login", "--login-server=http://127.0.0.1:1"],
        &["up", "--reset", "--force-reauth", "--accept-risk=all", "--login-server=http://127.0.0.1:1"],
        &["dns", "query", "localhost"],
        &["debug", "dial-types", "127.0.0.1", "1"],
    ] {
        let (success, text) = run(args).await;
        // `debug dial-types` prints any answer and is content.
        assert!((!success || args[0] == "debug") && text.contains("refused"), "{args:?}: {text}");
    }
    done(sandbox, node).await;
}

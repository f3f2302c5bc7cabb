use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use http::Method;
use tailnet::{LocalApiError, Path, PingKind};

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
    for path in ["/localapi/v0/dial", "/localapi/v0/dns-query?name=localhost", "/elsewhere", ""] {
        let error = soon(node.local_api(Method::POST, path, "")).await.unwrap_err();
        assert!(matches!(error, LocalApiError::Invalid { .. }), "{path}: {error:?}");
    }
    let prefs = soon(node.local_api(Method::GET, "/localapi/v0/prefs", "")).await.unwrap();
    assert!(prefs.contains("\"WantRunning\":true") || prefs.contains("\"WantRunning\": true"), "{prefs}");
    soon(node.close()).await.unwrap();
    let error = soon(node.local_api(Method::GET, "/localapi/v0/prefs", "")).await.unwrap_err();
    assert!(matches!(error, LocalApiError::Closed), "{error:?}");
    sandbox.stop().await.unwrap();
}

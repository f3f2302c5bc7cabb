//! Who has an address, as the tailnet's control server has it, and how soon a change of that is known.

use std::net::SocketAddr;

use serde::Deserialize;
use serde_json::json;
use tailnet::{ListenOptions, LocalApiError, State, StateWatch, Tailnet, WhoIs};
use tailnet_sandbox::{Peer, PeerInfo, Sandbox, Share, User};

use crate::common::{SUBNET, builder, done, joined, sandbox, soon, until};

const WIKI: &str = "example.com/cap/wiki";

/// A tailnet with the peers `alice` and `bob`, and a node.
async fn with_alice_and_bob() -> (Sandbox, Tailnet, PeerInfo, PeerInfo) {
    let sandbox = soon(Sandbox::start([Peer::new("alice").echo(7), Peer::new("bob")])).await.unwrap();
    let node = soon(builder(&sandbox).up()).await.unwrap();
    let (alice, bob) = (sandbox.peer("alice").clone(), sandbox.peer("bob").clone());
    (sandbox, node, alice, bob)
}

async fn whois(node: &Tailnet, peer: &PeerInfo) -> WhoIs {
    soon(node.whois(SocketAddr::new(peer.ip(), 1))).await.unwrap()
}

/// Waits until the node knows the peer as the test wants it, which no event tells.
async fn known(node: &Tailnet, peer: &PeerInfo, is_so: impl Fn(&WhoIs) -> bool) -> WhoIs {
    until(async || is_so(&whois(node, peer).await)).await;
    whois(node, peer).await
}

#[tokio::test]
async fn a_node_has_a_stable_id_its_addresses_and_its_routes() {
    let (sandbox, node, tools) = joined().await;
    let router = known(&node, &tools, |who| who.node.routes().next().is_some()).await;
    assert!(!router.node.id.is_empty());
    assert_eq!(router.node.ips().collect::<Vec<_>>(), [tools.ip(), tools.ipv6.into()]);
    assert_eq!(router.node.routes().map(String::from).collect::<Vec<_>>(), [SUBNET]);
    assert!(!router.node.is_foreign());
    let by_ipv6 = soon(node.whois(SocketAddr::new(tools.ipv6.into(), 1))).await.unwrap();
    assert_eq!(by_ipv6.node.id, router.node.id);

    soon(node.close()).await.unwrap();
    let again = soon(builder(&sandbox).hostname("again").up()).await.unwrap();
    assert_eq!(whois(&again, &tools).await.node.id, router.node.id, "another node knows it by the same");
    done(sandbox, again).await;
}

#[tokio::test]
async fn an_address_behind_a_subnet_router_is_nobodys() {
    let (sandbox, node, tools) = joined().await;
    known(&node, &tools, |who| who.node.routes().next().is_some()).await;
    let error = soon(node.whois(([198, 51, 100, 7], 1).into())).await.unwrap_err();
    assert!(matches!(error, LocalApiError::Refused { status: 404, .. }), "{error:?}");
    done(sandbox, node).await;
}

#[tokio::test]
async fn a_users_number_names_and_groups_are_known_and_change_while_running() {
    let (sandbox, node, alice, bob) = with_alice_and_bob().await;
    let user = User::new(1001, "alice@example.com").display_name("Alice Doe").group("group:operators");
    soon(sandbox.set_user("alice", &user)).await.unwrap();
    let who = known(&node, &alice, |who| who.user.id == 1001).await;
    assert_eq!(
        (who.user.login_name.as_str(), who.user.display_name.as_str()),
        ("alice@example.com", "Alice Doe")
    );
    assert_eq!(who.user.groups, ["group:operators"]);
    assert!(whois(&node, &bob).await.user.id < 1000);
    let who: WhoIs = serde_json::from_value(serde_json::to_value(&who).unwrap()).unwrap();
    assert_eq!(who, whois(&node, &alice).await, "it is read back as it was written");

    soon(sandbox.set_user("alice", &User::new(1001, "alice@new.example.com"))).await.unwrap();
    let renamed = known(&node, &alice, |who| who.user.login_name == "alice@new.example.com").await;
    assert_eq!(renamed.user.id, 1001);
    let error = soon(sandbox.set_user("alice", &User::new(7, "x"))).await.unwrap_err();
    assert!(error.to_string().contains("too low"), "{error}");
    done(sandbox, node).await;
}

#[tokio::test]
async fn tags_come_and_go_while_running_and_a_node_that_has_some_belongs_to_no_person() {
    let (sandbox, node, alice, _) = with_alice_and_bob().await;
    soon(sandbox.set_user("alice", &User::new(1001, "alice@example.com"))).await.unwrap();
    soon(sandbox.set_tags("alice", &["tag:ci", "tag:build"])).await.unwrap();
    let tagged = known(&node, &alice, |who| who.user.login_name == "tagged-devices").await;
    assert_eq!(tagged.node.tags, ["tag:ci", "tag:build"]);
    soon(sandbox.set_tags("alice", &[])).await.unwrap();
    let person = known(&node, &alice, |who| who.node.tags.is_empty()).await;
    assert_eq!(person.user.id, 1001);
    let error = soon(sandbox.set_tags("alice", &["ci"])).await.unwrap_err();
    assert!(error.to_string().contains("tag:"), "{error}");
    done(sandbox, node).await;
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Access {
    role: String,
}

fn roles(who: &WhoIs) -> Vec<Option<String>> {
    who.capability::<Access>(WIKI).map(|access| access.ok().map(|access| access.role)).collect()
}

#[tokio::test]
async fn capabilities_of_all_grants_are_known_and_a_malformed_value_voids_only_itself() {
    let (sandbox, node, alice, bob) = with_alice_and_bob().await;
    soon(sandbox.grant("alice", "node", WIKI, &[json!({"role": "editor"}), json!({"rôle": 7})]))
        .await
        .unwrap();
    soon(sandbox.grant("*", "*", WIKI, &[json!({"role": "reader"})])).await.unwrap();
    soon(sandbox.grant("bob", "alice", WIKI, &[json!({"role": "owner"})])).await.unwrap();
    soon(sandbox.grant("bob", "node", "example.com/cap/bare", &[])).await.unwrap();
    let who = known(&node, &bob, |who| who.has_capability("example.com/cap/bare")).await;
    assert_eq!(who.capability::<Access>("example.com/cap/bare").count(), 0);
    assert_eq!(roles(&who), [Some("reader".to_owned())], "what bob may do with alice is not this node's");
    let who = whois(&node, &alice).await;
    assert_eq!(roles(&who), [Some("editor".to_owned()), None, Some("reader".to_owned())]);
    assert!(!who.has_capability("example.com/cap/bare") && !who.has_capability("example.com/cap/other"));
    done(sandbox, node).await;
}

#[tokio::test]
async fn a_capability_that_is_changed_or_taken_away_is_known_to_be_while_the_node_runs_and_when_it_comes_back()
 {
    let (sandbox, node, alice, _) = with_alice_and_bob().await;
    for role in ["editor", "reader"] {
        soon(sandbox.grant("alice", "node", WIKI, &[json!({"role": role})])).await.unwrap();
        known(&node, &alice, |who| roles(who) == [Some(role.to_owned())]).await;
    }
    soon(sandbox.stop_control()).await.unwrap();
    soon(sandbox.start_control()).await.unwrap();
    soon(sandbox.set_tags("bob", &["tag:news"])).await.unwrap(); // which the node hears once it is back
    let bob = sandbox.peer("bob").clone();
    known(&node, &bob, |who| !who.node.tags.is_empty()).await;
    assert_eq!(roles(&whois(&node, &alice).await), [Some("reader".to_owned())]);
    soon(sandbox.revoke("alice", "node", WIKI)).await.unwrap();
    known(&node, &alice, |who| !who.has_capability(WIKI)).await;
    done(sandbox, node).await;
}

#[tokio::test]
async fn capabilities_towards_a_service_are_those_of_its_own_address() {
    let (sandbox, node, alice, _) = with_alice_and_bob().await;
    soon(node.close()).await.unwrap();
    let node = soon(builder(&sandbox).hostname("host").tags(["tag:web"]).up()).await.unwrap();
    let ip = "100.99.0.1".parse().unwrap();
    soon(sandbox.host_service("host", "svc:wiki", ip)).await.unwrap();
    let _listener = soon(node.listen_with(&ListenOptions::port(80).service("svc:wiki"))).await.unwrap();
    soon(sandbox.grant("alice", "svc:wiki", WIKI, &[json!({"role": "reader"})])).await.unwrap();
    let peer = SocketAddr::new(alice.ip(), 1);
    until(async || roles(&node.whois_to(peer, ip).await.unwrap()) == [Some("reader".to_owned())]).await;
    assert!(!whois(&node, &alice).await.has_capability(WIKI), "towards the node's own address it has none");
    done(sandbox, node).await;
}

#[tokio::test]
async fn a_node_of_another_tailnet_is_told_from_this_ones() {
    let (sandbox, node, alice, bob) = with_alice_and_bob().await;
    for share in [Share::In, Share::Sharee] {
        soon(sandbox.set_share("alice", Some(share))).await.unwrap();
        let who = known(&node, &alice, |who| who.node.is_foreign()).await;
        assert!(who.node.name.ends_with(".elsewhere.ts.net."), "{who:?}");
        assert!(!whois(&node, &bob).await.node.is_foreign());
        soon(sandbox.set_share("alice", None)).await.unwrap();
        known(&node, &alice, |who| !who.node.is_foreign()).await;
    }
    done(sandbox, node).await;
}

#[tokio::test]
async fn a_peer_is_known_to_reach_the_node_by_another_address() {
    let (sandbox, node, alice, bob) = with_alice_and_bob().await;
    assert_eq!(whois(&node, &alice).await.node.masquerade_v4, None);
    let ip = "100.88.0.1".parse().unwrap();
    soon(sandbox.masquerade("node", "alice", Some(ip))).await.unwrap();
    let who = known(&node, &alice, |who| who.node.masquerade_v4.is_some()).await;
    assert_eq!(who.node.masquerade_v4.map(Into::into), Some(ip));
    assert_eq!((who.node.masquerade_v6, whois(&node, &bob).await.node.masquerade_v4), (None, None));
    soon(sandbox.masquerade("node", "alice", None)).await.unwrap();
    known(&node, &alice, |who| who.node.masquerade_v4.is_none()).await;
    done(sandbox, node).await;
}

#[tokio::test]
async fn a_node_that_is_taken_out_of_the_map_is_nobody_until_it_is_back() {
    let (sandbox, node, alice, _) = with_alice_and_bob().await;
    let address = SocketAddr::new(alice.ip(), 1);
    soon(sandbox.hide_node("alice")).await.unwrap();
    until(async || node.whois(address).await.is_err()).await;
    soon(sandbox.show_node("alice")).await.unwrap();
    until(async || node.whois(address).await.is_ok()).await;
    done(sandbox, node).await;
}

/// Waits until nothing of the map has changed for a while.
async fn settled(watch: &mut StateWatch) -> State {
    let mut last = soon(watch.newest()).await.unwrap();
    loop {
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
        let now = soon(watch.newest()).await.unwrap();
        if now.netmap_version == last.netmap_version {
            return now;
        }
        last = now;
    }
}

#[tokio::test]
async fn the_maps_version_changes_with_users_tags_and_capabilities_alone_and_not_before_whois_does() {
    let sandbox = sandbox().await;
    let node = soon(builder(&sandbox).up()).await.unwrap();
    let tools = sandbox.peer("tools").clone();
    let mut watch = node.watch();
    let user = |name: &str| User::new(1001, name);
    soon(sandbox.set_user("tools", &user("old@example.com"))).await.unwrap();
    known(&node, &tools, |who| who.user.id == 1001).await;

    let mut version = settled(&mut watch).await.netmap_version;
    for change in ["capability", "revocation", "user", "tags"] {
        match change {
            "capability" => {
                soon(sandbox.grant("tools", "node", WIKI, &[json!({"role": "reader"})])).await.unwrap()
            }
            "revocation" => soon(sandbox.revoke("tools", "node", WIKI)).await.unwrap(),
            "user" => soon(sandbox.set_user("tools", &user("new@example.com"))).await.unwrap(),
            _ => soon(sandbox.set_tags("tools", &["tag:ci"])).await.unwrap(),
        }
        let is_so = |who: &WhoIs| match change {
            "capability" => who.has_capability(WIKI),
            "revocation" => !who.has_capability(WIKI),
            "user" => who.user.login_name == "new@example.com",
            _ => who.node.tags == ["tag:ci"],
        };
        // Who asks anew at each change of the version, and only then, comes to know it.
        soon(async {
            loop {
                let now = watch.changed().await.unwrap();
                if now.netmap_version != version {
                    version = now.netmap_version;
                    if is_so(&whois(&node, &tools).await) {
                        break;
                    }
                }
            }
        })
        .await;
    }
    done(sandbox, node).await;
}

//! Who may do what in the tailnet, as the running node knows it.

use serde_json::{Value, json};
use tailnet_sandbox::{Peer, Share};

use crate::node::{Service, World, until};

const CAPABILITY: &str = "kolaboree.dev/cap/clouds";

/// The node's name in the tailnet.
const NODE: &str = "kolaboree-node";

/// A node of another tailnet has its full name only.
const GUEST: &str = "guest.elsewhere.ts.net";

/// A tailnet with a user's node `alice`, one with tags `ci`, one of another tailnet `guest` and a router `gate`, and a node
/// with these rules.
fn world(rules: &str) -> (World, Service) {
    let peers = ["alice", "ci", "guest"].map(Peer::new);
    let world = World::with(peers.into_iter().chain([Peer::new("gate").route("198.51.100.0/24")]));
    world.give_users(&["alice", "ci", "guest", "gate"]);
    world.wait(world.sandbox.set_tags("ci", &["tag:ci"])).unwrap();
    world.wait(world.sandbox.set_share("guest", Some(Share::In))).unwrap();
    configure(&world, rules);
    let mut service = world.start();
    service.joins();
    (world, service)
}

fn configure(world: &World, rules: &str) {
    world.configure(&format!(
        "local: {{listen: none}}\ntailnet:\n  listen: 80\n  access:\n{rules}clouds:\n{}",
        world.berlin()
    ));
}

/// A rule that lets these see everything.
fn may_view(who: &str) -> String {
    format!("    - {{who: ['{who}'], clouds: ['*'], projects: ['*'], verbs: [view]}}\n")
}

fn grant(verbs: &[&str]) -> Value {
    json!({"clouds": ["*"], "projects": ["*"], "verbs": verbs})
}

fn explain(world: &World, peer: &str) -> Value {
    let all = world.json(&["access", "explain", peer]);
    let [one] = &all.as_array().unwrap()[..] else { panic!("{all}") };
    one.clone()
}

/// What a peer may do.
fn rights(world: &World, peer: &str) -> Value {
    explain(world, peer)["caller"]["rights"].clone()
}

#[test]
fn what_the_policy_gives_and_takes_away_is_known_while_the_node_runs() {
    let (world, service) = world("");
    let explained = explain(&world, "alice");
    assert_eq!(explained["caller"]["kind"], "user");
    assert_eq!(explained["caller"]["rights"], json!([]), "nobody may do anything at first");
    assert_eq!(explained["missing"]["policy"]["src"], json!(["alice@example.com"]));

    let give = |verbs: &[&str]| {
        let values = [grant(verbs), json!({"clouds": ["*"], "projects": ["*"], "verbs": ["everything"]})];
        world.wait(world.sandbox.grant("alice", NODE, CAPABILITY, &values)).unwrap();
    };
    for verbs in [&["view", "operate"][..], &["exec"]] {
        give(verbs);
        until(|| rights(&world, "alice"), |rights| *rights == json!([grant(verbs)]));
    }
    assert_eq!(rights(&world, "berlin"), json!([]), "nobody else has them");
    let text = world.good(&["access", "explain", "alice@example.com"]);
    assert!(text.contains("may: exec; clouds: *; projects: * (by the tailnet's policy)"), "{text}");
    assert!(text.contains("gives nothing: {") && text.contains("unknown variant `everything`"), "{text}");
    world.wait(world.sandbox.revoke("alice", NODE, CAPABILITY)).unwrap();
    until(|| rights(&world, "alice"), |rights| *rights == json!([]));

    let (code, log) = service.ends_on("TERM");
    assert_eq!(
        (code, log.matches("an entry of the tailnet's policy gives nothing").count()),
        (Some(0), 1),
        "told once:\n{log}"
    );
}

#[test]
fn nodes_with_tags_of_other_tailnets_and_routers_have_rights_only_where_they_are_named() {
    let (world, _service) = world(&may_view("user:*"));
    until(|| explain(&world, "gate")["caller"]["kind"].clone(), |kind| kind == "routed");
    for (peer, kind, may) in [
        ("alice", "user", true),
        ("ci", "tagged", false),
        (GUEST, "foreign", false),
        ("gate", "routed", false),
    ] {
        let explained = explain(&world, peer);
        assert_eq!(explained["caller"]["kind"], kind, "{peer}");
        assert_eq!(explained["caller"]["rights"] == json!([grant(&["view"])]), may, "{peer}: {explained}");
        let passed_over = explained["passed_over"].as_array().unwrap();
        assert_eq!(passed_over.is_empty(), may, "{peer}: {explained}");
    }
    // The grants that are told let each in, and nobody else.
    for peer in ["ci", GUEST, "gate"] {
        let missing = explain(&world, peer)["missing"]["rule"].clone();
        configure(&world, &format!("    - {missing}\n"));
        world.good(&["reload"]);
        for other in ["alice", "ci", GUEST, "gate"] {
            let expected = if other == peer { json!([grant(&["view"])]) } else { json!([]) };
            assert_eq!(rights(&world, other), expected, "{other} by {missing}");
        }
    }
}

#[test]
fn who_may_do_what_is_listed_completed_and_told_by_the_doctor() {
    let (world, _service) = world(&may_view("user:alice@example.com"));
    let list = until(
        || world.json(&["access", "list"]),
        |list| list["callers"].as_array().is_some_and(|callers| callers.len() == 5),
    );
    assert_eq!(
        list["rules"],
        json!([{"who": ["user:alice@example.com"], "clouds": ["*"], "projects": ["*"], "verbs": ["view"]}])
    );
    let text = world.good(&["access", "list"]);
    assert!(
        text.contains("rules of the configuration:") && text.contains("user:alice@example.com"),
        "{text}"
    );
    let csv = world.good(&["access", "list", "-o", "csv"]);
    let alice: Vec<&str> = csv.lines().filter(|line| line.ends_with(",view,*,*")).collect();
    assert!(alice.len() == 1 && alice[0].starts_with("alice."), "{csv}");
    assert_eq!(csv.lines().count(), 5, "{csv}");

    assert_eq!(world.good(&["__complete", "kolaboree-node", "access", "explain", "al"]), "alice\t\n");
    let doctor = world.run(&["doctor"]).stdout;
    assert!(doctor.contains("access: 1 of the 5 nodes that are online may do something"), "{doctor}");

    let nobody = world.run(&["access", "explain", "nobody"]);
    assert_eq!(nobody.code, Some(5), "{}", nobody.stderr);
    let wish = world.good(&["access", "explain", "alice", "--verb", "exec", "--cloud", "berlin"]);
    assert!(wish.contains("missing: exec; clouds: berlin; projects: *"), "{wish}");
    assert!(wish.contains("\"grants\": [{") && wish.contains("tailnet:\n  access:\n    - {"), "{wish}");

    configure(&world, "");
    world.good(&["reload"]);
    let doctor = world.run(&["doctor"]).stdout;
    assert!(
        doctor.contains("access: nobody is let in") && doctor.contains("access explain PEER"),
        "{doctor}"
    );
}

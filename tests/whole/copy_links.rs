//! Copies between clouds, on each way, whose servers, node or links fail in the middle. The source sends slowly, so that all
//! ways are in the middle at once.

use std::io::Write;
use std::process::{Child, Command, Stdio};

use crate::node::until;
use crate::pair::{Pair, in_own_network};
use crate::program::{HANG, Printed, finish_within};

const WAYS: [&str; 3] = ["pull", "push", "relay"];

/// MiB, and about as many seconds.
const SIZE: usize = 40;

/// A pair whose first server has an instance for each way, named after it.
fn slow_pair() -> Pair {
    let pair = Pair::start();
    for way in WAYS {
        pair.oslo.make(way, SIZE);
    }
    pair.oslo.slow("default");
    pair
}

/// Copies of these, each on its way, of which something is at `rome` already.
fn half_made<'a>(pair: &Pair, ways: &[&'a str]) -> Vec<(&'a str, Child)> {
    let begin =
        |way: &&'a str| (*way, pair.spawn(&["lxd", "copy", &format!("oslo:{way}"), "rome:", "--mode", way]));
    let copies = ways.iter().map(begin).collect();
    for way in ways {
        until(|| pair.rome.size(way), |size| *size >= 3);
    }
    copies
}

/// How they ended, which was no good end.
fn ended(copies: Vec<(&str, Child)>) -> impl Iterator<Item = (&str, Printed)> {
    copies.into_iter().map(|(way, copy)| {
        let told = finish_within(copy, 2 * HANG);
        assert_ne!(told.code, Some(0), "{way}: {}", told.stdout);
        (way, told)
    })
}

fn says(way: &str, told: &Printed, words: &str) {
    assert!(told.stderr.contains(words), "{way}: {}", told.stderr);
}

fn nothing_is_lost(pair: &Pair) {
    assert_eq!(pair.oslo.instances(), WAYS);
    for way in WAYS {
        assert!(pair.oslo.size(way) >= SIZE as u64, "{way}");
    }
}

fn nothing_is_left(pair: &Pair) {
    until(|| pair.rome.instances(), Vec::is_empty);
    for way in WAYS {
        until(|| pair.rome.root(way).exists(), |there| !there);
    }
}

/// What may be left can be removed as usual.
fn what_is_left_can_be_removed(pair: &Pair) {
    for name in pair.rome.instances() {
        pair.rome.lxc(&["delete", &name]);
    }
    nothing_is_left(pair);
}

/// Lets the IPv4 packets that match this disappear.
pub(crate) fn drop_packets(matching: &str) {
    let rules = format!(
        "table ip broken {{ chain in {{ type filter hook input priority 0; {matching} drop; }}; }}\n"
    );
    let mut nft = Command::new("nft").args(["-f", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    nft.stdin.take().unwrap().write_all(rules.as_bytes()).unwrap();
    assert!(nft.wait().unwrap().success());
}

pub(crate) fn let_packets_pass() {
    assert!(Command::new("nft").args(["delete", "table", "ip", "broken"]).status().unwrap().success());
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_link_that_falls_silent_ends_what_needs_it() {
    in_own_network("copy_links::a_link_that_falls_silent_ends_what_needs_it", || {
        // A server asks a silent peer every 15 seconds, by default nine times.
        std::fs::write("/proc/sys/net/ipv4/tcp_keepalive_probes", "2").unwrap();
        let pair = slow_pair();
        let mut copies = half_made(&pair, &WAYS);
        // Between the servers. The relayed copy goes on, for longer than a server may be silent.
        drop_packets("ip daddr 100.64.0.0/10");
        let relayed = finish_within(copies.pop().unwrap().1, 2 * HANG);
        assert_eq!(relayed.code, Some(0), "{}", relayed.stderr);
        for (way, told) in ended(copies) {
            says(way, &told, "the connection between oslo and rome was lost");
            assert!(!told.stderr.contains("left behind: rome:"), "{way}: {}", told.stderr);
            let waits = told.stderr.contains("left behind: an operation at oslo");
            assert_eq!(waits, way == "push", "{way}: {}", told.stderr);
        }
        let_packets_pass();
        assert_eq!(pair.rome.instances(), ["relay"]);
        what_is_left_can_be_removed(&pair);
        // Between the node and the target.
        let copies = half_made(&pair, &["relay"]);
        drop_packets("ip daddr 127.0.0.1 tcp dport 8444");
        for (way, told) in ended(copies) {
            says(way, &told, "left behind: rome:relay may be there in part");
        }
        let_packets_pass();
        nothing_is_left(&pair);
        nothing_is_lost(&pair);
    });
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_source_that_dies_in_the_middle_leaves_nothing_at_the_target() {
    in_own_network("copy_links::a_source_that_dies_in_the_middle_leaves_nothing_at_the_target", || {
        let mut pair = slow_pair();
        let copies = half_made(&pair, &WAYS);
        pair.oslo.kill();
        for (way, told) in ended(copies) {
            assert!(!told.stderr.contains("left behind"), "{way}: {}", told.stderr);
        }
        nothing_is_left(&pair);
        pair.oslo.run();
        nothing_is_lost(&pair);
    });
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_target_that_dies_in_the_middle_is_told_with_what_may_be_left() {
    in_own_network("copy_links::a_target_that_dies_in_the_middle_is_told_with_what_may_be_left", || {
        let mut pair = slow_pair();
        let copies = half_made(&pair, &WAYS);
        pair.rome.kill();
        for (way, told) in ended(copies) {
            says(way, &told, &format!("left behind: rome:{way} may be there in part"));
        }
        pair.rome.run();
        what_is_left_can_be_removed(&pair);
        nothing_is_lost(&pair);
    });
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_copy_ends_when_the_node_is_gone() {
    in_own_network("copy_links::a_copy_ends_when_the_node_is_gone", || {
        let mut pair = slow_pair();
        let copies = half_made(&pair, &WAYS);
        pair.service.take().unwrap().ends_on("KILL");
        // A node that is killed closes no connection: the target of the relayed copy waits on until its own network gives the
        // node up. The others need no node.
        for (way, told) in ended(copies) {
            says(way, &told, &format!("left behind: rome:{way} may be there in part"));
        }
        for way in ["pull", "push"] {
            until(|| pair.rome.size(way), |size| *size >= SIZE as u64);
        }
        nothing_is_lost(&pair);
    });
}

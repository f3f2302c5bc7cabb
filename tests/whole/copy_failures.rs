//! Copies between clouds that fail in the middle: nothing is lost at the source, and nothing half-made is left at the target.

use std::process::Child;

use crate::node::until;
use crate::pair::{Pair, end, in_own_network};
use crate::program::finish;

/// A copy of `oslo:web`, of which something is at `rome` already.
fn half_made(pair: &Pair, mode: &str) -> Child {
    let copy = pair.spawn(&["lxd", "copy", "oslo:web", "rome:", "--mode", mode]);
    until(|| pair.rome.size("web"), |size| *size >= 5);
    copy
}

/// Waits until nothing of it is at `rome`: a server removes by itself what it could not finish.
fn nothing_is_left(pair: &Pair) {
    until(|| pair.rome.instances(), |names| names.is_empty());
    until(|| pair.rome.root("web").exists(), |there| !there);
}

/// The source is there, and can be copied.
fn nothing_is_lost(pair: &Pair) {
    assert_eq!(pair.oslo.instances(), ["web"]);
    assert!(pair.oslo.size("web") >= SIZE as u64);
}

/// MiB: more than is copied while a test looks.
const SIZE: usize = 500;

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_cancelled_copy_leaves_nothing_behind() {
    in_own_network("copy_failures::a_cancelled_copy_leaves_nothing_behind", || {
        let pair = Pair::start();
        pair.oslo.make("web", SIZE);
        for (mode, signal) in [("relay", "INT"), ("relay", "TERM"), ("pull", "INT"), ("push", "INT")] {
            let told = end(half_made(&pair, mode), signal);
            assert_eq!(told.code, Some(130), "{mode} {signal}: {}", told.stderr);
            if mode == "push" {
                // LXD 5.0 lets nobody stop a source that pushes, and the target removes what it gets when it is told to.
                nothing_is_left(&pair);
                continue;
            }
            assert!(!told.stderr.contains("left behind"), "{mode} {signal}: {}", told.stderr);
            assert_eq!(pair.rome.instances(), [""; 0], "{mode} {signal}");
            assert!(!pair.rome.root("web").exists(), "{mode} {signal}");
        }
        // A command that is killed tells nobody: the servers see that its connections are gone.
        end(half_made(&pair, "relay"), "KILL");
        nothing_is_left(&pair);
        nothing_is_lost(&pair);
    });
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_full_disk_at_the_target_is_told_and_leaves_nothing_behind() {
    in_own_network("copy_failures::a_full_disk_at_the_target_is_told_and_leaves_nothing_behind", || {
        let pair = Pair::start_with(Some(60));
        pair.oslo.make("web", 100);
        for mode in ["relay", "pull", "push"] {
            for verb in ["copy", "move"] {
                let told = pair.world.run(&["lxd", verb, "oslo:web", "rome:", "--mode", mode]);
                assert_eq!(told.code, Some(1), "{mode}: {}", told.stderr);
                assert!(told.stderr.contains("no space left on device at rome"), "{mode}: {}", told.stderr);
                assert!(!told.stderr.contains("left behind"), "{mode}: {}", told.stderr);
                assert_eq!(pair.rome.instances(), [""; 0], "{mode}");
                assert!(!pair.rome.root("web").exists(), "{mode}");
                assert_eq!(pair.oslo.instances(), ["web"], "{mode}");
            }
        }
    });
}

#[test]
#[cfg_attr(not(real_lxd), ignore = "needs a real LXD: see .ci/with-lxd")]
fn a_copy_ends_when_the_tailnet_is_gone() {
    in_own_network("copy_failures::a_copy_ends_when_the_tailnet_is_gone", || {
        let pair = Pair::start();
        pair.oslo.make("web", SIZE);
        let copy = half_made(&pair, "relay");
        let sandbox = pair.world.sandbox.pid().unwrap().to_string();
        let killed = std::process::Command::new("kill").args(["-s", "KILL", &sandbox]).status();
        assert!(killed.unwrap().success());
        ends_without_a_way_to_the_target(copy);
        nothing_is_left(&pair);
        nothing_is_lost(&pair);
    });
}

/// The command cannot remove what is at the target, and says so. The servers do it by themselves.
fn ends_without_a_way_to_the_target(copy: Child) {
    let told = finish(copy);
    assert_ne!(told.code, Some(0), "{}", told.stderr);
    assert!(told.stderr.contains("left behind: rome:web may be there in part"), "{}", told.stderr);
}

//! Killed at any moment, the state stays good and the node the same.

use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use std::time::Duration;

use crate::node::{Service, World};
use crate::program::command;

/// A hundred times, at moments from before it has started to long after it has joined.
#[test]
fn a_hundred_kills_at_random_moments_leave_the_state_good_and_the_address_the_same() {
    let world = World::new();
    world.configure_berlin();
    let mut first = world.start();
    first.joins();
    let address = world.json(&["ip"]);
    first.ends_on("KILL");

    let mut seed = 0x9e37_79b9_7f4a_7c15_u64; // xorshift: the same moments each time
    for round in 0..100 {
        let mut service = world.start();
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        // A join takes a fifth of a second here: half of the kills come before its end.
        std::thread::sleep(Duration::from_micros(seed % 400_000));
        service.signal("KILL");
        let (code, log) = service.ended();
        assert_eq!(code, None, "round {round}: it ended by itself:\n{log}");
        if round % 10 == 9 {
            assert_eq!(world.json(&["ip"]), address, "round {round}");
        }
    }
    let mut last = world.start();
    last.joins();
    last.says("reachable");
    assert_eq!(world.json(&["ip"]), address);
    let (code, log) = last.ends_on("TERM");
    assert_eq!(code, Some(0), "{log}");
}

/// The first start is the one that writes everything.
#[test]
fn a_kill_during_the_very_first_start_leaves_a_folder_that_can_be_used() {
    let world = World::new();
    world.configure_berlin();
    for micros in (0..30).map(|step| step * 8_000) {
        let _ = std::fs::remove_dir_all(world.path("state"));
        let mut service = world.start();
        std::thread::sleep(Duration::from_micros(micros));
        service.signal("KILL");
        service.ended();
        let printed = world.run(&["ip", "-4"]);
        assert_eq!(printed.code, Some(0), "killed after {micros} us: {}", printed.stderr);
    }
}

#[test]
fn an_ephemeral_node_starts_again_after_its_end_and_after_a_kill_and_when_it_was_forgotten_meanwhile() {
    let world = World::new();
    world.configure("ephemeral: true\nlocal: {listen: none}\n");
    for signal in ["TERM", "KILL", "KILL"] {
        let mut service = world.start();
        service.joins();
        service.ends_on(signal);
    }
    world.wait(world.sandbox.forget_node("kolaboree-node")).unwrap();
    let mut service = world.start();
    service.joins();
    service.ends_on("TERM");
}

/// What others could do to the files and folders at `path`, in it and below: their modes and names.
fn open_to_others(path: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut next = vec![path.to_owned()];
    while let Some(path) = next.pop() {
        let Ok(there) = std::fs::symlink_metadata(&path) else { continue }; // gone meanwhile
        if there.is_dir() {
            next.extend(std::fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()));
        }
        let harmless = if path.extension().is_some_and(|end| end == "crt") { 0o644 } else { 0o700 };
        if there.mode() & 0o777 & !harmless != 0 {
            found.push(format!("{:o} {}", there.mode(), path.display()));
        }
    }
    found
}

#[test]
fn nothing_that_it_keeps_or_serves_is_open_to_others_whatever_the_umask_and_after_kills() {
    let world = World::new();
    let socket = world.path("proxies/unix.socket");
    std::fs::create_dir(world.path("proxies")).unwrap();
    world.configure(&format!(
        "local: {{listen: none}}\nclouds:\n{}",
        world.berlin().replace("trust:", "proxy: {unix: proxies/unix.socket}, trust:")
    ));
    let start = || {
        let program = world.program();
        let mut shell = command("sh", world.home.path());
        shell.args(["-c", "umask 000; exec \"$0\""]).arg(program.get_program());
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        Service::start(shell)
    };
    for round in 0..4 {
        let mut service = start();
        service.joins();
        service.says("reachable");
        assert!(std::fs::metadata(&socket).unwrap().file_type().is_socket());
        for path in [world.path("state"), socket.clone()] {
            let open = open_to_others(&path);
            assert!(open.is_empty(), "round {round}: {open:#?}");
        }
        service.ends_on("KILL");
    }
}

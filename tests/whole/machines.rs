//! Machines that lack what others have, or are set up in ways of their own.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;

use crate::node::{Service, World, free_port, until};

/// What a kernel without IPv6 says to whoever asks for a socket of it.
const NO_IPV6: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <sys/socket.h>
int socket(int domain, int type, int protocol) {
  if (domain == AF_INET6) { errno = EAFNOSUPPORT; return -1; }
  return ((int (*)(int, int, int))dlsym(RTLD_NEXT, "socket"))(domain, type, protocol);
}
"#;

fn without_ipv6(world: &World) -> PathBuf {
    world.write("noipv6.c", NO_IPV6);
    let library = world.path("noipv6.so");
    let made = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(world.path("noipv6.c"))
        .status();
    assert!(made.expect("there is a C compiler").success());
    library
}

fn is_served(port: u16) -> bool {
    #[allow(clippy::disallowed_methods, reason = "a loopback address of this test's")]
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

#[test]
fn without_ipv6_all_addresses_are_those_of_ipv4() {
    let world = World::new();
    let library = without_ipv6(&world);
    let [health, socks5, http, cloud] = [(); 4].map(|()| free_port());
    let echo = format!("  - {{name: echo, kind: tcp, address: 'berlin:7', proxy: {{listen: ':{cloud}'}}}}\n");
    world.configure(&format!(
        "local: {{listen: ':{health}', socks5: ':{socks5}', http_proxy: ':{http}'}}\nclouds:\n{}{echo}",
        world.berlin()
    ));
    let mut program = world.program();
    program.env("LD_PRELOAD", &library);
    let mut service = Service::start(program);
    service.joins();
    for port in [health, socks5, http, cloud] {
        until(|| is_served(port), |served| *served);
    }
    let own = free_port();
    let mut proxy = world.program();
    proxy.env("LD_PRELOAD", &library).args(["proxy", "berlin", "--listen", &format!(":{own}")]);
    let proxy = Service::start(proxy);
    until(|| is_served(own), |served| *served);
    proxy.ends_on("TERM");
    service.ends_on("TERM");
}

#[test]
fn all_addresses_are_those_of_both_kinds_whatever_the_systems_default() {
    on_loopback_only("listens_by_both_kinds");
}

#[test]
#[ignore = "is run in a network namespace by all_addresses_are_those_of_both_kinds_whatever_the_systems_default"]
fn listens_by_both_kinds() {
    fs::write("/proc/sys/net/ipv6/bindv6only", "1").unwrap();
    let world = World::new();
    let health = free_port();
    world.configure(&format!("local: {{listen: ':{health}'}}\n"));
    let mut service = world.start();
    service.joins();
    until(|| is_served(health), |served| *served);
    #[allow(clippy::disallowed_methods, reason = "a loopback address of this test's")]
    TcpStream::connect(("::1", health)).unwrap();
    service.ends_on("TERM");
}

/// A program that is told of the node's proxy is often told so by what the node's own process sees, too.
#[test]
fn its_own_proxy_is_no_way_to_its_tailnet() {
    for (variable, scheme) in [("HTTP_PROXY", "http"), ("http_proxy", "socks5"), ("ALL_PROXY", "socks5")] {
        let world = World::new();
        let port = free_port();
        // As no loopback address, so that it counts as one of another machine.
        let control = world.sandbox.control_url().to_string().replace("127.0.0.1", "0.0.0.0");
        world.write(
            "kolaboree.yaml",
            &format!(
                "state_dir: state\ncontrol_url: {control}\nlocal: {{listen: none, socks5: ':{port}', http_proxy: ':{port}'}}\n"
            ),
        );
        let mut program = world.program();
        program.env(variable, format!("{scheme}://user:sesame@127.0.0.1:{port}"));
        let mut service = Service::start(program);
        service.joins();
        let (_, log) = service.ends_on("TERM");
        assert!(!log.contains("sesame"), "{log}");
    }
}

#[test]
fn a_proxy_that_does_not_answer_is_named_without_its_password() {
    let world = World::new();
    let control = world.sandbox.control_url().to_string().replace("127.0.0.1", "0.0.0.0");
    world.write(
        "kolaboree.yaml",
        &format!("state_dir: state\ncontrol_url: {control}\njoin_timeout: 2\nlocal: {{listen: none}}\n"),
    );
    let mut program = world.program();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = listener.local_addr().unwrap();
    program.env("HTTP_PROXY", format!("http://user:sesame@{silent}")).arg("-v");
    let mut service = Service::start(program);
    let said = service.says("not joined yet");
    assert!(said.contains(&format!("by the proxy {silent}, which the environment names")), "{said}");
    let (_, log) = service.ends_on("TERM");
    assert!(log.contains("using proxy"), "{log}");
    assert!(!log.contains("sesame") && !log.contains("dXNlcjpzZXNhbWU"), "{log}");
}

/// Runs a test of this file in a network namespace with nothing but loopback.
fn on_loopback_only(test: &str) {
    let script = "ip link set lo up && exec \"$@\"";
    let output = Command::new("unshare")
        .args(["--net", "--map-root-user", "sh", "-c", script, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", &format!("machines::{test}"), "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[test]
fn with_no_network_but_loopback_it_joins_a_tailnet_on_loopback() {
    on_loopback_only("joins_on_loopback");
}

#[test]
#[ignore = "is run in a network namespace by with_no_network_but_loopback_it_joins_a_tailnet_on_loopback"]
fn joins_on_loopback() {
    let world = World::new();
    world.configure_berlin();
    let mut service = world.start();
    service.joins();
    world.good(&["ping", "berlin", "-c", "1"]);
    service.ends_on("TERM");
}

#[test]
fn with_no_network_at_all_it_says_so() {
    on_loopback_only("says_that_there_is_no_network");
}

#[test]
#[ignore = "is run in a network namespace by with_no_network_at_all_it_says_so"]
fn says_that_there_is_no_network() {
    let world = World::new();
    world.write(
        "kolaboree.yaml",
        "state_dir: state\ncontrol_url: http://192.0.2.1\nlocal: {listen: none}\njoin_timeout: 3\n",
    );
    let doctor = world.run(&["doctor"]);
    assert!(doctor.stdout.contains("no network interface is up"), "{}\n{}", doctor.stdout, doctor.stderr);
}

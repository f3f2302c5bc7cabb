//! Programs that cannot embed the crate reach the tailnet, and nothing else.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

use crate::node::{Service, World, curl, free_port, until};

/// The service with a SOCKS5 and HTTP proxy on one port, and `berlin` forwarded on another.
fn with_proxies(world: &World) -> (Service, u16, u16) {
    let (proxy, forward) = (free_port(), free_port());
    world.configure(&format!(
        "local: {{listen: none, socks5: '127.0.0.1:{proxy}', http_proxy: '127.0.0.1:{proxy}'}}\nclouds:\n\
         - {{name: echo, kind: tcp, address: 'berlin:7', proxy: {{listen: '127.0.0.1:{forward}', unix: echo.sock}}}}\n"
    ));
    let mut service = world.start();
    service.joins();
    (service, proxy, forward)
}

#[test]
fn curl_reaches_the_tailnet_through_socks5_and_http_on_one_port_and_nothing_else() {
    let world = World::new();
    let (service, port, _) = with_proxies(&world);
    let outside = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    outside.set_nonblocking(true).unwrap();
    let outside_url = format!("https://{}/", outside.local_addr().unwrap());
    let plain_url = outside_url.replace("https", "http");
    for proxy in [format!("socks5h://127.0.0.1:{port}"), format!("http://127.0.0.1:{port}")] {
        let through = |url: &str| curl(&["-k", "-p", "-x", &proxy, url]);
        let (status, body) = through("https://berlin:8443/1.0");
        assert!(status == "200" && body.contains("untrusted"), "{proxy}: {status} {body}");
        let by_ip = format!("https://{}:8443/1.0", world.sandbox.peer("berlin").ipv4);
        assert_eq!(through(&by_ip).0, "200");
        for url in [&outside_url, &plain_url, "https://localhost/", "https://192.0.2.1/", "https://nobody/"] {
            let (status, body) = through(url);
            assert_ne!(status, "200", "{proxy} {url}: {body}");
        }
    }
    let nobody = outside.accept().map(|(_, peer)| peer);
    assert!(nobody.is_err(), "{nobody:?} came by the host's network");
    service.ends_on("TERM");
}

#[test]
fn who_comes_before_the_node_has_joined_waits_for_that() {
    let world = World::new();
    let proxy = free_port();
    let berlin = world.berlin().replace("}}", "}, proxy: {unix: berlin.sock}}");
    world.configure(&format!(
        "local: {{listen: none, socks5: '127.0.0.1:{proxy}', http_proxy: '127.0.0.1:{proxy}'}}\nclouds:\n{berlin}"
    ));
    world.wait(world.sandbox.stop_control()).unwrap(); // it cannot join yet
    let service = world.start();
    let mut api =
        until(|| std::os::unix::net::UnixStream::connect(world.path("berlin.sock")).ok(), Option::is_some);
    #[allow(clippy::disallowed_methods, reason = "a loopback address of this test's")]
    let mut tunnel = until(|| TcpStream::connect(("127.0.0.1", proxy)).ok(), Option::is_some);
    let (api, tunnel) = (api.as_mut().unwrap(), tunnel.as_mut().unwrap());
    api.write_all(b"GET /1.0 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    tunnel.write_all(b"CONNECT berlin:7 HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300)); // time in which it would give up
    world.wait(world.sandbox.start_control()).unwrap();
    let mut answers = [[0; 12]; 2];
    api.read_exact(&mut answers[0]).unwrap();
    tunnel.read_exact(&mut answers[1]).unwrap();
    let answers = answers.map(|answer| String::from_utf8_lossy(&answer).into_owned());
    assert_eq!(answers, ["HTTP/1.1 200", "HTTP/1.1 200"]);
    service.ends_on("TERM");
}

#[test]
fn a_tcp_cloud_is_forwarded_on_an_address_and_a_unix_socket() {
    let world = World::new();
    let (service, _, port) = with_proxies(&world);
    let echo = |stream: &mut dyn ReadWrite| {
        stream.write_all(b"hello").unwrap();
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"hello");
    };
    #[allow(clippy::disallowed_methods, reason = "a loopback address of this test's")]
    echo(&mut TcpStream::connect(("127.0.0.1", port)).unwrap());
    echo(&mut std::os::unix::net::UnixStream::connect(world.path("echo.sock")).unwrap());

    // Down, and nothing gets through; open streams do not keep the service from its end.
    assert_eq!(world.json(&["down"])["state"], "Stopped");
    #[allow(clippy::disallowed_methods, reason = "a loopback address of this test's")]
    let mut refused = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let error = refused.read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "it does not look whole");
    assert_eq!(service.ends_on("TERM").0, Some(0));
}

trait ReadWrite: Read + Write {}
impl<T: Read + Write> ReadWrite for T {}

#[test]
fn the_command_proxy_serves_a_cloud_with_and_without_a_running_node() {
    let world = World::new();
    world.configure_berlin();
    let proxied = |world: &World| {
        let mut program = world.program();
        program
            .args(["proxy", "berlin", "--unix", "p.sock", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::null());
        let mut proxy = Service::start(program);
        let told = proxy.says("berlin is at 127.0.0.1:");
        let address = told.rsplit(' ').next().unwrap().to_owned();
        let socket = world.path("p.sock");
        let api =
            until(|| curl(&["--unix-socket", socket.to_str().unwrap(), "http://x/1.0"]), |a| a.0 == "200");
        assert!(api.1.contains("untrusted"), "{}", api.1);
        assert_eq!(curl(&["-k", &format!("https://{address}/1.0")]).0, "200");
        assert_eq!(proxy.ends_on("TERM").0, Some(0));
        assert!(!socket.exists());
    };
    proxied(&world);
    let mut service = world.start();
    service.joins();
    proxied(&world);
    service.ends_on("TERM");
}

#[test]
fn the_command_proxy_resets_what_it_cannot_forward() {
    let world = World::new();
    world.configure_berlin();
    let mut service = world.start();
    service.joins();
    let mut program = world.program();
    program.args(["proxy", "berlin", "--listen", "127.0.0.1:0"]).stdout(Stdio::null());
    let mut proxy = Service::start(program);
    let told = proxy.says("berlin is at 127.0.0.1:");
    let address = told.rsplit(' ').next().unwrap().to_owned();
    assert_eq!(world.json(&["down"])["state"], "Stopped");
    #[allow(clippy::disallowed_methods, reason = "a loopback address of this test's")]
    let mut refused = TcpStream::connect(address).unwrap();
    let error = refused.read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "it does not look whole");
    assert_eq!(proxy.ends_on("TERM").0, Some(0));
    service.ends_on("TERM");
}

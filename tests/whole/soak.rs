//! The service under load for a long time, while everything around it fails in turn: nothing leaks, nothing hangs, and
//! nothing leaves by the host's network.

use std::collections::{BTreeMap, HashSet};
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tailnet_sandbox::Peer;

use crate::node::{Service, World, curl, free_port, health_url, until};

/// What the line to the LXD does.
const GOOD: u8 = 0;
const SLOW: u8 = 1;
const CUT: u8 = 2;

const SECOND: Duration = Duration::from_secs(1);

#[test]
#[ignore = "takes KOLABOREE_SOAK seconds (default 1200), and needs strace: cargo test -p kolaboree-node --test whole -- --ignored --nocapture soak"]
fn a_soak_with_faults_leaks_nothing_hangs_nowhere_and_stays_in_the_tailnet() {
    let seconds = std::env::var("KOLABOREE_SOAK").ok().and_then(|s| s.parse().ok()).unwrap_or(1200);
    let line = Arc::new(AtomicU8::new(GOOD));
    let world =
        World::with_peers_of(|standin| [Peer::new("lxd").forward(8443, relay(standin, Arc::clone(&line)))]);
    let outside = TcpListener::bind("127.0.0.1:0").unwrap();
    let outside = outside.local_addr().unwrap();
    let (socks5, forward) = (free_port(), free_port());
    let pin = world.standin.fingerprint();
    world.configure(&format!(
        "local: {{listen: '127.0.0.1:{}', socks5: '127.0.0.1:{socks5}'}}\nclouds:\n{}\
         - {{name: lxd, address: 'lxd:8443', required: true, trust: {{fingerprint: {pin}}}, proxy: {{unix: lxd.sock}}}}\n\
         - {{name: echo, kind: tcp, address: 'berlin:7', proxy: {{listen: '127.0.0.1:{forward}'}}}}\n\
         - {{name: outside, kind: tcp, required: false, address: '{outside}'}}\n\
         - {{name: elsewhere, kind: tcp, required: false, address: '192.0.2.99:443'}}\n\
         - {{name: nowhere, kind: tcp, required: false, address: 'www.example.com:443'}}\n",
        free_port(),
        world.berlin().trim_start(),
    ));
    let trace = world.path("trace");
    let traced = world.program();
    let node = traced.get_program().to_owned();
    let mut strace = Command::new("strace");
    strace
        .args(["-f", "--seccomp-bpf", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o"])
        .arg(&trace)
        .arg(node);
    strace
        .env_clear()
        .current_dir(world.home.path())
        .stderr(std::process::Stdio::piped())
        .stdin(std::process::Stdio::null());
    for (name, value) in traced.get_envs() {
        strace.env(name, value.unwrap_or_default());
    }
    let mut service = Service::start(strace);
    service.joins();
    let node = child_of(service.pid());
    let ready = || curl(&[&health_url(world.home.path(), "/readyz")]).0;
    until(ready, |status| status == "200");

    let measure = || usage(node, &curl(&[&health_url(world.home.path(), "/metrics")]).1);
    // Bridges come and go on a machine, and a node tells its peers all addresses that it finds.
    let mut own = own_addresses();
    let stop = AtomicBool::new(false);
    let counts = Counts::default();
    let proxy = world.path("lxd.sock");
    let before = std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| load(&stop, &counts, "echo", || echo_once(forward)));
            scope.spawn(|| load(&stop, &counts, "api", || api_once(&proxy)));
            scope.spawn(|| load(&stop, &counts, "socks5", || socks5_once(socks5, "berlin", 7)));
            scope.spawn(|| {
                load(&stop, &counts, "outside", || match socks5_once(socks5, "127.0.0.1", outside.port()) {
                    Err(_) => Ok(()),
                    Ok(()) => panic!("a host's listener was reached"),
                });
            });
        }
        sleep(SECOND * 5);
        let before = measure();
        println!("before: {before:?}");
        let mut rounds = Vec::new();
        faults(&world, &line, Instant::now() + Duration::from_secs(seconds), || {
            own.extend(own_addresses());
            until(ready, |status| status == "200");
            let now = measure();
            println!("round {}: {now:?}", rounds.len());
            rounds.push(now);
        });
        levels_off(&rounds);
        until(ready, |status| status == "200");
        sleep(SECOND * 5);
        stop.store(true, Relaxed);
        before
    });
    // Closed streams are kept for a while (TIME_WAIT), and connections to the cloud are pooled.
    let after = until(
        || {
            sleep(SECOND);
            measure()
        },
        |now| {
            now.descriptors <= before.descriptors + 5
                && now.threads <= before.threads + 4
                && now.tasks <= before.tasks + 5
        },
    );
    println!("after {seconds} s: {after:?}\n{}", counts.summary());
    for name in ["echo", "api", "socks5"] {
        assert!(counts.good(name) > 0, "{name} never worked");
    }
    let limit = before.memory_kib + (256 << 10);
    assert!(after.memory_kib < limit, "memory grew from {} to {} KiB", before.memory_kib, after.memory_kib);

    let began = Instant::now();
    assert!(Command::new("kill").arg(node.to_string()).status().unwrap().success());
    let (code, log) = service.ended();
    assert_eq!(code, Some(0), "{log}");
    println!("ended in {:.1} s", began.elapsed().as_secs_f32());
    assert!(!log.contains("panicked"), "{log}");
    own.extend(own_addresses());
    stays_here(&std::fs::read_to_string(trace).unwrap(), &own, outside.port());
}

/// One fault after the other, each for a while and then over, until the deadline; `after` is called after each round.
fn faults(world: &World, line: &AtomicU8, deadline: Instant, mut after: impl FnMut()) {
    let sandbox = &world.sandbox;
    for round in 0.. {
        for fault in 0..6 {
            if Instant::now() >= deadline {
                return;
            }
            let lasting = SECOND * (2 + (round + fault) % 5);
            match fault {
                0 => {
                    world.wait(sandbox.stop_control()).unwrap();
                    sleep(lasting);
                    world.wait(sandbox.start_control()).unwrap();
                }
                1 => {
                    world.wait(sandbox.stop_relay()).unwrap();
                    sleep(lasting);
                    world.wait(sandbox.start_relay()).unwrap();
                }
                2 => {
                    world.wait(sandbox.stop_peer("berlin")).unwrap();
                    sleep(lasting);
                    world.wait(sandbox.start_peer("berlin")).unwrap();
                }
                3 | 4 => {
                    line.store(if fault == 3 { CUT } else { SLOW }, Relaxed);
                    sleep(lasting);
                    line.store(GOOD, Relaxed);
                }
                // Everything falls silent: control server, relay and peers.
                _ => {
                    let pid = sandbox.pid().unwrap().to_string();
                    Command::new("kill").args(["-STOP", &pid]).status().unwrap();
                    sleep(lasting);
                    Command::new("kill").args(["-CONT", &pid]).status().unwrap();
                }
            }
            sleep(SECOND * 3);
        }
        after();
    }
}

/// The last third of a long soak uses no more than the second one, but for what varies with the moment.
fn levels_off(rounds: &[Usage]) {
    let third = rounds.len() / 3;
    if third < 3 {
        return;
    }
    let most = |of: fn(&Usage) -> u64, rounds: &[Usage]| rounds.iter().map(of).max().unwrap_or_default();
    let (middle, last) = (&rounds[third..2 * third], &rounds[2 * third..]);
    for (name, of, varies) in [
        ("KiB of memory", (|u| u.memory_kib) as fn(&Usage) -> u64, 32 << 10),
        ("descriptors", |u| u.descriptors as u64, 32),
        ("threads", |u| u.threads as u64, 8),
        ("tasks", |u| u.tasks, 32),
    ] {
        let (middle, last) = (most(of, middle), most(of, last));
        println!("the most {name}: {middle} in the second third, {last} in the last one");
        assert!(last <= middle + varies, "{name} grow from {middle} to {last}");
    }
}

/// Forwards to the LXD, as long as the line is good.
fn relay(to: SocketAddr, line: Arc<AtomicU8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            if line.load(Relaxed) == CUT {
                continue; // dropped
            }
            #[allow(clippy::disallowed_methods, reason = "the stand-in, on loopback")]
            let Ok(server) = TcpStream::connect(to) else { continue };
            for (from, to) in
                [(client.try_clone(), server.try_clone()), (server.try_clone(), client.try_clone())]
            {
                let (Ok(from), Ok(to)) = (from, to) else { continue };
                let line = Arc::clone(&line);
                std::thread::spawn(move || pipe(from, to, &line));
            }
        }
    });
    address
}

fn pipe(mut from: TcpStream, mut to: TcpStream, line: &AtomicU8) {
    let mut buffer = [0; 16 << 10];
    from.set_read_timeout(Some(SECOND / 5)).unwrap();
    loop {
        let read = from.read(&mut buffer);
        match (line.load(Relaxed), read) {
            (CUT, _) | (_, Ok(0)) => break,
            (_, Err(e)) if e.kind() == std::io::ErrorKind::WouldBlock => continue,
            (_, Err(_)) => break,
            (how, Ok(length)) => {
                if how == SLOW {
                    sleep(SECOND / 4);
                }
                if to.write_all(&buffer[..length]).is_err() {
                    break;
                }
            }
        }
    }
    let _ = from.shutdown(std::net::Shutdown::Both);
    let _ = to.shutdown(std::net::Shutdown::Both);
}

fn load(stop: &AtomicBool, counts: &Counts, name: &'static str, once: impl Fn() -> std::io::Result<()>) {
    while !stop.load(Relaxed) {
        let began = Instant::now();
        counts.count(name, once().is_ok(), began.elapsed());
        sleep(SECOND / 20);
    }
}

/// A stream that hangs would fail by this.
fn patient(stream: &TcpStream) {
    stream.set_read_timeout(Some(SECOND * 60)).unwrap();
}

fn local(port: u16) -> std::io::Result<TcpStream> {
    #[allow(clippy::disallowed_methods, reason = "the service, on loopback")]
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    patient(&stream);
    Ok(stream)
}

fn echo_once(port: u16) -> std::io::Result<()> {
    echoed(local(port)?)
}

fn echoed(mut stream: TcpStream) -> std::io::Result<()> {
    let sent = [7; 4096];
    stream.write_all(&sent)?;
    let mut back = [0; 4096];
    stream.read_exact(&mut back)?;
    assert_eq!(sent, back, "what came back is not what was sent");
    Ok(())
}

fn api_once(socket: &Path) -> std::io::Result<()> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(SECOND * 60))?;
    stream.write_all(b"GET /1.0 HTTP/1.1\r\nHost: lxd\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if answer.starts_with("HTTP/1.1 200") { Ok(()) } else { Err(std::io::Error::other(answer)) }
}

fn socks5_once(port: u16, host: &str, target: u16) -> std::io::Result<()> {
    let mut stream = local(port)?;
    stream.write_all(&[5, 1, 0])?;
    let mut method = [0; 2];
    stream.read_exact(&mut method)?;
    let mut request = vec![5, 1, 0, 3, u8::try_from(host.len()).unwrap()];
    request.extend(host.as_bytes());
    request.extend(target.to_be_bytes());
    stream.write_all(&request)?;
    let mut reply = [0; 4];
    stream.read_exact(&mut reply)?;
    // The address behind it is of either family.
    let mut bound = vec![0; if reply[3] == 4 { 18 } else { 6 }];
    stream.read_exact(&mut bound)?;
    if reply[1] != 0 {
        return Err(std::io::Error::other(format!("SOCKS5 code {}", reply[1])));
    }
    echoed(stream)
}

#[derive(Default)]
struct Counts(Mutex<BTreeMap<&'static str, [u64; 2]>>, AtomicU64);

impl Counts {
    fn count(&self, name: &'static str, good: bool, took: Duration) {
        self.0.lock().unwrap().entry(name).or_default()[usize::from(good)] += 1;
        self.1.fetch_max(took.as_millis().try_into().unwrap(), Relaxed);
    }

    fn good(&self, name: &str) -> u64 {
        self.0.lock().unwrap().get(name).map_or(0, |counts| counts[1])
    }

    fn summary(&self) -> String {
        let counts = self.0.lock().unwrap();
        let each = counts.iter().map(|(name, [bad, good])| format!("{name}: {good} good, {bad} failed\n"));
        each.collect::<String>() + &format!("slowest: {} ms", self.1.load(Relaxed))
    }
}

#[derive(Debug)]
struct Usage {
    descriptors: usize,
    threads: usize,
    /// Of the asynchronous runtime.
    tasks: u64,
    memory_kib: u64,
}

fn usage(pid: u32, metrics: &str) -> Usage {
    let count = |what| std::fs::read_dir(format!("/proc/{pid}/{what}")).unwrap().count();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    Usage {
        descriptors: count("fd"),
        threads: count("task"),
        tasks: metrics
            .lines()
            .find_map(|line| line.strip_prefix("kolaboree_tasks "))
            .map_or(u64::MAX, |tasks| tasks.parse().unwrap()),
        memory_kib: memory.trim().trim_end_matches(" kB").parse().unwrap(),
    }
}

fn child_of(pid: u32) -> u32 {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    children.split_whitespace().next().unwrap().parse().unwrap()
}

/// The addresses that this machine has now.
fn own_addresses() -> HashSet<IpAddr> {
    let own = String::from_utf8(Command::new("hostname").arg("-I").output().unwrap().stdout).unwrap();
    own.split_whitespace().map(|ip| ip.parse().unwrap()).collect()
}

/// Everything went to this machine: its loopback, or its own addresses, where the sandbox's peers are.
fn stays_here(trace: &str, own: &HashSet<IpAddr>, outside: u16) {
    let mut calls = 0;
    for line in trace.lines() {
        let Some(after) =
            line.split_once("inet_addr(\"").or_else(|| line.split_once("inet_pton(AF_INET6, \""))
        else {
            continue;
        };
        calls += 1;
        let ip: IpAddr = after.1.split('"').next().unwrap().parse().unwrap();
        let ip = ip.to_canonical();
        assert!(ip.is_loopback() || own.contains(&ip) || ip.is_unspecified(), "it left this machine: {line}");
        assert!(!line.contains(&format!("htons({outside})")), "a host's listener was reached: {line}");
        assert!(!line.contains("htons(53)"), "a DNS server was asked: {line}");
    }
    assert!(calls > 100, "the trace shows {calls} calls: it cannot be right");
    println!("{calls} network calls, none left this machine");
}
